"""What the tests of the judge look at: processes below this one, their memory, their open files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    """Fields from the third on. Raises ``OSError`` where the process has ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants() -> list[int]:
    """All processes below this one, zombies included."""
    parents: dict[int, int] = {}
    for pid in all_processes():
        with suppress(OSError):
            parents[pid] = int(_stat(pid)[1])
    ours, new = {os.getpid()}, {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= new
    return sorted(ours - {os.getpid()})


def command_line(pid: int) -> str:
    """For people, and to look for words in."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"{pid} {text or Path(f'/proc/{pid}/comm').read_text().strip()}"
    except OSError:
        return f"{pid} ended"


def zombies(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(OSError):
            found += [pid] if _stat(pid)[0] == "Z" else []
    return found


def resident_bytes(pid: int) -> int:
    """Memory that a process holds; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def open_files(pid: int) -> int:
    """How many descriptors a process has open; 0 when it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
