"""How other harnesses cut a program out of a model's text, for numbers that can be put beside theirs.

DeepSeek-Coder's rules (Guo et al. 2024, ``Evaluation/HumanEval/utils/utils.py`` and ``Evaluation/MBPP``), with
their peculiarities: a fence counts only under the one name that the harness has for the language, so that
```` ```js ```` is no program; what follows the main function is lost; a closing brace is looked for at the
indent of the function's first line, from the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.problems.prompts import continues_prompt, harness_stops, until_first
from rewardranker.problems.types import Problem

_PYTHON_IMPORTS = (
    *(f"import {name}" for name in ("math", "re", "sys", "copy", "datetime", "itertools", "collections", "heapq")),
    *(f"import {name}" for name in ("functools", "hashlib", "numpy", "numpy as np", "string")),
    "from typing import *",
    "from collections import *",
)
_CPP_INCLUDES = tuple(
    f"#include<{name}>"
    for name in (
        *("stdlib.h", "algorithm", "math.h", "stdio.h", "vector", "string", "climits", "cstring", "iostream"),
        "cassert",
    )
)
_CSHARP_USINGS = tuple(
    f"using System.{name};"
    for name in (
        *("Numerics", "Diagnostics", "Collections.Generic", "Linq", "Text", "Security.Cryptography"),
        "Collections.Generic",
    )
)


@dataclass(frozen=True)
class _Setting:
    """What the harness knows of a language.

    Attributes:
        fence: the only name after the back-ticks that it takes, in either case.
        indent: of the closing brace, where the function is not found.
        main: from here on the block is dropped.
        closed: whether the function's closing brace is put back; elsewhere the tests begin with it.
    """

    fence: str
    indent: int = 0
    main: str = ""
    closed: bool = False


_SETTINGS = {
    "python": _Setting("python", indent=4),
    "cpp": _Setting("cpp", main="int main()"),
    "java": _Setting("java", indent=4, main="public static void main"),
    "csharp": _Setting("csharp", main="public static void Main"),
    "php": _Setting("php", closed=True),
    "typescript": _Setting("typescript", closed=True),
    "javascript": _Setting("javascript", closed=True),
    "bash": _Setting("bash"),
}


def program(problem: Problem, text: str) -> str:
    """What it makes of an answer, between its prelude and the tests."""
    code = deepseek_program(problem, text)
    tests = "\n".join(test.input for test in problem.tests)
    if problem.source == "mbpp":
        return f"{code}\n{tests}"
    match problem.language:
        case "python":
            return "\n".join([*_PYTHON_IMPORTS, code, tests, ""])
        case "cpp":
            missing = "".join(f"{line}\n" for line in _CPP_INCLUDES if line not in problem.prefix)
            return f"{missing}\n{code}\n{tests}"
        case "csharp":
            return "".join(f"{line}\n" for line in _CSHARP_USINGS) + f"\n{code}\n{tests}"
        case "php":
            return ("" if code.startswith("<?php") else "<?php\n") + f"{code}\n{tests}?>"
    return f"{code}\n{tests}"


def deepseek_program(problem: Problem, text: str) -> str:
    """What the harness makes of an answer, without prelude and tests: by its rule for chat models where the text
    has a fence or the prompt asked for one, else by its rule for base models."""
    if problem.source == "mbpp":
        block = _first_block(text, "python")
        if "```" in text:
            return text if block is None else block
        return text.split("[DONE]")[0].strip()
    chat = "```" in text or not continues_prompt(problem)
    return instruct_program(problem, text) if chat else base_program(problem, text)


def base_program(problem: Problem, text: str) -> str:
    """The code of the prompt, and the text up to the first of the harness's stop tokens."""
    return problem.prefix + "\n" + until_first(text, harness_stops(problem))


def instruct_program(problem: Problem, text: str) -> str:
    """The prompt up to its function, and the function as the first fenced block has it; prompt and text, one
    after the other, where there is no such block."""
    setting = _SETTINGS[problem.language]
    block, head = _first_block(text, setting.fence), _signature(problem)
    if block is None or head is None:
        return problem.prefix + "\n" + text
    before, signature = head
    if setting.main and setting.main in block:
        block = block[: block.index(setting.main)]
    start, indent = block.lower().find(signature.lower()), setting.indent
    if start < 0:
        start = 0
    else:
        indent = _indent_before(block, start)
    end = block.rfind("\n" + " " * indent + "}")
    body = block[start : end if end >= 0 else len(block)]
    return before + "\n" + body + ("\n" + " " * indent + "}" if setting.closed else "") + "\n"


def _first_block(text: str, fence: str) -> str | None:
    match = lexer(rf"(?i:```{fence}\n)").search(text)
    end = text.find("```", match.end()) if match is not None else -1
    return text[match.end() : end] if match is not None and end >= 0 else None


def _signature(problem: Problem) -> tuple[str, str] | None:
    """The prompt's lines before its function, blank ones left out, and the function's line up to its parameters
    (Python) or its brace; ``None`` where it has no such line."""
    lines = [line for line in problem.prefix.strip().split("\n") if line.strip()]
    if problem.language == "python":
        places = [number for number, line in enumerate(lines) if line.startswith("def ")]
        return ("\n".join(lines[: places[-1]]), lines[places[-1]].split("(")[0].strip()) if places else None
    return ("\n".join(lines[:-1]), lines[-1].split("{")[0].strip()) if lines else None


def _indent_before(block: str, start: int) -> int:
    """Spaces before ``start``; at the very beginning, the harness looks at the block's last character instead."""
    indent = 0
    while block and start - indent >= 0 and block[start - indent - 1] == " ":
        indent += 1
    return indent
