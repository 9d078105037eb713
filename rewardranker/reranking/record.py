"""What a trained ranker's directory records of its training (``training.json``), and settings held against it.

A network that was trained on problems inside a chat template ranks badly, and without a word, on bare ones; so what
training recorded is what ranking does, and a setting that says otherwise is an error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.runs.atomic import write_json

RECORD = "training.json"


@dataclass(frozen=True)
class Reading:
    """How a ranker reads problem and program.

    Attributes:
        kind: ``rewardranker``, ``coderanker`` or ``lever``; a verifier reads a text of LEVER's form.
        chat: the problem is what a user says.
        max_tokens: of a verifier's text; 0 where nothing says.
    """

    kind: str
    chat: bool
    max_tokens: int = 0


def write_record(directory: AnyPath, asked: dict[str, Any], **more: Any) -> None:
    """Writes the record beside a model. ``asked`` has at least ``kind`` and ``chat``, and ``max_tokens`` if known."""
    write_json(Path(directory) / RECORD, {"asked": asked, **more})


def recorded(model: str) -> Reading | None:
    """What a model directory records; ``None`` for one from elsewhere, and for a name on the hub.

    Raises:
        UserError: there is a record that cannot be read.
    """
    path = Path(model) / RECORD
    if not path.is_file():
        return None
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        return Reading(str(asked["kind"]), bool(asked["chat"]), int(asked.get("max_tokens") or 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is no record of a training ({type(error).__name__}: {error}); remove it to say by settings "
            "how the model reads"
        ) from error


def reading(model: str, kind: str, chat: bool | None, otherwise: Reading, settings: tuple[str, str]) -> Reading:
    """How a model reads: as recorded, else as the settings say, else ``otherwise``.

    Args:
        kind: what the model is used as, of ``settings[0]``.
        chat: what ``settings[1]`` says; ``None`` where it says nothing.
        settings: the user's names for both.

    Raises:
        UserError: a setting contradicts the record; says both.
    """
    found = recorded(model)
    if found is None:
        return Reading(kind, otherwise.chat if chat is None else chat, otherwise.max_tokens)
    place = f"{Path(model) / RECORD}"
    if kind != found.kind:
        raise UserError(
            f"{settings[0]} uses {model} as {kind}, but {place} says that it was trained as "
            f"{found.kind}: use it as that"
        )
    if kind != "lever" and chat is not None and chat != found.chat:
        said, was = ("with" if flag else "without" for flag in (chat, found.chat))
        raise UserError(
            f"{settings[1]} asks for problems {said} the chat template, but {place} says that {model} was trained "
            f"{was} it: leave the setting out"
        )
    return Reading(kind, found.chat, found.max_tokens or otherwise.max_tokens)
