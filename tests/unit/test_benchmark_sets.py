"""What an evaluation asks: the same problems in every column of a table, and each column once."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_data import PHP, add_mbpp_row, humaneval_row, multipl_e_row, shared, write_lines

from rewardranker.config.schema import BenchmarkSet
from rewardranker.errors import UserError
from rewardranker.evaluation.benchmarks import Benchmark, benchmarks_of
from rewardranker.problems.benchmarks import benchmark_solutions, load_humaneval
from rewardranker.problems.normal_form import normalise
from rewardranker.programs import completion_of, extract
from rewardranker.tables.paper import paper_table


def sets_of(folder: Path, limit: int) -> list[BenchmarkSet]:
    """HumanEval 0 to 11 in Python; a set with 1, 3, 5, 7, 9, 11 in JavaScript and 1, 2, 3, 5, 7, 11, 13 in PHP."""
    python = write_lines(folder / "humaneval.jsonl", [humaneval_row(i) for i in range(12)])
    rows = [multipl_e_row(i, "js") for i in (1, 3, 5, 7, 9, 11)]
    rows += [multipl_e_row(i, "php") | PHP for i in (1, 2, 3, 5, 7, 11, 13)]
    others = write_lines(folder / "others.jsonl", rows)
    return [
        BenchmarkSet("humaneval", str(python), limit=limit),
        BenchmarkSet("multipl_e_humaneval", str(others), limit=limit),
    ]


def groups(asked: list[Benchmark]) -> dict[str, list[str]]:
    return {one.language: [problem.group_id for problem in one.plain] for one in asked}


def test_sets_of_one_benchmark_and_limit_keep_the_same_problems(tmp_path: Path) -> None:
    """All three have 1, 3, 5, 7 and 11; of five, three evenly spaced ones are those at 0, 5 // 3 = 1, 10 // 3 = 3."""
    kept = ["humaneval/1", "humaneval/3", "humaneval/7"]
    assert groups(benchmarks_of(sets_of(tmp_path, 3), chat=False)) == dict.fromkeys(
        ("python", "javascript", "php"), kept
    )


def test_without_a_limit_every_language_has_all_its_own(tmp_path: Path) -> None:
    found = groups(benchmarks_of(sets_of(tmp_path, 0), chat=False))
    assert {language: len(own) for language, own in found.items()} == {"python": 12, "javascript": 6, "php": 7}


def test_another_limit_is_another_choice(tmp_path: Path) -> None:
    first, second = sets_of(tmp_path, 3)
    second.limit = 2
    found = groups(benchmarks_of([first, second], chat=False))
    assert found["python"] == ["humaneval/0", "humaneval/4", "humaneval/8"]
    assert found["php"] == found["javascript"] == ["humaneval/1", "humaneval/5"]


def test_a_set_s_prompts_may_end_with_a_line_of_its_own(tmp_path: Path) -> None:
    """Those that the generator is asked with; a program that has begun takes none."""
    sets = sets_of(tmp_path, 3)
    sets[0].instruction = "Only {language}."
    asked = {one.language: one for one in benchmarks_of(sets, chat=True)}
    assert all(problem.prompt.endswith("\nOnly Python.\n") for problem in asked["python"].problems)
    others = [problem.prompt for one in asked.values() for problem in [*one.plain, *asked["php"].problems]]
    assert not any("Only" in prompt for prompt in others)
    with pytest.raises(UserError, match="instruction 'Only {language}.': the prompt of humaneval/1 ends inside"):
        benchmarks_of(sets, chat=False)


def test_a_limit_on_what_has_nothing_in_common_is_refused(tmp_path: Path) -> None:
    first, second = sets_of(tmp_path, 3)
    write_lines(Path(second.source), [multipl_e_row(20)])
    with pytest.raises(
        UserError, match=r"limit=3 .* humaneval in python, multipl_e_humaneval in javascript have none"
    ):
        benchmarks_of([first, second], chat=False)


def test_a_column_is_asked_for_once_whatever_the_sets_are_called(tmp_path: Path) -> None:
    row = {
        "task_id": "Python/1",
        "prompt": "def add(a, b):\n",
        "canonical_solution": "    return a + b\n",
        "test": "def check(add):\n    assert add(1, 2) == 3\n\ncheck(add)",
    }
    own = write_lines(tmp_path / "python.jsonl", [row])
    first, _ = sets_of(tmp_path, 0)
    with pytest.raises(UserError, match="humaneval in python twice, in humaneval and in multipl_e:"):
        benchmarks_of([first, BenchmarkSet("multipl_e", str(own))], chat=False)
    both = BenchmarkSet("multipl_e", str(own), languages=["python", "py"])
    assert [len(one.problems) for one in benchmarks_of([both], chat=False)] == [1]


def test_rows_of_one_language_are_in_its_own_file(tmp_path: Path) -> None:
    for code, more in (("js", {}), ("php", PHP)):
        write_lines(tmp_path / f"humaneval-{code}.jsonl", [multipl_e_row(1, code) | more])
    own = BenchmarkSet("multipl_e", f"{tmp_path}/humaneval-{{language}}.jsonl", languages=["js", "php"])
    found = {one.language: one.source for one in benchmarks_of([own], chat=False)}
    assert found == {
        name: f"{tmp_path}/humaneval-{code}.jsonl" for name, code in (("javascript", "js"), ("php", "php"))
    }


