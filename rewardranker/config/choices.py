"""What a setting can name, and where its code is: one line for each choice. Nothing is imported before it is chosen.

A setting also takes ``package.module:name``, for code that is not of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, TypeVar

from rewardranker.errors import UserError, did_you_mean

#: What each of them has to be is said in ``docs/extending.md``, and where its protocol is.
PLACES: dict[str, dict[str, str]] = {
    "data.source": {
        "family": "rewardranker.problems.family:family_corpus",
        "mbpp": "rewardranker.problems.mbpp:mbpp_corpus",
        "code_contests": "rewardranker.problems.contests.code_contests:code_contests_corpus",
        "code_contests_plus": "rewardranker.problems.contests.code_contests_plus:code_contests_plus_corpus",
        "codeforces": "rewardranker.problems.contests.codeforces:codeforces_corpus",
        "made_contests": "rewardranker.problems.contests.made_contests:made_contests_corpus",
    },
    "ppo.advantage": {
        "gae": "rewardranker.training.ppo.advantages:Gae",
        "grpo": "rewardranker.training.ppo.advantages:Grpo",
        "rloo": "rewardranker.training.ppo.advantages:Rloo",
    },
    "engine.kind": {
        "torch": "rewardranker.training.torch_engine:TorchEngine",
        "deepspeed": "actors.engines.deepspeed:DeepSpeedEngine",
        "fsdp2": "actors.engines.fsdp2:Fsdp2Engine",
    },
    "rollout.engine": {
        "transformers": "actors.rollout.transformers:transformers_engine",
        "vllm": "actors.rollout.vllm:vllm_engine",
    },
    "cycle.extra_stages": {},
}


@dataclass(frozen=True)
class Stage:
    """A command that runs the cycle up to one of its stages.

    Attributes:
        last: the stage's name, without its number.
        what: what there is then, for the command's help.
    """

    last: str
    what: str


#: The cycle's own commands, in its order.
STAGES = {
    "data": Stage("data", "its data: problems and solutions"),
    "sft": Stage("sft", "the fine-tuned generator"),
    "reward": Stage("reward-1", "the first reward model"),
    "ppo": Stage("ppo-1", "the first PPO policy"),
    "mine": Stage("mine-2", "the first mined hard negatives"),
}

T = TypeVar("T")


def check_choice(setting: str, name: str, also: tuple[str, ...] = ()) -> None:
    """Raises :class:`UserError` where the setting has no such choice, or names code that cannot be imported."""
    if ":" in name:
        imported(name)
    elif name not in PLACES[setting] and name not in also:
        known = [*also, *PLACES[setting]]
        raise UserError(
            f"{setting}={name!r}: must be one of {', '.join(known) or 'no names yet'}, or package.module:name for "
            f"code of your own{did_you_mean(name, known)}"
        )


def chosen(setting: str, name: str) -> Any:
    """What the setting's value stands for: a class or a function, imported now.

    Raises:
        UserError: see :func:`check_choice`.
    """
    check_choice(setting, name)
    return imported(PLACES[setting].get(name, name))


def read_options(options: type[T], given: Mapping[str, Any], section: str) -> T:
    """A choice's own options: ``options`` is a dataclass, ``given`` its values in the config.

    Raises:
        UserError: an option that the dataclass does not have, one that is not of its type, or one that it needs and
            that is not given.
    """
    # Not needed by the mathematics, which reads no options.
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    known = [field.name for field in fields(options)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise UserError(
                f"{section}.{key}: no such option; there are {', '.join(known) or 'none'}{did_you_mean(key, known)}"
            )
    try:
        read = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(options), dict(given)))
    except OmegaConfBaseException as error:
        raise UserError(f"setting {section}.{error.full_key or '?'}: {str(error).splitlines()[0]}") from error
    assert isinstance(read, options)
    return read


def imported(place: str) -> Any:
    """What ``package.module:name`` stands for.

    Raises:
        UserError: it cannot be imported.
    """
    module, _, attribute = place.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{place} cannot be imported ({error}); the module has to be installed or on PYTHONPATH, on every node"
        ) from None
