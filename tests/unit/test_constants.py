"""Plain values read from Java's and C#'s text: as the languages themselves evaluate them, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from benchmark_data import shared
from judging import need

from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.constants import NotConstant
from rewardranker.judge.languages.language import Compiled
from rewardranker.judge.languages.setup import prepare, read_only_places, services, setup_places
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.languages.typed_values import holds
from rewardranker.judge.sandbox import LocalSandbox
from rewardranker.judge.sandbox.tiers import require
from rewardranker.judge.strict.recordings import Recordings, constants, evaluate, trusted_tests
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Problem, Test

READ = {
    "java": [
        "(3l)", "-3l", "3", "-2147483648", "9223372036854775807l", "0.1f", "-0.5", "1e10", "-0.0", "3.0f", "'a'", "'\\n'",
        "true", "(false)", '"a\\"b\\\\\\u00e9\\t"', "(long)3l", "(Long)(3l)", "null",
        "(new ArrayList<Long>(Arrays.asList((long)1l, (long)-2l)))", "new ArrayList<>()", "List.of()",
        "(new ArrayList<ArrayList<Long>>(Arrays.asList((ArrayList<Long>)new ArrayList<Long>(Arrays.asList((long)1l)))))",
        "(Pair.with(\"a\", 1l))", "Triplet.with(1, 2l, 'c')", "Optional.of(0.30000001f)", "Optional.empty()",
        "(new HashMap<String,Long>(Map.of(\"p\", 1l, \"q\", 2l)))", "new HashSet<Long>(Arrays.asList(1l, 2l))",
    ],
    "csharp": [
        "(3L)", "-3L", "3", "-2147483648", "9223372036854775807L", "0.1f", "-0.5", "1e10", "3.0f", "'a'", "true", "null",
        "(false)", '"a\\"b\\\\\\u00e9\\t"', "(long)3", "(new List<long>(new long[]{(long)1L, -2}))", "new List<long>()",
        "new List<string>{\"a\", null}", "new List<List<long>>(new List<long>[]{(List<long>)new List<long>()})",
        "(Tuple.Create(\"a\", 1L))", "(new Dictionary<string,long>(){{\"p\", 1L}, {\"q\", 2}})", "new float[]{0.30000001f}",
    ],
}  # fmt: skip
LEFT = {
    "java": [
        "1 + 2", "x", "f(1)", "Long.MAX_VALUE", "010l", "0x10", "2147483648", "(int)3l", "(float)3l", "new Foo()", "1l == 1l",
        '"a" + "b"', '"\\7"', "new int[]{1}", "Map.of(1, 2, 1, 3)", "Optional.of(null)", "new ArrayList<Long>(5)", "(3l", "",
        "(short)3", "(Integer)3l", "16777217f", "Pair.with(1)", "new HashSet<Long>(Arrays.asList(1l, 1l))", "new ArrayList<Long>() {{ add(1l); }}",
    ],
    "csharp": [
        "(decimal)1L", "(BigInteger)1L", "(byte)1", "1 + 2", "x", "F(1)", "long.MaxValue", "(1L, 2L)", '@"a"', '$"a"', "3m", "3u", "new long[2]", "new List<long>(5)",
        "new Dictionary<string,long>(){{\"p\", 1L}, {\"p\", 2L}}", "new List<int>(new long[]{1L})", "16777217f",
    ],
}  # fmt: skip


def compiled(language: str) -> Compiled:
    found = LANGUAGES[language].compiled
    assert found is not None
    return found


def problem_of(language: str, expected: list[str]) -> Problem:
    """Tests that compare one call with each of some expressions, which may call for a variable."""
    check, form = {
        "java": ("assert(f().equals({}));", "public static void main(String[] args)"),
        "csharp": ("Debug.Assert(F().Equals({}));", "public static void Main(string[] args)"),
    }[language]
    body = "\n".join(check.format(text) for text in expected)
    return Problem(
        id=f"constants/{language}", source="x", language=language, prompt="", entry_point="f", style="program",
        tests=(Test(f"    }}\n    {form} {{\n{body}\n    }}\n\n}}\n"),), split="test", group_id="x", licence="MIT", revision="1",
    )  # fmt: skip


@pytest.fixture
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(require("C").tier, services(), setup_places(), read_only_places())
    yield sandbox
    sandbox.stop()


def same_as_evaluated(sandbox: LocalSandbox, problem: Problem) -> bool:
    """Whether all was read; it is then checked that it was read rightly."""
    language = LANGUAGES[problem.language]
    if toolchain(language).missing:
        pytest.skip(f"no tool-chain for {problem.language}")
    prepare(sandbox, language)
    tests = compiled(problem.language).split(trusted_tests(problem))
    read = constants(language, tests)
    for mine, theirs in zip(read, evaluate(sandbox, language, problem, tests) if read else [], strict=True):
        assert all(holds("same", pair, True) for pair in zip(mine, theirs, strict=True)), (mine, theirs)
    return bool(read)


@pytest.mark.parametrize("language", READ)
def test_what_is_read_is_what_the_language_says(sandbox: LocalSandbox, language: str) -> None:
    assert same_as_evaluated(sandbox, problem_of(language, READ[language]))


@pytest.mark.parametrize(("language", "text"), [(language, text) for language in LEFT for text in LEFT[language]])
def test_what_is_not_plain_is_left_to_the_language(language: str, text: str) -> None:
    with pytest.raises(NotConstant):
        compiled(language).constant(text)


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("java", "Long.MAX_VALUE", {"long": 2**63 - 1}),
        ("java", "(float)3l", {"float": "3.0"}),
        ("java", '"a" + (1 + 2)', "a3"),
        ("csharp", "(1L, 2L)", {"tuple": [{"long": 1}, {"long": 2}]}),
        ("csharp", "1.10m", {"decimal": "1.1"}),
    ],
)
def test_what_is_left_to_it_is_evaluated(sandbox: LocalSandbox, language: str, text: str, value: Any) -> None:
    problem = problem_of(language, [text])
    need(language)
    prepare(sandbox, LANGUAGES[language])
    tests = compiled(language).split(trusted_tests(problem))
    assert Recordings().sides(sandbox, LANGUAGES[language], problem, tests) == [[value]]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "language"), [("java", "java"), ("cs", "csharp")])
def test_real_tests_are_read_as_the_language_evaluates_them(sandbox: LocalSandbox, code: str, language: str) -> None:
    problems = load_multipl_e(shared(f"multipl_e/humaneval-{code}.jsonl"))[::8]
    read = [same_as_evaluated(sandbox, problem) for problem in problems]
    assert sum(read) >= 0.9 * len(read)
