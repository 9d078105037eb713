"""Responses to one prompt in one sequence: nothing lost, nothing seen that is not theirs, the same scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.config.schema import TinyConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.layers import Backbone
from rewardranker.models.loading import load_scorer
from rewardranker.models.packing import pack, plan_packs
from rewardranker.models.tiny import build_tiny_model

ROWS = st.lists(
    st.builds(
        TokenSequence,
        st.sampled_from([(5,), (5, 6), (7, 8, 9)]),
        st.lists(st.integers(2, 9), min_size=1, max_size=6).map(tuple),
    ),
    max_size=20,
)


def test_a_pack_by_hand() -> None:
    """Prompt a b, responses c and d e: positions 0 1, 2, 2 3; c and d e see the prompt and themselves."""
    found = pack([TokenSequence((10, 11), (12,)), TokenSequence((10, 11), (13, 14))])
    assert found.input_ids.tolist() == [[10, 11, 12, 13, 14]]
    assert found.position_ids.tolist() == [[0, 1, 2, 2, 3]]
    assert found.last.tolist() == [2, 4] and found.lengths == (2, 1, 2)
    assert found.attention_mask[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 1],
    ]


@given(ROWS, st.integers(1, 20))
def test_packs_lose_nothing_and_stay_within_the_budget(rows: list[TokenSequence], budget: int) -> None:
    groups = plan_packs(rows, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(rows)))
    for group in groups:
        assert group == sorted(group) and len({rows[i].prompt_ids for i in group}) == 1
        size = len(rows[group[0]].prompt_ids) + sum(len(rows[i].response_ids) for i in group)
        assert size <= budget or len(group) == 1


def test_bad_packs_are_refused() -> None:
    with pytest.raises(ValueError, match="rows with one prompt"):
        pack([TokenSequence((1,), (2,)), TokenSequence((2,), (2,))])
    with pytest.raises(ValueError, match="rows with one prompt"):
        pack([])
    with pytest.raises(ValueError, match="at least one"):
        pack([TokenSequence((1,), ())])


@pytest.mark.parametrize("trained_layers", [0, 1])
@pytest.mark.parametrize("budget", [1, 14, 1024])
def test_scores_are_those_of_every_row_alone(
    trained_layers: int, budget: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In packs of any size, in any order, also from a memory filled by other packs."""
    build_tiny_model(TinyConfig(hidden=24, layers=2, heads=2), tmp_path, ["a b c d e f g h i j k"], seed=1)
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 14, (count,), generator=generator).tolist())

    prompts = [tokens(n) for n in (1, 4, 9)]
    rows = [TokenSequence(prompts[i % 3], tokens(1 + i % 5)) for i in range(12)]
    monkeypatch.setattr("rewardranker.models.layers.plan_packs", lambda rows: plan_packs(rows, budget))
    network = load_scorer(str(tmp_path), "float32", "auto", "cpu", seed=5)
    alone = [float(network(collate([row], 0))) for row in rows]
    assert max(alone) - min(alone) > 0.01
    scorer = Backbone(str(tmp_path), trained_layers).scorer(seed=5)
    scorer.score(rows[3:7])
    assert scorer.score(rows) == pytest.approx(alone, abs=1e-5)
    assert scorer.score(rows[::-1]) == pytest.approx(alone[::-1], abs=1e-5)
    assert scorer.score([]) == []
