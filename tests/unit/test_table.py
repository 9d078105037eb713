"""The result table on a pool small enough to work out by hand."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import dataclass, field, replace
from itertools import chain

import pytest
from rich.console import Console

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import GREEDY, Entries, JudgedPool, Submission
from rewardranker.problems.types import Candidate, Problem, Test
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.protocol import Ranker
from rewardranker.tables.cycle import (
    build_cycle_table,
    from_results,
    known_rankers,
    markdown_table,
    terminal_table,
    texts,
    to_results,
)
from rewardranker.tables.names import label, per_cent, trained_in
from rewardranker.tables.notes import cycle_notes
from rewardranker.tables.ranked import Method
from rewardranker.tables.rows import Row, Score, Table

OK, WRONG, INFRA = Verdict.OK, Verdict.WRONG, Verdict.INFRA


def candidate(
    problem: str,
    verdict: Verdict | None,
    score: float = 0.0,
    logprob: float | None = None,
    signature: str = "",
    key: str = "rewardranker_1",
) -> Candidate:
    logprobs = [] if logprob is None else [logprob]
    return Candidate(
        problem,
        "python",
        "",
        "",
        "gen:test",
        logprobs=logprobs,
        verdict=verdict,
        signature=signature,
        scores={key: score},
    )


def problem(name: str, group: str = "") -> Problem:
    tests = (Test("assert True"),)
    return Problem(
        id=name,
        source="made",
        language="python",
        prompt="",
        entry_point="f",
        style="program",
        tests=tests,
        split="test",
        group_id=group or name,
        revision="r1",
    )


@dataclass(frozen=True)
class Pool:
    """One pool by problem id, with its greedy answers and guards."""

    candidates: dict[str, list[Candidate]]
    problems: dict[str, Problem]
    rankers: list[Ranker] = field(default_factory=list)
    greedy: dict[str, Candidate] = field(default_factory=dict)
    guards: list[Submission] = field(default_factory=list)


def build_table(pools: dict[str, Pool], bootstrap: int, seed: int) -> Table:
    entered = []
    for name, pool in pools.items():
        everyone = [c for group in pool.candidates.values() for c in group]
        judged = JudgedPool("made", "python", name, 0, list(pool.problems.values()), everyone)
        greedy = [Submission(GREEDY, "python", list(pool.greedy.values()), name)] if pool.greedy else []
        entered.append((Entries([judged], [*greedy, *pool.guards], mixed=True), pool.rankers))
    return build_cycle_table(entered, Method(bootstrap=bootstrap, seed=seed))


def score_of(row: Row) -> Score:
    (score,) = row.scores.values()
    return score


def pairs_of(row: Row) -> float | None:
    return row.metrics["pair_accuracy"].value if row.metrics else None


def pool_of(
    groups: dict[str, list[Candidate]],
    greedy: dict[str, Candidate] | None = None,
    score_keys: tuple[str, ...] = (),
) -> Pool:
    everyone = [c for group in groups.values() for c in group]
    problems = {name: problem(name) for name in groups}
    return Pool(groups, problems, known_rankers(everyone, score_keys), greedy or {})


def hand_pool() -> Pool:
    """Three problems, four candidates each (one of them INFRA).

    problem  verdicts (scores)                              random  oracle  reward  logprob  majority
    a        OK(3) WRONG(1) WRONG(0) WRONG(2)               1/4     1       1       0        0
    b        OK(1) OK(2) WRONG(2) INFRA(9, left out)        2/3     1       1/2     1        1
    c        WRONG(1) WRONG(1) WRONG(1) WRONG(1)            0       0       0       0        0
    """
    groups = {
        "a": [
            candidate("a", OK, 3, -2, "x"),
            candidate("a", WRONG, 1, -1, "y"),
            candidate("a", WRONG, 0, -3, "y"),
            candidate("a", WRONG, 2, -4, ""),
        ],
        "b": [
            candidate("b", OK, 1, -1, "x"),
            candidate("b", OK, 2, -2, "x"),
            candidate("b", WRONG, 2, -3, "y"),
            candidate("b", INFRA, 9, -0.1),
        ],
        "c": [candidate("c", WRONG, 1, -1, "z") for _ in range(4)],
    }
    greedy = {"a": candidate("a", OK), "b": candidate("b", WRONG), "c": candidate("c", WRONG)}
    return pool_of(groups, greedy)


def on_terminal(table: Table, width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(terminal_table(table, width))
    return out.getvalue()


def rows_of(pool: Pool) -> dict[str, Row]:
    return {row.ranker: row for row in build_table({"pool": pool}, bootstrap=100, seed=0).rows}


def test_rows_by_hand() -> None:
    """random (1/4 + 2/3 + 0)/3 = 11/36; oracle 2/3 = 24/36, so the gap is 13/36; reward (1 + 1/2)/3 = 18/36
    closes 7/13 of it; greedy, logprob and majority 1/3 = 12/36 close 1/13."""
    rows = rows_of(hand_pool())
    assert list(rows) == ["random", "greedy", "logprob", "majority", "rewardranker_1", "oracle"]
    solved = {name: score_of(row).solved for name, row in rows.items()}
    assert solved == pytest.approx(
        {
            "random": 11 / 36,
            "greedy": 1 / 3,
            "logprob": 1 / 3,
            "majority": 1 / 3,
            "rewardranker_1": 1 / 2,
            "oracle": 2 / 3,
        }
    )
    gaps = {name: score_of(row).gap_closed for name, row in rows.items()}
    assert gaps == pytest.approx(
        {
            "random": 0,
            "greedy": 1 / 13,
            "logprob": 1 / 13,
            "majority": 1 / 13,
            "rewardranker_1": 7 / 13,
            "oracle": 1,
        }
    )
    assert score_of(rows["random"]).versus is None
    reward = score_of(rows["rewardranker_1"])
    assert reward.versus is not None
    assert reward.versus[0] == pytest.approx(7 / 36)
    assert reward.low <= reward.solved <= reward.high
    assert (reward.n, reward.problems, score_of(rows["greedy"]).n) == (4, 3, 1)


def test_pair_accuracy_is_a_mean_over_problems_with_pairs() -> None:
    """reward: a 1 (3 beats all), b (1<2, 2=2) = .25, c has no pair -> .625. logprob: a (-2 loses to -1, beats
    -3 and -4) = 2/3, b 1 -> 5/6."""
    rows = rows_of(hand_pool())
    assert pairs_of(rows["rewardranker_1"]) == pytest.approx(0.625)
    assert pairs_of(rows["logprob"]) == pytest.approx(5 / 6)
    assert {pairs_of(rows[name]) for name in ("random", "greedy", "oracle")} == {None}


def test_unjudgeable_candidates_are_left_out_and_counted() -> None:
    pool = hand_pool()
    groups = {**pool.candidates, "d": [candidate("d", INFRA), candidate("d", Verdict.NO_TOOLCHAIN)]}
    table = build_table({"pool": pool_of(groups)}, bootstrap=10, seed=0)
    assert table.settings["pools"]["pool"] == {
        "problems": 3,
        "candidates": 14,
        "excluded": 3,
        "never_judged": {"INFRA": 2, "NO_TOOLCHAIN": 1},
        "dropped_problems": 1,
    }
    assert {score_of(row).problems for row in table.rows} == {3}
    wanted = "3 of 14 candidates not judged and left out (INFRA 2, NO_TOOLCHAIN 1)"
    assert wanted in markdown_table(table) and wanted in " ".join(on_terminal(table).split())
    earlier = {k: v for k, v in table.settings["pools"]["pool"].items() if k != "never_judged"}
    read = from_results({**to_results(table), "settings": {**table.settings, "pools": {"pool": earlier}}})
    assert "3 of 14 candidates not judged and left out (problems lost" in markdown_table(read)  # of an older run


def guarded(gold: str, cheat: str) -> Table:
    """The hand pool's three problems with guards, a letter for each: right, wrong or not judged."""
    verdicts = {"o": OK, "x": WRONG, "I": INFRA}
    guards = [
        Submission(row, "python", [candidate(name, verdicts[one]) for name, one in zip("abc", spec, strict=True)])
        for row, spec in (("gold", gold), ("cheat", cheat))
    ]
    return build_table({"p": replace(hand_pool(), guards=guards)}, bootstrap=50, seed=0)


