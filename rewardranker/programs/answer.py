"""Chat models: a whole program in a fence."""

from __future__ import annotations

from rewardranker.linear import pattern
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Problem
from rewardranker.programs import php, prelude, python
from rewardranker.programs.classes import class_of_prompt, complete
from rewardranker.programs.literals import blank
from rewardranker.programs.removal import without, without_tail
from rewardranker.programs.scripts import without_own_tests
from rewardranker.programs.structure import items

_MAIN = pattern(r"[^;{}()=]*\bmain\s*\(")


def whole(problem: Problem, code: str) -> str:
    """A fenced program as the tests need it: without a main function or calls of its own, with what the prompt
    had declared before the function. Programs for ``stdio`` tests keep their main function."""
    language, entry_point = problem.language, problem.entry_point
    code = normalise(code)
    if not entry_point or problem.style == "stdio":
        return code if language != "php" or php.is_opened(code) else f"<?php\n{code}"
    if language == "php":
        return php.opened(without_tail(without_own_tests(php.body(code), "php", entry_point), "php"))
    if language == "python":
        return python.with_prelude(problem.prefix, entry_point, code) if problem.prefix else code
    if language == "cpp":
        code = _without_main(code)
    elif language in ("java", "csharp"):
        code = complete(code, language, entry_point, class_of_prompt(problem.prefix, language))
    else:
        code = without_own_tests(code, language, entry_point)
    return without_tail(prelude.with_prelude(problem.prefix, language, entry_point, code), language)


def _without_main(code: str) -> str:
    masked = blank(code, "cpp")
    return without(code, masked, [span for span in items(masked, "cpp") if _MAIN.match(span.of(masked))])
