"""A recipe's steps: the build, the limits of a run, the run itself, and what their errors say in one line."""

from __future__ import annotations

import signal
from dataclasses import replace

from rewardranker.judge.languages.language import Language, Recipe, heap_mb, within
from rewardranker.judge.sandbox import Outcome, Sandbox, Step, StepLimits
from rewardranker.judge.strict.answers import Frame
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

BUILD_LIMITS = StepLimits(cpu_s=60.0, wall_s=300.0, memory_mb=2048, memory_kind="data", processes=128)


def build(sandbox: Sandbox, language: Language, recipe: Recipe, frame: Frame) -> tuple[Step | Judgement, float]:
    """The step that runs what was built, or the judgement where nothing was; CPU seconds."""
    if recipe.build is None:
        return recipe.run, 0.0
    outcome = sandbox.execute(recipe.build, BUILD_LIMITS, language=language.name)
    if outcome.limit:
        verdict = {"memory": Verdict.MEMORY, "output": Verdict.OUTPUT_LIMIT}.get(outcome.limit, Verdict.TIMEOUT)
        message = f"compiling took more than {BUILD_LIMITS.cpu_s:g} CPU seconds or {BUILD_LIMITS.memory_mb} MiB"
        return frame.alone(verdict, message, outcome.cpu_s), outcome.cpu_s
    if outcome.signal:
        return frame.alone(*_compiler_died(language, outcome), outcome.cpu_s), outcome.cpu_s
    if outcome.status:
        return frame.alone(Verdict.COMPILE_ERROR, first_error(outcome.errors), outcome.cpu_s), outcome.cpu_s
    return replace(recipe.run, files={**recipe.run.files, **outcome.files}), outcome.cpu_s


def _compiler_died(language: Language, outcome: Outcome) -> tuple[Verdict, str]:
    """A compiler that crashes on a program (a resident one: a fresh one too) has found it not to compile. One that
    was killed did not end by itself, and the program need not be why."""
    errors = outcome.errors.decode(errors="replace")
    message = f"the compiler died (signal {outcome.signal}): {first_error(outcome.errors)}"
    if outcome.signal == signal.SIGKILL:
        return Verdict.INFRA, message
    return Verdict.MEMORY if language.out_of_memory.search(errors) else Verdict.COMPILE_ERROR, message


def run_limits(language: Language, problem: Problem) -> StepLimits:
    """A problem's limits, and what the language's runtime takes beside the program."""
    limits = StepLimits(
        cpu_s=problem.limits.cpu_s + language.cpu_floor_s,
        wall_s=problem.limits.wall_s,
        memory_mb=heap_mb(language, problem.limits.memory_mb) + language.memory_floor_mb,
        memory_kind=language.memory_kind,
        reserved_mb=language.reserved_mb,
        output_kb=problem.limits.output_kb,
    )
    return replace(limits, processes=limits.processes + language.tasks)


def execute(
    sandbox: Sandbox,
    language: Language,
    problem: Problem,
    recipe: Recipe,
    step: Step,
    limits: StepLimits,
    stdin: bytes = b"",
    token: bytes = b"",
) -> Outcome:
    """Runs what was built; again, more exactly, what seems to have run out of memory. Raises ``SandboxDied``."""

    def run(argv: tuple[str, ...]) -> Outcome:
        fitted = replace(step, argv=within(argv, language, problem.limits.memory_mb))
        return sandbox.execute(fitted, limits, stdin, token, language.name)

    outcome = run(step.argv)
    text = (outcome.errors + outcome.results).decode(errors="replace")
    if recipe.exact and (outcome.limit == "memory" or language.out_of_memory.search(text)):
        again = run(recipe.exact)
        decided = again if again.limit not in ("cpu", "wall") else outcome
        return replace(decided, cpu_s=outcome.cpu_s + again.cpu_s)
    return outcome


def first_error(errors: bytes) -> str:
    """The line for a person of what a compiler printed."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "no message")


def last_line(errors: bytes) -> str:
    """The line for a person of what a program printed before it died."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "rror" in line or "xception" in line), lines[-1] if lines else "ended")
