"""The control group that a sandbox lies in, through files that were opened for it outside.

What is held at the start of a job (by this server, by resident compilers) is added to what the job may hold.
"""

from __future__ import annotations

import os
import time

_BLOCK = 4096


class Group:
    """Limits and accounts of everything in this sandbox together."""

    def __init__(self, version: int, files: dict[str, int]) -> None:
        """
        Args:
            files: open descriptors of ``memory``, ``memory_now``, ``memory_events``, ``processes``,
                ``processes_now``, ``cpu``, whatever that version calls them.
        """
        self._version, self._files = version, files
        self._cpu_at, self._own_at, self._killed_at = 0.0, 0.0, 0

    def begin(self, memory: int, processes: int) -> None:
        """Sets the limits of the next job, in bytes and tasks, and starts its accounts."""
        self._write("memory", int(self._read("memory_now")) + memory)
        self._write("processes", int(self._read("processes_now")) + processes)
        self._killed_at = self._killed()
        self._cpu_at, self._own_at = self._cpu(), time.process_time()

    def cpu_seconds(self) -> float:
        """Of everything in the group since the job began, but for this server."""
        return max(0.0, self._cpu() - self._cpu_at - (time.process_time() - self._own_at))

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended a process of the job for want of memory."""
        return self._killed() > self._killed_at

    def _cpu(self) -> float:
        text = self._read("cpu")
        return int(text) / 1e9 if self._version == 1 else _field(text, "usage_usec") / 1e6

    def _killed(self) -> int:
        return _field(self._read("memory_events"), "oom_kill")

    def _read(self, name: str) -> str:
        return os.pread(self._files[name], _BLOCK, 0).decode()

    def _write(self, name: str, value: int) -> None:
        os.pwrite(self._files[name], str(value).encode(), 0)


def _field(text: str, name: str) -> int:
    values = dict(line.split() for line in text.splitlines())
    return int(values.get(name, 0))
