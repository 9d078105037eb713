"""C++, Java and C#: tests that are compiled with the program, and compilers that stay resident."""

from __future__ import annotations

import pytest
from judging import in_brief, need, problem

from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.setup import prepare, read_only_places, services, setup_places
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.sandbox import LocalSandbox, Step
from rewardranker.judge.sandbox.tiers import require
from rewardranker.judge.strict.building import BUILD_LIMITS
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict

LIMITS = Limits(cpu_s=2.0, wall_s=30.0, memory_mb=256)
COMPILED = ("cpp", "java", "csharp")
NUMBERS = {
    "cpp": "}\nint main() {\n    auto candidate = add;\n    assert(candidate((1), (2)) == (3));\n"
    "    assert(candidate((-1), (1)) == (0));\n}\n",
    "java": "    }\n    public static void main(String[] args) {\n    assert(add((1l), (2l)) == (3l));\n"
    "    assert(add((-1l), (1l)) == (0l));\n    }\n\n}\n",
    "csharp": "    }\n    public static void Main(string[] args) {\n    Debug.Assert(Add((1L), (2L)) == (3L));\n"
    "    Debug.Assert(Add((-1L), (1L)) == (0L));\n    }\n\n}\n",
}
LISTS = {
    "cpp": "}\nint main() {\n    auto candidate = doubled;\n"
    "    assert(candidate((std::vector<long>({(long)1, (long)2}))) == (std::vector<long>({(long)2, (long)4})));\n"
    "    assert(candidate((std::vector<long>())) == (std::vector<long>()));\n}\n",
    "java": "    }\n    public static void main(String[] args) {\n"
    "    assert(doubled((new ArrayList<Long>(Arrays.asList((long)1l, (long)2l))))"
    ".equals((new ArrayList<Long>(Arrays.asList((long)2l, (long)4l)))));\n"
    "    assert(doubled((new ArrayList<Long>(Arrays.asList())))"
    ".equals((new ArrayList<Long>(Arrays.asList()))));\n    }\n\n}\n",
    "csharp": "    }\n    public static void Main(string[] args) {\n"
    "    Debug.Assert(Doubled((new List<long>(new long[]{(long)1L, (long)2L})))"
    ".Equals((new List<long>(new long[]{(long)2L, (long)4L}))));\n"
    "    Debug.Assert(Doubled((new List<long>()))" + ".Equals((new List<long>())));\n    }\n\n}\n",
}
HEADS = {
    "cpp": "#include<assert.h>\n#include<bits/stdc++.h>\n",
    "java": "import java.util.*;\n",
    "csharp": "using System;\nusing System.Diagnostics;\nusing System.Collections.Generic;\nusing System.Linq;\n",
}
NUMBER_FORM = {
    "cpp": "long add(long a, long b) {{\n{}\n}}\n",
    "java": "class Problem {{\n    public static long add(long a, long b) {{\n{}\n    }}\n}}\n",
    "csharp": "class Problem {{\n    public static long Add(long a, long b) {{\n{}\n    }}\n}}\n",
}
LIST_FORM = {
    "cpp": "std::vector<long> doubled(std::vector<long> xs) {{\n{}\n}}\n",
    "java": "class Problem {{\n    public static ArrayList<Long> doubled(ArrayList<Long> xs) {{\n{}\n    }}\n}}\n",
    "csharp": "class Problem {{\n    public static List<long> Doubled(List<long> xs) {{\n{}\n    }}\n}}\n",
}
LIST_BODIES = {
    "cpp": "for (auto& x : xs) x *= 2; return xs;",
    "java": "for (int i = 0; i < xs.size(); i++) xs.set(i, xs.get(i) * 2); return xs;",
    "csharp": "return xs.Select(x => x * 2).ToList();",
}
NUMBER_BODIES = [
    ("cpp", "return a - b;", Verdict.WRONG, 0),
    ("cpp", "return 3;", Verdict.WRONG, 1),
    ("cpp", 'throw std::runtime_error("no");', Verdict.RUNTIME_ERROR, 0),
    ("cpp", "if (a < 0) throw 1; return a + b;", Verdict.RUNTIME_ERROR, 1),
    ("cpp", "return *(long*)0;", Verdict.RUNTIME_ERROR, 0),
    ("cpp", "exit(0);", Verdict.RUNTIME_ERROR, 0),
    ("cpp", 'while (true) asm("");', Verdict.TIMEOUT, 0),
    ("cpp", "return (", Verdict.COMPILE_ERROR, 0),
    ("cpp", 'return std::string("3");', Verdict.COMPILE_ERROR, 0),
    ("cpp", "std::vector<char> x(1ull << 40); return x.size();", Verdict.MEMORY, 0),
    ("java", "return a - b;", Verdict.WRONG, 0),
    ("java", "return 3;", Verdict.WRONG, 1),
    ("java", 'throw new RuntimeException("no");', Verdict.RUNTIME_ERROR, 0),
    ("java", "return a + add(a, b);", Verdict.RUNTIME_ERROR, 0),
    ("java", "System.exit(0); return 0;", Verdict.RUNTIME_ERROR, 0),
    ("java", "while (true) { if (a > 5) break; } return 0;", Verdict.TIMEOUT, 0),
    ("java", "return (", Verdict.COMPILE_ERROR, 0),
    ("java", 'return "3";', Verdict.COMPILE_ERROR, 0),
    (
        "java",
        "long[][] x = new long[4096][]; for (int i = 0; i < 4096; i++) x[i] = new long[1 << 20]; return x.length;",
        Verdict.MEMORY,
        0,
    ),
    ("csharp", "return a - b;", Verdict.WRONG, 0),
    ("csharp", "return 3;", Verdict.WRONG, 1),
    ("csharp", 'throw new Exception("no");', Verdict.RUNTIME_ERROR, 0),
    ("csharp", "Environment.Exit(0); return 0;", Verdict.RUNTIME_ERROR, 0),
    ("csharp", "while (true) { if (a > 5) break; } return 0;", Verdict.TIMEOUT, 0),
    ("csharp", "return (", Verdict.COMPILE_ERROR, 0),
    ("csharp", 'return "3";', Verdict.COMPILE_ERROR, 0),
]


