"""C++'s trusted tests in many forms: compiled without a program, run on what programs answer."""

from __future__ import annotations

import json

import pytest
from benchmark_data import SHARED, shared
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.programs import extract

LIMITS = Limits(cpu_s=2.0, wall_s=30.0, memory_mb=256)
HEAD = "#include<assert.h>\n#include<bits/stdc++.h>\nusing namespace std;\n"
OK, WRONG, COMPILE_ERROR, INFRA = Verdict.OK, Verdict.WRONG, Verdict.COMPILE_ERROR, Verdict.INFRA

#: The function's first line; the body of the tests' main; right and wrong programs, with what they come to.
FORMS: dict[str, tuple[str, str, list[tuple[str, Verdict]]]] = {
    "its own name, in a loop": (
        "long f(long n) {",
        "for (long i = 0; i < 5; i++) { long want = i * i; assert(f(i) == want); }",
        [("long f(long n) { return n * n; }", OK), ("long f(long n) { return n < 4 ? n * n : 0; }", WRONG)],
    ),
    "a tolerance": (
        "double f(double x) {",
        "assert(abs(f(2.0) - 1.41421) < 1e-4); assert(fabs(f(4.0) - 2) < 1e-4 && true);",
        [
            ("double f(double x) { return sqrt(x); }", OK),
            ("float f(float x) { return sqrtf(x); }", OK),
            ("double f(double x) { return x / 2; }", WRONG),
            ("double f(double x) { return NAN; }", WRONG),
        ],
    ),
    "lists in braces, and a helper": (
        "vector<string> f(vector<string> a, int n) {",
        'assert(issame(f({}, 1), {})); assert(issame(f({"a", "bb"}, 2), {"bb"}));',
        [
            (
                "vector<string> f(vector<string> a, int n) { vector<string> r; for (auto s : a) if (s.size() == n) r.push_back(s); return r; }",
                OK,
            ),
            ("vector<string> f(vector<string> a, int n) { return a; }", WRONG),
            ("vector<int> f(vector<string> a, int n) { return {}; }", COMPILE_ERROR),
        ],
    ),
    "an argument changed in place": (
        "void f(vector<int>& v, const string& s) {",
        'vector<int> v = {3, 1, 2}; const string s("x\\"\\\\\\n"); f(v, s); assert(v == vector<int>({1, 2, 3}));',
        [
            ("void f(vector<int>& v, const string& s) { sort(v.begin(), v.end()); }", OK),
            ("void f(vector<int> v, const string& s) { sort(v.begin(), v.end()); }", WRONG),
            ('void f(vector<int>& v, const string& s) { if (s == "x\\"\\\\\\n") v = {1, 2, 3}; }', OK),
        ],
    ),
    "members of what is returned": (
        "vector<int> f(int n) {",
        "assert(f(3).size() == 3); assert(f(2)[1] == 1); auto v = f(4); assert(v.back() == 3);",
        [
            ("vector<int> f(int n) { vector<int> v(n); iota(v.begin(), v.end(), 0); return v; }", OK),
            ("vector<int> f(int n) { return vector<int>(n); }", WRONG),
            ("vector<int> f(int n) { return {}; }", WRONG),
        ],
    ),
    "a structure of the prompt": (
        "struct P { long x; string name; vector<double> w; bool operator==(const P& o) const { return x == o.x && name == o.name && w == o.w; } };\nP f(P p) {",
        'assert(f({1, "a", {0.5}}) == (P{2, "a!", {0.5, 1}})); P q{3, "", {}}; assert(f(q).x == 4);',
        [
            (
                "struct P { long x; string name; vector<double> w; };\nP f(P p) { p.x++; p.name += '!'; p.w.push_back(1); return p; }",
                OK,
            ),
            (
                "struct P { long x; string name; vector<double> w; bool operator==(const P&) const { return true; } };\nP f(P p) { return p; }",
                WRONG,
            ),
        ],
    ),
    "maps, sets and optionals": (
        "map<string, optional<long>> f(unordered_map<string, long> m, set<char> s) {",
        'assert(candidate({{"a", 1}, {"b", 2}}, {\'a\'}) == (map<string, optional<long>>{{"a", 1}, {"b", nullopt}}));',
        [
            (
                "map<string, optional<long>> f(unordered_map<string, long> m, set<char> s) { map<string, optional<long>> r; for (auto& [k, v] : m) "
                "r[k] = s.count(k[0]) ? optional<long>(v) : nullopt; return r; }",
                OK,
            ),
            (
                'map<string, optional<long>> f(unordered_map<string, long> m, set<char> s) { return {{"a", 1}}; }',
                WRONG,
            ),
        ],
    ),
    "numbers of every kind, as the language compares them": (
        "double f(int n) {",
        "assert(candidate(0) == 0.1f); assert(candidate(1) == 4294967295u); assert(!(candidate(2) == candidate(2)));",
        [
            ("double f(int n) { return n == 0 ? 0.1f : n == 1 ? 4294967295.0 : NAN; }", OK),
            ("double f(int n) { return n == 0 ? 0.1 : n == 1 ? 4294967295.0 : NAN; }", WRONG),
            ("float f(int n) { return n == 0 ? 0.1 : n == 1 ? 4294967296.0 : NAN; }", OK),
            ("long f(int n) { return -1; }", WRONG),
        ],
    ),
    "helpers of the prompt": (
        "long twice(long x) { return 2 * x; }\nlong f(long x) {",
        "assert(candidate(twice(2)) == twice(3));",
        [
            ("long twice(long x) { return 0; }\nlong f(long x) { return x + 2; }", OK),
            ("long twice(long x) { return 0; }\nlong f(long x) { return 0; }", WRONG),
        ],
    ),
    "tests that ask for what is not there": (
        "vector<int> f(int n) {",
        "assert(f(1).at(5) == 3);",
        [("vector<int> f(int n) { return {1}; }", WRONG), ("vector<int> f(int n) { return vector<int>(6, 3); }", OK)],
    ),
    "conditions of which the first decides": (
        "long f(long x) {",
        "assert(f(1) == 1 && f(2) == 4 && candidate(3) == 9); assert(f(0) == 1 || f(4) == 16); if (f(5) == 25) assert(f(6) == 36);",
        [
            ("long f(long x) { return x * x; }", OK),
            ("long f(long x) { return x == 3 ? 8 : x * x; }", WRONG),
            ("long f(long x) { return x == 6 ? 8 : x * x; }", WRONG),
            ("long f(long x) { return x ? x * x : 1; }", OK),
        ],
    ),
    "a callback": (
        "long f(function<long(long)> g) {",
        "assert(candidate([](long x) { return x; }) == 1);",
        [("long f(function<long(long)> g) { return g(1); }", INFRA)],
    ),
    "a call of what a call returned": (
        "long f(long x) {",
        "assert(f(f(1)) == 3);",
        [("long f(long x) { return x + 1; }", OK), ("long f(long x) { return x + 2; }", WRONG)],
    ),
    "no check": ("long f(long x) {", "candidate(1);", [("long f(long x) { return 1; }", INFRA)]),
}
HELPER = (
    "bool issame(vector<string> a, vector<string> b) { if (a.size() != b.size()) return false; "
    "for (size_t i = 0; i < a.size(); i++) if (a[i] != b[i]) return false; return true; }\n"
)


