"""From the answers to a program's tests to the judgement on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rewardranker.judge.child import wire
from rewardranker.judge.languages.language import Level
from rewardranker.judge.sandbox.step import Outcome
from rewardranker.judge.transcript import Protocol, Tampered, Transcript, read_transcript
from rewardranker.problems.types import Limits
from rewardranker.problems.verdict import LETTERS, NOT_RUN, Judgement, Verdict

_LIMITS = {
    "cpu": (Verdict.TIMEOUT, "more than {cpu_s:g} CPU seconds"),
    "wall": (Verdict.TIMEOUT, "more than {wall_s:g} seconds by the clock"),
    "output": (Verdict.OUTPUT_LIMIT, "more than {output_kb} KiB of output"),
    "memory": (Verdict.MEMORY, "more than {memory_mb} MiB of memory"),
}
_NOT_STARTED = (126, 127)  # what a shell says of a command that cannot be run, or is not there
_WHOLE = (Verdict.COMPILE_ERROR, Verdict.INFRA, Verdict.TAMPERED)


@dataclass(frozen=True)
class Answer:
    """What one test came to, and what the program did there, for the signature."""

    verdict: Verdict
    message: str = ""
    behaviour: str = ""

    def ends_all(self, all_tests: bool) -> bool:
        """Whether the tests after this one need not be run, or cannot be: ``all_tests`` asks for those after a
        failing one, for the share that passes."""
        return self.verdict in (Verdict.COMPILE_ERROR, Verdict.INFRA) or not (all_tests or self.verdict is Verdict.OK)


#: What the line ``(kind, rest)`` of the test with an index means.
ToAnswer = Callable[[int, str, list[Any]], Answer]


@dataclass(frozen=True)
class Frame:
    """What a judgement needs beside the answers: the problem's limits, how many tests it has, the level.

    ``program_first``: whether the program can end its process before our code has said that it begun.
    """

    limits: Limits
    total: int
    level: Level
    program_first: bool = False

    def limited(self, limit: str) -> Answer:
        """The answer of a test at which a limit was hit."""
        verdict, message = _LIMITS[limit]
        return Answer(verdict, message.format(**vars(self.limits)), f"limit {verdict}")

    def alone(self, verdict: Verdict, message: str, cpu_s: float) -> Judgement:
        """A judgement that no single test explains; such a program has no behaviour to compare."""
        return Judgement(verdict, 0, self.total, cpu_s, _one_line(message), "", self.level)

    def sum_up(self, answers: Sequence[Answer], cpu_s: float, calls: str = "") -> Judgement:
        """The first failing test decides; tests without an answer have not passed.

        Args:
            calls: what is known of the program's behaviour beside the answers.
        """
        passed = sum(answer.verdict is Verdict.OK for answer in answers)
        failing = ((i, answer) for i, answer in enumerate(answers, 1) if answer.verdict is not Verdict.OK)
        number, first = next(failing, (0, answers[0]))
        if first.verdict in _WHOLE:
            return self.alone(first.verdict, first.message, cpu_s)
        message = f"test {number}: {first.message}" if number else ""
        behaviours = [calls] + [answer.behaviour for answer in answers]
        text = "\n".join(behaviours)
        signature = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32] if text.strip() else ""
        outcomes = "".join(LETTERS.get(answer.verdict, NOT_RUN) for answer in answers).ljust(self.total, NOT_RUN)
        line = _one_line(message)
        return Judgement(first.verdict, passed, self.total, cpu_s, line, signature, self.level, outcomes=outcomes)


def judgement_of_stream(
    frame: Frame,
    protocol: Protocol,
    outcome: Outcome,
    nonce: str,
    answer: ToAnswer,
    token: str = "",
) -> Judgement:
    """The judgement on a program that answered all tests from one process.

    Args:
        answer: what the line ``(kind, rest)`` of the test with that index means; may raise ``WireError``.
        token: what the end of ``checks`` has to repeat; it was not to be read before the last check.
    """
    try:
        transcript = read_transcript(outcome, nonce, frame.total, protocol)
        with wire.reading():
            answers = [answer(index, kind, rest) for index, (kind, rest) in enumerate(transcript.answers)]
        if protocol == "checks" and transcript.ending and transcript.detail != token:
            raise Tampered("another completion token than this run's")
    except (Tampered, wire.WireError) as error:
        return frame.alone(Verdict.TAMPERED, f"the result stream holds {error}", outcome.cpu_s)
    if transcript.opening == "compile":
        return frame.alone(Verdict.COMPILE_ERROR, ": ".join(transcript.opening_rest), outcome.cpu_s)
    if transcript.ending in ("tampered", "unsupported"):
        verdict = Verdict.TAMPERED if transcript.ending == "tampered" else Verdict.INFRA
        return frame.alone(verdict, transcript.detail, outcome.cpu_s)
    rest_of_them = _unanswered(frame, protocol, outcome, transcript)
    if rest_of_them.verdict is Verdict.INFRA and len(answers) < frame.total:
        return frame.alone(Verdict.INFRA, rest_of_them.message, outcome.cpu_s)
    answers += [rest_of_them] * (frame.total - len(answers))
    if outcome.limit and all(one.verdict is Verdict.OK for one in answers):
        answers[-1] = frame.limited(outcome.limit)  # all answered, but with a fraction of a second too many
    if protocol == "checks" and not _ended_well(outcome, transcript) and answers[-1].verdict is Verdict.OK:
        answers[-1] = Answer(Verdict.RUNTIME_ERROR, f"the process did not end as it should{how_ended(outcome)}")
    told = protocol == "tester" and not outcome.limit  # else it is chance whether the tester came to say it
    return frame.sum_up(answers, outcome.cpu_s, transcript.detail if told else "")


def _ended_well(outcome: Outcome, transcript: Transcript) -> bool:
    return bool(transcript.ending) and not outcome.status and not outcome.signal


def _unanswered(frame: Frame, protocol: Protocol, outcome: Outcome, transcript: Transcript) -> Answer:
    """What holds for every test that has no answer."""
    if transcript.opening == "load":
        return error_answer(*transcript.opening_rest)
    if outcome.limit:
        return frame.limited(outcome.limit)
    if transcript.ending == "output":
        return Answer(Verdict.OUTPUT_LIMIT, transcript.detail, "limit output")
    started = transcript.begun or (frame.program_first and outcome.status not in _NOT_STARTED)
    if not started or (protocol == "tester" and not transcript.ending):
        return Answer(Verdict.INFRA, "the judge's own process ended early")
    how = (
        "" if protocol in ("tester", "probes") else how_ended(outcome)
    )  # of a tester, it says nothing of the program
    return Answer(Verdict.RUNTIME_ERROR, f"the process ended before it answered{how}", "error ended")


def error_answer(name: str, message: str) -> Answer:
    """The program raised ``name`` at a test, or when it was loaded."""
    verdict = Verdict.MEMORY if name == "MemoryError" else Verdict.RUNTIME_ERROR
    return Answer(verdict, f"{name}: {message}", f"error {name}")


def check_answer(kind: str, rest: list[Any]) -> Answer:
    """One line of a tester or of trusted checks."""
    if kind == "pass":
        return Answer(Verdict.OK)
    if kind == "error":
        return error_answer(*rest)
    return Answer(Verdict.WRONG, f"wrong: {rest[0]}")  # no behaviour: it comes of an expected value


def how_ended(outcome: Outcome) -> str:
    """For messages: the signal or exit status of a process, where it was not a plain 0."""
    if outcome.signal:
        return f" (signal {outcome.signal})"
    return f" (exit status {outcome.status})" if outcome.status else ""


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
