"""The list of problems that nobody solves is evidence: programs that are right by the statement are run, and fail.

Each is judged by all rules, and passes by those, and only those, by which the list says that it does. Where
it fails by all, the same program passes the same tests once the flaw, and nothing else, is mended, so that it is the
problem that is at fault and not the program.
"""

from __future__ import annotations

import dataclasses

import pytest
from benchmark_data import shared

from rewardranker.judge import Judge
from rewardranker.judge.compat import COMPAT_RULES
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.data_card import RULES, why_unsolvable
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.programs import extract
from rewardranker.programs.published import published_program

STRLEN = """    $length = 0;
    while (isset($string[$length])) {
        $length++;
    }
    return $length;
}
"""
REMOVE_VOWELS = """  return text.replace(/[aeiou]/gi, "");
}
"""
LONGEST = """        string best = null;
        foreach (string one in strings) {
            if (best == null || one.Length > best.Length) best = one;
        }
        return best;
    }
"""
HISTOGRAM = """        var counts = new Dictionary<string, long>();
        foreach (string letter in test.Split(new[] {' '}, StringSplitOptions.RemoveEmptyEntries)) {
            counts[letter] = counts.ContainsKey(letter) ? counts[letter] + 1 : 1;
        }
        return counts.Where(one => one.Value == counts.Values.Max()).ToDictionary(one => one.Key, one => one.Value);
    }
"""
INCR_LIST = """        return l.Select(number => number + 1).ToList();
    }
"""


def row(file: str, name: str) -> Problem:
    problem = next(p for p in load_benchmark("multipl_e", shared(file)) if p.id == name)
    lacking = toolchain(LANGUAGES[problem.language]).missing
    if lacking:
        pytest.skip(f"no tool-chain for {problem.language}: lacks {', '.join(lacking)}")
    return problem


def judged(judge: Judge, problem: Problem, text: str) -> dict[str, Judgement]:
    found = {"strict": judge.run([(problem, extract(problem, text))])[0]}
    for rules in COMPAT_RULES:  # with twenty times their wall-clock limits, as the machine may be busy
        found[rules] = judge.run_compat([(problem, published_program(problem, text, rules))], rules, patience=20.0)[0]
    return found


def passing(results: dict[str, Judgement]) -> set[str]:
    return {rules for rules, judgement in results.items() if judgement.verdict is Verdict.OK}


REDECLARED = "Cannot redeclare strlen()"
UNPARSED = "SyntaxError: Invalid or unexpected token"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name", "text", "complaints"),
    [
        (
            *("multipl_e/humaneval-php.jsonl", "HumanEval_23_strlen", STRLEN),
            {"strict": REDECLARED, "multipl_e": REDECLARED, "deepseek": REDECLARED},
        ),
        (  # strictly, tests that are no tests are no verdict on a program: INFRA
            *("multipl_e/humaneval-js.jsonl", "HumanEval_51_remove_vowels", REMOVE_VOWELS),
            {"strict": f"could not be recorded: these tests cannot be recorded: {UNPARSED}"}
            | dict.fromkeys(COMPAT_RULES, UNPARSED),
        ),
        (
            *("multipl_e/humaneval-cs.jsonl", "HumanEval_12_longest", LONGEST),
            {"multipl_e": "Unhandled Exception:"},
        ),
        (
            *("multipl_e/humaneval-cs.jsonl", "HumanEval_111_histogram", HISTOGRAM),
            {"multipl_e": "Fail:", "deepseek": "Fail:"},
        ),
        (
            *("multipl_e_gpt/humaneval-cs.jsonl", "HumanEval_42_incr_list", INCR_LIST),
            {"multipl_e": "Fail:", "deepseek": "Fail:"},
        ),
    ],
    ids=lambda value: value.removeprefix("HumanEval_") if str(value).startswith("HumanEval_") else "",
)
def test_a_correct_program_fails_by_the_rules_and_for_the_reason_that_the_list_says(
    judge: Judge, file: str, name: str, text: str, complaints: dict[str, str]
) -> None:
    problem = row(file, name)
    assert {rules for rules in RULES if why_unsolvable(problem, rules)} == set(complaints)
    results = judged(judge, problem, text)
    assert passing(results) == set(RULES) - set(complaints)
    for rules, complaint in complaints.items():
        assert complaint in results[rules].message, rules


@pytest.mark.slow
def test_php_strlen_passes_under_another_name(judge: Judge) -> None:
    problem = row("multipl_e/humaneval-php.jsonl", "HumanEval_23_strlen")
    prefix = problem.prefix.replace("function strlen(", "function length_of(")
    tests = problem.tests[0].input.replace("return strlen(", "return length_of(")
    assert prefix != problem.prefix and tests != problem.tests[0].input
    mended = dataclasses.replace(problem, prompt=prefix, prefix=prefix, tests=(Test(tests),), entry_point="length_of")
    assert passing(judged(judge, mended, STRLEN)) == set(RULES)
    assert why_unsolvable(mended, "strict") == ""


@pytest.mark.slow
def test_javascript_s_remove_vowels_passes_with_its_line_ends_escaped(judge: Judge) -> None:
    problem = row("multipl_e/humaneval-js.jsonl", "HumanEval_51_remove_vowels")
    tests = problem.tests[0].input
    for broken, whole in (('"abcdef\nghijklm"', r'"abcdef\nghijklm"'), ('"bcdf\nghjklm"', r'"bcdf\nghjklm"')):
        assert broken in tests
        tests = tests.replace(broken, whole)
    mended = dataclasses.replace(problem, tests=(Test(tests),))
    assert passing(judged(judge, mended, REMOVE_VOWELS)) == set(RULES)
    assert why_unsolvable(mended, "strict") == ""


@pytest.mark.slow
def test_the_prompt_of_cpp_compare_one_does_not_compile(judge: Judge) -> None:
    """Whatever follows it: what the compiler complains of is in the prompt's own lines."""
    problem = row("multipl_e/humaneval-cpp.jsonl", "HumanEval_137_compare_one")
    assert all(why_unsolvable(problem, rules) for rules in RULES)
    results = judged(judge, problem, "    std::abort();\n}\n")
    assert {result.verdict for result in results.values()} == {Verdict.COMPILE_ERROR}
    assert "nullopt" in results["strict"].message and "does not name a type" in results["strict"].message
