"""Problem, pool and triplet files: what is written is what is read, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import datasets
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardranker.config.schema import FamilyConfig
from rewardranker.errors import UserError
from rewardranker.generation.candidates import cut_off, describe_cut_off
from rewardranker.mining.io import read_triplets, write_triplets
from rewardranker.problems.family import build_family
from rewardranker.problems.io import check_problems, read_problems, write_problems
from rewardranker.problems.pool import (
    check_pool,
    group_by_problem,
    pool_revisions,
    read_pool,
    require_pool_path,
    write_pool,
)
from rewardranker.problems.types import Candidate, Problem, Triplet
from rewardranker.problems.verdict import Verdict

FORMATS = ["pool.parquet", "pool.jsonl"]


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return build_family(FamilyConfig(train_problems=6, validation_problems=2, test_problems=4))


@pytest.fixture
def pool() -> list[Candidate]:
    bare = Candidate("family/1-r0", "python", "\n return 1\n", "def f(xs):\n return 1\n", "human")
    full = Candidate(
        problem_id="family/2-r0",
        language="python",
        text='tab\t "quotes" \r\n é \u2028 \x00',
        code="def f(xs):\n return 2\n",
        source="gen:sft",
        token_ids=[5, 1],
        logprobs=[-0.1, -math.inf],
        finish_reason="stop",
        seed=2**64 - 1,
        weights_version=3,
        verdict=Verdict.WRONG,
        tests_passed=3,
        tests_total=14,
        message="test 4: 1 is not 2",
        signature="ab12",
        scores={"rewardranker_1": 1.0 / 3.0, "logprob": -math.inf, "a": 0.0},
    )
    return [full, bare, dataclasses.replace(full, text="again", verdict=Verdict.OK)]


@pytest.mark.parametrize("name", FORMATS)
def test_pool_round_trip_and_same_bytes(name: str, tmp_path: Path, pool: list[Candidate]) -> None:
    write_pool(tmp_path / name, pool)
    found = read_pool(tmp_path / name)
    assert found == pool
    assert [list(candidate.scores) for candidate in found] == [list(candidate.scores) for candidate in pool]
    assert isinstance(found[0].verdict, Verdict) and found[1].verdict is None
    write_pool(tmp_path / f"again-{name}", found)
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_empty_pool(name: str, tmp_path: Path) -> None:
    write_pool(tmp_path / name, [])
    assert read_pool(tmp_path / name) == []


def test_parquet_is_read_by_datasets(tmp_path: Path, pool: list[Candidate]) -> None:
    write_pool(tmp_path / "pool.parquet", pool)
    data = datasets.Dataset.from_parquet(str(tmp_path / "pool.parquet"), cache_dir=str(tmp_path / "cache"))
    fields = [field.name for field in dataclasses.fields(Candidate) if field.name != "scores"]
    assert data.column_names == [*fields, "score_rewardranker_1", "score_logprob", "score_a"]
    assert data["text"][:] == [candidate.text for candidate in pool]
    assert data["score_rewardranker_1"][:] == [1.0 / 3.0, None, 1.0 / 3.0]
    assert data[0]["token_ids"] == [5, 1] and data["verdict"][:] == ["WRONG", None, "OK"]


def test_parquet_says_which_revision_its_problems_are(
    tmp_path: Path, pool: list[Candidate], problems: list[Problem]
) -> None:
    """Only of those that have candidates, and nothing where the writer does not know them; the rows are the same."""
    known = [
        dataclasses.replace(problems[0], id=name, source=source, revision=revision)
        for name, source, revision in (
            ("family/1-r0", "mbpp", "b"),
            ("family/2-r0", "mbpp", "a"),
            ("family/3-r0", "mbpp", "c"),
        )
    ]
    path = tmp_path / "pool.parquet"
    write_pool(path, pool, known)
    assert pool_revisions(path) == {"mbpp python": ["a", "b"]}
    assert read_pool(path) == pool
    data = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    assert data.column_names[-1] == "score_a" and len(data) == len(pool)
    write_pool(tmp_path / "again.parquet", pool, reversed(known))
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()
    write_pool(tmp_path / "plain.parquet", pool)
    write_pool(tmp_path / "pool.jsonl", pool, known)
    assert pool_revisions(tmp_path / "plain.parquet") == pool_revisions(tmp_path / "pool.jsonl") == {}


def test_a_pool_s_path_can_be_checked_before_the_work(tmp_path: Path) -> None:
    require_pool_path("--out", tmp_path / "pool.parquet")
    with pytest.raises(UserError, match=r"^--out .*pool.csv: the name must end in .parquet or .jsonl, not .csv"):
        require_pool_path("--out", tmp_path / "pool.csv")
    with pytest.raises(UserError, match="^--out .*: folder .*nowhere does not exist; create it first"):
        require_pool_path("--out", tmp_path / "nowhere" / "pool.jsonl")


def test_pandas_sorts_by_a_ranker_and_what_it_writes_is_read(tmp_path: Path, pool: list[Candidate]) -> None:
    pool[1].scores = {"rewardranker_1": 2.0, "mine": 1.0}
    write_pool(tmp_path / "pool.parquet", pool)
    frame = pandas.read_parquet(tmp_path / "pool.parquet")
    best = frame.sort_values("score_rewardranker_1", ascending=False).iloc[0]
    assert best.problem_id == pool[1].problem_id and best.score_mine == 1.0
    frame["score_new"] = [3, 2, 1]
    for name, write in (("again.parquet", frame.to_parquet), ("again.jsonl", frame.to_json)):
        write(tmp_path / name, **({"orient": "records", "lines": True} if name.endswith("jsonl") else {}))
        found = read_pool(tmp_path / name)
        assert [c.scores.get("new") for c in found] == [3.0, 2.0, 1.0]
        assert found[1].scores == pool[1].scores | {"new": 2.0}
        assert found[0].scores["rewardranker_1"] == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize("kind", ["list", "lines", "object"])
def test_scores_of_older_pools_are_read(kind: str, tmp_path: Path, pool: list[Candidate]) -> None:
    """A list of (ranker, score) in Parquet and JSON lines, as pools had it; and an object, as people write it."""
    path = tmp_path / ("old.parquet" if kind == "list" else "old.jsonl")
    rows = [{"problem_id": "p", "language": "python", "text": "t", "code": "c\n", "source": "human"} for _ in "ab"]
    entries = [{"ranker": "rewardranker_1", "score": 1.5}, {"ranker": "logprob", "score": -2.0}]
    for row, scores in zip(rows, (entries, []), strict=True):
        row["scores"] = scores if kind != "object" else {e["ranker"]: e["score"] for e in scores}
    if kind == "list":
        score = pa.struct([("ranker", pa.string()), ("score", pa.float64())])
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        arrays = [pa.array(v, pa.list_(score) if k == "scores" else pa.string()) for k, v in columns.items()]
        pq.write_table(pa.table(arrays, names=list(columns)), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [c.scores for c in read_pool(path)] == [{"rewardranker_1": 1.5, "logprob": -2.0}, {}]


def test_columns_with_defaults_may_be_absent(tmp_path: Path) -> None:
    row = {"problem_id": "p", "language": "python", "text": "t", "code": "c\n", "source": "human"}
    (tmp_path / "pool.jsonl").write_text(json.dumps(row) + "\n\n")
    assert read_pool(tmp_path / "pool.jsonl") == [Candidate("p", "python", "t", "c\n", "human")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": None}, "line 1: lacks code;"),
        ({"colour": "red"}, "line 1: has unknown colour;"),
        ({"verdict": "FINE"}, "unknown verdict 'FINE'; must be one of OK, WRONG"),
        ({"score_mine": "high"}, "line 1: the score by mine must be a number, found 'high'"),
        ({"scores": {"mine": 1.0}, "score_mine": 2.0}, "two scores by mine, in score_mine and in scores"),
        ({"scores": "0.5"}, r"scores must be columns such as score_rewardranker, .* found '0.5'"),
    ],
)
def test_unusable_rows_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    row: dict[str, object] = {
        "problem_id": "p", "language": "python", "text": "t", "code": "c\n", "source": "human"
    }  # fmt: skip
    kept = {name: value for name, value in {**row, **change}.items() if value is not None}
    (tmp_path / "pool.jsonl").write_text(json.dumps(kept) + "\n")
    with pytest.raises(UserError, match=message):
        read_pool(tmp_path / "pool.jsonl")


def test_unreadable_files_are_refused(tmp_path: Path, pool: list[Candidate]) -> None:
    (tmp_path / "bad.jsonl").write_text('{"problem_id": "p"\n')
    (tmp_path / "list.jsonl").write_text("[1]\n")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    for name, message in {
        "bad.jsonl": "line 1 is not JSON",
        "list.jsonl": "line 1: expected a JSON object, found list",
        "bad.parquet": "not a readable Parquet file",
        "none.parquet": "does not exist",
        "pool.csv": "must end in .parquet or .jsonl, not .csv",
    }.items():
        with pytest.raises(UserError, match=message):
            read_pool(tmp_path / name)
    with pytest.raises(UserError, match="must end in"):
        write_pool(tmp_path / "pool", pool)


def test_failed_write_leaves_the_old_file(tmp_path: Path, pool: list[Candidate]) -> None:
    path = tmp_path / "pool.jsonl"
    write_pool(path, pool)
    before = path.read_bytes()
    broken = dataclasses.replace(pool[0], message=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        write_pool(path, [pool[1], broken])
    assert path.read_bytes() == before


def test_group_by_problem_keeps_order(pool: list[Candidate]) -> None:
    groups = group_by_problem(pool)
    assert list(groups) == ["family/2-r0", "family/1-r0"]
    assert groups["family/2-r0"] == [pool[0], pool[2]]


def test_check_pool_names_unknown_problems(problems: list[Problem]) -> None:
    known = {problem.id: problem for problem in problems}
    good = Candidate(problems[0].id, "python", "", "", "human", scores={"logprob": -math.inf})
    check_pool([good], known)
    strangers = [dataclasses.replace(good, problem_id=f"x/{i}") for i in (0, 1, 2, 3, 4, 0)]
    with pytest.raises(UserError, match=r"of 5 problems.* 12 loaded: x/0, x/1, x/2 and 2 more"):
        check_pool([good, *strangers], known)


def test_check_pool_refuses_nan(problems: list[Problem]) -> None:
    bad = Candidate(problems[0].id, "python", "", "", "human", scores={"good": 1.0, "rm": math.nan})
    with pytest.raises(UserError, match=rf"{problems[0].id} has NaN as its score by rm;"):
        check_pool([bad], {problem.id: problem for problem in problems})


def test_problem_round_trip(tmp_path: Path, problems: list[Problem]) -> None:
    write_problems(tmp_path / "problems.jsonl", problems)
    assert read_problems(tmp_path / "problems.jsonl") == problems
    line = json.loads((tmp_path / "problems.jsonl").read_text().splitlines()[0])
    del line["prompt"], line["limits"]["cpu_s"]
    line["limits"]["gpu_s"] = 1
    (tmp_path / "bad.jsonl").write_text(json.dumps(line))
    with pytest.raises(UserError, match="line 1: lacks prompt; the fields of a Problem are id, source"):
        read_problems(tmp_path / "bad.jsonl")
    (tmp_path / "bad.jsonl").write_text(json.dumps({**line, "prompt": "p"}))
    with pytest.raises(UserError, match="limits: has unknown gpu_s"):
        read_problems(tmp_path / "bad.jsonl")


def test_check_problems(problems: list[Problem]) -> None:
    check_problems(problems)
    with pytest.raises(UserError, match="no problems"):
        check_problems([])
    with pytest.raises(UserError, match=f"more than once: {problems[0].id}$"):
        check_problems([*problems, problems[0]])
    untested = [dataclasses.replace(problem, tests=()) for problem in problems]
    with pytest.raises(UserError, match="without tests.* and 9 more"):
        check_problems(untested)
    moved = dataclasses.replace(problems[0], id="new", split="test")
    with pytest.raises(UserError, match=rf"in several: {problems[0].group_id} \(test, train\)"):
        check_problems([*problems, moved])


@pytest.mark.parametrize("name", ["triplets.parquet", "triplets.jsonl"])
def test_triplet_round_trip(name: str, tmp_path: Path) -> None:
    triplets = [
        Triplet("p", "python", "prompt", "\n return 1\n", "\n return 2\n", "levenshtein", 1),
        Triplet("p", "python", "prompt", "a", "b", "self_training", 2, "gen:ppo-1"),
    ]
    write_triplets(tmp_path / name, triplets)
    assert read_triplets(tmp_path / name) == triplets
    write_triplets(tmp_path / f"again-{name}", triplets)
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_answers_that_were_cut_off_are_counted_and_many_of_them_warned_of() -> None:
    def pool(*reasons: str) -> list[Candidate]:
        return [Candidate("p", "python", "", "", "s", finish_reason=reason) for reason in reasons]

    assert cut_off(pool()) == cut_off(pool("", "")) == 0.0  # nothing is known of what people wrote
    assert cut_off(pool("length", "stop", "stop", "")) == 1 / 3
    assert describe_cut_off(pool("length", *["stop"] * 9)) == ""
    assert describe_cut_off(pool("length", *["stop"] * 4)).startswith("20% of the answers were cut off at")
