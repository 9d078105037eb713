"""vLLM's own server scores with an exported reward model as we do."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from scored_elsewhere import PAIRS, exported
from vllm_server import serving


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.parametrize("kind", ["no_pad", "bos"])
def test_vllm_classifies_and_scores_as_we_do(kind: str, tmp_path: Path) -> None:
    """``/classify`` of the whole text, and ``/score`` of prompt and program; nothing is applied to the number."""
    directory, ours = exported(kind, tmp_path)
    with serving(directory, tmp_path / "server.log", scores=True) as url:
        root = url.removesuffix("/v1")
        texts = [prompt + completion for prompt, completion in PAIRS]
        answer = httpx.post(f"{root}/classify", json={"model": "tiny", "input": texts}, timeout=60).raise_for_status()
        classified = [row["probs"][0] for row in answer.json()["data"]]
        scored = []
        for prompt, completion in PAIRS:
            asked = {"model": "tiny", "text_1": prompt, "text_2": completion}
            answer = httpx.post(f"{root}/score", json=asked, timeout=60).raise_for_status()
            scored.append(answer.json()["data"][0]["score"])
    assert classified == pytest.approx(ours, abs=1e-4)
    assert scored == pytest.approx(ours, abs=1e-4)
