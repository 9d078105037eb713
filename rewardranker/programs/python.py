"""Python: where a continued function ends, and what of a program is complete."""

from __future__ import annotations

import ast
import re
import warnings
from codeop import PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]
from dataclasses import dataclass
from functools import lru_cache

from rewardranker.linear import lexer
from rewardranker.programs.literals import FILL, blank

#: Longer programs are read without a syntax tree: making one takes a second for what no one writes.
MOST_PARSED = 40_000
_PARSED_IN_ALL = 60_000  # characters, for one decision
_MOST_CUTS = 50
_UNINDENTED = lexer(r"(?m:^)(?=[^\s])")
_BRACKET = lexer(r"[()\[\]{}]")
_STUBS = ("NotImplementedError", "NotImplemented")


@dataclass(frozen=True)
class Failure:
    """Why there is no syntax tree: the line (from 1) at which there is none, and whether more text might mend it."""

    line: int
    incomplete: bool = False


def continued(prefix: str, text: str) -> str:
    """``prefix + text`` up to the first unindented line of ``text`` at which the program is complete; up to the
    first such line where it never is."""
    code, start = prefix + text, len(prefix)
    places = [match.start() for match in _UNINDENTED.finditer(code, max(start, 1))]
    budget = _PARSED_IN_ALL
    for place in _closed(code, places)[:_MOST_CUTS]:
        budget -= place
        tree = _tree(code[:place]) if budget > 0 else None
        if isinstance(tree, ast.Module):
            return code[:place]
        if tree is None or isinstance(tree, Failure) and not tree.incomplete:
            break
    return code[: places[0]] if places and parsed(code) is None else code


def parsed(code: str) -> ast.Module | None:
    """The syntax tree; ``None`` for what is no Python, and for what is too long (:data:`MOST_PARSED`)."""
    tree = _tree(code)
    return tree if isinstance(tree, ast.Module) else None


def error_line(code: str) -> int:
    """The line, from 1, at which a text stops being Python, or which begins what is never closed; 0 where it is."""
    tree = _tree(code)
    return tree.line if isinstance(tree, Failure) else 0


def complete(code: str, entry_point: str) -> bool:
    """Whether ``code`` is a program that does more for the entry point than to announce it."""
    if len(code) > MOST_PARSED:
        return bool(_closed(code, [len(code)])) and defines(entry_point, code)
    tree = parsed(code)
    if tree is None:
        return False
    if not entry_point:
        return bool(tree.body)
    found = [node for node in tree.body if isinstance(node, _FUNCTIONS) and node.name == entry_point]
    return not all(map(_is_stub, found[-1].body)) if found else defines(entry_point, code)


def with_prelude(prefix: str, entry_point: str, code: str) -> str:
    """``code`` after those imports and helper functions of ``prefix`` that it lacks."""
    body = prefix.rstrip()
    given = parsed(body) or parsed(f"{body}\n    pass\n") or parsed(f"{body} pass\n")
    program = parsed(code)
    if given is None or program is None:
        return code
    names = {name for node in program.body for name in bound(node)}
    missing = []
    for node in given.body:
        if entry_point not in bound(node) and not names.issuperset(bound(node)):
            missing.append(source(prefix, node))
    return "\n".join([*missing, code]) if missing else code


def defines(entry_point: str, code: str) -> bool:
    """Whether an unindented line of ``code`` begins a definition of the entry point; true where there is none to look
    for."""
    return not entry_point or entry_point in code and _definition(entry_point).search(code) is not None


def bound(node: ast.stmt) -> set[str]:
    """What a top-level statement binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {name for alias in node.names for name in (alias.asname or alias.name, _root(alias))}
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Expr):
        return set()
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def source(code: str, node: ast.stmt) -> str:
    """The lines of a top-level statement, its decorators among them."""
    marks = node.decorator_list if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else []
    first = min([node.lineno, *(mark.lineno for mark in marks)])
    return "\n".join(code.split("\n")[first - 1 : node.end_lineno])


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(maxsize=256)
def _definition(name: str) -> re.Pattern[str]:
    name = re.escape(name)
    return lexer(rf"(?m:^)(?:(?:async\s++)?def\s++{name}\s*+[(\[]|{name}[ \t]*+(?::[^=\n]*+)?=(?!=))")


def _closed(code: str, places: list[int]) -> list[int]:
    """Those of the places, in order, that stand within no bracket and no literal."""
    masked = blank(code, "python")
    found, depth, brackets = [], 0, _BRACKET.finditer(masked)
    bracket = next(brackets, None)
    for place in places:
        while bracket is not None and bracket.start() < place:
            depth = max(0, depth + (1 if bracket[0] in "([{" else -1))
            bracket = next(brackets, None)
        within = masked[place - 1 : place] == FILL and code[place - 1 : place] == "\n"
        if not depth and not within:
            found.append(place)
    return found


def _root(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _is_stub(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
            return name in _STUBS
    return False


@lru_cache(maxsize=16)
def _tree(code: str) -> ast.Module | Failure:
    if len(code) > MOST_PARSED:
        return Failure(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            flags = ast.PyCF_ONLY_AST | PyCF_ALLOW_INCOMPLETE_INPUT
            tree = compile(code, "<program>", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            return Failure(error.lineno or 1, error.msg == "incomplete input")
        except (ValueError, MemoryError, RecursionError):
            return Failure(1)
    assert isinstance(tree, ast.Module)
    return tree
