"""Loaders of public benchmarks; those that need the real data skip where it is absent."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import types
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pytest

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.execution.extraction import normalise
from rewardranker.problems.benchmarks import entry_point, load_humaneval, load_mbpp, mbpp_solutions
from rewardranker.problems.io import check_problems

SHARED = Path(os.environ.get("REWARDRANKER_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder with {name}")
    return path


def row(task_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "text": f"Write task {task_id}.",
        "code": "def twice(x):\r\n\treturn 2 * x",
        "test_list": ["assert twice(1) == 2", "assert twice(2) == 4", "assert twice(3) == 6"],
        "test_setup_code": "",
        "challenge_test_list": [],
        **changes,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in rows))
    return path


def config(path: Path, **changes: Any) -> MbppConfig:
    ranges = {"train_ids": [7, 9], "validation_ids": [5, 6], "test_ids": [1, 4]}
    return MbppConfig(path=str(path), **{**ranges, **changes})


def test_mbpp_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "mbpp.jsonl", [row(9, test_setup_code="k = 1\r\n"), row(1), row(10)])
    test, train = load_mbpp(config(path))
    assert (test.id, test.split, train.id, train.split) == ("mbpp/1", "test", "mbpp/9", "train")
    assert train.prompt == (
        "You are an expert Python programmer. Task: Write task 9.\nYour code should pass these tests:\n"
        "assert twice(1) == 2\nassert twice(2) == 4\nassert twice(3) == 6\n"
    )
    assert [t.input for t in train.tests] == row(9)["test_list"]
    assert (train.entry_point, train.style, train.prefix, train.setup) == ("twice", "program", "", "k = 1\n")
    assert train.revision == hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_mbpp_solutions_are_in_normal_form(tmp_path: Path) -> None:
    path = write(tmp_path / "mbpp.jsonl", [row(1)])
    assert mbpp_solutions(config(path)) == {"mbpp/1": "def twice(x):\n    return 2 * x\n"}


def test_test_limit_is_evenly_spaced(tmp_path: Path) -> None:
    path = write(tmp_path / "mbpp.jsonl", [row(i) for i in range(1, 13)])
    limited = load_mbpp(config(path, test_ids=[1, 8], validation_ids=[9, 10], train_ids=[11, 12], test_limit=4))
    assert [p.id for p in limited if p.split == "test"] == ["mbpp/1", "mbpp/3", "mbpp/5", "mbpp/7"]
    assert Counter(p.split for p in limited) == {"test": 4, "validation": 2, "train": 2}
    ranges = {"test_ids": [1, 8], "validation_ids": [9, 10], "train_ids": [11, 12]}
    limited = load_mbpp(config(path, validation_limit=1, **ranges))
    assert Counter(p.split for p in limited) == {"test": 8, "validation": 1, "train": 2}


def test_repeated_statements_stay_out_of_training(tmp_path: Path) -> None:
    same = [row(i, text=text) for i, text in ((2, "Find it."), (5, "Find it"), (7, "FIND it."), (8, "Else."))]
    problems = load_mbpp(config(write(tmp_path / "mbpp.jsonl", same)))
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
    path = write(tmp_path / "mbpp.jsonl", [row(1)])
    with pytest.raises(UserError, match=message):
        load_mbpp(config(path, **changes) if "path" not in changes else config(tmp_path / changes["path"]))


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no rows"):
        load_mbpp(config(write(tmp_path / "empty.jsonl", [])))
    broken = row(1)
    del broken["test_list"]
    with pytest.raises(UserError, match="row 1 lacks test_list; it has task_id, text, code"):
        load_mbpp(config(write(tmp_path / "broken.jsonl", [broken])))


def test_entry_point() -> None:
    twice = "def helper(x):\n    return x\ndef twice(x):\n    return x"
    assert entry_point("assert twice(helper(1)) == 2", twice) == "twice"
    assert entry_point("assert set(twice(1)) == set((2,))", twice) == "twice"
    assert entry_point("assert sum(10, 15) == 6", "def sum(a, b):\n    return 6") == "sum"
    assert entry_point("assert longest([Pair(5, 24)], 4) == 3", "class Pair: pass\nlongest = len") == "longest"
    assert entry_point("assert sorted(missing(3)) == []", "") == "missing"
    with pytest.raises(UserError, match="no function under test"):
        entry_point("assert len([]) == 0", twice)


def test_mbpp_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def load_dataset(name: str, configuration: str, split: str, revision: str) -> datasets.Dataset:
        asked.update(name=name, split=split, revision=revision)
        return datasets.Dataset.from_list([row(2), row(8)])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    info = types.SimpleNamespace(sha="4bb6404fdc6c")
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda self, name: info)
    problems = load_mbpp(MbppConfig(train_ids=[7, 9], test_ids=[1, 4]))
    assert [(p.id, p.revision) for p in problems] == [("mbpp/2", "4bb6404fdc6c"), ("mbpp/8", "4bb6404fdc6c")]
    assert asked["name"] == "google-research-datasets/mbpp" and asked["revision"] == "4bb6404fdc6c"


def test_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(self: huggingface_hub.HfApi, name: str) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", offline)
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
    # 374 train tasks, of which 602, 704 and 872 repeat the statements of test tasks.
    assert Counter(p.split for p in problems) == {"train": 371, "validation": 90, "test": 500}
    assert all(len(p.tests) == 3 and p.tests[0].input in p.prompt and "\r" not in p.prompt for p in problems)
    assert len(load_mbpp(MbppConfig(path=settings.path, test_limit=50))) == 371 + 90 + 50
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
