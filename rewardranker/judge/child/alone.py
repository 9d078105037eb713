"""One Python program in an interpreter of its own, where there is no server to fork it from. Run as a script.

The argument is the file of its job. Descriptors: 0 what the program reads, or for style ``program`` the tester's
job, 3 for results. Program and tester are two processes here too, but of one user: how well the second is kept
from the first is up to the machine.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from child import candidate, kernel, limits, main_program, probing, surroundings, tester  # noqa: E402

del sys.path[0]


def _program(job: dict[str, Any]) -> None:
    """The program's process is forked first: no copy of the tests is anywhere in its memory, and it can look into
    this one at no time."""
    kernel.prctl(kernel.SET_DUMPABLE, 0)
    (ask_read, ask_write), (reply_read, reply_write) = os.pipe(), os.pipe()
    program = os.fork()
    if program == 0:
        null = os.open("/dev/null", os.O_RDWR)
        limits.arrange([null, 1, null, ask_read, reply_write])
        candidate.run_server(job, 3, 4)
        os._exit(0)
    os.close(ask_read)
    os.close(reply_write)
    with open(0, "rb") as file:
        told = json.load(file)
    tester.run_tester(told, ask_write, reply_read, 3, probing.body_of(told))
    os.kill(program, signal.SIGKILL)
    os.waitpid(program, 0)  # so that its CPU time is counted


_STYLES = {
    "function": lambda job: candidate.run_function(job, 3),
    "stdio": lambda job: main_program.run_stdio(job, 3),
    "program": _program,
}


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        job = json.load(file)
    random.seed(0)  # as in the server: every program sees the same state
    os.umask(0o077)
    sys.dont_write_bytecode = True
    surroundings.prepare()
    _STYLES[job["style"]](job)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)  # as a program ends that was forked
