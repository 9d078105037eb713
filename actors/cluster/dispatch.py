"""Chunks of work over stateless workers that may die: a lost worker is replaced, its chunk given out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ray
from ray.exceptions import GetTimeoutError, RayTaskError

from actors.cluster.failures import LOST, ChunkFailed, RoleError, of_others, raised
from rewardranker.errors import UserError

MAX_ATTEMPTS = 3
W = TypeVar("W")


def dispatch(
    what: str,
    workers: list[W],
    chunks: Sequence[Any],
    call: Callable[[W, Any], Any],
    replace: Callable[[int, str], W],
    timeout_s: float,
    on_result: Callable[[Any], None] | None = None,
) -> list[Any]:
    """Results of ``call(worker, chunk)`` in the order of the chunks; each worker has one chunk at a time.

    Args:
        what: for error messages.
        workers: changed in place where one is replaced.
        call: starts the work and returns an object reference.
        replace: makes a new worker for a place in ``workers``, and is told why.
        timeout_s: when no chunk at all has ended for so long, the workers at work are replaced.
        on_result: called with each result as it arrives.
    """
    results: list[Any] = [None] * len(chunks)
    attempts = [0] * len(chunks)
    waiting = list(range(len(chunks)))[::-1]
    idle = list(range(len(workers)))[::-1]
    running: dict[Any, tuple[int, int]] = {}
    while waiting or running:
        while waiting and idle:
            place, chunk = idle.pop(), waiting.pop()
            running[call(workers[place], chunks[chunk])] = (place, chunk)
        done, _ = ray.wait(list(running), num_returns=1, timeout=timeout_s)
        for ref in done or list(running):
            place, chunk = running.pop(ref)
            try:
                results[chunk] = ray.get(ref, timeout=0 if not done else timeout_s)
                if on_result:
                    on_result(results[chunk])
            except (RayTaskError, *LOST) as error:
                if isinstance(error, RayTaskError) and not of_others(error):
                    if isinstance(error.cause, UserError):
                        raise error.cause from None
                    raise RoleError(f"{what}: worker {place} raised {raised(error)}") from error
                attempts[chunk] += 1
                if attempts[chunk] == MAX_ATTEMPTS:
                    raise ChunkFailed(
                        f"{what}: chunk {chunk} of {len(chunks)} failed on {MAX_ATTEMPTS} workers in turn, "
                        f"last on worker {place}: {error}"
                    ) from error
                workers[place] = replace(place, _why(what, place, error, timeout_s))
                waiting.append(chunk)
            idle.append(place)
    return results


def _why(what: str, place: int, error: Exception, timeout_s: float) -> str:
    """In a line: Ray's own words are many."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = f"nothing came within {timeout_s:g} s" if isinstance(error, GetTimeoutError) else lines[0]
    return f"{what}: worker {place} is lost ({reason}); it is started again, and its work given out again"


def chunked(rows: Sequence[Any], size: int) -> list[list[Any]]:
    """``rows`` in lists of ``size``; the cut depends on nothing else, so that reruns see the same chunks."""
    return [list(rows[i : i + size]) for i in range(0, len(rows), size)]
