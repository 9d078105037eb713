"""How a harness decides about a program of one language, as data, and the steps that follow it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rewardranker.judge.sandbox import Outcome, Sandbox, Step, StepLimits
from rewardranker.linear import lexer
from rewardranker.problems.verdict import Judgement, Verdict

#: From Debian's libjavatuples-java; both harnesses carry the same version.
JAVATUPLES = "/usr/share/java/javatuples.jar"
# Neither harness limits CPU time, memory or processes; these only keep the machine alive.
_ROOMY = StepLimits(cpu_s=0.0, wall_s=0.0, memory_mb=4096, memory_kind="data", processes=512, keep_output=True)
_CORES = 8
_ASSERTION = lexer(r"Assertion|ERR_ASSERTION|Test failed!|DefaultTraceListener\.Fail")
_TELLING = lexer(r"[Ee]rror|[Ee]xception|Assert|[Ff]ail")


@dataclass(frozen=True)
class Finding:
    """``final``: the harness's own process ends here: no further attempt, and an earlier failure stands."""

    verdict: Verdict
    message: str = ""
    final: bool = False


@dataclass(frozen=True)
class Command:
    """A command with its limit by the clock.

    Attributes:
        too_slow: what the harness makes of reaching the limit.
        inner_s: a limit that the command itself keeps; stands where ``argv`` has ``{inner_s}``.
    """

    argv: tuple[str, ...]
    wall_s: float
    too_slow: Finding = Finding(Verdict.TIMEOUT)
    inner_s: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """A run, and the compilation before it, which leaves the files ``collect``."""

    run: Command
    compile: Command | None = None
    collect: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One language in one harness.

    Attributes:
        file: the program's name.
        attempts: tried until one passes; the last that came to an end decides.
        decide: what the harness makes of a run that ended within its limits.
        total_s: seconds by the clock for everything, after which the harness kills what is left.
        output_kb: a program that prints more is not done within its limit, for the harness reads no faster.
        files: beside the program.
        needs: host files without which the rule cannot be followed.
        environment: of compiler and program.
    """

    file: str
    attempts: tuple[Attempt, ...]
    decide: Callable[[Outcome], Finding]
    total_s: float = math.inf
    output_kb: int = 0
    files: tuple[tuple[str, bytes], ...] = ()
    needs: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def judge_by(sandbox: Sandbox, rule: Rule, program: str, patience: float) -> Judgement:
    """Follows a rule, with its limits by the clock times ``patience``. Raises ``SandboxDied``."""
    case = _Case(sandbox, rule, program, patience)
    standing: Finding | None = None
    for attempt in rule.attempts:
        finding = case.attempt(attempt)
        if standing is None or not finding.final:
            standing = finding
        if finding.final or finding.verdict is Verdict.OK:
            break
    assert standing is not None
    return Judgement(standing.verdict, int(standing.verdict is Verdict.OK), 1, case.cpu_s, standing.message[:300])


def exit_zero(outcome: Outcome) -> Finding:
    """The rule of most languages: exit status 0 passes."""
    return passed_if(ended_well(outcome), outcome)


def passed_if(passed: bool, outcome: Outcome) -> Finding:
    """OK, or a failure told apart by what it left: a failed assertion (or no word at all) is WRONG."""
    if passed:
        return Finding(Verdict.OK)
    errors, output = text_of(outcome.errors), text_of(outcome.output)
    silent = not errors.strip() and not outcome.signal
    wrong = silent or _ASSERTION.search(errors) or _ASSERTION.search(output)
    ended = f"signal {outcome.signal}" if outcome.signal else f"exit status {outcome.status}"
    message = f"{ended}: {telling_line(errors or output)}".removesuffix(": ")
    return Finding(Verdict.WRONG if wrong else Verdict.RUNTIME_ERROR, message)


def ended_well(outcome: Outcome) -> bool:
    return outcome.status == 0 and outcome.signal == 0


def text_of(stream: bytes) -> str:
    return stream.decode(errors="ignore")


def telling_line(text: str) -> str:
    """The first line that names an error, else the first one; at most 200 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if _TELLING.search(line)), lines[0] if lines else "")[:200]


class _Case:
    """One program on its way through a rule."""

    def __init__(self, sandbox: Sandbox, rule: Rule, program: str, patience: float) -> None:
        self._sandbox, self._rule, self._patience = sandbox, rule, patience
        self._files = {rule.file: program.encode(errors="replace"), **dict(rule.files)}
        self._end = time.monotonic() + rule.total_s * patience
        self.cpu_s = 0.0

    def attempt(self, attempt: Attempt) -> Finding:
        files = self._files
        if attempt.compile is not None:
            finding, outcome = self._execute("the compiler", attempt.compile, files, attempt.collect)
            if finding is None and not ended_well(outcome):
                words = telling_line(text_of(outcome.errors) + "\n" + text_of(outcome.output))
                finding = Finding(Verdict.COMPILE_ERROR, words or "the compiler failed")
            if finding is not None:
                return finding
            files = files | outcome.files
        finding, outcome = self._execute("the program", attempt.run, files)
        return finding or self._rule.decide(outcome)

    def _execute(
        self, what: str, command: Command, files: dict[str, bytes], collect: tuple[str, ...] = ()
    ) -> tuple[Finding | None, Outcome]:
        """What a limit says of the command, if it reached one, and how it ended."""
        left_s, own_s = self._end - time.monotonic(), command.wall_s * self._patience
        wall_s, slow = own_s, replace(command.too_slow, message=f"{what} took more than {own_s:g} s by the clock")
        if left_s < own_s:
            total_s = self._rule.total_s * self._patience
            wall_s, slow = (
                left_s,
                Finding(Verdict.TIMEOUT, f"{what} was not done after {total_s:g} s in all", final=True),
            )
        if wall_s <= 0:
            return slow, Outcome()
        limits = replace(_ROOMY, wall_s=wall_s, cpu_s=wall_s * _CORES)
        if self._rule.output_kb:
            limits = replace(limits, output_kb=self._rule.output_kb)
        argv = tuple(word.replace("{inner_s}", f"{command.inner_s * self._patience:g}") for word in command.argv)
        step = Step(argv, files, collect, environment=dict(self._rule.environment))
        outcome = self._sandbox.execute(step, limits)
        self.cpu_s += outcome.cpu_s
        return self._limited(what, outcome, command, slow, limits), outcome

    def _limited(
        self, what: str, outcome: Outcome, command: Command, slow: Finding, limits: StepLimits
    ) -> Finding | None:
        match outcome.limit:
            case "wall" | "cpu":
                return slow
            case "memory":
                return Finding(Verdict.MEMORY, f"{what} took more than {limits.memory_mb} MiB")
            case "output" if self._rule.output_kb:
                message = f"{what} printed more than the {limits.output_kb} KiB that the harness reads in that time"
                return replace(command.too_slow, message=message)
            case "output":
                return Finding(Verdict.OUTPUT_LIMIT, f"{what} printed more than {limits.output_kb} KiB")
        return None
