"""C++17, compiled by g++; with a precompiled header where the program includes bits/stdc++.h.

Trusted tests are a program of their own, in which a stand-in takes the place of the program's function; the program
is compiled with the calls that the stand-in recorded, as text that makes the same arguments.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from rewardranker.judge.languages.language import Language, Recipe, Replay
from rewardranker.judge.languages.libraries import LIBRARIES
from rewardranker.judge.languages.replay import RecordedCall, ReplayRequest
from rewardranker.judge.languages.rewriting import names, without_first_brace
from rewardranker.judge.languages.toolchain import PATH
from rewardranker.judge.sandbox.step import Step
from rewardranker.linear import lexer
from rewardranker.problems.masking import masked

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {path.name: path.read_bytes() for path in sorted(_HARNESS.glob("*.[ch]pp"))}
_JUDGE = {f"judge/{name}": content for name, content in _SOURCES.items()}
_EVERYTHING = lexer(r"(?m:^)[ \t]*+#[ \t]*+include[ \t]*+<bits/stdc\+\+\.h>")
_COMMAND = ("g++", "-std=c++17", "-w", "-fmax-errors=5")
_LINKER = ("-fuse-ld=gold",) if shutil.which("ld.gold", path=PATH) else ()
_WRAP = "-Wl,--wrap=main"  # programs and tests have a main of their own, or none
# Main programs are timed, and their time limits were set for optimised ones; tests are compiled as MultiPL-E does.
# Tests that need little of the standard library, as most do, find that little under the name of all of it.
_PRECOMPILE = """
mkdir -p whole/bits answers usual/bits tests/bits && echo '#include_next <bits/stdc++.h>' > whole/bits/stdc++.h &&
    cp judge/everything.hpp answers && cp judge/usual.hpp usual/everything.hpp && cp judge/tests.hpp tests &&
    : > usual/bits/stdc++.h && : > tests/bits/stdc++.h &&
    bash judge/left_out.sh g++ -std=c++17 -w > usual/left_out && grep -qx norm usual/left_out &&
    g++ -std=c++17 -w -O2 -x c++-header whole/bits/stdc++.h -o whole/bits/stdc++.h.gch &&
    g++ -std=c++17 -w -x c++-header judge/everything.hpp -o answers/everything.hpp.gch &&
    g++ -std=c++17 -w -I judge -x c++-header usual/everything.hpp -o usual/everything.hpp.gch &&
    g++ -std=c++17 -w -x c++-header judge/tests.hpp -o tests/tests.hpp.gch &&
    g++ -std=c++17 -w -O1 -c judge/answers.cpp judge/tests.cpp
"""
_COLLECTED = ("whole/bits/stdc++.h", "answers/everything.hpp", "usual/everything.hpp", "tests/tests.hpp")
_BOOST_ANY = re.compile(r"^[ \t]*+#[ \t]*+include[ \t]*+[<\"]boost/any\.hpp", re.M)
_ASSERT = lexer(r"\bassert(?=\s*+\()")
_BARE = lexer(r"(?m:^)[ \t]*+(?:#[^\n]*+|using namespace [\w:]++;[^\n]*+)")


def _whole(code: str) -> Recipe:
    everything = ("-include", "bits/stdc++.h") if _EVERYTHING.search(code) else ()
    options, files = (*_COMMAND, "-O2"), ("program.cpp", "-o", "program", *_libraries(code))
    precompiled = ("-I", "{setup}/whole") if everything else ()
    command, plain = (*options, *precompiled, *everything, *files, *_LINKER), (*options, *everything, *files)
    return Recipe(Step(command, {"program.cpp": code.encode()}, ("program",), plain=plain), Step(("./program",)))


def _program(code: str, request: ReplayRequest) -> Recipe:
    """The program, and behind it the calls, in whose text nothing that it has defined as a macro means anything."""
    calls = request.calls
    text = "\n".join(_call(number, call, request.entry) for number, call in enumerate(calls))
    numbers = ", ".join(f"judge_call_{number}" for number in range(len(calls)))
    text += (
        f"\nstatic const judge_values::Call judge_calls[] = {{{numbers}}};\n"
        'extern "C" int __wrap_main(int, char** judge_words) {\n'
        f"    return judge_values::answer_all(judge_words[1], judge_calls, {len(calls)});\n}}\n"
    )
    undone = "\n".join(f"#undef {name}" for name in names(text))
    header = "everything" if _EVERYTHING.search(code) else "answers"
    before = f'#include "{header}.hpp"\n{_boost(code)}'
    whole = f'{before}#line 1 "program.cpp"\n{code}\n;\n{undone}\n#line 1 "calls.cpp"\n{text}'
    files, out = {**_JUDGE, "program.cpp": whole.encode()}, ("-o", "program", _WRAP, *_libraries(code))
    rest = ("-I", "judge", "program.cpp", "{setup}/answers.o", *out, *_LINKER)
    command = (*_COMMAND, "-I", "{setup}/answers", *rest)
    if header == "everything":
        files["words"] = masked(code).encode()
        command = _with_fewer_headers(shlex.join((*_COMMAND, "-I", "{setup}/usual", *rest)), shlex.join(command))
    plain = (*_COMMAND, "-I", "judge", "program.cpp", "judge/answers.cpp", *out)
    return Recipe(Step(command, files, ("program",), plain=plain), Step(("./program", request.nonce)))


def _with_fewer_headers(usual: str, everything: str) -> tuple[str, ...]:
    """Compiles with the usual headers where that is the same, and with all of them where it is not or fails."""
    needless = "grep -qwFf {setup}/usual/left_out words; [ $? = 1 ]"
    return ("sh", "-c", f"{needless} && {usual} 2>errors || exec {everything}")


def _boost(code: str) -> str:
    """What lets an any of boost's be data; only where the program has it, since a machine need not."""
    return '#include "boost_any.hpp"\n' if _BOOST_ANY.search(code) else ""


