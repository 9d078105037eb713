"""The comparison of all rankers on one pool, with numbers worked out by hand."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_pools import candidates, problem
from report_runs import parse
from rich.console import Console

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import Entries, JudgedPool, Submission
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.execution import MajorityRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.tables.comparison import compare_rankers, comparison_sheet
from rewardranker.tables.ranked import Method
from rewardranker.tables.rows import Row, Table

R = StoredRanker("r")
SPECS = {0: "o3 x2 x1", 1: "x3 x2 o1", 2: "x1 x2 x3"}


def compare(specs: dict[int, str], rankers: tuple[Ranker, ...] = (R,), **more: Any) -> Table:
    pool = [c for n, spec in specs.items() for c in candidates(n, spec)]
    return compared(pool, [problem(n) for n in specs], rankers, **more)


def compared(
    pool: list[Candidate],
    problems: list[Problem],
    rankers: Sequence[Ranker] = (R,),
    ns: Sequence[int] = (1, 2, 3),
    ks: Sequence[int] = (2,),
    **more: Any,
) -> Table:
    submissions, ceiling = more.pop("submissions", ()), more.pop("ceiling", None)
    entered = [JudgedPool("humaneval", "python", more.pop("generator", "p"), 0, problems, pool)]
    entries = Entries(entered, submissions, {"python": ceiling} if ceiling else {})
    return compare_rankers(entries, rankers, ns, ks, Method(**{"bootstrap": 100, **more}))


def to_markdown(found: Table) -> str:
    return comparison_sheet(found).markdown()


def to_html(found: Table) -> str:
    return comparison_sheet(found).page()


def rows_of(found: Table) -> dict[str, Row]:
    return {row.ranker: row for row in found.rows}


def test_numbers_by_hand() -> None:
    """r puts the right one first in 0, last in 1; 2 has none. Best of 3: 1/3; of 2: problem 0 in the 2 of 3 draws
    that hold it, problem 1 never -> 2/9; of 1: 2/9. Two of three: 0 yes, 1 no -> 1/3. Random: 2/9; oracle of 3: 2/3.
    Gap by the means (3/9 - 2/9)/(6/9 - 2/9) = 1/4; by problem 1 and (0 - 1/3)/(1 - 1/3) = -1/2, mean 1/4, 1 without.
    Pairs: 1 and 0 -> 1/2 over 2 problems. MRR: 1 and 1/3 -> 2/3 over 2. Lengths 1, 2, 3: r falls in 0 and 1 (-1 each)
    and rises in 2 (1) -> -1/3."""
    row = rows_of(compare(SPECS))["r"]
    assert [row.scores[f"best of {n}"].solved for n in (1, 2, 3)] == pytest.approx([2 / 9, 2 / 9, 1 / 3])
    assert row.scores["2 best of 3"].solved == pytest.approx(1 / 3)
    best = row.scores["best of 3"]
    assert best.versus is not None and best.versus[0] == pytest.approx(1 / 9)
    assert best.gap_closed == pytest.approx(1 / 4)
    assert {name: (one.value, one.problems) for name, one in row.metrics.items() if name != "auc"} == {
        "gap_per_problem": (pytest.approx(1 / 4), 2),
        "pair_accuracy": (pytest.approx(1 / 2), 2),
        "mrr": (pytest.approx(2 / 3), 2),
        "length_correlation": (pytest.approx(-1 / 3), 3),
    }


def test_auc_is_over_the_whole_pool() -> None:
    """Right 3 and 1, wrong 2 1 3 2 1 2 3: 3 beats five of seven and ties two -> 6/7; 1 ties two -> 1/7; mean 1/2."""
    row = rows_of(compare(SPECS))["r"]
    assert row.metrics["auc"].value == pytest.approx(1 / 2)
    shifted = rows_of(compare({**SPECS, 2: "x-7 x-8 x-9"}))["r"]
    assert shifted.metrics["auc"].value == pytest.approx((6.5 / 7 + 3.5 / 7) / 2)  # the same order within problems
    assert shifted.metrics["pair_accuracy"].value == pytest.approx(1 / 2)


def test_the_ends() -> None:
    """Random: 1/2 for pairs and AUC; MRR (1 + 1/2 + 1/3)/3 = 11/18. Oracle: all 1. Neither is calibrated."""
    rows = rows_of(compare(SPECS))
    assert list(rows) == ["random", "r", "oracle"]
    for name, pairs, mrr, gap in (("random", 0.5, 11 / 18, 0.0), ("oracle", 1.0, 1.0, 1.0)):
        row = rows[name]
        assert (row.metrics["pair_accuracy"].value, row.metrics["auc"].value) == (pairs, pairs)
        assert row.metrics["mrr"].value == pytest.approx(mrr)
        assert row.scores["best of 3"].gap_closed == pytest.approx(gap)
        assert row.calibration is None
    assert "length_correlation" not in rows["random"].metrics
    assert rows["random"].scores["best of 3"].versus is None


def test_intervals_hold_their_values_and_pairs_are_certain_where_all_problems_agree() -> None:
    row = rows_of(compare({n: "o2 x1 x0" for n in range(12)}))["r"]
    metrics = [row.metrics[name] for name in ("pair_accuracy", "auc", "mrr")]
    for value, low, high in (
        *((one.solved, one.low, one.high) for one in row.scores.values()),
        *((one.value, one.low, one.high) for one in metrics),
    ):
        assert low is not None and high is not None
        assert low <= value + 1e-12 and value - 1e-12 <= high
    best = row.scores["best of 3"]
    assert (best.low, best.high, row.metrics["auc"].low) == (1.0, 1.0, 1.0)
    assert best.versus == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_calibration_is_there_where_scores_are_finite() -> None:
    """Six alike problems: right at 2, wrong at 1 and 0 -> better than the base rate on those not fitted."""
    row = rows_of(compare({n: "o2 x1 x0" for n in range(6)}))["r"]
    assert row.calibration is not None
    assert (row.calibration.fitted, row.calibration.measured) == (9, 9)
    assert row.calibration.brier < row.calibration.brier_of_base_rate == pytest.approx(2 / 9)
    assert rows_of(compare({n: "o2 x1 x-inf" for n in range(6)}))["r"].calibration is None
    assert rows_of(compare({0: "o2 x1 x0"}))["r"].calibration is None


def test_nothing_right_leaves_metrics_undefined_not_zero() -> None:
    row = rows_of(compare({n: "x2 x1 x0" for n in range(3)}))["r"]
    assert set(row.metrics) == {"length_correlation"}
    assert (row.scores["best of 3"].gap_closed, row.scores["best of 3"].solved) == (None, 0)
    assert "undefined for 3 problems" in to_markdown(compare({n: "x2 x1 x0" for n in range(3)}))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UserError, match="n = 4 candidates asked, but 3 of 3 problems have fewer"):
        compare(SPECS, ns=(4,))
    with pytest.raises(UserError, match="k from 1 to the largest n; asked for n of 1, 2, 3 and k of 4"):
        compare(SPECS, ks=(4,))
    with pytest.raises(UserError, match="asked for n of nothing"):
        compare(SPECS, ns=(), ks=())
    with pytest.raises(UserError, match="baseline 'x' is none of the rankers: random, r, oracle"):
        compare(SPECS, baseline="x")
    with pytest.raises(UserError, match="NaN"):
        compare({0: "onan x1 x0"})
    pool = [c for n, spec in SPECS.items() for c in candidates(n, spec)]
    with pytest.raises(UserError, match="different data revisions .* r1 .*; r2"):
        compared(pool, [problem(0), problem(1), problem(2, revision="r2")], [R])
    with pytest.raises(UserError, match="different data revisions .* r1 .*; not recorded"):
        compared(pool, [problem(0), problem(1), problem(2, revision="")], [R])
    with pytest.raises(UserError, match=r"lacks 1 of 4 \(humaneval/9\)"):
        compared(pool, [problem(n) for n in (0, 1, 2, 9)], [R], ns=(2,), ks=())
    with pytest.raises(UserError, match="lack problems that others have or that were asked"):
        compared([], [problem(0)], [R])
    with pytest.raises(UserError, match="in cpp; make one pool per language"):
        compared([*pool, *candidates(3, "o1 x1 x1", "cpp")], [problem(n) for n in range(4)], [R])
    partial = compared(pool, [problem(n) for n in (0, 1, 2, 9)], [R], (2,), (), bootstrap=10, partial=True)
    assert "3 of 4 problems, 3 candidates each" in to_markdown(partial)


def test_a_partial_pool_leaves_problems_out_of_the_columns_of_an_n_that_they_do_not_reach() -> None:
    """Problem 1 lost one of its three answers. Of 2: r is right on 0 in 2 of 3 draws, on 1 never, so 1/3 over both;
    of 3: 1 over problem 0 alone, where random has 1/3 and the oracle 1: versus 2/3, the gap closed, 2 best of 3 is 1.
    Metrics without an n are over both: pairs 1 and 0."""
    specs = {0: "o3 x2 x1", 1: "x3 o1"}
    with pytest.raises(UserError, match="1 of 2 problems have fewer: humaneval/1 has 2; .* or for partial results"):
        compare(specs)
    found = compare(specs, partial=True)
    row = rows_of(found)["r"]
    assert [(row.scores[f"best of {n}"].solved, row.scores[f"best of {n}"].problems) for n in (1, 2, 3)] == [
        (pytest.approx((1 / 3 + 1 / 2) / 2), 2),
        (pytest.approx(1 / 3), 2),
        (1.0, 1),
    ]
    best, several = row.scores["best of 3"], row.scores["2 best of 3"]
    assert (several.solved, several.problems) == (1.0, 1)
    assert best.versus is not None and best.versus[0] == pytest.approx(2 / 3)
    gap, pairs = row.metrics["gap_per_problem"], row.metrics["pair_accuracy"]
    assert (best.gap_closed, gap.value, gap.problems) == (1.0, 1.0, 1)
    assert (pairs.value, pairs.problems) == (0.5, 2)
    text = to_markdown(found)
    assert "Partial: a problem counts only where it has n judged candidates: n = 3 over 1 of 2 problems." in text
    assert "Partial:" not in to_markdown(compare(SPECS, partial=True))
    complete, partial = (compare(SPECS, partial=asked).to_json()["rows"] for asked in (False, True))
    assert complete == partial
    with pytest.raises(UserError, match="share no problem of which each has n = 4 judged candidates"):
        compare(specs, ns=(2, 4), partial=True)


def signed() -> tuple[list[Candidate], list[Ranker]]:
    pool = [replace(c, signature="a" if c.verdict == "OK" else "b") for n in SPECS for c in candidates(n, SPECS[n])]
    return pool, [R, MajorityRanker()]


def test_json_round_trip() -> None:
    pool, rankers = signed()
    problems = [problem(n) for n in SPECS]
    found = compared(pool, problems, rankers, (2, 3), (2,), bootstrap=50)
    assert found.rows[1].calibration is not None
    assert Table.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.settings["resampled"] == ["majority"]


def test_people_see_it() -> None:
    found = compare({n: "o2 x1 x0 I9" for n in range(12)}, ns=(1, 2, 3), ks=(2,), generator="<b>[red]x")
    out = io.StringIO()
    Console(file=out, width=120).print(comparison_sheet(found).render())
    text = out.getvalue()
    assert "…" not in text and max(map(len, text.splitlines())) <= 120
    row = next(line for line in text.splitlines() if line.startswith("r "))
    assert row.split() == ["r", "33.3", "66.7", "100.0", "+66.7", "100.0", "100.0"]
    flat = " ".join(text.split())
    for wanted in (
        "12 of 12 problems, 4 candidates each, data r1.",
        "12 of 48 candidates not judged and left out (INFRA 12, NO_TOOLCHAIN 0)",
        "Rankers on <b>[red]x, python, seed 0: problems solved in %",
        "undefined for 0 problems",
        "12 problems have both",
    ):
        assert wanted in flat, wanted
    markdown = to_markdown(found)
    assert "| r | 33.3 (33–33) | 66.7 (67–67) | **100.0** (100–100) | +66.7 [+66.7, +66.7] | 100.0 |" in markdown
    assert "| Oracle (pass@n) | 33.3 (33–33) | 66.7 (67–67) | 100.0 (100–100) |" in markdown
    page = to_html(found)
    tags = parse(page)
    assert tags.loading == [] and "<b>[red]" not in page and "$" not in page
    assert 'aria-label="Best of n. Random pick (pass@1): 0.333 at candidates n 1, 0.333 at 3; r: 0.333' in page
    assert re.search(r"<summary>r: ECE [\d.]+ %, Brier 0\.\d+ \(always the base rate: 0\.222\), fitted on 18", page)


def guarded(gold: str, cheat: str, **more: object) -> Table:
    """:data:`SPECS` with a guard's program for each of its three problems: ``"o x I"``."""
    submissions = [
        Submission(row, "python", [c for n, one in enumerate(spec.split()) for c in candidates(n, one)], whose)
        for row, spec, whose in (("greedy", "o x x", "p"), ("gold", gold, ""), ("cheat", cheat, ""))
    ]
    return compare(SPECS, submissions=submissions, **more)


