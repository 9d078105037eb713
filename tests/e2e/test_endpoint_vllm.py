"""The endpoint sampler against vLLM's own OpenAI server, on CPU, with a model that is made here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM

from actors.rollout.worker import VLLM_CPU_ENV
from rewardranker.config.schema import FamilyConfig, TinyConfig
from rewardranker.execution.extraction import extract
from rewardranker.generation.endpoint import EndpointConfig, sample_endpoint
from rewardranker.models.encoding import decode_response, encode_prompt
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import build_family, family_corpus_texts
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.console import Console

TEMPLATE = "{{ messages[0]['content'] }}"  # so that chat and base prompts are the same tokens
SERVER = {**VLLM_CPU_ENV, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


@contextmanager
def serving(model: Path, log: Path) -> Iterator[str]:
    """vLLM's server in a process group of its own, ready; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        **{"model": model, "served-model-name": "tiny", "host": "127.0.0.1", "port": port, "dtype": "float32"},
        **{"max-model-len": 128, "max-num-seqs": 8, "kv-cache-memory-bytes": 64 << 20, "chat-template": TEMPLATE},
        **{"generation-config": "vllm", "logprobs-mode": "processed_logprobs"},
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager", *words]
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env=os.environ | SERVER, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 480
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError(f"not ready after 480 s: {log.read_text()[-3000:]}")


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
    assert candidate.text == decode_response(tokenizer, candidate.token_ids)
    assert candidate.code == extract(problem, candidate.text)
