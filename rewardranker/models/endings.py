"""Which tokens end a response, and which of them a trained response ends with. Decided here and nowhere else.

A model may name several: an instruct model's turn is closed by its chat template with a token that need not be the
tokenizer's EOS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import CONFIG_NAME, GENERATION_CONFIG_NAME

from rewardranker.errors import UserError
from rewardranker.models.limits import Limits
from rewardranker.models.loading import load_tokenizer
from rewardranker.paths import AnyPath

#: What an assistant says where only what a template puts behind it is wanted; no template changes it.
_SAID = "Said0by1the2assistant"


@dataclass(frozen=True)
class Endings:
    """Of one model.

    Attributes:
        ids: sorted; each ends a response, in every engine.
        eos: the tokenizer's EOS, with which a trained response ends where the prompt is plain text.
        turn: what closes an assistant's turn in the tokenizer's chat template; EOS where the tokenizer has none, or
            the template closes a turn with ordinary text.
    """

    ids: tuple[int, ...]
    eos: int
    turn: int

    @classmethod
    def of_model(cls, path: AnyPath, tokenizer: PreTrainedTokenizerBase | None = None) -> Endings:
        """From a model directory, or of one on the hub.

        The ids are all that ``generation_config.json`` and ``config.json`` name, the tokenizer's EOS, and what closes
        a turn of its chat template. A model never says an id that it has no embedding for (-1 stands for none), so
        such an id ends nothing; only EOS stays whatever it is, for the engines to refuse.

        Args:
            tokenizer: by default the model's own.

        Raises:
            UserError: there is no tokenizer, or what a file names is no token id.
        """
        tokenizer, known = tokenizer or load_tokenizer(path), range(Limits.of_model(path).tokens)
        named, eos = named_ends(path), int(tokenizer.eos_token_id)
        turn = _turn_end(tokenizer, named | {eos})
        return cls(tuple(sorted({eos, *(i for i in (*named, turn) if i in known)})), eos, turn)

    def trained(self, chat: bool) -> int:
        """The last token of a trained response to a prompt of this form."""
        return self.turn if chat else self.eos

    def write_to(self, model: PreTrainedModel) -> None:
        """Makes ``model`` name them all, so that what it is saved as ends where it was taught to end."""
        generation = model.generation_config
        if generation is not None and set(_ids(generation.eos_token_id, "the generation config")) != set(self.ids):
            generation.eos_token_id = list(self.ids)


def named_ends(path: AnyPath) -> frozenset[int]:
    """The ids that a model's own files name as ends of a response; one of several parts may name its text part's."""
    config, generation = _config(path), _generation(path)
    text = config.get("text_config") or {}
    named = [(CONFIG_NAME, config), (f"text_config of {CONFIG_NAME}", text), (GENERATION_CONFIG_NAME, generation)]
    return frozenset(i for name, part in named for i in _ids(part.get("eos_token_id"), f"{path}: {name}"))


def _config(path: AnyPath) -> dict[str, Any]:
    try:
        return dict(PreTrainedConfig.get_config_dict(path)[0])
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path}: its {CONFIG_NAME} could not be read: {reason}") from error


def _generation(path: AnyPath) -> dict[str, Any]:
    file = Path(path) / GENERATION_CONFIG_NAME
    if Path(path).is_dir():
        try:
            return dict(json.loads(file.read_text())) if file.exists() else {}
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{file} is no JSON object: {error}; correct it or remove it") from error
    try:
        return dict(GenerationConfig.from_pretrained(path).to_dict())
    except OSError:  # the repository has none
        return {}


def _ids(named: Any, where: str) -> list[int]:
    """Ids of ``eos_token_id``: none, one, or a list of them."""
    listed = named if isinstance(named, list | tuple) else [] if named is None else [named]
    wrong = [one for one in listed if not isinstance(one, int) or isinstance(one, bool)]
    if wrong:
        raise UserError(f"{where}: eos_token_id is {named!r}, and a token id or a list of token ids is wanted")
    return list(listed)


def _turn_end(tokenizer: PreTrainedTokenizerBase, named: frozenset[int]) -> int:
    """The first special or named token behind what an assistant said; where the template closes no turn, the named
    one that opens the next."""
    special = named | {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    asked, said = {"role": "user", "content": "a"}, {"role": "assistant", "content": _SAID}
    for messages, ends in (([asked, said], special), ([asked, said, asked], named)):
        behind = tokenizer.encode(_behind(tokenizer, messages), add_special_tokens=False)
        if (end := next((i for i in behind if i in ends), None)) is not None:
            return end
    return int(tokenizer.eos_token_id)


def _behind(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]]) -> str:
    """What the chat template puts behind :data:`_SAID`; nothing where there is no template, or it takes no answer."""
    if tokenizer.chat_template is None:
        return ""
    try:
        text = str(tokenizer.apply_chat_template(messages, tokenize=False))
    except TemplateError:
        return ""
    return text.rpartition(_SAID)[2] if _SAID in text else ""
