"""Where a statement of a Bash script ends: at a line's end or a semicolon, outside of compound commands."""

from __future__ import annotations

from rewardranker.linear import lexer
from rewardranker.programs.brackets import Brackets

_NEAR = 80
_TOKEN = lexer(r"[^\s;&|(){}!]++|[\n;&|(){}!]")
_NAME = lexer(r"[\w:.-]++")
_OPENS = frozenset(("if", "case", "for", "while", "until", "select"))
_CLOSES = frozenset(("fi", "esac", "done"))
_BEGINS = frozenset((*"\n;&|(){!", "then", "do", "else", "elif", "while", "until", "if"))
_GO_ON = frozenset(("|", "in", "do", "then", "else"))


def bash_item_end(masked: str, begin: int, end: int) -> int:
    """The end of the statement that begins at ``begin``, at most ``end``. ``masked`` is blanked text."""
    statement = _Statement()
    for match in _TOKEN.finditer(masked, begin, end):
        token, place = match[0], match.start()
        if token in ("\n", ";") and not statement.opened and not masked.startswith(";;", place):
            rest = masked[place + 1 : min(end, place + _NEAR)]
            if statement.complete(rest.lstrip()[:1] == "{"):
                return match.end()
        statement.add(token, place)
    return end


class _Statement:
    """What has been read of a statement.

    Attributes:
        opened: brackets that are open.
        compound: how many compound commands have begun that have not ended.
        words: the last two words or signs, line ends and semicolons aside, and how many there were.
    """

    def __init__(self) -> None:
        self.opened = Brackets()
        self.compound = 0
        self.words, self.count = ("", ""), 0
        self._begins, self._end = True, -1

    def complete(self, brace_follows: bool) -> bool:
        before, last = self.words
        if last in _GO_ON or (before, last) == ("&", "&"):
            return False
        if brace_follows and ((before, last) == ("(", ")") or self._is_function_s_head()):
            return False
        return self.compound <= 0

    def add(self, token: str, place: int) -> None:
        if self._begins and token in _OPENS:
            self.compound += 1
        elif self._begins and token in _CLOSES:
            self.compound -= 1
        self._begins = token in _BEGINS
        if token not in ("\n", ";"):
            self.words, self.count = (self.words[1], token), self.count + 1
        if len(token) == 1 or "[" in token or "]" in token:
            for character in token:
                self.opened.add(character)

    def _is_function_s_head(self) -> bool:
        before, last = self.words
        named = _NAME.fullmatch(last) is not None
        return named and (self.count == 1 or self.count == 2 and before == "function")
