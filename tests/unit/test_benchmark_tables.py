"""Table 1 and Table 2 from pools whose numbers can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_pools import PROVENANCE, candidates, pool, problem

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import Entries, JudgedPool, Submission
from rewardranker.reranking.execution import MajorityRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.statistics.clusters import ClusterBootstrap, Column
from rewardranker.tables.benchmark import build_benchmark_table
from rewardranker.tables.notes import scored_languages
from rewardranker.tables.ranked import Method
from rewardranker.tables.rows import AVERAGE, COMMON, Row, Score, Table

R = StoredRanker("r")


def hand_pools() -> list[JudgedPool]:
    """Two languages, two seeds, two candidates a problem; C++ lacks problem 0, as it lacks HumanEval/32.

    solved by    Python 0   1     2     mean    C++ 1   2     mean
    r, seed 0    1          0     0     1/3     1       0     1/2
    r, seed 1    1          1     0     2/3     1       1     1
    random, 0    1/2        1/2   0     1/3     1/2     1/2   1/2
    random, 1    1          1/2   0     1/2     1/2     1/2   1/2
    oracle       1          1     0     2/3     1       1     1
    """
    return [
        pool({0: "o1 x0", 1: "x1 o0", 2: "x0 x1"}, seed=0),
        pool({0: "o1 o0", 1: "x0 o1", 2: "x0 x1"}, seed=1),
        pool({1: "o1 x0", 2: "o0 x1"}, "cpp", seed=0),
        pool({1: "o1 x0", 2: "o1 x0"}, "cpp", seed=1),
    ]


def build(
    pools: Sequence[JudgedPool],
    rankers: Sequence[Ranker] = (R,),
    n: int = 2,
    submissions: Sequence[Submission] = (),
    ceilings: Mapping[str, tuple[int, int]] | None = None,
    **how: Any,
) -> Table:
    entries = Entries(pools, submissions, ceilings or {})
    return build_benchmark_table(entries, rankers, n, Method(**{"bootstrap": 200, **how}), PROVENANCE)


def rows_of(table: Table) -> dict[str, Row]:
    return {row.ranker: row for row in table.rows}


def test_numbers_by_hand() -> None:
    """r: Python 1/2, C++ 3/4, average 5/8; random 5/12, 1/2, 11/24; oracle 2/3, 1, 5/6. r less random 1/6; its gap
    (5/8 - 11/24)/(5/6 - 11/24) = 4/9. Common (problems 1 and 2): r in Python (0 + 1/2)/2, so (1/4 + 3/4)/2 = 1/2."""
    table = build(hand_pools())
    rows = rows_of(table)
    assert list(rows) == ["random", "r", "oracle"]
    solved = {name: {key: score.solved for key, score in row.scores.items()} for name, row in rows.items()}
    keys = ("python", "cpp", AVERAGE)
    assert [solved["r"][key] for key in keys] == pytest.approx([1 / 2, 3 / 4, 5 / 8])
    assert [solved["random"][key] for key in keys] == pytest.approx([5 / 12, 1 / 2, 11 / 24])
    assert [solved["oracle"][key] for key in keys] == pytest.approx([2 / 3, 1, 5 / 6])
    assert solved["r"][COMMON] == pytest.approx(1 / 2)
    average = rows["r"].scores[AVERAGE]
    assert average.versus is not None
    assert average.versus[0] == pytest.approx(1 / 6)
    assert average.gap_closed == pytest.approx(4 / 9)
    assert (average.problems, rows["r"].scores[COMMON].problems, average.seeds) == (5, 4, 2)
    assert (table.common, table.name, table.columns[:2], len(table.columns)) == (2, "Table 1", ["python", "cpp"], 8)
    assert rows["random"].scores[AVERAGE].versus is None
    assert {score.gap_closed for score in rows["oracle"].scores.values()} == {1.0}


def test_standard_errors_over_seeds_by_hand() -> None:
    """Of two values d apart: (d / sqrt(2)) / sqrt(2) = d/2. Python 1/3, 2/3 -> 1/6; C++ 1/2, 1 -> 1/4; the average
    per seed 5/12, 5/6 -> 5/24, which is not what independent languages would give."""
    row = rows_of(build(hand_pools()))["r"]
    errors = [row.scores[key].seed_error for key in ("python", "cpp", AVERAGE)]
    assert errors == pytest.approx([1 / 6, 1 / 4, 5 / 24])
    one = rows_of(build([p for p in hand_pools() if p.seed == 0]))["r"]
    assert {score.seed_error for score in one.scores.values()} == {None}
    uneven = rows_of(build(hand_pools()[:3]))["r"]  # Python with two seeds, C++ with one
    assert uneven.scores["python"].seed_error == pytest.approx(1 / 6)
    assert uneven.scores[AVERAGE].seed_error is None


def test_intervals_draw_a_problem_in_all_languages_at_once() -> None:
    """Against the cluster bootstrap over the three problem groups with the values of the table above."""
    groups = ["humaneval/0", "humaneval/1", "humaneval/2"]
    bootstrap = ClusterBootstrap(groups, 200, 0)
    wanted = bootstrap.interval([Column([1, 1 / 2, 0], groups), Column([1, 1 / 2], groups[1:])])
    versus = bootstrap.interval([Column([1 / 4, 0, 0], groups), Column([1 / 2, 0], groups[1:])])
    found = rows_of(build(hand_pools()))["r"].scores[AVERAGE]
    assert (found.solved, found.low, found.high) == pytest.approx(wanted)
    assert found.versus == pytest.approx(versus)


def test_fewer_candidates_than_there_are_is_the_expectation_over_draws() -> None:
    """Scores order x o x: of two, the right one wins in {o, last x} only -> 1/3; random 1/3; oracle 2/3."""
    rows = rows_of(build([pool({0: "x3 o2 x1"})]))
    assert [rows[name].scores["python"].solved for name in ("r", "random", "oracle")] == pytest.approx(
        [1 / 3, 1 / 3, 2 / 3]
    )


def test_baseline_by_name_and_per_generator() -> None:
    both = [pool({0: "o1 x0", 1: "o0 x1"}), pool({0: "o1 x0", 1: "o1 x0"}, generator="other")]
    table = build(both, baseline="r")
    assert [(row.generator, row.ranker) for row in table.rows] == [
        (generator, ranker) for generator in ("made", "other") for ranker in ("random", "r", "oracle")
    ]
    versus = {(row.generator, row.ranker): row.scores["python"].versus for row in table.rows}
    assert versus["made", "r"] is versus["other", "r"] is None
    found = [versus["made", "random"], versus["other", "random"], versus["made", "oracle"]]
    assert [one and one[0] for one in found] == pytest.approx([0, -1 / 2, 1 / 2])
    with pytest.raises(UserError, match="baseline 'lever' is none of the rankers: random, r, oracle"):
        build(both, baseline="lever")


def test_set_off_only_where_the_interval_excludes_zero() -> None:
    def row(ranker: str, versus: tuple[float, float, float] | None) -> Row:
        return Row("made", ranker, {AVERAGE: Score(0.5, 0.4, 0.6, 9, 10, versus=versus)})

    assert row("r", (0.1, 0.01, 0.2)).better(AVERAGE)
    assert not row("r", (0.1, -0.01, 0.2)).better(AVERAGE) and not row("r", (0.1, -0.01, 0.2)).worse(AVERAGE)
    assert row("r", (-0.1, -0.2, -0.01)).worse(AVERAGE)
    assert not row("oracle", (0.3, 0.2, 0.4)).better(AVERAGE)
    assert not row("random", None).better(AVERAGE)


def test_greedy_answers_and_guards() -> None:
    """Greedy in Python 2/3, in C++ nothing: no average. Gold 1, cheat 0, with no generator and no baseline."""
    programs = [
        Submission("greedy", "python", [*candidates(0, "o"), *candidates(1, "o"), *candidates(2, "x")], "made"),
        Submission("gold", "python", [*candidates(0, "o"), *candidates(1, "o I"), *candidates(2, "o x")]),
        Submission("cheat", "python", [c for n in range(3) for c in candidates(n, "x")]),
    ]
    table = build(hand_pools(), submissions=programs)
    rows = rows_of(table)
    assert list(rows) == ["random", "greedy", "r", "oracle", "gold", "cheat"]
    greedy = rows["greedy"].scores
    assert list(greedy) == ["python"]
    assert greedy["python"].solved == pytest.approx(2 / 3)
    assert greedy["python"].versus is not None
    assert greedy["python"].versus[0] == pytest.approx(2 / 3 - 5 / 12)
    assert rows["gold"].scores["python"].solved == pytest.approx(5 / 6)
    assert (rows["gold"].generator, rows["gold"].scores["python"].versus) == ("", None)
    assert rows["cheat"].scores["python"].solved == 0


def test_guards_raise_alarms() -> None:
    def alarms(row: str, specs: list[str], ceilings: dict[str, tuple[int, int]] | None = None) -> list[str]:
        programs = [Submission(row, "python", [c for n, spec in enumerate(specs) for c in candidates(n, spec)])]
        return build(hand_pools(), submissions=programs, ceilings=ceilings).alarms()

    assert alarms("cheat", ["x", "x", "x"]) == []
    assert alarms("cheat", ["o", "x", "x"]) == ["programs that return a constant solve 33.3 % in python"]
    assert alarms("gold", ["o", "o", "o"]) == []
    assert alarms("gold", ["o", "o", "x"], {"python": (163, 164)}) == []
    (alarm,) = alarms("gold", ["o", "x", "x"], {"python": (163, 164)})
    assert alarm == "reference solutions fail 2 of 3 problems in python, where 1 are known to be unsolvable"


def test_what_could_not_be_judged_is_counted_and_dropped_from_every_row() -> None:
    """Problem 1 is lost in seed 1, so neither seed counts it: r is 1 on problem 0. One candidate short there."""
    pools = [pool({0: "o1 x0", 1: "x1 o0"}, seed=0), pool({0: "o1 I0", 1: "I0 N1"}, seed=1)]
    table = build(pools)
    facts = table.coverage["python"]
    assert (facts.asked, facts.used, facts.unjudged, facts.short) == (2, 1, 1, 1)
    assert (facts.candidates, facts.never_judged) == (8, {"INFRA": 2, "NO_TOOLCHAIN": 1})
    assert rows_of(table)["r"].scores["python"].solved == 1.0


def test_a_language_without_a_tool_chain_has_no_numbers_but_counts() -> None:
    table = build([pool({0: "o1 x0"}), pool({0: "N1 N0"}, "bash")])
    assert (table.coverage["bash"].used, table.coverage["bash"].unjudged) == (0, 1)
    assert list(rows_of(table)["r"].scores) == ["python"]
    assert scored_languages(table) == ["python"]
    with pytest.raises(UserError, match="none of the 1 pools has a candidate that could be judged"):
        build([pool({0: "N1 N0"}, "bash")])
    with pytest.raises(UserError, match="share no problem of which each has a judged candidate"):
        build([pool({0: "o1 x0", 1: "I0 I1"}, seed=0), pool({0: "I1 I0", 1: "o0 x1"}, seed=1)])


def test_missing_problems_are_refused_or_left_out_of_every_row() -> None:
    pools = [pool({0: "o1 x0", 1: "x1 o0"}, seed=0), pool({0: "o1 x0"}, seed=1, asked=[1, 2])]
    with pytest.raises(UserError, match=r"2 of 2 python pools lack problems .* seed 0 lacks 1 of 3 \(humaneval/2\)"):
        build(pools)
    table = build(pools, partial=True)
    assert (table.coverage["python"].asked, table.coverage["python"].used) == (3, 1)
    assert rows_of(table)["r"].scores["python"].solved == 1.0
    with pytest.raises(UserError, match="share no problem of the 2 that were asked"):
        build([pool({0: "o1 x0"}, seed=0), pool({1: "o1 x0"}, seed=1)], partial=True)


def test_a_partial_table_leaves_out_problems_with_fewer_than_n_judged_candidates() -> None:
    """In seed 1 an answer to problem 1 was lost, and one to problem 2 could not be judged. r on problem 0 alone: 1
    in both seeds; with problem 1's one candidate, a right one, as its choice, random and r would gain by the loss."""
    pools = [
        pool({0: "o1 x0", 1: "x1 o0", 2: "x1 x0", 3: "o1 x0"}, seed=0),
        pool({0: "o1 x0", 1: "o1", 2: "o1 I0", 3: "I1 I0"}, seed=1),
    ]
    with pytest.raises(UserError, match=r"1 of 4 problems have fewer: humaneval/1 has 1; .* or for partial results"):
        build(pools)
    table = build(pools, partial=True)
    facts = table.coverage["python"]
    assert (facts.asked, facts.used, facts.unjudged, facts.left_out, facts.short) == (4, 1, 1, 2, 0)
    solved = {name: row.scores["python"].solved for name, row in rows_of(table).items()}
    assert solved == {"random": 0.5, "r": 1.0, "oracle": 1.0}
    assert build(hand_pools(), partial=True) == build(hand_pools())
    with pytest.raises(UserError, match="share no problem of which each has n = 2 judged candidates; ask for a sm"):
        build([pool({0: "o1", 1: "o1 I0"})], partial=True)


