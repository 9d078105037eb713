"""Prompts through real chat templates: one beginning, one end, and the ids that other harnesses get."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_data import mbpp_row, multipl_e_row, write_lines
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from rewardranker.models.encoding import decode_response, encode_pair, encode_prompt
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.prompts import STYLES, Shot, styled
from rewardranker.problems.types import Problem

BOS, EOS = "<|begin|>", "<|EOT|>"
SYSTEM = "You are an AI programming assistant, and you only answer questions related to computer science.\n"

# The form of DeepSeek-Coder's: a system line unless one is given, "### Instruction:" and "### Response:".
DEEPSEEK = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] != 'system' %}{{ '" + SYSTEM.replace("\n", "\\n") + "' }}{% endif %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}"
    "{% elif message['role'] == 'user' %}{{ '### Instruction:\\n' + message['content'] + '\\n' }}"
    "{% else %}{{ '### Response:\\n' + message['content'] + '\\n<|EOT|>\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}"
)
# ChatML, as Qwen's and SmolLM2's, which begins with no BOS.
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# SmolLM2's own, whose turns begin with its BOS and end with its EOS.
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer(template: str, bos: str = BOS, eos: str = EOS) -> PreTrainedTokenizerFast:
    """Bytes as tokens, with a BOS that every encoding begins with, as Llama's and DeepSeek's tokenizers do."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate([BOS, EOS, "<|im_start|>", "<|im_end|>", *letters])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.TemplateProcessing(f"{bos} $A", special_tokens=[(bos, vocabulary[bos])])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=bos,
        eos_token=eos,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        chat_template=template,
    )


def asked(tmp_path: Path, style: str) -> Problem:
    if style.startswith("mbpp"):
        problem = load_benchmark("mbpp", write_lines(tmp_path / "rows.jsonl", [mbpp_row(11)]))[0]
        return styled(problem, style, [Shot("Say é.", ("assert f()",), "def f():\n\treturn 1")] * 3)
    return styled(load_benchmark("multipl_e", write_lines(tmp_path / "rows.jsonl", [multipl_e_row(53)]))[0], style)


@pytest.mark.parametrize("style", [name for name in STYLES if name != "plain"])
def test_one_beginning_and_one_end(tmp_path: Path, style: str) -> None:
    problem, codec = asked(tmp_path, style), tokenizer(DEEPSEEK)
    pair = encode_pair(codec, problem.prompt, "return 1\n", STYLES[style].chat)
    ids = [*pair.prompt_ids, *pair.response_ids]
    assert ids[0] == codec.bos_token_id and ids.count(codec.bos_token_id) == 1
    assert ids[-1] == codec.eos_token_id and ids.count(codec.eos_token_id) == 1
    assert decode_response(codec, list(pair.response_ids)) == "return 1\n"
    shown = f"{SYSTEM}### Instruction:\n{problem.prompt}\n### Response:\n"
    assert codec.decode(pair.prompt_ids) == BOS + (shown if STYLES[style].chat else problem.prompt)


def test_a_real_template_begins_and_ends_every_turn_once() -> None:
    """The three turns of SmolLM2's, written out: no BOS that the tokenizer adds before the template's own, no second
    EOS after the answer's, and what is trained on is what the template makes of the whole conversation."""
    codec = tokenizer(SMOLLM2, "<|im_start|>", "<|im_end|>")
    assert codec.encode("x")[0] == codec.bos_token_id  # it does add one wherever it may
    pair = encode_pair(codec, "Say é.", "return 1\n", chat=True)
    shown = (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nSay é.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    ids = [*pair.prompt_ids, *pair.response_ids]
    assert codec.decode(pair.prompt_ids) == shown
    assert codec.decode(ids) == f"{shown}return 1\n<|im_end|>"
    assert [ids.count(token) for token in (codec.bos_token_id, codec.eos_token_id)] == [3, 3]
    assert pair.response_ids.count(codec.eos_token_id) == 1 and ids[-1] == codec.eos_token_id
    messages = [{"role": "user", "content": "Say é."}, {"role": "assistant", "content": "return 1\n"}]
    whole = codec.apply_chat_template(messages, return_dict=False)
    assert whole == [*ids, *codec.encode("\n", add_special_tokens=False)]


@pytest.mark.parametrize("template", [DEEPSEEK, CHATML])
def test_ids_of_a_chat_prompt_are_those_of_the_template(tmp_path: Path, template: str) -> None:
    """As the evaluation scripts call it: ``apply_chat_template(..., add_generation_prompt=True)``, tokenized."""
    problem, codec = asked(tmp_path, "instruct"), tokenizer(template)
    messages = [{"role": "user", "content": problem.prompt}]
    expected = codec.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert encode_prompt(codec, problem.prompt, chat=True) == tuple(expected)
    assert expected.count(codec.bos_token_id) == (template == DEEPSEEK)
    assert codec.eos_token_id not in expected


def test_a_base_prompt_is_encoded_as_the_scripts_do(tmp_path: Path) -> None:
    problem, codec = asked(tmp_path, "base"), tokenizer(CHATML)
    ids = encode_prompt(codec, problem.prompt, chat=False)
    assert ids == tuple(codec.encode(problem.prompt)) and ids[0] == codec.bos_token_id
    assert codec.decode(ids, skip_special_tokens=True) == problem.prompt == problem.prompt.strip()
