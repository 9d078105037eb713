"""C++ programs are compiled with fewer headers than they ask for, and are what they would be with all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import problem

from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.setup import setup_places
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.problems.types import Limits, Problem, Test

pytestmark = pytest.mark.skipif(bool(toolchain(LANGUAGES["cpp"]).missing), reason="no g++ here")
HEAD = "#include <bits/stdc++.h>\nusing namespace std;\n"
SUM = "long f(long a, long b) {{ {} }}\n"
#: What g++ makes of each program with all headers; f(1, 2) has to be 3.
PROGRAMS = {
    "nothing beyond the usual": ("", "vector<long> v = {a, b}; return accumulate(v.begin(), v.end(), 0L);", "OK"),
    "a name that only a comment holds": ("// the norm of a complex number, or a lock\n", "return a + b;", "OK"),
    "a name of complex": ("double norm(double x) { return x; }\n", "return norm((int)(a + b));", "WRONG"),
    "a variable that mutex makes ambiguous": ("long lock = 0;\n", "lock = a; return lock + b;", "COMPILE_ERROR"),
    "the same, named with its namespace": ("long lock = 0;\n", "::lock = a; return ::lock + b;", "OK"),
    "a class that a system header declares": ("struct sigaction { long x; };\n", "return a + b;", "COMPILE_ERROR"),
    "a macro of fenv": ("#ifndef FE_UPWARD\n#error\n#endif\n", "return a + b;", "OK"),
    "complex numbers": ("", "complex<double> z(a, b); return z.real() + imag(z);", "OK"),
    "literals alone": ("", "auto z = 2.0i * (double)b / 2.0; return a + (long)z.imag();", "OK"),
    "regular expressions": ("", 'return regex_match("ab", regex("a.")) ? a + b : 0;', "OK"),
    "random numbers": ("", "mt19937 g(1); return a + b + 0 * g();", "OK"),
    "threads": ("", "mutex m; thread t([&] { lock_guard<mutex> l(m); a += b; }); t.join(); return a;", "OK"),
    "paths": ("", 'return filesystem::path("x/y").filename() == "y" ? a + b : 0;', "OK"),
    "arrays of numbers": ("", "valarray<long> v = {a, b}; return v.sum();", "OK"),
    "no such name": ("", "return a + bb;", "COMPILE_ERROR"),
}


def task() -> Problem:
    return problem(
        "program",
        (Test("}\nint main() { assert(f(1, 2) == 3); assert(f(0, 0) == 0); }\n"),),
        language="cpp",
        prompt="#include <bits/stdc++.h>\nlong f(long a, long b) {\n",
        limits=Limits(cpu_s=5.0, wall_s=60.0, memory_mb=256),
    )


def test_programs_mean_what_all_headers_make_of_them(judge: Judge) -> None:
    items = [(task(), f"{HEAD}{before}{SUM.format(body)}") for before, body, _ in PROGRAMS.values()]
    seen = {name: str(one.verdict) for name, one in zip(PROGRAMS, judge.run(items), strict=True)}
    assert seen == {name: expected for name, (_, _, expected) in PROGRAMS.items()}


def test_the_names_that_are_left_out(judge: Judge) -> None:
    judge.run([(task(), HEAD + SUM.format("return a + b;"))])
    names = set((Path(setup_places()["cpp"]) / "usual" / "left_out").read_text().split())
    assert {"norm", "conj", "lock", "mutex", "regex", "mt19937", "sigaction", "FE_UPWARD", "read"} <= names
    assert not {"vector", "sort", "map", "string", "gcd", "cout", "printf", "INT_MAX", "f", "std"} & names
