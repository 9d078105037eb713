"""YAML file + dotted overrides -> :class:`Config`; unknown keys are errors that name the nearest known one."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from rewardranker.config.rules import check
from rewardranker.config.schema import Config
from rewardranker.errors import UserError

#: Sections whose keys are names that a person chooses.
_OPEN = ("cluster.role_ranks.", "benchmark.rankers.", "endpoint.extra.")


def load_config(path: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Reads, merges, type-checks and validates.

    Args:
        path: a YAML file; ``None`` for the defaults.
        overrides: ``section.key=value``, later ones win.

    Raises:
        UserError: missing file, unknown key, wrong type, or a combination that cannot work.
    """
    layers: list[Any] = [OmegaConf.structured(Config)]
    known = set(_leaf_keys(dataclasses.asdict(Config())))
    if path is not None:
        layers.append(_read_yaml(Path(path)))
        _refuse_unknown(layers[-1], known, str(path))
    layers.append(_parse_overrides(overrides))
    _refuse_unknown(layers[-1], known, "command line")
    try:
        config = OmegaConf.to_object(OmegaConf.merge(*layers))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"setting {error.full_key or '?'}: {reason}") from error
    assert isinstance(config, Config)
    check(config)
    return config


def to_yaml(config: Config) -> str:
    """The resolved config, loadable again with :func:`load_config`."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def digest(*sections: Any) -> str:
    """A short hash of config sections (dataclasses, lists, plain values): the same settings, the same text."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in sections]  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _read_yaml(path: Path) -> Any:
    if not path.is_file():
        beside = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise UserError(f"config file {path} does not exist; files there: {', '.join(beside) or 'none'}")
    try:
        loaded = OmegaConf.load(path)
    except Exception as error:  # yaml's and omegaconf's errors share no base class
        raise UserError(f"config file {path} is not valid YAML: {error}") from error
    if not OmegaConf.is_dict(loaded):
        raise UserError(f"config file {path} must hold sections such as `run:` and `ppo:` at its top level")
    return loaded


def _parse_overrides(overrides: Sequence[str]) -> Any:
    for item in overrides:
        if "=" not in item or item.startswith("-"):
            raise UserError(f"override {item!r} is not of the form section.key=value, e.g. ppo.kl.coef=0.02")
    try:
        return OmegaConf.from_dotlist(list(overrides))
    except YAMLError as error:
        raise UserError(f"the values of {' '.join(overrides)} are not valid YAML: {error}") from error


def _leaf_keys(tree: dict[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in tree.items():
        keys.append(prefix + name)
        if isinstance(value, dict):
            keys.extend(_leaf_keys(value, f"{prefix}{name}."))
    return keys


def _refuse_unknown(layer: Any, known: set[str], where: str) -> None:
    tree: Any = OmegaConf.to_container(layer, resolve=False)
    for key in _leaf_keys(tree):
        if key in known or key.startswith(_OPEN):
            continue
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "see rewardranker/config/schema.py"
        raise UserError(f"unknown setting {key!r} in {where}; {hint}")
