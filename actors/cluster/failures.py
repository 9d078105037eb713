"""What can go wrong in workers, and what follows from it."""

from __future__ import annotations

from ray.exceptions import RayTaskError


class WorkerLost(RuntimeError):
    """A worker died or stopped answering. Its group can be started again from the last checkpoint."""


class RoleError(RuntimeError):
    """A role raised an error; starting again would raise it again."""


class ChunkFailed(RuntimeError):
    """A chunk took down every worker that it was given to."""


def raised(error: RayTaskError) -> str:
    """What a worker raised, in one line. ``error`` itself has the worker's traceback as its text."""
    lines = str(error.cause).strip().splitlines()
    return f"{type(error.cause).__name__}: {lines[0]}" if lines else type(error.cause).__name__
