"""A recipe's steps: the build, the run, their limits, and what their errors say in one line."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace

from rewardranker.judge.languages.language import Language, Level, Recipe, heap_mb, within
from rewardranker.judge.sandbox import Outcome, Sandbox, Step, StepLimits
from rewardranker.judge.strict.answers import Answer, Frame
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

BUILD_LIMITS = StepLimits(cpu_s=60.0, wall_s=300.0, memory_mb=2048, memory_kind="data", processes=128)


@dataclass(frozen=True)
class Bench:
    """Where the programs for one problem, in one language, are built and run. Its methods raise ``SandboxDied``."""

    sandbox: Sandbox
    language: Language
    problem: Problem

    @property
    def limits(self) -> StepLimits:
        """A problem's limits, and what the language's runtime takes beside the program."""
        language, own = self.language, self.problem.limits
        limits = StepLimits(
            cpu_s=own.cpu_s + language.cpu_floor_s,
            wall_s=own.wall_s,
            memory_mb=heap_mb(language, own.memory_mb) + language.memory_floor_mb,
            memory_kind=language.memory_kind,
            reserved_mb=language.reserved_mb,
            output_kb=own.output_kb,
        )
        return replace(limits, processes=limits.processes + language.tasks)

    def frame(self, total: int, level: Level) -> Frame:
        """Of a judgement by ``total`` tests."""
        return Frame(self.problem.limits, total, level, program_first=True)

    def build(self, recipe: Recipe, frame: Frame) -> tuple[Step | Judgement, float]:
        """The step that runs what was built, or the judgement where nothing was; CPU seconds."""
        if recipe.build is None:
            return recipe.run, 0.0
        outcome = self.sandbox.execute(recipe.build, BUILD_LIMITS, language=self.language.name)
        if outcome.limit:
            verdict = {"memory": Verdict.MEMORY, "output": Verdict.OUTPUT_LIMIT}.get(outcome.limit, Verdict.TIMEOUT)
            message = f"compiling took more than {BUILD_LIMITS.cpu_s:g} CPU seconds or {BUILD_LIMITS.memory_mb} MiB"
            return frame.alone(verdict, message, outcome.cpu_s), outcome.cpu_s
        if outcome.signal:
            return frame.alone(*_compiler_died(self.language, outcome), outcome.cpu_s), outcome.cpu_s
        if outcome.status:
            return frame.alone(Verdict.COMPILE_ERROR, first_error(outcome.errors), outcome.cpu_s), outcome.cpu_s
        return replace(recipe.run, files={**recipe.run.files, **outcome.files}), outcome.cpu_s

    def execute(
        self, recipe: Recipe, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b""
    ) -> Outcome:
        """Runs what was built; again, more exactly, what seems to have run out of memory."""

        def run(argv: tuple[str, ...]) -> Outcome:
            fitted = replace(step, argv=within(argv, self.language, self.problem.limits.memory_mb))
            return self.sandbox.execute(fitted, limits, stdin, token, self.language.name)

        outcome = run(step.argv)
        text = (outcome.errors + outcome.results).decode(errors="replace")
        if recipe.exact and (outcome.limit == "memory" or self.language.out_of_memory.search(text)):
            again = run(recipe.exact)
            decided = again if again.limit not in ("cpu", "wall") else outcome
            return replace(decided, cpu_s=outcome.cpu_s + again.cpu_s)
        return outcome

    def failure(self, frame: Frame, recipe: Recipe, outcome: Outcome) -> Answer | None:
        """What standard error and the limits say of a run; ``None`` where it ended by itself."""
        errors = outcome.errors.decode(errors="replace")
        died = bool(outcome.signal or outcome.status)
        if outcome.limit:
            return frame.limited(outcome.limit)
        if died and self.language.out_of_memory.search(errors):
            return frame.limited("memory")
        if died and recipe.build is None and self.language.does_not_compile.search(errors):
            return Answer(Verdict.COMPILE_ERROR, first_error(outcome.errors))
        return None


def _compiler_died(language: Language, outcome: Outcome) -> tuple[Verdict, str]:
    """A compiler that crashes on a program (a resident one: a fresh one too) has found it not to compile. One that
    was killed did not end by itself, and the program need not be why."""
    errors = outcome.errors.decode(errors="replace")
    message = f"the compiler died (signal {outcome.signal}): {first_error(outcome.errors)}"
    if outcome.signal == signal.SIGKILL:
        return Verdict.INFRA, message
    return Verdict.MEMORY if language.out_of_memory.search(errors) else Verdict.COMPILE_ERROR, message


def first_error(errors: bytes) -> str:
    """The line for a person of what a compiler printed; javac says which symbol it does not find in another one."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    found = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "no message")
    symbol = next((line for line in lines if line.startswith("symbol:")), "")
    return f"{found}: {symbol}" if symbol and found.endswith("cannot find symbol") else found


def last_line(errors: bytes) -> str:
    """The line for a person of what a program printed before it died."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "rror" in line or "xception" in line), lines[-1] if lines else "ended")
