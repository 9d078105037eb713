"""The command that puts a server into bubblewrap: what it sees, and under which names."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

#: Where the inside finds what lies elsewhere outside.
PYTHON, CHILD, TOOLCHAINS, SERVICES = "/python", "/judge/child", "/toolchains", "/services"
STAGE = "/tmp"  # of the launcher's own mount namespace

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SPACE = 1 << 30
_HOST_NAME = "localhost"
_PROBE_S = 30.0
Proc = Literal["own", "bind", "none"]
_PROC: dict[Proc, tuple[str, ...]] = {
    "own": ("--proc", "/proc"),
    # A container that hides parts of /proc cannot mount a new one. Processes outside are visible then.
    "bind": ("--bind", "/proc", "/proc"),
    "none": ("--dir", "/proc"),
}


@dataclass(frozen=True)
class Bubblewrap:
    """An installed bubblewrap, and which way to a /proc it has here."""

    path: str
    version: str
    proc: Proc


class Unavailable(Exception):
    """There is no bubblewrap, or it cannot make namespaces here; the message says which."""


@lru_cache(maxsize=8)
def find(launcher: tuple[str, ...] = ()) -> Bubblewrap:
    """Tries the one that is installed.

    Args:
        launcher: words in front of its command, so that it is tried as whoever will run it.

    Raises:
        Unavailable: with its own error message.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise Unavailable("bubblewrap is not installed")
    message = ""
    for proc, words in _PROC.items():
        command = [*launcher, path, "--unshare-all", *_system(), *words, "--", "/usr/bin/true"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
        if done.returncode == 0:
            return Bubblewrap(path, _version(path), proc)
        message = message or done.stderr.strip()[:200]
    raise Unavailable(f"bubblewrap cannot make a sandbox here ({message or 'no message'})")


def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
    return done.stdout.split()[-1] if done.stdout.split() else ""


def command(
    bubblewrap: Bubblewrap, nested: bool, binds: dict[str, str], environment: dict[str, str], inside: list[str]
) -> list[str]:
    """The words that start ``inside`` in a sandbox.

    Args:
        nested: programs mount a /tmp of their own (tier A); else they share the sandbox's.
        binds: paths to show read-only, by the name that they have inside.
    """
    words = [bubblewrap.path, "--unshare-all", "--hostname", _HOST_NAME, "--new-session", *_system()]
    words += [*_PROC[bubblewrap.proc], "--dev", "/dev"]
    for target, source in binds.items():
        words += ["--ro-bind", source, target]
    if nested:
        words += ["--dir", "/tmp"]
    else:
        words += ["--size", str(_SPACE), "--tmpfs", "/tmp", "--size", str(_SPACE), "--tmpfs", SERVICES]
    words += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/", "--cap-drop", "ALL", "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    return [*words, "--", *inside]


def _system() -> list[str]:
    """The operating system's own files, as links where they are links outside."""
    words: list[str] = []
    for path in _SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    return words
