"""Contest problems in the hub's columns: what comes in, what is left out and counted, and files that are broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmark_data import shared
from judging import need

from actors.pipeline.stages.data import build_data
from rewardranker.config.loading import load_config
from rewardranker.config.schema import DataConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.models.tiny import build_tiny_model, build_tokenizer, tiny_texts
from rewardranker.problems.contests import shapes
from rewardranker.problems.contests.answers import BROKEN, REFUSED, SEVERAL, undecided
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.code_contests import COLUMNS, code_contests_corpus, task_of
from rewardranker.problems.contests.code_contests_plus import code_contests_plus_corpus
from rewardranker.problems.contests.codeforces import COLUMNS as CODEFORCES
from rewardranker.problems.contests.codeforces import GeneratedTests, codeforces_corpus
from rewardranker.problems.contests.codeforces import task_of as codeforces_task
from rewardranker.problems.contests.dialects import CODEFORCES_VERDICTS, dialect
from rewardranker.problems.contests.made_contests import made_contests_corpus
from rewardranker.problems.contests.made_data import (
    Made,
    write_code_contests,
    write_code_contests_plus,
    write_codeforces,
)
from rewardranker.problems.contests.tables import Table, revision_of
from rewardranker.problems.contests.task import is_cut, problem_in
from rewardranker.problems.corpus import Corpus, hub_name
from rewardranker.problems.data_card import card_markdown
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict
from rewardranker.runs.directory import RunDirectory

MADE = Made(problems=6, held_out=2, right=2, wrong=2, rows=4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code_contests")
    write_code_contests(folder, MADE)
    return folder


def corpus(path: Path, **options: Any) -> Corpus:
    config = DataConfig(
        source="code_contests",
        options={"path": str(path), **options},
        sft_solutions=1,
        triplet_problems=18,
        triplet_solutions=4,
    )
    return code_contests_corpus(config, 0)


def row_of(**changes: Any) -> dict[str, Any]:
    """A problem as the hub has it, with as little as one may have."""
    tests = {"input": ["1 2\n"], "output": ["3\n"]}
    nothing = {"input": [], "output": []}
    return {
        "name": "1_A. Sum",
        "description": "Add.",
        "public_tests": tests,
        "private_tests": nothing,
        "generated_tests": nothing,
        "solutions": {"language": [], "solution": []},
        "incorrect_solutions": {"language": [], "solution": []},
        "source": 2,
        "cf_contest_id": 1,
        "cf_index": "A",
        "cf_tags": [],
        "time_limit": None,
        "memory_limit_bytes": 0,
        "input_file": "",
        "output_file": "",
    } | changes


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, shapes.CODE_CONTESTS), path)
    return path


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("C++17 (GCC 7-32)", "cpp"),
        ("C++20 (GCC 13-64)", "cpp"),
        ("C++14 (GCC 6-32)", "cpp"),
        ("GNU C++11", "cpp"),
        ("GNU C++0x 4", "cpp"),
        ("MS C++ 2017", "cpp"),
        ("Clang++17 Diagnostics", "cpp"),
        ("GNU C11", ""),
        ("Java 21", "java"),
        ("Java 8", "java"),
        ("PyPy 3-64", "python"),
        ("Python 3", "python"),
        ("py3", "python"),
        ("PyPy 2", "python2"),
        ("Python 2", "python2"),
        ("C# 10", "csharp"),
        ("MS C#", "csharp"),
        ("Mono C#", "csharp"),
        ("PHP", "php"),
        ("Node.js", "javascript"),
        ("Node.js 15 (64bit)", "javascript"),
        ("JavaScript V8 4.8.0", ""),
        ("Kotlin 1.9", ""),
        ("PascalABC.NET", ""),
        ("F# 10", ""),
        ("Rust 2021", ""),
    ],
)
def test_what_sites_call_languages(text: str, language: str) -> None:
    assert dialect(text) == language


def test_verdicts_are_labels_or_say_nothing() -> None:
    right = {name for name, label in CODEFORCES_VERDICTS.items() if label}
    wrong = {name for name, label in CODEFORCES_VERDICTS.items() if label is False}
    assert right == {"OK"}
    assert wrong == {
        "WRONG_ANSWER",
        "RUNTIME_ERROR",
        "TIME_LIMIT_EXCEEDED",
        "MEMORY_LIMIT_EXCEEDED",
        "IDLENESS_LIMIT_EXCEEDED",
    }
    assert {"SKIPPED", "TESTING", "CHALLENGED", "PARTIAL", "FAILED", "COMPILATION_ERROR"} < set(CODEFORCES_VERDICTS)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("5\n1 2 3...", True),
        ("5\n1 2 ...\n", True),
        ("a" * 252 + "...", True),
        ("10 10\n" + "".join("1" * 40 + "\n" for _ in range(9)) + "..." + "\n", True),
        ("2 3\n#.#\n...\n", False),
        ("".join("." * 30 + "\n" for _ in range(20)), False),
        ("...", False),
        ("1 2 3\n", False),
    ],
)
def test_texts_that_a_site_cut_off(text: str, cut: bool) -> None:
    assert is_cut(text) is cut


def test_a_made_data_set_becomes_a_corpus(data: Path) -> None:
    found = corpus(data)
    assert {p.split for p in found.problems} == {"train", "validation", "test"}
    assert [p.language for p in found.problems[:3]] == ["cpp", "java", "python"]
    first = found.problems[0]
    assert first.group_id == {p.group_id for p in found.problems[:3]}.pop()
    assert first.prompt.endswith("Write a program in C++ that reads standard input and writes standard output.\n")
    assert (first.licence, len(first.revision), first.comparator) == ("CC-BY-4.0", 12, "tokens")
    assert len(first.tests) <= 12 and first.limits.memory_mb in (245, 256) and first.limits.cpu_s in (5.0, 20.0)
    train = [p.id for p in found.problems if p.split == "train"]
    assert len(found.imitated) == len(train) and {name for name, _ in found.written} == set(train)
    assert {name for name, _ in found.references} == {p.id for p in found.problems}
    census = found.census
    assert census is not None and census.revision == first.revision
    alike = census.left_out["problems: nearly the same as one that is held out"]
    assert census.taken["problems"] == len(found.problems) // 3 == 10 - alike
    assert census.left_out["programs in python2"] == 10 and census.left_out["programs that repeat a kept one"] == 10
    assert any("python2: 10 (code_contests/" in line for line in census.lines())
    assert "CC-BY-4.0" in census.lines()[0] and first.revision in card_markdown(found.problems)


def test_made_problems_need_no_download(tmp_path: Path) -> None:
    """Real ones come among them; of made ones a tiny model knows every word, and of real ones it need not."""
    real = {"content": "Add.", "labels": {"name": "1_A. Sum", "source": "CODEFORCES"}, "test": []}
    real["test"] = [{"input": {"stdin": "1 2\n"}, "output": {"stdout": "3\n"}}]
    (tmp_path / "real.jsonl").write_text("\n".join(json.dumps(real | {"content": f"Add {n}."}) for n in range(3)))
    options = {"made": 40, "made_held_out": 2, "operations": [1, 4], "real": str(tmp_path / "real.jsonl")}
    config = DataConfig(source="made_contests", options=options)
    found = made_contests_corpus(config, 0)
    assert found.problems == made_contests_corpus(config, 0).problems, "the same every time"
    real_ones = [problem for problem in found.problems if "Task" not in problem.id]
    assert len(real_ones) == 3 and {problem.split for problem in real_ones} == {"test"}  # the others have its name
    tokenizer = build_tokenizer(tiny_texts(config), 4096)
    by_id = {problem.id: problem for problem in found.problems}
    for name, code in found.imitated + found.written:
        assert tokenizer.unk_token_id not in tokenizer(by_id[name].prompt + code)["input_ids"]
    assert len({name for name, _ in found.references}) == len(found.problems) - 3
    assert {problem.language for problem in found.problems} == {"cpp", "java", "python"}


@pytest.mark.parametrize(
    ("line", "more", "said"),
    [
        ({"content": "x", "labels": {}, "test": []}, {}, r"line 1 is no problem with tests \(KeyError: 'name'\)"),
        ({"labels": {"name": "a", "source": "CODECHEF"}, "test": "[]"}, {}, "KeyError: 'content'"),
        (None, {"operations": [3, 2]}, r"data.options.operations=\[3, 2\]: the fewest and the most"),
        (None, {"names": 9}, "data.options.names=9: must be 1 to 8"),
        (None, {"real": "/nowhere.jsonl"}, "/nowhere.jsonl"),
    ],
)
def test_what_is_no_real_problem_is_said(
    tmp_path: Path, line: dict[str, Any] | None, more: dict[str, Any], said: str
) -> None:
    real = tmp_path / "real.jsonl"
    real.write_text(json.dumps(line) if line else "")
    options = {"made": 1, "made_held_out": 1, "real": str(real)} | more
    with pytest.raises(UserError, match=said):
        made_contests_corpus(DataConfig(source="made_contests", options=options), 0)


def test_the_same_whatever_the_files(data: Path, tmp_path: Path) -> None:
    """Which programs are kept depends on no file and no row group; a problem is read no further than is asked."""
    write_code_contests(tmp_path / "a", Made(problems=6, held_out=2, right=2, wrong=2, rows=1))
    one, other = corpus(data), corpus(tmp_path / "a")
    assert [p.prompt for p in one.problems] == [p.prompt for p in other.problems]
    assert (one.references, one.imitated, one.written) == (other.references, other.imitated, other.written)
    few = corpus(data, train_problems=2, validation_problems=1, test_problems=1, languages=["java"])
    assert [p.split for p in few.problems] == ["test", "validation", "train", "train"]
    assert {p.language for p in few.problems} == {"java"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cf_tags": ["interactive"]}, "interactive"),
        ({"description": "Guess.\n\nInteraction\n\nAsk."}, "interactive"),
        ({"input_file": "input.txt"}, "reads or writes files"),
        ({"public_tests": {"input": [], "output": []}}, "no tests"),
        ({"private_tests": {"input": ["9\n1 2 3..."], "output": ["5"]}}, "tests that are cut off"),
    ],
)
def test_what_gives_no_label_says_why(changes: dict[str, Any], reason: str) -> None:
    task = task_of(row_of(**changes), "here", "train", "r")
    assert reason in task.trouble


def test_generated_tests_stand_in_for_those_that_are_cut() -> None:
    changes = {"private_tests": {"input": ["9\n1 2 3..."], "output": ["5"]}}
    task = task_of(row_of(**changes, generated_tests={"input": ["4 4\n"], "output": ["8\n"]}), "here", "test", "r")
    assert task.trouble == "" and len(task.tests) == 2 and task.contest == "codeforces/1/A"
    assert task.limits.cpu_s == 10.0 and task.limits.memory_mb == 256


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = [row_of(name=f"{i}_A. Task {i}", cf_contest_id=i, description=f"Find {i} in {i * 7}.") for i in range(3)]
    rows += [
        row_of(name="0_A. Task 0"),
        row_of(name="x", cf_tags=["interactive"]),
        row_of(name="y", input_file="a.in"),
    ]
    for split in ("train", "valid", "test"):
        write(tmp_path / f"{split}.parquet", rows if split == "train" else [])
    census = corpus(tmp_path).census
    assert census is not None
    assert census.left_out == {
        "problems: another of the same name came before": 1,
        "problems: interactive": 1,
        "problems: reads or writes files": 1,
    }
    assert census.names["problems: interactive"] == ["code_contests/x"]


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row_of()], shapes.CODE_CONTESTS).rename_columns(
        ["private_test" if name == "private_tests" else name for name in shapes.CODE_CONTESTS.names]
    )
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(UserError, match=r"train.parquet lacks column private_tests; it has name.*private_test\?"):
        list(Table(str(tmp_path), "", "train", COLUMNS).rows(Census()))
    with pytest.raises(UserError, match=r"no Parquet files of split 'test'.*there are train.parquet"):
        corpus(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        corpus(tmp_path / "nowhere.parquet")


def damaged_group(path: Path) -> None:
    """Overwrites the data of the second row group: the footer, and the first, stay whole."""
    with pq.ParquetFile(path) as file:
        column = file.metadata.row_group(1).column(1)
        place, size = column.dictionary_page_offset or column.data_page_offset, column.total_compressed_size
    content = bytearray(path.read_bytes())
    content[place : place + size] = b"\xff" * size
    path.write_bytes(bytes(content))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "said", "lost"),
    [
        (damaged_group, r"row group 1 \(rows 5 to 6\) cannot be read from row 5 on", {"damaged rows": 2}),
        (cut_short, "is not a readable Parquet file", {"damaged files": 1}),
    ],
)
def test_what_cannot_be_read_is_named_or_counted(
    data: Path, tmp_path: Path, damage: Callable[[Path], None], said: str, lost: dict[str, int]
) -> None:
    """Nothing before it is lost, and nothing is made of it."""
    write_code_contests(tmp_path, MADE)
    whole = revision_of([Table(str(tmp_path), "", "train", COLUMNS)])
    damage(tmp_path / "data" / "train-00000-of-00001.parquet")
    with pytest.raises(UserError, match=said):
        corpus(tmp_path)
    census = Census()
    table = Table(str(tmp_path), "", "train", COLUMNS, skip_damaged=True)
    rows = list(table.rows(census))
    assert census.left_out == lost and len(rows) == (4 if "damaged rows" in lost else 0)
    assert revision_of([table]) != whole, "a file that changed is another revision"


def test_the_hub_is_streamed_in_the_same_columns(data: Path) -> None:
    """``datasets`` reads a folder as it reads the hub."""
    from rewardranker.problems.sources import stream_hub

    table = Table(str(data), "", "train", COLUMNS)
    streamed = [row for _, row in stream_hub(str(data), "", "train", table.columns_of)]
    ours = [row for _, row in table.rows(Census())]
    assert [task_of(row, "", "train", "r") for row in streamed] == [task_of(row, "", "train", "r") for row in ours]
    with pytest.raises(UserError, match="could not be loaded"):
        next(stream_hub(str(data), "", "no_split", table.columns_of))


RIGHT = {
    "1000_A. Codehorses T-shirts": (
        "from collections import Counter\nn = int(input())\na = Counter(input() for _ in range(n))\n"
        "b = Counter(input() for _ in range(n))\nprint(sum((a - b).values()))\n"
    ),
    "1238_B. Kill 'Em All": (
        "for _ in range(int(input())):\n    n, r = map(int, input().split())\n"
        "    xs = sorted(set(map(int, input().split())), reverse=True)\n"
        "    print(sum(x - i * r > 0 for i, x in enumerate(xs)))\n"
    ),
    "12_B. Correct Solution?": (
        "n = sorted(input().strip())\nm = input().strip()\n"
        "i = next((i for i, c in enumerate(n) if c != '0'), 0)\nn[0], n[i] = n[i], n[0]\n"
        "print('OK' if ''.join(n) == m else 'WRONG_ANSWER')\n"
    ),
}
IN_CPP = (
    "#include <iostream>\n#include <map>\n#include <string>\nint main() {\n  int n; std::cin >> n;\n"
    "  std::map<std::string, int> a;\n  std::string s;\n  for (int i = 0; i < n; i++) std::cin >> s, a[s]++;\n"
    "  int missing = 0;\n  for (int i = 0; i < n; i++) { std::cin >> s; if (a[s]-- <= 0) missing++; }\n"
    "  std::cout << missing << std::endl;\n}\n"
)


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The real problems in the hub's columns, through the source."""
    lines = []
    for line in shared("code_contests/sample_20.jsonl").read_text().splitlines():
        row = json.loads(line)
        if code := RIGHT.get(json.loads(row["labels"])["name"]):
            row["solutions"] = {"language": [3], "solution": [code]}
        lines.append(json.dumps(row))
    real = tmp_path_factory.mktemp("twenty") / "real.jsonl"
    real.write_text("\n".join(lines))
    options = {"made": 0, "made_held_out": 0, "real": str(real)}
    return made_contests_corpus(DataConfig(source="made_contests", options=options), 0)


