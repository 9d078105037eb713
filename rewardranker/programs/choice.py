"""Which of an answer's blocks is its program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.problems.types import Problem
from rewardranker.programs import prose, python
from rewardranker.programs.definitions import defines, definition
from rewardranker.programs.fences import Block, blocks, unfenced
from rewardranker.programs.joining import joined
from rewardranker.programs.literals import blank, literals
from rewardranker.programs.pieces import Piece
from rewardranker.programs.structure import balanced
from rewardranker.programs.tags import is_known, rank

_READS = {
    "python": lexer(r"\binput\s*+\(|\bsys\s*+\.\s*+stdin\b|\bstdin\b|\bopen\s*+\(\s*+0\b|\bfileinput\b"),
    "cpp": lexer(r"\b(?:cin|scanf|getline|getchar|fgets|fread|stdin)\b"),
    "java": lexer(r"\bSystem\s*+\.\s*+in\b|\bSystem\s*+\.\s*+console\b"),
    "csharp": lexer(r"\bConsole\s*+\.\s*+(?:Read\w*+|In|OpenStandardInput)\b"),
    "php": lexer(r"\bSTDIN\b|\b(?:readline|stream_get_contents|fscanf|file_get_contents|file)\s*+\("),
    "javascript": lexer(r"\b(?:stdin|readline|readFileSync)\b"),
    "bash": lexer(r"\b(?:read|cat|mapfile|readarray|awk|sed|tr|sort|wc|head|tail|grep|cut|bc|paste)\b"),
}
_DOCUMENTS = ("markdown", "md", "")  # what may have fenced blocks itself
_READS["typescript"] = _READS["javascript"]


@dataclass(frozen=True)
class _Part:
    """A stretch of an answer that may be its program; ``rank``: see :func:`rank`; 3 for what has no fence."""

    code: str
    place: int
    rank: int


def fenced(text: str, language: str) -> list[Block]:
    """The fenced blocks of an answer; what its literals hide is known for the problem's language."""

    def hidden(code: str, tag: str) -> Sequence[Piece]:
        return literals(code, language) if rank(tag, language) is not None else ()

    return blocks(text, is_known, hidden)


def program_in(problem: Problem, text: str, found: list[Block], whole_text: bool) -> str | None:
    """The program that an answer's blocks hold, with helpers from its other blocks; ``None`` where no block can be
    meant.

    It is the last complete definition of the entry point, or, where there is none to look for, the last program that
    reads its input: a draft comes before its correction, and what comes behind both only calls them. Blocks in the
    language, or of none, come before those in a language of its kind, and these before code without fences. Where
    nothing is complete, it is the last definition; where nothing is defined, the longest block.

    Args:
        whole_text: whether code without a fence may be meant.
    """
    language, entry = problem.language, problem.entry_point
    parts = _parts(problem, found) + (_loose(problem, text, found) if whole_text else [])
    parts.sort(key=lambda part: part.place)
    ranks = ((0, 1), (2,), (3,)) if entry else ((0,), (1,), (2,), (3,))
    for wanted in (_complete, _defined):
        for group in ranks:
            fitting = [part for part in parts if part.rank in group and wanted(part.code, language, entry)]
            if fitting:
                return _with_helpers(problem, parts, _last(fitting, language, entry))
    for number in (0, 1, 2):
        fitting = [part for part in parts if part.rank == number]
        if fitting:
            return max(fitting, key=lambda part: len(part.code)).code
    return None


def is_complete(problem: Problem, code: str) -> bool:
    """Whether ``code`` is a complete program that defines the entry point, as far as one can tell without running."""
    return _complete(code, problem.language, problem.entry_point)


def _parts(problem: Problem, found: list[Block]) -> list[_Part]:
    parts = []
    for block in found:
        number = rank(block.tag, problem.language)
        if number is None:
            continue
        inner = fenced(block.code, problem.language) if block.tag in _DOCUMENTS and "```" in block.code else []
        for part in inner or [block]:
            fits = rank(part.tag, problem.language)
            if fits is not None:
                parts.append(_Part(_code(problem, part), block.start, fits))
    return parts


def _code(problem: Problem, block: Block) -> str:
    """The block's code; with what stands behind its fence, where that is the program's first line."""
    entry = problem.entry_point
    if entry and entry in block.info and not defines(block.code, problem.language, entry):
        return f"{block.info}\n{block.code}"
    return block.code


def _loose(problem: Problem, text: str, found: list[Block]) -> list[_Part]:
    """Code that stands between the blocks."""
    parts = []
    for place, stretch in unfenced(text, found):
        if not stretch.strip() or problem.entry_point not in stretch:
            continue
        if problem.language == "python":
            runs = prose.python_runs(stretch, problem.entry_point)
            parts += [_Part(code, place + at, 3) for at, code in runs]
        else:
            parts.append(_Part(prose.without_sentences(stretch), place, 3))
    return parts


def _last(fitting: list[_Part], language: str, entry: str) -> _Part:
    if entry:
        return fitting[-1]
    reads = _READS.get(language)
    reading = [part for part in fitting if reads is not None and reads.search(blank(part.code, language))]
    return reading[-1] if reading else max(fitting, key=lambda part: len(part.code))


def _with_helpers(problem: Problem, parts: list[_Part], chosen: _Part) -> str:
    codes = [part.code for part in parts]
    return joined(problem.language, problem.entry_point, codes, parts.index(chosen))


def _complete(code: str, language: str, entry: str) -> bool:
    if language == "python":
        return python.complete(code, entry)
    masked = blank(code, language)
    if not masked.strip() or not balanced(masked):
        return False
    if not entry:
        return True
    place = definition(masked, language, entry)
    return place is not None and not _empty_body(masked, code, place)


def _defined(code: str, language: str, entry: str) -> bool:
    return bool(entry) and defines(code, language, entry)


def _empty_body(masked: str, code: str, place: int) -> bool:
    """Whether the body behind a definition holds nothing, or three dots."""
    opening = masked.find("{", place)
    end = masked.find("}", opening)
    return opening >= 0 and end >= 0 and masked[opening + 1 : end].strip() in ("", "...", "…")
