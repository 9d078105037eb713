"""What a scanner of literals says of a stretch of a program."""

from __future__ import annotations

#: Start, end, and what it is: a ``comment``, a ``string``, or a ``template``, a literal that may hold code.
Piece = tuple[int, int, str]