def test_a_program_reads_as_a_continuation_of_the_plain_problem_too(tmp_path: Path) -> None:
    """The harness strips the prompt before it is continued, so the model begins with the line end itself; whoever
    reads the plain problem, which has that line end, finds the same body after it, and no fence."""
    (one,) = benchmarks_of(sets_of(tmp_path, 0)[:1], chat=False)
    put, plain = one.problems[3], one.plain[3]
    assert (put.prefix, plain.prefix) == (plain.prefix.strip(), '\n\ndef add3(a, b):\n    """ Adds. """\n')
    code = extract(put, "\n    return b + a\n\n\ndef add4(a, b):\n    pass\n")
    assert code == 'def add3(a, b):\n    """ Adds. """\n    return b + a\n'
    assert completion_of(plain, code) == "    return b + a\n"
    assert completion_of(put, code) == "\n    return b + a\n"


def test_an_mbpp_program_stands_in_a_fence_under_the_plain_statement(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "mbpp.jsonl", [add_mbpp_row(i) for i in (2, 3, 4, 11)])
    (one,) = benchmarks_of([BenchmarkSet("mbpp", str(source))], chat=False)
    (put,), (plain,) = one.problems, one.plain
    assert "heap_queue_largest" in put.prompt and "heap_queue_largest" not in plain.prompt
    code = extract(put, "\ndef shift11(a):\n\treturn a + 11\n[DONE]\n\nYou are an expert")
    assert code == "def shift11(a):\n    return a + 11\n"
    assert completion_of(plain, code) == f"```python\n{code}```\n"


@pytest.mark.parametrize("chat", [False, True])
def test_real_answers_read_the_same_under_the_plain_problem(chat: bool) -> None:
    """Every reference solution of the real HumanEval, as a model would write it in either style."""
    path = shared("humaneval/HumanEval.jsonl.gz")
    (one,) = benchmarks_of([BenchmarkSet("humaneval", str(path))], chat)
    known = benchmark_solutions("humaneval", str(path))
    assert [problem.id for problem in one.plain] == [problem.id for problem in load_humaneval(path)] == list(known)
    for put, plain in zip(one.problems, one.plain, strict=True):
        body = known[plain.id].removeprefix(normalise(plain.prefix))
        text = f"Sure!\n```python\n{known[plain.id]}```\n" if chat else f"\n{body}\n\ndef unasked():\n    pass\n"
        code = extract(put, text)
        assert completion_of(plain, code).strip("\n") == body.strip("\n"), plain.id


def test_real_mbpp_answers_read_the_same_under_the_plain_problem() -> None:
    path = shared("mbpp/mbpp.jsonl")
    (one,) = benchmarks_of([BenchmarkSet("mbpp", str(path), limit=50)], chat=False)
    known = benchmark_solutions("mbpp", str(path))
    for put, plain in zip(one.problems, one.plain, strict=True):
        code = extract(put, f"\n{known[plain.id]}[DONE]\n")
        assert completion_of(plain, code) == f"```python\n{known[plain.id]}```\n", plain.id


def test_every_kind_of_problem_has_a_table_of_its_own(tmp_path: Path) -> None:
    """Rows of somebody's own set stand in no column of the paper's."""
    own = [multipl_e_row(3), multipl_e_row(4, benchmark="mbpp"), multipl_e_row(5, benchmark="mine")]
    path = write_lines(tmp_path / "rows.jsonl", own)
    asked = benchmarks_of([BenchmarkSet("multipl_e", str(path))], chat=False)
    assert [(one.name, one.table, [p.id for p in one.problems]) for one in asked] == [
        ("multipl_e_humaneval_javascript", "humaneval", ["HumanEval_3_add"]),
        ("multipl_e_mbpp_javascript", "mbpp", ["mbpp_4_add"]),
        ("multipl_e_multipl_e_javascript", "multipl_e", ["mine_5_add"]),
    ]
    assert paper_table("multipl_e").rows == ()


def test_humaneval_x_by_language(tmp_path: Path) -> None:
    for code, prompt in (("cpp", "int f(int n){\n"), ("js", "const f = (n) => {\n")):
        name = {"cpp": "CPP", "js": "JavaScript"}[code]
        row = {"task_id": f"{name}/0", "prompt": prompt, "test": "console.assert(f(1) === 1)"}
        write_lines(tmp_path / f"humaneval_{code}.jsonl", [row])
    source = str(tmp_path / "humaneval_{language}.jsonl")
    asked = benchmarks_of([BenchmarkSet("humaneval_x", source, ["c++", "javascript"], limit=1)], chat=True)
    assert [(one.name, one.table, one.style) for one in asked] == [
        ("humaneval_x_cpp", "humaneval_x", "instruct"),
        ("humaneval_x_javascript", "humaneval_x", "instruct"),
    ]
    assert (paper_table("humaneval_x").name, paper_table("humaneval_x").rows) == ("HumanEval-X", ())
    with pytest.raises(UserError, match="humaneval_python.jsonl does not exist"):  # all four, and no other
        benchmarks_of([BenchmarkSet("humaneval_x", source)], chat=True)
