"""Style ``probe``: what a Python program returns for expressions, each within a limit of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rewardranker.judge.child.probing import one_word
from rewardranker.judge.observations import TAMPERED, verdict_of
from rewardranker.judge.sandbox import Sandbox
from rewardranker.judge.strict.answers import Answer, Frame
from rewardranker.judge.strict.jobs import job_of, run_probes
from rewardranker.judge.transcript import Tampered, Transcript, read_transcript
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

MAX_LOST = 3
_LIMITS = {"cpu": "timeout", "wall": "timeout", "memory": "memory", "output": "output"}
_ENDINGS = {"gone": "ended", "output": "output"}


@dataclass(frozen=True)
class _Run:
    """What one process came to: answers in order, then the word for the expression at which it stopped, if it did.

    ``whole`` explains all expressions at once, and ``by_limit`` says that those before may have had a part in it.
    """

    seen: list[str]
    stopped: str = ""
    by_limit: bool = False
    whole: Judgement | None = None
    cpu_s: float = 0.0
    by_clock: bool = False


def judge_probes(sandbox: Sandbox, problem: Problem, code: str) -> tuple[Judgement, bool]:
    """The judgement, with ``returns``, and whether the clock had a part in it. Raises ``SandboxDied``.

    The problem's limits hold for every process. One that hits a limit, or ends, is followed by another for what is
    left, so that one endless loop does not hide what the program returns elsewhere; an expression is given the word
    of a limit only when it is the first in its process. After :data:`MAX_LOST` of these, what is left is put down as
    the last one was.
    """
    frame = Frame(problem.limits, len(problem.tests), "L2")
    expressions = [test.input for test in problem.tests]
    seen: list[str] = []
    cpu_s, lost, by_clock = 0.0, 0, False
    while len(seen) < frame.total:
        run = _one_process(sandbox, problem, code, expressions[len(seen) :], frame)
        cpu_s, by_clock = cpu_s + run.cpu_s, by_clock or run.by_clock
        if run.whole is not None:
            return replace(run.whole, cpu_s=cpu_s), by_clock
        seen += run.seen
        if not run.stopped or (run.by_limit and run.seen):
            continue
        lost += run.by_limit
        seen += [run.stopped] * (1 if lost < MAX_LOST else frame.total - len(seen))
    return _summed(frame, seen, cpu_s), by_clock


def _summed(frame: Frame, seen: Sequence[str], cpu_s: float) -> Judgement:
    answers = [Answer(verdict_of(word), word, word) for word in seen]
    return replace(frame.sum_up(answers, cpu_s), returns=tuple(seen))


def _one_process(sandbox: Sandbox, problem: Problem, code: str, expressions: Sequence[str], frame: Frame) -> _Run:
    job = job_of(problem, code) | {"style": "program", "names": [problem.entry_point]}
    outcome = run_probes(sandbox, job, expressions)
    try:
        transcript = read_transcript(outcome, job["nonce"], len(expressions), "probes")
    except Tampered as error:
        return _Run([], whole=_tampered(frame, str(error)), cpu_s=outcome.cpu_s)
    whole = _whole(frame, transcript, outcome.limit)
    if whole is not None:
        return _Run([], whole=whole, cpu_s=outcome.cpu_s)
    seen = [text for _, (text,) in transcript.answers]
    if len(seen) == len(expressions):
        return _Run(seen, cpu_s=outcome.cpu_s)
    stopped = _LIMITS[outcome.limit] if outcome.limit else _ENDINGS[transcript.ending]
    return _Run(seen, stopped, bool(outcome.limit), None, outcome.cpu_s, outcome.limit == "wall")


def _whole(frame: Frame, transcript: Transcript, limit: str) -> Judgement | None:
    """What explains every expression at once: a program that does not load, a stream that is not ours, our fault."""
    if transcript.opening in ("compile", "load"):
        name, message = transcript.opening_rest
        words = [f"error {one_word(name)}"] * frame.total
        if transcript.opening == "load":
            return _summed(frame, words, 0.0)
        return replace(frame.alone(Verdict.COMPILE_ERROR, f"{name}: {message}", 0.0), returns=tuple(words))
    if transcript.ending == "tampered":
        return _tampered(frame, transcript.detail)
    if transcript.ending == "unsupported" or not (transcript.ending or limit):
        return frame.alone(Verdict.INFRA, transcript.detail or "the judge's own process ended early", 0.0)
    return None


def _tampered(frame: Frame, what: str) -> Judgement:
    alone = frame.alone(Verdict.TAMPERED, f"the result stream holds {what}", 0.0)
    return replace(alone, returns=(TAMPERED,) * frame.total)
