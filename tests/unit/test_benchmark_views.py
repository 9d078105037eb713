"""What people see of Table 1 and Table 2: terminal, Markdown, HTML."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from made_pools import PROVENANCE, candidates, pool
from report_runs import parse
from rich.console import Console

from rewardranker.evaluation.pools import Entries, JudgedPool, Submission
from rewardranker.reranking.execution import MajorityRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.tables.benchmark import benchmark_sheet, build_benchmark_table
from rewardranker.tables.ranked import Method
from rewardranker.tables.rows import Table

LANGUAGES = ("python", "cpp", "java", "php", "typescript", "csharp", "bash", "javascript")
R = StoredRanker("r")


def build(
    pools: Sequence[JudgedPool],
    submissions: Sequence[Submission] = (),
    ceilings: Mapping[str, tuple[int, int]] | None = None,
    rankers: Sequence[Ranker] = (R,),
    **how: Any,
) -> Table:
    entries = Entries(pools, submissions, ceilings or {})
    return build_benchmark_table(entries, rankers, 2, Method(**{"bootstrap": 20, **how}), PROVENANCE)


def to_markdown(table: Table) -> str:
    return benchmark_sheet(table).markdown()


def to_html(table: Table) -> str:
    return benchmark_sheet(table).page()


@cache
def table_1() -> Table:
    """Thirty problems in eight languages and two seeds; r always chooses the right one of two. C++ lacks two."""
    pools = [
        pool({n: "o1 x0" for n in range(2 if language == "cpp" else 0, 30)}, language, seed)
        for language in LANGUAGES
        for seed in (0, 1)
    ]
    programs = [
        Submission(row, language, [c for n in range(2, 30) for c in candidates(n, spec, language)])
        for row, spec in (("gold", "o"), ("cheat", "x"))
        for language in LANGUAGES
    ]
    return build(pools, programs, {"php": (160, 161)}, [R, MajorityRanker()], bootstrap=100)


@cache
def table_2() -> Table:
    pools = [pool({n: "o1 x0 x2" for n in range(20)}, benchmark="mbpp")]
    return build(pools, bootstrap=100)


def terminal(table: Table, width: int = 120, colour: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system="standard" if colour else None, force_terminal=colour).print(
        benchmark_sheet(table).render()
    )
    return out.getvalue()


def test_120_columns_hold_table_1() -> None:
    """All numbers of a row on one line, whole."""
    text = terminal(table_1())
    assert "…" not in text
    lines = text.splitlines()
    row = next(line for line in lines if line.startswith("r "))
    assert re.findall(r"\S+", row) == ["r", *["100.0"] * 10, "+50.0"]
    below = lines[lines.index(row) + 1]
    assert re.findall(r"\S+", below) == ["±0.0"] * 10 + ["[+50.0,", "+50.0]"]
    paper = next(line for line in lines if line.startswith("RewardRanker 6.7B + 6.7B"))
    assert paper.split()[5:14] == ["78.9", "75.7", "74.6", "72.1", "66.4", "75.1", "41.4", "74.5", "69.9"]
    assert "69.84" in lines[lines.index(paper) + 1]
    headers = " ".join(lines[1:4])
    assert headers.count("Script") == 2
    for name in ("Python", "C++", "Java-", "PHP", "Type-", "C#", "Bash", "Avg", "mon 28", "vs random", "[CI]"):
        assert name in headers, name


def guarded(languages: Sequence[str], benchmark: str) -> Table:
    """Ten problems a language, with numbers that tell the languages apart: in the i-th one, counted from 1, i
    candidates are INFRA and 8 - i NO_TOOLCHAIN, the cheat solves i problems, and i reference solutions fail."""

    def spec(i: int, n: int) -> str:
        return f"o1 x0{' I0' * (n < i)}{' N0' * (n < 8 - i)}"

    pools, programs = [], []
    for i, language in enumerate(languages, 1):
        pools.append(pool({n: spec(i, n) for n in range(10)}, language, benchmark=benchmark))
        for row, solves in (("cheat", lambda n, i=i: n < i), ("gold", lambda n, i=i: n >= i)):
            answers = [candidates(n, "o" if solves(n) else "x", language, benchmark) for n in range(10)]
            programs.append(Submission(row, language, [c for found in answers for c in found]))
    ceilings = {language: (90, 100) for language in languages}
    return build(pools, programs, ceilings)


def cells_of(rendering: str, text: str) -> dict[str, list[str]]:
    """The cells of every row of ours, by the name in its first column; on a terminal, the words after the name."""
    if rendering == "terminal":
        found = [re.split(r"\s{2,}", line, maxsplit=1) for line in text.splitlines()]
        return {line[0]: line[1].split() for line in found if len(line) == 2}
    if rendering == "markdown":
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line]
    else:
        rows = [
            [re.sub(r"<small>.*?</small>|<[^>]*>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", line)]
            for line in re.findall(r"<tr.*?</tr>", text)
        ]
    return {row[0]: row[1:] for row in rows if row}


@pytest.mark.parametrize("rendering", ["terminal", "markdown", "html"])
@pytest.mark.parametrize(("benchmark", "languages"), [("humaneval", LANGUAGES), ("mbpp", LANGUAGES[:1])])
def test_guards_and_counts_are_in_every_rendering_of_every_table(
    rendering: str, benchmark: str, languages: Sequence[str]
) -> None:
    table, several = guarded(languages, benchmark), range(1, len(languages) + 1)
    text = {"terminal": terminal, "markdown": to_markdown, "html": to_html}[rendering](table)
    rows = cells_of(rendering, text)
    assert {"Random pick (pass@1)", "r", "Oracle (pass@n)"} <= set(rows)
    wanted = {
        "Constant-returning cheat": [f"{10 * i}.0" for i in several],
        "Reference solutions": [f"{100 - 10 * i}.0" for i in several],
        "Known ceiling": ["90.0" for _ in several],
        "Problems": ["10" for _ in several],
        "INFRA candidates": [f"{i}" for i in several],
        "NO_TOOLCHAIN candidates": [f"{8 - i}" for i in several],
    }
    assert {name: rows[name][: len(languages)] for name in wanted} == wanted
    alarms = [f"programs that return a constant solve {10 * i}.0 % in {languages[i - 1]}" for i in several]
    flat = " ".join(text.split())
    assert flat.count("ALARM: ") == len(table.alarms()) == len(alarms)  # up to ten failing references are allowed
    assert all(f"ALARM: {alarm}" in flat for alarm in alarms)


@pytest.mark.parametrize(("benchmark", "languages"), [("humaneval", LANGUAGES), ("mbpp", LANGUAGES[:1])])
def test_guards_and_counts_are_in_the_file_of_every_table(benchmark: str, languages: Sequence[str]) -> None:
    data = json.loads(json.dumps(guarded(languages, benchmark).to_json()))
    rows = {row["ranker"]: row["scores"] for row in data["rows"] if not row["generator"]}
    for i, language in enumerate(languages, 1):
        assert rows["cheat"][language]["solved"] == pytest.approx(i / 10)
        assert rows["gold"][language]["solved"] == pytest.approx(1 - i / 10)
        facts = data["coverage"][language]
        assert facts["never_judged"] == {"INFRA": i, "NO_TOOLCHAIN": 8 - i}
        assert (facts["used"], facts["candidates"], facts["ceiling"]) == (10, 28, [90, 100])


def test_counts_and_ceilings_are_those_of_their_language() -> None:
    rows = cells_of("terminal", terminal(table_1()))
    assert rows["Known ceiling"] == ["–", "–", "–", "99.4", "–", "–", "–", "–"]
    assert rows["Problems"] == ["30", "28", *["30"] * 6]
    assert rows["Reference solutions"][:10] == ["100.0"] * 10


def test_missing_guards_are_named() -> None:
    assert "Guards without a judged program" not in to_markdown(table_1())
    lacking = "Guards without a judged program: reference solutions and constant-returning programs in python."
    assert lacking in to_markdown(table_2()) and lacking in to_html(table_2())
    gold = [Submission("gold", "python", candidates(0, "o"))]
    pools = [pool({0: "o1 x0"}), pool({0: "o1 x0"}, "cpp")]
    text = to_markdown(build(pools, gold))
    cheat = "constant-returning programs"
    assert f"Guards without a judged program: {cheat} in python; reference solutions and {cheat} in cpp." in text


def test_only_what_beats_the_baseline_is_bold() -> None:
    lines = terminal(table_1(), colour=True).splitlines()
    bold = {name: "\x1b[1m100.0" in next(x for x in lines if x.startswith(name)) for name in ("r ", "Oracle")}
    assert bold == {"r ": True, "Oracle": False}
    assert "\x1b[1m" not in next(x for x in lines if x.startswith("Majority"))
    markdown = to_markdown(table_1())
    row = "**100.0** ±0.0"
    assert f"| r | {' | '.join([row] * 10)} | +50.0 [+50.0, +50.0] |" in markdown
    same = to_markdown(table_2())  # r prefers a wrong one: of two drawn, right only in {o, x0} -> 1/3, as random
    assert "| r | 33.3 | 33.3 – 33.3 | +0.0 [+0.0, +0.0] |" in same
    worse = build([pool({n: "o1 x2" for n in range(20)})])
    assert "| r | *0.0* |" in to_markdown(worse)


def test_notes_say_how_the_numbers_came_about() -> None:
    text = " ".join(to_markdown(table_1()).split())
    for wanted in (
        "n = 2 candidates a problem, temperature 0.7, top-k 50; pool seeds: 0, 1.",
        f"Data: {'/'.join(LANGUAGES)} r1. Harness: strict 1. Tool-chains: gcc 12.2, node 20.",
        "± is the standard error over pool seeds.",
        "percentile bootstrap over problem groups",
        "Bold: better than Random pick (pass@1)",
        "Avg and Common are over 8 languages. Common: the 28 problems that all of them have.",
        "Majority vote on behaviour gives all candidates the same score in 16 pools",
        "php: the ceiling is of all 161 problems, 30 were asked.",
        "Reference solutions: 28 of 30 problems in python",
        "[a] Copied by the paper from DeepSeek-Coder's README.",
        "1.3B generates, 6.7B ranks.",
        "75.8 and not 75.2",
    ):
        assert wanted in text, wanted
    assert "ALARM" not in text
    second = to_markdown(table_2())
    assert "n = 2 of 3 candidates a problem" in second
    assert "One pool seed, so there is no standard error over seeds." in second
    assert "2.5 of 500 problems" in second


def test_table_2_has_the_papers_rows_and_an_interval() -> None:
    markdown = to_markdown(table_2())
    assert "**Table 2: MBPP, problems solved in %**" in markdown
    assert "| System | Python | 95 % CI | vs random [CI] |" in markdown
    for row in ("| code-davinci-002 | 62.0 |", "| LEVER (DeepSeek-Coder) | 69.4 |", "| RewardRanker 6.7B + 1.3B ["):
        assert row in markdown
    assert "Avg" not in markdown and "Common" not in markdown


def test_partial_tables_say_so() -> None:
    """Of Bash's three problems one was lost, and one kept a single judged candidate of the two asked."""
    pools = [pool({0: "o1 x0", 1: "x1 o0"}), pool({0: "o1 I0", 2: "o1 x0"}, "bash", asked=[1])]
    text = to_markdown(build(pools, partial=True))
    assert "| Problems | 2 | – | – | – | – | – | 1/3 | – |  |  |  |" in text
    left_out = "1 problems left out for fewer than n = 2 judged candidates in some pool."
    assert f"bash: partial, 2 of 3 problems that all pools have; {left_out}" in text
    assert "Candidates that could not be judged, left out: bash 1 of 4." in text
    assert "Avg and Common are over 2 languages (those with pools; the paper's Avg is over 8)" in text


