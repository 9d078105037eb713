"""PHP, run by its command-line interpreter without a configuration file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rewardranker.judge.languages.language import Language, Recipe, Replay, asking
from rewardranker.judge.languages.replay import LINE, ReplayRequest, helpers
from rewardranker.judge.sandbox.step import Step
from rewardranker.linear import lexer

_HARNESS = Path(__file__).with_name("harness")
_TEXTS = {path.name: path.read_bytes() for path in _HARNESS.glob("*.php")}
_REPLAYER = {name: _TEXTS[name] for name in ("replay.php", "values.php")}
_EXTENSIONS = ("bcmath", "calendar", "ctype", "gmp", "iconv", "intl", "mbstring", "posix", "readline", "tokenizer")
_STRICT = lexer(
    r"(?i:(?:\s++|<\?php|(?://|#)[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+declare\s*+\(\s*+strict_types\s*+=\s*+1\s*+\)\s*+;)"
)
_STRING = lexer(r"""(?s:"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')""")
_CHECK = lexer(r"\bif\s*+\((?=\s*+candidate\s*+\()")
_THROW = lexer(r"\s*+\{\s*+throw\s++new\s++\w++\([^()]*+\);\s*+\}")
_DIFFERS = lexer(r"\s*+!==")
_OTHER_CHECKS = lexer(r"\b(?:if|throw|assert|while|for|switch|match|exit|die)\b|[!=]=|<<<")

_DEFINITION = r"^[ \t]*[Ff][Uu][Nn][Cc][Tt][Ii][Oo][Nn]\s+&?\s*{0}\b"
_HEAD = lexer(r"\A\s*+<\?php|(?m:^)\s*+(?:declare\s*+\([^()]*+\)|namespace\s++[\w\\]++)\s*+;|\?>\s*+\Z")
_REPORTED = lexer(rf"(?P<literal>{_STRING.pattern})|(?P<throw>\bthrow\s++new\s++\\?\w++)|\bassert\s*+\(")
# What tests call by a bare name, in the namespace that they run in.
_NAMES = """use Exception, Error, TypeError, ValueError, ArrayObject, Closure, Countable, stdClass, SplStack;
function random_int($least, $most) { return \\mt_rand($least, $most); }
"""

# Settings come from here alone: limits are the sandbox's, errors are told apart from output.
_SETTINGS = ("memory_limit=-1", "display_errors=stderr", "log_errors=0", "html_errors=0", "short_open_tag=0")
_PHP = ("php", "-n", *(word for setting in _SETTINGS for word in ("-d", setting)))
# Extensions that a distribution packs apart have to be named where the configuration is not read: those found here,
# or for a machine that is not this one, those that are found when it is asked.
_FOUND = tuple(
    word
    for name in _EXTENSIONS
    if any(Path("/usr/lib/php").glob(f"*/{name}.so"))
    for word in ("-d", f"extension={name}")
)
_ASK = f"""
directory=$(php -n -r 'echo ini_get("extension_dir");' </dev/null)
for name in {" ".join(_EXTENSIONS)}; do
    [ ! -e "$directory/$name.so" ] || set -- -d "extension=$name" "$@"
done
exec {" ".join(_PHP)} "$@"
"""


def _step(files: dict[str, bytes], *words: str, collect: tuple[str, ...] = ()) -> Step:
    return Step((*_PHP, *_FOUND, *words), files, collect, plain=("sh", "-c", _ASK, "php", *words))


def _whole(code: str) -> Recipe:
    return Recipe(None, _step({"program.php": code.encode()}, "program.php"))


def _calls(code: str, entry: str, whole_text: str) -> Recipe:
    """The program is the main script; calls come from a file with its own kind of typing, as trusted tests,
    which stand in the program's file, make theirs."""
    answers = _TEXTS["answers.php"]
    if _STRICT.match(code):
        answers = answers.replace(b"<?php", b"<?php declare(strict_types=1);", 1)
    around = ("-d", "auto_prepend_file=calls.php", "-d", "auto_append_file=answers.php")
    files = {name: _TEXTS[name] for name in ("calls.php", "values.php")}
    files |= {"answers.php": answers, "program.php": code.encode()}
    return Recipe(None, _step(files, *around, "program.php"))


