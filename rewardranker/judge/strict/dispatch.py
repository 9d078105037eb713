"""Which way a program is judged, by its language and its problem's style."""

from __future__ import annotations

import ast
import math
import warnings
from typing import get_args

from rewardranker.errors import UserError
from rewardranker.judge.expressions import Refused, checked
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.language import Level
from rewardranker.judge.sandbox import Sandbox
from rewardranker.judge.strict.checker_programs import PROGRAMS
from rewardranker.judge.strict.python import count_tests, judge_python
from rewardranker.judge.strict.recipes import judge_recipe, recipe_level
from rewardranker.judge.strict.recordings import Recordings
from rewardranker.problems.given import check_given
from rewardranker.problems.types import Comparator, Problem
from rewardranker.problems.verdict import Judgement, Verdict


def judge_once(
    sandbox: Sandbox, recordings: Recordings, problem: Problem, code: str, all_tests: bool = True
) -> tuple[Judgement, bool]:
    """The judgement, and whether a time limit had a part in it. Raises ``SandboxDied``."""
    if problem.language == "python":
        return judge_python(sandbox, problem, code, all_tests)
    try:
        code.encode()
    except UnicodeEncodeError as error:
        message, total = f"no text that a file can hold: {error.reason}", len(problem.tests)
        return Judgement(Verdict.COMPILE_ERROR, 0, total, 0.0, message, "", level_of(problem)), False
    return judge_recipe(sandbox, LANGUAGES[problem.language], recordings, problem, code, all_tests)


def level_of(problem: Problem) -> Level:
    """How far a verdict on this problem's programs can be trusted. Raises ``UserError`` for an impossible style."""
    if problem.language == "python":
        return "L3" if problem.style == "stdio" else "L2"
    if problem.style == "probe":
        raise UserError(
            f"problem {problem.id} asks for style 'probe' in {problem.language}; only Python programs can be probed"
        )
    return recipe_level(LANGUAGES[problem.language], problem)


def check_problem(problem: Problem) -> None:
    """Refuses what no program could be judged by.

    Raises:
        UserError: no tests, tests that are not what the style asks for, limits of nothing, or a style that the
            language lacks.
    """
    check_given(problem, f"problem {problem.id}")
    if problem.language not in LANGUAGES:
        return
    level_of(problem)
    _check_comparator(problem)
    if problem.style == "probe":
        _check_expressions(problem)
    elif problem.language == "python":
        count_tests(problem)


def _check_comparator(problem: Problem) -> None:
    if problem.comparator not in get_args(Comparator):
        known = ", ".join(get_args(Comparator))
        raise UserError(f"problem {problem.id}: comparator {problem.comparator!r} must be one of {known}")
    if problem.comparator in PROGRAMS and not problem.checker.strip():
        raise UserError(f"problem {problem.id}: comparator {problem.comparator!r} needs a program in checker")
    if problem.comparator == "checker" and not _checks_three(problem):
        raise UserError(
            f"problem {problem.id}: comparator 'checker' needs Python code in checker that defines "
            "check(input, output, expected)"
        )


def _checks_three(problem: Problem) -> bool:
    """Whether the checker has a function ``check`` that can be called with three arguments."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(problem.checker, "<checker>", "exec", dont_inherit=True)
            body = ast.parse(problem.checker).body
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise UserError(f"problem {problem.id}: its checker is not valid Python: {error}; mend it") from None
    definitions = [node.args for node in body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    return bool(definitions) and _takes(definitions[-1], 3)


def _takes(arguments: ast.arguments, count: int) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    least, most = positional - len(arguments.defaults), math.inf if arguments.vararg else positional
    return least <= count <= most and None not in arguments.kw_defaults


def _check_expressions(problem: Problem) -> None:
    """Expressions may come from a model: none but those of the allow-list ever reach a tester."""
    for test in problem.tests:
        try:
            checked(test.input, problem.entry_point)
        except Refused as error:
            raise UserError(
                f"problem {problem.id}: the probe {test.input[:80]!r} is refused for {error}, since it would be "
                "evaluated beside the judge's own code; leave out what judge.expressions.checked refuses"
            ) from None
