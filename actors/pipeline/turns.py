"""Training workers and engines on the same devices: who has them, and how they are handed over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from actors.cluster.group import RoleGroup
from rewardranker.training.engine import TrainEngine


class Sleepers(Protocol):
    """Engines that sample: see :class:`actors.rollout.pool.RolloutPool`."""

    def sleep(self, keep_weights: bool) -> None: ...

    def wake(self, weights_alone: bool) -> None: ...


class Turns:
    """Hands devices from networks to engines and back, in the order of a step: they learn, the policy's weights are
    sent, engines sample. Whoever is not at work has its memory on the host.

    While weights are sent, the sender's and the engines' are on the devices, and nothing else. Without
    ``cluster.share_devices`` everything stays where it is, and nothing is asked of anybody.

    Args:
        roles: those that there are, by name; read anew at every turn.
        shared: ``cluster.share_devices``.
    """

    def __init__(self, roles: Mapping[str, RoleGroup[Any]], shared: bool, sender: str = "policy") -> None:
        self._roles, self._shared, self._sender = roles, shared, sender
        self._turn: Literal["learn", "send", "sample"] = "learn"
        #: ``None`` until there are any.
        self.engines: Sleepers | None = None
        self._seconds = 0.0

    def learn(self, weights_follow: bool = False) -> None:
        """Networks compute.

        Args:
            weights_follow: the engines are sent weights before they sample again, and need not keep theirs.
        """
        if self._turn == "learn" or not self._shared:
            return
        self.sample()
        begun = time.monotonic()
        if self.engines:
            self.engines.sleep(not weights_follow)
        for waiting in [self._engine(name).submit_all(TrainEngine.reload) for name in self._roles]:
            waiting.get()
        self._turn = "learn"
        self._seconds += time.monotonic() - begun

    def send(self) -> None:
        """The policy's weights are given away, and engines take them."""
        if self._turn == "send" or not self._shared:
            return
        self.learn(weights_follow=True)
        self._leave(keeping=self._sender)
        self._wake(weights_alone=True)
        self._turn = "send"

    def sample(self) -> None:
        """Engines compute."""
        if self._turn == "sample" or not self._shared:
            return
        self._leave()
        self._wake(weights_alone=False)
        self._turn = "sample"

    def begin_anew(self) -> None:
        """All workers were stopped."""
        self._turn, self.engines = "learn", None

    def spent(self) -> dict[str, float]:
        """What handing over took since this was last asked; nothing where nothing is handed over."""
        seconds, self._seconds = self._seconds, 0.0
        return {"timing_s/turns": seconds} if self._shared else {}

    def _leave(self, keeping: str = "") -> None:
        begun = time.monotonic()
        leaving = [
            self._engine(name).submit_all(TrainEngine.offload, keep_weights=name == keeping) for name in self._roles
        ]
        for waiting in leaving:
            waiting.get()
        self._seconds += time.monotonic() - begun

    def _wake(self, weights_alone: bool) -> None:
        begun = time.monotonic()
        if self.engines:
            self.engines.wake(weights_alone)
        self._seconds += time.monotonic() - begun

    def _engine(self, role: str) -> RoleGroup[TrainEngine]:
        return self._roles[role].part("engine", TrainEngine)  # type: ignore[type-abstract]
