"""Files from elsewhere: with a byte order mark, packed, with half characters, with pandas' index."""

from __future__ import annotations

import codecs
import gzip
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from judging import RIGHT, problem
from test_judge_command import HUMANEVAL
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.judge_files import load_pool, named_problems, read_candidates
from rewardranker.errors import UserError
from rewardranker.generation.endpoint.wire import parse_answer
from rewardranker.problems.io import read_json_lines, read_problems, read_rows
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.sources import read_source
from rewardranker.problems.types import Candidate

ROWS = [{"a": 1, "text": "é"}, {"a": 2, "text": "\u2028"}]
PLAIN = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
HALF = json.dumps({"problem_id": "HumanEval/0", "text": "    return 2 * x  # \ud83d\n"})
PANDAS = ["__index_level_0__", "Unnamed: 0"]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        codecs.BOM_UTF8 + PLAIN,
        gzip.compress(PLAIN),
        gzip.compress(codecs.BOM_UTF8 + PLAIN),
        PLAIN.replace(b"\n", b"\r\n"),
        b"\n" + PLAIN.rstrip() + b"\n\n",
    ],
    ids=["plain", "bom", "gz", "gz with bom", "crlf", "blank lines"],
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_the_same_rows_however_they_are_stored(data: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert read_json_lines(path) == read_rows(path) == read_source(path, "", "")[0] == ROWS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(PLAIN, mtime=0)[:-9], "gzipped and cannot be unpacked"),
        (PLAIN + b'{"a": "\xff"}\n', "line 3 is not JSON.*utf-8"),
        (PLAIN.decode().encode("utf-16"), "line 1 is not JSON"),
        (PLAIN + b"[" * 100_000 + b"\n", "line 3 is not JSON"),
        (PLAIN + b"[1]\n", "line 3: expected a JSON object, found list"),
    ],
)
def test_broken_files_are_named_with_the_line(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"(?s)rows\.jsonl.*{message}"):
        read_json_lines(path)


def test_half_characters_become_replacement_characters_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"\\udc00": ["a\\ud83d", {"b": "\\ud83d\\ude00"}]}\n')
    assert read_json_lines(path) == [{"\ufffd": ["a\ufffd", {"b": "\U0001f600"}]}]  # a whole pair is one character
    answer = parse_answer(json.dumps({"choices": [{"text": "x = '\udfff'", "index": 0}]}).encode(), "completions")
    assert "\\ufffd" in ascii(answer)


@pytest.mark.parametrize("column", PANDAS)
def test_the_index_column_of_pandas_is_no_field(column: str, tmp_path: Path) -> None:
    row = asdict(Candidate("test/function", "python", RIGHT, RIGHT, "human")) | {column: 7}
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert read_pool(path) == [Candidate("test/function", "python", RIGHT, RIGHT, "human")]


def test_a_pool_filtered_in_pandas_is_a_pool(tmp_path: Path) -> None:
    pool = [Candidate("test/function", "python", str(i), RIGHT, "human", token_ids=[i]) for i in range(4)]
    write_pool(tmp_path / "pool.parquet", pool)
    frame = pd.read_parquet(tmp_path / "pool.parquet")
    frame[frame["text"] != "2"].to_parquet(tmp_path / "filtered.parquet")
    assert "__index_level_0__" in pq.read_schema(tmp_path / "filtered.parquet").names
    assert read_pool(tmp_path / "filtered.parquet") == [*pool[:2], pool[3]]


def test_a_named_index_is_a_column_like_any_other(tmp_path: Path) -> None:
    write_pool(tmp_path / "pool.parquet", [Candidate("test/function", "python", "x", RIGHT, "human")])
    pd.read_parquet(tmp_path / "pool.parquet").set_index("problem_id").to_parquet(tmp_path / "indexed.parquet")
    assert read_pool(tmp_path / "indexed.parquet")[0].problem_id == "test/function"


def test_own_problems_and_pools_are_read_alike(tmp_path: Path) -> None:
    for name, row in (
        ("problems", asdict(problem())),
        ("pool", {"problem_id": "test/function", "language": "python"}),
    ):
        more = {} if name == "problems" else {"text": "\ud83d", "code": RIGHT, "source": "human"}
        line = json.dumps(row | more | {"Unnamed: 0": 0}).encode() + b"\n"
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(codecs.BOM_UTF8 + line))
    assert read_problems(tmp_path / "problems.jsonl.gz") == [problem()]
    _, pool = load_pool(tmp_path / "problems.jsonl.gz", tmp_path / "pool.jsonl.gz")
    assert [candidate.text for candidate in pool] == ["\ufffd"]
    write_pool(tmp_path / "again.parquet", pool)
    assert read_pool(tmp_path / "again.parquet") == pool


def test_the_judge_command_takes_them_all(tmp_path: Path) -> None:
    data = tmp_path / "HumanEval.jsonl"  # packed, though not called so
    data.write_bytes(gzip.compress(codecs.BOM_UTF8 + "".join(json.dumps(row) + "\n" for row in HUMANEVAL).encode()))
    candidates = tmp_path / "candidates.jsonl.gz"
    candidates.write_bytes(gzip.compress(codecs.BOM_UTF8 + HALF.encode()))
    assert len(read_candidates(candidates, named_problems("humaneval", data, ""))) == 1
    arguments = ["judge", "--benchmark", "humaneval", "--data", str(data), "--candidates", str(candidates)]
    answer = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out.jsonl")])
    assert answer.exit_code == 0, answer.output
    assert [row["verdict"] for row in read_json_lines(tmp_path / "out.jsonl")] == ["OK"]
