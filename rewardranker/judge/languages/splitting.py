"""Trusted tests of a compiled language, taken apart: what the program has to compute, and what that has to equal.

Main's statements are either checks or what leads up to them. A check's sides that call the program are evaluated in
the program's process; all others, once per problem, where no program is. So a program's process never holds what
its answers are compared with. The tests are ours, so nothing here has to withstand an enemy; but no check may be
passed over, and what is of another form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rewardranker.errors import UserError
from rewardranker.judge.child.wire import WireError
from rewardranker.judge.languages.rewriting import WORDS, closing, defined, flat, is_new, qualified
from rewardranker.linear import lexer, pattern
from rewardranker.problems.masking import masked

_NAME = lexer(r"(?<![\w.])[A-Za-z_]\w*+")
_CALL = lexer(r"(?<![\w.])([A-Za-z_]\w*+)\s*+\(")
# What a member is called: a class, a function, a field.
_DEFINED = lexer(r"([A-Za-z_]\w*+)\s*+(?:\([^()]*+\)[^;{}]*+\{|\{|=(?!=)|;|<[^;{}()]*+\{)")
_HEADER = lexer(r"\b[mM]ain\s*+\([^()]*+\)[^{};]*+\{")
_DECLARED = pattern(
    r"\s*(?:(?:final|const)\s+)?([A-Za-z_][\w.]*(?:\s*<.*>)?(?:\s*\[\])*\??)\s+([A-Za-z_]\w*)\s*(?:[=;,]|\z)"
)
# Conditions in a list, as HumanEval-X has them; what becomes of one that is false follows.
_LISTED = lexer(r"\s*+List<Boolean>\s++(\w++)\s*+=\s*+(?:Arrays\.asList|List\.of)\s*+\(")
_FAILED = lexer(r"\s*+if\s*+\(\s*+(\w++)\.contains\(\s*+false\s*+\)\s*+\)")
_GOES_ON, _NO_BLOCK = lexer(r"\s*+(?:else|catch|finally)\b"), lexer(r"\s*+[).,;\]]")
_OPERATOR = lexer(r"==|!=|<=|>=|(?<![-=<])<(?![<=])|(?<![-=>])>(?![>=])")
# What binds less than a comparison, so that its sides would not be what they seem, or assigns.
_LOOSER = lexer(r"[&|^?]|<<|>>|(?<![=!<>])=(?![=>])|=>|->")
_METHOD = lexer(r"\.\s*+(?:equals|Equals|SequenceEqual)\s*+\(\s*+\)\s*+\Z")
_FUNCTION = lexer(r"\s*+(?:\w++\.)*+(?:equals|deepEquals|Equals|SequenceEqual)\s*+\(\s*+\)\s*+\Z")
# A call, of a new object's method perhaps, and what is asked of its result without an argument.
_BARE = lexer(r"\s*+!?\s*+(?:new\s++\w++\s*+\(\s*+\)\s*+\.\s*+)?[\w.]++\s*+\(")
_ASKED = lexer(r"(?:\s*+\.\s*+\w++\s*+(?:\(\s*+\))?)*+\s*+\Z")
_DISTANCE = lexer(r"\s*+(?:\w++\.)*+(?:abs|Abs)\s*+\(\s*+\)\s*+\Z")
# Nothing that is given such a value can change it.
_NUMBERS = "boolean byte char short int long float double bool sbyte ushort uint ulong decimal"
_UNCHANGING = f"{_NUMBERS} string String Boolean Character Byte Short Integer Long Float Double BigInteger BigDecimal"


@dataclass(frozen=True)
class Side:
    """An expression, and whether evaluating it runs the program."""

    text: str
    program: bool


@dataclass(frozen=True)
class Demand:
    """A check. ``form`` relates its sides.

    It is an operator of comparison; ``same`` for equal values of one type; ``true`` for a single side; ``near`` and
    an operator for three, the distance of the first two beside the third.
    """

    text: str
    form: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Part:
    """One piece of main: a statement, or the ``number``-th check.

    Attributes:
        program, trusted: whether the statement is needed where the program runs, and where it does not.
    """

    text: str
    number: int = -1
    program: bool = False
    trusted: bool = False


@dataclass(frozen=True)
class Split:
    """Tests taken apart. ``members`` stand in main's class beside it, ``beyond`` behind that class."""

    members: str
    beyond: str
    parts: tuple[Part, ...]
    demands: tuple[Demand, ...]

    def statements(self, program: bool, check: Callable[[list[str]], str]) -> list[str]:
        """Main's statements where the program runs, or where it does not. ``check`` makes one of its sides."""
        written = []
        for part in self.parts:
            if part.number >= 0:
                sides = self.demands[part.number].sides
                written.append(check([side.text for side in sides if side.program is program]))
            elif part.program if program else part.trusted:
                written.append(part.text)
        return written

    def around(self, program: bool) -> tuple[str, str]:
        """The members and what stands behind the class, where those statements mention any of it."""
        own = _DEFINED.findall(masked(self.members)) + _DEFINED.findall(masked(self.beyond))
        text = masked("\n".join(self.statements(program, " ".join)))
        return (self.members, self.beyond) if set(own) & set(_NAME.findall(text)) else ("", "")


