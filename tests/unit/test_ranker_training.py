"""Trained rerankers: losses by hand, gradients that do not depend on how they are computed, equal budgets."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from networks_made import lettered_model
from torch import Tensor, nn

from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenBatch, TokenSequence, collate
from rewardranker.models.frozen import FrozenLayers, split_layers
from rewardranker.models.loading import load_scorer
from rewardranker.models.scoring import hidden_states
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.examples import judged_pairs
from rewardranker.training.losses import bradley_terry_loss, pointwise_loss
from rewardranker.training.objectives import Pair, PairObjective, PointwiseObjective
from rewardranker.training.rankers import KINDS, Budget, Lesson, labelled, new_ranker, train_ranker
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.torch_engine import TorchEngine

OPTIM = OptimConfig(lr=1e-2, warmup=0.1)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return lettered_model(tmp_path_factory.mktemp("model"))


def pairs(count: int = 6, seed: int = 0) -> list[Pair]:
    """Programs that hold token 5 are right, those with 6 in its place are wrong."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        prompt = tuple(rng.integers(7, 26, rng.integers(1, 6)).tolist())
        body = tuple(rng.integers(7, 26, rng.integers(1, 9)).tolist())
        made.append((TokenSequence(prompt, (5, *body, 1)), TokenSequence(prompt, (6, *body, 1))))
    return made


def setup(
    model: str,
    trained_layers: int = 0,
    seed: int = 0,
    optim: OptimConfig = OPTIM,
    tokens: int = 8192,
    shared_prompts: bool = True,
) -> NetworkSetup:
    engine = EngineConfig(shared_prompts=shared_prompts, trained_layers=trained_layers)
    return NetworkSetup(model, model, engine, tokens, optim=optim, seed=seed)


def train(
    lesson: Lesson, how: NetworkSetup, start: Reranker | None = None, frozen: FrozenLayers | None = None
) -> tuple[Reranker, dict[str, float]]:
    ranker = new_ranker(lesson, how, start=start, frozen=frozen)
    with TemporaryDirectory() as directory:
        return ranker, train_ranker(ranker, lesson, Path(directory))


class KeptGradients(TorchEngine):
    """Shows what an update was made of."""

    def step(self) -> dict[str, float]:
        named = self.network.named_parameters()
        self.gradients = {name: p.grad.clone() for name, p in named if p.grad is not None}
        return super().step()


def test_pointwise_loss_by_hand() -> None:
    """``-log sigmoid(0) = log 2 = .693147``; ``-log sigmoid(1) = .313262``; ``-log sigmoid(-1) = 1.313262``.

    A correct program at 0 and at 1, an incorrect one at 1: .693147 + .313262 + 1.313262 = 2.319671; over 4 programs
    of the global minibatch, .579918. Its gradient is (sigmoid(s) - y) / 4: -.125, -.067235, .182765.
    """
    logits = torch.tensor([0.0, 1.0, 1.0], requires_grad=True)
    loss = pointwise_loss(logits, torch.tensor([True, True, False]), 4)
    assert loss.item() == pytest.approx(0.579918, abs=1e-6)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == pytest.approx([-0.125, -0.067235, 0.182765], abs=1e-6)


def test_one_scalar_is_the_two_class_loss() -> None:
    two = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    expected = nn.functional.cross_entropy(two, labels)
    assert pointwise_loss(two[:, 1] - two[:, 0], labels, 7).item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("trained_layers", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["rewardranker", "coderanker"])
def test_gradients_are_those_of_one_plain_batch(model: str, kind: str, trained_layers: int) -> None:
    """However it is split, with programs that repeat run once, and with the frozen layers' answers remembered.

    The reference runs the whole network on all rows at once, repeats included, and remembers nothing.
    """
    minibatch = pairs()
    minibatch += [(minibatch[0][0], minibatch[1][1]), (minibatch[0][0], minibatch[0][1])]
    network = load_scorer(model, "float32", "auto", "cpu", seed=5, trained=True)
    scores = network(collate([row for pair in minibatch for row in pair])).reshape(-1, 2)
    if kind == "rewardranker":
        expected_loss = bradley_terry_loss(scores[:, 0], scores[:, 1], len(minibatch), centring=0.01)
    else:
        expected_loss = pointwise_loss(scores, torch.tensor([[1, 0]]).expand(len(minibatch), 2), 2 * len(minibatch))
    expected_loss.backward()
    everything = {name: p.grad for name, p in network.named_parameters()}

    objective, examples = KINDS[kind]
    for tokens, shared_prompts in ((10_000, True), (20, True), (10_000, False), (20, False)):
        how = replace(setup(model, trained_layers, 5, tokens=tokens, shared_prompts=shared_prompts), total_steps=1)
        engine = replace(how.engine, kind=f"{__name__}:KeptGradients")
        ranker = Reranker(replace(how, engine=engine, objective=objective), Rank())
        assert ranker.learn(examples(minibatch))["loss"] == pytest.approx(expected_loss.item(), abs=1e-5)
        assert isinstance(ranker.engine, KeptGradients)
        found = ranker.engine.gradients
        top = [str(i) for i in range(3 - trained_layers, 3)]
        trained = [
            name
            for name in everything
            if not trained_layers
            or "score" in name
            or "model.norm" in name
            or (".layers." in name and name.split(".layers.")[1].split(".")[0] in top)
        ]
        assert sorted(found) == sorted(trained)
        for name, gradient in found.items():
            expected = everything[name]
            assert expected is not None and float(expected.abs().max()) > 1e-6, name
            torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_frozen_layers_are_asked_once_for_each_text(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TokenBatch] = []

    def counted(decoder: nn.Module, batch: TokenBatch) -> Tensor:
        asked.append(batch)
        return hidden_states(decoder, batch)

    monkeypatch.setattr("rewardranker.models.frozen.hidden_states", counted)
    rows = [row for pair in pairs() for row in pair]
    lesson = Lesson("lever", pairs(), [""] * 6, Budget())
    ranker = new_ranker(lesson, setup(model, trained_layers=1))
    assert ranker.frozen is not None
    first = ranker.score(rows)
    assert Counter(row for batch in asked for line in batch.lines for row in line) == Counter(rows)
    asked.clear()
    assert ranker.score(rows + rows[:3]) == pytest.approx(first + first[:3], abs=1e-6)
    other = new_ranker(lesson, setup(model, trained_layers=1, seed=1), frozen=ranker.frozen)
    assert other.score(rows) != first and not asked  # another head, the same memory
    ranker.frozen.forget()
    assert ranker.score(rows[:1]) == pytest.approx(first[:1], abs=1e-6) and len(asked) == 1