def test_guards_are_rows_after_the_oracle_and_raise_alarms() -> None:
    """Nobody chose them: neither a difference to random nor a gap. The cheat's program for c was not judged."""
    table = guarded("ooo", "xxI")
    assert table.alarms() == []
    rows = {row.ranker: row for row in table.rows}
    assert list(rows)[-3:] == ["oracle", "gold", "cheat"]
    gold, cheat = score_of(rows["gold"]), score_of(rows["cheat"])
    assert (gold.solved, gold.problems, cheat.solved, cheat.problems) == (1, 3, 0, 2)
    assert {(one.n, one.versus, one.gap_closed) for one in (gold, cheat)} == {(1, None, None)}
    assert pairs_of(rows["gold"]) is pairs_of(rows["cheat"]) is None
    for text in (markdown_table(table), on_terminal(table)):
        shown = [line for line in text.splitlines() if "Reference solutions" in line or "Constant-returning" in line]
        assert [re.findall(r"\d+\.\d", line)[0] for line in shown] == ["100.0", "0.0"]
        assert "Guards without a judged program" not in text and "ALARM" not in text
    wrong = guarded("oxo", "oxI")
    assert wrong.alarms() == [
        "reference solutions fail 1 of 3 problems in pool p, where 0 are known to be unsolvable",
        "programs that return a constant solve 50.0 % in pool p",
    ]
    for text in (markdown_table(wrong), " ".join(on_terminal(wrong).split())):
        assert all(f"ALARM: {alarm}" in text for alarm in wrong.alarms())
    assert from_results(json.loads(json.dumps(to_results(wrong)))).alarms() == wrong.alarms()
    without = build_table({"p": hand_pool()}, bootstrap=10, seed=0)
    lacking = "Guards without a judged program: reference solutions and constant-returning programs"
    assert lacking in cycle_notes(without) and lacking not in cycle_notes(wrong)
    lost = pool_of({**hand_pool().candidates, "d": [candidate("d", INFRA)]})
    failing = [candidate(name, OK if name in "abc" else WRONG) for name in "abcd"]
    last = build_table({"p": replace(lost, guards=[Submission("gold", "python", failing)])}, 10, 0).rows[-1]
    assert (last.ranker, score_of(last).solved, score_of(last).problems) == (
        "gold",
        1.0,
        3,
    )  # on the problems of the other rows
    stray = replace(hand_pool(), guards=[Submission("gold", "python", [candidate("z", OK)])])
    with pytest.raises(UserError, match="candidates of 1 problems that are not among the 3"):
        build_table({"p": stray}, bootstrap=10, seed=0)


