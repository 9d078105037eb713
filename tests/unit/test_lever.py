"""LEVER: its three selectors, what counts as an equal result, and what its verifier reads."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from rewardranker.judge.observations import NO_VALUE
from rewardranker.models.tiny import build_tokenizer
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.api import rank
from rewardranker.reranking.lever import LeverRanker, execution_groups, generator_logprobs
from rewardranker.reranking.lever_text import VALUE_CHARS, verifier_sequence, verifier_text
from rewardranker.reranking.numbers import stored

PROBLEM = Problem(
    id="p", language="python", prompt="def f(x):\n", entry_point="f", style="program", tests=(), split="test"
)


def candidate(code: str, probability: float = 0.5, **fields: object) -> Candidate:
    logit = math.log(probability / (1 - probability))
    return Candidate("p", "python", "", code, "gen:test", scores={"verifier": logit}, **fields)  # type: ignore[arg-type]


def six() -> list[Candidate]:
    """Six programs in 20 samples, each with the verifier's probability and what it returned on two inputs."""
    rows = [
        ("a", 4, 0.95, ["int 1", "int 2"]),
        ("b", 5, 0.48, ["int 1", "int 3"]),
        ("c", 2, 0.90, ["int 1", "int 3"]),
        ("d", 3, 0.60, ["int 0", "int 0"]),
        ("e", 3, 0.55, ["int 0", "int 0"]),
        ("f", 3, 0.50, ["int 1", "error ValueError"]),
    ]
    return [candidate(code, p, returns=returns) for code, count, p, returns in rows for _ in range(count)]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("argmax", {"a": 0.19, "b": 0.12, "c": 0.09, "d": 0.09, "e": 0.0825, "f": 0.075}),
        ("summing", {"a": 0.19, "b": 0.21, "c": 0.0, "d": 0.1725, "e": 0.0, "f": 0.075}),
        ("voting", {"a": 0.2, "b": 0.1, "c": 0.0, "d": 0.3, "e": 0.0, "f": 0.15}),
    ],
)
def test_three_selectors_make_three_choices(selector: str, expected: dict[str, float]) -> None:
    """By hand, with q the share of the 20 samples and p the verifier's probability:

        program     q     p      q p     group
        a         .20   .95    .1900     1
        b         .25   .48    .1200     2
        c         .10   .90    .0900     2
        d         .15   .60    .0900     3
        e         .15   .55    .0825     3
        f         .15   .50    .0750     4 (an error: alone)

    argmax takes the largest q p: a, .19. Summing adds q p within groups: .19, .12 + .09 = .21, .09 + .0825 = .1725,
    .075, so group 2, whose first program is b. Voting adds q where p >= .5: .20, .10 (b is below), .15 + .15 = .30,
    .15 (f is just high enough), so group 3, whose first program is d. Programs that are not first get 0, whose
    logarithm is -inf.
    """
    pool = six()
    ranker = LeverRanker(stored("verifier"), selector)  # type: ignore[arg-type]
    scores = ranker.score(PROBLEM, pool)
    assert {c.code: math.exp(s) for c, s in zip(pool, scores, strict=True)} == pytest.approx(expected)
    assert pool[rank(PROBLEM, pool, ranker)[0]].code == max(expected, key=lambda code: expected[code])
    assert ranker.name == f"lever_{selector}"


def test_the_generator_s_probability_is_a_sum_a_mean_or_a_frequency() -> None:
    pool = [candidate("a", logprobs=[-1.0, -2.0]), candidate("b", logprobs=[-4.0]), candidate("a", logprobs=[-9.0])]
    assert generator_logprobs(pool, "sum") == {"a": -3.0, "b": -4.0}
    assert generator_logprobs(pool, "mean") == {"a": -1.5, "b": -4.0}
    assert generator_logprobs(pool, "frequency") == pytest.approx({"a": math.log(2 / 3), "b": math.log(1 / 3)})
    scores = LeverRanker(stored("verifier"), "argmax", "mean").score(PROBLEM, pool)
    assert scores == pytest.approx([math.log(0.5) - 1.5, math.log(0.5) - 4.0, math.log(0.5) - 1.5])


def test_what_returned_no_value_never_groups() -> None:
    pool = [
        candidate("a", returns=["error ValueError"]),
        candidate("b", returns=["error ValueError"]),
        candidate("c", returns=["str 'error ValueError'"]),
        candidate("d", returns=["str 'error ValueError'"]),
        candidate("e"),
        candidate("f"),
        candidate("g", returns=["int 1"]),
        candidate("h", returns=["float 1"]),
        *(candidate(f"{word} {i}", returns=["int 1", word]) for word in NO_VALUE for i in (0, 1)),
    ]
    found = [[c.code for c in group] for group in execution_groups(pool)]
    assert found == [["a"], ["b"], ["c", "d"], ["e"], ["f"], ["g"], ["h"]] + [[c.code] for c in pool[8:]]


