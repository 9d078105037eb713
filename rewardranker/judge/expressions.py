"""Expressions that a model wrote: which of them may be evaluated beside the judge's own code.

A test that a model writes is no more to be trusted than a program that it writes. What passes here can call the entry
point, a few builtins that give access to nothing, and compute with literals of bounded size; nothing has attributes,
nothing is defined, imported or looped over.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence

from rewardranker.judge.child.probing import CALLABLE, TYPES

MAX_LENGTH = 2000
_MAX_RANGE, _MAX_REPEAT, _MAX_BASE, _MAX_EXPONENT = 100_000, 10_000, 1_000_000, 64
_PLAIN = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Invert,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow,
    ast.List, ast.Tuple, ast.Set, ast.Subscript, ast.Slice, ast.Load,
)  # fmt: skip
_CONSTANTS = (int, float, complex, str, bytes, type(None))


class Refused(ValueError):
    """The expression is not one of those that may be evaluated; the message says what it holds."""


def parsed(source: str) -> ast.expr:
    """The expression that a text is. Raises :class:`Refused` where it is none, or too long to be a test."""
    if len(source) > MAX_LENGTH:
        raise Refused("too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Refused("no expression") from None


def check(expression: ast.expr, entry_point: str) -> None:
    """Lets an expression pass that calls the entry point and holds nothing but what is allowed.

    Raises:
        Refused: says, in a word or two, for the count, what is not allowed.
    """
    if not calls_in(expression, entry_point):
        raise Refused("no call of the entry point")
    nodes = list(ast.walk(expression))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    numbers = _numbers(nodes)
    for node in nodes:
        if id(node) in called and isinstance(node, ast.Name):
            continue  # what may be called is the call's own rule
        rule = _RULES.get(type(node))
        if isinstance(node, ast.BinOp):
            reason = _operation(node, numbers)
        else:
            reason = rule(node, entry_point) if rule else "" if isinstance(node, _PLAIN) else type(node).__name__
        if reason:
            raise Refused(reason)


def canonical(expression: ast.expr) -> str:
    """One text for expressions that differ in white space, quotes and brackets only. Raises :class:`Refused`."""
    try:
        text = ast.unparse(expression)
    except (RecursionError, ValueError):
        raise Refused("nested too deeply") from None
    if len(text) > MAX_LENGTH:
        raise Refused("too long")
    return text


def checked(source: str, entry_point: str) -> str:
    """:func:`parsed`, :func:`check` and :func:`canonical` in one. Raises :class:`Refused`."""
    expression = parsed(source)
    check(expression, entry_point)
    return canonical(expression)


def calls_in(expression: ast.expr, entry_point: str) -> list[ast.Call]:
    """The calls of the entry point, outermost first; those in another's arguments are not listed."""
    found: list[ast.Call] = []
    left: list[ast.AST] = [expression]
    while left:
        node = left.pop(0)
        if is_call(node, entry_point):
            assert isinstance(node, ast.Call)
            found.append(node)
        else:
            left.extend(ast.iter_child_nodes(node))
    return found


def is_call(node: ast.AST, name: str) -> bool:
    """Whether ``node`` calls the function of that name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _constant(node: ast.Constant, entry: str) -> str:
    return "" if isinstance(node.value, _CONSTANTS) else type(node.value).__name__


def _name(node: ast.Name, entry: str) -> str:
    """A name that is not called: a type's. The entry point itself is never a value."""
    return "" if node.id in TYPES and node.id != entry else "a name"


def _call(node: ast.Call, entry: str) -> str:
    if not isinstance(node.func, ast.Name):
        return "a call of what is no name"
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return "Starred"
    name = node.func.id
    if name == entry:
        return ""
    if name not in CALLABLE:
        return "a call of another function"
    if name == "type" and len(node.args) != 1:
        return "a new type"
    if name == "range" and not all(_within(argument, _MAX_RANGE) for argument in node.args):
        return "a range of unknown size"
    return ""


def _keyword(node: ast.keyword, entry: str) -> str:
    return "" if node.arg else "Starred"


def _dict(node: ast.Dict, entry: str) -> str:
    return "Starred" if None in node.keys else ""


def _operation(node: ast.BinOp, numbers: set[int]) -> str:
    """Sums and quotients of any values; products and powers only as large as their text lets one see."""
    if (
        isinstance(node.op, ast.Mod)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, (str, bytes))
    ):
        return "a format"
    sides = (node.left, node.right)
    if isinstance(node.op, ast.Pow):
        small = _within(node.left, _MAX_BASE) and _within(node.right, _MAX_EXPONENT)
        return "" if small else "a power of unknown size"
    if isinstance(node.op, ast.Mult) and not all(id(side) in numbers for side in sides):
        once = not any(_multiplies(side) for side in sides)
        return "" if once and any(_within(side, _MAX_REPEAT) for side in sides) else "a product of unknown size"
    return ""


def _within(node: ast.expr, limit: int) -> bool:
    """Whether a node is a literal number, a sign before it or not, of at most that size."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) <= limit


def _numbers(nodes: Sequence[ast.AST]) -> set[int]:
    """Which nodes (by ``id``) are made of literal numbers alone; each stands behind the one that holds it."""
    found: set[int] = set()
    for node in reversed(nodes):
        match node:
            case ast.Constant(value=int() | float() | complex()):
                found.add(id(node))
            case ast.UnaryOp(operand=one) if id(one) in found:
                found.add(id(node))
            case ast.BinOp(left=one, right=other) if id(one) in found and id(other) in found:
                found.add(id(node))
    return found


def _multiplies(node: ast.expr) -> bool:
    return any(isinstance(part, (ast.Mult, ast.Pow)) for part in ast.walk(node))


_RULES: dict[type[ast.AST], Callable[..., str]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Call: _call,
    ast.keyword: _keyword,
    ast.Dict: _dict,
}
