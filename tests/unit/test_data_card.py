"""Problems that nobody can solve, ceilings by harness, and problems that all languages share."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from benchmark_data import multipl_e_row, shared, write_lines

from rewardranker.execution.compat import COMPAT_RULES
from rewardranker.execution.languages import LANGUAGES
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.data_card import (
    RULES,
    card_rows,
    ceiling,
    common_problems,
    data_card,
    known_flaws,
    why_unsolvable,
)
from rewardranker.problems.types import Problem

CODES = {
    "cpp": "cpp",
    "java": "java",
    "php": "php",
    "typescript": "ts",
    "csharp": "cs",
    "bash": "sh",
    "javascript": "js",
}
DOCS = Path(__file__).parents[2] / "docs" / "data.md"


def humaneval(language: str, folder: str = "multipl_e") -> list[Problem]:
    return load_benchmark("multipl_e", shared(f"{folder}/humaneval-{CODES[language]}.jsonl"))


def problem(tmp_path: Path) -> Problem:
    return load_benchmark("multipl_e", write_lines(tmp_path / "rows.jsonl", [multipl_e_row(53)]))[0]


def test_the_list_is_well_formed() -> None:
    assert ("strict", *COMPAT_RULES) == RULES
    for flaw in known_flaws():
        assert flaw.language in LANGUAGES and flaw.reason and flaw.passes_by < set(RULES)
        assert flaw.names or flaw.tests
        re.compile(flaw.prompt), re.compile(flaw.tests)


def test_a_flaw_is_a_matter_of_language_data_set_and_text(tmp_path: Path) -> None:
    strlen = dataclasses.replace(
        problem(tmp_path), id="HumanEval_23_strlen", language="php", prefix="<?php\nfunction strlen($string) {\n"
    )
    assert "built-in" in why_unsolvable(strlen, "strict")
    for changes in (
        {"language": "javascript"},
        {"source": "humaneval"},
        {"id": "HumanEval_24_strlen"},
        {"prefix": "<?php\nfunction string_length($string) {\n"},  # a revision that has mended it
    ):
        assert why_unsolvable(dataclasses.replace(strlen, **changes), "strict") == "", changes
    assert ceiling([strlen, problem(tmp_path)], "multipl_e") == 1


@pytest.mark.parametrize(
    ("language", "problems", "expected"),
    [
        ("cpp", 161, (160, 160, 160)),
        ("java", 158, (158, 158, 158)),
        ("php", 161, (160, 160, 160)),
        ("typescript", 159, (159, 159, 159)),
        ("csharp", 158, (158, 155, 157)),
        ("bash", 158, (158, 158, 158)),
        ("javascript", 161, (160, 160, 160)),
    ],
)
def test_ceilings_of_deepseek_s_copy(language: str, problems: int, expected: tuple[int, ...]) -> None:
    """C#: tasks 12 and 162 call a method of the null that they ask for, which DeepSeek-Coder's rules let pass and
    MultiPL-E's do not; task 111 compares dictionaries by reference; our judge compares by value."""
    found = humaneval(language)
    assert len(found) == problems
    assert tuple(ceiling(found, rules) for rules in RULES) == expected


def test_upstream_s_csharp_compares_lists_by_reference() -> None:
    """44 rows with lists and task 111: 158 - 45 = 113, less tasks 12 and 162 by MultiPL-E's own rules: 111."""
    upstream, patched = humaneval("csharp", "multipl_e_gpt"), humaneval("csharp")
    assert [ceiling(upstream, rules) for rules in RULES] == [158, 111, 113]
    mended = {p.id for p in upstream if why_unsolvable(p, "deepseek")} - {
        p.id for p in patched if why_unsolvable(p, "deepseek")
    }
    assert len(mended) == 44 and "HumanEval_111_histogram" not in mended


def test_problems_that_all_languages_share(tmp_path: Path) -> None:
    """Two of four are there in both languages; Python's do not count."""
    have = {"cpp": (0, 1, 2), "java": (1, 2, 3), "python": (0,)}
    plain = problem(tmp_path)
    problems = [
        dataclasses.replace(plain, language=language, group_id=f"humaneval/{i}")
        for language, numbers in have.items()
        for i in numbers
    ]
    assert common_problems(problems) == {"humaneval/1", "humaneval/2"}
    assert common_problems([]) == frozenset()


def test_seven_languages_share_154_problems() -> None:
    problems = [p for language in CODES for p in humaneval(language)]
    common = common_problems(problems)
    assert len(common) == 154
    assert all(sum(p.group_id == group for p in problems) == 7 for group in common)


def test_the_card(tmp_path: Path) -> None:
    plain = problem(tmp_path)
    other = dataclasses.replace(plain, id="HumanEval_51_remove_vowels", group_id="humaneval/51")
    other = dataclasses.replace(other, tests=(dataclasses.replace(other.tests[0], input='f("a\n")'),))
    [row] = card_rows([plain, other])
    assert row == ("multipl_e humaneval", "javascript", plain.revision, "2", "2", "1", "1", "1")
    table = data_card([plain, other])
    assert table.row_count == 1 and [column.header for column in table.columns][-3:] == [
        *("ceiling, strict", "ceiling, multipl_e", "ceiling, deepseek")
    ]


def test_the_documentation_s_table_is_the_card() -> None:
    parts = [load_benchmark("humaneval", shared("humaneval/HumanEval.jsonl.gz"))]
    parts += [load_benchmark("mbpp", shared("mbpp/mbpp.jsonl"))]
    rows = [row for part in parts for row in card_rows(part)]
    seven = [p for language in CODES for p in humaneval(language)]
    rows += card_rows([*load_benchmark("multipl_e", shared("multipl_e/humaneval-python.jsonl")), *seven])
    rows += card_rows(humaneval("csharp", "multipl_e_gpt"))
    text = DOCS.read_text()
    for source, language, revision, count, _, *ceilings in rows:
        assert f"| {source} | {language} | `{revision}` | {count} | {' | '.join(ceilings)} |" in text
