"""From YAML text to the values that the schema's types want: the type decides how a text is read, not its looks.

YAML 1.1 takes ``0012`` for ten, ``on`` for true, ``5328e41`` for a string in one library and infinity in another, and
``1e-5`` for a string. Here a scalar stays text until the setting that it is for says what it has to be.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from rewardranker.errors import UserError

_TRUE, _FALSE, _NULL = ("true", "yes", "on", "1"), ("false", "no", "off", "0"), ("null", "~", "none", "")
_DIGITS = 18  # of a whole number: what 64 bits hold
#: In the place of ``#`` while a command line is parsed, where nothing is a comment.
_HASH = "\ue023"


def from_yaml(text: str, schema: type, where: str) -> dict[str, Any]:
    """A YAML document of sections as plain values, typed by the dataclass ``schema``; unknown keys stay as text.

    Raises:
        UserError: no YAML, no sections, a key twice, or a value that is not what its setting wants.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{where} is not valid YAML: {error}") from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise UserError(f"{where} must hold sections such as `run:` and `ppo:` at its top level")
    return dict(_value(node, schema, ""))


def from_override(item: str, schema: type) -> tuple[list[str], Any]:
    """One ``section.key=value`` of a command line: the key's parts, and the value.

    For a string, what follows the sign is the value to the letter; only quotes around the whole of it are YAML's.
    Lists and dictionaries are YAML's flow style (``[a, b]``, ``{a: b}``), without comments.

    Raises:
        UserError: not of that form, or a value that is not what its setting wants.
    """
    key, sign, text = item.partition("=")
    if not sign or item.startswith("-") or not all(key.split(".")):
        raise UserError(f"override {item!r} is not of the form section.key=value, e.g. ppo.kl.coef=0.02")
    names = key.split(".")
    kind = _kind_of(names, schema)
    if kind is str and not _quoted(text):
        return names, text
    try:
        node = yaml.compose(text.replace("#", _HASH), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"setting {key}: {text!r} is not valid YAML: {error}") from error
    return names, _value(node if node is not None else yaml.ScalarNode("", ""), kind, key)


def _quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\""


def _kind_of(names: list[str], schema: Any) -> Any:
    """The type of a setting; ``str`` for one that the schema does not know, which is refused later, by name."""
    kind = schema
    for name in names:
        if dataclasses.is_dataclass(kind):
            kind = typing.get_type_hints(kind).get(name, str)
        elif typing.get_origin(kind) is dict:
            kind = typing.get_args(kind)[1]
        elif kind is not Any:
            return str
    return kind


def _value(node: yaml.Node, kind: Any, key: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return _any(node, key)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        return None if plain and node.value.lower() in _NULL else _value(node, inner, key)
    if isinstance(node, yaml.ScalarNode) and node.value.startswith("${") and not node.style:
        return _text(node)  # OmegaConf's reference to another setting
    if dataclasses.is_dataclass(kind) or origin is dict:
        return _mapping(node, kind, key)
    if origin is list:
        if not isinstance(node, yaml.SequenceNode):
            raise _unfit(key, node, "a list such as [a, b]")
        return [_value(item, arguments[0], f"{key}[{i}]") for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.ScalarNode):
        if kind is str and key.count(".") == 0:  # a section that the schema does not know
            return _any(node, key)
        raise _unfit(key, node, {str: "a text", bool: "true or false"}.get(kind, "a number"))
    return _SCALARS[kind](_text(node), key)


def _mapping(node: yaml.Node, kind: Any, key: str) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _unfit(key, node, "a section of settings such as {a: b}")
    yaml.SafeLoader("").flatten_mapping(node)
    found: dict[str, Any] = {}
    for name_node, item in node.value:
        name = _text(name_node) if isinstance(name_node, yaml.ScalarNode) else str(name_node.value)
        inner = f"{key}.{name}" if key else name
        if name in found:
            raise UserError(f"setting {inner} is there twice; remove one of them")
        found[name] = _value(item, _kind_of([name], kind), inner)
    return found


def _any(node: yaml.Node, key: str) -> Any:
    """Of no certain type, as JSON would have it: only a plain text that is a number, true, false or null is one."""
    if isinstance(node, yaml.SequenceNode):
        return [_any(item, key) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_text(name): _any(item, key) for name, item in node.value}
    text = _text(node)
    if isinstance(node, yaml.ScalarNode) and node.style:
        return text
    if text.lower() in ("true", "false", *_NULL):
        return {"true": True, "false": False}.get(text.lower())
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _text(node: yaml.Node) -> str:
    return str(node.value).replace(_HASH, "#")


def _whole(text: str, key: str) -> int:
    try:
        number = Decimal(text)
        if number.is_finite() and number.adjusted() <= _DIGITS and number == int(number):
            return int(number)
    except InvalidOperation:
        pass
    raise UserError(f"setting {key}: {text!r} is not a whole number such as 100 or 1e2")


def _real(text: str, key: str) -> float:
    try:
        number = float({".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}.get(text.lower(), text))
        if number == number:
            return number
    except ValueError:
        pass
    raise UserError(f"setting {key}: {text!r} is not a number such as 0.02 or 1e-5")


def _truth(text: str, key: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise UserError(f"setting {key}: {text!r} is neither true nor false")
    return text.lower() in _TRUE


_SCALARS: dict[Any, Any] = {str: lambda text, key: text, int: _whole, float: _real, bool: _truth}


def _unfit(key: str, node: yaml.Node, wanted: str) -> UserError:
    found = {yaml.ScalarNode: "a single value", yaml.SequenceNode: "a list"}.get(type(node), "a section")
    shown = f" ({_text(node)!r})" if isinstance(node, yaml.ScalarNode) else ""
    return UserError(f"setting {key} has to be {wanted}, and is {found}{shown}")
