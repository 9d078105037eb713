"""Java's tests that are no list of comparisons: they run apart from the program, on what it returned."""

from __future__ import annotations

import pytest
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict

OK, WRONG, RUNTIME_ERROR, COMPILE_ERROR, INFRA = (
    Verdict.OK,
    Verdict.WRONG,
    Verdict.RUNTIME_ERROR,
    Verdict.COMPILE_ERROR,
    Verdict.INFRA,
)
LIMITS = Limits(cpu_s=4.0, wall_s=60.0, memory_mb=512)
HEAD = "import java.util.*;\n\nclass Solution {\n"
THROW = "throw new AssertionError();"


def main(body: str, members: str = "") -> str:
    return (
        f"public class Main {{\n{members}\n    public static void main(String[] args) throws Exception {{\n"
        f"        Solution s = new Solution();\n        {body}\n    }}\n}}\n"
    )


#: By form: the prompt behind the head, the tests, and bodies of the method (or whole programs), and what they are.
FORMS: dict[str, tuple[str, str, list[tuple[str, Verdict]]]] = {
    "a list of conditions, and a loop that throws": (
        "    public int f(int x, int y) {\n",
        main(
            "List<Boolean> correct = Arrays.asList(s.f(0, 1) == 1, s.f(2, 3) == 5);\n"
            f"        if (correct.contains(false)) {{ {THROW} }}\n        Random rand = new Random(42);\n"
            "        for (int i = 0; i < 20; i++) {\n            int x = rand.nextInt(99), y = rand.nextInt(99);\n"
            f"            if (s.f(x, y) != x + y) {THROW}\n        }}"
        ),
        [
            ("return x + y;", OK),
            ("return x == 0 ? 1 : 5;", WRONG),
            ("return 0;", WRONG),
            ("System.exit(0); return x + y;", RUNTIME_ERROR),
            ("throw new IllegalStateException();", RUNTIME_ERROR),
            ("Runtime.getRuntime().halt(0); return 1;", RUNTIME_ERROR),
            ("return null;", COMPILE_ERROR),
        ],
    ),
    "helpers of the prompt": (
        "    public String turned(String t) {\n        return t.substring(1) + t.charAt(0);\n    }\n\n"
        "    public String f(String t) {\n",
        main(
            "for (int i = 0; i < 9; i++) {\n            String t = word(i + 2);\n"
            f"            if (!s.f(s.turned(t)).equals(t)) {{\n                {THROW}\n            }}\n        }}",
            '    static Random rand = new Random(1);\n    static String word(int n) { String w = ""; '
            "while (w.length() < n) w += (char) ('a' + rand.nextInt(26)); return w; }",
        ),
        [
            ("return t.charAt(t.length() - 1) + t.substring(0, t.length() - 1);", OK),
            ("return t;", WRONG),
            (
                f"{HEAD} public String turned(String t) {{ return t; }} public String f(String t) {{ return t; }} }}",
                WRONG,
            ),
            ("return null;", WRONG),
        ],
    ),
    "an argument changed in place": (
        "    public void f(List<Integer> xs, int[] ys) {\n",
        main(
            "List<Integer> xs = new ArrayList<>(List.of(3, 1)); int[] ys = {5, 4};\n        s.f(xs, ys);\n"
            f"        if (!xs.equals(List.of(1, 3)) || ys[0] != 4) {THROW}"
        ),
        [
            ("Collections.sort(xs); Arrays.sort(ys);", OK),
            ("Collections.sort(xs);", WRONG),
            ("xs = List.of(1, 3); ys = new int[] {4, 5};", WRONG),
            ("", WRONG),
        ],
    ),
    "assertions in a loop, with messages": (
        "    public double f(double x) {\n",
        main(
            "for (double x : new double[] {0, 2, 9}) {\n"
            '            assert Math.abs(s.f(x) - Math.sqrt(x)) < 1e-9 : "root of " + x;\n        }'
        ),
        [("return Math.sqrt(x);", OK), ("return x;", WRONG), ("return 0.0 / 0.0;", WRONG)],
    ),
    "arrays, maps and optionals": (
        "    public Map<String, Optional<Integer>> f(String[] words, Map<String, Integer> known) {\n",
        main(
            'Map<String, Optional<Integer>> r = s.f(new String[] {"a", "b"}, Map.of("a", 1));\n'
            f'        for (String w : r.keySet()) if (r.get("b").isPresent() || r.get("a").get() != 1) {THROW}\n'
            f"        if (r.size() != 2) {THROW}"
        ),
        [
            (
                "Map<String, Optional<Integer>> r = new HashMap<>(); for (String w : words) "
                "r.put(w, Optional.ofNullable(known.get(w))); return r;",
                OK,
            ),
            ("return new HashMap<>();", WRONG),
            ('return Map.of("a", Optional.of(1), "b", Optional.of(1));', WRONG),
        ],
    ),
    "a program's own kind of list": (
        "    public List<Integer> f(int n) {\n",
        main(
            f"for (int n = 0; n < 3; n++) {{\n"
            f"            if (s.f(n).size() != n || !s.f(n).equals(Collections.nCopies(n, n))) {THROW}\n        }}"
        ),
        [
            ("List<Integer> r = new ArrayList<>() {{ for (int i = 0; i < n; i++) add(n); }}; return r;", OK),
            ("return new ArrayList<>() { public boolean equals(Object o) { return true; } };", WRONG),
            (
                "return new AbstractList<>() { public int size() { return n; } "
                "public Integer get(int i) { return 0; } public boolean equals(Object o) { return true; } };",
                WRONG,
            ),
        ],
    ),
    "a checked exception": (
        "    public int f(int x) throws java.io.IOException {\n",
        main(f"for (int i = 0; i < 3; i++) if (s.f(i) != i) {THROW}"),
        [("return x;", OK), ("if (x > 1) throw new java.io.IOException(); return x;", RUNTIME_ERROR)],
    ),
    "what is no data": (
        "    public int f(Object x) {\n",
        main(f"for (int i = 0; i < 3; i++) if (s.f(new Thread()) != i) {THROW}"),
        [("return 0;", INFRA)],
    ),
    "no check": ("    public int f(int x) {\n", main("for (int i = 0; i < 3; i++) s.f(i);"), [("return 0;", INFRA)]),
}


