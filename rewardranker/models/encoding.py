"""Text to token ids: exactly one BOS (where the tokenizer has one) and exactly one EOS."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from rewardranker.models.batching import TokenSequence


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: str, chat: bool) -> tuple[int, ...]:
    """A prompt's ids, ready to be continued; ``chat`` wraps it in the tokenizer's template."""
    if chat:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
        )
        return tuple(tokenizer.encode(text, add_special_tokens=False))
    ids = tokenizer.encode(prompt)
    # Some tokenizers close whatever they encode; a prompt stays open.
    return tuple(ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids)


def encode_response(tokenizer: PreTrainedTokenizerBase, completion: str) -> tuple[int, ...]:
    """A completion's ids, ending in EOS."""
    return (*tokenizer.encode(completion, add_special_tokens=False), tokenizer.eos_token_id)


def encode_pair(tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str, chat: bool) -> TokenSequence:
    """Prompt and completion as the reward model reads them, for human and generated code alike."""
    return TokenSequence(encode_prompt(tokenizer, prompt, chat), encode_response(tokenizer, completion))


def decode_response(tokenizer: PreTrainedTokenizerBase, token_ids: list[int]) -> str:
    """The text of sampled ids, without special tokens and otherwise unchanged."""
    return str(tokenizer.decode(token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