def _record(tests: str, entry: str) -> Step:
    """Each ``if (candidate(..) !== EXPECTED) { throw ..; }`` becomes a call of the recorder.

    The tests run in a namespace of their own, in which a function may have the name of one of PHP's.
    """
    try:
        body = _recording(tests)
    except ValueError as error:
        body = f"Recorder::refuse({_php_string(str(error))});"
    head = "<?php\nnamespace Judge\\Tests;\nuse Judge\\Recorder;\n"
    function = f"function {entry}(...$arguments) {{ return Recorder::call($arguments); }}\n"
    files = {name: _TEXTS[name] for name in ("record.php", "values.php")}
    return _step({**files, "tests.php": (head + function + body).encode()}, "record.php")


def _replayed(prompt: str, tests: str, entry: str) -> Step:
    """The prompt's helpers and the tests, where what fails is reported and ends nothing."""
    own = _HEAD.sub("", helpers(prompt, _DEFINITION, entry))
    function = f"function {entry}(...$arguments) {{ return \\Judge\\Replay::call($arguments); }}"
    trusted = _HEAD.sub("", tests)
    reporting = _REPORTED.sub(_reporting, trusted)
    if _STRING.sub("", reporting).find("\\Judge\\Replay") < 0:
        reporting = "throw new \\Judge\\Refused('they hold no check');"
    text = f"{_NAMES}{own}\n{function}\n{reporting}\n"
    return _step({**_REPLAYER, "tests": text.encode()}, "replay.php", collect=("tests",))


def _reporting(match: re.Match[str]) -> str:
    if match["literal"]:
        return match["literal"]
    return "\\Judge\\Replay::wrong" if match["throw"] else "\\Judge\\Replay::check("


def _program(code: str, request: ReplayRequest) -> Recipe:
    return asking(_calls(code, request.entry, ""), request.job)


def _php_string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _recording(tests: str) -> str:
    """The tests with every check as data. Raises ``ValueError`` for checks of another form."""
    parts, at = [], 0
    while check := _CHECK.search(tests, at):
        end = _closing(tests, check.end())
        condition = tests[check.end() : end]
        cut = _closing(condition, condition.index("(") + 1) + 1
        throw = _THROW.match(tests, end + 1)
        operator = _DIFFERS.match(condition[cut:])
        if throw is None or operator is None:
            raise ValueError(f"a check of another form: if ({condition})")
        expected = condition[cut + operator.end() :].strip()
        parts += [tests[at : check.start()], f"Recorder::expect({condition[:cut].strip()}, {expected});"]
        at = throw.end()
    parts.append(tests[at:])
    left = "".join(parts)
    other = _OTHER_CHECKS.search(_STRING.sub("''", left))
    if other is not None:
        raise ValueError(f"a check of another form, with {other[0]}")
    return left


def _closing(text: str, at: int) -> int:
    """Where the bracket that is open at ``at`` closes. Raises ``ValueError``."""
    depth = 1
    while at < len(text):
        string = _STRING.match(text, at)
        if string is not None:
            at = string.end()
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at
        at += 1
    raise ValueError("a bracket that is not closed")


def identical(actual: Any, expected: Any) -> bool:
    """PHP's ``===`` on wire values: types count, the order of keys counts, NaN equals nothing."""
    if type(actual) is not type(expected):
        return False
    if type(actual) is list:
        return len(actual) == len(expected) and all(map(identical, actual, expected))
    if type(actual) is not dict:
        return bool(actual == expected)
    ((kind, ours),), ((other, theirs),) = actual.items(), expected.items()
    if kind != other or ours == "nan":
        return False
    return identical(ours, theirs)


LANGUAGE = Language(
    name="php",
    comment="//",
    tools=("php",),
    version=("php", "-n", "--version"),
    whole=_whole,
    calls=_calls,
    record=_record,
    replay=Replay(_replayed, _program, _step(_REPLAYER, "replay.php", "check"), LINE),
    equal=identical,
    out_of_memory=lexer(r"Out of memory|Allowed memory size of|MemoryError|Cannot allocate memory"),
    does_not_compile=lexer(r"(?m:^)(?:PHP )?(?:Parse error: |Fatal error: ++Cannot redeclare )"),
    canary="<?php\necho stream_get_contents(STDIN);\n",
    memory_floor_mb=128,
    cpu_floor_s=0.1,
    read_only=("/etc/php",),  # for compat mode, which reads the configuration as other harnesses do
)
