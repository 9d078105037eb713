"""Control groups, version 1 or 2, where this process may make one: limits for all of a sandbox together."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

_FILES = {
    1: {
        "memory": ("memory", "memory.limit_in_bytes"),
        "memory_now": ("memory", "memory.usage_in_bytes"),
        "memory_events": ("memory", "memory.oom_control"),
        "processes": ("pids", "pids.max"),
        "processes_now": ("pids", "pids.current"),
        "cpu": ("cpuacct", "cpuacct.usage"),
    },
    2: {
        "memory": ("", "memory.max"),
        "memory_now": ("", "memory.current"),
        "memory_events": ("", "memory.events"),
        "processes": ("", "pids.max"),
        "processes_now": ("", "pids.current"),
        "cpu": ("", "cpu.stat"),
    },
}
_WRITTEN = ("memory", "processes")
_NO_SWAP = {1: ("memory", "memory.swappiness"), 2: ("", "memory.swap.max")}
_PREFIX = "rewardranker"
_REMOVE_S = 5.0
_numbers = itertools.count()


class Unavailable(Exception):
    """No control group can be made here; the message says why."""


class Cgroup:
    """One control group per sandbox (in version 1, one per controller)."""

    def __init__(self) -> None:
        """Raises :class:`Unavailable`."""
        self.version, parents = _parents()
        name = f"{_PREFIX}-{os.getpid()}-{next(_numbers)}"
        self._directories: dict[str, Path] = {}
        self.files: dict[str, int] = {}
        try:
            for controller, parent in parents.items():
                _sweep(parent)
                (parent / name).mkdir()
                self._directories[controller] = parent / name
            for key, (controller, file) in _FILES[self.version].items():
                flags = os.O_RDWR if key in _WRITTEN else os.O_RDONLY
                self.files[key] = os.open(self._directories[controller] / file, flags)
        except OSError as error:
            self.remove()
            raise Unavailable(f"no control group can be made ({error.strerror}: {error.filename})") from None
        controller, file = _NO_SWAP[self.version]
        with contextlib.suppress(OSError):  # where the kernel has no swap accounting
            (self._directories[controller] / file).write_text("0")

    @property
    def join(self) -> list[str]:
        """Files that a process writes its id to, to become a member."""
        return [str(directory / "cgroup.procs") for directory in self._directories.values()]

    def remove(self) -> None:
        """When all of its processes have ended; waits a little for the kernel to notice."""
        for fd in self.files.values():
            os.close(fd)
        self.files = {}
        deadline = time.monotonic() + _REMOVE_S
        for directory in self._directories.values():
            while not _removed(directory) and time.monotonic() < deadline:
                time.sleep(0.01)
        self._directories = {}


def _removed(directory: Path) -> bool:
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _sweep(parent: Path) -> None:
    """Removes what judges left that were killed."""
    for directory in parent.glob(f"{_PREFIX}-*-*"):
        owner = directory.name.split("-")[1]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            _removed(directory)


def _parents() -> tuple[int, dict[str, Path]]:
    """The version, and by controller the directory in which this process may make a group."""
    own = _own_paths()
    mounts = _mounts()
    if all(controller in mounts for controller in ("memory", "pids", "cpuacct")):
        parents = {}
        for controller in ("memory", "pids", "cpuacct"):
            place = Path(str(mounts[controller]) + own.get(controller, "/"))
            parents[controller] = place if place.is_dir() else mounts[controller]
        return 1, parents
    if "" not in mounts:
        raise Unavailable("no control groups are mounted")
    top = mounts[""]
    place = Path(str(top) + own.get("", "/"))
    for parent in (place, place.parent):
        # Version 2 refuses to limit groups beside processes, so our own group rarely works, the one above may.
        with contextlib.suppress(OSError):
            controllers = (parent / "cgroup.subtree_control").read_text().split()
            if {"memory", "pids"} <= set(controllers) and os.access(parent, os.W_OK):
                return 2, {"": parent}
    raise Unavailable("no control group with memory and pids is delegated to this process")


def _own_paths() -> dict[str, str]:
    """By controller (empty: version 2), the path of this process's group."""
    paths: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path.rstrip("/"))
    return paths


def _mounts() -> dict[str, Path]:
    """By controller (empty: version 2), where its hierarchy is mounted."""
    mounts: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        place = Path(before.split(" ")[4])
        if kind == "cgroup2":
            mounts[""] = place
        elif kind == "cgroup":
            mounts |= dict.fromkeys(options.split(","), place)
    return mounts
