"""Base models: a text that goes on inside the function that the prompt has begun, for languages with braces."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.linear import lexer
from rewardranker.problems.types import Problem
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank, literals
from rewardranker.programs.structure import closing, open_braces

_FENCE_LINE = lexer(r"(?m:^[ \t]*+```)")


def continued(problem: Problem, text: str) -> str:
    """``problem.prefix + text`` up to the end of the function, with the classes around it closed.

    Where the function does not end, the text is cut at the first stop token; a brace that the stop token itself
    had held is put back, once. Nothing is added to a text that ends deeper inside: it is not complete.
    """
    whole = problem.prefix + until_fence(problem, text, ())
    opened = open_braces(blank(problem.prefix, problem.language))
    if not opened:
        return _stopped(problem, whole)
    end = closing(blank(whole, problem.language), opened[-1])
    if end is not None:
        return _closed(whole[: end + 1], problem, opened[:-1])
    whole = _stopped(problem, whole)
    left = open_braces(blank(whole, problem.language))
    if left == opened and _stops_at_a_brace(problem):
        return _closed(f"{whole.rstrip()}\n{_indent(problem.prefix, opened[-1])}}}", problem, opened[:-1])
    return whole


def until_fence(problem: Problem, text: str, places: Sequence[int]) -> str:
    """A continuation up to the first of its fences: the lines that begin with one, and these places of others. One
    within a literal or a comment is none, if that ends before the text does and does not begin as an apostrophe."""
    fences = sorted({*places, *(match.start() for match in _FENCE_LINE.finditer(text))})
    if not fences:
        return text
    whole, offset, number = problem.prefix + text, len(problem.prefix), 0
    for start, end, kind in literals(whole, problem.language):
        prose = kind != "comment" and whole[start - 1 : start].isalpha()
        if fences[number] + offset <= start or end == len(whole) or prose and fences[number] + offset < end:
            break
        while fences[number] + offset < end:
            number += 1
            if number == len(fences):
                return text
    return text[: fences[number]]


def function_ends(problem: Problem, text: str) -> bool:
    """Whether ``text``, as a continuation, closes the function that the prefix has begun."""
    opened = open_braces(blank(problem.prefix, problem.language))
    return bool(opened and closing(blank(problem.prefix + text, problem.language), opened[-1]) is not None)


def begins_afresh(problem: Problem, text: str) -> bool:
    """Whether ``text`` defines the entry point itself, before it closes anything that it has not opened."""
    masked = blank(text, problem.language)
    place = definition(masked, problem.language, problem.entry_point)
    return place is not None and open_braces(masked[:place]) is not None


def _closed(code: str, problem: Problem, outer: list[int]) -> str:
    return code + "".join(f"\n{_indent(problem.prefix, opening)}}}" for opening in reversed(outer))


def _stopped(problem: Problem, whole: str) -> str:
    """Cut at the first stop token after the prefix."""
    start = len(problem.prefix)
    places = [place for token in problem.stop_tokens if (place := whole.find(token, start)) >= 0]
    return whole[: min(places)] if places else whole


def _stops_at_a_brace(problem: Problem) -> bool:
    return not problem.stop_tokens or any("}" in token for token in problem.stop_tokens)


def _indent(prefix: str, opening: int) -> str:
    line = prefix[prefix.rfind("\n", 0, opening) + 1 :]
    return line[: len(line) - len(line.lstrip())]
