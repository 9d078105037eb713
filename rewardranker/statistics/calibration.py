"""Whether a score can be read as a probability: Platt scaling on one part, measured on another.

A Bradley-Terry score is only defined up to a constant per prompt, so its own sigmoid means nothing. Two
parameters for a whole pool, fitted on some problem groups and tested on others, say how much of "will this
program pass?" the score answers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rewardranker.errors import UserError
from rewardranker.statistics.clusters import Values

_STEPS = 100
_RIDGE = 1e-12  # on the Hessian, as in Lin et al.


@dataclass(frozen=True)
class Platt:
    """``P(correct) = sigmoid(slope * score + offset)``."""

    slope: float
    offset: float

    def __call__(self, scores: Values) -> np.ndarray:
        """``[N]`` probabilities."""
        return _sigmoid(self.slope * np.asarray(scores, dtype=np.float64) + self.offset)


@dataclass(frozen=True)
class Bin:
    """A row of the reliability table: candidates whose probability is in ``(low, high]`` (the first bin's
    includes 0), the mean of their probabilities, and the share that is correct."""

    low: float
    high: float
    count: int
    predicted: float
    correct: float


@dataclass(frozen=True)
class Calibration:
    """How well Platt-scaled scores are probabilities.

    Attributes:
        platt: fitted on ``fitted`` candidates.
        measured: candidates of other problem groups, on which the rest was measured.
        ece: expected calibration error, the mean of ``|predicted - correct|`` over candidates, by bin.
        brier: mean squared error of the probabilities.
        brier_of_base_rate: of always saying the fitted part's share of correct ones; a useful score is below it.
        bins: without the empty ones.
    """

    platt: Platt
    fitted: int
    measured: int
    ece: float
    brier: float
    brier_of_base_rate: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        parts = {"platt": Platt(**data["platt"]), "bins": tuple(Bin(**row) for row in data["bins"])}
        return cls(**{**data, **parts})


def fit_platt(scores: Values, correct: Values) -> Platt:
    """Maximum likelihood of slope and offset (Platt 1999, section 2), by Newton with halved steps (Lin et al.
    2007, algorithm 1). Targets are Platt's, ``(N+ + 1) / (N+ + 2)`` and ``1 / (N- + 2)``, which keeps the slope
    finite where the score separates the two classes.

    Args:
        scores: ``[N]``, finite.
        correct: ``[N]`` 0 or 1.

    Raises:
        ValueError: no candidate, another shape, a score that is not finite, correctness that is not 0 or 1.
    """
    s, y = _checked(scores, correct)
    if (s == s[0]).all():  # any slope is as good: say so with none
        target = _targets(y).mean()
        return Platt(0.0, float(math.log(target / (1 - target))))
    # Newton is affine invariant only in exact arithmetic, so fit on a scale near 1.
    centre, spread = float(s.mean()), float(s.std())
    x = np.column_stack([(s - centre) / spread, np.ones_like(s)])
    target = _targets(y)
    weights = np.array([0.0, math.log((y.sum() + 1) / (len(y) - y.sum() + 1))])
    loss = _log_loss(x @ weights, target)
    for _ in range(_STEPS):
        p = _sigmoid(x @ weights)
        gradient = x.T @ (p - target)
        if np.abs(gradient).max() < 1e-9 * len(s):
            break
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(2), gradient)
        size = 1.0
        while size > 1e-10 and _log_loss(x @ (weights - size * step), target) > loss - 1e-4 * size * gradient @ step:
            size /= 2
        weights = weights - size * step
        loss = _log_loss(x @ weights, target)
    return Platt(float(weights[0] / spread), float(weights[1] - weights[0] * centre / spread))


def brier(probabilities: Values, correct: Values) -> float:
    """Mean of ``(p - correct)^2`` (Brier 1950); 0 is perfect, always saying 1/2 is 1/4."""
    p, y = _checked(probabilities, correct)
    return float(((p - y) ** 2).mean())


def reliability(probabilities: Values, correct: Values, bins: int = 10) -> tuple[Bin, ...]:
    """Rows by probability, in ``bins`` bins of equal width; empty ones are left out.

    Raises:
        ValueError: as in :func:`fit_platt`, or a probability outside 0 to 1.
    """
    p, y = _checked(probabilities, correct)
    if bins < 1 or (p < 0).any() or (p > 1).any():
        raise ValueError(f"reliability needs probabilities from 0 to 1 and at least 1 bin, got {bins}")
    # The smallest bin whose upper end, (i + 1) / bins, reaches p.
    at = np.searchsorted(np.arange(1, bins) / bins, p, side="left")
    return tuple(
        Bin(i / bins, (i + 1) / bins, int((at == i).sum()), float(p[at == i].mean()), float(y[at == i].mean()))
        for i in range(bins)
        if (at == i).any()
    )


def expected_calibration_error(rows: Sequence[Bin]) -> float:
    """``sum_b n_b / N * |correct_b - predicted_b|`` (Guo et al. 2017, eq. 5)."""
    return sum(row.count * abs(row.correct - row.predicted) for row in rows) / sum(row.count for row in rows)


def calibrate(
    scores: Values, correct: Values, groups: Sequence[str], fit_share: float = 0.5, seed: int = 0, bins: int = 10
) -> Calibration:
    """Fits on some problem groups, measures on the others.

    Args:
        scores, correct, groups: ``[candidates]``; ``groups`` are ``Problem.group_id``, never split.
        fit_share: of the groups, for the fit; at least one goes to either side.
        seed: which groups.

    Raises:
        UserError: fewer than two groups, or a score that is not finite.
    """
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    names = sorted(set(groups))
    if len(names) < 2 or not 0 < fit_share < 1:
        raise UserError(
            f"calibration needs at least 2 problem groups, to fit on one and measure on the other, and a share "
            f"for the fit between 0 and 1; there are {len(names)} groups and the share is {fit_share}"
        )
    if not np.isfinite(s).all():
        raise UserError(
            f"calibration needs finite scores, and {(~np.isfinite(s)).sum()} of {len(s)} are not; "
            "calibrate a ranker that gives every candidate a number"
        )
    random.Random(seed).shuffle(names)
    fitting = set(names[: min(max(1, round(fit_share * len(names))), len(names) - 1)])
    fit = np.array([name in fitting for name in groups])
    platt = fit_platt(s[fit], y[fit])
    rows = reliability(platt(s[~fit]), y[~fit], bins)
    return Calibration(
        platt=platt,
        fitted=int(fit.sum()),
        measured=int((~fit).sum()),
        ece=expected_calibration_error(rows),
        brier=brier(platt(s[~fit]), y[~fit]),
        brier_of_base_rate=brier(np.full(int((~fit).sum()), y[fit].mean()), y[~fit]),
        bins=rows,
    )


def _targets(y: np.ndarray) -> np.ndarray:
    passing = y.sum()
    return np.where(y == 1, (passing + 1) / (passing + 2), 1 / (len(y) - passing + 2))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


def _log_loss(z: np.ndarray, target: np.ndarray) -> float:
    """``-sum t log p + (1 - t) log(1 - p)`` of logits ``z``."""
    return float((np.logaddexp(0, z) - target * z).sum())


def _checked(scores: Values, correct: Values) -> tuple[np.ndarray, np.ndarray]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise ValueError(f"calibration needs one score and one 0/1 per candidate, got {s.shape} and {y.shape}")
    if not np.isfinite(s).all() or not np.isin(y, (0, 1)).all():
        raise ValueError("calibration needs finite scores and correctness of 0 or 1")
    return s, y
