"""Reference programs come from wherever the problems come from."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmark_data import Hub, mbpp_row, multipl_e_row, no_hub, shared, write_data_set, write_lines

from rewardranker.errors import UserError
from rewardranker.evaluation.guards import references
from rewardranker.judge import Judge
from rewardranker.problems.benchmarks import benchmark_solutions, load_benchmark

ROWS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": "def add(a, b):\n",
        "entry_point": "add",
        "canonical_solution": f"    return a + b + {number}\n",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    }
    for number in (0, 7)
]
KNOWN = {f"humaneval/{number}": f"def add(a, b):\n    return a + b + {number}\n" for number in (0, 7)}


def test_humaneval_from_any_file(tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "rows.jsonl", ROWS)
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(lines.read_bytes()))
    columns = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), columns)
    for path in (lines, packed, columns):
        assert benchmark_solutions("humaneval", str(path)) == KNOWN


def test_humaneval_from_a_directory_or_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write_data_set(tmp_path / "set", {"openai_humaneval": {"test": ROWS}})
    assert benchmark_solutions("humaneval", str(directory)) == KNOWN
    hub = Hub(monkeypatch, directory)
    assert benchmark_solutions("humaneval", "") == KNOWN
    assert benchmark_solutions("humaneval", "somebody/humaneval@main") == KNOWN
    assert [asked[0] for asked in hub.asked] == ["openai/openai_humaneval", "somebody/humaneval"]


def test_mbpp_from_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {split: [mbpp_row(number)] for number, split in enumerate(("prompt", "test", "validation", "train"), 1)}
    Hub(monkeypatch, write_data_set(tmp_path / "set", {"full": parts}))
    assert benchmark_solutions("mbpp", "") == {f"mbpp/{i}": "def twice(x):\n    return 2 * x\n" for i in range(1, 5)}


def test_deepseek_coders_python_rows_have_solutions_and_other_languages_none(tmp_path: Path) -> None:
    row = {
        "task_id": "Python/7",
        "prompt": "def add(a, b):\n",
        "canonical_solution": "    return a + b\n",
        "test": "def check(add):\n    assert add(1, 2) == 3\n\ncheck(add)",
    }
    source = str(write_lines(tmp_path / "rows.jsonl", [row, multipl_e_row(3)]))
    problems = load_benchmark("multipl_e", source, "python")
    gold = references(problems, benchmark_solutions("multipl_e", source))
    assert [(c.problem_id, c.code) for c in gold] == [("Python/7", "def add(a, b):\n    return a + b\n")]
    assert (
        references(load_benchmark("multipl_e", source, "javascript"), benchmark_solutions("multipl_e", source)) == []
    )


def test_nothing_is_looked_for_where_no_solutions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    no_hub(monkeypatch)
    assert benchmark_solutions("multipl_e_humaneval", "") == {}
    with pytest.raises(UserError, match="could not be found on the hub"):
        benchmark_solutions("humaneval", "")


def test_deepseek_coders_real_python_rows_are_solved_by_their_own_solutions(judge: Judge) -> None:
    source = str(shared("multipl_e/humaneval-python.jsonl"))
    problems = load_benchmark("multipl_e", source)
    gold = references(problems, benchmark_solutions("multipl_e", source))
    assert len(gold) == len(problems) == 164
    found = judge.run(list(zip(problems, [candidate.code for candidate in gold], strict=True)))
    assert [p.id for p, judgement in zip(problems, found, strict=True) if judgement.verdict != "OK"] == []
