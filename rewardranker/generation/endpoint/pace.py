"""How fast requests may follow one another, and how long to wait before the next try."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

WINDOW_S = 60.0
_LONGEST_BACKOFF_S = 60.0
_SHORTEST_SLEEP_S = 1e-3  # less could round to no time at all, and never get there


class Clock(Protocol):
    """Time, in seconds from anywhere; replaced in tests."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Turn:
    """One request that was let through, and the tokens it counts for."""

    at: float
    tokens: int


class Pace:
    """Lets requests through so that no span of a minute holds more of them, or of their tokens, than allowed.

    A request that is larger than the tokens of a minute goes through alone.

    Args:
        requests, tokens: per minute; 0 for no limit.
    """

    def __init__(self, requests: int, tokens: int, clock: Clock) -> None:
        self._requests, self._tokens, self._clock = requests, tokens, clock
        self._turns: deque[Turn] = deque()
        self._held_until = -float("inf")
        self._queue = asyncio.Lock()
        self._closed = False

    async def turn(self, tokens: int) -> Turn:
        """Waits until a request of so many tokens may go."""
        async with self._queue:  # first come, first served
            while not self._closed and (wait := self._wait(tokens)) > 0:
                await self._clock.sleep(max(wait, _SHORTEST_SLEEP_S))
            turn = Turn(self._clock.now(), tokens)
            self._turns.append(turn)
            return turn

    def hold(self, seconds: float) -> None:
        """Lets nobody through for so long: the server has asked for it."""
        self._held_until = max(self._held_until, self._clock.now() + seconds)

    def close(self) -> None:
        """From now on nobody waits: nothing is going to be sent."""
        self._closed = True

    def _wait(self, tokens: int) -> float:
        now = self._clock.now()
        while self._turns and now - self._turns[0].at >= WINDOW_S:
            self._turns.popleft()
        until = self._held_until
        if self._requests and len(self._turns) >= self._requests:
            until = max(until, self._turns[-self._requests].at + WINDOW_S)
        if self._tokens:
            until = max(until, self._room_at(self._tokens - tokens))
        return until - now

    def _room_at(self, room: int) -> float:
        """When the turns still counted have shrunk to ``room`` tokens, or to none at all."""
        taken = sum(turn.tokens for turn in self._turns)
        at = -float("inf")
        for turn in self._turns:
            if taken <= room:
                break
            taken, at = taken - turn.tokens, turn.at + WINDOW_S
        return at


def backoff(attempt: int, rng: random.Random) -> float:
    """Seconds before try ``attempt + 1`` (from 0): 1, 2, 4 ... 60, less up to half of it at random, so that
    requests that failed together do not come back together."""
    return min(_LONGEST_BACKOFF_S, 2.0**attempt) * rng.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds (RFC 9110, section 10.2.3: seconds, or a date; and OpenAI's
    ``retry-after-ms``); ``None`` where it does not say, or nothing that can be read."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) / unit)
        except ValueError:
            continue
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