def test_a_cycle_may_be_of_several_languages_and_revisions() -> None:
    pool = hand_pool()
    problems = {**pool.problems, "b": replace(pool.problems["b"], language="cpp", revision="r2")}
    groups = {**pool.candidates, "b": [replace(one, language="cpp") for one in pool.candidates["b"]]}
    found = build_table({"pool": replace(pool, problems=problems, candidates=groups)}, bootstrap=100, seed=0)
    assert found == build_table({"pool": pool}, bootstrap=100, seed=0)


def test_a_table_of_one_language_says_so() -> None:
    pool = hand_pool()
    judged = JudgedPool("made", "cpp", "p", 0, list(pool.problems.values()), [*chain(*pool.candidates.values())])
    found = build_cycle_table([(Entries([judged], mixed=True), pool.rankers)], Method(bootstrap=10), "cpp")
    assert found.name == "C++" and from_results(json.loads(json.dumps(to_results(found)))) == found
    assert "C++: problems solved by the chosen candidate" in on_terminal(found)
    assert found.rows == build_table({"p": replace(pool, greedy={})}, bootstrap=10, seed=0).rows


def test_a_greedy_candidate_that_could_not_be_judged_drops_its_problem_from_both_sides() -> None:
    """Without a: greedy 0/2; random on the same problems (2/3 + 0)/2 = 1/3."""
    pool = hand_pool()
    greedy = score_of(rows_of(pool_of(dict(pool.candidates), {**pool.greedy, "a": candidate("a", INFRA)}))["greedy"])
    assert (greedy.problems, greedy.solved) == (2, 0.0)
    assert greedy.versus is not None
    assert greedy.versus[0] == pytest.approx(-1 / 3)


