"""The endpoint sampler against vLLM's own OpenAI server, on CPU, with a model that is made here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM
from vllm_server import serving

from rewardranker.config.schema import FamilyConfig, TinyConfig
from rewardranker.generation.endpoint import EndpointConfig, sample_endpoint
from rewardranker.models.encoding import decode_response, encode_prompt
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import build_family, family_corpus_texts
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import extract
from rewardranker.runs.console import Console


@pytest.mark.slow
@pytest.mark.vllm
def test_the_servers_log_probabilities_are_those_of_the_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    build_tiny_model(TinyConfig(64, 2, 2, 128), model, family_corpus_texts(), seed=0)
    family = FamilyConfig(train_problems=0, validation_problems=0, test_problems=2, max_operations=1)
    problems = build_family(family)
    with serving(model, tmp_path / "server.log") as url:
        common = {"base_url": url, "model": "tiny", "temperature": 0.7, "max_new_tokens": 24, "token_ids": True}
        chat = EndpointConfig(**common, top_k=-1)
        base = EndpointConfig(**common, style="completions", samples_per_request=1)
        # A model with random weights writes one of these soon enough.
        stopping = EndpointConfig(**common, style="completions", stop=["a", "x", "\n"], seed=3)
        pools = {}
        for name, config in (("chat", chat), ("base", base), ("stopping", stopping)):
            pools[name], report = sample_endpoint(config, problems, 2, tmp_path / f"{name}.jsonl", Console())
            assert report.complete and report.models == ["tiny"] and not report.adapted and not report.warnings()
            assert report.requests == (4 if name == "base" else 2)
            assert report.this_run.completion_tokens == sum(len(c.token_ids) for c in pools[name])
    by_id = {problem.id: problem for problem in problems}
    for candidate in (c for pool in pools.values() for c in pool):
        check_logprobs(str(model), by_id[candidate.problem_id], candidate)
    for candidate in pools["chat"] + pools["base"]:
        check_end(str(model), by_id[candidate.problem_id], candidate)
    assert all(c.finish_reason == "stop" and not set(c.text) & set("ax\n") for c in pools["stopping"])
    # The same seed and the same tokens: alone or with others, by chat or as a base prompt.
    assert [pools["chat"][i].token_ids for i in (0, 2)] == [pools["base"][i].token_ids for i in (0, 2)]
    assert len({tuple(c.token_ids) for c in pools["base"]}) == 4


def check_logprobs(model: str, problem: Problem, candidate: Candidate) -> None:
    """Against one full forward pass at the sampling temperature, fp32."""
    prompt = encode_prompt(load_tokenizer(model), problem.prompt, chat=False)
    ids = torch.tensor([[*prompt, *candidate.token_ids]])
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)(ids).logits[0, len(prompt) - 1 : -1]
    expected = (logits / 0.7).log_softmax(-1).gather(1, ids[0, len(prompt) :, None])[:, 0]
    assert len(candidate.logprobs) == len(candidate.token_ids) > 0
    assert (torch.tensor(candidate.logprobs) - expected).abs().max() < 1e-4


def check_end(model: str, problem: Problem, candidate: Candidate) -> None:
    tokenizer = load_tokenizer(model)
    ended = candidate.token_ids[-1] == tokenizer.eos_token_id
    assert candidate.finish_reason == ("stop" if ended else "length")
    assert ended or len(candidate.token_ids) == 24
    assert candidate.text == decode_response(tokenizer, candidate.token_ids, ended)
    assert candidate.code == extract(problem, candidate.text)