def test_the_twenty_real_problems(twenty: Corpus) -> None:
    """Through source, judge and card; one is interactive, and has 105 tests with something expected all the same."""
    census = twenty.census
    assert census is not None and census.taken["problems"] == 19
    assert census.names == {"problems: interactive": ["code_contests/1179_E. Alesya and Discrete Math"]}
    wrong = [(problem, "print('?')\n") for problem in twenty.problems if problem.language == "python"]
    with Judge(workers=1, all_tests=False) as quick:
        assert {result.verdict for result in quick.run(wrong)} == {Verdict.WRONG} and len(wrong) == 19
    assert f"| code_contests | java | {twenty.problems[0].revision} | 19 |" in card_markdown(twenty.problems)


@pytest.mark.slow
def test_right_programs_pass_the_real_problems(judge: Judge, twenty: Corpus) -> None:
    by_id = {problem.id: problem for problem in twenty.problems}
    items = [(by_id[name], code) for name, code in twenty.references]
    items += [(by_id[f"code_contests/{next(iter(RIGHT))}/{need('cpp')}"], IN_CPP)]
    assert [result.verdict for result in judge.run(items)] == [Verdict.OK] * (len(RIGHT) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["cpp", "java", "python"])
def test_made_programs_do_what_their_labels_say(judge: Judge, data: Path, language: str) -> None:
    """Right ones pass; of wrong ones a few do too, as of real ones."""
    need(language)
    found = corpus(data, languages=[language])
    by_id = {problem.id: problem for problem in found.problems}
    right = judge.run([(by_id[name], code) for name, code in found.references])
    assert {result.verdict for result in right} == {Verdict.OK}
    known = {code for _, code in found.references}
    wrong = judge.run([(by_id[name], code) for name, code in found.written if code not in known])
    assert Verdict.WRONG in {result.verdict for result in wrong}
    assert {result.verdict for result in wrong} <= {Verdict.OK, Verdict.WRONG}


