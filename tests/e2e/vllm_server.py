"""vLLM's own OpenAI server, on CPU, for the tests that ask one."""

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

from actors.rollout.worker import VLLM_CPU_ENV

TEMPLATE = "{{ messages[0]['content'] }}"  # so that chat and base prompts are the same tokens
SERVER = {**VLLM_CPU_ENV, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


@contextmanager
def serving(model: Path, log: Path, max_tokens: int = 128, scores: bool = False) -> Iterator[str]:
    """vLLM's server in a process group of its own, ready; its address. The model is called ``tiny``.

    Args:
        scores: it is asked for numbers of texts, and not for texts.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        **{"model": model, "served-model-name": "tiny", "dtype": "float32", "kv-cache-memory-bytes": 64 << 20},
        **{"host": "127.0.0.1", "port": port, "max-model-len": max_tokens, "max-num-seqs": 8},
    }
    writes = {"chat-template": TEMPLATE, "generation-config": "vllm", "logprobs-mode": "processed_logprobs"}
    options |= {"runner": "pooling"} if scores else writes
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
