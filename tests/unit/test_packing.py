"""Responses to one prompt in one sequence: nothing lost, nothing seen that is not theirs, the same scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.config.schema import TinyConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.frozen import FrozenLayers
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_scorer
from rewardranker.models.packing import packed_microbatches, plan_lines
from rewardranker.models.tiny import build_tiny_model
from rewardranker.training.updates import infer_rows

ROWS = st.lists(
    st.builds(
        TokenSequence,
        st.sampled_from([(5,), (5, 6), (7, 8, 9)]),
        st.lists(st.integers(2, 9), min_size=1, max_size=6).map(tuple),
    ),
    max_size=20,
)


def test_a_line_by_hand() -> None:
    """Prompt a b, responses c and d e: positions 0 1, 2, 2 3; c and d e see the prompt and themselves. The second
    line, f g, is padded, and what is padded sees something. c comes twice and is run once."""
    rows = [TokenSequence((10, 11), (12,)), TokenSequence((20,), (21,)), TokenSequence((10, 11), (13, 14))]
    found = collate([*rows, rows[0]], lines=plan_lines(rows))
    assert found.lines == [(rows[0], rows[2]), (rows[1],)]
    assert found.input_ids.tolist() == [[10, 11, 12, 13, 14], [20, 21, 0, 0, 0]]
    assert found.position_ids.tolist() == [[0, 1, 2, 2, 3], [0, 1, 0, 0, 0]]
    assert found.line.tolist() == [0, 1, 0, 0] and found.last.tolist() == [2, 1, 4, 2]
    assert found.before.tolist() == [[1, 1], [0, 0], [1, 3], [1, 1]]  # past a response's end: its last place again
    assert found.targets.tolist() == [[12, 0], [21, 0], [13, 14], [12, 0]]
    assert found.attention_mask[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 1],
    ]
    assert found.attention_mask[1, 0].any(-1).all() and not found.attention_mask[1, 0, :2, 2:].any()


@settings(deadline=None)
@given(ROWS, st.integers(1, 20))
def test_lines_lose_nothing_stay_within_the_limit_and_are_alike(rows: list[TokenSequence], limit: int) -> None:
    lines = plan_lines(rows, limit)
    assert sorted((row for line in lines for row in line), key=repr) == sorted(set(rows), key=repr)
    for line in lines:
        assert len({row.prompt_ids for row in line}) == 1
        size = len(line[0].prompt_ids) + sum(len(row.response_ids) for row in line)
        assert size <= limit or len(line) == 1
    prompts = {row.prompt_ids for row in rows}
    for prompt in prompts:  # one line less would not do
        mine = [line for line in lines if line[0].prompt_ids == prompt]
        room = sum(len(row.response_ids) for line in mine for row in line)
        assert len(mine) == 1 or room > limit - len(prompt)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(1, 6)), max_size=12), st.integers(4, 60))
def test_microbatches_of_lines_keep_examples_whole_and_within_the_budget(
    made: list[tuple[int, int, int]], budget: int
) -> None:
    prompts = ((5,), (5, 6), (7, 8, 9))
    examples = [[TokenSequence(prompts[p], (2,) * a), TokenSequence(prompts[p], (3,) * b)] for p, a, b in made]
    groups = packed_microbatches(examples, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(examples)))
    for group in groups:
        rows = [row for i in group for row in examples[i]]
        assert len(group) == 1 or collate(rows, lines=plan_lines(rows)).input_ids.numel() <= budget


def test_rows_without_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        collate([TokenSequence((1,), ())])


@pytest.mark.parametrize("trained_layers", [0, 1])
@pytest.mark.parametrize("limit", [1, 14, 1024])
def test_scores_are_those_of_every_row_alone(
    trained_layers: int, limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In lines of any size, in any order, also from a memory filled by other lines."""
    build_tiny_model(TinyConfig(hidden=24, layers=2, heads=2), tmp_path, ["a b c d e f g h i j k"], seed=1)
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 14, (count,), generator=generator).tolist())

    prompts = [tokens(n) for n in (1, 4, 9)]
    rows = [TokenSequence(prompts[i % 3], tokens(1 + i % 5)) for i in range(12)]
    monkeypatch.setattr("rewardranker.models.layout.plan_lines", lambda rows: plan_lines(rows, limit))
    network = load_scorer(str(tmp_path), "float32", "auto", "cpu", seed=5)
    alone = [float(network(collate([row])).detach()) for row in rows]
    assert max(alone) - min(alone) > 0.01
    layout = Layout.of(network, 100, shared_prompts=True)
    if trained_layers:
        FrozenLayers(network, trained_layers, layout).below(network)

    def scores(rows: list[TokenSequence]) -> list[float]:
        return [float(row[0]) for row in infer_rows(network, rows, layout)]

    scores(rows[3:7])
    assert scores(rows) == pytest.approx(alone, abs=1e-5)
    assert scores(rows[::-1]) == pytest.approx(alone[::-1], abs=1e-5)
    assert scores([]) == []
