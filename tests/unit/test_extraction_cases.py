"""Texts of models whose programs were once not found: each is judged OK; and one whose end was never found in time."""

from __future__ import annotations

import json

from benchmark_data import shared, shared_cases

from rewardranker.judge import Judge
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.io import read_json_lines, read_problems
from rewardranker.programs import extract


def test_programs_are_found_in_what_models_write_around_them(judge: Judge) -> None:
    (task,) = read_problems(shared_cases("extraction_problem.jsonl"))
    rows = read_json_lines(shared_cases("extraction_texts.jsonl"))
    verdicts = judge.run([(task, extract(task, row["text"])) for row in rows])
    found = {row["why"]: str(judgement.verdict) for row, judgement in zip(rows, verdicts, strict=True)}
    assert found == {row["why"]: row["want"] for row in rows}


def test_ten_quoted_words_in_an_unclosed_interpolation_end(judge: Judge) -> None:
    """Ten took half a minute once, and every further one multiplied that: two thousand would not have ended."""
    (row,) = read_json_lines(shared_cases("multipl_e_cs_hang.jsonl"))
    problems = load_benchmark("multipl_e", shared("multipl_e/humaneval-cs.jsonl"), "", split=None)
    task = next(problem for problem in problems if problem.id.endswith(row["problem_id"]))
    words = ", ".join(f'["word {i}"] = Add({i}, {i})' for i in range(2000))
    for text in (row["text"], row["text"] + words):
        assert extract(task, text), json.dumps(text)[:80]
