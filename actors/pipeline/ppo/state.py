"""What a PPO step depends on beside its samples: networks that learn, KL controller, statistics of the rewards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from actors.pipeline.ppo.protocols import Role
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from rewardranker.config.schema import KLConfig
from rewardranker.runs.atomic import write_json
from rewardranker.training.ppo.kl import KLController
from rewardranker.training.ppo.rewards import RunningMoments


@dataclass
class PPOState:
    """``critic`` is ``None`` for the estimators that need none."""

    policy: Role[Policy]
    critic: Role[Critic] | None
    kl: KLController
    moments: RunningMoments

    @classmethod
    def begin(cls, policy: Role[Policy], critic: Role[Critic] | None, kl: KLConfig) -> PPOState:
        return cls(policy, critic, KLController.from_config(kl), RunningMoments())

    def save(self, directory: Path) -> None:
        """Writes a checkpoint's files."""
        self.policy.all(Policy.save, str(directory))
        if self.critic:
            self.critic.all(Critic.save, str(directory))
        write_json(directory / "driver.json", {"kl": self.kl.state(), "moments": self.moments.state()})

    def load(self, directory: Path) -> None:
        """Restores what :meth:`save` wrote."""
        self.policy.all(Policy.load, str(directory))
        if self.critic:
            self.critic.all(Critic.load, str(directory))
        state = json.loads((directory / "driver.json").read_text())
        self.kl, self.moments = KLController(**state["kl"]), RunningMoments(**state["moments"])
