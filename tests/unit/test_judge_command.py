"""The ``judge`` command: its files, its options, what it writes and prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judging import RIGHT, problem
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands import judge as command
from rewardranker.commands.judge import JudgeRequest, disagree, flags, run_judge, summary
from rewardranker.commands.judge_files import load_pool, named_problems, read_candidates
from rewardranker.errors import UserError
from rewardranker.problems.io import read_json_lines, write_problems
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.pool import pool_revisions, read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.runs.console import Console

HUMANEVAL = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": 'def twice(x):\n    """Twice x."""\n',
        "entry_point": "twice",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(4) == 8\n",
    }
    for number in (0, 1)
]
MBPP = [
    {
        "task_id": number,
        "text": f"Write a function for twice, {number}.",
        "code": "def twice(x):\n    return 2 * x",
        "test_list": ["assert twice(1) == 2", "assert twice(2) == 4", "assert twice(3) == 6"],
        "test_setup_code": "",
        "challenge_test_list": [],
    }
    for number in (2, 601)
]
BASH = [
    {
        "name": "HumanEval_0_twice",
        "language": "sh",
        "prompt": "#!/bin/bash\n# Twice $1\ntwice() {\n",
        "tests": '}\n\ncandidate() {\n    twice "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "2") = "4" ]]\n'
        '    [[ $(candidate "3") = "6" ]]\n}\n\nrun_test',
        "stop_tokens": ["\n}"],
    }
]


def lines(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def request(
    tmp_path: Path, benchmark: str, data: Sequence[Any], candidates: Sequence[Any], **more: Any
) -> JudgeRequest:
    return JudgeRequest(
        benchmark,
        lines(tmp_path / "data.jsonl", data),
        lines(tmp_path / "candidates.jsonl", candidates),
        tmp_path / "out.jsonl",
        minimum_tier="D",
        workers=1,
        **more,
    )


def judged(asked: JudgeRequest) -> list[dict[str, Any]]:
    run_judge(asked, Console())
    return read_json_lines(asked.out)


def test_humaneval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = [
        {"problem_id": "HumanEval/0", "text": "    return 2 * x\n", "sample": 3},
        {"problem_id": "HumanEval/1", "text": "    return x + 1\n"},
        {"problem_id": "HumanEval/0", "text": "    import sys\n    sys.exit(0)\n"},
    ]
    rows = judged(request(tmp_path, "humaneval", HUMANEVAL, candidates))
    assert [(row["problem_id"], row["verdict"]) for row in rows] == [
        *(("HumanEval/0", "OK"), ("HumanEval/1", "WRONG"), ("HumanEval/0", "RUNTIME_ERROR"))
    ]
    assert rows[0] | {"cpu_s": 0, "tier": ""} == candidates[0] | {
        **{"verdict": "OK", "tests_passed": 1, "tests_total": 1, "cpu_s": 0, "message": ""},
        **{"level": "L2", "tier": "", "flags": []},
    }
    assert rows[0]["cpu_s"] > 0 and rows[1]["message"] and rows[2]["flags"] == ["exit:4"]
    printed = capsys.readouterr().out
    assert printed.startswith("sandbox: ") and "python: Python 3" in printed.splitlines()[0]
    assert "RUNTIME_ERROR" in printed and "33.3%" in printed and "3 lines" in printed


def test_mbpp_by_number_or_name(tmp_path: Path) -> None:
    answer = "Here:\n```python\ndef twice(x):\n    return 2 * x\n```\n"
    candidates = [{"problem_id": name, "text": answer} for name in (601, "601", "mbpp/601", 2)]
    rows = judged(request(tmp_path, "mbpp", MBPP, candidates))
    assert [(row["verdict"], row["tests_passed"], row["tests_total"]) for row in rows] == [("OK", 3, 3)] * 4
    assert [row["problem_id"] for row in rows] == [601, "601", "mbpp/601", 2]


def test_multipl_e(tmp_path: Path) -> None:
    fenced = "```bash\ntwice() {\n  echo $((2 * $1))\n}\n```"
    texts = ["  echo $((2 * $1))\n}", "  echo 4\n}", fenced]
    candidates = [{"problem_id": "HumanEval_0_twice", "text": text} for text in texts]
    rows = judged(request(tmp_path, "multipl_e", BASH, candidates, language="sh"))
    assert [row["verdict"] for row in rows] == ["OK", "WRONG", "OK"]
    for rules in ("multipl_e", "deepseek"):
        rows = judged(request(tmp_path, "multipl_e", BASH, candidates, mode="compat", rules=rules, patience=20.0))
        assert [row["verdict"] for row in rows] == ["OK", "WRONG", "OK"]
        assert {(row["tests_total"], row["level"]) for row in rows} == {(1, "")}


def test_a_pool(tmp_path: Path) -> None:
    write_problems(tmp_path / "problems.jsonl", [problem()])
    code = [RIGHT, "def f(a, b):\n    return a\n"]
    write_pool(
        tmp_path / "pool.parquet", [Candidate("test/function", "python", text, text, "human") for text in code]
    )
    files = (tmp_path / "problems.jsonl", tmp_path / "pool.parquet", tmp_path / "judged.parquet")
    run_judge(JudgeRequest("pool", *files, minimum_tier="D"), Console())
    assert [c.verdict for c in read_pool(files[2])] == [Verdict.OK, Verdict.WRONG]


def pool_files(tmp_path: Path, *revisions: str) -> list[Path]:
    """A pool made for the first revision of the problems, which are there in the last."""
    made = replace(problem(), revision=revisions[0])
    candidates = [Candidate("test/function", "python", RIGHT, RIGHT, "human")]
    write_pool(tmp_path / "pool.parquet", candidates, [made])
    write_problems(tmp_path / "problems.jsonl", [replace(made, revision=revisions[-1])])
    return [tmp_path / name for name in ("problems.jsonl", "pool.parquet", "judged.parquet")]


def test_a_pool_for_another_revision_of_the_problems_is_refused(tmp_path: Path) -> None:
    made_for = "made for test python at revision 1, but .*problems.jsonl holds test python at revision 2"
    with pytest.raises(UserError, match=made_for):
        run_judge(JudgeRequest("pool", *pool_files(tmp_path, "1", "2"), minimum_tier="D"), Console())
    assert not (tmp_path / "judged.parquet").exists()
    write_problems(tmp_path / "problems.jsonl", [replace(problem(), source="other")])
    with pytest.raises(UserError, match="made for test python .* holds other python at revision 1"):
        load_pool(tmp_path / "problems.jsonl", tmp_path / "pool.parquet")
    write_pool(tmp_path / "pool.jsonl", read_pool(tmp_path / "pool.parquet"))  # which says nothing of revisions
    load_pool(tmp_path / "problems.jsonl", tmp_path / "pool.jsonl")


def test_a_judged_pool_still_says_what_it_was_made_for(tmp_path: Path) -> None:
    files = pool_files(tmp_path, "7")
    run_judge(JudgeRequest("pool", *files, minimum_tier="D"), Console())
    assert pool_revisions(files[2]) == {"test python": ["7"]}


@pytest.mark.parametrize(
    ("out", "message"), [("out.txt", "must end in .parquet or .jsonl"), ("nowhere/out.parquet", "does not exist")]
)
def test_a_pool_that_cannot_be_written_is_refused_first(
    tmp_path: Path, out: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_pool", None)
    problems, pool, _ = pool_files(tmp_path, "1")
    with pytest.raises(UserError, match=message):
        run_judge(JudgeRequest("pool", problems, pool, tmp_path / out), Console())
    arguments = ["generate", "--model", "none", "--problems", str(problems), "--out", str(tmp_path / out)]
    assert message in str(CliRunner().invoke(app, arguments).exception)


BAD_LINES: list[tuple[list[Any], str]] = [
    ([], "holds no candidates"),
    (["", "  "], "holds no candidates"),
    ([{"problem_id": "HumanEval/0", "text": ""}, "{oops"], "candidates.jsonl, line 2 is not JSON"),
    (["", "[1]"], "candidates.jsonl, line 2: expected a JSON object"),
    ([{"text": ""}], "line 1: no problem_id"),
    ([{"problem_id": True, "text": ""}], "line 1: no problem_id"),
    ([{"problem_id": "HumanEval/0"}], "line 1: no text"),
    ([{"problem_id": "HumanEval/0", "text": 3}], "line 1: text is int, not a string"),
    ([{"problem_id": "HumanEval/7", "text": ""}], "line 1: no problem 'HumanEval/7' in --data, which has"),
    ([{"problem_id": "HumanEval/0", "text": "", "language": "bash"}], "not there in language 'bash', only in python"),
]


@pytest.mark.parametrize(("candidates", "message"), BAD_LINES)
def test_bad_candidates_are_refused_before_anything_is_run(
    tmp_path: Path, candidates: list[Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "Judge", None)
    asked = request(tmp_path, "humaneval", HUMANEVAL, candidates)
    with pytest.raises(UserError, match=message.replace("[", r"\[")):
        run_judge(asked, Console())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["candidates.jsonl", "data.jsonl"]


def test_candidates_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "candidates.jsonl").write_bytes(b'{"problem_id": "\xff"}\n')
    with pytest.raises(UserError, match="line 1 is not JSON"):
        read_candidates(tmp_path / "candidates.jsonl", {})
    with pytest.raises(UserError, match="does not exist"):
        read_candidates(tmp_path / "nowhere.jsonl", {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"benchmark": "humanevil"}, "--benchmark 'humanevil' is not known; it must be one of multipl_e, humaneval"),
        ({"mode": "lax"}, "--mode 'lax' is not known"),
        ({"rules": "mine"}, "--rules 'mine' is not known"),
        ({"language": "cobol"}, "--language 'cobol' is not known"),
        ({"language": "sh"}, "has no problems in bash; it has python"),
        ({"patience": 0.0}, "--patience 0: must be more than 0"),
        ({"workers": 0}, "at least 1 program"),
        ({"benchmark": "pool", "mode": "compat"}, "needs a public benchmark"),
        ({"out": Path("/nowhere/out.jsonl")}, "folder /nowhere does not exist"),
        ({"data": Path("/nowhere/data.jsonl")}, "does not exist"),
    ],
)
def test_options(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    asked = request(tmp_path, "humaneval", HUMANEVAL, [{"problem_id": "HumanEval/0", "text": ""}])
    with pytest.raises(UserError, match=message):
        run_judge(replace(asked, **changes), Console())
    assert not (tmp_path / "out.jsonl").exists()


def test_names_that_several_languages_share(tmp_path: Path) -> None:
    tests = "function candidate(...$args) {\n    return twice(...$args);\n}\ntest();"
    rows = [*BASH, BASH[0] | {"language": "php", "prompt": "<?php\nfunction twice($x) {\n", "tests": tests}]
    problems = named_problems("multipl_e", lines(tmp_path / "data.jsonl", rows), "")
    asked = {"problem_id": "HumanEval_0_twice", "text": ""}
    with pytest.raises(UserError, match="is there in bash, php; add"):
        read_candidates(lines(tmp_path / "a.jsonl", [asked]), problems)
    (line,) = read_candidates(lines(tmp_path / "a.jsonl", [asked | {"language": "sh"}]), problems)
    assert line.problem.language == "bash"
    (line,) = read_candidates(
        lines(tmp_path / "a.jsonl", [asked]), named_problems("multipl_e", tmp_path / "data.jsonl", "php")
    )
    assert line.problem.language == "php"


def test_languages_by_their_other_names() -> None:
    assert [canonical_language(name) for name in ("sh", "Bash", "js", "py", "cobol", "")] == [
        *("bash", "bash", "javascript", "python", "cobol", "")
    ]


class FakeJudge:
    """Verdicts by text: ``strict/multipl_e/deepseek``."""

    def __init__(self, workers: int, minimum_tier: str, remote: str) -> None:
        self.options = workers, minimum_tier, remote

    def __enter__(self) -> FakeJudge:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, items: Sequence[tuple[Problem, str]], on_result: Callable[[int], None]) -> list[Judgement]:
        return [self._of(code.split("return ")[-1], 0) for _, code in items]

    def run_compat(
        self, items: Sequence[tuple[Problem, str]], rules: str, on_result: Callable[[int], None], patience: float
    ) -> list[Judgement]:
        return [self._of(text.split("return ")[-1], 1 if rules == "multipl_e" else 2) for _, text in items]

    def _of(self, verdicts: str, index: int) -> Judgement:
        return Judgement(Verdict(verdicts.strip().splitlines()[0].split(" / ")[index]), message=f"because {index}")


def test_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "Judge", FakeJudge)
    triples = ["OK / OK / TIMEOUT", "WRONG / OK / OK", "WRONG / RUNTIME_ERROR / WRONG", "OK / OK / NO_TOOLCHAIN"]
    candidates = [{"problem_id": "HumanEval/0", "text": f"    return {triple}\n"} for triple in triples]
    rows = judged(request(tmp_path, "humaneval", HUMANEVAL, candidates, mode="compare"))
    assert [row["disagree"] for row in rows] == [["deepseek"], ["multipl_e", "deepseek"], [], []]
    assert [row["verdict"] for row in rows] == ["OK", "WRONG", "WRONG", "OK"]
    assert rows[0]["compat"]["deepseek"] == {"verdict": "TIMEOUT", "message": "because 2"}
    printed = capsys.readouterr().out
    assert "python: strict and deepseek disagree on 2" in printed
    assert "python: strict and multipl_e disagree on 1" in printed
    assert "4 lines, 2 with a disagreement" in printed and "deepseek: because 2" in printed


def test_what_was_not_judged_disagrees_with_nothing() -> None:
    ok, wrong, infra = (Judgement(verdict) for verdict in (Verdict.OK, Verdict.WRONG, Verdict.INFRA))
    assert disagree(ok, wrong) and disagree(wrong, ok)
    assert not disagree(ok, ok) and not disagree(ok, infra) and not disagree(infra, ok)


def test_judging_that_failed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Judge", FakeJudge)
    candidates = [{"problem_id": "HumanEval/0", "text": f"    return {name}\n"} for name in ("INFRA", "OK")]
    assert len(judged(request(tmp_path, "humaneval", HUMANEVAL, candidates))) == 2
    with pytest.raises(UserError, match="none of 1 candidates could be judged: because 0"):
        run_judge(request(tmp_path, "humaneval", HUMANEVAL, candidates[:1]), Console())


def test_flags_leave_out_what_the_prompt_gave() -> None:
    given = "    def __eq__(self, other):\n        return True\n"
    task = problem("program", prompt=f"class A:\n{given}", prefix=f"class A:\n{given}")
    assert flags(task, "\n    def __ne__(self, other):\n        return False\n") == ["__ne__:5"]


def test_the_summary_counts_what_was_judged() -> None:
    table = summary(
        [("python", Verdict.OK), ("python", Verdict.WRONG), ("python", Verdict.INFRA), ("php", Verdict.OK)]
    )
    assert [str(column.header) for column in table.columns] == [
        *("language", "OK", "WRONG", "INFRA", "all", "OK of judged")
    ]
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["php", "python"] and cells[-1] == ["100.0%", "50.0%"] and cells[-2] == ["1", "3"]


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Judge", FakeJudge)
    asked = request(tmp_path, "humaneval", HUMANEVAL, [{"problem_id": "HumanEval/0", "text": "    return WRONG\n"}])
    options = {"benchmark": "humaneval", "data": asked.data, "candidates": asked.candidates, "out": asked.out}
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    answer = CliRunner().invoke(app, ["judge", *arguments, "--workers", "1", "--minimum-tier", "D"])
    assert answer.exit_code == 0, answer.output
    assert "WRONG" in answer.output
    answer = CliRunner().invoke(app, ["judge", *arguments, "--mode", "lax"])
    assert isinstance(answer.exception, UserError)
