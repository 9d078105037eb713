"""Helpers and imports that an answer has in blocks of their own."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence

from rewardranker.linear import lexer
from rewardranker.programs import php, python
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank
from rewardranker.programs.members import Opener, declared
from rewardranker.programs.naming import defined_names, is_import, names
from rewardranker.programs.prelude import key
from rewardranker.programs.removal import with_comments
from rewardranker.programs.structure import Span, items

_BUILTINS = frozenset(dir(builtins))
_MOST_BLOCKS = 20
_LOCAL = lexer(r"\b(?:let|const|var|local)\s++([\w$]++)")


def joined(language: str, entry_point: str, blocks: Sequence[str], chosen: int) -> str:
    """The chosen block after whatever it needs of the others: definitions of names that it uses and lacks, and what
    those need in turn, in the order of the text. Of several definitions of a name it is the last one before the
    chosen block, else the first one behind it. Another definition of the entry point is never needed."""
    others = [*range(chosen - 1, -1, -1), *range(chosen + 1, len(blocks))][:_MOST_BLOCKS]
    if not others or not entry_point:
        return blocks[chosen]
    program = blocks[chosen]
    first, rest = php.head_and_rest(php.body(program)) if language == "php" else ("", program)
    take: Callable[[str, str, str, set[str]], str] = _python_parts if language == "python" else _parts
    wanted = _python_free(rest) if language == "python" else _free(rest, language)
    show = _shower(language, rest)
    found: dict[int, str] = {}
    for number in others:
        part = take(show(blocks[number]), language, entry_point, wanted)
        if part:
            found[number] = part
            wanted |= _python_free(part) if language == "python" else _free(part, language)
            wanted -= _python_bound(part) if language == "python" else _bound(part, language)
    if not found:
        return program
    helpers = "\n".join(found[number].rstrip("\n") for number in sorted(found))
    code = f"{first}\n{helpers}\n{rest}" if first else f"{helpers}\n{rest}"
    return php.opened(code) if language == "php" else code


def _shower(language: str, program: str) -> Callable[[str], str]:
    """Gives another block as its declarations would stand beside those of the program."""
    if language == "php":
        return php.body
    return Opener(language, program).opened if language in ("java", "csharp") else str


def _python_free(code: str) -> set[str]:
    """Names that a program uses and binds nowhere, in no scope; all are bound in one that imports everything."""
    tree = python.parsed(code)
    used, own = set(), set()
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                own.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                own |= python.bound(node)
    return used - own - _BUILTINS


def _python_bound(code: str) -> set[str]:
    tree = python.parsed(code)
    return {name for node in tree.body for name in python.bound(node)} if tree is not None else set()


def _python_parts(code: str, language: str, entry_point: str, wanted: set[str]) -> str:
    """Those top-level statements of a block that bind wanted names, or set them up, and what these need."""
    tree = python.parsed(code)
    if tree is None or not wanted:
        return ""
    used = [{name.id for name in ast.walk(node) if isinstance(name, ast.Name)} for node in tree.body]
    helping: dict[str, list[int]] = {}
    for number, node in enumerate(tree.body):
        for name in _helps(node, used[number], entry_point):
            helping.setdefault(name, []).append(number)
    taken: set[int] = set()
    left = list(wanted)
    while left:
        for number in helping.pop(left.pop(), ()):
            if number not in taken:
                taken.add(number)
                left += used[number] - _BUILTINS
    return "\n".join(python.source(code, tree.body[number]) for number in sorted(taken))


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _helps(node: ast.stmt, used: set[str], entry_point: str) -> set[str]:
    """The names that a top-level statement binds or sets up; none where it binds or tries the entry point."""
    bound = python.bound(node)
    if entry_point in bound or entry_point in used and not isinstance(node, _DEFINITIONS):
        return set()
    if isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assert)) or "print" in used:
        return bound
    return bound | (used - _BUILTINS)


def _may_help(shape: str, entry_point: str, defines_it: bool) -> bool:
    """Whether a declaration may be a helper: not the entry point's, nor a value that it has returned."""
    return not defines_it and ("{" in shape or entry_point not in names(shape))


def _free(code: str, language: str) -> set[str]:
    """The names that a program mentions and does not define."""
    masked = blank(code, language)
    return names(masked) - _bound(code, language) - set(_LOCAL.findall(masked))


def _bound(code: str, language: str) -> set[str]:
    masked = blank(code, language)
    if language in ("java", "csharp"):
        return declared(masked, language)
    return {name for span in items(masked, language) for name in defined_names(span.of(masked), language)}


def _parts(code: str, language: str, entry_point: str, wanted: set[str]) -> str:
    """Those declarations of a block whose names are wanted, and what these need; with imports where there are any,
    or where the block has nothing else."""
    masked = blank(code, language)
    spans = items(masked, language)
    place = definition(masked, language, entry_point)
    by_name: dict[str, list[Span]] = {}
    for span in spans:
        shape = span.of(masked)
        if _may_help(shape, entry_point, place is not None and span.start <= place < span.end):
            for name in defined_names(shape, language):
                by_name.setdefault(name, []).append(span)
    taken: dict[Span, None] = {}
    left = list(wanted)
    while left:
        for span in by_name.pop(left.pop(), ()):
            if span not in taken:
                taken[span] = None
                left += names(span.of(masked))
    imports = [span for span in spans if is_import(span.of(masked), language)]
    if taken or len(imports) == len(spans):
        taken |= dict.fromkeys(imports)
    found = {
        key(span.of(code)): with_comments(code, masked, span) for span in sorted(taken, key=lambda span: span.start)
    }
    return "\n".join(code[start:end].strip("\n") for start, end in found.values())