def test_guards_are_in_every_rendering() -> None:
    """Greedy solves 1 of 3, the references 2 of 3, the cheat 1 of the 2 that were judged, whatever the n."""
    found = guarded("o o x", "o x I")
    submitted = {row.ranker: row.scores["python"] for row in found.rows if "python" in row.scores}
    assert [(name, one.solved, one.problems) for name, one in submitted.items()] == [
        ("greedy", pytest.approx(1 / 3), 3),
        ("gold", pytest.approx(2 / 3), 3),
        ("cheat", 0.5, 2),
    ]
    assert all(one.low <= one.solved <= one.high for one in submitted.values())
    wanted = {"Greedy (one sample)": "33.3", "Reference solutions": "66.7", "Constant-returning cheat": "50.0"}
    alarms = [
        "ALARM: reference solutions fail 1 of 3 problems in python, where 0 are known to be unsolvable",
        "ALARM: programs that return a constant solve 50.0 % in python",
    ]
    out = io.StringIO()
    Console(file=out, width=120).print(comparison_sheet(found).render())
    for text, cell in (
        (out.getvalue(), r" +{}"),
        (to_markdown(found), r" \| {} \("),
        (to_html(found), "</td><td>{}<"),
    ):
        for name, value in wanted.items():
            assert re.search(f"{re.escape(name)}{cell.format(re.escape(value))}", text), name
        flat = " ".join(text.split())
        assert all(flat.count(alarm) == 1 for alarm in alarms)
        assert (
            "Guards without a judged program" not in flat
            and "want of judged programs: Constant-returning cheat 2." in flat
        )
    data = json.loads(json.dumps(found.to_json()))
    assert Table.from_json(data) == found
    assert [(row["ranker"], row["scores"]["python"]["problems"]) for row in data["rows"][3:]] == [
        ("greedy", 3),
        ("gold", 3),
        ("cheat", 2),
    ]
    assert f'<ul class="notes alarm"><li>{alarms[0].removeprefix("ALARM: ")}</li>' in to_html(found)


