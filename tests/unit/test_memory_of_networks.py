"""What is held for gradients: no logits of a whole micro-batch, no insides of layers that are checkpointed."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from networks_made import causal
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from rewardranker.config.loading import load_config
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.models import head
from rewardranker.models.batching import TokenBatch, TokenSequence, collate
from rewardranker.models.loading import load_policy, load_scorer, require_computes
from rewardranker.models.packing import plan_lines
from rewardranker.models.recomputing import recompute_layers
from rewardranker.models.scoring import Network
from rewardranker.training.demand import GENERATE, WHOLE, require_here
from rewardranker.training.engine import build_engine
from rewardranker.training.ranks import Rank
from rewardranker.training.rehearsal import LivingTensors
from rewardranker.training.setup import NetworkSetup

VOCABULARY = 3001


class Living(LivingTensors):
    """Also counts the most rows before the whole vocabulary."""

    rows = 0

    def count(self, tensor: Tensor) -> None:
        if tensor.dim() > 1 and tensor.shape[-1] == VOCABULARY:
            self.rows = max(self.rows, tensor.numel() // VOCABULARY)
        super().count(tensor)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small Llama with a large vocabulary, as models for many languages have."""
    place = tmp_path_factory.mktemp("model")
    sizes = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    torch.manual_seed(3)
    LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=4, initializer_range=0.2)).save_pretrained(place)
    return str(place)


def rows() -> list[TokenSequence]:
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, VOCABULARY, (count,), generator=generator).tolist())

    prompts = [tokens(30), tokens(50)]
    return [TokenSequence(prompts[i % 2], tokens(3 + 9 * i)) for i in range(8)]


def weights_of(batch: TokenBatch) -> Tensor:
    """Of each log-probability in a made-up loss, so that no two tokens matter alike."""
    return torch.linspace(-1, 1, batch.mask.numel()).view_as(batch.mask.float())


