"""Bash."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rewardranker.judge.languages.language import Language, Recipe, Replay, asking
from rewardranker.judge.languages.replay import LINE, ReplayRequest, helpers
from rewardranker.judge.sandbox.step import Step
from rewardranker.linear import lexer

_HARNESS = Path(__file__).with_name("harness")
_VALUES, _CALLS, _RECORD = ((_HARNESS / name).read_text() for name in ("values.sh", "calls.sh", "record.sh"))
_STRING = r"""(?:"(?:[^"\\$`]++|\\.)*+"|'[^']*+')"""
_CHECK = lexer(rf"(?s:\[\[ \$\(candidate((?: {_STRING})*+)\) = ({_STRING}) \]\])")
_CANDIDATE = r'\bcandidate\(\) \{{\s*+{}\s++"\$@"\s*+\}}'
_OTHER_CHECKS = lexer(r"\[|\$\(|`|\b(?:candidate|test|exit|return|if|case|while|for|until|trap|diff|cmp)\b|\|\||&&")

_REPLAYER = {name: (_HARNESS / name).read_bytes() for name in ("replay.sh", "values.sh")}
_DEFINITION = r"^[ \t]*(?:function\s+)?{0}\b\s*(?:\(\s*\))?\s*\{{"
_ERREXIT = re.compile(r"^[ \t]*+set[ \t]++-(?:[^\We]*+e)++\w*+(?:[ \t]++pipefail)?[ \t]*+;?", re.M)
# Where text may be run that is only meant to be a number, such as a[$(rm x)].
_EVALUATES = re.compile(
    r"\(\(|\s-(?:eq|ne|lt|le|gt|ge)\s|\b(?:let|awk|eval|source|bash|sh|bc)\b|-(?:[a-hj-zA-Z]*+i)++\b"
)
_ANY_CHECK = re.compile(r"\[|\b(?:test|diff|cmp|grep)\b")


def _whole(code: str) -> Recipe:
    return Recipe(None, Step(("bash", "program.sh"), {"program.sh": code.encode()}))


def _calls(code: str, entry: str, whole_text: str) -> Recipe:
    """The program is the main script, and its last line, like the tests' own, starts the calls."""
    files = {"driver.sh": _VALUES + _CALLS, "program.sh": f"{code}\n_judge_answer_calls\n"}
    return Recipe(None, _step(files, "driver.sh", "program.sh"))


def _record(tests: str, entry: str) -> Step:
    """Each ``[[ $(candidate ARGUMENTS) = "EXPECTED" ]]`` becomes a call of the recorder."""
    try:
        body = _recording(tests.lstrip().removeprefix("}"), entry)
    except ValueError as error:
        body = f"_judge_refuse '{error}'"
    return _step({"recorder.sh": _VALUES + _RECORD, "tests.sh": f"{body}\n_judge_write\n"}, "recorder.sh", "tests.sh")


def _replayed(prompt: str, tests: str, entry: str) -> Step:
    """The prompt's helpers, then the tests, of which a command that fails is reported and ends nothing."""
    own, body = helpers(prompt, _DEFINITION, entry), _ERREXIT.sub("", tests.lstrip().removeprefix("}"))
    if not _ANY_CHECK.search(body):
        body = "_judge_refuse 3 'they hold no check'"
    guard = "_judge_evaluated=yes" if _EVALUATES.search(own + body) else ""
    text = f'{guard}\n{own}\n{entry}() {{ _judge_call "$@"; }}\n{body}\n'
    return Step(("bash", "replay.sh"), {**_REPLAYER, "tests": text.encode()}, ("tests",))


def _program(code: str, request: ReplayRequest) -> Recipe:
    return asking(_calls(code, request.entry, ""), request.job)


def _step(files: dict[str, str], before: str, script: str) -> Step:
    return Step(
        ("bash", script),
        {name: text.encode() for name, text in files.items()},
        environment={"BASH_ENV": f"./{before}"},
    )


def _recording(tests: str, entry: str) -> str:
    """The tests with every check as data. Raises ``ValueError`` for checks of another form."""
    definition = lexer(_CANDIDATE.format(re.escape(entry)))
    text, found = definition.subn("", tests)
    if found != 1:
        raise ValueError("they do not define candidate as a plain call")
    other = _OTHER_CHECKS.search(lexer(_STRING).sub("", _CHECK.sub("", text)).replace("run_test", ""))
    if other is not None:
        raise ValueError(f"a check of another form, with {other[0]}")
    return _CHECK.sub(lambda check: f"_judge_record {check[2]}{check[1]}", text)


def _equal(actual: Any, expected: Any) -> bool:
    """What was printed, less the line ends at its end, is the expected text."""
    return type(actual) is str and bool(actual == expected)


LANGUAGE = Language(
    name="bash",
    comment="#",
    tools=("bash",),
    version=("bash", "--version"),
    whole=_whole,
    calls=_calls,
    typed=False,
    record=_record,
    replay=Replay(_replayed, _program, Step(("bash", "replay.sh", "check"), _REPLAYER), LINE),
    equal=_equal,
    out_of_memory=lexer(r"cannot allocate \d++ bytes|Cannot allocate memory"),
    # Bash says "syntax error" of expressions too, at run time.
    does_not_compile=lexer(r"syntax error near unexpected token|syntax error: unexpected end of file|unexpected EOF"),
    canary="cat\n",
    memory_floor_mb=32,
    cpu_floor_s=0.05,
)
