"""Data sets by shards: one map over them, from contest data to triplets and a corpus that training reads by index."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from shard_steps import Double

from rewardranker.config.schema import EngineConfig, MiningConfig, OptimConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.mining.hard_negatives import hard_negatives, mined_triplets
from rewardranker.mining.io import SCHEMA as TRIPLET
from rewardranker.mining.nearest import Neighbours
from rewardranker.mining.pairing import PairCaps, pair_up
from rewardranker.mining.steps import Execute, MineHardNegatives, PairPrograms, disagreement, label_of
from rewardranker.mining.triplets import first_triplets
from rewardranker.models.encoding import encode_pair
from rewardranker.models.limits import UNREAD, Limits
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.contests import code_contests, codeforces
from rewardranker.problems.contests.corpus import ContestOptions
from rewardranker.problems.contests.importing import import_contests
from rewardranker.problems.contests.made_data import Made as MadeData
from rewardranker.problems.contests.made_data import write_code_contests, write_codeforces
from rewardranker.problems.shards import RUN, problem_table, problems_of
from rewardranker.problems.types import Candidate, Problem, Test, Triplet
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.record import Reading
from rewardranker.reranking.scorer import Scorer
from rewardranker.reranking.steps import ScorePrograms
from rewardranker.runs.seeds import derive_seed
from rewardranker.runs.shards import (
    NOTE,
    InProcesses,
    Made,
    Shard,
    counts_in,
    map_shards,
    shard_path,
    shards_in,
    stream_shards,
)
from rewardranker.training.corpus import Corpus, TokeniseTriplets, own_share
from rewardranker.training.objectives import PairObjective
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup

MADE = MadeData(problems=12, held_out=2, right=4, wrong=4)
LANGUAGES = ["cpp", "python"]


def numbers(folder: Path, shards: int = 5) -> Path:
    parts = [[Made(pa.table({"n": [i, i + 1], "unread": ["a", "b"]}))] for i in range(shards)]
    stream_shards("numbers", {}, parts, [folder])
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def told(run: Callable[[Callable[[str], None]], object]) -> list[str]:
    lines: list[str] = []
    run(lines.append)
    return lines


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs of made contest data, in shards of five problems."""
    folder = tmp_path_factory.mktemp("contests")
    write_code_contests(folder / "hub", MADE)
    options = ContestOptions(path=str(folder / "hub"), languages=LANGUAGES)
    import_contests(partial(code_contests.tasks, options), options, folder, size=5)
    return folder


@pytest.fixture(scope="module")
def triplets(imported: Path) -> Path:
    step = PairPrograms(PairCaps(each=2), seed=3, labels="given")
    map_shards(step, {"problems": imported / "problems", "programs": imported / "programs"}, imported / "triplets")
    return imported / "triplets"


# ------------------------------------------------------------------------------------------------------------ the map


