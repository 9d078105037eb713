"""Nothing that a program is, and nothing that its process sends, makes the judge raise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from attacks.tasks import QUICK, problem, right
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import need

from rewardranker.judge import Judge
from rewardranker.judge.child import wire
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.observations import is_value
from rewardranker.judge.sandbox import Outcome
from rewardranker.judge.strict.dispatch import judge_once
from rewardranker.judge.strict.recordings import Recording, Recordings
from rewardranker.judge.transcript import Protocol, Tampered, Transcript, read_transcript
from rewardranker.problems.types import Test
from rewardranker.problems.verdict import NEVER_LABELS, Judgement, Verdict

NONCE = "0123456789abcdef"
#: Examples per language: as many as its programs are cheap.
EXAMPLES = {"python": 100, "bash": 25, "php": 25, "javascript": 12}
TASK = replace(QUICK, cpu_s=1.0, wall_s=4.0)
characters = st.characters(exclude_categories=())  # halves of characters too: a model may write them
texts = st.text(characters, max_size=200)


@st.composite
def damaged(draw: st.DrawFn, code: str) -> str:
    """A right program with some of it replaced by something else."""
    start = draw(st.integers(0, len(code)))
    stop = draw(st.integers(start, min(len(code), start + 30)))
    return code[:start] + draw(st.text(characters, max_size=20)) + code[stop:]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_any_text_is_judged(judge: Judge, language: str) -> None:
    need(language)
    task = problem(language, limits=TASK)

    @settings(max_examples=EXAMPLES.get(language, 6), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(texts | damaged(right(language)), min_size=1, max_size=4))
    def check(codes: list[str]) -> None:
        results = judge.run([(task, code) for code in codes])
        assert all(type(result) is Judgement for result in results)
        assert Verdict.INFRA not in {result.verdict for result in results}, results

    check()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_half_a_character_is_judged(judge: Judge, language: str) -> None:
    """JSON can hold one, UTF-8 cannot."""
    need(language)
    judgement = judge.run([(problem(language), right(language) + "\ud800")])[0]
    assert judgement.verdict not in NEVER_LABELS, judgement


words = st.sampled_from(
    [
        "begun",
        "ready",
        "compile",
        "load",
        "value",
        "opaque",
        "error",
        "pass",
        "wrong",
        "done",
        "gone",
        "output",
        "",
        NONCE,
    ]
)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(characters, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.sampled_from(["int", "float", "dict"]), inner)
    ),
    max_leaves=6,
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Lines that are nearly right: the nonce, the number, a known word; now and then something else."""
    lines = []
    for number in range(draw(st.integers(0, 7))):
        kind = draw(words)
        line: Any = [NONCE, number, kind, *draw(st.lists(data, max_size=2))]
        line = draw(st.just(line) | data) if draw(st.integers(0, 9)) == 0 else line
        lines.append(json.dumps(line).encode(errors="surrogatepass") + b"\n")
    start = [json.dumps([NONCE, 0, "begun"]).encode() + b"\n"] if draw(st.booleans()) else lines[:1]
    return b"".join([*start, *lines[1:]]) + draw(st.binary(max_size=3) if draw(st.booleans()) else st.just(b""))


@given(
    st.binary(max_size=300) | streams(),
    st.sampled_from(get_args(Protocol)),
    st.integers(0, 4),
    st.sampled_from(["", "cpu", "wall", "output", "memory"]),
    st.sampled_from([0, 9, 11]),
)
@settings(max_examples=500, deadline=None)
def test_any_stream_is_a_transcript_or_tampering(
    results: bytes, protocol: Protocol, total: int, limit: str, signal: int
) -> None:
    try:
        transcript = read_transcript(Outcome(results=results, limit=limit, signal=signal), NONCE, total, protocol)
    except Tampered:
        return
    assert type(transcript) is Transcript and len(transcript.answers) <= total