@pytest.mark.parametrize("packed", [False, True])
def test_the_head_reads_some_tokens_at_a_time_with_the_gradients_of_all_at_once(
    directory: str, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a plain softmax over all logits in fp64. 276 tokens of responses, of 8 padded rows of 116 tokens."""
    batch = collate(rows(), lines=plan_lines(rows()) if packed else None)
    exact = load_policy(directory, "float32", "auto", "cpu").model.double()
    expected, entropies = (torch.zeros(batch.mask.shape, dtype=torch.float64) for _ in "ab")
    for i, row in enumerate(rows()):
        ids, count = torch.tensor([row.prompt_ids + row.response_ids]), len(row.response_ids)
        distribution = (exact(ids).logits[0, -count - 1 : -1] / 0.7).log_softmax(-1)
        expected[i, :count] = distribution.gather(1, batch.targets[i, :count, None])[:, 0]
        entropies[i, :count] = -(distribution.exp() * distribution).sum(-1)
    (expected * weights_of(batch)).sum().backward()

    held = {}
    for chunk in (40, 1000):
        monkeypatch.setattr(head, "CHUNK_BYTES", chunk * 4 * VOCABULARY)
        network = load_policy(directory, "float32", "auto", "cpu", trained=True)
        with Living() as living:
            logprobs, spread = network(batch, 0.7, True)
            (logprobs * weights_of(batch)).sum().backward()
        held[chunk] = living
        assert spread is not None and not spread.requires_grad
        torch.testing.assert_close(logprobs.double(), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(spread.double(), entropies, rtol=1e-4, atol=1e-5)
        for (name, found), wanted in zip(network.named_parameters(), exact.parameters(), strict=True):
            assert found.grad is not None and wanted.grad is not None
            scale = float(wanted.grad.abs().max())
            torch.testing.assert_close(
                found.grad.double(), wanted.grad, rtol=1e-3, atol=1e-5 * scale, msg=lambda m, n=name: f"{n}: {m}"
            )
    tokens = int(batch.mask.sum())
    assert held[1000].rows == tokens == 276  # not a padded or a prompt's token among them
    assert held[40].rows == 40  # the weights themselves have 32
    # All logits, in the model's dtype and after the softmax, are more than 6 MB; the weights' gradients stay.
    assert held[40].peak < held[1000].peak - tokens * VOCABULARY * 4


def test_checkpointed_layers_keep_their_inputs_alone_with_the_same_gradients(directory: str) -> None:
    """Policy and scorer, padded and after shared prompts; bit for bit, since the same kernels run twice."""
    lines = collate(rows(), lines=plan_lines(rows()))
    for batch in (collate(rows()), lines):
        for load in (
            lambda: load_policy(directory, "float32", "auto", "cpu", trained=True),
            lambda: load_scorer(directory, "float32", "auto", "cpu", 5, trained=True),
        ):
            found: list[tuple[int, dict[str, Tensor | None]]] = []
            for checkpointed in (False, True):
                network: Network = load()
                if checkpointed:
                    recompute_layers(network.model, "model")
                with Living() as living:
                    out = network(batch, 1.0)
                    said = out[0] if isinstance(out, tuple) else out
                    held = living.bytes
                    said.square().sum().backward()
                flagged = [module for module in network.model.modules() if hasattr(module, "gradient_checkpointing")]
                training = [module for module in network.model.modules() if module.training]
                assert training == (flagged if checkpointed else [])
                found.append((held, {name: p.grad for name, p in network.named_parameters()}))
            (whole, expected), (few, gradients) = found
            assert few < 0.8 * whole
            for name, gradient in gradients.items():
                torch.testing.assert_close(gradient, expected[name], rtol=0, atol=0)


def test_an_engine_checkpoints_where_it_is_asked_to_and_refuses_what_cannot(directory: str, tmp_path: Path) -> None:
    setup = NetworkSetup(directory, directory, EngineConfig(gradient_checkpointing=True), 512, optim=OptimConfig())
    network = load_policy(directory, "float32", "auto", "cpu", trained=True)
    engine = build_engine(setup, network, Rank())
    assert network.model.is_gradient_checkpointing
    engine.backward(lambda: engine(collate(rows()), 1.0)[0].sum(), last=True)
    assert engine.step()["grad_norm"] > 0
    drops = load_policy(causal("opt", tmp_path), "float32", "auto", "cpu", trained=True)
    with pytest.raises(UserError, match=r"cannot work with a OPTForCausalLM: its layers drop out"):
        build_engine(replace(setup, model_path="M"), drops, Rank())


def test_an_attention_that_cannot_work_is_refused_by_name(tmp_path: Path, directory: str) -> None:
    bloom = causal("bloom", tmp_path)
    message = r"model.attn_implementation=sdpa cannot work with a BloomForCausalLM, which attends by eager; set that"
    for refused in (
        lambda: require_computes(bloom, "model.path", "sdpa"),
        lambda: load_policy(bloom, "float32", "sdpa", "cpu"),
    ):
        with pytest.raises(UserError, match=message):
            refused()
    require_computes(directory, "model.path", "flash_attention_2", recomputed=True)
    with pytest.raises(UserError, match=r"flash_attention_2 computes on GPUs alone, and this process has cpu"):
        load_scorer(directory, "bfloat16", "flash_attention_2", "cpu", 5)
    if not any(map(find_spec, ("flash_attn", "kernels"))):
        with pytest.raises(UserError, match=r"needs the package flash-attn, which is not installed here"):
            load_policy(directory, "bfloat16", "flash_attention_2", "cuda:0")
    flash = ["model.attn_implementation=flash_attention_2", "model.dtype=bfloat16", "cluster.num_cpus=9"]
    with pytest.raises(UserError, match=r"computes in bf16 alone; with model.dtype=float32 set"):
        load_config(None, flash[:1])
    with pytest.raises(
        UserError, match=r"none is asked for training and engines: set cluster.gpus_per_rank, rollout"
    ):
        require_here(load_config(None, flash), WHOLE)
    require_here(load_config(None, [*flash, "rollout.gpus_per_worker=1"]), GENERATE)
    require_here(
        load_config(None, [*flash, "cluster.gpus_per_rank=1", "rollout.engine=vllm", "model.tiny.heads=3"]), WHOLE
    )