def test_a_task_in_a_language_is_a_problem_of_its_own() -> None:
    task = task_of(row_of(), "here", "train", "r")
    one, other = problem_in(task, "cpp"), problem_in(task, "csharp")
    assert one.id != other.id and one.group_id == other.group_id and "C#" in other.prompt


@pytest.fixture(scope="module")
def codeforces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codeforces")
    write_codeforces(folder, Made(problems=9, held_out=2, right=2, wrong=2, rows=4))
    return folder


def codeforces_of(folder: Path, **options: Any) -> Corpus:
    paths = {"path": str(folder / "problems"), "submissions": str(folder / "submissions"), "held_out": 0.2}
    config = DataConfig(source="codeforces", options=paths | options, sft_solutions=1, triplet_solutions=4)
    return codeforces_corpus(config, 0)


def test_problems_of_codeforces_meet_their_submissions(codeforces: Path) -> None:
    found = codeforces_of(codeforces)
    assert found.census is not None
    assert {p.split for p in found.problems} == {"train", "validation", "test"}
    assert found.census.left_out["programs in Kotlin 1.9"] == found.census.left_out["programs in python2"] == 11
    assert found.census.left_out["programs with verdict SKIPPED"] == 11
    assert found.census.taken["problems"] == 11 and {name for name, _ in found.references} == {
        p.id for p in found.problems
    }
    by_id = {problem.id: problem for problem in found.problems}
    # Four of every twelve are tests that the site does not show whole; generated ones lie in files beside them.
    assert {len(p.tests) for p in found.problems} <= {10, 11, 12} and by_id["codeforces/4/A/cpp"].limits.cpu_s == 4.0
    prompt = by_id["codeforces/1/A/java"].prompt
    assert [prompt.index(part) for part in ("Task 1\n", "\nInput\n", "\nOutput\n", "\nExample\n", "Java")] == sorted(
        prompt.index(part) for part in ("Task 1\n", "\nInput\n", "\nOutput\n", "\nExample\n", "Java")
    )