@pytest.fixture(scope="module")
def judge(judge: Judge) -> Judge:
    need("cpp")
    return judge


def task(declared: str, body: str) -> Problem:
    copy = "auto candidate = f;" if "candidate(" in body else ""
    tests = f"}}\n{HELPER}int main() {{\n    {copy}\n    {body}\n}}\n"
    return problem(
        "program", (Test(tests),), language="cpp", entry_point="f", prompt=f"{HEAD}{declared}\n", limits=LIMITS
    )


def judged(judge: Judge, name: str) -> list[tuple[Judgement, Verdict]]:
    declared, body, programs = FORMS[name]
    results = judge.run([(task(declared, body), HEAD + code) for code, _ in programs])
    return [(result, wanted) for result, (_, wanted) in zip(results, programs, strict=True)]


#: The others take a compilation each that fails first.
_QUICK = ("its own name, in a loop", "an argument changed in place", "helpers of the prompt")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow) for name in FORMS]
)
def test_tests_of_any_form_are_run_on_values(judge: Judge, name: str) -> None:
    for number, (result, wanted) in enumerate(judged(judge, name)):
        assert (result.verdict, result.level) == (wanted, "L2"), (number, result)
        assert wanted is not INFRA or "test/program" in result.message


def test_programs_that_were_once_believed(judge: Judge) -> None:
    path = SHARED.parent / "cases" / "multipl_e_cpp.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder beside one with {path.name}")
    problems = {one.id.rpartition("/")[2]: one for one in load_multipl_e(shared("multipl_e/humaneval-cpp.jsonl"))}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    items = [(problems[row["problem_id"]], extract(problems[row["problem_id"]], row["text"])) for row in rows]
    for result in judge.run(items):
        assert result.verdict not in (OK, INFRA) and result.level == "L2", result
