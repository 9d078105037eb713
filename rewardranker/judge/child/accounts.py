"""How much CPU time a job has used: all of its processes together, those that have ended included."""

from __future__ import annotations

import os

from . import processes
from .group import Group


class Accounts:
    """Exact by the control group where there is one. Else by /proc, where a program that tells the kernel to
    forget its children at their end (SIGCHLD ignored) can hide what those used; the clock ends it then."""

    def __init__(self, group: Group | None) -> None:
        self._group = group
        self._highest = self._collected = self._before = 0.0

    def begin(self, memory: int, tasks: int, roots: list[int] | None = None) -> None:
        """Starts the accounts of a job that may hold so many bytes and tasks at any one time.

        Args:
            roots: its processes, where they were there before.
        """
        self._before = processes.cpu_seconds(roots) if roots and self._group is None else 0.0
        self._highest = self._collected = 0.0
        if self._group is not None:
            self._group.begin(memory, tasks)

    def so_far(self, roots: list[int]) -> float:
        """CPU seconds of these processes and of all beneath them."""
        if self._group is not None:
            return self._group.cpu_seconds()
        self._highest = max(self._highest, self._collected + processes.cpu_seconds(roots) - self._before)
        return self._highest

    def collect(self, pid: int) -> int:
        """Waits for a process of the job; its wait status."""
        _, status, usage = os.wait4(pid, 0)
        self.add(usage.ru_utime + usage.ru_stime)
        return status

    def add(self, cpu_s: float) -> None:
        """What was collected elsewhere."""
        self._collected += cpu_s

    def total(self) -> float:
        """CPU seconds of a job whose processes have all been collected."""
        return max(self._highest, self._collected) if self._group is None else self._group.cpu_seconds()

    def out_of_memory(self) -> bool:
        return self._group is not None and self._group.out_of_memory()
