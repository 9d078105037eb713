"""Helpers of the tests: what they use and the prompt defines.

A program repeats its prompt, and may have changed what stands there. Tests that call such a function (HumanEval 32,
38 and 50 do) get the prompt's own.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache

from rewardranker.judge.child import tester
from rewardranker.judge.strict.plain import leaves_nothing
from rewardranker.problems.types import Problem

#: Bodies for a prompt that ends with a signature.
_BODIES = ("", "\n    pass\n", "\n        pass\n")


@dataclass(frozen=True)
class Names:
    """Names that tests use: those that the program has to provide, and those that ``source`` (the prompt's code, with
    a stub of the entry point) does; whether all of this code ``leaves_nothing`` behind."""

    asked: tuple[str, ...]
    trusted: tuple[str, ...]
    source: str
    leaves_nothing: bool


def names_of(problem: Problem) -> Names:
    """Whose the names are that a problem's tests use. Raises ``SyntaxError``, ``ValueError``."""
    return _names((problem.setup, *(test.input for test in problem.tests)), problem.prefix, problem.entry_point)


@lru_cache(maxsize=4096)
def _names(sources: tuple[str, ...], prefix: str, entry: str) -> Names:
    used = tester.free_names(list(sources), entry)
    source, defined = _definitions(prefix)
    trusted = tuple(name for name in used if name in defined and name != entry)
    asked = tuple(name for name in used if name not in trusted)
    source = source if trusted else ""
    return Names(asked, trusted, source, leaves_nothing((*sources, source), asked))


def _definitions(prefix: str) -> tuple[str, set[str]]:
    """The prompt as code, and the functions and values that it defines; nothing where it is no code.

    Its classes stay the program's: tests build their objects, which only the program's process can hold.
    """
    for body in _BODIES:
        source = prefix.rstrip() + body
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                statements = ast.parse(source).body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
        return source, {name for statement in statements for name in _defined(statement)}
    return "", set()


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and _is_stored(node)]
    return []


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
