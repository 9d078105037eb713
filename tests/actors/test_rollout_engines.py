"""The transformers engine against Hugging Face's own generation and forward pass."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import POSITIONS, VOCABULARY, buckets_of, hf_greedy, hf_logprobs, hf_model
from transformers import GPT2Config, GPT2LMHeadModel

from actors.rollout.sampling import choose_tokens
from actors.rollout.transformers import TransformersEngine, batches
from actors.rollout.worker import VLLM_CPU_ENV, VLLM_ENV, choose_engine, rollout_environment
from actors.weights.source import WeightSource
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Response, Sampling

#: Several, so that some responses of a random model end early and some do not.
EOS = (1, 7, 20, 33)


def engine(path: str, max_batch_tokens: int = 32768) -> TransformersEngine:
    return TransformersEngine(path, "float32", "auto", "cpu", max_batch_tokens, EOS)


def ragged_requests(count: int, seed: int = 0) -> list[Request]:
    """Prompts of 3 to 40 tokens, every third one repeated."""
    rng = random.Random(seed)
    prompts = [tuple(rng.randrange(2, VOCABULARY) for _ in range(rng.randint(3, 40))) for _ in range(count)]
    return [Request(f"p{i}", prompts[i - 1] if i % 3 == 2 else prompts[i], 1000 + i) for i in range(count)]


def test_greedy_is_that_of_generate(models: list[str]) -> None:
    requests = ragged_requests(24)
    responses = engine(models[0]).generate(requests, Sampling(temperature=0.0, max_new_tokens=24))
    for request, response in zip(requests, responses, strict=True):
        assert response.token_ids == hf_greedy(models[0], request.prompt_ids, 24, EOS)
        assert response.finish_reason == ("stop" if response.token_ids[-1] in EOS else "length")
    assert {r.finish_reason for r in responses} == {"stop", "length"}


def test_an_engine_that_slept_says_the_same_and_without_weights_nothing_until_they_are_sent(
    models: list[str],
) -> None:
    """Buffers, which nobody sends, are as they were either way."""
    here, sampling, requests = engine(models[0]), Sampling(temperature=0.0, max_new_tokens=12), ragged_requests(6)
    for parameter in here._model.parameters():
        parameter.data = parameter.data.clone()  # no longer a part of a file
    said = [r.token_ids for r in here.generate(requests, sampling)]
    network, held = here._model, sum(p.nbytes for p in here._model.parameters())
    assert held > 2 * 2**20
    for keep in (True, False):
        here.sleep(keep)
        with pytest.raises(RuntimeError, match="the engine's network is offloaded"):
            here.generate(requests, sampling)
        assert sum(t.untyped_storage().nbytes() for t in (*network.parameters(), *network.buffers())) == 0
        here.wake(weights_alone=not keep)
        if keep:
            assert [r.token_ids for r in here.generate(requests, sampling)] == said
    with pytest.raises(RuntimeError, match="after a sleep without weights, before they were sent again"):
        here.generate(requests, sampling)
    source = WeightSource(hf_model(models[1]).named_parameters)
    here.begin_update(source.metas())
    for bucket in buckets_of(source, 1 << 20):
        here.load_bucket(bucket)
    here.finish_update(5)
    here.wake()
    assert [r.token_ids for r in here.generate(requests, sampling)] == [
        r.token_ids for r in engine(models[1]).generate(requests, sampling)
    ]


def test_padding_does_not_shift_absolute_positions(tmp_path: Path) -> None:
    """GPT-2 learns a vector for each position; rotary models would not notice a shift."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = {"n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 128, "vocab_size": VOCABULARY}
        model = GPT2LMHeadModel(GPT2Config(**sizes, initializer_range=0.3, bos_token_id=1, eos_token_id=1)).eval()
    model.save_pretrained(tmp_path)
    requests = ragged_requests(12)
    here = TransformersEngine(str(tmp_path), "float32", "auto", "cpu", 32768, ())
    for request, response in zip(requests, here.generate(requests, Sampling(1.0, 0, 10)), strict=True):
        ids = torch.tensor([[*request.prompt_ids, *response.token_ids]])
        with torch.no_grad():
            logprobs = model(ids).logits[0, -11:-1].log_softmax(-1)
        reference = logprobs.gather(1, torch.tensor(response.token_ids)[:, None]).squeeze(1).numpy()
        assert np.abs(response.logprobs - reference).max() < 1e-4


