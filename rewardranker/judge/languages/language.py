"""What the judge has to know of a programming language. One file per language fills this in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from rewardranker.judge.languages.constants import constant
from rewardranker.judge.languages.replay import ReplayRequest
from rewardranker.judge.languages.rewriting import without_first_brace
from rewardranker.judge.languages.splitting import Dialect, Split, split
from rewardranker.judge.languages.typed_values import holds
from rewardranker.judge.sandbox.step import Service, Step
from rewardranker.linear import lexer

Level = Literal["L1", "L2", "L3"]
NOTHING = lexer(r"(?!)")
_START_MB = 64


@dataclass(frozen=True)
class Recipe:
    """How one program is run: an optional build, then one or more runs of what it left.

    Attributes:
        build: exit status other than 0 means COMPILE_ERROR. ``None`` where nothing is compiled.
        run: the files that ``build`` collected are added to its own. In its words, ``{limit}`` stands for the
            problem's memory limit in MiB, ``{heap}`` for that times ``memory_share``, ``{start}`` for no more than
            either and 64.
        exact: the words of the same run, slower to start, in which a program's memory is counted more exactly:
            what ended for want of memory is run again so, and that counts.
        checks: for level L1, how many checks the trusted tests hold.
    """

    build: Step | None
    run: Step
    checks: int = 0
    exact: tuple[str, ...] = ()


def asking(recipe: Recipe, job: bytes) -> Recipe:
    """The recipe of a program's driver with what it is told: the run's nonce, the entry point, the calls."""
    return replace(recipe, run=replace(recipe.run, files={**recipe.run.files, "calls.json": job}))


@dataclass(frozen=True)
class Compiled:
    """How a compiled language's tests become values (L2). Both programs answer with one line for each check, which
    holds a list of values.

    Attributes:
        dialect: how its tests are taken apart.
        call, new: the value of a known call, and of a new object, in a plain expression: see :func:`constant`.
        evaluated: ``(code, split, nonce)``: with a program, evaluates the sides of the checks that need it; without
            one (``None``), the others.
        zeros_differ: whether the language's equality tells 0.0 and -0.0 apart.
    """

    dialect: Dialect
    call: Callable[[str, list[Any]], Any]
    new: Callable[[str, list[Any], list[Any] | None], Any]
    evaluated: Callable[[str | None, Split, str], Recipe]
    zeros_differ: bool

    def split(self, tests: str) -> Split:
        """Takes the tests apart. Raises ``UserError`` for tests whose checks cannot be compared outside."""
        return _split(tests, self.dialect)

    def constant(self, text: str) -> Any:
        """The value of a plain expression. Raises ``NotConstant`` where it takes the language to know it."""
        return constant(text, self.call, self.new)

    def holds(self, form: str, sides: Sequence[Any]) -> bool:
        """Whether a check is met, by the language's own rules."""
        return holds(form, sides, self.zeros_differ)


@lru_cache(maxsize=1024)
def _split(tests: str, dialect: Dialect) -> Split:
    return split(without_first_brace(tests), dialect)


@dataclass(frozen=True)
class Replay:
    """How tests of any form are replayed on values (L2): they are compiled once, against a stand-in for the program's
    function, without any program. Run alone they record their calls; with the answers of a program, they check them.

    Attributes:
        record: ``(prompt, tests, entry_point)``: compiles the tests, leaves them as the file ``tests`` and writes
            their calls to descriptor 3.
        program: ``(code, request)``: the program with those calls, which sends what they return.
        check: the step that checks answers, which it reads from standard input; the tests' file is added to it.
        value: what a value looks like that a program may send; none holds a line's end.
    """

    record: Callable[[str, str, str], Step]
    program: Callable[[str, ReplayRequest], Recipe]
    check: Step = Step(("./tests", "check"))
    value: re.Pattern[str] = lexer(r"(?a:[\w?. -]*+;[\w -]*+\Z)")


@dataclass(frozen=True)
class Language:
    """A language, as data and pure functions; none of them starts a process.

    Attributes:
        name: as in ``Problem.language``.
        comment: what begins a comment to the end of the line.
        tools: executables without which the verdict is NO_TOOLCHAIN.
        version: the command that prints the tool-chain's version (its first line is part of the cache key).
        canary: a main program that copies standard input to standard output.
        whole: ``(code)``: a main program, for style ``stdio`` (L3).
        calls: ``(code, entry_point, whole_text)``: the program behind a driver that answers the calls in
            ``calls.json`` (L2). ``whole_text`` is the program with its trusted tests, for languages whose
            compiler has to see both, else not looked at.
        typed: whether calls return values with types, as style ``function`` needs.
        record: ``(tests, entry_point)``: the trusted tests against a recorder, which writes the calls that
            they make and the values that they expect to descriptor 3. Tests of another form are left to ``replay``,
            where the language has that.
        equal: ``(actual, expected)``: the tests' own equality, on values as the driver and the recorder
            wrote them.
        compiled: for languages whose tests have to be compiled with the program.
        replay: for languages whose tests run apart from the program, on its answers.
        checks: ``(code, tests, nonce)``: program and tests in one process (L1).
        out_of_memory: in a message or standard error: the program ran out of memory.
        does_not_compile: in standard error of a run without a build: the program is not one.
        service: resident compiler that ``build`` steps with ``service=name`` use.
        setup: done once per machine and tool-chain version, in the sandbox; what it collects lies in the
            read-only directory that ``{setup}`` stands for in the commands of the language.
        memory_kind: see :class:`rewardranker.judge.sandbox.step.StepLimits`.
        memory_floor_mb: what the runtime itself needs beside the problem's limit.
        memory_share: how much of the problem's limit a program's memory may come to with what its collector has
            not collected yet.
        reserved_mb: what the runtime holds without using it: stacks, mostly. It counts where each process is
            limited, not where a group is.
        tasks: threads of the runtime itself, beside the program's own.
        cpu_floor_s: CPU seconds of the runtime's own start, added to the problem's limit.
        read_only: host paths beyond /usr that the tool-chain needs to read.
    """

    name: str
    comment: str
    tools: tuple[str, ...]
    version: tuple[str, ...]
    canary: str
    whole: Callable[[str], Recipe]
    calls: Callable[[str, str, str], Recipe] | None = None
    typed: bool = True
    record: Callable[[str, str], Step] | None = None
    equal: Callable[[Any, Any], bool] | None = None
    compiled: Compiled | None = None
    replay: Replay | None = None
    checks: Callable[[str, str, str], Recipe] | None = None
    out_of_memory: re.Pattern[str] = NOTHING
    does_not_compile: re.Pattern[str] = NOTHING
    service: Service | None = None
    setup: Step | None = None
    memory_kind: str = "address_space"
    memory_floor_mb: int = 0
    memory_share: float = 1.0
    reserved_mb: int = 0
    tasks: int = 0
    cpu_floor_s: float = 0.0
    read_only: tuple[str, ...] = ()


def within(argv: tuple[str, ...], language: Language, memory_mb: int) -> tuple[str, ...]:
    """The words of a run under a memory limit."""
    heap = heap_mb(language, memory_mb)
    values = {"{limit}": memory_mb, "{heap}": heap, "{start}": min(_START_MB, heap)}
    for name, value in values.items():
        argv = tuple(word.replace(name, str(value)) for word in argv)
    return argv


def heap_mb(language: Language, memory_mb: int) -> int:
    """What a program may hold under a limit, with what has not been collected yet."""
    return math.ceil(memory_mb * language.memory_share)
