"""Runs ``program.py`` as HumanEval's harness does, inside the sandbox: ``python3 guard.py SECONDS``.

Writes ``{"error": class name or nothing, "message": text}`` to descriptor 3; a program that ends the process,
or that outlives the time limit by catching it, leaves nothing there. Standard library only, but for numpy, which the
harness imports before it takes names like ``os.getcwd`` away.
"""

from __future__ import annotations

import builtins
import contextlib
import faulthandler
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

_NUMPY = "import numpy\nimport numpy as np\n"
_TAKEN_AWAY: dict[Any, tuple[str, ...]] = {
    builtins: ("exit", "quit", "help"),
    os: (
        *("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty"),
        *("killpg", "rename", "renames", "truncate", "replace", "unlink", "fchmod", "fchown", "chmod", "chown"),
        *("chroot", "lchflags", "lchmod", "lchown", "getcwd", "chdir"),
    ),
    shutil: ("rmtree", "move", "chown"),
    subprocess: ("Popen",),
}
_HIDDEN_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")


class TimeoutException(Exception):
    """An ``Exception``, as there: a program that catches everything catches this too."""


class _WriteOnly(io.StringIO):
    def _refuse(self, *arguments: Any) -> Any:
        raise OSError

    read = readline = readlines = _refuse

    def readable(self) -> bool:
        return False


def main(seconds: float) -> None:
    with open("program.py", encoding="utf-8") as file:
        program = file.read()
    try:
        import numpy  # noqa: F401
    except ImportError:
        program = program.replace(_NUMPY, "", 1)
    _guard()
    stream = _WriteOnly()
    sys.stdin = stream
    answer = {"error": "", "message": ""}
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            signal.signal(signal.SIGALRM, _time_is_up)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                exec(program, {})
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as error:
        answer = {"error": type(error).__name__, "message": f"{type(error).__name__}: {error}"[:200]}
    os.write(3, json.dumps(answer).encode())


def _guard() -> None:
    faulthandler.disable()
    os.environ["OMP_NUM_THREADS"] = "1"
    for module, names in _TAKEN_AWAY.items():
        for name in names:
            setattr(module, name, None)
    for name in _HIDDEN_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]


def _time_is_up(number: int, frame: FrameType | None) -> None:
    raise TimeoutException("Timed out!")


if __name__ == "__main__":
    main(float(sys.argv[1]))