@pytest.mark.parametrize("sampling", [Sampling(0.0, 0, 20), Sampling(1.0, 0, 20), Sampling(0.7, 5, 20)])
def test_logprobs_are_those_of_a_full_forward_before_truncation(models: list[str], sampling: Sampling) -> None:
    requests = ragged_requests(12)
    for request, response in zip(requests, engine(models[0]).generate(requests, sampling), strict=True):
        expected = hf_logprobs(models[0], request.prompt_ids, response.token_ids, sampling.temperature or 1.0).numpy()
        assert response.logprobs.dtype == np.float32
        assert np.abs(response.logprobs - expected).max() < 1e-4


def test_a_seed_fixes_the_response_whatever_shares_the_batch(models: list[str]) -> None:
    requests, sampling = ragged_requests(40), Sampling(1.0, 0, 30)
    together = engine(models[0]).generate(requests, sampling)
    shuffled = list(range(40))
    random.Random(1).shuffle(shuffled)
    small = engine(models[0], max_batch_tokens=200).generate([requests[i] for i in shuffled], sampling)
    for place, i in enumerate(shuffled):
        assert small[place].token_ids == together[i].token_ids
        assert np.abs(small[place].logprobs - together[i].logprobs).max() < 1e-4
    assert len({r.finish_reason for r in together}) == 2
    # Equal prompts with different seeds do differ.
    assert together[1].token_ids != together[2].token_ids


def test_other_seeds_give_other_responses(models: list[str]) -> None:
    requests, sampling = ragged_requests(8), Sampling(1.0, 0, 20)
    again = [Request(r.problem_id, r.prompt_ids, r.seed + 10**12) for r in requests]
    here = engine(models[0])
    first, second = here.generate(requests, sampling), here.generate(again, sampling)
    assert all(a.token_ids != b.token_ids for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 0), (0.5, 0), (1.3, 6)])
def test_first_tokens_follow_the_distribution(models: list[str], temperature: float, top_k: int) -> None:
    """Pearson's chi-square over 6,000 draws with fixed seeds; expected counts below 5 share a bin."""
    prompt, draws = (5, 9, 14, 60), 6000
    responses = engine(models[0]).generate(
        [Request("p", prompt, seed) for seed in range(draws)], Sampling(temperature, top_k, 1)
    )
    with torch.no_grad():
        logits = hf_model(models[0])(torch.tensor([prompt])).logits[0, -1] / temperature
    if top_k:
        logits[logits < logits.topk(top_k).values[-1]] = -torch.inf
    expected = logits.softmax(-1).double().numpy() * draws
    counts = np.bincount([r.token_ids[0] for r in responses], minlength=VOCABULARY)
    if top_k:
        assert set(np.flatnonzero(counts)) == set(np.flatnonzero(expected))
    rare = expected < 5
    observed, expected = (np.append(x[~rare], x[rare].sum()) for x in (counts, expected))
    observed, expected = observed[expected > 0], expected[expected > 0]
    assert len(expected) >= 5
    chi_square, freedom = ((observed - expected) ** 2 / expected).sum(), len(expected) - 1
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)


def test_sampling_never_picks_an_impossible_token() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).repeat(3, 1)
    uniforms = torch.tensor([0.0, 0.5, 1 - 1e-16], dtype=torch.float64)
    tokens, logprobs = choose_tokens(logits, uniforms, Sampling(1.0))
    assert tokens.tolist() == [1, 3, 3]
    assert torch.allclose(logprobs, torch.full((3,), 0.5).log())


