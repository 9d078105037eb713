"""Which tokens end a response: what the model's files name, the tokenizer's EOS, and what closes a chat turn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_prompt_encoding import CHATML, DEEPSEEK, EOS, tokenizer
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from actors.roles.policy import Policy
from actors.rollout.worker import rollout_engine
from rewardranker.config.schema import Config, EngineConfig, ModelConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.generation.candidates import to_candidates
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.models.encoding import encode_continuation, encode_response
from rewardranker.models.endings import Endings
from rewardranker.models.loading import load_tokenizer
from rewardranker.problems.types import Problem
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

#: Ids of the tokenizer that test_prompt_encoding makes.
BEGIN, EOT, START, END, LETTER = 0, 1, 2, 3, 40
PROBLEM = Problem(
    id="p", language="python", prompt="", entry_point="", style="program", tests=(), split="train", revision="0"
)


def made(directory: Path, template: str | None = CHATML, **eos: Any) -> Path:
    """A model with ``config`` and ``generation`` as what its two files name; none of them: no such entry."""
    codec = tokenizer(template or "")
    codec.chat_template = template
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(codec), initializer_range=0.15, bos_token_id=0, **sizes))
    model.save_pretrained(directory)
    codec.save_pretrained(directory)
    for name, key in (("config.json", "config"), ("generation_config.json", "generation")):
        row = json.loads((directory / name).read_text())
        row.pop("eos_token_id", None)
        row |= {"eos_token_id": eos[key]} if key in eos else {}
        (directory / name).write_text(json.dumps(row))
    return directory


@pytest.mark.parametrize(
    ("template", "named", "ids", "turn"),
    [
        (CHATML, {"config": EOT, "generation": [END, EOT]}, (EOT, END), END),
        (CHATML, {"config": [END, LETTER]}, (EOT, END, LETTER), END),
        (CHATML, {"config": EOT}, (EOT, END), END),  # a base model asked by chat: no file names the turn's end
        (DEEPSEEK, {"generation": [EOT, LETTER]}, (EOT, LETTER), EOT),
        (None, {"config": [LETTER], "generation": START}, (EOT, START, LETTER), EOT),
        (None, {}, (EOT,), EOT),
        (None, {"config": -1, "generation": [EOT, 100_000]}, (EOT,), EOT),  # ids that no token has
        ("{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}", {}, (EOT,), EOT),
        # GLM's form: nothing closes the answer, and the next turn's opening is what the model names.
        ("{% for m in messages %}<|im_start|>{{ m['content'] }}{% endfor %}", {"config": START}, (EOT, START), START),
        # Takes no answers at all.
        ("{% for m in messages %}{% if m['role'] != 'user' %}{{ raise_exception('no') }}{% endif %}{% endfor %}",
         {"config": END}, (EOT, END), EOT),
    ],
)  # fmt: skip
def test_ends_of_a_model(
    tmp_path: Path, template: str | None, named: dict[str, Any], ids: tuple[int, ...], turn: int
) -> None:
    endings = Endings.of_model(str(made(tmp_path, template, **named)))
    assert endings == Endings(ids, EOT, turn)
    codec = load_tokenizer(str(tmp_path))
    assert encode_continuation(codec, "a", "b", False, endings).response_ids[-1] == EOT
    assert encode_response(codec, "b")[-1] == EOT == codec.convert_tokens_to_ids(EOS)
    if template:
        assert encode_continuation(codec, "a", "b", True, endings).response_ids == (
            *encode_response(codec, "b")[:-1],
            turn,
        )


@pytest.mark.parametrize("wrong", ["2", [1, "2"], True, {"id": 2}, 1.5])
def test_what_is_no_token_id_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(UserError, match="generation_config.json: eos_token_id is .*a list of token ids is wanted"):
        Endings.of_model(str(made(tmp_path, generation=wrong)))


def test_every_named_end_ends_a_sampled_response_and_is_no_text(tmp_path: Path) -> None:
    """A letter that the model names is as much an end as a special token; half of the vocabulary is named, so that
    nearly all responses end."""
    named = list(range(LETTER, LETTER + 130))
    path = str(made(tmp_path, config=EOT, generation=named))
    ends = Endings.of_model(path).ids
    assert set(ends) == {EOT, END, *named}
    engine = rollout_engine(Config(model=ModelConfig(path=path)), path, 0, "cpu")
    requests = [Request("p", (BEGIN, 5 + i), i) for i in range(40)]
    responses = engine.generate(requests, Sampling(max_new_tokens=6))
    codec = load_tokenizer(path)
    pool = to_candidates(requests, responses, {"p": PROBLEM}, codec, "gen:x")
    for response, candidate in zip(responses, pool, strict=True):
        assert candidate.finish_reason == ("stop" if response.token_ids[-1] in ends else "length")
        assert not set(ends) & set(response.token_ids[:-1])
        said = response.token_ids[:-1] if candidate.finish_reason == "stop" else response.token_ids
        assert candidate.text == codec.decode(said, skip_special_tokens=True)
    assert len({r.token_ids[-1] for r in responses if r.finish_reason == "stop"}) > 5


def test_what_reached_the_limit_keeps_its_last_letter() -> None:
    codec, asked = tokenizer(CHATML), Request("p", (1,), 0)
    said = codec.encode("ab", add_special_tokens=False)
    for reason, text in (("length", "ab"), ("stop", "a")):
        response = Response(said, np.zeros(2, np.float32), reason, 0)
        assert to_candidates([asked], [response], {"p": PROBLEM}, codec, "gen:x")[0].text == text


@pytest.mark.parametrize(
    "named", [{"config": EOT, "generation": [END, LETTER]}, {"config": [EOT, LETTER], "generation": EOT}]
)
def test_a_saved_policy_names_all_ends(tmp_path: Path, named: dict[str, Any]) -> None:
    path = str(made(tmp_path / "base", **named))
    setup = NetworkSetup(path, path, EngineConfig(), 1000, optim=OptimConfig(), total_steps=1)
    Policy(setup, Rank()).export(str(tmp_path / "once"))
    Policy(replace(setup, model_path=str(tmp_path / "once")), Rank()).export(str(tmp_path / "twice"))
    for saved in (tmp_path / "once", tmp_path / "twice"):
        assert Endings.of_model(str(saved)) == Endings.of_model(path)
        assert json.loads((saved / "generation_config.json").read_text())["eos_token_id"] == [EOT, END, LETTER]
        assert AutoModelForCausalLM.from_pretrained(saved).generation_config.eos_token_id == [EOT, END, LETTER]
