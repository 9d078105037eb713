"""What a role needs to know to load its network: one small, picklable description."""

from __future__ import annotations

from dataclasses import dataclass

from rewardranker.config.schema import EngineConfig, OptimConfig


@dataclass(frozen=True)
class RoleSetup:
    """Where a role's weights come from and how it computes.

    ``optim`` ``None`` makes a frozen role. ``total_steps`` are optimiser updates, for the schedule. ``chat``: prompts
    are what a user says.
    """

    model_path: str
    tokenizer_path: str
    engine: EngineConfig
    microbatch_tokens: int
    dtype: str = "float32"
    attention: str = "auto"
    optim: OptimConfig | None = None
    total_steps: int = 0
    seed: int = 0
    chat: bool = False
