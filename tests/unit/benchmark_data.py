"""Rows of public benchmarks, made for tests, and where the real data are."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SHARED = Path(os.environ.get("REWARDRANKER_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
COMMIT = "4bb6404fdc6cacfda99d4ac4205087b89d32030c"


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder with {name}")
    return path


def humaneval_x(code: str) -> Path:
    """HumanEval-X's rows in one language, which nobody may copy into a project."""
    folder = Path(os.environ.get("REWARDRANKER_HUMANEVAL_X", SHARED / "humaneval_x"))
    path = folder / f"humaneval_{code}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_HUMANEVAL_X to a folder with humaneval_{code}.jsonl.gz")
    return path


def shared_cases(name: str) -> Path:
    """Small inputs that were judged wrongly once, beside the data."""
    return shared(f"../cases/{name}")


def mbpp_row(task_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "text": f"Write task {task_id}.",
        "code": "def twice(x):\r\n\treturn 2 * x",
        "test_list": ["assert twice(1) == 2", "assert twice(2) == 4", "assert twice(3) == 6"],
        "test_setup_code": "",
        "challenge_test_list": [],
        **changes,
    }


def add_mbpp_row(task_id: int) -> dict[str, Any]:
    """A task of its own, solved by adding its number; 2, 3 and 4 define what the usual prompts show."""
    names = {2: "similar_elements", 3: "is_not_prime", 4: "heap_queue_largest"}
    name = names.get(task_id, f"shift{task_id}")
    return mbpp_row(
        task_id,
        text=f"Write a function that does {name}.",
        code=f"def {name}(a):\r\n    return a + {task_id}",
        test_list=[f"assert {name}({i}) == {i + task_id}" for i in range(3)],
    )


def humaneval_row(number: int) -> dict[str, Any]:
    return {
        "task_id": f"HumanEval/{number}",
        "prompt": f'\n\ndef add{number}(a, b):\n    """ Adds. """\n',
        "entry_point": f"add{number}",
        "canonical_solution": "    return a + b\n",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    }


#: Makes :func:`multipl_e_row` PHP's.
PHP = {"tests": "function candidate(...$args) { return add(...$args); }\n"}


def multipl_e_row(number: int, code: str = "js", benchmark: str = "HumanEval") -> dict[str, Any]:
    return {
        "name": f"{benchmark}_{number}_add",
        "language": code,
        "prompt": "//Add two numbers x and y\nfunction add(x, y){\n",
        "tests": "function test() {\n  let candidate = add;\n  assert.deepEqual(candidate(0, 1),1);\n}\n\ntest();",
        "stop_tokens": ["\nfunction "],
    }


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in rows))
    return path


def write_data_set(directory: Path, parts: dict[str, dict[str, Sequence[dict[str, Any]]]]) -> Path:
    """A data set as the hub keeps it: configuration -> split -> rows, in Parquet, named in the README's header."""
    lines = ["---", "configs:"]
    for configuration, splits in parts.items():
        lines += [f"- config_name: {configuration}", "  data_files:"]
        for split, rows in splits.items():
            file = Path(configuration) / f"{split}-00000-of-00001.parquet"
            lines += [f"  - split: {split}", f"    path: {file}"]
            (directory / configuration).mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(list(rows)), directory / file)
    (directory / "README.md").write_text("\n".join([*lines, "---", ""]))
    return directory


class Hub:
    """The hub, with one data set that lies in a local directory; what was asked of it is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.pinned: str | None = None
        load = datasets.load_dataset

        def load_dataset(name: str, configuration: str, split: str, revision: str | None) -> Any:
            self.asked.append((name, configuration, split, revision))
            return load(str(directory), configuration, split=split)

        def dataset_info(api: huggingface_hub.HfApi, name: str, revision: str | None) -> SimpleNamespace:
            self.pinned = revision
            return SimpleNamespace(sha=COMMIT)

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)


def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(api: huggingface_hub.HfApi, name: str, revision: str | None) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", offline)
