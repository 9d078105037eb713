"""YAML file + dotted overrides -> :class:`Config`; unknown keys are errors that name the nearest known one."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rewardranker.config.reading import from_override, from_yaml
from rewardranker.config.rules import NO_CHOICE, check
from rewardranker.config.schema import Config
from rewardranker.config.settings import nearest, settings
from rewardranker.errors import UserError
from rewardranker.paths import AnyPath

#: Sections whose keys are names that a person chooses.
_OPEN = (
    "cluster.role_ranks.",
    "engine.lora.role_ranks.",
    "benchmark.rankers.",
    "endpoint.extra.",
    "data.options.",
    "ppo.options.",
)


def load_config(path: AnyPath | None = None, overrides: Sequence[str] = ()) -> Config:
    """Reads, merges, type-checks and validates.

    Args:
        path: a YAML file; ``None`` for the defaults.
        overrides: ``section.key=value``, later ones win.

    Raises:
        UserError: missing file, unknown key, wrong type, or a combination that cannot work.
    """
    layers: list[Any] = [_defaults()]
    known = set(_leaf_keys(dataclasses.asdict(Config())))
    if path is not None:
        layers.append(_read_yaml(Path(path)))
        _refuse_unknown(layers[-1], known, str(path))
    for item in overrides:
        layers.append(_nested(*from_override(item, Config)))
        _refuse_unknown(layers[-1], known, "command line")
    try:
        config = OmegaConf.to_object(OmegaConf.merge(*layers))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"setting {error.full_key or '?'}: {reason}") from error
    assert isinstance(config, Config)
    check(config)
    return config


@functools.cache
def _defaults() -> Any:
    """What every merge begins with a copy of; making it takes longer than all the rest."""
    return OmegaConf.structured(Config)


def to_yaml(config: Config) -> str:
    """The resolved config, loadable again with :func:`load_config`."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def digest(*sections: Any) -> str:
    """A short hash of config sections (dataclasses, lists, plain values): the same settings, the same text."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in sections]  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        beside = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise UserError(f"config file {path} does not exist; files there: {', '.join(beside) or 'none'}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"config file {path} is not UTF-8: {error}") from error
    return from_yaml(text, Config, f"config file {path}")


def _nested(names: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def _leaf_keys(tree: dict[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in tree.items():
        keys.append(prefix + name)
        if isinstance(value, dict):
            keys.extend(_leaf_keys(value, f"{prefix}{name}."))
    return keys


def _refuse_unknown(layer: dict[str, Any], known: set[str], where: str) -> None:
    for key in _leaf_keys(layer):
        if key in known or key.startswith(_OPEN):
            continue
        if key in NO_CHOICE:
            raise UserError(f"{key} in {where} cannot be set: {NO_CHOICE[key]}; leave it out")
        near = nearest(key, list(settings()))
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UserError(f"unknown setting {key!r} in {where}; {hint}`rewardranker settings [WORD]` lists them")
