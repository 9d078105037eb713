"""What a program did with one expression, in one line of text: the words of ``Judgement.returns``.

A value is ``<type> <literal>``, such as ``int 3`` or ``list [1, 2]``; ``written`` in ``child/probing.py`` says how a
long one is cut. All else is no value, and never speaks for a program:

- ``error <Name>``: it raised an exception of that name, or did when it was loaded or compiled;
- ``timeout``, ``memory``, ``output``: it hit that limit;
- ``ended``: its process ended before it answered; ``tampered``: it wrote where only our code may;
- ``opaque``: it returned an object that is not data.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.problems.verdict import Verdict

TRUE = "bool True"
TAMPERED = "tampered"
#: Words, in an observation's first place, that stand for no value, with what they say of the program.
NO_VALUE = {
    "error": Verdict.RUNTIME_ERROR,
    "timeout": Verdict.TIMEOUT,
    "memory": Verdict.MEMORY,
    "output": Verdict.OUTPUT_LIMIT,
    "ended": Verdict.RUNTIME_ERROR,
    "tampered": Verdict.TAMPERED,
    "opaque": Verdict.WRONG,
}


def is_value(observation: str) -> bool:
    """Whether the program returned data."""
    return observation.split(" ", 1)[0] not in NO_VALUE


def verdict_of(observation: str) -> Verdict:
    """``OK`` for a value: nothing was expected of it."""
    if observation == "error MemoryError":
        return Verdict.MEMORY
    return NO_VALUE.get(observation.split(" ", 1)[0], Verdict.OK)


def has_values(returns: Sequence[str]) -> bool:
    """Whether there is any behaviour to compare: a program that never returned a value shows none."""
    return any(map(is_value, returns))
