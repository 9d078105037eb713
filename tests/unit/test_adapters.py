"""LoRA against peft's own model, which is told the same and asked the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from networks_made import causal
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedModel

from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from rewardranker.config.loading import load_config
from rewardranker.config.schema import EngineConfig, LoraConfig, OptimConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.adapters import Written
from rewardranker.models.batching import TokenSequence
from rewardranker.models.loading import load_policy
from rewardranker.models.tiny import build_tiny_model
from rewardranker.training.engine import build_engine, checkpoint_parameters, checkpoint_shapes
from rewardranker.training.objectives import PairObjective
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.sizes import require_generator

LORA = LoraConfig(rank=3, alpha=6)
ROWS = [TokenSequence((2, 3, 4), (5, 6, 1)), TokenSequence((2, 3, 4), (8, 1))]
PAIRS = [(ROWS[0], ROWS[1]), (TokenSequence((7, 4), (9, 3, 1)), TokenSequence((7, 4), (6, 5, 2, 1)))]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("model")
    texts = ["def f(xs):\n xs = xs[1:]\n return sum(xs)\n"]
    build_tiny_model(TinyConfig(hidden=24, layers=2, heads=2, max_positions=64), directory, texts, seed=3)
    return str(directory)


def setup(model: str, lora: LoraConfig = LORA, role: str = "reward", **more: Any) -> NetworkSetup:
    optim = OptimConfig(lr=0.05, warmup=0.0, schedule="constant", max_grad_norm=1e9)
    made = NetworkSetup(model, model, EngineConfig(lora=lora), 4096, optim=optim, total_steps=4, seed=5)
    return replace(made, objective=PairObjective(), lora=lora.of(role), **more)


def peft_scorer(base: str, directory: Path) -> PreTrainedModel:
    """What peft makes of an exported adapter on the model that it began as."""
    plain = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32)
    return peft.PeftModel.from_pretrained(plain, directory, is_trainable=True).eval()


def read(network: Any, row: TokenSequence) -> Tensor:
    return network(torch.tensor([row.prompt_ids + row.response_ids])).logits[0, 0]


def test_gradients_and_scores_are_those_of_peft(model: str, tmp_path: Path) -> None:
    """One update away from zero, gradients of every addition and of the head, of Bradley and Terry's loss in peft's
    own model; and what is exported says the same merged, beside its base, and here."""
    ranker = Reranker(setup(model), Rank())
    trains = {name for name, p in ranker.network.model.named_parameters() if p.requires_grad}
    assert sum("lora_A" in name for name in trains) == 2 * 7 and "score.weight" in trains
    assert all("lora_" in name or name == "score.weight" for name in trains)
    untouched = {n: p.clone() for n, p in ranker.network.model.named_parameters() if n not in trains}
    for _ in range(2):
        ranker.learn(PAIRS)
    ranker.export(tmp_path / "hf")
    theirs = peft_scorer(model, tmp_path / "adapter")
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "hf", dtype=torch.float32)
    for row, score in zip(ROWS, ranker.score(ROWS), strict=True):
        assert float(read(theirs, row).detach()) == pytest.approx(score, abs=1e-5)
        assert float(read(merged, row).detach()) == pytest.approx(score, abs=1e-5)

    losses = [-torch.nn.functional.logsigmoid(read(theirs, a) - read(theirs, b)) for a, b in PAIRS]
    torch.stack(losses).mean().backward()
    batch = ranker.layout.batch(PairObjective().rows(PAIRS))
    ranker.engine.backward(lambda: PairObjective().loss(ranker.engine(batch), PAIRS, 2)[0], last=True)
    expected = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    found = {name: p.grad for name, p in ranker.network.model.named_parameters() if p.grad is not None}
    assert set(found) == trains and len(expected) == len(found)
    for name, gradient in found.items():
        name = name.replace("score.", "score.modules_to_save.default.")
        torch.testing.assert_close(gradient, expected[f"base_model.model.{name}"], rtol=0, atol=1e-5)
    for name, before in untouched.items():
        assert torch.equal(before, ranker.network.model.get_parameter(name)), name


def test_a_checkpoint_holds_what_trains_and_resumes_bitwise(model: str, tmp_path: Path) -> None:
    """With dropout, which is drawn, and off where nothing is learnt."""
    lora = replace(LORA, dropout=0.5)
    first = Reranker(setup(model, lora), Rank())
    first.learn(PAIRS)
    assert first.score(ROWS) == first.score(ROWS)
    first.save(str(tmp_path))
    state = torch.load(tmp_path / "reward.pt", weights_only=True)
    assert all("lora_" in name or name == "model.score.weight" for name in state["network"])
    expected = [first.learn(PAIRS) for _ in range(2)]
    again = Reranker(setup(model, lora), Rank())
    again.load(str(tmp_path))
    assert [again.learn(PAIRS) for _ in range(2)] == expected
    assert again.score(ROWS) == first.score(ROWS)
    kept = Reranker(setup(model), Rank())
    kept.load(str(tmp_path))
    assert [kept.learn(PAIRS) for _ in range(2)] != expected
    damaged = {name: tensor for name, tensor in state["network"].items() if "q_proj" not in name}
    torch.save(state | {"network": damaged}, tmp_path / "reward.pt")
    with pytest.raises(RuntimeError, match="missing .*q_proj.lora_A"):
        kept.load(str(tmp_path))


@pytest.mark.parametrize("name", ["gpt2", "llama_tied", "qwen2", "gpt_neox", "mixtral"])
def test_what_is_sent_has_the_names_of_the_plain_network_and_says_what_it_says(name: str, tmp_path: Path) -> None:
    path = causal(name, tmp_path / "base")
    network = load_policy(path, "float32", "auto", "cpu")
    engine = build_engine(setup(path, role="policy"), network, Rank())
    for parameter in network.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    plain = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    assert checkpoint_shapes(engine) == {name: tuple(p.shape) for name, p in plain.named_parameters()} or (
        sorted(checkpoint_shapes(engine)) == sorted(name for name, _ in plain.named_parameters())
    )
    ids = torch.tensor([[3, 4, 5, 6, 7, 1]])
    with torch.no_grad():
        before = plain(ids).logits
        for parameter, tensor in checkpoint_parameters(engine):
            plain.get_parameter(parameter).copy_(tensor)
        found, expected = plain(ids).logits, network.model(ids).logits
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert (found - before).abs().max() > 0.01


def test_in_bf16_frozen_weights_are_bf16_and_what_trains_is_fp32(model: str, tmp_path: Path) -> None:
    ranker = Reranker(setup(model, dtype="bfloat16"), Rank())
    assert ranker.network.autocast
    for name, parameter in ranker.network.named_parameters():
        assert parameter.dtype == (torch.float32 if parameter.requires_grad else torch.bfloat16), name
    ranker.learn(PAIRS)
    ranker.export(tmp_path / "hf")
    assert json.loads((tmp_path / "hf" / "config.json").read_text())["dtype"] == "float32"
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "hf")
    assert merged.dtype == torch.float32
    assert float(read(merged, ROWS[0]).detach()) == pytest.approx(ranker.score(ROWS[:1])[0], abs=0.05)


def test_four_roles_of_one_backbone_hold_its_frozen_weights_once(model: str, tmp_path: Path) -> None:
    """Policy, reference, critic and reward model as a worker has them in PPO; what one learns changes no other."""
    trained = Reranker(setup(model), Rank())
    trained.learn(PAIRS)
    trained.export(tmp_path / "hf")
    scores = trained.score(ROWS)
    del trained

    merged, engine = str(tmp_path / "hf"), EngineConfig(lora=LORA)
    frozen = NetworkSetup(merged, model, engine, 4096, seed=5)
    begins = setup(merged, role="critic").on(model)
    assert begins.adapter == str(tmp_path / "adapter") and begins.model_path == model
    reward, critic = Reward(frozen.on(model), Rank()), Critic(begins, Rank())
    policy, reference = (
        Policy(setup(model, role="policy"), Rank()),
        Reference(replace(frozen, model_path=model), Rank()),
    )
    assert reward.score(ROWS) == pytest.approx(scores, abs=1e-5)
    assert [values[-1] for values in critic.values(ROWS)] == pytest.approx(
        [float(values[-1]) for values in Critic(setup(merged, LoraConfig(), "critic"), Rank()).values(ROWS)], abs=1e-5
    )
    networks = [role.engine.network for role in (policy, critic, reward, reference)]
    places = {p.untyped_storage().data_ptr(): p.numel() for network in networks for p in network.parameters()}
    backbone = sum(p.numel() for p in reference.engine.network.parameters())
    own = sum(p.numel() for network in networks for p in network.parameters()) - 4 * backbone
    assert sum(places.values()) == backbone + own < 1.6 * backbone

    before = reward.score(ROWS), reference.logprobs(ROWS, 1.0), critic.values(ROWS)
    policy.learn(ROWS)
    after = reward.score(ROWS), reference.logprobs(ROWS, 1.0), critic.values(ROWS)
    assert str(before) == str(after) and str(policy.logprobs(ROWS, 1.0)) != str(before[1])


def test_a_network_is_no_addition_to_a_backbone_that_it_was_not_made_of(model: str, tmp_path: Path) -> None:
    """Another base, or a critic whose additions are to be of another shape: the merged weights are taken."""
    Reranker(setup(model), Rank()).export(tmp_path / "hf")
    merged = str(tmp_path / "hf")
    for asked, base in (
        (setup(merged), tmp_path),
        (setup(merged, replace(LORA, rank=2)), model),
        (setup(merged, replace(LORA, target_modules=["q_proj"])), model),
        (replace(setup(merged), lora=None), model),
        (setup(model), model),
    ):
        assert asked.on(base) == asked
    other = Written.read(tmp_path / "adapter")
    assert other is not None and other.base == model
    with pytest.raises(UserError, match="holds 29 tensors, not the 5 that train"):
        Reranker(setup(model, replace(LORA, target_modules=["q_proj"]), adapter=str(tmp_path / "adapter")), Rank())


def test_what_cannot_be_adapted_is_refused(model: str) -> None:
    with pytest.raises(UserError) as error:
        Reranker(setup(model, replace(LORA, target_modules=["q_proj", "query"])), Rank())
    assert str(error.value) == (
        f"engine.lora.target_modules=['q_proj', 'query']: model={model} has no linear layer query in its decoder; "
        "there are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj; leave it empty for all of them"
    )
    given = [f"model.path={model}", "data.source=mbpp", "data.triplet_source=samples", "engine.lora.rank=4"]
    with pytest.raises(UserError, match=r"no linear layer q_prj .*; did you mean q_proj\?"):
        require_generator(load_config(None, [*given, "engine.lora.target_modules=[q_prj]"]))
    require_generator(load_config(None, given))