def test_what_cannot_share_a_table_is_refused() -> None:
    good = pool({0: "o1 x0"})
    with pytest.raises(UserError, match=r"different data revisions .* r1 \(made, python, seed 0\); r2 \(made, pyt"):
        build([good, pool({0: "o1 x0"}, seed=1, revision="r2")])
    with pytest.raises(UserError, match=r"different data revisions .* r1 \(made, .*; other \(made, python, seed 0\)"):
        build([replace(good, data_revision="other")])
    mixed = replace(good, problems=[*good.problems, problem(1, revision="r2")])
    with pytest.raises(UserError, match=r"different data revisions .* r1 \(made, .*; r2 \(made, python, seed 0\)"):
        build([mixed], partial=True)
    unknown = pool({0: "o1 x0"}, seed=1, revision="")
    with pytest.raises(UserError, match=r"different data revisions .* r1 .*; not recorded \(made, python, seed 1\)"):
        build([good, unknown])
    assert build([unknown]).coverage["python"].revision == "not recorded"
    other_file = build([good, pool({0: "o1 x0"}, "cpp", revision="r2")])
    assert [facts.revision for facts in other_file.coverage.values()] == ["r1", "r2"]
    with pytest.raises(UserError, match="n = 3 candidates asked, but 1 of 1 problems have fewer"):
        build([good], n=3)
    with pytest.raises(UserError, match="NaN"):
        build([pool({0: "onan x0"})])
    with pytest.raises(UserError, match="no score 'lever'"):
        build([good], (StoredRanker("lever"),))
    with pytest.raises(UserError, match="without a verdict"):
        build([pool({0: "o1 ?0"})])
    with pytest.raises(UserError, match="two pools of made in python with seed 0"):
        build([good, good])
    with pytest.raises(UserError, match="of one benchmark; the pools are of humaneval, mbpp"):
        build([good, pool({0: "o1 x0"}, benchmark="mbpp")])
    with pytest.raises(UserError, match="at least one pool"):
        build([])
    with pytest.raises(UserError, match="programs or problems in cpp; make one pool per language"):
        build([replace(good, problems=[*good.problems, problem(1, "cpp")])])
    with pytest.raises(UserError, match="not among the 0 loaded"):
        build([replace(good, problems=[])])