def test_a_test_set_that_is_not_all_there_gives_no_label(codeforces: Path, tmp_path: Path) -> None:
    """The file beside the problems is gone, or holds less than the problems say."""
    write_codeforces(tmp_path, Made(problems=9, held_out=2, right=1, wrong=1))
    files = sorted((tmp_path / "problems" / "generated_tests").iterdir())
    files[0].unlink()
    pq.write_table(pq.read_table(files[1]).slice(1), files[1])
    census = codeforces_of(tmp_path).census
    assert census is not None and census.left_out["problems: generated tests that are not all there"] == 2
    whole = codeforces_of(codeforces).census
    assert whole is not None and whole.revision != census.revision


def codeforces_row(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys([*CODEFORCES.needed, *CODEFORCES.others])
    tests = [{"input": "1 2\n", "output": "3\n"}]
    return (
        row
        | {"id": "7/B", "title": "Sum", "description": "Add.", "official_tests": tests}
        | {
            "official_tests_complete": True,
            "input_mode": "stdio",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"interaction_format": "Ask."}, "interactive"),
        ({"tags": ["interactive"]}, "interactive"),
        ({"input_mode": "file"}, "reads or writes files"),
        ({"executable": False}, "not executable"),
        ({"official_tests_complete": False}, "incomplete, and no generated ones"),
        ({"official_tests_complete": None}, "incomplete, and no generated ones"),
        ({"official_tests_complete": False, "generated_tests": 3}, "not all there"),
        ({"official_tests": [{"input": "9\n1 2...", "output": "4"}]}, "incomplete"),
        ({"official_tests": None}, "no tests"),
        ({"generated_checker": "def main(:"}, "no Python"),
    ],
)
def test_what_of_codeforces_gives_no_label(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    task = codeforces_task(codeforces_row(**changes), "train", GeneratedTests(str(tmp_path)), "r")
    assert reason in task.trouble and bool(reason) == bool(task.trouble)


def test_checkers_of_both_kinds_come_with_their_problems(tmp_path: Path) -> None:
    row = codeforces_row(generated_checker="print(1)\n", aliases=["8/A"], memory_limit=64.5)
    task = codeforces_task(row, "train", GeneratedTests(str(tmp_path)), "r")
    assert (task.comparator, task.checker, task.aliases) == ("script", "print(1)\n", ("codeforces/8/A",))
    assert task.limits.memory_mb == 65
    write_code_contests_plus(tmp_path, Made(problems=12, right=1, wrong=1), "int main() {}")
    config = DataConfig(options={"path": str(tmp_path), "held_out": 0.2}, sft_solutions=1, triplet_solutions=2)
    found = code_contests_plus_corpus(config, 0)
    assert {(p.comparator, p.checker) for p in found.problems} == {("testlib", "int main() {}")}
    assert {p.split for p in found.problems} == {"train", "validation", "test"}
    assert {p.group_id for p in found.problems} == {f"codeforces/{i}/A" for i in range(12)}
    assert found.census is not None and found.census.left_out["programs in python2"] == 12


def test_problems_with_several_answers_are_found_by_running_right_programs(judge: Judge) -> None:
    def task(name: str, **more: Any) -> Problem:
        given = {"language": "python", "style": "stdio", "prompt": "", "limits": Limits(cpu_s=0.4), **more}
        return Problem(id=f"{name}/python", tests=(Test("12\n", "3\n"), Test("7\n", "7\n")), **given)

    several, single = task("several"), task("single")
    broken = task("broken", comparator="script", checker="import nothing_here\n")
    refusing = task(
        "refusing",
        comparator="script",
        checker="a = open(__import__('sys').argv[3]).read()\nprint(int(a in ('3\\n', '7\\n')))\n",
    )
    divisor = "n = int(input())\nprint(next(d for d in {} if n % d == 0))\n"
    right, other, slow = divisor.format("(3, 7)"), divisor.format("(2, 7)"), "while True:\n    pass\n"
    items = [(several, right), (several, other), (single, right), (single, slow), (broken, right), (refusing, other)]
    results = judge.run(items)
    census = Census()
    judged = [(problem, r.verdict, r.message) for (problem, _), r in zip(items, results, strict=True)]
    assert undecided(judged, census) == {"several", "broken", "refusing"}
    assert census.names == {BROKEN: ["broken"], REFUSED: ["refusing"], SEVERAL: ["several"]}
    assert undecided(judged, Census(), allowed=0.5) == {"broken", "refusing"}


def test_a_file_that_changed_is_named_and_its_stage_made_again(tmp_path: Path) -> None:
    """The data stage compares what it read by content; its card has the revision, and what was left out."""
    write_code_contests(tmp_path / "hub", MADE)
    build_tiny_model(TinyConfig(hidden=16, layers=1, heads=2), tmp_path / "model", ["a"], 0)
    config = load_config(
        None,
        [
            "data.source=code_contests",
            f"data.options.path={tmp_path / 'hub'}",
            f"model.path={tmp_path / 'model'}",
            "ppo.prompts_per_step=4",
            "ppo.minibatch_size=32",
            f"run.root={tmp_path}",
            "run.name=run",
        ],
    )
    cards, said = [], list[str]()
    for made in (MADE, MADE, Made(problems=7, held_out=2, right=2, wrong=2)):
        write_code_contests(tmp_path / "hub", made)
        run = RunDirectory(config, said.append)
        cards.append(json.loads((build_data(config, run) / "card.json").read_text()))
        run.close()
    assert [line.split("   ")[-1].strip()[:60] for line in said if "complete" in line or "again" in line] == [
        "complete",
        "runs again, changed: input data.options.path",
    ]
    assert cards[0] == cards[1] and cards[0]["revision"] != cards[2]["revision"]
    assert cards[0]["licence"] == "CC-BY-4.0" and cards[0]["left_out"]["programs in python2"] == 10


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (DataConfig(source="codeforces"), "open-r1/codeforces"),
        (DataConfig(source="code_contests", options={"path": "me/copy@abc"}), "me/copy@abc"),
        (DataConfig(source="code_contests", options={"path": "./data.parquet"}), ""),
        (DataConfig(source="mbpp"), "google-research-datasets/mbpp"),
        (DataConfig(source="family"), ""),
    ],
)
def test_a_dry_run_looks_at_no_hub(config: DataConfig, name: str) -> None:
    assert hub_name(config) == name
