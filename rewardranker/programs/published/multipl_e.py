"""What MultiPL-E (Cassano et al. 2022) runs of a model's text."""

from __future__ import annotations

from rewardranker.linear import lexer
from rewardranker.problems.prompts import until_first
from rewardranker.problems.types import Problem
from rewardranker.programs import extract

# Its rows for Python, of which DeepSeek-Coder's copy has none.
_PYTHON_STOPS = ("\ndef", "\n#", "\nif", "\nclass")

# Lines that the tests need and an answer may have left out.
_HEADER = lexer(r"using [\w.]++;|import [\w.*]++;|#\s*+include\b")


def program(problem: Problem, text: str) -> str:
    """Prompt, completion cut at the stop tokens, tests. MultiPL-E knows no chat: of an answer with
    fences, or to a prompt that is no code, the program is what our own extraction makes of it."""
    tests = "\n".join(test.input for test in problem.tests)
    if "```" in text or not problem.prefix:
        code = extract(problem, text)
        header = [line for line in problem.prompt.splitlines() if _HEADER.match(line) and line not in code]
        return joined(problem.language, "\n".join([*header, code]), tests)
    stops = problem.stop_tokens or (_PYTHON_STOPS if problem.language == "python" else ())
    return problem.prefix + until_first(text, stops) + "\n" + tests


def joined(language: str, code: str, tests: str) -> str:
    """A complete program and tests that may begin by closing what it has closed already."""
    if not tests.lstrip().startswith("}"):
        return code + "\n" + tests
    if language in ("java", "csharp"):
        code = code.rstrip().removesuffix("}")
    return code + "\n" + tests.lstrip()[1:]
