"""What a checker says of an output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Opinion:
    """Right, wrong, or (``trouble``) nothing that is an answer.

    Attributes:
        own_fault: no output can be why: the checker could not be loaded, say.
    """

    right: bool
    trouble: str = ""
    own_fault: bool = False
