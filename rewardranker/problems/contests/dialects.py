"""What contest sites call languages, and how they say what became of a program."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rewardranker.linear import pattern

#: Python 2 is a language of its own: its programs teach nothing about Python's, and nothing here runs them.
PYTHON_2 = "python2"
#: Of none of the project's languages.
NO_LANGUAGE = ""

#: In order, the first that is found decides. V8's shell is not Node.js: its programs read with ``readline()``.
_DIALECTS: tuple[tuple[Any, str], ...] = tuple(
    (pattern(rf"(?i){found}"), language)
    for found, language in (
        (r"javascript\s*v8|\bv8\b", NO_LANGUAGE),
        (r"node|javascript|\bjs\b", "javascript"),
        (r"typescript", "typescript"),
        (r"py(?:thon|py)?[ -]*2", PYTHON_2),
        (r"py(?:thon|py)?[ -]*3", "python"),
        (r"c\+\+|clang\+\+|\bcpp\b", "cpp"),
        (r"(?:^|[^\w])c#|\bcsharp\b", "csharp"),
        (r"\bjava\b", "java"),
        (r"\bphp\b", "php"),
        (r"\bbash\b", "bash"),
    )
)

#: The language of a solution in CodeContests, by its number there and its name.
CODE_CONTESTS_LANGUAGES = {
    0: NO_LANGUAGE,
    1: PYTHON_2,
    2: "cpp",
    3: "python",
    4: "java",
    "UNKNOWN_LANGUAGE": NO_LANGUAGE,
    "PYTHON": PYTHON_2,
    "CPP": "cpp",
    "PYTHON3": "python",
    "JAVA": "java",
}

#: Codeforces' verdicts: whether the program is right; ``None`` for what says nothing of it, or too little.
#: ``PARTIAL`` passed some, ``CHALLENGED`` fell to another's test that need not be among ours, ``SKIPPED`` and
#: ``TESTING`` were not judged to the end, ``COMPILATION_ERROR`` is trivial; the others are the site's own failures.
CODEFORCES_VERDICTS: dict[str, bool | None] = {
    "OK": True,
    "WRONG_ANSWER": False,
    "RUNTIME_ERROR": False,
    "TIME_LIMIT_EXCEEDED": False,
    "MEMORY_LIMIT_EXCEEDED": False,
    "IDLENESS_LIMIT_EXCEEDED": False,
    "PRESENTATION_ERROR": None,
    "SKIPPED": None,
    "TESTING": None,
    "CHALLENGED": None,
    "PARTIAL": None,
    "FAILED": None,
    "REJECTED": None,
    "COMPILATION_ERROR": None,
    "SECURITY_VIOLATED": None,
    "CRASHED": None,
    "INPUT_PREPARATION_CRASHED": None,
}


@lru_cache(maxsize=4096)
def dialect(text: str) -> str:
    """The project's name for the language that a site calls ``text`` (``C++17 (GCC 7-32)``, ``PyPy 3-64``).

    Returns:
        One of the project's languages, :data:`PYTHON_2`, or :data:`NO_LANGUAGE` (C, Kotlin, a Python of no number).
    """
    return next((language for found, language in _DIALECTS if found.search(text)), NO_LANGUAGE)
