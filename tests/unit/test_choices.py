"""What settings can name: choices of the project, and code of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rewardranker.config.choices import PLACES, chosen, imported, read_options
from rewardranker.config.loading import load_config
from rewardranker.errors import UserError
from rewardranker.training.demand import demand, uses_until
from rewardranker.training.ppo.advantages import Gae, Grpo, estimator_of


@dataclass(frozen=True)
class Options:
    directory: str
    scale: float = 1.0


@pytest.mark.parametrize("place", [p for places in PLACES.values() for p in places.values() if "vllm" not in p])
def test_every_choice_is_where_the_table_says(place: str) -> None:
    assert callable(imported(place))


def test_code_of_one_s_own_is_named_by_its_place() -> None:
    config = load_config(None, ["ppo.advantage=rewardranker.training.ppo.advantages:Grpo"])
    assert isinstance(estimator_of(config.ppo), Grpo) and chosen("ppo.advantage", "gae") is Gae
    assert len(demand(config, uses_until(""))) == len(demand(load_config(), uses_until("")))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("ppo.advantage=gea", "must be one of gae, grpo, rloo, or package.module:name.*did you mean gae"),
        ("data.source=no_such_module:corpus", "no_such_module:corpus cannot be imported"),
        ("rollout.engine=actors.rollout.pool:Nothing", "cannot be imported"),
        ("engine.kind=:torch", "cannot be imported"),
        ("cycle.extra_stages=[lengths]", "must be one of no names yet, or package.module:name"),
    ],
)
def test_what_is_no_choice_is_refused_when_the_settings_are_read(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(None, [override])


def test_options_are_read_by_their_type() -> None:
    assert read_options(Options, {"directory": "here", "scale": "2"}, "data.options") == Options("here", 2.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directry": "here"}, r"data.options.directry: no such option; .*did you mean directory"),
        ({"directory": "here", "scale": "wide"}, r"data.options.scale: .*could not be converted to Float"),
        ({"scale": 1.0}, r"data.options.directory: .*has missing mandatory value"),
    ],
)
def test_options_that_are_not_the_choice_s_are_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_options(Options, given, "data.options")
