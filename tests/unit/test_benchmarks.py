"""Loaders of public benchmarks; those that need the real data skip where it is absent."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchmark_data import COMMIT, Hub, mbpp_row, multipl_e_row, no_hub, shared, write_data_set, write_lines

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import load_benchmark, load_humaneval, load_mbpp, mbpp_shots, mbpp_solutions
from rewardranker.problems.io import check_problems
from rewardranker.problems.mbpp import entry_point
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Split


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def config(path: Path, **changes: Any) -> MbppConfig:
    ranges = {"train_ids": [7, 9], "validation_ids": [5, 6], "test_ids": [1, 4]}
    return MbppConfig(path=str(path), **{**ranges, **changes})


def test_mbpp_fields(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(9, test_setup_code="k = 1\r\n"), mbpp_row(1), mbpp_row(10)])
    test, train = load_mbpp(config(path))
    assert (test.id, test.split, train.id, train.split) == ("mbpp/1", "test", "mbpp/9", "train")
    assert train.prompt == (
        "You are an expert Python programmer. Task: Write task 9.\nYour code should pass these tests:\n"
        "assert twice(1) == 2\nassert twice(2) == 4\nassert twice(3) == 6\n"
    )
    assert [t.input for t in train.tests] == mbpp_row(9)["test_list"]
    assert (train.entry_point, train.style, train.prefix, train.setup) == ("twice", "program", "", "k = 1\n")
    assert train.revision == hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_mbpp_solutions_are_in_normal_form(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(1)])
    assert mbpp_solutions(config(path)) == {"mbpp/1": "def twice(x):\n    return 2 * x\n"}


def test_test_limit_is_evenly_spaced(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(i) for i in range(1, 13)])
    limited = load_mbpp(config(path, test_ids=[1, 8], validation_ids=[9, 10], train_ids=[11, 12], test_limit=4))
    assert [p.id for p in limited if p.split == "test"] == ["mbpp/1", "mbpp/3", "mbpp/5", "mbpp/7"]
    assert Counter(p.split for p in limited) == {"test": 4, "validation": 2, "train": 2}
    ranges = {"test_ids": [1, 8], "validation_ids": [9, 10], "train_ids": [11, 12]}
    limited = load_mbpp(config(path, validation_limit=1, **ranges))
    assert Counter(p.split for p in limited) == {"test": 8, "validation": 1, "train": 2}


def test_repeated_statements_stay_out_of_training(tmp_path: Path) -> None:
    same = [mbpp_row(i, text=text) for i, text in ((2, "Find it."), (5, "Find it"), (7, "FIND it."), (8, "Else."))]
    problems = load_mbpp(config(write_lines(tmp_path / "mbpp.jsonl", same)))
    assert [(p.id, p.group_id) for p in problems] == [("mbpp/2", "mbpp/2"), ("mbpp/8", "mbpp/8")]
    both = load_mbpp(config(tmp_path / "mbpp.jsonl", train_ids=[5, 8], validation_ids=[10, 11]))
    assert [p.id for p in both] == ["mbpp/2", "mbpp/8"]
    within = load_mbpp(config(tmp_path / "mbpp.jsonl", test_ids=[10, 11], validation_ids=[12, 13]))
    assert [p.id for p in within] == ["mbpp/7", "mbpp/8"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "absent.jsonl"}, "absent.jsonl does not exist"),
        ({"test_ids": [5, 8]}, r"validation_ids=\[5, 6\] and data.mbpp.test_ids=\[5, 8\] overlap"),
        ({"train_ids": [9, 7]}, r"train_ids=\[9, 7\]: must be the first and the last id"),
        ({"train_ids": [7]}, r"train_ids=\[7\]: must be the first and the last id"),
        ({"test_ids": [20, 30]}, r"no task in .*test_ids=\[20, 30\]"),
    ],
)
def test_unusable_settings_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(1)])
    with pytest.raises(UserError, match=message):
        load_mbpp(config(path, **changes) if "path" not in changes else config(tmp_path / changes["path"]))


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no rows"):
        load_mbpp(config(write_lines(tmp_path / "empty.jsonl", [])))
    broken = mbpp_row(1)
    del broken["test_list"]
    with pytest.raises(UserError, match="row 1 lacks test_list; it has task_id, text, code"):
        load_mbpp(config(write_lines(tmp_path / "broken.jsonl", [broken])))


def test_entry_point() -> None:
    twice = "def helper(x):\n    return x\ndef twice(x):\n    return x"
    assert entry_point("assert twice(helper(1)) == 2", twice) == "twice"
    assert entry_point("assert set(twice(1)) == set((2,))", twice) == "twice"
    assert entry_point("assert sum(10, 15) == 6", "def sum(a, b):\n    return 6") == "sum"
    assert entry_point("assert longest([Pair(5, 24)], 4) == 3", "class Pair: pass\nlongest = len") == "longest"
    assert entry_point("assert sorted(missing(3)) == []", "") == "missing"
    with pytest.raises(UserError, match="no function under test"):
        entry_point("assert len([]) == 0", twice)


def test_mbpp_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = {"train": [mbpp_row(8)], "test": [mbpp_row(2)], "validation": [mbpp_row(6)], "prompt": [mbpp_row(1)]}
    hub = Hub(monkeypatch, write_data_set(tmp_path / "mbpp", {"full": splits}))
    problems = load_mbpp(MbppConfig(train_ids=[7, 9], validation_ids=[5, 6], test_ids=[1, 4]))
    assert [(p.id, p.revision) for p in problems] == [(f"mbpp/{i}", COMMIT) for i in (1, 2, 6, 8)]
    assert hub.asked == [("google-research-datasets/mbpp", "full", "train+validation+test+prompt", COMMIT)]
    local = load_mbpp(MbppConfig(str(tmp_path / "mbpp"), train_ids=[7, 9], validation_ids=[5, 6], test_ids=[1, 4]))
    assert [p.id for p in local] == [p.id for p in problems] and local[0].revision != COMMIT


def test_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    no_hub(monkeypatch)
    with pytest.raises(UserError, match="hub: no route; check .* set data.mbpp.path"):
        load_mbpp(MbppConfig())


def test_humaneval_fields(tmp_path: Path) -> None:
    prompt = 'def one():\n    """Return 1."""\n'
    entry = {
        "task_id": "HumanEval/7",
        "prompt": prompt,
        "entry_point": "one",
        "test": "def check(candidate):\n    assert candidate() == 1\n\n",
    }
    (tmp_path / "h.jsonl.gz").write_bytes(gzip.compress(json.dumps(entry).encode()))
    [problem] = load_humaneval(tmp_path / "h.jsonl.gz")
    assert (problem.id, problem.split, problem.entry_point) == ("humaneval/7", "test", "one")
    assert problem.prompt == problem.prefix == prompt
    assert problem.tests[0].input == "def check(candidate):\n    assert candidate() == 1\n\ncheck(one)\n"


def test_real_mbpp() -> None:
    settings = MbppConfig(path=str(shared("mbpp/mbpp.jsonl")))
    problems = load_mbpp(settings)
    check_problems(problems)
    # 374 train tasks, of which 602, 704 and 872 repeat the statements of test tasks, and 607, 653 and 928 nearly do.
    assert Counter(p.split for p in problems) == {"train": 368, "validation": 90, "test": 500}
    left_out = {f"mbpp/{i}" for i in range(601, 975)} - {p.id for p in problems}
    assert left_out == {f"mbpp/{i}" for i in (602, 607, 653, 704, 872, 928)}
    assert all(len(p.tests) == 3 and p.tests[0].input.strip() in p.prompt and "\r" not in p.prompt for p in problems)
    assert len(load_mbpp(MbppConfig(path=settings.path, test_limit=50))) == 368 + 90 + 50
    names = {p.id: p.entry_point for p in problems}
    assert (names["mbpp/126"], names["mbpp/601"]) == ("sum", "max_chain_length")


def test_real_mbpp_references_define_their_entry_points_and_pass() -> None:
    settings = MbppConfig(path=str(shared("mbpp/mbpp.jsonl")))
    solutions = mbpp_solutions(settings)
    assert len(solutions) == 974
    for problem in load_mbpp(settings)[:500:10]:  # every tenth of the test split: trusted programs
        namespace: dict[str, Any] = {}
        exec(solutions[problem.id], namespace)
        assert callable(namespace[problem.entry_point]), problem.id
        for text in (problem.setup, *(test.input for test in problem.tests)):
            exec(text, namespace)
    assert all(normalise(code) == code for code in solutions.values())


def test_real_humaneval() -> None:
    path = shared("humaneval/HumanEval.jsonl.gz")
    problems = load_humaneval(path)
    check_problems(problems)
    assert len(problems) == 164
    with gzip.open(path, "rt") as file:
        answers = [json.loads(line)["canonical_solution"] for line in file]
    for problem, answer in list(zip(problems, answers, strict=True))[::10]:
        exec(problem.prompt + answer + problem.tests[0].input, {})


def test_one_door_to_mbpp(tmp_path: Path) -> None:
    rows = [mbpp_row(i) for i in (2, 3, 4, 11, 510, 511, 601)] + [mbpp_row(700, text="Write task 11.")]
    path = write_lines(tmp_path / "mbpp.jsonl", rows)
    splits: tuple[Split | None, ...] = ("test", "train", None)
    found = {split: [p.id[5:] for p in load_benchmark("mbpp", path, split=split)] for split in splits}
    assert found["test"] == [p.id[5:] for p in load_benchmark("mbpp", str(path))] == ["11", "510"]
    assert found["train"] == ["601"]  # 700 repeats a test task
    assert found[None] == ["2", "3", "4", "11", "510", "511", "601", "700"]
    every = {p.id: p for p in load_benchmark("mbpp", path, "py", split=None)}
    assert [every[f"mbpp/{i}"].split for i in (2, 11, 511, 700)] == ["train", "test", "validation", "train"]
    assert {p.revision for p in every.values()} == {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}


def test_tests_of_mbpp_are_kept_to_the_byte_and_shown_without_the_space_around_them(tmp_path: Path) -> None:
    tests = ["assert twice(1) == 2 ", "assert twice(2) == 4\n", "assert twice(3) == 6"]
    [problem] = load_benchmark("mbpp", write_lines(tmp_path / "m.jsonl", [mbpp_row(11, test_list=tests)]))
    assert [test.input for test in problem.tests] == tests
    assert problem.prompt.endswith("\nassert twice(1) == 2\nassert twice(2) == 4\nassert twice(3) == 6\n")


def test_worked_examples_of_mbpp(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(i, text=f" Task {i}. ") for i in (4, 3, 2, 11)])
    shots = mbpp_shots(MbppConfig(str(path)))
    assert [shot.text for shot in shots] == [" Task 2. ", " Task 3. ", " Task 4. "]
    assert (shots[0].code, shots[0].tests) == (mbpp_row(2)["code"], tuple(mbpp_row(2)["test_list"]))
    with pytest.raises(UserError, match="lacks task 2, 3"):
        mbpp_shots(MbppConfig(str(write_lines(tmp_path / "few.jsonl", [mbpp_row(4)]))))


def test_one_door_to_multipl_e(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [multipl_e_row(53), multipl_e_row(7, benchmark="mbpp")]
    path = write_lines(tmp_path / "rows.jsonl", rows)
    assert [p.id for p in load_benchmark("multipl_e", path)] == ["HumanEval_53_add", "mbpp_7_add"]
    [problem] = load_benchmark("multipl_e_mbpp", path, "JS")
    assert (problem.id, problem.group_id, problem.language) == ("mbpp_7_add", "mbpp/7", "javascript")
    with pytest.raises(UserError, match="no problems of mbpp in any language"):
        load_benchmark("multipl_e_mbpp", write_lines(tmp_path / "other.jsonl", rows[:1]))

    codes = ("cpp", "java", "php", "ts", "cs", "sh", "js")
    parts = {f"humaneval-{code}": {"test": [multipl_e_row(53)]} for code in codes}
    hub = Hub(monkeypatch, write_data_set(tmp_path / "data", parts | {"mbpp-js": {"test": rows[1:]}}))
    [problem] = load_benchmark("multipl_e", language="javascript")
    assert (problem.id, problem.revision, problem.stop_tokens) == ("HumanEval_53_add", COMMIT, ("\nfunction ",))
    assert hub.asked.pop() == ("nuprl/MultiPL-E", "humaneval-js", "test", COMMIT)
    assert [p.id for p in load_benchmark("multipl_e_mbpp", "some/copy@v3", "js")] == ["mbpp_7_add"]
    assert hub.asked.pop()[:2] == ("some/copy", "mbpp-js") and hub.pinned == "v3"
    load_benchmark("multipl_e_humaneval")
    assert [configuration for _, configuration, _, _ in hub.asked] == [f"humaneval-{code}" for code in codes]
    with pytest.raises(UserError, match="has no 'python': MultiPL-E's data set has cpp, .* humaneval and mbpp"):
        load_benchmark("multipl_e", language="py")
    [problem] = load_benchmark("multipl_e_mbpp", tmp_path / "data", "js")
    assert problem.id == "mbpp_7_add" and problem.revision != COMMIT


def test_one_door_to_humaneval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"task_id": "HumanEval/7", "prompt": "def one():\n", "entry_point": "one", "test": "def check(c): pass"}
    directory = write_data_set(tmp_path / "data", {"openai_humaneval": {"test": [entry]}})
    hub = Hub(monkeypatch, directory)
    [problem] = load_benchmark("humaneval")
    assert (problem.id, problem.revision) == ("humaneval/7", COMMIT)
    assert hub.asked == [("openai/openai_humaneval", "openai_humaneval", "test", COMMIT)]
    assert load_benchmark("humaneval", directory)[0].tests == problem.tests


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "apps"}, "benchmark 'apps' is not known; it must be one of humaneval, humaneval_x, mbpp"),
        ({"name": "multipl_e", "language": "cobol"}, "no problems in cobol; it has javascript"),
        ({"name": "multipl_e", "language": "cpp"}, "no problems in cpp; it has javascript"),
        ({"name": "multipl_e", "split": "train"}, "no problems in train; it has test"),
        ({"name": "humaneval"}, "row 1 lacks task_id, entry_point, test; it has name"),
        ({"name": "mbpp"}, "row 1 lacks task_id"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    path = write_lines(tmp_path / "rows.jsonl", [multipl_e_row(53)])
    with pytest.raises(UserError, match=message):
        load_benchmark(asked.pop("name"), path, **asked)