def test_a_verifier_that_believes_nobody_leaves_nobody_voted_for() -> None:
    pool = [candidate("a", 0.4, returns=["int 1"]), candidate("b", 0.3, returns=["int 1"])]
    assert LeverRanker(stored("verifier"), "voting").score(PROBLEM, pool) == [-math.inf, -math.inf]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(["int 1", "int 2", "error E"])), min_size=1, max_size=12
    ),
    st.lists(st.floats(0.02, 0.98), min_size=6, max_size=6),
)
def test_summing_and_voting_against_plain_probabilities(rows: list[tuple[str, str]], p: list[float]) -> None:
    """Brute force without logarithms and over samples: a program's share is the sum of 1/N over its samples."""
    returned = dict(reversed(rows))
    pool = [candidate(code, p["abcdef".index(code)], returns=[returned[code]]) for code, _ in rows]
    for selector in ("summing", "voting"):
        scores = LeverRanker(stored("verifier"), selector).score(PROBLEM, pool)  # type: ignore[arg-type]
        weight: Counter[str] = Counter()
        for c in pool:
            key = c.returns[0] if c.returns[0] != "error E" else f"alone {c.code}"
            sure = p["abcdef".index(c.code)]
            weight[key] += (sure if selector == "summing" else float(sure >= 0.5)) / len(pool)
        first: dict[str, str] = {}
        for c, score in zip(pool, scores, strict=True):
            key = c.returns[0] if c.returns[0] != "error E" else f"alone {c.code}"
            first.setdefault(key, c.code)
            expected = weight[key] if first[key] == c.code else 0.0
            assert math.exp(score) == pytest.approx(expected, abs=1e-12)


def test_the_text_is_the_authors_with_a_line_for_every_input() -> None:
    text = verifier_text(PROBLEM, candidate("def f(x):\n    return x\n", returns=["int 3", "error ValueError"]))
    assert text.description + text.program + text.execution == (
        "# description\ndef f(x):\n\n# program\ndef f(x):\n    return x\n\n"
        "# execution\n# return: (int)=3\n\n# return: ERROR: ValueError\n\n"
    )
    begun = replace(PROBLEM, prompt="# same\ndef f(x):\n", prefix="def f(x):\n")
    text = verifier_text(begun, candidate("def f(x):\n    return x\n", returns=["int 3"]))
    assert text.description + text.program == "# description\n# same\ndef f(x):\n\n# program\n    return x"
    assert verifier_text(begun, candidate("y = 1\n")).program == "y = 1"
    assert verifier_text(PROBLEM, candidate("x")).execution == "\n\n# execution\nERROR: not run\n\n"
    slow = verifier_text(PROBLEM, candidate("x", returns=["timeout"]))
    assert slow.execution == "\n\n# execution\n# return: ERROR: timeout\n\n"
    three = candidate("x", returns=["int 1", "int 2", "int 3"])
    assert verifier_text(PROBLEM, three, 1).execution == "\n\n# execution\n# return: (int)=1\n\n"
    huge = verifier_text(PROBLEM, candidate("x", returns=[f"str '{'a' * 5000}'"])).execution
    assert f"# return: (str)='{'a' * (VALUE_CHARS - 1)}...\n" in huge


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    whole = verifier_text(PROBLEM, candidate("def f(x):\n    x = x + 1\n    return x\n", returns=["int 3"]))
    return build_tokenizer([whole.description + whole.program + whole.execution], 512)


def decoded(tokenizer: PreTrainedTokenizerBase, ids: tuple[int, ...]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=True))


def test_a_long_program_gives_way_to_its_execution_result(tokenizer: PreTrainedTokenizerBase) -> None:
    program = "def f(x):\n" + "    x = x + 1\n" * 40 + "    return x\n"
    c = candidate(program, returns=["int 3"])
    text = verifier_text(PROBLEM, c)
    row = verifier_sequence(tokenizer, PROBLEM, c, 64)
    assert len(row) == 64 and row.response_ids[-1] == tokenizer.eos_token_id
    assert decoded(tokenizer, row.prompt_ids) == text.description
    response = decoded(tokenizer, row.response_ids)
    assert response.endswith(text.execution)
    kept = response.removesuffix(text.execution)
    assert kept and program.startswith(kept)


@given(st.integers(2, 80), st.integers(0, 60), st.integers(0, 6))
@settings(deadline=None)
def test_the_text_fits_whatever_is_long(
    tokenizer: PreTrainedTokenizerBase, room: int, lines: int, values: int
) -> None:
    """Cut in this order: program, description, execution; a later block only where the earlier ones are gone."""
    c = candidate("def f(x):\n" + "    x = x + 1\n" * lines, returns=["int 3"] * values)
    text = verifier_text(PROBLEM, c)
    blocks = [len(tokenizer.encode(part)) for part in (text.description, text.program, text.execution)]
    row = verifier_sequence(tokenizer, PROBLEM, c, room)
    assert len(row) == min(room, sum(blocks) + 1)
    assert row.response_ids[-1] == tokenizer.eos_token_id
    execution = min(blocks[2], room - 2)
    description = min(blocks[0], room - 1 - execution)
    assert len(row.prompt_ids) == description
    expected = tokenizer.encode(text.execution)[:execution]
    assert list(row.response_ids[-1 - execution : -1]) == expected