@pytest.fixture(scope="module")
def judge(judge: Judge) -> Judge:
    need("java")
    return judge


def task(prompt: str, tests: str) -> Problem:
    return problem(
        "program", (Test(tests),), language="java", entry_point="f", prompt=prompt, prefix=prompt, limits=LIMITS
    )


_QUICK = ("a list of conditions, and a loop that throws", "helpers of the prompt")


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form in _QUICK else pytest.mark.slow) for form in FORMS]
)
def test_tests_of_any_form_are_run_on_values(judge: Judge, form: str) -> None:
    begun, tests, bodies = FORMS[form]
    prompt = HEAD + begun
    programs = [body if body.startswith("import") else f"{prompt}{body}\n    }}\n}}\n" for body, _ in bodies]
    results = judge.run([(task(prompt, tests), code) for code in programs])
    for result, (body, wanted) in zip(results, bodies, strict=True):
        assert (result.verdict, result.level) == (wanted, "L2"), (body, result)
        assert wanted is not INFRA or "test/program" in result.message


@pytest.mark.slow
def test_static_methods_whose_tests_follow_in_their_class(judge: Judge) -> None:
    """As MultiPL-E has them."""
    prompt = "import java.util.*;\nclass Problem {\n    public static long f(ArrayList<Long> xs) {\n"
    tests = (
        "    }\n    public static void main(String[] args) {\n        for (long n = 0; n < 5; n++) {\n"
        "            ArrayList<Long> xs = new ArrayList<>(List.of(n, 1L));\n"
        '            if (f(xs) != n + 1) throw new RuntimeException("no");\n        }\n    }\n}\n'
    )
    codes = [f"{prompt}{body}\n    }}\n}}\n" for body in ("return xs.get(0) + xs.get(1);", "return xs.get(1);")]
    results = judge.run([(task(prompt, tests), code) for code in codes])
    assert [(one.verdict, one.level, one.tests_total) for one in results] == [(OK, "L2", 5), (WRONG, "L2", 5)]
