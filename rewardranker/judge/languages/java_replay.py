"""Java's trusted tests of any form, replayed on values: a stand-in for the method is made of the prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rewardranker.errors import UserError
from rewardranker.judge.languages.java_tests import TUPLES, recipe_of
from rewardranker.judge.languages.language import Recipe, Replay
from rewardranker.judge.languages.replay import LINE, ReplayRequest
from rewardranker.judge.languages.rewriting import closing, flat
from rewardranker.judge.sandbox.step import Step
from rewardranker.problems.masking import masked

_HARNESS = "{setup}/harness.jar"
_MACHINE = (
    "java",
    "-Xmx512m",
    "-Xss64m",
    "-XX:+UseSerialGC",
    "-XX:ActiveProcessorCount=1",
    "-XX:TieredStopAtLevel=1",
)
# The words behind it: where the harness lies, the file of the tests, their main class.
_COMPILE = (
    'javac -encoding UTF-8 -proc:none -nowarn -cp "{tuples}:$1" -d classes "$2" && '
    'printf %s "$3" >classes/judge_main && jar -cf tests -C classes . && '
    'exec {machine} -cp "tests:{tuples}:$1" rewardranker.Replay'
)
_NO_CHECK = ("sh", "-c", "echo these tests cannot be recorded: they hold no check >&2; exit 3")
_NO_METHOD = ("sh", "-c", "echo these tests cannot be recorded: the prompt begins no method >&2; exit 3")

_SIGNATURE = r"(?P<head>[\w<>\[\],.?& ]*?)\b{entry}\s*\((?P<given>[^(){{}};]*)\)\s*(?:throws\s+[\w., ]+)?\{{\s*\Z"
_MODIFIERS = re.compile(r"\b(?:public|protected|private|static|final|synchronized)\b")
_CLASS = re.compile(r"\bclass\s++(\w++)")
_MAIN_CLASS = re.compile(r"\bclass\s+(\w+)(?=(?:(?!\bclass\b).)*?\bmain\s*\()", re.DOTALL)
_PUBLIC = re.compile(r"\bpublic\s++(?:final\s++)?class\s++(\w++)")
_IMPORT = re.compile(r"^\s*+import\s[^;]*+;", re.MULTILINE)
_CHECK = re.compile(r"(?<![\w.])(?:assert(?!\w)|throw\s++new\b)")


@dataclass(frozen=True)
class _Method:
    """What the prompt asks for: where it stands, its types as text, and the names of what it is given."""

    owner: str
    static: bool
    returned: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    imports: str


def _method(prompt: str, entry: str) -> _Method | None:
    hidden = masked(prompt)
    found = re.search(_SIGNATURE.format(entry=re.escape(entry)), hidden)
    classes = _CLASS.findall(hidden)
    if found is None or not classes:
        return None
    given = [" ".join(part.split()) for part in _parts(found["given"])]
    pairs = [part.removeprefix("final ").replace("...", "[]").rpartition(" ") for part in given]
    head = found["head"]
    returned = _MODIFIERS.sub("", head).strip()
    if not returned or returned.startswith("<"):  # a constructor; or types that only the method knows
        return None
    return _Method(
        owner=classes[0],
        static=re.search(r"\bstatic\b", head) is not None,
        returned=returned,
        types=tuple(kind for kind, _, _ in pairs),
        names=tuple(name for _, _, name in pairs),
        imports="\n".join(_IMPORT.findall(hidden)),
    )


def _parts(text: str) -> list[str]:
    """What stands between the commas of a list of parameters, whose types may hold commas."""
    level = flat(text.replace("<", "(").replace(">", ")"))
    edges = [-1, *(match.start() for match in re.finditer(",", level)), len(text)]
    parts = [text[begin + 1 : end].strip() for begin, end in zip(edges, edges[1:], strict=False)]
    return [part for part in parts if part]


def _record(prompt: str, tests: str, entry: str) -> Step:
    method = _method(prompt, entry)
    if method is None:
        return Step(_NO_METHOD)
    trusted, checks = _checked(tests)
    if not checks:
        return Step(_NO_CHECK)
    ending = (
        "" if trusted.lstrip().startswith("}") else "\n}\n" * (masked(prompt).count("{") - masked(prompt).count("}"))
    )
    text = f"{prompt}\n{_stand_in(method)}\n{ending}{trusted}\n"
    hidden = masked(text)
    main = _MAIN_CLASS.findall(hidden)
    name = (_PUBLIC.findall(hidden) or ["Tests"])[0]
    command = _COMPILE.format(tuples=TUPLES, machine=" ".join(_MACHINE))
    words = ("sh", "-c", command, "sh", _HARNESS, f"{name}.java", main[-1] if main else method.owner)
    return Step(words, {f"{name}.java": text.encode()}, ("tests",))


def _stand_in(method: _Method) -> str:
    given = f"new Object[] {{{', '.join(method.names)}}}"
    value = f"rewardranker.Replay.call({json.dumps(method.returned)}, {_texts(method.types)}, {given})"
    return f"{value};" if method.returned == "void" else f"return ({method.returned}) {value};"


def _texts(types: Sequence[str]) -> str:
    return f"new String[] {{{', '.join(json.dumps(kind) for kind in types)}}}"


def _checked(tests: str) -> tuple[str, int]:
    """The tests with our own checks in place of theirs, which would end them while nothing is answered; how many."""
    hidden, parts, place, count = masked(tests), [], 0, 0
    for match in _CHECK.finditer(hidden):
        if match.start() < place:
            continue
        stop = _statement_end(hidden, match.start())
        said = json.dumps(" ".join(tests[match.start() : stop].split())[:160])
        if match[0].startswith("assert"):
            condition = tests[match.end() : _message(hidden, match.end(), stop)]
            ours = (
                f"try {{ rewardranker.Replay.check({condition}, {said}); }} "
                f"catch (RuntimeException | Error judge_thrown) {{ rewardranker.Replay.check(false, {said}); }}"
            )
        else:
            ours = f"if (rewardranker.Replay.fails({said})) {tests[match.start() : stop + 1]}"
        parts += [tests[place : match.start()], f"{{ {ours} }}"]
        place, count = stop + 1, count + 1
    return "".join([*parts, tests[place:]]), count


def _statement_end(hidden: str, begin: int) -> int:
    """Where the semicolon of a statement stands."""
    place = begin
    while place < len(hidden) and hidden[place] != ";":
        place = closing(hidden, place) + 1 if hidden[place] in "([{" else place + 1
    if place == len(hidden):
        raise UserError(f"a check of the trusted tests has no end: {hidden[begin:][:80]}")
    return place


def _message(hidden: str, begin: int, stop: int) -> int:
    """Where an assertion's condition ends: before its message, or at its end."""
    level = flat(hidden[begin:stop])
    return begin + level.index(":") if ":" in level and "?" not in level else stop