def test_guards_that_say_all_is_well_raise_no_alarm_and_missing_ones_are_named() -> None:
    assert guarded("o o o", "x x x").alarms() == []
    assert guarded("o o x", "x x x", ceiling=(2, 3)).alarms() == []
    assert len(guarded("o x x", "x x x", ceiling=(2, 3)).alarms()) == 1
    lacking = "Guards without a judged program: reference solutions and constant-returning programs."
    assert lacking in to_markdown(compare(SPECS)) and lacking in to_html(compare(SPECS))


def test_guards_are_over_the_problems_of_the_pool_and_nothing_where_none_could_be_judged() -> None:
    """The pool lacks problem 9, whose reference fails: the reference of problem 0 is right, so all of one."""
    answers = [*candidates(0, "o"), *candidates(9, "x")]
    pool, problems = candidates(0, "o3 x2"), [problem(0), problem(9)]

    def with_gold(programs: list[Candidate]) -> Table:
        gold = [Submission("gold", "python", programs)]
        return compared(pool, problems, [R], (2,), (), bootstrap=10, partial=True, submissions=gold)

    gold = with_gold(answers).rows[-1].scores["python"]
    assert (gold.solved, gold.problems) == (1.0, 1)
    for nothing in (candidates(9, "x"), candidates(0, "I"), [*candidates(0, "N"), *candidates(9, "o")]):
        found = with_gold(nothing)
        assert [row.ranker for row in found.rows] == ["random", "r", "oracle"]
        assert "Guards without a judged program: reference solutions and constant" in to_markdown(found)
    with pytest.raises(UserError, match="gold, python: problem humaneval/0 has candidates without a verdict"):
        with_gold(candidates(0, "?"))


def test_counts_are_rows_of_the_comparison() -> None:
    """Problem 0 lost a candidate to the judge, 1 was sampled but twice: of 3, one of three problems is left."""
    found = compare({0: "o1 x2 I3", 1: "o1 x2", 2: "o1 x2 x3 N4"}, partial=True)
    markdown = to_markdown(found)
    for row in ("| Problems | 3 | 3 | 1/3 |", "| INFRA candidates | 1 |  |", "| NO_TOOLCHAIN candidates | 1 |  |"):
        assert row in markdown, row
    assert "<td>Problems</td><td>3</td><td>3</td><td>1/3</td>" in to_html(found)


def test_programs_that_do_not_belong_are_refused() -> None:
    gold = Submission("gold", "python", candidates(0, "o"))
    with pytest.raises(UserError, match="gold programs in python were given twice"):
        compare(SPECS, submissions=[gold, gold])
    with pytest.raises(UserError, match="candidates of 1 problems that are not among the 3"):
        compare(SPECS, submissions=[Submission("gold", "python", candidates(7, "o"))])
    with pytest.raises(UserError, match="gold programs in cpp: there is no pool that they belong to"):
        compare(SPECS, submissions=[Submission("gold", "cpp", candidates(0, "o", "cpp"))])
