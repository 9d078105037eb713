"""Prompts that leave no room for an answer are refused before the first one is sampled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from judging import problem

from actors.pipeline.shards import Plan, require_room
from rewardranker.config.loading import load_config
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.encoding import encode_prompt
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.types import Test


@pytest.mark.parametrize("vllm", [False, True])
def test_the_first_of_those_that_are_too_long_is_named(tmp_path: Path, vllm: bool) -> None:
    """As many tokens as there are positions, or as vLLM is to read, and one fewer."""
    build_tiny_model(TinyConfig(hidden=24, layers=1, heads=2, max_positions=64), tmp_path, ["wa wb wc"], seed=0)
    tokenizer = load_tokenizer(str(tmp_path))
    more = ["rollout.engine=vllm", "model.tiny.hidden=64", "model.tiny.heads=2", "rollout.max_model_len=40"]
    config = load_config(None, more if vllm else [])
    limit, setting = (40, "rollout.max_model_len") if vllm else (64, "positions of the model")
    asked = problem("program", (Test("assert True"),), id="p")

    def of(tokens: int) -> str:
        text = "wa " * 80
        while len(encode_prompt(tokenizer, text, False)) > tokens:
            text = text[:-1]
        assert len(encode_prompt(tokenizer, text, False)) == tokens
        return text

    plan = Plan.from_config(config, tmp_path, "made", "generate", 1)
    fits = [replace(asked, id="short", prompt="wa"), replace(asked, id="fits", prompt=of(limit - 1))]
    require_room(config, plan, fits, tokenizer)
    told = rf"1 of 3 prompts .* \({setting}: {limit}\); the first, of long, has {limit} tokens"
    with pytest.raises(UserError, match=told):
        require_room(config, plan, [*fits, replace(asked, id="long", prompt=of(limit))], tokenizer)
