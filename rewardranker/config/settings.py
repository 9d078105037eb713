"""The schema as a list of settings, for everything that looks at all of them: rules, help, the page, what differs."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from rewardranker.config.choices import PLACES
from rewardranker.config.schema import Config
from rewardranker.config.setting import ABOUT, About

#: In the place of the number of a list's item, in the names of its settings.
ITEM = "[]"


@dataclass(frozen=True)
class Setting:
    """One setting. ``name`` is dotted; ``kind`` and ``default`` are as a YAML file has them."""

    name: str
    kind: str
    default: str
    about: About

    @property
    def choices(self) -> tuple[str, ...]:
        """What it, or each item of it, can be; empty: anything of its type."""
        return self.about.choices + tuple(PLACES.get(self.name, ()))

    @property
    def takes_code(self) -> bool:
        """Whether it also takes ``package.module:name``."""
        return self.name in PLACES


@dataclass(frozen=True)
class Section:
    """Settings under one heading; ``name`` is empty for none, ``text`` says what they are for."""

    name: str
    text: str
    settings: list[Setting]


@functools.cache
def sections() -> list[Section]:
    """All sections in the schema's order, each before those inside it."""
    return list(_sections(Config(), ""))


@functools.cache
def settings() -> dict[str, Setting]:
    """All settings by name, but those of a list's items."""
    return {one.name: one for part in sections() for one in part.settings if ITEM not in one.name}


def nearest(name: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The known names that are most like one that is not known: by the whole of it, else by its last part."""
    whole = difflib.get_close_matches(name, known, n=most, cutoff=0.5)
    last = {one.rpartition(".")[2]: one for one in reversed(known)}
    return whole or [last[one] for one in difflib.get_close_matches(name.rpartition(".")[2], last, n=most)]


def differing(config: Config) -> dict[str, dict[str, str]]:
    """The settings that are not the default: by top-level section, each name's value as a command line takes it."""
    found: dict[str, dict[str, str]] = {}
    for (name, value), (_, default) in zip(_values(config, ""), _values(Config(), ""), strict=True):
        if value != default:
            section, _, rest = name.partition(".")
            found.setdefault(section, {})[rest] = as_text(value)
    return found


def as_text(value: Any) -> str:
    """A value as YAML's flow style has it, on one line."""
    if isinstance(value, float):
        return short if float(short := f"{value:g}") == value else repr(value)
    plain = [_own(one) if dataclasses.is_dataclass(one) else one for one in value] if type(value) is list else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _own(section: Any) -> dict[str, Any]:
    """What a list's section says beside the defaults."""
    default = vars(type(section)())
    return {name: value for name, value in vars(section).items() if value != default[name]}


def _sections(section: Any, name: str) -> Iterator[Section]:
    own, inner = [], []
    prefix = f"{name}." if name else ""
    types = typing.get_type_hints(type(section))
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            inner.append((value, prefix + field.name))
            continue
        about: About = field.metadata[ABOUT]
        own.append(Setting(prefix + field.name, _kind(types[field.name]), as_text(value), about))
        if about.items is not None:
            inner.append((about.items(), prefix + field.name + ITEM))
    if own:
        yield Section(name, " ".join((inspect.getdoc(type(section)) or "").split()), own)
    for value, inner_name in inner:
        yield from _sections(value, inner_name)


def _kind(hint: Any) -> str:
    """A type's name for people: ``list of int``."""
    origin, arguments = typing.get_origin(hint), [_kind(one) for one in typing.get_args(hint)]
    if origin is list:
        return f"list of {arguments[0]}"
    if origin is dict:
        return "dict" if arguments[1] == "any" else f"dict of {arguments[1]}"
    if origin is not None:  # a union
        return " or ".join(arguments)
    if dataclasses.is_dataclass(hint):
        return "section"
    return {Any: "any", type(None): "null"}.get(hint) or str(hint.__name__)


def _values(section: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            yield from _values(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value