def test_programs_that_belong_to_no_pool_are_refused() -> None:
    good, cheat = [pool({0: "o1 x0"})], Submission("cheat", "python", candidates(0, "x"))
    with pytest.raises(UserError, match="cheat programs in bash: there is no pool .* pools of made in python"):
        build(good, submissions=[replace(cheat, language="bash")])
    with pytest.raises(UserError, match="greedy programs in python of other: there is no pool"):
        build(good, submissions=[replace(cheat, row="greedy", generator="other")])
    with pytest.raises(UserError, match="given twice"):
        build(good, submissions=[cheat, cheat])
    with pytest.raises(UserError, match="problems that are not among"):
        build(good, submissions=[replace(cheat, candidates=candidates(7, "x"))])


def test_provenance_is_in_the_table_and_survives_a_file() -> None:
    gold = Submission("gold", "python", [c for n in range(3) for c in candidates(n, "o")])
    table = build(hand_pools(), (R, MajorityRanker()), n=1, submissions=[gold], ceilings={"cpp": (160, 161)}, seed=4)
    settings = table.settings
    assert (settings["n"], settings["sampled"], settings["temperature"], settings["top_k"]) == (1, [2, 2], 0.7, 50)
    assert settings["seeds"] == {"made": {"python": [0, 1], "cpp": [0, 1]}}
    assert (settings["harness"], settings["toolchains"]) == ("strict 1", {"gcc": "12.2", "node": "20"})
    assert (settings["bootstrap"], settings["bootstrap_seed"], settings["baseline"]) == (200, 4, "random")
    assert list(settings["indifferent"]) == ["majority"]
    assert table.coverage["cpp"].revision == "r1" and table.coverage["cpp"].ceiling == (160, 161)
    assert Table.from_json(json.loads(json.dumps(table.to_json()))) == table
    assert table == build(
        hand_pools(), (R, MajorityRanker()), 1, submissions=[gold], ceilings={"cpp": (160, 161)}, seed=4
    )
