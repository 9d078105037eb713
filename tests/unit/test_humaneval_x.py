"""HumanEval-X: its rows as problems, judged by tests that call the function by its name; rows made here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_data import Hub, humaneval_x, no_hub, write_data_set, write_lines
from judging import need

from rewardranker.commands.judge_files import named_problems
from rewardranker.errors import UserError
from rewardranker.evaluation.guards import constant_program
from rewardranker.judge import Judge
from rewardranker.problems.benchmarks import benchmark_solutions, load_benchmark
from rewardranker.problems.data_card import card_rows
from rewardranker.problems.io import check_problems
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.prompts import continues_prompt, default_style, styled
from rewardranker.problems.statements import statement
from rewardranker.problems.verdict import Verdict
from rewardranker.programs import extract

OK, WRONG = Verdict.OK, Verdict.WRONG
DOCS = Path(__file__).parents[2] / "docs" / "data.md"

ROWS: dict[str, dict[str, Any]] = {
    "python": {
        "task_id": "Python/500",
        "prompt": "from typing import List\n\n\ndef half(n: int) -> int:\n    return n // 2\n\n\n"
        'def halves(numbers: List[int]) -> List[int]:\n    """ Halve every number.\n    >>> halves([4, 5])\n'
        '    [2, 2]\n    """\n',
        "canonical_solution": "    return [half(n) for n in numbers]\n",
        "test": "\n\nMETADATA = {}\n\n\ndef check(halves):\n    assert halves([4, 5]) == [2, 2]\n"
        "    for n in range(9):\n        assert halves([n]) == [half(n)]\n\ncheck(halves)\n",
    },
    "cpp": {
        "task_id": "CPP/500",
        "prompt": "/*\nHalve every number.\n>>> halves({4, 5})\n{2, 2}\n*/\n#include<stdio.h>\n#include<vector>\n"
        "using namespace std;\nint half(int n){\n    return n/2;\n}\nvector<int> halves(vector<int> numbers){\n",
        "canonical_solution": "    for (int i=0;i<numbers.size();i++) numbers[i]=half(numbers[i]);\n"
        "    return numbers;\n}\n",
        "test": "#undef NDEBUG\n#include<assert.h>\nbool issame(vector<int> a,vector<int>b){\n    return a==b;\n}\n"
        "int main(){\n    assert (issame(halves({4, 5}),{2, 2}));\n    assert (halves({}).size()==0);\n"
        "    for (int i=0;i<9;i++)\n    {\n        int n=rand()%100;\n"
        "        assert (halves({n})[0]==half(n));\n    }\n}\n",
    },
    "java": {
        "task_id": "Java/500",
        "prompt": "import java.util.*;\nimport java.lang.*;\n\nclass Solution {\n    /**\n    Halve every number.\n"
        "    >>> halves(Arrays.asList(4, 5))\n    [2, 2]\n     */\n"
        "    public List<Integer> halves(List<Integer> numbers) {\n",
        "canonical_solution": "        List<Integer> found = new ArrayList<>();\n"
        "        for (int n : numbers) found.add(n / 2);\n"
        "        return found;\n    }\n}\n",
        "test": "public class Main {\n    public static void main(String[] args) {\n"
        "        Solution s = new Solution();\n"
        "        List<Boolean> correct = Arrays.asList(\n"
        "                s.halves(new ArrayList<>(Arrays.asList(4, 5))).equals(Arrays.asList(2, 2)),\n"
        "                Objects.equals(s.halves(new ArrayList<>()), List.of()),\n"
        "                s.halves(Arrays.asList(8)).get(0) == 4\n        );\n"
        "        if (correct.contains(false)) {\n            throw new AssertionError();\n        }\n    }\n}\n",
    },
    "javascript": {
        "task_id": "JavaScript/500",
        "prompt": "/* Halve every number.\n  >>> halves([4, 5])\n  [2, 2]\n  */\nconst half = (n) => {\n"
        "  return Math.floor(n / 2);\n}\n\nconst halves = (numbers) => {\n",
        "canonical_solution": "  return numbers.map(half);\n}\n\n\n",
        "test": "const testHalves = () => {\n"
        "  console.assert(JSON.stringify(halves([4, 5])) === JSON.stringify([2, 2]))\n"
        "  for (let i = 0; i < 9; i++) {\n    let n = Math.floor(Math.random() * 100)\n"
        "    console.assert(halves([n])[0] === half(n))\n  }\n}\n\ntestHalves()\n",
    },
}

