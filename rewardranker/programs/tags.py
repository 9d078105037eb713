"""What models call languages behind their fences."""

from __future__ import annotations

from rewardranker.problems.languages import LANGUAGES, language_of

_KIN = {
    "cpp": ("c",),
    "javascript": ("typescript", "jsx", "tsx"),
    "typescript": ("javascript", "jsx", "tsx"),
    "bash": ("console", "terminal"),
}
_PLAIN = ("", "text", "txt", "plaintext", "plain", "code", "none", "markdown", "md", "answer", "solution")
_OTHER = ("c", "go", "rust", "ruby", "kotlin", "swift", "scala", "json", "html", "sql", "jsx", "tsx", "perl", "lua")


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
