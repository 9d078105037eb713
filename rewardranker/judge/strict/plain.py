"""Trusted code that leaves nothing behind: what a tester may run that goes on to the next problem's tests.

All other trusted code gets a process of its own. The code means no harm; what is looked for is what it would leave
by accident: a changed module, a seeded generator, an open file.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import lru_cache

#: Modules without state that a test could change by calling what it has use for.
_MODULES = frozenset(
    ("__future__", "bisect", "cmath", "collections", "copy", "datetime", "enum", "fractions", "heapq", "itertools")
    + ("json", "math", "re", "string", "typing")
)
_NAMES = frozenset(
    ("breakpoint", "compile", "delattr", "eval", "exec", "exit", "globals", "help", "input", "open", "quit")
    + ("setattr", "vars")
)


@lru_cache(maxsize=4096)
def leaves_nothing(sources: tuple[str, ...], names: Iterable[str]) -> bool:
    """Whether running these sources changes nothing but the names that they define.

    Args:
        names: what they use and do not define; those of the standard library's modules are imported for them.
    """
    modules = {name for name in names if name in sys.stdlib_module_names}
    return modules <= _MODULES and all(_is_plain(node) for source in sources for node in ast.walk(ast.parse(source)))


def _is_plain(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return all(alias.name in _MODULES for alias in names)
        case ast.ImportFrom(module=module, names=names):
            return module in _MODULES and all(alias.name != "*" for alias in names)
        case ast.Attribute(attr=attribute, ctx=context):
            return isinstance(context, ast.Load) and not attribute.startswith("_") and attribute != "register"
        case ast.Name(id=name):
            return name not in _NAMES and (not name.startswith("__") or name == "__name__")
    return True