def test_a_model_whose_layers_cannot_be_parted_is_refused(model: str) -> None:
    network = load_scorer(model, "float32", "auto", "cpu", seed=0)
    base = network.model.base_model
    with pytest.raises(UserError, match="trained_layers=4: the backbone has 3 layers"):
        split_layers(base, 4)

    class Scaled(type(base)):  # type: ignore[misc]
        """Scales whatever enters it, as Gemma scales its embeddings."""

        def forward(self, inputs_embeds: Tensor | None = None, **kwargs: object) -> object:
            kwargs |= {} if inputs_embeds is None else {"inputs_embeds": 3 * inputs_embeds}
            return super().forward(**kwargs)

    base.__class__ = Scaled
    with pytest.raises(UserError, match="Scaled: its layers cannot be run in two parts"):
        split_layers(base, 1)


@pytest.mark.parametrize("trained_layers", [0, 1])
def test_training_goes_on_from_another_network_and_leaves_it_alone(model: str, trained_layers: int) -> None:
    lesson = Lesson("rewardranker", pairs(), ["p"] * 6, Budget(3, 4))
    rows = [row for pair in lesson.pairs for row in pair]
    first, _ = train(lesson, setup(model, trained_layers))
    before = first.score(rows)
    still = setup(model, trained_layers, seed=1, optim=OptimConfig(lr=0.0, warmup=0.0))
    again, _ = train(replace(lesson, budget=Budget(1, 4)), still, first, first.frozen)
    assert again.score(rows) == before  # the seed's own head is not used
    train(lesson, setup(model, trained_layers, seed=1), first, first.frozen)
    assert first.score(rows) == before


@pytest.mark.parametrize("trained_layers", [0, 1])
def test_padded_and_after_shared_prompts_one_learns_the_same(model: str, trained_layers: int) -> None:
    """The cycle's way and this one, in other micro-batches; an epsilon that does not blow up what is almost zero."""
    lesson = Lesson("rewardranker", pairs(), ["p"] * 6, Budget(4, 8))
    optim = OptimConfig(lr=1e-3, eps=1e-3, warmup=0.1)
    rows = [row for pair in pairs(9, seed=1) for row in pair]
    scores = []
    for tokens, shared_prompts in ((8192, True), (60, False)):
        how = setup(model, trained_layers, 7, optim, tokens, shared_prompts)
        ranker, _ = train(lesson, how)
        assert ranker.layout.shared_prompts == shared_prompts
        scores.append(ranker.score(rows))
    untrained = new_ranker(lesson, setup(model, seed=7)).score(rows)
    assert max(abs(a - b) for a, b in zip(untrained, scores[0], strict=True)) > 0.01
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_training_learns_repeats_itself_and_saves_what_it_scored(model: str, kind: str, tmp_path: Path) -> None:
    lesson = Lesson(kind, pairs(24), [f"p{i // 4}" for i in range(24)], Budget(30, 16))

    def trained(seed: int, name: str) -> tuple[list[float], str, dict[str, float]]:
        ranker, metrics = train(lesson, setup(model, 2, seed))
        ranker.export(str(tmp_path / name))
        weights = (tmp_path / name / "model.safetensors").read_bytes()
        return ranker.score(held_out), hashlib.sha256(weights).hexdigest(), metrics

    held_out = [row for pair in pairs(10, seed=1) for row in pair]
    scores, digest, metrics = trained(0, "first")
    assert all(right > wrong for right, wrong in zip(scores[::2], scores[1::2], strict=True))
    assert metrics["loss"] < 0.3 and metrics["accuracy"] > 0.9
    assert trained(0, "again")[:2] == (scores, digest)
    assert trained(1, "other")[1] != digest
    loaded = load_scorer(str(tmp_path / "first"), "float32", "auto", "cpu", seed=9)
    with torch.no_grad():
        assert loaded(collate(held_out)).tolist() == pytest.approx(scores, abs=1e-4)
    untouched = load_scorer(model, "float32", "auto", "cpu", seed=0).model.base_model.layers[0]
    for old, new in zip(untouched.parameters(), loaded.model.base_model.layers[0].parameters(), strict=True):
        assert torch.equal(old, new)


