"""What is checked at every PPO step."""

from __future__ import annotations

import numpy as np
import pytest

from actors.pipeline.ppo.checks import Diverged, check_first_minibatch, logprob_gap, staleness
from rewardranker.config.schema import PPOConfig
from rewardranker.problems.types import Candidate


def gap(*differences: float) -> tuple[dict[str, float], list[str]]:
    warnings: list[str] = []
    theirs = [np.array([-1.0, -2.0], np.float32)]
    ours = [[-1.0 + differences[0], -2.0 + differences[1]]]
    return logprob_gap(ours, theirs, PPOConfig(), warnings.append), warnings


def test_the_gap_between_engine_and_trainer_is_measured_warned_of_and_refused() -> None:
    metrics, warnings = gap(0.002, -0.004)
    assert metrics["rollout/logprob_gap_mean"] == pytest.approx(0.003, abs=1e-6)
    assert metrics["rollout/logprob_gap_max"] == pytest.approx(0.004, abs=1e-6)
    assert warnings == []
    assert len(gap(0.02, 0.02)[1]) == 1
    with pytest.raises(Diverged, match="the engines hold other weights"):
        gap(0.8, 0.8)


def test_samples_are_of_the_version_that_the_mode_asks_for() -> None:
    def age(step: int, lag: int, *versions: int) -> int:
        samples = [Candidate("p", "python", "", "", "gen", weights_version=version) for version in versions]
        return staleness(step, samples, lag)

    assert (age(0, 0, 0), age(7, 0, 7, 7), age(0, 1, 0), age(1, 1, 0), age(7, 1, 6, 6)) == (0, 0, 0, 1, 1)
    for step, lag, versions in ((7, 0, [6]), (7, 1, [7]), (7, 1, [5]), (7, 1, [6, 7]), (1, 1, [1])):
        with pytest.raises(Diverged, match=f"step {step}: its samples are of weights version .*, and must be of"):
            age(step, lag, *versions)


@pytest.mark.parametrize(
    ("step", "ratio", "kl", "fine"),
    [(0, 1.0, 0.0, True), (0, 1.01, 0.0, False), (0, 1.0, 0.01, False), (3, 1.0, 0.5, True), (3, 0.9, 0.5, False)],
)
def test_the_first_ratio_is_one_and_the_first_kl_zero(step: int, ratio: float, kl: float, fine: bool) -> None:
    metrics = {"actor/first_ratio": ratio, "kl/k1": kl}
    if fine:
        check_first_minibatch(step, metrics, "float32")
    else:
        with pytest.raises(Diverged, match="must be 1"):
            check_first_minibatch(step, metrics, "float32")
