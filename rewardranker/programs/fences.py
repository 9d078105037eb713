"""The fenced blocks of a model's text: Markdown's grammar (CommonMark 0.31, section 4.5), and what models make of it.

A fence is a run of at least three back-ticks or tildes at the beginning of a line. What follows an opening one names
the language; a closing one is of the same character, at least as long, indented at most three columns more than what
holds the block (a list's item, say), and nothing follows it. A block that is open at the end ends there.

Beyond CommonMark, as a reader would have it: an opening fence may stand behind prose, if it names a language or the
prose ends with a colon, or further to the right; within a block, one that names a language begins the next block (the
closing one was forgotten, or the opening one written twice); a closing one may stand behind code; and neither means
anything within a literal or a comment of the block's language, if the literal ends before the text does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.programs.pieces import Piece

_RUN = lexer(r"`{3,}+|~{3,}+")
_INDENT = lexer(r"[ \t]*+")
_QUOTED = lexer(r" {0,3}+> ?")
_LIST_ITEM = lexer(r"(?m:^)([ \t]*+(?:[-*+]|\d{1,9}+[.)])[ \t]++)")
_INFO = lexer(r"[ \t]*+\{?\.?([\w+#.-]*+)([^\n]*+)")
# Ends that are asked whether they stand within a literal: of a block, of a text; and blocks in which all of them do.
_MOST_TRIES, _MOST_ASKED, _MOST_OPEN = 8, 400, 2
_COMMENT_SIGNS = ("#", "//", "///", "*", "/*", "/**", "--")
_COLUMNS = 3  # that a fence may be indented
_TAB = 4


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        tag: the first word after its fence, in lower case.
        info: the rest of that line.
        code: its lines, without the indent of the opening fence.
        start: where the line of the opening fence begins; ``end``: where the closing fence's line ends.
        closed: whether there is a closing fence.
    """

    tag: str
    info: str
    code: str
    start: int
    end: int
    closed: bool


@dataclass(frozen=True)
class _Fence:
    """An opening one: its character, its length, the columns before it, and those of what holds it; where its line
    begins, where the text of its block begins, what follows it, and what is before each line of its block."""

    character: str
    length: int
    indent: int
    held: int
    start: int
    inside: int
    tag: str
    info: str
    quoted: bool


Literals = Callable[[str, str], Sequence[Piece]]


def blocks(text: str, known: Callable[[str], bool], literals: Literals) -> list[Block]:
    """The fenced blocks of a text, in order.

    Args:
        known: whether a tag names a language.
        literals: ``(code, tag)``: the literals and comments of a block's code.
    """
    return _Reader(text, known, literals).blocks()


