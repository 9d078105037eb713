"""What must hold at every PPO step, or the run is training on something else than it thinks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rewardranker.config.schema import PPOConfig
from rewardranker.problems.types import Candidate


class Diverged(RuntimeError):
    """Two parts that must agree do not; going on would train on wrong numbers."""


def staleness(step: int, candidates: Sequence[Candidate], lag: int) -> int:
    """By how many versions the weights that sampled are older than those that learn.

    Args:
        step: also the version of the weights that learn in it.
        lag: what it is to be, but for the first steps, whose samples are of version 0.

    Raises:
        Diverged: a sample is of another version.
    """
    wanted, found = max(0, step - lag), sorted({candidate.weights_version for candidate in candidates})
    if found != [wanted]:
        raise Diverged(
            f"step {step}: its samples are of weights version {', '.join(map(str, found))}, and must be of {wanted}: "
            "the engines hold other weights"
        )
    return step - wanted


def logprob_gap(
    sampled: Sequence[Sequence[float]],
    recomputed: Sequence[np.ndarray],
    config: PPOConfig,
    warn: Callable[[str], None],
) -> dict[str, float]:
    """How far the engine's log-probabilities are from the trainer's, over all response tokens.

    Raises:
        Diverged: by more than ``logprob_gap_abort`` on average.
    """
    pairs = zip(sampled, recomputed, strict=True)
    gaps = np.concatenate([np.abs(np.asarray(ours) - theirs) for ours, theirs in pairs])
    mean, largest = float(gaps.mean()), float(gaps.max())
    if mean > config.logprob_gap_abort:
        raise Diverged(
            f"rollout and trainer disagree on log-probabilities by {mean:.3f} on average (limit "
            f"ppo.logprob_gap_abort={config.logprob_gap_abort}): the engines hold other weights"
        )
    if mean > config.logprob_gap_warn:
        warn(f"rollout and trainer log-probabilities differ by {mean:.4f} on average")
    return {"rollout/logprob_gap_mean": mean, "rollout/logprob_gap_max": largest}


def check_first_minibatch(step: int, metrics: Mapping[str, float], dtype: str) -> None:
    """Nothing was updated yet: the ratio is 1, and in the first step the policy is the reference.

    Raises:
        Diverged: something else (dropout, stale weights) changed the policy.
    """
    tolerance = 1e-3 if dtype == "float32" else 5e-2
    ratio, kl = metrics["actor/first_ratio"], metrics["kl/k1"] if step == 0 else 0.0
    if not math.isclose(ratio, 1.0, abs_tol=tolerance) or abs(kl) > tolerance:
        raise Diverged(
            f"first minibatch of step {step}: the ratio is {ratio} and must be 1, the KL to the reference is "
            f"{kl} and must be 0"
        )
