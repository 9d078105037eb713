"""Libraries beyond a language's own that a problem may need: without them none of its programs can be judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardranker.linear import pattern
from rewardranker.problems.types import Problem

#: Where npm puts what is installed for all; node looks there when it is told to.
NODE_MODULES = ("/usr/lib/node_modules", "/usr/local/lib/node_modules")
_INCLUDES = ("/usr/include", "/usr/local/include")


@dataclass(frozen=True)
class Library:
    """A library, and how it is found.

    Attributes:
        asked: matches what asks for it; the group is a name to look for.
        places: folders where that name has to be, in one of them.
        install: the command that brings it.
        link: what a compiler has to be told.
        rows: problems whose own solution asks for it where the prompt does not: others' solutions of these need not.
    """

    name: str
    language: str
    asked: Any
    places: tuple[str, ...]
    install: str
    rows: frozenset[str] = frozenset()
    link: tuple[str, ...] = ()

    def lacking(self, text: str) -> str:
        """What of the library a text asks for that is not on this machine; empty where it is all there."""
        names = [match.group(1) for match in self.asked.finditer(text)]
        return next((name for name in names if not any(Path(at, name).exists() for at in self.places)), "")


LIBRARIES = (
    Library(
        "boost",
        "cpp",
        pattern(r'(?m)^[ \t]*#[ \t]*include[ \t]*[<"](boost/[\w/.]+)'),
        _INCLUDES,
        "apt-get install libboost-dev",
    ),
    Library(
        "OpenSSL",
        "cpp",
        pattern(r'(?m)^[ \t]*#[ \t]*include[ \t]*[<"](openssl/[\w/.]+)'),
        _INCLUDES,
        "apt-get install libssl-dev",
        link=("-lcrypto",),
    ),
    Library(
        "js-md5",
        "javascript",
        pattern(r"""\brequire\(\s*['"`](js-md5)['"`]"""),
        NODE_MODULES,
        "npm install --global --prefix /usr js-md5",
        frozenset({"humaneval_x/js/162"}),
    ),
)


def needs_of_its_own(problem: Problem) -> bool:
    """Whether programs for this problem may need a library that the same program for another one may not."""
    return any(problem.id in library.rows for library in LIBRARIES)


def missing_library(problem: Problem, code: str, elsewhere: bool = False) -> str:
    """What a problem, or a program that solves it as its authors do, needs and this machine lacks; else nothing.

    Args:
        elsewhere: programs run on another machine, which is not asked what it has.
    """
    trusted = "\n".join([problem.begun, problem.setup, *(test.input for test in problem.tests)])
    for library in LIBRARIES:
        if library.language != problem.language or problem.style != "program":
            continue
        text = f"{trusted}\n{code}" if problem.id in library.rows else trusted
        if elsewhere and library.asked.search(text):
            return f"problem {problem.id} needs {library.name}, which is not looked for on a remote machine"
        if lacking := library.lacking(text):
            return f"problem {problem.id} needs {library.name} ({lacking}), which is not here: {library.install}"
    return ""
