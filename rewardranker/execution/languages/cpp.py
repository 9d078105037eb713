"""C++17, compiled by g++; with a precompiled header where the program includes bits/stdc++.h."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from rewardranker.execution.languages.language import Language, Recipe
from rewardranker.execution.languages.rewriting import Check, names, rewrite, without_first_brace
from rewardranker.execution.languages.toolchain import PATH
from rewardranker.execution.sandbox.step import Step

_HARNESS = Path(__file__).with_name("harness")
_BEGIN, _CHECKS = ((_HARNESS / name).read_text() for name in ("checks_begin.hpp", "checks.hpp"))
_HEADERS = ("deque", "exception", "map", "optional", "set", "string", "tuple", "utility", "vector")
_EVERYTHING = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<bits/stdc\+\+\.h>", re.M)
# Macros of the standard library that tests may mean as such.
_STANDARD = re.compile(
    r"(?:(?:U?(?:INT|LONG|LLONG|CHAR|SHRT)|FLT|DBL)_(?:MIN|MAX|EPSILON)|INFINITY|NAN|NULL|EOF|M_\w+)\Z"
)
_COMMAND = ("g++", "-std=c++17", "-w", "-fmax-errors=5")
_LINKER = ("-fuse-ld=gold",) if shutil.which("ld.gold", path=PATH) else ()
# Main programs are timed, and their time limits were set for optimised ones; tests are compiled as MultiPL-E does.
_OPTIONS = {"whole": ("-O2",), "checks": ()}
_PRECOMPILE = """
for kind in whole checks; do
    mkdir -p $kind/bits && echo '#include_next <bits/stdc++.h>' > $kind/bits/stdc++.h || exit
done
g++ -std=c++17 -w -O2 -x c++-header whole/bits/stdc++.h -o whole/bits/stdc++.h.gch &&
    g++ -std=c++17 -w -x c++-header checks/bits/stdc++.h -o checks/bits/stdc++.h.gch
"""


def _whole(code: str) -> Recipe:
    return Recipe(_build(code, code, "whole"), Step(("./program",)))


def _checks(code: str, tests: str, nonce: str) -> Recipe:
    judge = f"judge_{nonce}"

    def answer(check: Check) -> str:
        right = f"same(({check.left}), ({check.right}))" if check.form == "==" else f"truth(({check.text}))"
        return f"try {{ {judge}::answer({judge}::{right}, {check.message}); }} catch (...) {{ {judge}::failed(); }}"

    begin, end = f'\n    {judge}::say("\\"ready\\"");', f"    {judge}::done();\n"
    trusted, count = rewrite(without_first_brace(tests), "assert", begin, end, answer)
    trusted = _CHECKS.replace("NONCE", nonce) + trusted
    # Nothing that the program has defined as a macro means anything from here on.
    undone = "\n".join(f"#undef {name}" for name in names(trusted) if not _STANDARD.match(name))
    text = f'{_beginning(code, nonce)}#line 1 "program.cpp"\n{code}\n;\n{undone}\n#line 1 "tests.cpp"\n{trusted}\n'
    return Recipe(_build(code, text, "checks"), Step(("./program",)), count)


def _beginning(code: str, nonce: str) -> str:
    headers = "" if _EVERYTHING.search(code) else "".join(f"#include <{name}>\n" for name in _HEADERS)
    return headers + _BEGIN.replace("NONCE", nonce)


def _build(code: str, text: str, kind: str) -> Step:
    everything = ("-include", "bits/stdc++.h") if _EVERYTHING.search(code) else ()
    options, files = (*_COMMAND, *_OPTIONS[kind]), ("program.cpp", "-o", "program")
    precompiled = ("-I", f"{{setup}}/{kind}") if everything else ()
    command = (*options, *precompiled, *everything, *files, *_LINKER)
    return Step(command, {"program.cpp": text.encode()}, ("program",), plain=(*options, *everything, *files))


CPP = Language(
    name="cpp",
    fences=("cpp", "c++", "cc"),
    comment="//",
    tools=("g++",),
    version=("g++", "--version"),
    whole=_whole,
    checks=_checks,
    out_of_memory=re.compile(r"std::bad_alloc"),
    setup=Step(
        ("sh", "-c", _PRECOMPILE),
        collect=tuple(f"{kind}/bits/stdc++.h{end}" for kind in _OPTIONS for end in ("", ".gch")),
    ),
    canary="#include <cstdio>\nint main() { for (int c; (c = std::getchar()) != EOF;) std::putchar(c); }\n",
    memory_floor_mb=32,
)
