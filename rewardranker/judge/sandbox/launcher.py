"""Starts a sandbox's command in the place, and as the user, that it is to have. Run as a script, as root or not.

Joins the control group; where root starts it, shows what the sandbox has to read in a mount namespace of its
own, since that may lie where only root can go, and becomes a user that nothing else runs as.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

_CLONE_NEWNS, _MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 2, 4, 0x1000, 0x4000, 0x40000
_FIRST_USER, _NOBODY = 1_000_000, 65534
_libc = ctypes.CDLL(None, use_errno=True)


def stage(places: dict[str, str], directory: str) -> None:
    """Binds ``places`` (name: path) into a new file system on ``directory``, for this process alone."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    sources = {name: os.open(path, os.O_PATH) for name, path in places.items()}
    _mount("tmpfs", directory, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755")
    for name, source in sources.items():
        target = os.path.join(directory, name)
        opened = f"/proc/self/fd/{source}"
        if os.path.isdir(opened):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        _mount(opened, target, "", _MS_BIND | _MS_REC)
        os.close(source)


def become_nobody() -> None:
    """Takes a user id of its own, or the usual one for such cases where a container maps no other."""
    os.setgroups([])
    own = _FIRST_USER + 3 * os.getpid()
    for user in (own, _NOBODY):
        try:
            os.setgid(user)
            os.setuid(user)
            return
        except OSError as error:
            if user == _NOBODY:
                sys.exit(f"cannot become another user: {error}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = (source.encode(), target.encode(), kind.encode())
    result = _libc.mount(*words, ctypes.c_ulong(flags), options.encode())
    _check(result, f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")


def main() -> None:
    """The first argument is JSON: ``join`` (files to write our pid to), ``stage`` (places, or null where we are
    not root), ``directory`` to stage them in. The others are the command."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    for path in plan["join"]:
        with open(path, "w") as file:
            file.write(str(os.getpid()))
    if plan["stage"] is not None:
        stage(plan["stage"], plan["directory"])
        become_nobody()
    os.chdir("/")
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