def test_responses_end_at_the_last_position(models: list[str]) -> None:
    long, short = (2, 3, 4, 5) * (POSITIONS // 4 - 2), (2, 3, 4, 5)
    requests = [Request("long", long, 1), Request("short", short, 2)]
    here = TransformersEngine(models[0], "float32", "auto", "cpu", 32768, ())
    responses = here.generate(requests, Sampling(1.0, 0, 12))
    assert [len(r.token_ids) for r in responses] == [8, 12]
    assert [r.finish_reason for r in responses] == ["length", "length"]


def test_prompts_that_leave_no_room_are_refused(models: list[str]) -> None:
    here = engine(models[0])
    with pytest.raises(UserError, match=f"prompt of big has {POSITIONS} tokens"):
        here.generate([Request("big", (2,) * POSITIONS, 0)], Sampling())
    with pytest.raises(UserError, match="prompt of none has 0 tokens"):
        here.generate([Request("none", (), 0)], Sampling())
    assert here.generate([], Sampling()) == []


def test_batches_keep_the_budget_and_hold_every_request_once() -> None:
    requests = ragged_requests(100)
    parts = list(batches(requests, 10, 300))
    assert sorted(i for part in parts for i in part) == list(range(100))
    widths = [max(len(requests[i].prompt_ids) for i in part) + 10 for part in parts]
    assert all(width * len(part) <= 300 for width, part in zip(widths, parts, strict=True))
    assert [len(part) for part in batches(requests[:2], 10, 5)] == [1, 1]


def greedy_all(here: TransformersEngine, requests: list[Request]) -> list[Response]:
    return here.generate(requests, Sampling(0.0, 0, 16))


def test_an_update_replaces_the_weights(ray_local: None, models: list[str]) -> None:
    old, new, requests = engine(models[0]), engine(models[1]), ragged_requests(8)
    source = WeightSource(lambda: hf_model(models[1]).named_parameters())
    assert greedy_all(old, requests)[0].weights_version == 0
    old.begin_update(source.metas())
    for bucket in buckets_of(source, 500_000):
        old.load_bucket(bucket)
    old.finish_update(7)
    updated = greedy_all(old, requests)
    assert [r.token_ids for r in updated] == [r.token_ids for r in greedy_all(new, requests)]
    assert {r.weights_version for r in updated} == {old.weights_version} == {7}


def test_an_update_names_tensors_that_only_one_side_has(models: list[str]) -> None:
    here = engine(models[0])
    metas = WeightSource(lambda: hf_model(models[1]).named_parameters()).metas()
    renamed = [("model.other.weight", *metas[0][1:]), *metas[1:]]
    with pytest.raises(
        ValueError, match=r"missing \['model.embed_tokens.weight'\], unexpected \['model.other.weight'\]"
    ):
        here.begin_update(renamed)


def test_an_unfinished_update_is_noticed(ray_local: None, models: list[str]) -> None:
    here = engine(models[0])
    source = WeightSource(lambda: hf_model(models[1]).named_parameters())
    here.begin_update(source.metas())
    here.load_bucket(buckets_of(source, 500_000)[0])
    with pytest.raises(ValueError, match="announced tensors had come.*model.norm.weight"):
        here.finish_update(1)
    with pytest.raises(RuntimeError, match="between begin_update and finish_update"):
        greedy_all(here, ragged_requests(1))


def test_a_tensor_of_another_shape_is_refused(models: list[str]) -> None:
    here = engine(models[0])
    metas = WeightSource(lambda: hf_model(models[1]).named_parameters()).metas()
    with pytest.raises(ValueError, match=r"'model.embed_tokens.weight': '\(1, 100\) sent, \(100, 128\) here'"):
        here.begin_update([(*metas[0][:2], (1, VOCABULARY)), *metas[1:]])


def test_choose_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(asked: str, gpus: float, installed: bool) -> str:
        config = Config()
        config.rollout.engine, config.rollout.gpus_per_worker = asked, gpus
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
        return choose_engine(config)

    assert chosen("auto", 1.0, True) == "vllm"
    assert chosen("auto", 0.0, True) == "transformers"
    assert chosen("auto", 1.0, False) == "transformers"
    assert chosen("vllm", 0.0, True) == "vllm"
    assert chosen("transformers", 1.0, True) == "transformers"
    with pytest.raises(UserError, match=r"pip install 'rewardranker\[cpu\]'"):
        chosen("vllm", 1.0, False)


def test_environment_is_set_before_torch_starts(models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    config = Config()
    plain = rollout_environment(config, models[0])
    assert plain["OMP_NUM_THREADS"] == "1" and plain["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in rollout_environment(config, "owner/name")
    config.rollout.engine = "vllm"
    assert VLLM_CPU_ENV.items() <= rollout_environment(config, models[0]).items()
    config.rollout.gpus_per_worker = 1.0
    gpu = rollout_environment(config, models[0])
    # Without its compiler vLLM would be slow on a GPU.
    assert VLLM_ENV.items() <= gpu.items() and "TORCH_COMPILE_DISABLE" not in gpu
