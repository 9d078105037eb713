"""Learning-rate schedules: pure functions of the step."""

from __future__ import annotations

import math

from rewardranker.config.schema import OptimConfig


def learning_rate(config: OptimConfig, step: int, total_steps: int) -> float:
    """The rate for update ``step`` (0-based) of ``total_steps``.

    Linear warm-up over ``warmup * total_steps`` updates, then constant, or linear or cosine decay to
    ``min_lr_ratio * lr`` at the end. The first update never has rate 0.
    """
    warmup_steps = math.ceil(config.warmup * total_steps)
    scale = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    progress = max(0.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    decay = {"constant": 1.0, "linear": 1 - progress, "cosine": 0.5 * (1 + math.cos(math.pi * progress))}
    floor = 1.0 if config.schedule == "constant" else config.min_lr_ratio
    return config.lr * scale * (floor + (1 - floor) * decay[config.schedule])