class _Reader:
    def __init__(self, text: str, known: Callable[[str], bool], literals: Literals) -> None:
        self._text, self._known, self._literals = text, known, literals
        self._items = [(match.start(), _columns(match[1])) for match in _LIST_ITEM.finditer(text)]
        self._starts = [start for start, _ in self._items]
        self._asked = self._open = 0

    def blocks(self) -> list[Block]:
        found, place = [], 0
        while (fence := self._opening(place)) is not None:
            block, place = self._block(fence)
            found.append(block)
        return found

    def _lines(self, place: int) -> Iterator[tuple[int, int, int, int]]:
        """The lines from ``place`` on that hold a fence-like run: begin, end, and begin and end of their last run;
        of a line that begins with a run, that one's where it is the only one."""
        text = self._text
        while (run := _RUN.search(text, place)) is not None:
            begin = text.rfind("\n", place, run.start()) + 1 or place
            end = text.find("\n", run.end())
            end = len(text) if end < 0 else end
            last = run
            while (further := _RUN.search(text, last.end(), end)) is not None:
                last = further
            yield begin, end, last.start(), last.end()
            place = end

    def _opening(self, place: int) -> _Fence | None:
        for begin, end, start, stop in self._lines(place):
            fence = self._opens(begin, end, start, stop)
            if fence is not None:
                return fence
        return None

    def _opens(self, begin: int, end: int, start: int, stop: int) -> _Fence | None:
        """The opening fence that a line is, if it is one; ``start`` and ``stop`` are its last run's."""
        text = self._text
        before, after = text[begin:start], text[stop:end]
        info = _INFO.fullmatch(after)
        assert info is not None
        tag, character = info[1].lower(), text[start]
        if character == "`" and ("`" in after or "```" in before):
            return None
        quoted = _QUOTED.match(before)
        indent = before[quoted.end() :] if quoted is not None else before
        held = 0
        if indent.strip(" \t"):
            item = _LIST_ITEM.fullmatch(before)
            behind_prose = (
                tag and not info[2].strip() and self._known(tag) or not tag and before.rstrip().endswith(":")
            )
            if item is None and (character == "~" or not behind_prose):
                return None
            held = _columns(before) if item is not None else 0
            indent = " " * held
        columns = _columns(indent)
        if not held and columns:
            held = columns if columns > _COLUMNS or self._list_holds(begin, columns) else 0
        return _Fence(
            character, stop - start, columns, held, begin, min(end + 1, len(text)), tag, info[2].strip(), bool(quoted)
        )

    def _list_holds(self, place: int, columns: int) -> bool:
        """Whether the list item above begins at that column."""
        number = bisect_left(self._starts, place)
        return number > 0 and self._items[number - 1][1] == columns

    def _block(self, fence: _Fence) -> tuple[Block, int]:
        """The block behind an opening fence, and where to look for the next one."""
        first: tuple[int, int, int, bool] | None = None  # the first end that stands within a literal
        tries = _MOST_TRIES if self._open < _MOST_OPEN and self._asked < _MOST_ASKED else 0
        for begin, end, start, stop in self._lines(fence.inside):
            cut = self._cut(fence, begin, end, start, stop)
            if cut is None:
                continue
            if not tries or not self._within_literal(fence, cut[0]):
                return self._made(fence, *(cut if tries else first or cut))
            first, tries = first or cut, tries - 1
        if first is not None:
            self._open += 1
            return self._made(fence, *first)
        text = self._text
        return self._made(fence, len(text), len(text), len(text), False)

    def _within_literal(self, fence: _Fence, place: int) -> bool:
        """Whether a literal of the block goes on in the line behind ``place``."""
        self._asked += 1
        code = self._text[fence.inside : place]
        end = max((end for _, end, _ in self._literals(code + "\n", fence.tag)), default=0)
        return end > len(code)

    def _cut(self, fence: _Fence, begin: int, end: int, start: int, stop: int) -> tuple[int, int, int, bool] | None:
        """How a line ends a block, if it does: where its code ends, where it ends itself, where to go on, and whether
        it closes it (or opens the next one)."""
        text = self._text
        if text[start] == fence.character and stop - start >= fence.length:
            before, after = text[begin:start], text[stop:end]
            if fence.quoted and (mark := _QUOTED.match(before)) is not None:
                before = before[mark.end() :]
            indent = not before.strip(" \t")
            behind_code = not indent and fence.character == "`" and before.strip() not in _COMMENT_SIGNS
            if not after.strip() and (behind_code or indent and _columns(before) <= fence.held + _COLUMNS):
                return (start if behind_code else begin), end, end, True
            if indent and fence.character not in after and self._names_language(after):
                return begin, begin, begin, False
        if fence.quoted and _QUOTED.match(text, begin) is None:
            return begin, begin, begin, False
        return None

    def _names_language(self, after: str) -> bool:
        info = _INFO.fullmatch(after)
        return info is not None and bool(info[1]) and self._known(info[1].lower())

    def _made(self, fence: _Fence, cut: int, end: int, on: int, closed: bool) -> tuple[Block, int]:
        code = self._text[fence.inside : cut]
        if code.endswith("\n"):
            code = code[:-1]
        if fence.indent or fence.quoted:
            code = "\n".join(_shown(line, fence) for line in code.split("\n"))
        return Block(fence.tag, fence.info, code, fence.start, end, closed), on


def _shown(line: str, fence: _Fence) -> str:
    """A line of a block without what stands before its block."""
    if fence.quoted and (mark := _QUOTED.match(line)) is not None:
        line = line[mark.end() :]
    if not fence.indent:
        return line
    indent = _INDENT.match(line)
    assert indent is not None
    return " " * (_columns(indent[0]) - fence.indent) + line[indent.end() :]


def _columns(text: str) -> int:
    """How many columns a text takes, to the next tab stop for each tab."""
    return len(text.expandtabs(_TAB))


def unfenced(text: str, found: Sequence[Block]) -> list[tuple[int, str]]:
    """What stands between the blocks, and before and behind them, each with its place."""
    parts, place = [], 0
    for block in found:
        parts.append((place, text[place : block.start]))
        place = block.end
    return [*parts, (place, text[place:])]
