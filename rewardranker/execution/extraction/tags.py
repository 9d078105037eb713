"""What models call languages behind their fences."""

from __future__ import annotations

from functools import lru_cache

from rewardranker.execution.languages import LANGUAGES
from rewardranker.execution.linear import lexer

_LANGUAGES = {alias: language.name for language in LANGUAGES.values() for alias in (language.name, *language.fences)}
# Other names for what is a program of the language all the same, or may be one.
_MORE = {
    **dict.fromkeys(("python2", "python3", "py2", "py3", "ipython", "pycon", "python-repl", "sage"), "python"),
    **dict.fromkeys(("cxx", "hpp", "h++", "cplusplus", "c++11", "c++14", "c++17", "c++20"), "cpp"),
    **dict.fromkeys(("zsh", "ksh", "shellscript", "shell-session"), "bash"),
    **dict.fromkeys(("mjs", "cjs", "node", "nodejs", "ecmascript"), "javascript"),
    **dict.fromkeys(("mts", "cts"), "typescript"),
    **dict.fromkeys(("c-sharp", "dotnet", "csx"), "csharp"),
    **dict.fromkeys(("php3", "php4", "php5", "php7", "php8"), "php"),
}
_KIN = {
    "cpp": ("c",),
    "javascript": ("typescript", "jsx", "tsx"),
    "typescript": ("javascript", "jsx", "tsx"),
    "bash": ("console", "terminal"),
}
_PLAIN = ("", "text", "txt", "plaintext", "plain", "code", "none", "markdown", "md", "answer", "solution")
_OTHER = ("c", "go", "rust", "ruby", "kotlin", "swift", "scala", "json", "html", "sql", "jsx", "tsx", "perl", "lua")
_VERSION = lexer(r"[\d.]++\Z")


@lru_cache(maxsize=1024)
def language_of(tag: str) -> str:
    """The language that a tag names, by our own name where it is one of ours; else the tag."""
    tag = tag.strip("{}.:")
    for name in (tag, tag.rpartition(".")[2], _unversioned(tag)):
        found = _LANGUAGES.get(name) or _MORE.get(name)
        if found:
            return found
    return tag


def is_known(tag: str) -> bool:
    """Whether a tag names a language, or says that what follows is text."""
    return bool(tag) and (language_of(tag) in LANGUAGES or tag in _PLAIN or tag in _OTHER)


def rank(tag: str, language: str) -> int | None:
    """How well a tag fits a language: 0 for its names, 1 for none, 2 for a language of the same kind; ``None`` for
    another language."""
    name = language_of(tag)
    if name == language:
        return 0
    if tag in _PLAIN:
        return 1
    return 2 if name in _KIN.get(language, ()) else None


def _unversioned(tag: str) -> str:
    match = _VERSION.search(tag)
    return tag[: match.start()] if match is not None else tag
