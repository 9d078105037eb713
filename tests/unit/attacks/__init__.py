"""Wrong programs that try to be judged OK, to outlive their judgement, or to see, damage or slow something.

They come in two forms. Some answer wrongly and try to be believed. Others answer rightly *if and only if* they
did what no program may do. So no attack may ever be OK, and whoever adds one never has to say what to look for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Stand in programs for what a run chooses, so that two runs on one machine do not take each other's traces for
#: their own: a word in the name of every file that an attack leaves, the argument of every ``sleep`` that it
#: starts, the key of memory that it shares; a file and a variable of the host's that nothing may see; the port that the
#: host listens on, by TCP and UDP, and the name of its unix sockets.
MARK, SLEEP, KEY = "@MARK@", "@SLEEP@", "@KEY@"
SECRET_FILE, SECRET_NAME = "/tmp/@SECRET@", "RR_SECRET"
PORT, SOCKET = "@PORT@", "@SOCKET@"

Task = Literal["add", "list", "text", "stdio"]


@dataclass(frozen=True)
class Attack:
    """A program that must not be OK.

    Attributes:
        task: what it pretends to solve, see :mod:`attacks.tasks`.
        slow: it runs into a limit, which takes its time.
        compiles: false where being refused by the compiler is a fine end; any other attack has to get to run.
    """

    language: str
    name: str
    code: str
    task: Task = "add"
    slow: bool = False
    compiles: bool = True


def in_language(
    language: str,
    programs: dict[str, str],
    task: Task = "add",
    slow: bool = False,
    compiles: bool = True,
) -> list[Attack]:
    """Attacks that share everything but their name and text."""
    return [Attack(language, name, code, task, slow, compiles) for name, code in programs.items()]