def test_every_kind_sees_the_same_programs_equally_often(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where the objectives are: 5 steps of 8 programs, that is 4 pairs, or 4 right and 4 wrong programs."""
    seen: dict[str, list[Counter[TokenSequence]]] = {}
    kind = ""

    class Recording:
        def __init__(self, inner: PairObjective | PointwiseObjective) -> None:
            self.inner, self.metrics, self.rows = inner, inner.metrics, inner.rows

        def loss(self, scores: Tensor, examples: Sequence[Any], denominator: int) -> tuple[Tensor, dict[str, float]]:
            seen.setdefault(kind, []).append(Counter(self.rows(examples)))
            return self.inner.loss(scores, examples, denominator)

    data, names = pairs(9), [f"p{i // 3}" for i in range(9)]
    for kind, (objective, examples) in KINDS.items():
        monkeypatch.setitem(KINDS, kind, (Recording(objective), examples))  # type: ignore[arg-type]
        _, metrics = train(Lesson(kind, data, names, Budget(5, 8)), setup(model, 1, 4))
        assert (metrics["steps"], metrics["programs"]) == (5, 40)
    assert len(seen) == 3
    for steps in seen.values():
        assert steps == seen["rewardranker"] and [sum(step.values()) for step in steps] == [8] * 5
    assert [correct for _, correct in labelled(data)] == [True, False] * 9


def test_pairs_of_a_problem_stay_side_by_side(model: str) -> None:
    """Three problems of 4 pairs, 4 pairs a step: every step holds one problem, in an order that the seed draws."""
    data, names = pairs(12), [f"p{i // 4}" for i in range(12)]
    steps: list[set[str]] = []
    original = KINDS["rewardranker"]

    def examples(taken: Sequence[Pair]) -> list[Pair]:
        steps.append({names[data.index(pair)] for pair in taken})
        return list(taken)

    KINDS["rewardranker"] = (original[0], examples)
    try:
        train(Lesson("rewardranker", data, names, Budget(6, 8)), setup(model, 1))
    finally:
        KINDS["rewardranker"] = original
    assert len(steps) == 6 and all(len(step) == 1 for step in steps)
    assert set.union(*steps[:3]) == set.union(*steps[3:]) == {"p0", "p1", "p2"}


def test_bad_budgets_kinds_and_data_are_explained(model: str) -> None:
    for budget in (Budget(0, 8), Budget(3, 0), Budget(3, 7)):
        with pytest.raises(UserError, match=f"budget: {budget.steps} steps of {budget.programs_per_step} programs"):
            new_ranker(Lesson("lever", pairs(), [""] * 6, budget), setup(model))
    with pytest.raises(UserError, match="ranker kind 'bert': known are rewardranker, coderanker, lever"):
        new_ranker(Lesson("bert", pairs(), [""] * 6, Budget()), setup(model))
    with pytest.raises(UserError, match="coderanker: no pairs to train on"):
        new_ranker(Lesson("coderanker", [], [], Budget()), setup(model))


def test_judged_candidates_become_pairs_of_the_same_problem_with_their_evidence() -> None:
    def problem(name: str) -> Problem:
        return Problem(
            id=name,
            source="s",
            language="python",
            prompt="def f(a):",
            entry_point="f",
            style="function",
            tests=(),
            split="train",
            prefix="def f(a):",
        )

    def candidate(name: str, body: str, verdict: Verdict) -> Candidate:
        code = f"def f(a):\n    return {body}\n"
        return Candidate(name, "python", "", code, "gen:m", verdict=verdict, returns=[f"str {body!r}"])

    ok, wrong = Verdict.OK, Verdict.WRONG
    pool = [candidate("p", body, verdict) for body, verdict in (("a+1", ok), ("a+2", wrong), ("9*a", ok))]
    pool += [candidate("p", "slow", Verdict.TIMEOUT), candidate("p", "lost", Verdict.INFRA)]
    pool += [candidate("q", "a", ok), candidate("r", "a", wrong)]
    problems = {name: problem(name) for name in "pqr"}
    found = judged_pairs(problems, pool, cap=9, seed=0)
    assert [(good.verdict, bad.verdict) for good, bad in found] == [(ok, wrong)] * 2  # the nearest, and one at random
    assert found[0] == (pool[0], pool[1]) and found[0][1].returns == ["str 'a+2'"]
    assert found == judged_pairs(problems, pool, cap=9, seed=0)
    assert len(judged_pairs(problems, pool, cap=1, seed=0)) == 1
