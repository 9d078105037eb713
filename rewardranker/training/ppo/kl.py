"""KL divergence between policy and reference: estimators from samples, and controllers of its weight."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import Tensor

from rewardranker.config.schema import KLConfig


def k1(log_ratio: Tensor) -> Tensor:
    """Unbiased, high variance: ``log p/q`` of samples from p (Schulman 2020, Approximating KL)."""
    return log_ratio


def k2(log_ratio: Tensor) -> Tensor:
    """Biased, low variance: half the squared log-ratio (same source)."""
    return 0.5 * log_ratio**2


def k3(log_ratio: Tensor) -> Tensor:
    """Unbiased, low variance and never negative: ``exp(-r) - 1 + r`` (same source)."""
    return (-log_ratio).exp() - 1 + log_ratio


@dataclass
class KLController:
    """The weight of the KL penalty: constant, or steered towards a target (Ziegler et al. 2019, section 2.2).

    ``coef`` is part of a checkpoint: a resumed run goes on with it.
    """

    coef: float
    adaptive: bool
    target: float
    horizon: int

    @classmethod
    def from_config(cls, config: KLConfig) -> KLController:
        return cls(config.coef, config.controller == "adaptive", config.target, config.horizon)

    def update(self, observed: float, samples: int) -> None:
        """Moves ``coef`` after a step.

        Args:
            observed: mean KL in nats per *sequence* (k1 summed over tokens).
            samples: sequences in the step.
        """
        if self.adaptive:
            error = min(max(observed / self.target - 1, -0.2), 0.2)
            self.coef *= 1 + error * samples / self.horizon

    def state(self) -> dict[str, float | int | bool]:
        return asdict(self)