def task(language: str, tests: dict[str, str] = NUMBERS) -> Problem:
    need(language)
    entry_point = "add" if tests is NUMBERS else "doubled"
    return problem("program", (Test(tests[language]),), language=language, entry_point=entry_point, limits=LIMITS)


@pytest.mark.parametrize("language", COMPILED)
def test_right_programs(judge: Judge, language: str) -> None:
    numbers = HEADS[language] + NUMBER_FORM[language].format("return a + b;")
    lists = HEADS[language] + LIST_FORM[language].format(LIST_BODIES[language])
    for result in judge.run([(task(language), numbers), (task(language, LISTS), lists)]):
        assert (result.verdict, result.tests_passed, result.tests_total) == (Verdict.OK, 2, 2), result
        assert (result.level, bool(result.signature)) == ("L2", True)


@pytest.mark.parametrize(("language", "body", "expected", "passed"), NUMBER_BODIES)
def test_other_verdicts(judge: Judge, language: str, body: str, expected: Verdict, passed: int) -> None:
    code = HEADS[language] + NUMBER_FORM[language].format(body)
    result = judge.run([(in_brief(task(language), expected), code)])[0]
    assert (result.verdict, result.tests_passed) == (expected, passed), result
    assert result.message


@pytest.mark.parametrize("language", COMPILED)
def test_a_right_list_with_a_wrong_number_in_it(judge: Judge, language: str) -> None:
    body = LIST_BODIES[language].replace("2", "3")
    result = judge.run([(task(language, LISTS), HEADS[language] + LIST_FORM[language].format(body))])[0]
    assert (result.verdict, result.tests_passed) == (Verdict.WRONG, 1), result


def test_the_program_s_own_equality_is_not_asked(judge: Judge) -> None:
    own = {
        "cpp": "bool operator==(const std::vector<long>&, const std::vector<long>&) { return true; }\n"
        "namespace std { bool operator==(const vector<long>&, const vector<long>&) { return true; } }\n"
        "std::vector<long> doubled(std::vector<long> xs) { return {7}; }\n",
        "java": "class Problem {\n    static class ArrayList<T> extends java.util.ArrayList<T> {\n"
        "        ArrayList(Collection<T> c) { super(c); }\n"
        "        public boolean equals(Object o) { return true; }\n    }\n"
        "    public static ArrayList<Long> doubled(java.util.ArrayList<Long> xs) { "
        "return new ArrayList<Long>(List.of(7L)); }\n}\n",
        "csharp": "class Mine : List<long> { public override bool Equals(object o) { return true; }\n"
        "    public override int GetHashCode() { return 0; } }\n"
        "class Problem {\n    public static List<long> Doubled(List<long> xs) { return new Mine(); }\n}\n",
    }
    items = [(task(language, LISTS), HEADS[language] + code) for language, code in own.items()]
    assert {str(result.verdict) for result in judge.run(items)} == {"WRONG"}


def build_of(language: Language, code: str, tests: str) -> Step | None:
    if language.compiled is not None:
        return language.compiled.evaluated(code, language.compiled.split(tests), "0" * 16).build
    assert language.checks is not None
    return language.checks(code, tests, "0" * 16).build


@pytest.mark.parametrize("language", ["java", "csharp"])
def test_the_resident_compiler_says_what_the_command_says(language: str) -> None:
    """A right program, one that is no program, one with a wrong type; twice over, as the compiler stays."""
    task(language)
    found, bodies = LANGUAGES[language], ("return a + b;", "return (", 'return "3";')
    sandbox = LocalSandbox(require("C").tier, services(), setup_places(), read_only_places())
    try:
        prepare(sandbox, found)
        statuses = []
        for body in bodies * 2:
            code = HEADS[language] + NUMBER_FORM[language].format(body)
            build = build_of(found, code, NUMBERS[language])
            assert build is not None and build.service == language
            outcome = sandbox.execute(build, BUILD_LIMITS, language=language)
            statuses.append(bool(outcome.status))
            assert bool(outcome.errors) == bool(outcome.status)
    finally:
        sandbox.stop()
    assert statuses == [False, True, True] * 2


def test_tests_without_a_check_are_our_fault(judge: Judge) -> None:
    for language in COMPILED:
        item = problem("program", (Test("}\nint main() { }\n"),), language=language, entry_point="add", limits=LIMITS)
        if not toolchain(LANGUAGES[language]).missing:
            result = judge.run([(item, HEADS[language] + NUMBER_FORM[language].format("return a + b;"))])[0]
            assert result.verdict is Verdict.INFRA and item.id in result.message
