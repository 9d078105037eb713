"""The ``contamination`` command: what it takes for problems and solutions, prints, writes and refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from benchmark_data import mbpp_row, shared, write_lines
from judging import problem
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.contamination import SHOWN, ContaminationRequest, most_alike, run_contamination
from rewardranker.commands.problem_sets import read_problem_set, sources_of
from rewardranker.errors import UserError
from rewardranker.problems.contamination import Overlap
from rewardranker.problems.io import write_problems
from rewardranker.runs.console import Console

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
SENTENCE = "find the sum of all the odd numbers in a list of many numbers"
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": f'def total(xs):\n    """{SENTENCE}"""\n',
    "entry_point": "total",
    "canonical_solution": "    return sum(x for x in xs if x % 2 == 1)\n",
    "test": "def check(candidate):\n    assert candidate([1]) == 1\n",
}


def own(tmp_path: Path) -> Path:
    """A run's data: a training problem that HumanEval has too, one that it has not, and one for testing."""
    problems = [
        problem(id="t/0", prompt=SENTENCE, group_id="0"),
        problem(id="t/1", prompt="reverse a text", group_id="1"),
        problem(id="t/2", prompt=SENTENCE, group_id="2", split="test"),
    ]
    write_problems(tmp_path / "problems.jsonl", problems)
    return tmp_path / "problems.jsonl"


def request(tmp_path: Path, **changes: object) -> ContaminationRequest:
    data = write_lines(tmp_path / "humaneval.jsonl", [HUMANEVAL])
    asked = ContaminationRequest(f"{own(tmp_path)}:train", ("humaneval",), (f"humaneval={data}",))
    return dataclasses.replace(asked, **changes)  # type: ignore[arg-type]