@dataclass(frozen=True)
class Dialect:
    """How a language writes its tests.

    Attributes:
        keyword: what a check begins with.
        owners: what the program's class may be called.
        text: a function that the tests call by its bare name is written with this before it.
    """

    keyword: str
    owners: tuple[str, ...]
    text: str


def together(demand: Demand, program: Any, trusted: Sequence[Any]) -> list[Any]:
    """The values of all sides of a check, in their order. Raises ``WireError`` for another number of them."""
    ours, theirs = iter(trusted), iter(program if type(program) is list else [])
    try:
        sides = [next(theirs if side.program else ours) for side in demand.sides]
    except StopIteration:
        raise WireError("too few values") from None
    if next(theirs, None) is not None:
        raise WireError("too many values")
    return sides


def split(tests: str, dialect: Dialect) -> Split:
    """Takes tests apart, whose text begins where the program's function ends.

    Raises:
        UserError: no main function, no check in it, one that does not stand directly in it, or one whose truth
            cannot be told from its sides' values.
    """
    hidden = masked(tests)
    header = _HEADER.search(hidden)
    if header is None:
        raise UserError("the trusted tests have no main function; give them one that holds the checks")
    stop = closing(hidden, header.end() - 1)
    begin = max(hidden.rfind(mark, 0, header.start()) for mark in ";{}") + 1
    after, beyond = _class_end(tests[stop + 1 :])
    members = tests[:begin] + after
    own = defined(members)
    splitter = _Splitter(dialect, own)
    for text in _statements(tests[header.end() : stop]):
        splitter.add(text)
    if not splitter.demands:
        raise UserError(f"the trusted tests hold no check; they are written as {dialect.keyword}(...);")
    return Split(members, beyond, tuple(splitter.sliced()), tuple(splitter.demands))


def _class_end(text: str) -> tuple[str, str]:
    """What stands before and behind the bracket that closes the class around main."""
    depth, hidden = 0, masked(text)
    for match in re.finditer(r"[{}]", hidden):
        depth += 1 if match[0] == "{" else -1
        if depth < 0:
            return text[: match.start()], text[match.end() :]
    return text, ""


def _statements(body: str) -> list[str]:
    """The statements of a block, each with its end."""
    hidden, start, depth = masked(body), 0, 0
    found: list[str] = []
    for place, character in enumerate(hidden):
        depth += (character in "([{") - (character in ")]}")
        block = character == "}" and not _NO_BLOCK.match(hidden, place + 1)
        if depth == 0 and (character == ";" or block):
            text = body[start : place + 1]
            if found and _GOES_ON.match(text):
                found[-1] += text
            else:
                found.append(text)
            start = place + 1
    if hidden[start:].strip():
        raise UserError(f"a statement of the trusted tests has no end: {body[start:][:80]}")
    return found


