"""Style ``stdio``: a program that runs as ``python3 program.py`` does, in a process that was forked for it.

The interpreter is up already, so what it does at its start and at its end for a main program is done here.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import io
import os
import signal
import sys
import types
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from typing import Any

from . import surroundings
from .channel import COMPILE_ERRORS, Channel, describe

_getpid, _exit = os.getpid, os._exit
_FLUSH_FAILED = 120  # the interpreter's status where its output could not be written


def run_stdio(job: dict[str, Any], fd: int) -> None:
    """Runs the program on what is already its standard input, and ends the process with its exit status."""
    channel, own = Channel(fd, job["nonce"]), _getpid()
    try:
        source = surroundings.source_of(job["code"])
        path = os.path.join(os.getcwd(), surroundings.NAME)
        program = compile(source, path, "exec", dont_inherit=True)
    except COMPILE_ERRORS as error:
        channel.send("compile", *describe(error))
        _exit(1)
    except MemoryError as error:
        channel.send("ready")
        channel.send("error", *describe(error))
        _exit(1)
    channel.send("ready")
    surroundings.hide_judge()
    _write(path, source)
    _open_standard_files()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module = _main_module(path)
    sys.setrecursionlimit(sys.getrecursionlimit() + _depth())

    def report(error: BaseException) -> None:
        """A process that the program forked comes here too, and has no say."""
        if _getpid() == own:
            with contextlib.suppress(OSError):
                channel.send("error", *describe(error))

    status = _run(program, module, report)
    status = _end(module, report) or status
    if _getpid() == own:
        with contextlib.suppress(OSError):
            channel.send("done")
    _exit(status)


def _write(path: str, source: bytes) -> None:
    """For programs that read themselves; others do without where the file is too large for their limits."""
    with contextlib.suppress(OSError), open(path, "wb") as file:
        file.write(source)


def _open_standard_files() -> None:
    """The server's know too little of descriptors that are new: whether one can seek, for a start."""
    for fd, name, mode, errors in (
        (0, "stdin", "r", "surrogateescape"),
        (1, "stdout", "w", "surrogateescape"),
        (2, "stderr", "w", "backslashreplace"),
    ):
        binary: Any = open(fd, f"{mode}b", closefd=False)  # noqa: SIM115 - the program's
        binary.raw.name = f"<{name}>"
        text: Any = io.TextIOWrapper(binary, "utf-8", errors, "\n", line_buffering=name == "stderr")
        text.mode = mode
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def _main_module(path: str) -> types.ModuleType:
    module = types.ModuleType("__main__")
    module.__dict__.update(
        __builtins__=builtins,
        __file__=path,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", path),
        __annotations__={},
    )
    sys.modules["__main__"] = module
    sys.path.insert(0, os.path.dirname(path))
    return module


def _depth() -> int:
    """How many calls are beneath the program that would not be, if it were alone: ours, the one to come, and, up to
    Python 3.11, that of ``exec``."""
    frame, depth = sys._getframe(), 2 if sys.version_info < (3, 12) else 1
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def _run(program: types.CodeType, module: types.ModuleType, report: Callable[[BaseException], None]) -> int:
    """The exit status."""
    try:
        exec(program, module.__dict__)
    except SystemExit as error:
        status = _status_of(error)
        if status:
            report(error)
        return status
    except BaseException as error:
        report(error)
        _print(error)
        return 1
    return 0


def _status_of(end: SystemExit) -> int:
    code = end.code
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code) & 0xFF
    with contextlib.suppress(BaseException):
        print(code, file=sys.stderr)
    return 1


def _print(error: BaseException) -> None:
    """By the program's own hook, and without our frame."""
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    with contextlib.suppress(BaseException):
        sys.excepthook(type(error), error.with_traceback(trace), trace)


def _end(module: types.ModuleType, report: Callable[[BaseException], None]) -> int:
    """What the interpreter does at its end: waits for threads, calls what is registered, writes what is left,
    gives up the program's objects. A status where that fails."""
    status = 0
    for step in (_join_threads, atexit._run_exitfuncs, _flush, lambda: _give_up(module), _flush):
        try:
            step()
        except MemoryError as error:
            report(error)
            status = 1
        except _NotWritten as failure:
            report(failure.error)
            status = _FLUSH_FAILED
        except BaseException as error:
            _print(error)
    return status


def _join_threads() -> None:
    threading = sys.modules.get("threading")
    if threading is not None:
        threading.__dict__["_shutdown"]()


class _NotWritten(Exception):
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _flush() -> None:
    """Standard output, and the one that the program put in its place."""
    for file in (sys.stdout, sys.__stdout__):
        try:
            if file is not None and not getattr(file, "closed", False):
                file.flush()
        except BaseException as error:
            raise _NotWritten(error) from None
    with contextlib.suppress(BaseException):
        sys.stderr.flush()


def _give_up(module: types.ModuleType) -> None:
    """Names with one underscore first, as the interpreter does. Files that nobody closed write their rest now."""
    names = module.__dict__
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) is private:
                names[name] = None
    gc.collect()