def test_order_of_score_keys() -> None:
    keys = [
        "rewardranker_3_x",
        "rewardranker_2_selftraining",
        "rewardranker_control",
        "rewardranker_1",
        "rewardranker_2_hardnegatives",
    ]
    group = [
        Candidate("a", "python", "", "", "gen:test", verdict=OK, scores={**dict.fromkeys(keys, 1.0), "lever": 2})
    ]
    found = list(rows_of(pool_of({"a": group})))
    assert found == [
        "random",
        "rewardranker_1",
        "rewardranker_control",
        "rewardranker_2_hardnegatives",
        "rewardranker_2_selftraining",
        "rewardranker_3_x",
        "oracle",
    ]
    assert list(rows_of(pool_of({"a": group}, score_keys=("lever",)))) == ["random", "lever", "oracle"]


def test_no_gap_is_none() -> None:
    rows = rows_of(pool_of({"a": [candidate("a", OK), candidate("a", OK)]}))
    assert {score_of(row).gap_closed for row in rows.values()} == {None}
    assert pairs_of(rows["rewardranker_1"]) is None
    assert texts(rows["rewardranker_1"])[4:] == ("–", "–")


def test_what_is_missing_is_named() -> None:
    pool = hand_pool()
    with pytest.raises(UserError, match="pool p, python, seed 0: problem a has candidates without a verdict"):
        build_table({"p": pool_of({"a": [candidate("a", None)]})}, 10, 0)
    with pytest.raises(UserError, match="1 of 3 problems have no judged greedy candidate \\(c\\)"):
        build_table({"p": pool_of(dict(pool.candidates), {k: pool.greedy[k] for k in "ab"})}, 10, 0)
    with pytest.raises(UserError, match="problem a, candidate 0: no score 'other'"):
        build_table({"p": pool_of(dict(pool.candidates), score_keys=("other",))}, 10, 0)
    with pytest.raises(UserError, match="a candidate of problem b has NaN as its score by rewardranker_1"):
        build_table({"p": pool_of({**pool.candidates, "b": [candidate("b", OK, math.nan)]})}, 10, 0)
    with pytest.raises(UserError, match="none of the 1 pools has a candidate that could be judged"):
        build_table({"p": pool_of({"a": [candidate("a", INFRA)]})}, 10, 0)


def sure_winner() -> Pool:
    """Thirty problems, one of two candidates right: rewardranker_1 always picks it, logprob never."""
    groups = {str(i): [candidate(str(i), OK, 1.0, -2), candidate(str(i), WRONG, 0.0, -1)] for i in range(30)}
    return pool_of(groups)


def test_intervals_draw_near_duplicates_together() -> None:
    """Thirty problems, half solved. In groups of ten equal ones there are three draws and not thirty: wider by
    sqrt(10), up to the bounds of a share."""
    groups = {str(i): [candidate(str(i), OK if i < 15 else WRONG)] for i in range(30)}
    problems = {name: problem(name, f"group {int(name) // 10}") for name in groups}
    alone, together = (
        score_of(build_table({"p": pool}, bootstrap=500, seed=0).rows[0])
        for pool in (pool_of(groups), Pool(groups, problems))
    )
    assert alone.solved == together.solved == 0.5
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_json_round_trip_and_exact_row_fields() -> None:
    table = build_table({"pool": hand_pool(), "b|ar": sure_winner()}, bootstrap=50, seed=3)
    through_a_file = json.loads(json.dumps(to_results(table)))
    assert from_results(through_a_file) == table
    fields = ["pool", "ranker", "solved", "n", "problems", "ci_low", "ci_high"]
    assert list(through_a_file["rows"][0]) == [*fields, "gap_closed", "vs_random", "pair_accuracy"]
    assert through_a_file["settings"]["seed"] == 3
    assert table == build_table({"pool": hand_pool(), "b|ar": sure_winner()}, bootstrap=50, seed=3)


