"""Checks between training and benchmark problems against brute force, and what they find in real data."""

from __future__ import annotations

import dataclasses
import gzip
import json
from functools import partial
from pathlib import Path

import pytest
from benchmark_data import mbpp_row, shared, write_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.problems.benchmarks import load_benchmark, mbpp_config, mbpp_solutions
from rewardranker.problems.contamination import find_contamination
from rewardranker.problems.statements import statement, words
from rewardranker.problems.types import Problem, Test

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
texts = st.lists(st.sampled_from(["find", "the", "sum", "of", "odd", "numbers"]), max_size=14).map(" ".join)


def problem(name: str, text: str, language: str = "python") -> Problem:
    return Problem(
        id=name,
        source="made",
        language=language,
        prompt=text,
        entry_point="f",
        style="program",
        tests=(Test("assert f()"),),
        split="train",
        group_id=name,
        licence="MIT",
        revision="1",
    )


def edit_distance(left: str, right: str) -> int:
    """Wagner and Fischer's table, row by row."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            last, row[j] = row[j], min(last + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def ratio(left: str, right: str) -> float:
    return 1 - edit_distance(left, right) / max(len(left), len(right)) if left and right else 0.0


def shared_runs(left: str, right: str, n: int) -> int:
    one, other = left.split(), right.split()
    return len(
        {tuple(one[i : i + n]) for i in range(len(one) - n + 1)}
        & {tuple(other[i : i + n]) for i in range(len(other) - n + 1)}
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, min_size=1, max_size=6), st.sampled_from([3, 10]))
def test_each_check_is_brute_force(left: list[str], right: list[str], n: int) -> None:
    right = [*right, left[0] + " once"]
    training = [problem(f"t{i}", text) for i, text in enumerate(left)]
    benchmark = [problem(f"b{i}", text) for i, text in enumerate(right)]
    report = find_contamination(training, benchmark, run_words=n, edit_ratio=0.6)
    found = {(row.training_id, row.benchmark_id, row.check): row.value for row in report.rows}
    expected = {}
    for one in training:
        for other in benchmark:
            if count := shared_runs(one.prompt, other.prompt, n):
                expected[one.id, other.id, "shared words"] = float(count)
            if (alike := ratio(one.prompt, other.prompt)) > 0.6 + 1e-9:
                expected[one.id, other.id, "statement edits"] = alike
    assert {key: value for key, value in found.items() if key[2] != "minhash"} == pytest.approx(expected)
    assert report.training_ids() == {name for name, _, _ in found}


def test_solutions_are_compared_without_comments_and_within_a_language() -> None:
    """``a + b`` for ``a - b`` is one character of ``def f(a, b):`` + line end + four spaces + ``return a + b``: 29
    characters, so 28/29; comments, docstrings, quotes and layout do not count."""
    training = [problem("t", "one"), problem("u", "two", "java"), problem("v", "three")]
    benchmark = [problem("b", "four"), problem("c", "five", "java")]
    mine = {"t": "def f(a,b):\r\n\t'''Adds.'''\r\n\treturn a + b  # sum\r\n", "u": "return a + b;"}
    theirs = {"b": "def f(a, b):\n    return a - b\n", "c": "return a - b;", "other": ""}
    report = find_contamination(training, benchmark, mine, theirs)
    rows = [(row.training_id, row.benchmark_id, row.check, row.value) for row in report.rows]
    assert rows == [
        ("t", "b", "solution edits", pytest.approx(28 / 29)),
        ("u", "c", "solution edits", pytest.approx(13 / 14)),  # with the line end of the normal form
    ]
    assert report.solutions == 2
    broken = find_contamination(training[:1], benchmark[:1], {"t": "def f(:"}, {"b": "def f(:"})
    assert [row.value for row in broken.rows] == [1.0]


def test_limits_are_exact() -> None:
    """Seven of ten characters are not more than 0.7; ten words are one run of ten, nine are none."""
    check = partial(find_contamination, run_words=10)
    assert check([problem("t", "abcdefghij")], [problem("b", "abcdefgxyz")]).rows == ()
    ten = "a b c d e f g h i j"
    [row] = [r for r in check([problem("t", ten)], [problem("b", f"x {ten} y")]).rows if r.check == "shared words"]
    assert row.value == 1.0
    nine = ten.removesuffix(" j")
    assert not any(r.check == "shared words" for r in check([problem("t", nine)], [problem("b", nine)]).rows)
    assert check([], []).rows == check([problem("t", "")], [problem("b", "")]).rows == ()


def test_the_report() -> None:
    text = "find the sum of all odd numbers in a list of numbers"
    report = find_contamination([problem("t", text), problem("u", "other")], [problem("b", text)])
    assert report.markdown().splitlines() == [
        "# Contamination",
        "",
        "2 training problems against 1 benchmark problems: 1 training problems are named by at least one check.",
        "",
        "| check | limit | pairs | training problems |",
        "|---|---|---:|---:|",
        "| shared words | a run of 10 words | 1 | 1 |",
        "| minhash | Jaccard similarity of runs of 5 words >= 0.8 | 1 | 1 |",
        "| statement edits | edit ratio of the statements > 0.7 | 1 | 1 |",
        "| solution edits | edit ratio of the solutions > 0.7 (0 pairs) | 0 | 0 |",
        "",
        "| training | benchmark | check | value |",
        "|---|---|---|---:|",
        "| t | b | minhash | 1 |",
        "| t | b | shared words | 3 |",
        "| t | b | statement edits | 1 |",
    ]
    assert report.training_ids("minhash") == {"t"} and not report.training_ids("solution edits")


@pytest.mark.parametrize(
    ("language", "prefix", "expected"),
    [
        ("python", 'import a\n\n\ndef g():\n    """No."""\n\n\ndef f(x):\n    """ Say\n    so. """\n', "Say\nso."),
        ("python", 'def f(x):\n    import math\n    """\n    Say so.\n    """\n', "Say so."),
        ("python", "def f(x):\n", "def f(x):\n"),
        ("python", "def f(x:\n", "def f(x:\n"),
        ("cpp", "#include<assert.h>\n// Say\n// so.\nlong f(long x) {\n", "Say\n so."),
        ("java", "import a.*;\nclass Problem {\n    // Say so.\n    public static long f() {\n", "Say so."),
        ("php", "<?php\n// Say so.\nfunction f() {\n", "Say so."),
        ("typescript", "/* Say\n * so.\n */\nfunction f() {\n", "Say\n so."),
        ("bash", "#!/bin/bash\n# Say so.\n#\nf() {\n", "Say so."),
    ],
)
def test_statements_are_what_a_prompt_says_in_words(language: str, prefix: str, expected: str) -> None:
    made = dataclasses.replace(problem("p", prefix, language), prefix=prefix)
    assert statement(made) == expected
    assert statement(dataclasses.replace(made, prefix="")) == prefix


def test_mbpp_s_statement_is_its_sentence(tmp_path: Path) -> None:
    row = mbpp_row(11, text="Say so, 2 times.")
    [made] = load_benchmark("mbpp", write_lines(tmp_path / "mbpp.jsonl", [row]))
    assert statement(made) == "Say so, 2 times."
    assert words(statement(made)) == ["say", "so", "2", "times"]


def test_statements_of_real_data() -> None:
    path = shared("mbpp/mbpp.jsonl")
    rows = {f"mbpp/{row['task_id']}": row["text"] for row in map(json.loads, path.read_text().splitlines())}
    assert {p.id: statement(p) for p in load_benchmark("mbpp", path, split=None)} == rows
    folder = shared("multipl_e")
    for file in sorted(folder.glob("*.jsonl")):
        for made in load_benchmark("multipl_e", file):
            found = statement(made)
            assert len(words(found)) > 3 and found != made.prefix, (file.name, made.id)
            assert "import java" not in found and "include" not in found.split("\n")[0]


def test_what_is_found_in_real_data_is_what_the_documentation_says() -> None:
    path, humaneval = shared("mbpp/mbpp.jsonl"), shared("humaneval/HumanEval.jsonl.gz")
    every = load_benchmark("mbpp", path, split=None)
    ranges = (range(601, 975), range(511, 601), range(11, 511))
    train, validation, test = ([p for p in every if int(p.id[5:]) in ids] for ids in ranges)
    solutions = mbpp_solutions(mbpp_config(path))
    with gzip.open(humaneval, "rt") as file:
        rows = list(map(json.loads, file))
    theirs = {f"humaneval/{row['task_id'][10:]}": row["prompt"] + row["canonical_solution"] for row in rows}
    names = ("shared words", "minhash", "statement edits", "solution edits")
    text = DOCS.read_text()
    for left, right, training, benchmark, known in (
        ("MBPP 601-974", "MBPP 11-510", train, test, solutions),
        ("MBPP 601-974", "MBPP 511-600", train, validation, solutions),
        ("MBPP 1-974", "HumanEval", every, load_benchmark("humaneval", humaneval), theirs),
    ):
        report = find_contamination(training, benchmark, solutions, known)
        first, *others = (len(report.training_ids(name)) for name in names)
        assert f"| {left} | {right} | {first} of {len(training)} | {' | '.join(map(str, others))} |" in text
    eight = find_contamination(every, load_benchmark("humaneval", humaneval), run_words=8)
    assert [(r.training_id, r.benchmark_id) for r in eight.rows] == [("mbpp/12", "humaneval/145")]