#: What follows the prompt, and what it is.
PROGRAMS: dict[str, list[tuple[str, Verdict | None]]] = {
    "python": [
        ("    return [n // 2 for n in numbers]\n", OK),
        ("    return [n / 2 for n in numbers]\n", WRONG),
        ("    return None\n", None),
        ("    raise SystemExit(0)\n", None),
        ("    return numbers\n\n\ndef half(n):\n    return n\n", None),
        ("    return []\n\n\ndef check(f):\n    pass\n", None),
        ("    import os\n    os._exit(0)\n", None),
    ],
    "cpp": [
        ("    vector<int> r;\n    for (int n : numbers) r.push_back(n/2);\n    return r;\n}\n", OK),
        ("    return numbers;\n}\n", WRONG),
        ("    return {};\n}\n", WRONG),
        ("    exit(0);\n}\n", None),
        ("    return numbers;\n}\n#define assert(x)\n", None),
        ("    return numbers;\n}\nint main() { return 0; }\n", None),
        ("    return numbers;\n}\nbool issame(vector<int>, vector<int>) { return true; }\n", None),
        ("    return {n\n}\n", Verdict.COMPILE_ERROR),
    ],
    "java": [
        ("        numbers.replaceAll(n -> n / 2);\n        return numbers;\n    }\n}\n", OK),
        ("        return numbers;\n    }\n}\n", WRONG),
        ("        return null;\n    }\n}\n", None),
        ("        return new ArrayList<>() { public boolean equals(Object o) { return true; } };\n    }\n}\n", None),
        ("        System.exit(0);\n        return null;\n    }\n}\n", None),
        (
            "        return null;\n    }\n}\nclass Arrays { static java.util.List<Object> asList(Object... x) "
            "{ return java.util.List.of(); } }\n",
            None,
        ),
        ("        return numbers;\n    }\n}\nclass Main { public static void main(String[] a) { } }\n", None),
        ("        return 1;\n    }\n}\n", Verdict.COMPILE_ERROR),
    ],
    "javascript": [
        ("  return numbers.map((n) => n >> 1);\n}\n", OK),
        ("  return numbers;\n}\n", WRONG),
        ("  return null;\n}\n", WRONG),
        ("  process.exit(0);\n}\n", None),
        ("  return numbers;\n}\nconsole.assert = () => {};\n", WRONG),
        ("  return { toJSON: () => [2, 2], 0: 0 };\n}\n", WRONG),
        ("  return numbers;\n}\nJSON.stringify = () => '';\n", WRONG),
        ("  return [;\n}\n", Verdict.COMPILE_ERROR),
    ],
}
CODES = {"python": "python", "cpp": "cpp", "java": "java", "javascript": "js"}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "humaneval.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS.values()).encode()))
    return path


def test_a_row(rows: Path) -> None:
    problems = load_benchmark("humaneval_x", rows)
    check_problems(problems)
    assert [p.id for p in problems] == [f"humaneval_x/{code}/500" for code in CODES.values()]
    assert [p.language for p in problems] == list(CODES)
    for problem in problems:
        assert problem.prompt == problem.prefix == ROWS[problem.language]["prompt"]
        assert (problem.entry_point, problem.group_id, problem.licence) == ("halves", "humaneval/500", "Apache-2.0")
        assert (problem.source, problem.style, problem.split) == ("humaneval_x", "program", "test")
        assert [test.input for test in problem.tests] == [ROWS[problem.language]["test"]]
        assert statement(problem).split("\n")[0].strip() == "Halve every number."
        assert continues_prompt(styled(problem, default_style("humaneval_x", chat=False)))
        assert styled(problem, default_style("humaneval_x", chat=True)).prompt.startswith("Please continue to")
    for name in ("c++", "cpp"):
        assert [p.id for p in load_benchmark("humaneval_x", rows, name)] == ["humaneval_x/cpp/500"]


def test_a_candidate_may_call_it_by_its_row_s_name(rows: Path) -> None:
    named = named_problems("humaneval_x", rows, "")
    for name in ("CPP/500", "cpp/500", "humaneval_x/cpp/500"):
        assert [p.language for p in named[name]] == ["cpp"]
    assert [p.language for p in named["HumanEval/500"]] == list(CODES)


def test_solutions(rows: Path) -> None:
    solutions = benchmark_solutions("humaneval_x", rows)
    assert set(solutions) == {p.id for p in load_benchmark("humaneval_x", rows)}
    assert solutions["humaneval_x/js/500"].rstrip().endswith("return numbers.map(half);\n}")


def test_solutions_that_are_known_to_be_wrong_are_none(tmp_path: Path) -> None:
    wrong = ROWS["javascript"] | {"task_id": "JavaScript/155", "canonical_solution": "  while (num > 0) { }\n}"}
    path = write_lines(tmp_path / "rows.jsonl", [wrong, ROWS["javascript"]])
    assert list(benchmark_solutions("humaneval_x", path)) == ["humaneval_x/js/500"]
    mended = wrong | {"canonical_solution": ROWS["javascript"]["canonical_solution"]}
    assert len(benchmark_solutions("humaneval_x", write_lines(tmp_path / "m.jsonl", [mended]))) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task_id": "Go/0"}, "row 1: task_id 'Go/0' is none like Python/0, CPP/0, Java/0, JavaScript/0; leave such"),
        ({"task_id": 7}, "row 1: task_id 7 is none like Python/0"),
        ({"test": "print(1)"}, "row 1: the prompt begins 'halves', and the tests do not call it; they are 'print"),
        ({"prompt": "/* Halve. */\n"}, "row 1: the prompt begins no function, and"),
    ],
)
def test_rows_that_are_none_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_lines(tmp_path / "rows.jsonl", [ROWS["cpp"] | change])
    with pytest.raises(UserError, match=message):
        load_benchmark("humaneval_x", path)


