"""Scorers of some layers, read over all tokens of a program, and heads that are fitted before anything trains."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from networks_made import lettered_model
from scored_elsewhere import PAIRS, exported, said_here
from transformers import AutoModelForSequenceClassification

from rewardranker.config.schema import EngineConfig, LoraConfig, OptimConfig, ScorerShape
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.exporting import export_scorer
from rewardranker.models.loading import load_scorer, load_tokenizer, require_scorer, require_start
from rewardranker.models.packing import plan_lines
from rewardranker.training.head_start import HeadStart, fit_head
from rewardranker.training.objectives import PairObjective
from rewardranker.training.rankers import Budget, Lesson, new_ranker
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup

ROWS = [TokenSequence((2, 3, 4), (5, 6, 1)), TokenSequence((7,), (8, 1)), TokenSequence((2, 3, 4), (9, 9, 2, 1))]
MEAN = ScorerShape(pooling="mean")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return lettered_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("lines", [False, True])
def test_the_mean_is_over_a_programs_own_tokens(model: str, lines: bool) -> None:
    network = load_scorer(model, "float32", "auto", "cpu", 5, shape=MEAN)
    found = network(collate(ROWS, lines=plan_lines(ROWS) if lines else None))
    for row, score in zip(ROWS, found, strict=True):
        states = network.model.base_model(torch.tensor([[*row.prompt_ids, *row.response_ids]])).last_hidden_state[0]
        own = network.head(states[len(row.prompt_ids) :])
        assert own.shape == (len(row.response_ids),)
        assert score.item() == pytest.approx(own.mean().item(), abs=1e-5)


def test_fewer_layers_are_the_first_ones(model: str) -> None:
    whole = load_scorer(model, "float32", "auto", "cpu", 5)
    two = load_scorer(model, "float32", "auto", "cpu", 5, shape=ScorerShape(layers=2))
    assert len(two.model.base_model.layers) == 2
    assert sum(p.numel() for p in two.parameters()) < sum(p.numel() for p in whole.parameters())
    whole.model.base_model.layers = whole.model.base_model.layers[:2]
    assert torch.equal(two.model.score.weight, whole.model.score.weight)
    torch.testing.assert_close(two(collate(ROWS)), whole(collate(ROWS)), rtol=0, atol=1e-6)


def test_an_export_keeps_its_shape_and_is_taken_for_nothing_else(tmp_path: Path) -> None:
    exported("pad", tmp_path)
    base = tmp_path / "base"
    made = load_scorer(str(base), "float32", "auto", "cpu", 3, shape=ScorerShape(1, "mean"))
    ours = said_here(made, base)
    export_scorer(made, load_tokenizer(str(base)), tmp_path / "mean")
    require_scorer(tmp_path / "mean", "model")
    again = load_scorer(str(tmp_path / "mean"), "float32", "auto", "cpu", None)
    assert (again.pooling, len(again.model.base_model.layers)) == ("mean", 1)
    assert said_here(again, tmp_path / "mean") == pytest.approx(ours, abs=1e-5)
    assert len(set(ours)) == len(PAIRS)
    # Another library, which would read the last token alone, does not find a head.
    _, told = AutoModelForSequenceClassification.from_pretrained(tmp_path / "mean", output_loading_info=True)
    assert set(told["missing_keys"]) == {"score.weight"}
    # A reward model that begins with it keeps its shape, whatever is asked for.
    started = load_scorer(str(tmp_path / "mean"), "float32", "auto", "cpu", 9, shape=ScorerShape(2, "last"))
    assert (started.pooling, len(started.model.base_model.layers)) == ("mean", 1)


def test_more_layers_than_there_are(model: str) -> None:
    with pytest.raises(UserError, match=r"model\.path=.*: 4 layers are asked for, and it has 3; 0 takes"):
        require_start(model, "model.path", ScorerShape(layers=4))
    with pytest.raises(UserError, match="and it has 3"):
        load_scorer(model, "float32", "auto", "cpu", 5, shape=ScorerShape(layers=4))


def test_a_lost_layer_is_still_missed(model: str, tmp_path: Path) -> None:
    """Layers above the shape's are not asked for; those in it are."""
    config = json.loads((Path(model) / "config.json").read_text())
    for file in Path(model).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 4}))
    require_start(tmp_path, "model", ScorerShape(layers=3))
    with pytest.raises(UserError, match="9 tensors not there"):
        require_start(tmp_path, "model", ScorerShape(layers=4))


def test_a_head_is_the_least_loss() -> None:
    """One number a state, one pair: the gradient, -d sigmoid(-d w) + 2 p w in units of deviation, is 0 there."""
    chosen, rejected = torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [1.0]])
    spread = torch.cat([chosen, rejected]).std().item()
    penalty = 0.1
    head = fit_head(chosen, rejected, torch.tensor([2.0, 2.0]), penalty).item()
    lead, scaled = 2 / spread, head * spread
    assert -lead / 2 / (1 + torch.tensor(lead * scaled).exp().item()) + 2 * penalty * scaled == pytest.approx(
        0, abs=1e-4
    )
    assert head > 0


@pytest.mark.parametrize(("shape", "written"), [(ScorerShape(), True), (ScorerShape(layers=2), False), (MEAN, False)])
def test_an_addition_to_a_part_is_no_adapter_for_the_whole(
    model: str, tmp_path: Path, shape: ScorerShape, written: bool
) -> None:
    """Its sum with the layers is exported; peft would add it to a whole network, and read the last token."""
    lora = LoraConfig(rank=2)
    optim, engine = OptimConfig(lr=0.1), EngineConfig(lora=lora)
    setup = NetworkSetup(model, model, engine, 256, optim=optim, total_steps=2, lora=lora, shape=shape)
    ranker = Reranker(replace(setup, objective=PairObjective()), Rank())
    ranker.learn([(ROWS[0], ROWS[2])])
    ranker.export(tmp_path / "hf")
    assert (tmp_path / "adapter").exists() == written
    again = load_scorer(str(tmp_path / "hf"), "float32", "auto", "cpu", None)
    assert again(collate(ROWS)).tolist() == pytest.approx(ranker.score(ROWS), abs=1e-5)


@pytest.mark.parametrize("layers", [0, 1])
def test_a_fitted_head_ranks_what_it_was_fitted_to(model: str, layers: int) -> None:
    """Programs with token 5 against those with 6: told apart before any other weight moved."""
    pairs = [
        (TokenSequence((2, 3), (9 + i, 5, 9 + j, 1)), TokenSequence((2, 3), (9 + i, 6, 9 + j, 1)))
        for i in range(3)
        for j in range(3)
    ]
    groups = [str(i) for i in range(9)]
    lesson = Lesson("rewardranker", pairs, groups, Budget(1, 4))
    setup = NetworkSetup(model, model, EngineConfig(trained_layers=layers), 256, optim=OptimConfig(), shape=MEAN)
    ranker = new_ranker(lesson, setup)
    before = {name: p.clone() for name, p in ranker.network.named_parameters()}
    told = ranker.start_head(HeadStart(pairs, groups, 1e-3))
    assert told["accuracy"] == 1 and told["loss"] < 0.3
    scores = ranker.score([row for pair in pairs for row in pair])
    assert all(good > bad for good, bad in zip(scores[::2], scores[1::2], strict=True))
    changed = [name for name, p in ranker.network.named_parameters() if not torch.equal(before[name], p)]
    assert changed == ["model.score.weight"]
