"""What running a program against its tests can end in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of judging one program.

    Only :data:`LABELS` may become training labels. :data:`NEVER_LABELS` say something about our own
    machinery, not about the program: they are retried, counted, and left out of every statistic.
    """

    OK = "OK"
    WRONG = "WRONG"
    RUNTIME_ERROR = "RUNTIME_ERROR"
    COMPILE_ERROR = "COMPILE_ERROR"
    TIMEOUT = "TIMEOUT"
    MEMORY = "MEMORY"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    TAMPERED = "TAMPERED"
    INFRA = "INFRA"
    NO_TOOLCHAIN = "NO_TOOLCHAIN"


LABELS = frozenset({Verdict.OK, Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR})
NEVER_LABELS = frozenset({Verdict.INFRA, Verdict.NO_TOOLCHAIN})

#: What a single test came to, in ``Judgement.outcomes``.
LETTERS = {
    Verdict.OK: "P",
    Verdict.WRONG: "W",
    Verdict.RUNTIME_ERROR: "R",
    Verdict.TIMEOUT: "T",
    Verdict.MEMORY: "M",
    Verdict.OUTPUT_LIMIT: "O",
    Verdict.TAMPERED: "X",
}
NOT_RUN = "-"


@dataclass(frozen=True)
class Judgement:
    """What the judge says of one program.

    Attributes:
        verdict: the outcome.
        tests_passed: tests that passed, out of ``tests_total``.
        tests_total: tests of the problem.
        cpu_s: CPU seconds the program used.
        message: one line for a person: the first failing test, the error's text, the limit hit.
        signature: hash over the values that the program returned (or the kind of error it raised) on
            every test input, in order. Programs that behave alike share it; empty where the program
            never got to run. Holds nothing of the expected values, so majority voting may use it.
        level: how the verdict was reached: ``L3`` stdin/stdout compared outside the program's
            process, ``L2`` calls answered over a data-only protocol and compared outside it, ``L1`` trusted
            checks inside the program's process, which a program written to cheat can beat. Empty in compat
            mode, which trusts the program.
        tier: what the program was cut off from, see :mod:`rewardranker.judge.sandbox.tiers`.
        outcomes: one letter of :data:`LETTERS` per test, in order, ``-`` for one that was not run; empty where no
            single test explains the verdict (a program that does not compile), and in compat mode.
        returns: what the program returned on each probe (style ``probe`` only), see
            :mod:`rewardranker.judge.observations`.
    """

    verdict: Verdict
    tests_passed: int = 0
    tests_total: int = 0
    cpu_s: float = 0.0
    message: str = ""
    signature: str = ""
    level: str = ""
    tier: str = ""
    outcomes: str = ""
    returns: tuple[str, ...] = ()