def _program(code: str, request: ReplayRequest) -> Recipe:
    """The program, and a class that makes the calls, whose arguments are read from a file as the declared types."""
    method = _method(request.prompt, request.entry)
    assert method is not None, "tests that were recorded have one"
    given = ", ".join(f"({kind}) judge_given[{index}]" for index, kind in enumerate(method.types))
    target = method.owner if method.static else "judge_object"
    call = f"{target}.{request.entry}({given});"
    value = f"Object judge_value = null; {call}" if method.returned == "void" else f"Object judge_value = {call}"
    made = "" if method.static else f"{method.owner} judge_object = new {method.owner}();"
    main = "JudgeCalls"
    text = f"""{method.imports}
final class {main} {{
    @SuppressWarnings("unchecked")
    public static void main(java.lang.String[] judge_words) throws java.lang.Throwable {{
        java.util.List<java.lang.String> judge_calls =
            java.nio.file.Files.readAllLines(java.nio.file.Path.of("calls.txt"));
        rewardranker.Values judge = new rewardranker.Values(judge_words[0]);
        {made}
        for (java.lang.String judge_text : judge_calls) {{
            try {{
                java.lang.Object[] judge_given = rewardranker.Decoded.each(judge_text, {_texts(method.types)});
                {value}
                judge.begin();
                judge.side(rewardranker.Values.text(judge_value));
                for (java.lang.Object judge_one : judge_given) {{
                    if (rewardranker.Decoded.isObject(judge_one)) judge.side(rewardranker.Values.text(judge_one));
                }}
                judge.answer();
            }} catch (java.lang.Throwable judge_thrown) {{
                judge.error(judge_thrown);
            }}
        }}
        judge.done();
    }}
}}
"""
    recipe = recipe_of(main, {f"{main}.java": text, "Problem.java": code}, 0)
    files = {"calls.txt": "\n".join(call.key for call in request.calls).encode()}
    run = replace(recipe.run, argv=(*recipe.run.argv, request.nonce), files=files)
    return replace(recipe, run=run, exact=(*recipe.exact, request.nonce))


REPLAY = Replay(
    _record,
    _program,
    Step((*_MACHINE, "-cp", f"tests:{TUPLES}:{_HARNESS}", "rewardranker.Replay", "check")),
    LINE,
)