class Pretender:
    """Stands for a sandbox: whatever it is asked to run, it says the same."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def execute(self, *_: object, **__: object) -> Outcome:
        return self._outcome

    run = execute


class Known(Recordings):
    """Recordings that are there already, so that a pretender need not make them."""

    def of(self, *_: object) -> Recording:
        return Recording(([0, 1], [2, 3]), (1, 5))


outcomes = st.builds(
    Outcome,
    results=st.binary(max_size=200) | streams(),
    output=st.binary(max_size=60),
    errors=st.binary(max_size=60) | st.sampled_from([b"SyntaxError: x", b"out of memory", b"std::bad_alloc"]),
    limit=st.sampled_from(["", "", "", "cpu", "wall", "output", "memory"]),
    cpu_s=st.floats(0, 100),
    signal=st.sampled_from([0, 0, 0, 9, 11]),
    status=st.sampled_from([0, 0, 0, 1, 127]),
)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@given(outcome=outcomes, task=st.sampled_from(["add", "stdio"]))
@settings(max_examples=200, deadline=None)
def test_any_outcome_of_a_process_is_judged(language: str, outcome: Outcome, task: Any) -> None:
    """The nonce is the run's own, so no line that is sent here can be right."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda count: NONCE)
        judgement, _ = judge_once(Pretender(outcome), Known(), problem(language, task), right(language))  # type: ignore[arg-type]
    assert type(judgement) is Judgement
    assert judgement.tests_passed <= judgement.tests_total
    assert len(judgement.message) <= 300 and "\n" not in judgement.message
    if judgement.verdict is Verdict.OK:
        assert judgement.tests_passed == judgement.tests_total > 0


@given(outcome=outcomes, total=st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_any_outcome_of_a_process_that_is_probed_is_judged(outcome: Outcome, total: int) -> None:
    """Whatever the processes say, all expressions get a word, or none does and the fault is ours."""
    task = replace(problem("python", "add"), style="probe", entry_point="f", tests=(Test("f(1)"),) * total)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda count: NONCE)
        judgement, _ = judge_once(Pretender(outcome), Known(), task, "")  # type: ignore[arg-type]
    assert len(judgement.returns) == (0 if judgement.verdict is Verdict.INFRA else total)
    assert judgement.tests_passed == sum(map(is_value, judgement.returns))


def sealed(lines: list[Any]) -> bytes:
    """What a tester would have sent, under a key of zeros."""
    plain = [json.dumps([NONCE, number, *line]).encode() for number, line in enumerate(lines)]
    return b"".join(wire.sealed(line, bytes(16), number).hex().encode() + b"\n" for number, line in enumerate(plain))


@given(
    st.lists(st.sampled_from([["seen", "int 1"], ["seen", "error E"]]), max_size=3),
    st.sampled_from([[], [["gone", ""]], [["output", ""]], [["unsupported", ""]], [["tampered", ""]]]),
    st.sampled_from(["", "cpu", "wall", "output", "memory"]),
    st.integers(1, 12),
)
@settings(max_examples=300, deadline=None)
def test_probing_always_comes_to_an_end(answers: list[Any], ending: list[Any], limit: str, total: int) -> None:
    """Processes that stop after the same number of answers, again and again, in whatever way."""
    outcome = Outcome(results=sealed([["begun"], ["ready"], *answers, *ending]), limit=limit)
    task = replace(problem("python", "add"), style="probe", entry_point="f", tests=(Test("f(1)"),) * total)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda count: NONCE)
        patch.setattr("secrets.token_bytes", bytes)
        judgement, _ = judge_once(Pretender(outcome), Known(), task, "")  # type: ignore[arg-type]
    assert len(judgement.returns) == (0 if judgement.verdict is Verdict.INFRA else total)
    if judgement.verdict not in (Verdict.INFRA, Verdict.TAMPERED):
        assert judgement.returns[: len(answers)] == tuple(word for _, word in answers)