def test_markdown_and_terminal_show_people_the_same_rows() -> None:
    table = build_table({"sft": sure_winner(), "[red]": hand_pool()}, bootstrap=50, seed=0)
    markdown = markdown_table(table)
    assert "| **RewardRanker (1 iter.)** | **100.0** |" in markdown
    assert "| Mean log-probability | 0.0 |" in markdown
    assert "1 of 12 candidates" in markdown
    terminal = io.StringIO()
    Console(file=terminal, width=160, color_system="standard", force_terminal=True).print(terminal_table(table))
    text = terminal.getvalue()
    assert "pool [red]" in text  # a pool's name is not markup
    lines = text.splitlines()
    winner, loser = (next(x for x in lines if name in x) for name in ("RewardRanker (1 iter.)", "Mean log-prob"))
    assert "\x1b[1m" in winner and "\x1b[1m" not in loser


def test_terminal_cuts_nothing_and_says_what_pools_share_once() -> None:
    """The longest names and numbers that occur, on all widths: whole at 100 columns, wrapped below."""
    ranker, versus = "rewardranker_2_hardnegatives", (-0.295, -0.354, -0.241)
    flat = {"ranker": ranker, "solved": 1.0, "n": 10, "problems": 200, "ci_low": 0.999, "ci_high": 1.0}
    flat |= {"gap_closed": 1.0, "vs_random": versus, "pair_accuracy": 1.0}
    rows = [{"pool": pool, **flat} for pool in ("sft", "ppo_1")]
    counts = {"problems": 200, "candidates": 2000, "excluded": 0, "dropped_problems": 0}
    settings = {"bootstrap": 2000, "seed": 0, "pools": {"sft": counts, "ppo_1": counts}, "temperature": 0.7}
    table = from_results({"rows": rows, "settings": settings | {"judge": "[red]abc"}})
    for width in (120, 100, 80):
        text = on_terminal(table, width)
        assert "…" not in text
        assert text.count("−29.5 [−35.4, −24.1]") == text.count("99.9 – 100.0") == 2
        assert ("RewardRanker, 2 iter., hard negatives" in text) == (width >= 100)
        assert text.count("RewardRanker,") == 2  # no word of a name is cut
        assert "sft, ppo_1: 200 problems, n = 10 candidates each, all judged" in text
        assert "temperature 0.7, seed 0, judge [red]abc" in text
        assert text.count("percentile bootstrap") == 1


def test_notes_tell_pools_apart_where_they_differ() -> None:
    hand = hand_pool()
    more = {**hand.candidates, "d": [candidate("d", INFRA), candidate("d", INFRA)]}
    notes = cycle_notes(build_table({"small": sure_winner(), "hand": pool_of(more)}, bootstrap=10, seed=0))
    assert notes[0] == "small: 30 problems, n = 2 candidates each, all judged"
    lost = "3 of 14 candidates not judged and left out (INFRA 3, NO_TOOLCHAIN 0) (problems lost entirely: 1)"
    assert notes[1] == f"hand: 3 problems, n = 4 candidates each, {lost}"


def test_per_cent_rounds_halves_up_however_the_share_was_computed() -> None:
    assert per_cent(0.4145) == per_cent(0.41450000000000004) == "41.5"
    assert (per_cent(0.5825), per_cent(-0.102, "+"), per_cent(1.0)) == ("58.3", "−10.2", "100.0")


def test_labels() -> None:
    assert label("rewardranker_1") == "RewardRanker (1 iter.)"
    assert label("rewardranker_2_hardnegatives") == "RewardRanker, 2 iter., hard negatives"
    assert label("rewardranker_3_selftraining") == "RewardRanker, 3 iter., self-training"
    assert label("rewardranker_3_other") == "RewardRanker, 3 iter., other"
    assert label("rewardranker_2_randomnegatives") == "RewardRanker, 2 iter., random negatives"
    assert label("coderanker_2") == "CodeRanker (2)" and label("rewardranker_mine") == "RewardRanker (mine)"
    assert label("lever") == "lever" and label("ppo_2_hardnegatives") == "ppo_2_hardnegatives"


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("01-sft", "sft"),
        ("04-reward-1", "rewardranker_1"),
        ("reward-control", "rewardranker_control"),
        ("09-reward-2-hardnegatives", "rewardranker_2_hardnegatives"),
        ("ppo-2-selftraining", "ppo_2_selftraining"),
    ],
)
def test_what_a_stage_trains_has_one_name(stage: str, name: str) -> None:
    assert trained_in(stage) == name
