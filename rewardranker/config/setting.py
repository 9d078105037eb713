"""What a setting says of itself, beside its type and its default."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

#: The key in a dataclass field's metadata.
ABOUT = "about"


@dataclass(frozen=True)
class About:
    """One sentence for people; the unit of a number that has one; the names that a text, or each of a list, can be
    (of a setting in :data:`rewardranker.config.choices.PLACES`: those beside the names there)."""

    sentence: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    items: type | None = None


def setting(
    default: Any, sentence: str, *, unit: str = "", choices: tuple[str, ...] = (), items: type | None = None
) -> Any:
    """A field of a section of settings.

    Args:
        items: of a list of sections, the section's class.
    """
    about = {ABOUT: About(sentence, unit, choices, items)}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: copy.deepcopy(default), metadata=about)
    return field(default=default, metadata=about)
