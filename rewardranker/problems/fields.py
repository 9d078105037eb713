"""What a row of a file must hold to become one of the project's nouns: its fields, and text where text is meant."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import Any

from rewardranker.errors import UserError, did_you_mean

Row = dict[str, Any]


def without_nulls(row: Row) -> Row:
    """What is null was left out: so tables fill up rows of unequal fields."""
    return {name: value for name, value in row.items() if value is not None}


def check_fields(row: Row, kind: type, where: str) -> None:
    """Raises :class:`UserError` where a required field of dataclass ``kind`` is missing, one is unknown, or one that
    is text is something else."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    required = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    missing, unknown = sorted(required - set(row)), sorted(set(row) - set(fields))
    if missing or unknown:
        found = [f"lacks {', '.join(missing)}"] if missing else []
        found += [f"has unknown {', '.join(unknown)}"] if unknown else []
        hint = did_you_mean(unknown[0], set(fields) - set(row)) if unknown else ""
        raise UserError(
            f"{where}: {' and '.join(found)}; the fields of a {kind.__name__} are {', '.join(fields)}{hint}"
        )
    for name in _texts(kind):
        if name in row and not isinstance(row[name], str):
            raise UserError(f"{where}: {name} must be text, found {row[name]!r:.80}")


@cache
def _texts(kind: type) -> list[str]:
    """The fields that hold text, be it any or one of a choice."""
    hints = typing.get_type_hints(kind)
    return [name for name, hint in hints.items() if hint is str or typing.get_origin(hint) is typing.Literal]
