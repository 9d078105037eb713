"""Rankers that use execution: by hand on six programs, and against their definitions by brute force."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.errors import UserError
from rewardranker.judge.observations import is_value
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.api import rank
from rewardranker.reranking.execution import AlphaCodeRanker, ExecFilterRanker, MajorityRanker, MbrExecRanker
from rewardranker.reranking.generated import CodeTRanker, GeneratedCountRanker
from rewardranker.reranking.protocol import Ranker

PROBLEM = Problem(id="p", language="python", prompt="", entry_point="f", style="program", tests=(), split="test")


def candidate(**fields: object) -> Candidate:
    return Candidate("p", "python", "", "", "gen:test", **fields)  # type: ignore[arg-type]


def returning(*returns: str) -> list[Candidate]:
    """A candidate per text, as ``1 4 9``: ``int 1``, ``int 4``, ``int 9``; ``!`` is an error, ``~`` a timeout."""
    words = {"!": "error ValueError", "~": "timeout"}
    return [candidate(returns=[words.get(word, f"int {word}") for word in text.split()]) for text in returns]


SIX = returning("1 4 9", "1 4 9", "1 4 8", "2 4 8", "1 ! 9", "! ! !")


def test_mbr_hard_on_six_programs() -> None:
    """The first two agree on all probes and with themselves: 2. The third and fourth agree with themselves alone: 1.
    The fifth fails on the second probe, the sixth on all; a failure equals nothing, not even itself: 0."""
    assert MbrExecRanker().score(PROBLEM, SIX) == [2, 2, 1, 1, 0, 0]


def test_mbr_soft_on_six_programs() -> None:
    """Programs with the same value, probe by probe: 1 has 4 programs, 2 has 1; 4 has 4; 9 has 3, 8 has 2.

    first, second: (4 + 4 + 3) / 3 = 11/3; third: (4 + 4 + 2) / 3 = 10/3; fourth: (1 + 4 + 2) / 3 = 7/3;
    fifth: (4 + 0 + 3) / 3 = 7/3; sixth: 0."""
    assert MbrExecRanker(soft=True).score(PROBLEM, SIX) == pytest.approx([11 / 3, 11 / 3, 10 / 3, 7 / 3, 7 / 3, 0])


def test_majority_on_six_programs() -> None:
    """As hard MBR, but an error is a behaviour too: the fifth is a class of its own. The sixth never returned."""
    assert MajorityRanker().score(PROBLEM, SIX) == [2, 2, 1, 1, 1, 0]
    assert MajorityRanker().score(PROBLEM, returning("1 !", "1 !", "1 ~", "! !", "! !", "2 2")) == [2, 2, 1, 0, 0, 1]


def test_majority_prefers_returns_to_signatures() -> None:
    signed = [candidate(signature=s) for s in ("a", "a", "b", "")]
    assert MajorityRanker().score(PROBLEM, signed) == [2, 2, 1, 0]
    signed[2].returns, signed[3].returns = ["int 1"], ["int 1"]
    assert MajorityRanker().score(PROBLEM, signed) == [0, 0, 2, 2]


def test_exec_filter_on_six_programs() -> None:
    assert ExecFilterRanker().score(PROBLEM, SIX) == [1, 1, 1, 1, 0, 0]
    assert ExecFilterRanker().score(PROBLEM, [candidate()]) == [0]


def test_codet_on_six_programs() -> None:
    """Tests were sampled 3, 1, 2 and 1 times. Sets: {0, 1, 2} passed by one program, {0, 2} by three, {3} by one.

    Their tests weigh 3 + 1 + 2 = 6, 3 + 2 = 5, and 1; so sqrt(1) * 6 = 6, sqrt(3) * 5 = 8.660254, sqrt(1) * 1 = 1,
    and 0 for the program that passes none. Agreement beats the number of tests, which prefers the first program.
    Without counts: sqrt(1) * 3 = 3, sqrt(3) * 2 = 3.464102, 1, 0."""
    pool = [candidate(passed_generated=tests) for tests in ([0, 1, 2], [0, 2], [2, 0], [0, 2], [3], [])]
    counts = {"p": (3, 1, 2, 1)}
    big = 8.660254
    assert CodeTRanker(counts).score(PROBLEM, pool) == pytest.approx([6, big, big, big, 1, 0])
    assert rank(PROBLEM, pool, CodeTRanker(counts)) == [1, 2, 3, 0, 4, 5]
    assert CodeTRanker().score(PROBLEM, pool) == pytest.approx([3, 3.464102, 3.464102, 3.464102, 1, 0])
    assert GeneratedCountRanker().score(PROBLEM, pool) == [3, 2, 2, 2, 1, 0]
    assert GeneratedCountRanker(counts).score(PROBLEM, pool) == [6, 5, 5, 5, 1, 0]


def test_counts_of_other_tests_are_refused() -> None:
    pool = [candidate(passed_generated=[0, 4])]
    rankers: list[Ranker] = [CodeTRanker({"p": (1, 1)}), GeneratedCountRanker({"p": (1, 1)})]
    for ranker in rankers:
        with pytest.raises(UserError, match=r"problem p: a candidate passed generated test 4, .* for 2 tests"):
            ranker.score(PROBLEM, pool)


def test_alphacode_on_six_programs() -> None:
    """The second fails an example: never submitted. Of the rest, first and third act alike, so do fourth and fifth,
    and the sixth alone. One of each cluster is submitted: first (2 alike) or fourth (2 alike), tied, then the sixth
    (1). Then the second of each cluster: a round costs N + 1 = 7, 2 - 7 = -5."""
    pool = returning("1 1", "1 1", "1 1", "! 2", "! 2", "3 3")
    for one, passed in zip(pool, (True, False, True, None, True, True), strict=True):
        one.passed_examples = passed
    assert AlphaCodeRanker().score(PROBLEM, pool) == [2, -math.inf, -5, 2, -5, 1]
    assert rank(PROBLEM, pool, AlphaCodeRanker()) == [0, 3, 5, 2, 4, 1]


def test_where_nothing_is_known_all_are_tied() -> None:
    """An unprobed pool, a pool in which all fail, and no candidates: no ranker invents an order."""
    rankers: list[Ranker] = [
        MbrExecRanker(),
        MbrExecRanker(True),
        MajorityRanker(),
        CodeTRanker(),
        ExecFilterRanker(),
    ]
    for ranker in [*rankers, GeneratedCountRanker()]:
        assert ranker.score(PROBLEM, [candidate(), candidate()]) == [0, 0]
        assert ranker.score(PROBLEM, returning("! ~", "! ~", "! !")) == [0, 0, 0]
        assert ranker.score(PROBLEM, []) == []
    assert AlphaCodeRanker().score(PROBLEM, [candidate(passed_examples=False)] * 2) == [-math.inf] * 2


words = st.sampled_from(["int 1", "int 2", "error E", "timeout"])
returns = st.integers(0, 4).flatmap(
    lambda t: st.lists(st.lists(words, min_size=t, max_size=t), min_size=1, max_size=7)
)


def agree(a: str, b: str) -> bool:
    return is_value(a) and is_value(b) and a == b


@given(returns)
def test_mbr_is_its_definition(pool: Sequence[list[str]]) -> None:
    """Shi et al. 2022: the least sum of losses over all programs; hard loss max, soft loss mean, over the inputs."""
    candidates = [candidate(returns=list(one)) for one in pool]
    t = len(pool[0])
    for i, (hard, soft) in enumerate(
        zip(MbrExecRanker().score(PROBLEM, candidates), MbrExecRanker(True).score(PROBLEM, candidates), strict=True)
    ):
        losses = [[not agree(a, b) for a, b in zip(pool[i], other, strict=True)] for other in pool]
        assert hard == sum(1 - max(loss) for loss in losses if loss)
        assert soft == pytest.approx(sum(1 - sum(loss) / t for loss in losses if loss))


@given(
    st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=7), st.lists(st.integers(1, 4), min_size=4, max_size=4)
)
def test_codet_is_its_definition(passed: list[set[int]], counts: list[int]) -> None:
    """Both sides written out as often as they were sampled, as the authors' code does: a program's tests are a list
    with repeats; the programs with that very list are its consensus set."""
    expanded = [[(test, copy) for test in sorted(one) for copy in range(counts[test])] for one in passed]
    wanted = [math.sqrt(expanded.count(one)) * len(one) for one in expanded]
    found = CodeTRanker({"p": counts}).score(PROBLEM, [candidate(passed_generated=sorted(one)) for one in passed])
    assert found == pytest.approx(wanted)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), min_size=1, max_size=9))
def test_alphacode_submits_in_rounds(pool: list[tuple[str, bool]]) -> None:
    """The order in which candidates go, simulated: in each round one of every cluster left, the largest first."""
    candidates = [candidate(returns=[f"str {name!r}"], passed_examples=ok) for name, ok in pool]
    clusters = {name: [i for i, one in enumerate(pool) if one == (name, True)] for name, _ in pool}
    groups = sorted((c for c in clusters.values() if c), key=lambda c: (-len(c), c[0]))
    order: list[int] = []
    for place in range(len(pool)):
        order += [cluster[place] for cluster in groups if place < len(cluster)]
    scores = AlphaCodeRanker().score(PROBLEM, candidates)
    found = [scores[i] for i in order]
    assert found == sorted(found, reverse=True) and all(score > -math.inf for score in found)
    assert sorted(order) == [i for i, score in enumerate(scores) if score > -math.inf]
    sizes = [len(clusters[pool[i][0]]) for i in order[: len(groups)]]
    assert found[: len(groups)] == sizes