class _Splitter:
    """Statements in their order. What the program may have touched is its own from then on."""

    def __init__(self, dialect: Dialect, own: frozenset[str]) -> None:
        self._dialect, self._own = dialect, own
        self._check = lexer(rf"\s*+{re.escape(dialect.keyword)}(?!\w)\s*+")
        self._checks_within = lexer(rf"(?<![\w.]){re.escape(dialect.keyword)}(?!\w)")
        self._types: dict[str, str] = {}
        self._touched: set[str] = set()
        self._linked: list[set[str]] = []
        self._lists: list[str] = []
        self.demands: list[Demand] = []
        self._parts: list[Part] = []

    def add(self, text: str) -> None:
        hidden = masked(text)
        check = self._check.match(hidden)
        if check is not None:
            for condition in self._conditions(text[check.end() :].rstrip().removesuffix(";")):
                self._parts.append(Part(condition, len(self.demands)))
                self.demands.append(self._demand(condition))
            return
        listed = _LISTED.match(hidden)
        if listed is not None:
            opening = listed.end() - 1
            for condition in _listed(text[opening + 1 : closing(hidden, opening)]):
                self._parts.append(Part(condition, len(self.demands)))
                self.demands.append(self._demand(condition))
            self._lists.append(listed[1])
            return
        failed = _FAILED.match(hidden)
        if failed is not None and failed[1] in self._lists:
            return
        if self._checks_within.search(hidden):
            raise UserError(f"a check of the trusted tests does not stand directly in main: {text.strip()[:80]}")
        declared = _DECLARED.match(hidden)
        runs = self._runs(text)
        if runs and re.search(r"(?<![\w.])throw(?!\w)", hidden):
            raise UserError(f"a statement of the trusted tests checks what the program does: {text.strip()[:80]}")
        if declared is not None and declared[1] not in WORDS:
            self._types[declared[2]] = declared[1]
        if runs:
            self._touched |= self._variables(text)
        self._link(self._variables(text))
        self._touched = self._reached(self._touched)
        self._parts.append(Part(self._called(text), program=runs, trusted=not runs))

    def sliced(self) -> list[Part]:
        """The parts, with the statements that the program's sides need among those that run beside it."""
        needed = set().union(
            *(self._variables(side.text) for one in self.demands for side in one.sides if side.program)
        )
        kept: list[Part] = []
        for part in reversed(self._parts):
            mentioned = self._variables(part.text)
            if part.number < 0 and (part.program or mentioned & needed):
                needed |= mentioned
                part = Part(part.text, program=True, trusted=part.trusted)
            kept.append(part)
        return kept[::-1]

    def _conditions(self, text: str) -> list[str]:
        """What a check demands, without its message; demands joined by "and" are several."""
        whole = _stripped(text)
        level = flat(masked(whole))
        cut = level.find(",") if whole != text.strip() else -1
        if cut < 0 and whole == text.strip() and "?" not in level:
            cut = level.find(":")
        if cut >= 0:
            whole = _stripped(whole[:cut])
            level = flat(masked(whole))
        if "||" in level or "?" in level:
            return [whole]
        joints = [match.span() for match in re.finditer("&&", level)]
        edges = [0, *(place for span in joints for place in span), len(whole)]
        return [_stripped(whole[begin:end]) for begin, end in zip(edges[::2], edges[1::2], strict=True)]

    def _demand(self, text: str) -> Demand:
        form, sides = _form(text, self._is_bare)
        runs = [self._runs(side) for side in sides]
        if not any(runs):
            raise UserError(f"a check of the trusted tests does not call the program: {text[:80]}")
        variables = [self._variables(side) for side in sides]
        passed = set().union(*(names for names, ran in zip(variables, runs, strict=True) if ran))
        passed = self._reached(passed)
        if any(names & passed for names, ran in zip(variables, runs, strict=True) if not ran):
            raise UserError(f"the program may have changed what a check compares with: {text[:80]}")
        found = tuple(Side(self._called(side), ran) for side, ran in zip(sides, runs, strict=True))
        self._touched |= passed
        return Demand(text, form, found)

    def _called(self, text: str) -> str:
        return qualified(text, self._dialect.text, self._own)

    def _runs(self, text: str) -> bool:
        """Whether evaluating it runs the program, or reads what the program may have changed."""
        hidden = masked(text)
        if set(_NAME.findall(hidden)) & (self._touched | set(self._dialect.owners)):
            return True
        return any(
            match[1] not in self._own | WORDS and not is_new(hidden, match.start())
            for match in _CALL.finditer(hidden)
        )

    def _is_bare(self, text: str) -> bool:
        """Whether it is one call of the program, and what is asked of the result without an argument."""
        hidden = masked(text)
        call = _BARE.match(hidden)
        if call is None or not self._runs(hidden[: call.end()]):
            return False
        return _ASKED.match(hidden, closing(hidden, call.end() - 1) + 1) is not None

    def _link(self, names: set[str]) -> None:
        """One of them may hold another, after a statement that mentions both."""
        group = {name for name in names if self._types[name] not in _UNCHANGING.split()}
        for other in [other for other in self._linked if other & group]:
            self._linked.remove(other)
            group |= other
        self._linked.append(group)

    def _reached(self, names: set[str]) -> set[str]:
        """What may have changed where one of these was given to the program."""
        changing = {name for name in names if self._types[name] not in _UNCHANGING.split()}
        groups = (group for group in self._linked if group & changing)
        return changing.union(*groups) | (names & self._touched)

    def _variables(self, text: str) -> set[str]:
        return set(_NAME.findall(masked(text))) & set(self._types)