def hostile(name: str) -> JudgedPool:
    return replace(pool({n: "o1 x0" for n in range(5)}), generator=name)


def test_the_page_is_one_file_that_loads_nothing_and_keeps_names_as_text() -> None:
    name = "<script>alert(1)</script> [red]|"
    cheat = [Submission("cheat", "python", [c for n in range(5) for c in candidates(n, "o")])]
    table = build([hostile(name)], cheat)
    page = to_html(table)
    tags = parse(page)
    assert tags.loading == [] and "<script" not in page
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert "url(" not in page and "$" not in page and not re.search(r"https?://", page)
    text = " ".join(tags.text)
    assert f"{name}, n = 2" in text
    assert "programs that return a constant solve 100.0 % in python" in text
    assert name in terminal(table) and name.replace("|", "\\|") in to_markdown(table)


def test_the_page_draws_the_headline_of_every_system() -> None:
    page, names = to_html(table_1()), ["Random pick (pass@1)", "r", "Majority vote on behaviour", "Oracle (pass@n)"]
    parse(page)
    assert marked(page) == [f"made: {name}" for name in names]
    assert "average over languages" in page
    assert "<b>100.0</b><small>±0.0</small>" in page
    assert re.search(
        r"made: r</td><td>100.0</td><td>100.0 – 100.0</td>.*?\+50.0 \[\+50.0, \+50.0\]</td><td>100.0", page
    )
    assert marked(to_html(table_2())) == ["made: Random pick (pass@1)", "made: r", "made: Oracle (pass@n)"]


