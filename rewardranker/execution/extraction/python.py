"""Python: where a continued function ends, and programs between prose."""

from __future__ import annotations

import ast
import re
import warnings

_CODE_START = re.compile(r"(from\s+\S+\s+import\b|import\s|(async\s+)?def\s|class\s|@\w|#|\w+\s*=[^=])")
_MOST_CUTS = 50


def continued(prefix: str, text: str) -> str:
    """``prefix + text`` up to the first unindented line of ``text`` at which the program is complete; up to the
    first such line where it never is."""
    code, start = prefix + text, len(prefix)
    starts = [match.start() + 1 for match in re.finditer(r"\n(?=[^\s])", code)]
    places = [place for place in starts if place >= start and place > 0][:_MOST_CUTS]
    for place in places:
        if _parsed(code[:place]) is not None:
            return code[:place]
    return code[: places[0]] if places and _parsed(code) is None else code


def without_prose(text: str) -> str:
    """From the first line that looks like code to the last unindented line before which it parses."""
    if _parsed(text) is not None:
        return text
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if _CODE_START.match(line)), 0)
    lines = lines[first:]
    ends = [i for i in range(1, len(lines)) if lines[i][:1].strip()] + [len(lines)]
    for end in reversed(ends[-_MOST_CUTS:]):
        if _parsed("\n".join(lines[:end])) is not None:
            return "\n".join(lines[:end])
    return "\n".join(lines)


def with_prelude(prefix: str, entry_point: str, code: str) -> str:
    """``code`` after those imports and helper functions of ``prefix`` that it lacks."""
    body = prefix.rstrip()
    given = _parsed(body) or _parsed(f"{body}\n    pass\n") or _parsed(f"{body} pass\n")
    program = _parsed(code)
    if given is None or program is None:
        return code
    present = {ast.dump(node) for node in program.body}
    names = {name for node in program.body for name in _names(node)}
    lines = prefix.split("\n")
    missing = []
    for node in given.body:
        absent = ast.dump(node) not in present and not names.issuperset(_names(node))
        if absent and entry_point not in _names(node) and not isinstance(node, ast.Expr):
            first = min([node.lineno, *(mark.lineno for mark in _marks(node))])
            missing.append("\n".join(lines[first - 1 : node.end_lineno]))
    return "\n".join([*missing, code]) if missing else code


def defines(entry_point: str, code: str) -> bool:
    """Whether an unindented line of ``code`` begins a definition of the entry point."""
    name = re.escape(entry_point)
    return re.search(rf"(?m)^(?:(?:async\s+)?def\s+{name}\s*[(\[]|{name}\s*(?::[^=\n]*)?=(?!=))", code) is not None


def _names(node: ast.stmt) -> set[str]:
    """What a top-level statement binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def _marks(node: ast.stmt) -> list[ast.expr]:
    return node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []


def _parsed(code: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None
