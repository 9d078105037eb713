"""Tests of one's own in Java and C#: whatever form a check has, it is compared as the language would, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict

LIMITS = Limits(cpu_s=2.0, wall_s=30.0, memory_mb=256)
HEADS = {
    "java": "import java.util.*;\n",
    "csharp": "using System;\nusing System.Linq;\nusing System.Collections.Generic;\n",
}
MAINS = {"java": "public static void main(String[] args)", "csharp": "public static void Main(string[] args)"}
#: By language: main's body, what stands beside it, a right program's members, a wrong one's, the level.
FORMS: dict[tuple[str, str], tuple[str, str, str, str, str]] = {
    ("java", "variables"): (
        "List<Long> given = new ArrayList<>(List.of(1L, 2L));\nfor (long i = 3; i < 5; i++) given.add(i);\nlong expected = 10;\n"
        "assert(sum(given) == expected);\nassert(sum(List.of()) == 0) : \"empty: 0\";",
        "", "static long sum(List<Long> x) { long s = 0; for (long v : x) s += v; return s; }",
        "static long sum(List<Long> x) { return x.size() * 2 + 2; }", "L2",
    ),
    ("java", "in place"): (
        "List<List<Long>> outer = new ArrayList<>();\nList<Long> inner = new ArrayList<>(List.of(3L, 1L));\nouter.add(inner); outer.add(inner);\n"
        "order(outer);\nassert(outer.get(0).equals(List.of(1L, 3L)));\nassert(inner.equals(Arrays.asList(1L, 3L)));",
        "", "static void order(List<List<Long>> x) { for (List<Long> l : x) Collections.sort(l); }",
        "static void order(List<List<Long>> x) { x.set(0, List.of(1L, 3L)); }", "L2",
    ),
    ("java", "distances and conjunctions"): (
        "assert(Math.abs(half(1.0) - 0.5) < 1e-9 && half(0) == 0 && !(half(2) != 1));\nassert(!isOdd(2));\nassert(isOdd(3));",
        "", "static double half(double x) { return x / 2 + 1e-12 * x * (x - 2); }\nstatic boolean isOdd(int x) { return x % 2 == 1; }",
        "static double half(double x) { return x / 2; }\nstatic boolean isOdd(int x) { return true; }", "L2",
    ),
    ("java", "arrays and Objects"): (
        "assert(Arrays.equals(twice(new int[] {1, 2}), new int[] {2, 4}));\nassert(Objects.equals(name(0), null));\n"
        "assert(name(1) == \"one\");\nassert(\"two\".equals(name(2)));",
        "", "static int[] twice(int[] x) { return Arrays.stream(x).map(v -> v * 2).toArray(); }\n"
        'static String name(int x) { return x == 0 ? null : x == 1 ? new String("one") : "two"; }',
        "static int[] twice(int[] x) { return x; }\nstatic String name(int x) { return \"one\"; }", "L2",
    ),
    ("java", "a helper that makes arguments"): (
        "assert(depth(chain(3)) == 3);", "static Object chain(int n) { return n == 0 ? null : new Object[] {chain(n - 1)}; }\n",
        "static int depth(Object o) { return o == null ? 0 : 1 + depth(((Object[]) o)[0]); }",
        "static int depth(Object o) { return 2; }", "L2",
    ),
    ("java", "a lambda as an argument"): (
        "assert(applied(x -> x + 1, 2L) == 3L);\nassert(applied(x -> x == 2 ? 7L : 0L, 2L).equals(7L));", "",
        "static Long applied(java.util.function.Function<Long, Long> f, Long x) { return f.apply(x); }",
        "static Long applied(java.util.function.Function<Long, Long> f, Long x) { return 3L; }", "L2",
    ),
    ("java", "a helper that compares"): (
        "assert(close(half(1), 0.5));", "static boolean close(double a, double b) { return Math.abs(a - b) < 1e-6; }\n",
        "static double half(double x) { return x / 2; }", "static double half(double x) { return x; }", "L1",
    ),
    ("java", "a list of conditions"): (
        "Problem s = new Problem();\nList<Boolean> correct = Arrays.asList(\n    s.sum(new ArrayList<>(Arrays.asList(1, 2))) == 3,\n"
        "    s.parts(\"a b\").equals(Arrays.asList(\"a\", \"b\")), !s.parts(\"\").isEmpty());\nif (correct.contains(false)) { throw new AssertionError(); }",
        "", "int sum(List<Integer> x) { return x.get(0) + x.get(1); }\nList<String> parts(String s) { return List.of(s.split(\" \")); }",
        "int sum(List<Integer> x) { return x.size(); }\nList<String> parts(String s) { return List.of(\"a\", \"b\"); }", "L2",
    ),
    ("java", "what it was given itself"): (
        "List<Long> l = new ArrayList<>(List.of(1L, 2L));\nassert(ordered(l).equals(l));", "",
        "static List<Long> ordered(List<Long> x) { return new ArrayList<>(x); }", "static List<Long> ordered(List<Long> x) { return List.of(2L); }", "L1",
    ),
    ("java", "a choice after a change"): (
        "List<Long> l = new ArrayList<>(List.of(2L, 1L));\norder(l);\nassert(l.get(0) == 1 || l.get(0) == 0);", "",
        "static void order(List<Long> x) { Collections.sort(x); }", "static void order(List<Long> x) { }", "L1",
    ),
    ("java", "a choice"): (
        "assert(any(3) == 1 || any(3) == 2);", "", "static int any(int x) { return 2; }", "static int any(int x) { return 3; }", "L1",
    ),
    ("csharp", "variables"): (
        "var given = new List<long> { 1, 2 };\nfor (long i = 3; i < 5; i++) given.Add(i);\nlong expected = 10;\n"
        "Debug.Assert(Sum(given) == expected);\nDebug.Assert(Sum(new List<long>()) == 0, \"empty, 0\");",
        "", "public static long Sum(List<long> x) { return x.Sum(); }", "public static long Sum(List<long> x) { return x.Count * 2 + 2; }", "L2",
    ),
    ("csharp", "in place"): (
        "var inner = new List<long> { 3, 1 };\nvar outer = new List<List<long>> { inner, inner };\nOrder(outer);\n"
        "Debug.Assert(outer[0].SequenceEqual(new List<long> { 1, 3 }));\nDebug.Assert(inner.SequenceEqual(new long[] { 1, 3 }));",
        "", "public static void Order(List<List<long>> x) { foreach (var l in x) l.Sort(); }",
        "public static void Order(List<List<long>> x) { x[0] = new List<long> { 1, 3 }; }", "L2",
    ),
    ("csharp", "distances and conjunctions"): (
        "Debug.Assert(Math.Abs(Half(1.0) - 0.5) < 1e-9 && Half(0) == 0 && !(Half(2) != 1));\nDebug.Assert(!IsOdd(2));\nDebug.Assert(IsOdd(3));",
        "", "public static double Half(double x) { return x / 2 + 1e-12 * x * (x - 2); }\npublic static bool IsOdd(int x) { return x % 2 == 1; }",
        "public static double Half(double x) { return x / 2; }\npublic static bool IsOdd(int x) { return true; }", "L2",
    ),
    ("csharp", "sets, dictionaries and tuples"): (
        "Debug.Assert(Parts(3).Equals((1L, \"b\")));\nDebug.Assert(Letters(\"aba\").Equals(new HashSet<char> { 'b', 'a' }));\n"
        "Debug.Assert(Counts(\"aba\").Equals(new Dictionary<char, int> { { 'b', 1 }, { 'a', 2 } }));",
        "", "public static (long, string) Parts(int x) { return (1, \"b\"); }\npublic static ISet<char> Letters(string s) { return new SortedSet<char>(s); }\n"
        "public static IDictionary<char, int> Counts(string s) { return s.GroupBy(c => c).ToDictionary(g => g.Key, g => g.Count()); }",
        "public static (long, string) Parts(int x) { return (1, \"b\"); }\npublic static ISet<char> Letters(string s) { return new SortedSet<char>(s); }\n"
        "public static IDictionary<char, int> Counts(string s) { return s.Distinct().ToDictionary(c => c, c => 2); }", "L2",
    ),
    ("csharp", "what may be missing"): (
        "Debug.Assert(First(new long[0]).Equals(null));\nDebug.Assert(First(new long[] { 5 }) == 5);\nDebug.Assert(First(new long[] { 5 }) != null);",
        "", "public static long? First(long[] x) { return x.Length > 0 ? x[0] : (long?) null; }",
        "public static long? First(long[] x) { return 5; }", "L2",
    ),
    ("csharp", "a helper that compares"): (
        "Debug.Assert(Close(Half(1), 0.5));", "static bool Close(double a, double b) { return Math.Abs(a - b) < 1e-6; }\n",
        "public static double Half(double x) { return x / 2; }", "public static double Half(double x) { return x; }", "L1",
    ),
}  # fmt: skip


def task(language: str, body: str, beside: str) -> Problem:
    need(language)
    tests = f"    }}\n{beside}    {MAINS[language]} {{\n{body}\n    }}\n\n}}\n"
    return problem("program", (Test(tests),), language=language, entry_point="f", limits=LIMITS)


def judged(judge: Judge, language: str, task: Problem, members: str) -> Judgement:
    return judge.run([(task, f"{HEADS[language]}class Problem {{\n{members}\n}}\n")])[0]


@pytest.mark.parametrize(("language", "form"), FORMS)
def test_forms_of_checks(judge: Judge, language: str, form: str) -> None:
    body, beside, right, wrong, level = FORMS[language, form]
    own = task(language, body, beside)
    found = judged(judge, language, own, right)
    assert (found.verdict, found.level) == (Verdict.OK, level), found
    found = judged(judge, language, own, wrong)
    assert (found.verdict, found.level) == (Verdict.WRONG, level), found


@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("java", "assert(f(1) == nothing);"),
        ("java", "assert(f(1).equals(new Object()));"),
        ("java", "assert(f(1) == Integer.parseInt(\"x\"));"),
        ("csharp", "Debug.Assert(F(1) == nothing);"),
        ("csharp", "Debug.Assert(F(1).Equals(new object()));"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_the_problem_s_fault(judge: Judge, language: str, body: str) -> None:
    own = task(language, body, "")
    result = judged(
        judge, language, own, "public static int f(int x) { return x; }\npublic static int F(int x) { return x; }"
    )
    assert result.verdict is Verdict.INFRA and own.id in result.message and result.tests_passed == 0


PROMPTS = {
    "java": "import java.util.*;\nclass Problem {\n    // Its value at x: {\n    public static double line(double a, double x) {\n"
    "        return a * x - 1;\n    }\n    // Where line is 0.\n    public static double zero(double a) {\n",
    "csharp": "using System;\nclass Problem {\n    public static double Line(double a, double x) {\n        return a * x - 1;\n    }\n"
    "    // Where Line is 0.\n    public static double Zero(double a) {\n",
}
HELPED = {
    "java": ("assert(Math.abs(line(4, zero(4))) < 1e-9);\nassert(zero(2) == 0.5);", "zero", "line"),
    "csharp": ("Debug.Assert(Math.Abs(Line(4, Zero(4))) < 1e-9);\nDebug.Assert(Zero(2) == 0.5);", "Zero", "Line"),
}


@pytest.mark.parametrize("language", PROMPTS)
def test_helpers_of_the_prompt_are_not_the_program_s(judge: Judge, language: str) -> None:
    body, entry, helper = HELPED[language]
    own = replace(task(language, body, ""), prompt=PROMPTS[language], entry_point=entry)
    right = f"public static double {entry}(double a) {{ return 1 / a; }}"
    cheat = f"public static double {entry}(double a) {{ return 0.5; }}"
    told = f"public static double {helper}(double a, double x) {{ return 0; }}\n"
    for members, verdict, passed in (
        (right, Verdict.OK, 2),
        (told + right, Verdict.OK, 2),
        (told + cheat, Verdict.WRONG, 1),
    ):
        result = judged(judge, language, own, members)
        assert (result.verdict, result.tests_passed) == (verdict, passed), result
