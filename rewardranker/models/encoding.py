"""Text to token ids: exactly one BOS (where the tokenizer has one) and exactly one token that ends it."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from rewardranker.models.batching import TokenSequence
from rewardranker.models.endings import Endings

#: Turns of a chat, ``{"role": ..., "content": ...}``.
Conversation = list[dict[str, str]]


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: str | Conversation, chat: bool) -> tuple[int, ...]:
    """A prompt's ids, ready to be continued; ``chat`` puts what a user says, or turns, in the template."""
    if chat:
        return tuple(tokenizer.encode(_as_chat(tokenizer, prompt), add_special_tokens=False))
    assert isinstance(prompt, str)
    return (*opening(tokenizer), *tokenizer.encode(prompt, add_special_tokens=False))


def same_tokens(one: PreTrainedTokenizerBase, other: PreTrainedTokenizerBase) -> bool:
    """Whether an id means the same token to both, so that a network that knows one's tokens can read the other's."""
    return bool(one.get_vocab() == other.get_vocab())


def opening(tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The ids that a tokenizer puts before any text, such as BOS. What it may put behind is left out: a prompt stays
    open."""
    bare, framed = (tokenizer.encode("a", add_special_tokens=special) for special in (False, True))
    starts = (i for i in range(len(framed)) if framed[i : i + len(bare)] == bare)
    return tuple(framed[: next(starts, 0)])


def encode_response(tokenizer: PreTrainedTokenizerBase, completion: str, end: int | None = None) -> tuple[int, ...]:
    """A completion's ids, ending in ``end``, by default EOS."""
    ids = tokenizer.encode(completion, add_special_tokens=False)
    return (*ids, tokenizer.eos_token_id if end is None else end)


def encode_continuation(
    tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str, chat: bool, endings: Endings
) -> TokenSequence:
    """Prompt and completion as a generator writes them: the completion goes on from the prompt's own tokens, and ends
    as a turn of this form ends."""
    response = encode_response(tokenizer, completion, endings.trained(chat))
    return TokenSequence(encode_prompt(tokenizer, prompt, chat), response)


def encode_pair(
    tokenizer: PreTrainedTokenizerBase, prompt: str | Conversation, completion: str, chat: bool
) -> TokenSequence:
    """Prompt and completion as a scorer reads them, for human and generated code alike: as one text, and EOS.

    A token may reach over the place where they meet. This is what the tokenizer of an exported scorer makes of
    :func:`scored_text`, so that scores elsewhere are scores here. As the prompt of the sequence counts what the text
    has in common with the prompt's own tokens; a scorer reads no difference between the two parts.
    """
    return encode_pairs(tokenizer, [(prompt, completion)], chat)[0]


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str | Conversation, str]], chat: bool
) -> list[TokenSequence]:
    """:func:`encode_pair` of many; a prompt that comes again is cut into tokens once."""
    texts = [scored_text(tokenizer, prompt, completion, chat) for prompt, completion in pairs]
    begin = () if chat else opening(tokenizer)
    prompts: dict[str, tuple[int, ...]] = {}
    rows = []
    for (prompt, _), ids in zip(pairs, tokenizer(texts, add_special_tokens=False)["input_ids"], strict=True):
        key = str(prompt)
        if key not in prompts:
            prompts[key] = encode_prompt(tokenizer, prompt, chat)
        rows.append(_split((*begin, *ids), prompts[key], tokenizer.eos_token_id))
    return rows


def _split(ids: tuple[int, ...], own: tuple[int, ...], end: int) -> TokenSequence:
    """A text's ids where they cease to be its prompt's ``own``."""
    shared = next((i for i, (a, b) in enumerate(zip(ids, own, strict=False)) if a != b), min(len(ids), len(own)))
    if own and ids:
        shared = max(1, shared)
    return TokenSequence(ids[:shared], (*ids[shared:], end))


def scored_text(tokenizer: PreTrainedTokenizerBase, prompt: str | Conversation, completion: str, chat: bool) -> str:
    """The one text that a scorer reads of a pair."""
    if chat:
        return _as_chat(tokenizer, prompt) + completion
    assert isinstance(prompt, str)
    return prompt + completion


def _as_chat(tokenizer: PreTrainedTokenizerBase, prompt: str | Conversation) -> str:
    said = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return str(tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False))


def decode_response(tokenizer: PreTrainedTokenizerBase, token_ids: list[int], ended: bool = False) -> str:
    """The text of sampled ids, without special tokens and otherwise unchanged.

    Args:
        ended: the last id is the one that ended the response, which is no text whatever the tokenizer takes it for.
    """
    said = token_ids[:-1] if ended else token_ids
    return str(tokenizer.decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False))