def test_a_map_has_a_shard_for_every_shard_and_the_same_bytes_whatever_does_it(tmp_path: Path) -> None:
    source = {"numbers": numbers(tmp_path / "numbers")}
    counts = map_shards(Double(), source, tmp_path / "one")
    assert counts == {"rows": 10} == counts_in(tmp_path / "one")
    assert [pq.read_table(path)["twice"].to_pylist() for path in shards_in(tmp_path / "one")][3] == [6, 8]
    map_shards(Double(), source, tmp_path / "two", InProcesses(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_is_there_is_not_made_again_and_what_was_cut_off_goes_on(tmp_path: Path) -> None:
    source, target = {"numbers": numbers(tmp_path / "numbers")}, tmp_path / "target"
    with pytest.raises(UserError, match="no more"):
        map_shards(Double(breaks=3), source, target)
    with pytest.raises(UserError, match=r"has 3 of 5 shards, shard 3 is missing: the step that writes it \(double\)"):
        shards_in(target)
    before = {path: path.stat().st_mtime_ns for path in target.glob("shard-*")}
    lines = told(lambda say: map_shards(Double(), source, target, say=say))
    assert lines == [f"double: 3 of 5 shards are there already, in {target}"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    map_shards(Double(), source, tmp_path / "whole")
    assert contents(target) == contents(tmp_path / "whole")


def test_an_error_in_another_process_is_the_one_that_it_was(tmp_path: Path) -> None:
    source = {"numbers": numbers(tmp_path / "numbers")}
    with pytest.raises(UserError, match="no more"):
        map_shards(Double(breaks=1), source, tmp_path / "target", InProcesses(2))


def test_what_changed_is_named_and_made_again(tmp_path: Path) -> None:
    source, target = numbers(tmp_path / "numbers"), tmp_path / "target"
    map_shards(Double(), {"numbers": source}, target)
    changed = shard_path(source, 2)
    pq.write_table(pa.table({"n": [70, 80]}), changed)
    lines = told(lambda say: map_shards(Double(), {"numbers": source}, target, say=say))
    assert lines[1] == f"double: 1 shards are made again, the first, shard 2: {changed} has changed since"
    assert pq.read_table(shard_path(target, 2))["twice"].to_pylist() == [140, 160]
    lines = told(lambda say: map_shards(Double(3), {"numbers": source}, target, say=say))
    assert lines[1] == "double: 5 shards are made again, the first, shard 0: other settings (factor)"
    shard_path(target, 4).write_bytes(b"cut")
    lines = told(lambda say: map_shards(Double(3), {"numbers": source}, target, say=say))
    assert lines[1] == "double: 1 shards are made again, the first, shard 4: it cannot be read"


def test_what_a_step_cannot_read_is_named(tmp_path: Path) -> None:
    source = numbers(tmp_path / "numbers", 2)
    pq.write_table(pa.table({"m": [1]}), shard_path(source, 0))
    with pytest.raises(UserError, match=r"shard-00000.parquet lacks column n; it has m"):
        map_shards(Double(), {"numbers": source}, tmp_path / "target")
    whole = shard_path(source, 1).read_bytes()
    shard_path(source, 0).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        UserError, match=r"shard-00000.parquet cannot be read .*: it was damaged since it was written"
    ):
        map_shards(Double(), {"numbers": source}, tmp_path / "target")


def test_directories_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    few, many = numbers(tmp_path / "few", 2), numbers(tmp_path / "many", 3)
    with pytest.raises(UserError, match="unequal numbers of shards"):
        map_shards(Double(), {"numbers": few, "others": many}, tmp_path / "target")
    map_shards(Double(), {"numbers": many}, tmp_path / "target")
    with pytest.raises(UserError, match=r"holds shard-00002.parquet, and double makes 2 shards"):
        map_shards(Double(), {"numbers": few}, tmp_path / "target")
    with pytest.raises(UserError, match="holds no shards"):
        map_shards(Double(), {"numbers": tmp_path}, tmp_path / "target")
    one, two = pa.table({"a": [1]}), pa.table({"b": [1, 2]})
    with pytest.raises(UserError, match="rows do not belong together, there are 1 .* 2"):
        Shard(0, {"x": tmp_path}).side_by_side(one, two)


def test_a_stream_that_was_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    def parts() -> Iterator[list[Made]]:
        yield [Made(pa.table({"n": [1]}))]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream_shards("numbers", {}, parts(), [tmp_path])
    with pytest.raises(UserError, match="1 of more shards"):
        shards_in(tmp_path)


# ------------------------------------------------------------------------------------------------------------- import


def test_contest_data_come_as_shards_of_problems_and_all_their_programs(imported: Path) -> None:
    assert len(shards_in(imported / "problems")) == len(shards_in(imported / "programs")) == 4  # 16 in shards of 5
    problems, rows = everything(imported)
    assert len(problems) == 2 * 16 and {p.split for p in problems.values()} == {"train", "validation", "test"}
    assert all(len(problem.tests) > 3 for problem in problems.values())
    assert {row["problem_id"] for row in rows} <= problems.keys()
    counts = counts_in(imported / "programs")
    assert counts["left out: programs in python2"] == 16
    assert counts["programs in cpp, right"] == sum(row["right"] and row["language"] == "cpp" for row in rows)
    assert len({(row["problem_id"], row["code"]) for row in rows}) == len(rows)


def test_an_import_goes_on_and_says_the_same(imported: Path, tmp_path: Path) -> None:
    options = ContestOptions(path=str(imported / "hub"), languages=LANGUAGES)
    for _ in range(2):
        import_contests(partial(code_contests.tasks, options), options, tmp_path, size=5)
        shard_path(tmp_path / "programs", 1).unlink()
    import_contests(partial(code_contests.tasks, options), options, tmp_path, size=5)
    for part in ("problems", "programs"):
        assert contents(tmp_path / part) == contents(imported / part)


def test_programs_that_lie_apart_from_their_problems_are_sorted_to_them(tmp_path: Path) -> None:
    write_codeforces(tmp_path, MADE)
    where = {"path": str(tmp_path / "problems"), "submissions": str(tmp_path / "submissions")}
    options = codeforces.CodeforcesOptions(**where, languages=LANGUAGES, held_out=0.0)  # type: ignore[arg-type]
    read, submitted = partial(codeforces.tasks, options), partial(codeforces.submissions, options)
    import_contests(read, options, tmp_path / "shards", submitted, size=5)
    problems, rows = everything(tmp_path / "shards")
    by_problem = {name: [row for row in rows if row["problem_id"] == name] for name in problems}
    assert all(by_problem.values())
    assert {row["outcome"] for row in rows if row["right"]} == {"OK"}
    assert all(row["passed"] is not None for row in rows)


def everything(folder: Path) -> tuple[dict[str, Problem], list[dict[str, Any]]]:
    problems, rows = {}, []
    for index, path in enumerate(shards_in(folder / "problems")):
        problems |= problems_of(Shard(index, {"problems": path}), columns=RUN)
        rows += pq.read_table(shard_path(folder / "programs", index)).to_pylist()
    return problems, rows


def test_problems_come_back_as_they_were(tmp_path: Path) -> None:
    own = Problem(id="a", language="python", prompt="p", style="stdio", tests=(Test("1", "2"), Test("3")), setup="s")
    stream_shards("problems", {}, [[Made(problem_table([own]))]], [tmp_path])
    assert problems_of(Shard(0, {"problems": shard_path(tmp_path, 0)}), columns=RUN) == {"a": own}


# ------------------------------------------------------------------------------------------ labels that are run again


@pytest.mark.parametrize(
    ("right", "verdict", "agree", "ours"),
    [
        (True, Verdict.OK, True, True),
        (True, Verdict.WRONG, None, False),
        (False, Verdict.OK, None, True),
        (False, Verdict.RUNTIME_ERROR, False, False),
        (False, Verdict.TIMEOUT, None, None),
        (True, Verdict.INFRA, None, None),
        (None, Verdict.OK, True, True),
        (None, Verdict.WRONG, False, False),
    ],
)
def test_what_makes_a_label(right: bool | None, verdict: Verdict, agree: bool | None, ours: bool | None) -> None:
    assert label_of("agree", right, verdict) is agree
    assert label_of("verdict", right, verdict) is ours
    assert label_of("given", right, verdict) is right


def test_programs_are_run_again_and_both_opinions_are_kept(tmp_path: Path) -> None:
    sums = Problem(id="sum", source="s", language="python", prompt="", style="stdio", tests=(Test("1 2\n", "3\n"),))
    right, wrong = ("print(sum(map(int, input().split())))\n", "print(0)\n")
    said = [(right, True), (wrong, False), (wrong + "\n", True), (right + "# a\n", False), ("x", None)]
    rows = [{"problem_id": "sum", "code": code, "right": label} for code, label in said]
    parts = [[Made(problem_table([sums])), Made(pa.Table.from_pylist(rows))]]
    stream_shards("s", {}, parts, [tmp_path / "problems", tmp_path / "programs"])
    sources = {name: tmp_path / name for name in ("problems", "programs")}
    counts = map_shards(Execute(("python",), minimum_tier="D"), sources, tmp_path / "verdicts")
    found = pq.read_table(shard_path(tmp_path / "verdicts", 0))["verdict"].to_pylist()
    assert found == ["OK", "WRONG", "WRONG", "OK", "RUNTIME_ERROR"]
    assert disagreement(counts) == {"s python": {"right_fails": 0.5, "wrong_passes": 0.5, "programs": 4}}


# -------------------------------------------------------------------------------------------------------------- pairs


def verdict(row: Mapping[str, Any]) -> Verdict:
    return Verdict.OK if row["right"] else Verdict.WRONG


def as_triplets(folder: Path) -> list[Triplet]:
    rows = [row for path in shards_in(folder) for row in pq.read_table(path, columns=TRIPLET.names).to_pylist()]
    return [Triplet(**row) for row in rows]


def test_pairs_of_shards_are_the_pairs_of_each_problem(imported: Path, tmp_path: Path) -> None:
    sources = {name: imported / name for name in ("problems", "programs")}
    step = PairPrograms(PairCaps(pairs=6), seed=1, labels="given")
    counts = map_shards(step, sources, tmp_path)
    problems, rows = everything(imported)
    expected = []
    for name, problem in problems.items():
        pool = [
            Candidate(
                name,
                row["language"],
                row["code"],
                row["code"],
                "human",
                verdict=Verdict.OK if row["right"] else Verdict.WRONG,
            )
            for row in rows
            if row["problem_id"] == name
        ]
        if problem.split == "train":
            expected += first_triplets(problem, pool, 6, derive_seed(1, name))
    assert as_triplets(tmp_path) == expected and expected
    map_shards(step, sources, tmp_path / "again", InProcesses(2))
    assert [path.read_bytes() for path in shards_in(tmp_path / "again")] == [
        path.read_bytes() for path in shards_in(tmp_path)
    ]
    assert sum(count for name, count in counts.items() if name.startswith("triplets: ")) == len(expected)


def test_pairs_hold_their_distance_and_how_near_the_failing_one_came(imported: Path, triplets: Path) -> None:
    rows = [row for path in shards_in(triplets) for row in pq.read_table(path).to_pylist()]
    for row in rows:
        if row["origin"] == "levenshtein":
            assert row["distance"] == Levenshtein.distance(row["chosen"], row["rejected"])
        else:
            assert row["distance"] == -1
    assert all(row["hardness"] is None for row in rows)  # CodeContests does not say how many tests passed


def test_only_what_both_say_makes_a_pair(tmp_path: Path) -> None:
    task = Problem(id="p", language="python", prompt="", style="stdio", tests=(Test("", ""),))
    said = [("a", True, "OK", 9), ("b", True, "WRONG", 5), ("c", False, "OK", 9), ("d", False, "WRONG", 3)]
    keys = ("code", "right", "verdict", "tests_passed")
    rows = [dict(zip(keys, row, strict=True)) for row in said]
    shared = {"problem_id": "p", "source": "human", "passed": None, "tests_total": 9}
    table = pa.Table.from_pylist([row | shared for row in rows], None)
    table = table.set_column(table.schema.get_field_index("passed"), "passed", pa.nulls(4, pa.int32()))
    folders = [tmp_path / name for name in ("problems", "programs", "verdicts")]
    stream_shards("s", {}, [[Made(problem_table([task])), Made(table), Made(table)]], folders)
    sources = {folder.name: folder for folder in folders}
    columns = table.select([n for n in table.column_names if n not in ("verdict", "tests_passed", "tests_total")])
    pq.write_table(columns, shard_path(tmp_path / "programs", 0))
    for labels, expected in (("agree", {("a", "d")}), ("verdict", {(x, y) for x in "ac" for y in "bd"})):
        step = PairPrograms(PairCaps(each=2), labels=labels)  # type: ignore[arg-type]
        map_shards(step, sources, tmp_path / labels)
        rows = pq.read_table(shard_path(tmp_path / labels, 0)).to_pylist()
        assert {(row["chosen"].strip("`python\n"), row["rejected"].strip("`python\n")) for row in rows} == expected
        assert {row["hardness"] for row in rows} <= {np.float32(3 / 9), np.float32(5 / 9)}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab(", max_size=8), min_size=1, max_size=12), st.text("ab(", max_size=8), st.integers(1, 5))
def test_the_nearest_few_are_those_of_all_distances(texts: list[str], text: str, count: int) -> None:
    ordered = sorted((Levenshtein.distance(text, other), index) for index, other in enumerate(texts))[:count]
    assert [(match.distance, match.index) for match in Neighbours(texts).near(text, count)] == ordered


def test_a_failing_program_can_have_several_of_both_kinds() -> None:
    passing, failing = ["aaa", "aab", "abb", "bbb"], ["aaac", "bbbc"]
    pairs = pair_up(passing, failing, PairCaps(each=3), seed=0)
    for index in range(2):
        own = [pair for pair in pairs if pair.rejected == index]
        assert [pair.origin for pair in own] == ["levenshtein"] * 3 + ["random"] * 3
        assert [pair.distance for pair in own[:3]] == [1, 2, 3]
        assert len({pair.chosen for pair in own[3:]}) == 3
    capped = pair_up(passing, failing, PairCaps(each=3, pairs=5), seed=0)
    assert len(capped) == 5 and set(capped) <= set(pairs)


# ------------------------------------------------------------------------------------------------------------- mining


@pytest.mark.parametrize("variant", ["hardnegatives", "selftraining", "randomnegatives"])
def test_hard_negatives_of_shards_are_those_of_each_problem(imported: Path, tmp_path: Path, variant: str) -> None:
    rng = np.random.default_rng(0)
    for index, path in enumerate(shards_in(imported / "programs")):
        rows = pq.read_table(path).to_pylist()
        verdicts = [{"verdict": "OK" if row["right"] else "WRONG", "message": ""} for row in rows]
        scores = {"score_r": rng.random(len(rows))}
        for name, table in (("verdicts", pa.Table.from_pylist(verdicts)), ("scores", pa.table(scores))):
            (tmp_path / name).mkdir(exist_ok=True)
            pq.write_table(table, shard_path(tmp_path / name, index))
    step = MineHardNegatives("r", variant, 2, seed=5)
    own = {name: tmp_path / name for name in ("verdicts", "scores")}
    sources = {name: imported / name for name in ("problems", "programs")} | own
    map_shards(step, sources | {"references": imported / "programs"}, tmp_path / "mined")
    mined = as_triplets(tmp_path / "mined")
    problems, rows = everything(imported)
    stored = [v for path in shards_in(tmp_path / "scores") for v in pq.read_table(path)["score_r"].to_pylist()]
    expected = []
    for name, problem in problems.items():
        of = [(row, score) for row, score in zip(rows, stored, strict=True) if row["problem_id"] == name]
        pool = [
            Candidate(
                name,
                "",
                "",
                row["code"],
                "human",
                verdict=Verdict.OK if row["right"] else Verdict.WRONG,
                scores={"r": score},
            )
            for row, score in of
        ]
        if problem.split == "train" and pool:
            hard = hard_negatives(pool, "r", MiningConfig())
            right = [row["code"] for row, _ in of if row["right"]]
            expected += mined_triplets(problem, pool, hard, right, variant, 2, derive_seed(5, "mine", variant, name))
    assert mined == [t for t in expected if t.chosen != t.rejected] and mined


# ------------------------------------------------------------------------------------------------------------- corpus


@pytest.fixture(scope="module")
def tokenizer(imported: Path) -> str:
    _, rows = everything(imported)
    build_tiny_model(TinyConfig(), imported / "model", [row["code"] for row in rows[:20]], 0)
    return str(imported / "model")


def test_a_corpus_holds_the_tokens_of_every_pair(triplets: Path, tokenizer: str, tmp_path: Path) -> None:
    step = TokeniseTriplets(tokenizer, chat=False, max_tokens=10_000)
    counts = map_shards(step, {"triplets": triplets}, tmp_path)
    corpus, pairs, loaded = Corpus(tmp_path), as_triplets(triplets), load_tokenizer(tokenizer)
    assert len(corpus) == len(pairs) == counts["examples"]
    for index in (0, len(pairs) // 2, len(pairs) - 1):
        t = pairs[index]
        expected = tuple(encode_pair(loaded, t.prompt, code, False) for code in (t.chosen, t.rejected))
        assert corpus[index] == expected
        assert corpus.lengths[index] == sum(map(len, expected))
    assert counts["texts"] < 2 * len(pairs)  # each program is there once
    names = [t.problem_id for t in pairs]
    assert [names.index(name) for name in names] == [corpus.groups.tolist().index(g) for g in corpus.groups.tolist()]
    again = pickle.loads(pickle.dumps(corpus))
    assert len(pickle.dumps(corpus)) < 1000 and again[3] == corpus[3]


def test_a_rank_reads_its_own_share_of_a_minibatch_and_it_is_that_of_the_examples(
    triplets: Path, tokenizer: str, tmp_path: Path
) -> None:
    folder = _tokenised(triplets, tokenizer, tmp_path, 10_000)
    twice = Corpus(folder, folder)
    half = len(twice) // 2
    places = [3, 0, half + 1, 7, half + 3]
    examples = [twice[place] for place in places]
    assert examples[0] == examples[4]
    for index in (0, 1):
        of_examples = own_share(examples, None, lambda example: sum(map(len, example)), Rank(index, 2))
        assert own_share(places, twice, len, Rank(index, 2)) == of_examples
    assert [int(n) for n in twice.responses[places]] == [len(first.response_ids) for first, _ in examples]


def test_what_the_network_cannot_read_is_named(triplets: Path, tokenizer: str, tmp_path: Path) -> None:
    step = TokeniseTriplets(tokenizer, False, 10_000, Limits(tokens=3, positions=None))
    with pytest.raises(UserError, match=r"a triplet of code_contests/.*: token \d+ of its tokenizer is outside"):
        map_shards(step, {"triplets": triplets}, tmp_path)


def test_pairs_that_are_too_long_are_left_out_and_counted(triplets: Path, tokenizer: str, tmp_path: Path) -> None:
    whole = Corpus(_tokenised(triplets, tokenizer, tmp_path / "whole", 10_000))
    longest = sorted(max(map(len, whole[i])) for i in range(len(whole)))
    limit = longest[len(longest) // 2]
    short = _tokenised(triplets, tokenizer, tmp_path / "short", limit)
    assert len(Corpus(short)) == sum(length <= limit for length in longest)
    counts = counts_in(short)
    assert counts["left out: triplets with a side that is too long"] == sum(length > limit for length in longest)


def test_a_corpus_that_is_none_or_was_damaged_is_named(triplets: Path, tokenizer: str, tmp_path: Path) -> None:
    folder = _tokenised(triplets, tokenizer, tmp_path / "c", 10_000)
    path = shards_in(folder)[0]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match=r"shard-00000.arrow cannot be read"):
        Corpus(folder)
    assert (folder / NOTE).exists()
    assert len(Corpus(_tokenised(triplets, tokenizer, folder, 10_000))) > 0


def _tokenised(triplets: Path, tokenizer: str, target: Path, longest: int) -> Path:
    map_shards(TokeniseTriplets(tokenizer, False, longest), {"triplets": triplets}, target)
    return target


# ----------------------------------------------------------------------------------------------- networks over shards


def small_setup(tokenizer: str, **more: Any) -> NetworkSetup:
    setup = NetworkSetup(tokenizer, tokenizer, EngineConfig(), 8192, optim=OptimConfig(), total_steps=2)
    return replace(setup, objective=PairObjective(), **more)


@pytest.fixture(scope="module")
def small(imported: Path) -> str:
    """A model that reads most of these programs."""
    _, rows = everything(imported)
    config = TinyConfig(hidden=16, layers=1, heads=2, max_positions=300)
    build_tiny_model(config, imported / "small", [row["code"] for row in rows[:20]], 0)
    return str(imported / "small")


def test_a_reward_model_learns_from_places_what_it_learns_from_pairs(
    triplets: Path, small: str, tmp_path: Path
) -> None:
    corpus = Corpus(_tokenised(triplets, small, tmp_path, 300))
    places = [0, 5, 9, 2]
    by_places = Reranker(small_setup(small, corpus=corpus.directories), Rank())
    by_pairs = Reranker(small_setup(small), Rank())
    for _ in range(2):
        assert by_places.learn(places) == by_pairs.learn([corpus[place] for place in places])


def test_scores_of_shards_are_those_of_the_pool(imported: Path, small: str, tmp_path: Path) -> None:
    Reranker(small_setup(small), Rank()).export(tmp_path / "hf")
    how = Reading("rewardranker", False)
    sources = {name: tmp_path / name for name in ("problems", "programs")}
    for name, folder in sources.items():  # one shard is enough
        stream_shards("few", {}, [[Made(pq.read_table(shards_in(imported / name)[1]))]], [folder])
    counts = map_shards(ScorePrograms(str(tmp_path / "hf"), "r", how), sources, tmp_path / "scores")
    found = pq.read_table(shard_path(tmp_path / "scores", 0))["score_r"].to_pylist()
    problems, rows = everything(tmp_path)
    pool = [Candidate(row["problem_id"], row["language"], "", row["code"], "human") for row in rows]
    Scorer(tmp_path / "hf", how).store(pool, problems, "r")
    assert found == [candidate.scores["r"] for candidate in pool]
    assert counts["left out: unread"] == sum(score == UNREAD for score in found) < len(found) == counts["programs"]
