"""What a problem asks for, in words: the part of a prompt in which two data sets can be compared."""

from __future__ import annotations

import ast
import inspect
import re

from rewardranker.errors import UserError
from rewardranker.problems.types import Problem

_WORD = re.compile(r"\w++")
# What C++, Java, C#, PHP, TypeScript, JavaScript and Bash have between marks and behind one, without the line that
# names an interpreter.
_COMMENT = re.compile(r"/\*++([\s\S]*?)\*++/|^[ \t]*+(?://++|#(?!!|\s*+include\b))(.*+)$", re.MULTILINE)
_STARS = re.compile(r"^[ \t]*+\*++", re.MULTILINE)
_MBPP_HEAD = "You are an expert Python programmer. Task: "
_MBPP_MIDDLE = "\nYour code should pass these tests:\n"


def words(text: str) -> list[str]:
    """The text's words in lower case: letters, digits and underscores; case, punctuation and space say nothing."""
    return _WORD.findall(text.lower())


def statement(problem: Problem) -> str:
    """What the problem asks for: MBPP's sentence; elsewhere the comment or docstring of a function that the prompt
    has begun, since imports and signatures are alike in unrelated problems; else the prompt."""
    if problem.source == "mbpp":
        return mbpp_statement(problem)
    if not problem.prefix:
        return problem.prompt
    found = _docstring(problem) if problem.language == "python" else _comments(problem.prefix)
    return found.strip() or problem.prefix


def plain_mbpp_prompt(text: str, tests: list[str]) -> str:
    """The prompt with which MBPP's problems are loaded: the sentence and all three asserts, a line each."""
    return f"{_MBPP_HEAD}{text}{_MBPP_MIDDLE}" + "".join(f"{test}\n" for test in tests)


def mbpp_statement(problem: Problem) -> str:
    """MBPP's sentence, out of the prompt that :func:`plain_mbpp_prompt` made.

    Raises:
        UserError: the prompt is another one.
    """
    head, middle, _ = problem.prompt.partition(_MBPP_MIDDLE)
    if not middle or not head.startswith(_MBPP_HEAD):
        raise UserError(
            f"problem {problem.id} does not have the prompt that MBPP is loaded with (it begins with "
            f"{problem.prompt[:40]!r}); start from the problem as load_benchmark gave it"
        )
    return head.removeprefix(_MBPP_HEAD)


def _comments(code: str) -> str:
    return "\n".join(_STARS.sub("", block) or line for block, line in _COMMENT.findall(code))


def _docstring(problem: Problem) -> str:
    """Of the entry point, in a prompt that ends with it."""
    try:
        tree = ast.parse(problem.prefix)
    except SyntaxError:
        return ""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point]
    # HumanEval 115 has its text after an import, where it is no docstring to Python.
    values = [node.value for node in (functions[-1].body if functions else ()) if isinstance(node, ast.Expr)]
    texts = (value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str))
    return inspect.cleandoc(next(texts, ""))