def test_what_is_not_there_is_named(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="has no 'php': HumanEval-X is read in python, cpp, java, javascript"):
        load_benchmark("humaneval_x", rows, "php")
    only = write_lines(tmp_path / "cpp.jsonl", [ROWS["cpp"]])
    with pytest.raises(UserError, match="no problems in java; it has cpp"):
        load_benchmark("humaneval_x", only, "java")
    lacking = {key: value for key, value in ROWS["cpp"].items() if key != "test"}
    with pytest.raises(UserError, match="row 1 lacks test; it has task_id, prompt"):
        load_benchmark("humaneval_x", write_lines(tmp_path / "less.jsonl", [lacking]))
    no_hub(monkeypatch)
    with pytest.raises(UserError, match="hub: no route; check .* download its humaneval"):
        load_benchmark("humaneval_x")


def test_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    parts = {code: {"test": [ROWS[language]]} for language, code in CODES.items()}
    hub = Hub(monkeypatch, write_data_set(tmp_path / "data", parts))
    assert len(load_benchmark("humaneval_x")) == 4
    assert [asked[:3] for asked in hub.asked] == [("THUDM/humaneval-x", code, "test") for code in CODES.values()]
    hub.asked.clear()
    assert [p.language for p in load_benchmark("humaneval_x", language="js")] == ["javascript"]
    assert len(hub.asked) == 1


@pytest.mark.parametrize("language", CODES)
def test_programs(judge: Judge, rows: Path, language: str) -> None:
    need(language)
    [problem] = load_benchmark("humaneval_x", rows, language)
    programs = [(benchmark_solutions("humaneval_x", rows)[problem.id], OK), (constant_program(problem), None)]
    programs += [(problem.prefix + text, wanted) for text, wanted in PROGRAMS[language]]
    for (code, wanted), found in zip(programs, judge.run([(problem, code) for code, _ in programs]), strict=True):
        assert found.level == "L2", found
        if wanted is not None:
            assert found.verdict is wanted, (code, found)
        else:  # a cheat
            assert found.verdict not in (OK, Verdict.INFRA), (code, found)


@pytest.mark.parametrize("start", ["1", "-1", "[]", "''", "{}", "`a`", '"b"'])
def test_a_variable_that_is_called_like_the_function_is_no_function(rows: Path, start: str) -> None:
    """JavaScript's own solution of 106 begins so."""
    [problem] = load_benchmark("humaneval_x", rows, "js")
    text = f"  let halves = {start}\n  halves = {start}\n  return numbers\n}}\n"
    assert extract(problem, text) == normalise(problem.prefix + text)
    whole = "const halves = (numbers) => {\n  let halves = 0\n  return numbers\n}\n"
    assert extract(problem, f"```js\n{whole}```") == whole


def test_other_harnesses_have_no_rules_for_it(judge: Judge, rows: Path) -> None:
    [problem] = load_benchmark("humaneval_x", rows, "js")
    refused = "humaneval_x/js/500 cannot be judged by the rules 'multipl_e': .* not those of humaneval_x"
    with pytest.raises(UserError, match=refused):
        judge.run_compat([(problem, "}")], "multipl_e")


@pytest.mark.parametrize("language", CODES)
def test_the_ceilings_in_the_documentation(language: str) -> None:
    [row] = card_rows(load_benchmark("humaneval_x", humaneval_x(CODES[language])))
    source, name, revision, count, _, *ceilings = row
    assert (source, name, ceilings) == ("humaneval_x", language, ["164", "–", "–"])
    assert f"| {source} | {name} | `{revision}` | {count} | {' | '.join(ceilings)} |" in DOCS.read_text()


def references(language: str) -> dict[str, Verdict]:
    """Verdicts on the data's own solutions, by number."""
    need(language)
    path = humaneval_x(CODES[language])
    problems = load_benchmark("humaneval_x", path)
    check_problems(problems)
    assert len(problems) == 164
    solutions = benchmark_solutions("humaneval_x", path)
    asked = [problem for problem in problems if problem.id in solutions]
    with Judge(workers=2) as judge:
        found = judge.run([(problem, solutions[problem.id]) for problem in asked])
    assert {one.level for one in found} == {"L2"}
    return {problem.id.rpartition("/")[2]: one.verdict for problem, one in zip(asked, found, strict=True)}


#: Those that need a library of the machine's, by language: boost, OpenSSL, js-md5.
NEED_LIBRARIES = {"cpp": {"22", "137", "162"}, "javascript": {"162"}}


@pytest.mark.slow
@pytest.mark.parametrize("language", CODES)
def test_real_references(language: str) -> None:
    verdicts = references(language)
    failing = {number: verdict for number, verdict in verdicts.items() if verdict is not OK}
    assert set(failing) <= NEED_LIBRARIES.get(language, set()), failing
    assert len(verdicts) == (162 if language == "javascript" else 164)  # its own 112 and 155 are wrong
