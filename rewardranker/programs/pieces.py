"""What a scanner of literals says of a stretch of a program."""

from __future__ import annotations

#: Start, end, and what it is: a ``comment``, a ``directive`` (C#'s lines that begin with ``#``), a ``string``, a
#: ``regex``, or a ``template``, which is a literal that may hold code.
Piece = tuple[int, int, str]