def test_a_run_s_problems_against_a_benchmark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence has 14 words: 5 runs of 10. The split that was not asked for is not compared."""
    out = tmp_path / "report.md"
    [report] = run_contamination(request(tmp_path, out=out), Console())
    assert [(row.training_id, row.benchmark_id, row.check, row.value) for row in report.rows] == [
        ("t/0", "humaneval/0", "minhash", 1.0),
        ("t/0", "humaneval/0", "shared words", 5.0),
        ("t/0", "humaneval/0", "statement edits", 1.0),
    ]
    assert (report.training, report.benchmark, report.solutions) == (2, 1, 0)
    printed = " ".join(capsys.readouterr().out.split())
    assert "2 training problems against 1 benchmark problems: 1 training problems" in printed
    assert "│ t/0 │ humaneval/0 │ shared words │ 5 │" in printed and "3 of 3 pairs" in printed
    page = out.read_text()
    assert page.startswith(f"# {tmp_path}/problems.jsonl:train (2 problems: test python 1) against humaneval (1 ")
    assert "| t/0 | humaneval/0 | shared words | 5 |" in page and "t/2" not in page


def test_solutions_are_those_that_a_run_leaves_and_a_benchmark_ships(tmp_path: Path) -> None:
    asked = request(tmp_path, edit_ratio=0.9)
    rows = [{"problem_id": "t/1", "code": "def total(xs):\n\treturn sum(x for x in xs if x % 2 == 1)  # odd\n"}]
    write_lines(tmp_path / "references.jsonl", rows)
    [report] = run_contamination(asked, Console())
    assert report.solutions == 1
    found = {(row.training_id, row.benchmark_id, row.value) for row in report.rows if row.check == "solution edits"}
    assert found == {("t/1", "humaneval/0", 1.0)}
    (tmp_path / "references.jsonl").write_text('{"problem_id": "t/1"}\n')
    with pytest.raises(UserError, match="references.jsonl: expected lines"):
        run_contamination(asked, Console())


def test_what_an_argument_names(tmp_path: Path) -> None:
    mbpp = write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(i, text=f"Say {i}.") for i in (2, 11, 600, 601)])
    again = write_lines(tmp_path / "more.jsonl", [mbpp_row(12)])
    sources = sources_of([f"mbpp={mbpp}"])

    def ids(argument: str) -> list[str]:
        return [p.id for p in read_problem_set(argument, sources).problems]

    assert ids("mbpp") == ["mbpp/2", "mbpp/11", "mbpp/600", "mbpp/601"]
    assert [ids(f"mbpp:{split}") for split in ("train", "validation", "test")] == [
        ["mbpp/601"],
        ["mbpp/600"],
        ["mbpp/11"],
    ]
    assert [ids(f"{own(tmp_path)}{tail}") for tail in ("", ":test")] == [["t/0", "t/1", "t/2"], ["t/2"]]
    both = read_problem_set("mbpp:test", sources_of([f"mbpp={mbpp}", f"mbpp={again}"]))
    assert [p.id for p in both.problems] == ["mbpp/11", "mbpp/12"] and "mbpp/12" in both.solutions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": "nowhere.jsonl"}, "'nowhere.jsonl' is neither a file of problems nor a benchmark"),
        ({"benchmarks": ("humaneval", "humanevil")}, "'humanevil' is neither"),
        ({"benchmarks": ("humaneval:train",)}, "has no problems in train; it has test"),
        ({"benchmarks": ("humaneval:dev",)}, "with or without one of the splits train, validation, test"),
        ({"data": ("humaneval",)}, "--data humaneval: expected NAME=SOURCE, where NAME is one of humaneval"),
        ({"data": ("humanevil=x.jsonl",)}, "expected NAME=SOURCE"),
        ({"data": ("humaneval=nowhere.jsonl",)}, "nowhere.jsonl does not exist"),
        ({"data": ("mbpp=nowhere.jsonl",)}, "no argument names mbpp"),
        ({"run_words": 0}, "--run-words 0: a run has at least 1 word"),
        ({"edit_ratio": 1.0}, "--edit-ratio 1: must be at least 0 and below 1"),
        ({"out": Path("/nowhere/report.md")}, "--out /nowhere/report.md: folder /nowhere does not exist"),
        ({"out": Path("/")}, "--out / is a folder"),
    ],
)
def test_bad_input_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    asked = request(tmp_path, **{"out": tmp_path / "report.md", **changes})
    with pytest.raises(UserError, match=message):
        run_contamination(asked, Console())
    assert not (tmp_path / "report.md").exists()


def test_a_split_without_problems(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="problems.jsonl holds no problems of split validation"):
        read_problem_set(f"{own(tmp_path)}:validation", {})


def test_each_check_s_most_alike_are_shown() -> None:
    rows = [Overlap(f"t{i}", "b", "minhash", i / 10) for i in range(SHOWN + 2)]
    rows += [Overlap("t", "b", "shared words", 3.0)]
    assert [row.value for row in most_alike(rows)] == [0.6, 0.5, 0.4, 0.3, 0.2, 3.0]


def test_what_is_found_is_no_error(tmp_path: Path) -> None:
    asked = request(tmp_path)
    answer = CliRunner().invoke(app, ["contamination", asked.training, "humaneval", "--data", *asked.data])
    assert answer.exit_code == 0 and "statement edits" in answer.output
    assert isinstance(CliRunner().invoke(app, ["contamination", "x", "humaneval"]).exception, UserError)


def test_the_documentation_shows_what_is_printed() -> None:
    mbpp, humaneval = shared("mbpp/mbpp.jsonl"), shared("humaneval/HumanEval.jsonl.gz")
    block = DOCS.read_text().split("```text\n$ rewardranker contamination ", 1)[1].split("\n```", 1)[0]
    command, *shown = block.splitlines()
    words = [
        word.replace("=mbpp.jsonl", f"={mbpp}").replace("=HumanEval.jsonl.gz", f"={humaneval}")
        for word in command.split()
    ]
    answer = CliRunner().invoke(app, ["contamination", *words])
    assert [line.rstrip() for line in answer.output.splitlines()] == shown
