"""What the PPO loop asks of those it drives, wherever they live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from actors.cluster.group import Pending
from rewardranker.generation.types import Request, Response, Sampling

R_co = TypeVar("R_co", covariant=True)
Row = TypeVar("Row")
T = TypeVar("T")
P = ParamSpec("P")


class Role(Protocol[R_co]):
    """A role on all its ranks: see :class:`actors.cluster.group.RoleGroup`."""

    def all(self, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs) -> list[T]: ...

    @property
    def world(self) -> int: ...

    def submit_each(
        self,
        method: Callable[Concatenate[R_co, Row, P], T],
        shares: Sequence[Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[list[T]]: ...

    def submit_rows(
        self,
        method: Callable[Concatenate[R_co, list[Row], P], list[T]],
        rows: Sequence[Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[list[T]]: ...


class Rollouts(Protocol):
    """Engines that sample: see :class:`actors.rollout.pool.RolloutPool`."""

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]: ...

    def abandon(self) -> None: ...