def _form(text: str, bare: Callable[[str], bool]) -> tuple[str, list[str]]:
    """How a condition relates which expressions.

    Args:
        bare: whether an expression that is true or false is nothing but the program's word.

    Raises:
        UserError: what has to be compared with what cannot be told.
    """
    hidden = masked(text)
    level = flat(hidden)
    operators = list(_OPERATOR.finditer(level))
    equalities = [found for found in operators if found[0] in ("==", "!=")]
    listed = _listed(text[level.index("(") + 1 : level.rindex(")")]) if _FUNCTION.match(level) else []
    method, loose = _METHOD.search(level), _LOOSER.search(_OPERATOR.sub("  ", level))
    if level.lstrip().startswith("!") and not operators:
        form, sides = _form(_stripped(text.lstrip()[1:]), bare)
        opposite = {"==": "!=", "!=": "==", "same": "other", "other": "same", "true": "true"}
        if form in opposite:
            return opposite[form], [text] if form == "true" else sides
    elif loose is None and len(equalities) == 1:
        return equalities[0][0], _around(text, equalities[0])
    elif len(listed) == 2:
        return "same", listed
    elif loose is None and method is not None and not equalities:
        opening = hidden.index("(", method.start())
        return "same", [text[: method.start()].strip(), text[opening + 1 : closing(hidden, opening)].strip()]
    elif loose is None and len(operators) == 1:
        left, right = _around(text, operators[0])
        return _distance(operators[0][0], left, right) or (operators[0][0], [left, right])
    elif bare(text):
        return "true", [text]
    raise UserError(f"a check's truth cannot be told from values: {text.strip()[:80]}")


def _distance(operator: str, left: str, right: str) -> tuple[str, list[str]] | None:
    level = flat(masked(left))
    if _DISTANCE.match(level) is None or operator not in ("<", "<="):
        return None
    inside = left[level.index("(") + 1 : level.rindex(")")]
    signs = [match for match in re.finditer("-", flat(masked(inside))) if inside[: match.start()].strip()]
    return (f"near{operator}", [*_around(inside, signs[0]), right]) if len(signs) == 1 else None


def _around(text: str, operator: re.Match[str]) -> list[str]:
    return [text[: operator.start()].strip(), text[operator.end() :].strip()]


def _listed(text: str) -> list[str]:
    """What stands between the commas of a list of arguments."""
    level, edges = flat(masked(text)), [0]
    for match in re.finditer(",", level):
        edges += [match.start(), match.end()]
    edges.append(len(text))
    return [text[begin:end].strip() for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _stripped(text: str) -> str:
    """Without the brackets around all of it."""
    text = text.strip()
    while text.startswith("(") and closing(masked(text), 0) == len(text) - 1:
        text = text[1:-1].strip()
    return text