def _libraries(code: str) -> tuple[str, ...]:
    asked = [library for library in LIBRARIES if library.language == "cpp" and library.asked.search(code)]
    return tuple(word for library in asked for word in library.link)


def _call(number: int, call: RecordedCall, entry: str) -> str:
    objects, given, changed = [], [], []
    for index, argument in enumerate(call.arguments):
        name = f"judge_object_{index}"
        if argument.how != "r":
            constant = "const " if argument.how == "c" else ""
            objects.append(f"{constant}{argument.type} {name} = {argument.text};")
        if argument.how == "l":
            changed.append(f"judge_values::changed(judge_answer, {name});")
        given.append(argument.text if argument.how == "r" else name)
    function = "judge_entry" if call.copied else entry
    if call.copied:
        objects.insert(0, f"auto judge_entry = {entry};")
    value = f"({function}({', '.join(given)}), judge_values::Nothing())"
    returned = f"judge_values::returned<{', '.join(call.uses)}>(judge_answer, {value});"
    lines = "\n    ".join([*objects, returned, *changed])
    return f"static void judge_call_{number}(judge_values::Answer& judge_answer) {{\n    {lines}\n}}"


def _record(prompt: str, tests: str, entry: str) -> Step:
    """Tried in turn: what returns keeps the type that it has, or is made into the declared one, so that members of it
    can be asked for; and without the prompt, which may be no C++."""
    declared = _declared(prompt, entry)
    bare = "\n".join(_BARE.findall(masked(prompt)))
    trusted = _trusted(tests, entry)
    texts = {"bare.cpp": _tests_text(bare, "void", trusted)}
    if declared is not None:
        texts["full.cpp"] = _tests_text(declared, f"decltype(::{entry})", trusted)
    files = {**_JUDGE, **{name: text.encode() for name, text in texts.items()}}
    first, out = sorted(texts)[-1], ("-o", "tests", _WRAP, *_libraries(prompt + tests))
    tries = [(first,), ("-DJUDGE_PLAIN", first), ("bare.cpp",)]
    ours = [(*_COMMAND, "-I", "judge", *one, "{setup}/tests.o", *out, *_LINKER) for one in tries]
    quick = (*_COMMAND, "-I", "{setup}/tests", "-I", "judge", first, "{setup}/tests.o", *out, *_LINKER)
    plain = [(*_COMMAND, "-I", "judge", *one, "judge/tests.cpp", *out) for one in tries]
    return Step(_first_that_compiles([quick, *ours]), files, ("tests",), plain=_first_that_compiles(plain))


def _first_that_compiles(commands: Sequence[Sequence[str]]) -> tuple[str, ...]:
    *others, last = [f"{shlex.join(command)} 2>errors.{number}" for number, command in enumerate(commands)]
    tried = " || ".join([*others, last])
    return ("sh", "-c", f"{tried} || {{ cat errors.{len(commands) - 3} >&2; exit 1; }}; exec ./tests")


def _tests_text(before: str, function: str, tests: str) -> str:
    stand_in = f"static judge_tests::Entry<{function}> judge_entry;"
    head = f'#include "tests.hpp"\n{_boost(before)}#line 1 "prompt.cpp"\n{before}\n{stand_in}\n'
    return f'{head}#line 1 "tests.cpp"\n{tests}\n'


def _trusted(tests: str, entry: str) -> str:
    """The tests, calling the stand-in and checking by our own checks."""
    text = without_first_brace(tests)
    named = lexer(rf"(?<![\w.])(?<!->)(?<!::){re.escape(entry)}\b(?!\s*+::)")
    for pattern, instead in ((named, "judge_entry"), (_ASSERT, "JUDGE_CHECK")):
        parts, place = [], 0
        for match in pattern.finditer(masked(text)):
            parts += [text[place : match.start()], instead]
            place = match.end()
        text = "".join([*parts, text[place:]])
    return text


def _declared(prompt: str, entry: str) -> str | None:
    """The prompt with an end to the function that it begins; ``None`` where it begins none of that name."""
    hidden = masked(prompt)
    open_braces = hidden.count("{") - hidden.count("}")
    if not lexer(rf"\b{re.escape(entry)}\s*+\(").search(hidden) or open_braces not in (0, 1):
        return None
    return prompt + "\n    __builtin_trap();\n}" * open_braces


LANGUAGE = Language(
    name="cpp",
    comment="//",
    tools=("g++",),
    version=("g++", "--version"),
    whole=_whole,
    replay=Replay(_record, _program),
    out_of_memory=lexer(r"std::bad_alloc"),
    setup=Step(
        ("sh", "-c", _PRECOMPILE),
        {**_JUDGE, "judge/left_out.sh": (_HARNESS / "left_out.sh").read_bytes()},
        (
            *(f"{name}{end}" for name in _COLLECTED for end in ("", ".gch")),
            "usual/bits/stdc++.h",
            "usual/left_out",
            "tests/bits/stdc++.h",
            "answers.o",
            "tests.o",
        ),
    ),
    canary="#include <cstdio>\nint main() { for (int c; (c = std::getchar()) != EOF;) std::putchar(c); }\n",
    memory_floor_mb=32,
)