def marked(page: str) -> list[str]:
    """The systems in whose rows an interval is drawn."""
    rows = re.findall(r"<tr[^>]*><td>(.*?)</td>(.*?)</tr>", page)
    return [name for name, cells in rows if '<svg class="mark"' in cells]


@pytest.mark.parametrize("width", [120, 160])
def test_long_names_wrap_and_numbers_do_not(width: int) -> None:
    name = "a-generator-with-a-name-that-is-far-too-long-for-one-column-of-a-table/checkpoint-12345"
    table = build([hostile(name)])
    text = terminal(table, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert re.search(r"^r +100\.0", text, re.MULTILINE)


def test_where_nothing_was_solved_the_intervals_are_not_believed() -> None:
    """None of 2 problems: 1 - .05 ** (1 / 2) = .7764. C++ has a right one, chosen or not."""
    pools = [
        pool({0: "x1 x0", 1: "x1 x0"}),
        pool({0: "x1 x0", 1: "o1 x0"}, "cpp"),
        pool({0: "x0 x1", 1: "x1 x0"}, "php"),
    ]
    text = to_markdown(build(pools))
    (line,) = [line for line in text.splitlines() if "Nothing solved" in line]
    assert line == (
        "- Nothing solved in python, php: the intervals have no width, which is not certainty; none of 2 problems "
        "goes with shares of up to 77.6 % (95 %, one-sided)."
    )
    assert "Nothing solved" not in to_markdown(table_2())


@pytest.mark.parametrize(("benchmark", "title"), [("humaneval_x", "HumanEval-X"), ("multipl_e", "MultiPL-E")])
def test_a_table_that_the_paper_has_not_stands_alone(benchmark: str, title: str) -> None:
    found = guarded(["python", "cpp", "java", "javascript"], benchmark)
    for text in (terminal(found), to_markdown(found), to_html(found)):
        assert f"{title}, problems solved in %" in text and "as printed" not in text
        assert "Problems" in text and "Known ceiling" in text
    assert Table.from_json(json.loads(json.dumps(found.to_json()))) == found
