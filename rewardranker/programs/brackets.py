"""The brackets that are open at a place of a program."""

from __future__ import annotations

_PAIRS = {")": "(", "]": "[", "}": "{"}


class Brackets:
    """A stack of them. A brace closes whatever is open within it; a stray parenthesis, as in Bash's ``case``, closes
    nothing."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._braces = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, character: str) -> None:
        """Takes the next character of the program; none but brackets count."""
        if character in "([{":
            self._open.append(character)
            self._braces += character == "{"
        elif character in ")]":
            if self._open and self._open[-1] == _PAIRS[character]:
                self._open.pop()
        elif character == "}" and self._braces:
            self._braces -= 1
            while self._open.pop() != "{":
                pass
