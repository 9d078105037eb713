"""Problems that nobody can solve, ceilings by harness, and problems that all languages share."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from benchmark_data import multipl_e_row, shared, write_lines
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.card import run_card
from rewardranker.judge.compat import COMPAT_RULES
from rewardranker.judge.languages import LANGUAGES
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.data_card import (
    RULES,
    card_markdown,
    card_rows,
    ceiling,
    common_problems,
    data_card,
    known_flaws,
    unsolvable,
    unsolvable_table,
    why_unsolvable,
)
from rewardranker.problems.types import Problem, Test
from rewardranker.runs.console import Console

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
    assert table.caption == "1 with tests that a correct program fails: `rewardranker card` lists them"
    assert data_card([plain]).caption is None
    assert table.row_count == 1 and [column.header for column in table.columns][-3:] == [
        *("ceiling, strict", "ceiling, multipl_e", "ceiling, deepseek")
    ]


def broken(tmp_path: Path, number: int = 51) -> Problem:
    """A test with a raw line end in a literal."""
    made = dataclasses.replace(problem(tmp_path), id="HumanEval_51_remove_vowels", group_id=f"humaneval/{number}")
    return dataclasses.replace(made, tests=(Test('f("a\n")'),))


def test_a_flaw_is_gone_where_a_revision_has_mended_the_tests(tmp_path: Path) -> None:
    """A line end after a literal is none in it, nor is an escaped quote the end of one."""
    made = broken(tmp_path)
    for whole in ('f("a");\nf("");\n', r'f("a\n");', 'f("\\"a");\nf("b");', 'f("a", "b", "");\n'):
        assert why_unsolvable(dataclasses.replace(made, tests=(Test(whole),)), "strict") == "", whole
    for bad in ('f("a\nb");', 'f("a", "b\n");', 'f("a\\"\n");', 'f("");\nf("a\n");\n'):
        assert why_unsolvable(dataclasses.replace(made, tests=(Test(bad),)), "strict") != "", bad


def test_the_listing_has_every_row_and_reason(tmp_path: Path) -> None:
    """A C# row whose flaw passes by some rules, one that fails by all, and one that is sound."""
    plain, other = problem(tmp_path), broken(tmp_path)
    sharp = dataclasses.replace(
        plain, id="HumanEval_42_incr_list", language="csharp", tests=(Test("F(x).Equals((new List<long>()))"),)
    )
    found = unsolvable([plain, sharp, other])
    assert [(row.problem.id, row.by) for row in found] == [
        ("HumanEval_42_incr_list", ("multipl_e", "deepseek")),
        ("HumanEval_51_remove_vowels", RULES),
    ]
    rows = [
        f"| multipl_e humaneval | csharp | {sharp.revision} | HumanEval_42_incr_list | multipl_e, deepseek "
        "| the tests compare lists or dictionaries by reference (.Equals) |",
        f"| multipl_e humaneval | javascript | {other.revision} | HumanEval_51_remove_vowels | all "
        "| the tests do not parse: a string literal holds a raw line end |",
    ]
    assert card_markdown([plain, sharp, other]).splitlines()[-2:] == rows
    assert card_markdown([plain]).splitlines()[-1] == "None is known."
    table = unsolvable_table([plain, sharp, other, dataclasses.replace(sharp, id="HumanEval_43_more")])
    assert [list(column.cells) for column in table.columns][1:] == [
        ["multipl_e, deepseek", "all"],
        [row.reason for row in found],
        ["HumanEval_42_incr_list\nHumanEval_43_more", "HumanEval_51_remove_vowels"],
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


def test_the_listing_in_the_documentation_is_what_the_command_writes(tmp_path: Path) -> None:
    """Every number of the ceilings in it is that of the problems less those that are listed."""
    files = ["humaneval=humaneval/HumanEval.jsonl.gz", "mbpp=mbpp/mbpp.jsonl"]
    files += [f"multipl_e=multipl_e/humaneval-{code}.jsonl" for code in ("python", *CODES.values())]
    files += ["multipl_e=multipl_e_gpt/humaneval-cs.jsonl"]
    data = [f"{name}={shared(file)}" for name, file in (entry.split("=") for entry in files)]
    run_card(["humaneval", "mbpp:test", "multipl_e"], data, tmp_path / "card.md", Console())
    text = (tmp_path / "card.md").read_text()
    assert text == DOCS.with_name("unsolvable.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    listed = [row for row in rows if len(row) == 6 and row[1] in LANGUAGES]
    for _, language, revision, count, _, *ceilings in (row for row in rows if len(row) == 8 and row[3].isdigit()):
        for rules, number in zip(RULES, ceilings, strict=True):
            mine = {row[3] for row in listed if row[1:3] == [language, revision] and row[4] in ("all", rules)}
            both = {row[3] for row in listed if row[1:3] == [language, revision] and rules in row[4].split(", ")}
            assert int(count) - len(mine | both) == int(number)


def test_the_command_line(tmp_path: Path) -> None:
    rows = [multipl_e_row(53), multipl_e_row(51) | {"name": "HumanEval_51_remove_vowels"}]
    rows[1]["tests"] += '\n// "'
    path = write_lines(tmp_path / "rows.jsonl", rows)
    asked = ["card", "multipl_e", "--data", f"multipl_e={path}", "--out", str(tmp_path / "card.md")]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    for text in (answer.output, (tmp_path / "card.md").read_text()):
        assert "HumanEval_51_remove_vowels" in text and "raw line end" in text and "HumanEval_53" not in text
