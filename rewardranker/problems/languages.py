"""The languages of problems and programs, and what people and models call them."""

from __future__ import annotations

from functools import lru_cache

from rewardranker.linear import lexer

#: Our names, each with the others that are the same language, or may be.
LANGUAGES: dict[str, tuple[str, ...]] = {
    "python": ("py", "python2", "python3", "py2", "py3", "ipython", "pycon", "python-repl", "sage"),
    "cpp": ("c++", "cc", "cxx", "hpp", "h++", "cplusplus", "c++11", "c++14", "c++17", "c++20"),
    "java": (),
    "php": ("php3", "php4", "php5", "php7", "php8"),
    "typescript": ("ts", "mts", "cts"),
    "csharp": ("cs", "c#", "c-sharp", "dotnet", "csx"),
    "bash": ("sh", "shell", "zsh", "ksh", "shellscript", "shell-session"),
    "javascript": ("js", "node", "mjs", "cjs", "nodejs", "ecmascript"),
}
#: What each is called in a sentence.
PROPER_NAMES = {
    "python": "Python",
    "cpp": "C++",
    "java": "Java",
    "php": "PHP",
    "typescript": "TypeScript",
    "csharp": "C#",
    "bash": "Bash",
    "javascript": "JavaScript",
}
_BY_NAME = {other: name for name, others in LANGUAGES.items() for other in (name, *others)}
_VERSION = lexer(r"[\d.]++\Z")


@lru_cache(maxsize=1024)
def language_of(tag: str) -> str:
    """The language that a tag behind a fence names, by our own name where it is one of ours; else the tag."""
    tag = tag.strip("{}.:")
    names = (tag, tag.rpartition(".")[2], _unversioned(tag))
    return next((_BY_NAME[name] for name in names if name in _BY_NAME), tag)


def canonical_language(name: str) -> str:
    """Our name for a language that somebody calls by one of its others (``sh``, ``C++``); else the name itself."""
    return _BY_NAME.get(name.lower(), name)


def _unversioned(tag: str) -> str:
    match = _VERSION.search(tag)
    return tag[: match.start()] if match is not None else tag
