"""Problems' own checkers: whatever one does on a program's output, and whose fault that is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmark_data import shared_cases
from judging import need, problem, verdict

from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.judge.strict.checker_programs import TESTLIB, lacking_header
from rewardranker.problems.io import read_problems
from rewardranker.problems.pool import read_pool
from rewardranker.problems.types import Test
from rewardranker.problems.verdict import Verdict

HEAD = "def check(input, output, expected):\n"
WITH_REFERENCE = (Test("1\n", "5\n"),)
WITHOUT = (Test("1\n", ""),)
RIGHT, STRANGE = "print(5)", "print('abc')"

#: Checkers that accept "5" and do something else on "abc", which is what the program then gets.
DO_ON_ABC = {
    "raises": "    return int(output) == 5\n",
    "prints": "    print('x' * 100_000, flush=True)\n    return output.strip() == '5'\n",
    "exits": "    import sys\n    return output == expected or sys.exit(0)\n",
    "ends its process": "    import os\n    return output == expected or os._exit(0)\n",
    "kills its process": "    import os\n    return output == expected or os.kill(os.getpid(), 11)\n",
    "recurses": "    return output == expected or check(input, output, expected)\n",
    "takes memory": "    return bool([0] * (10**9 if output != expected else 1)) and output == expected\n",
    "returns None": "    if output == expected:\n        return True\n",
    "returns a tuple": "    return output == expected or (False, 'no')\n",
    "returns text": "    return output == expected or 'WA'\n",
    "evaluates": "    return eval(output) == eval(expected)\n",
    "reads input": "    return output == expected or __import__('sys').stdin.read() == input\n",
    "asserts": "    assert output == expected\n    return True\n",
}
#: Checkers that accept no output as they should.
AT_FAULT = {
    "raises at import": "x = 1 / 0\n" + HEAD + "    return True\n",
    "needs what is not there": "import numpy_of_nowhere\n" + HEAD + "    return True\n",
    "needs it late": HEAD + "    import numpy_of_nowhere\n    return True\n",
    "has a name that nothing defines": HEAD + "    return int(outptu) == 5\n",
    "returns what is no bool": HEAD + "    import re\n    return re.fullmatch('5', output.strip())\n",
    "returns nothing": HEAD + "    pass\n",
    "ends at import": "import os\nos._exit(0)\n" + HEAD + "    return True\n",
}


@pytest.mark.parametrize("name", DO_ON_ABC)
def test_what_a_checker_does_on_an_output_says_that_it_is_wrong(judge: Judge, name: str) -> None:
    task = problem("stdio", WITH_REFERENCE, comparator="checker", checker=HEAD + DO_ON_ABC[name])
    results = judge.run([(task, RIGHT), (task, STRANGE), (task, RIGHT + "\n")])
    assert [result.verdict for result in results] == [Verdict.OK, Verdict.WRONG, Verdict.OK], results
    assert "'abc" in results[1].message


@pytest.mark.slow
def test_a_checker_that_does_not_end_on_an_output(judge: Judge) -> None:
    for wait in ("pass", "import time; time.sleep(1)"):
        checker = HEAD + f"    while output != expected:\n        {wait}\n    return True\n"
        task = problem("stdio", WITH_REFERENCE, comparator="checker", checker=checker)
        results = judge.run([(task, RIGHT), (task, STRANGE)])
        assert [result.verdict for result in results] == [Verdict.OK, Verdict.WRONG], results
        assert "limit" in results[1].message


@pytest.mark.parametrize("tests", [WITH_REFERENCE, WITHOUT], ids=["reference", "none"])
@pytest.mark.parametrize("name", AT_FAULT)
def test_a_checker_that_fails_anyway_is_the_problems_fault(judge: Judge, name: str, tests: tuple[Test, ...]) -> None:
    task = problem("stdio", tests, comparator="checker", checker=AT_FAULT[name])
    for result in judge.run([(task, RIGHT), (task, STRANGE)]):
        assert result.verdict is Verdict.INFRA and f"checker of problem {task.id}" in result.message, result


def test_a_checker_that_refuses_the_expected_output_is_the_problems_fault(judge: Judge) -> None:
    for body in ("    return False\n", "    return output == '6\\n'\n", "    return int(expected) == 6\n"):
        task = problem("stdio", WITH_REFERENCE, comparator="checker", checker=HEAD + body)
        result = verdict(judge, STRANGE, task)
        assert result.verdict is Verdict.INFRA and "expected output" in result.message, result


def test_checkers_judge_other_languages_too(judge: Judge) -> None:
    task = problem("stdio", WITH_REFERENCE, comparator="checker", checker=HEAD + "    return int(output) == 5\n")
    task = replace(task, language="bash")
    results = judge.run([(task, "echo 05"), (task, "echo abc"), (task, "printf '\\xff\\0'"), (task, "echo 6")])
    assert [result.verdict for result in results] == [Verdict.OK, *[Verdict.WRONG] * 3], results


def test_a_checker_takes_any_output(judge: Judge) -> None:
    """Quotes, surrogates, NUL, a megabyte: it reaches the checker as it is."""
    checker = HEAD + "    return output.encode('utf-8', 'surrogateescape') == bytes(range(256)) * 4096\n"
    task = problem("stdio", WITHOUT, comparator="checker", checker=checker)
    write = "import sys\nsys.stdout.buffer.write(bytes(range(256)) * {})"
    assert verdict(judge, write.format(4096), task).verdict is Verdict.OK
    assert verdict(judge, write.format(4095), task).verdict is Verdict.WRONG


def test_a_broken_checker_names_its_problem(judge: Judge) -> None:
    for checker in ("def check(:\n", HEAD + "    return 1\nbreak\n", "check = lambda a, b, c: True\n", "\udc80"):
        with pytest.raises(UserError, match="test/stdio"):
            verdict(judge, RIGHT, problem("stdio", WITH_REFERENCE, comparator="checker", checker=checker))


@pytest.mark.parametrize(("line", "wanted"), [(1, Verdict.WRONG), (3, Verdict.WRONG)])
def test_integers_and_checkers_of_the_shared_cases(judge: Judge, line: int, wanted: Verdict) -> None:
    problems = read_problems(shared_cases("stdio_problems.jsonl"))
    candidates = read_pool(shared_cases("stdio_pool.jsonl"))
    assert candidates[line].problem_id == problems[line].id
    assert verdict(judge, candidates[line].code, problems[line]).verdict is wanted


#: Any proper divisor will do. Contests' checkers read three files and end with a status; testlib is a library for it.
IN_CPP = (
    "#include <fstream>\nint main(int, char** files) {\n  long number, divisor;\n"
    "  std::ifstream(files[1]) >> number;\n  std::ifstream(files[3]) >> divisor;\n"
    "  if (number % divisor) return 3;\n  if (!(std::ifstream(files[2]) >> divisor)) return 8;\n"
    "  return divisor > 1 && divisor < number && number % divisor == 0 ? 0 : 1;\n}\n"
)
IN_TESTLIB = (
    '#include "testlib.h"\nint main(int count, char** words) {\n  registerTestlibCmd(count, words);\n'
    "  int number = inf.readInt(), divisor = ouf.readInt(2, number - 1);\n"
    '  if (number % ans.readInt(2, number - 1)) quitf(_fail, "answer");\n'
    '  if (number % divisor) quitf(_wa, "no divisor");\n  quitf(_ok, "fine");\n}\n'
)
SCRIPT = (
    "import sys\n\nnumber, answer = (int(open(path).read()) for path in sys.argv[1:3])\nassert number % answer == 0\n"
    "try:\n    divisor = int(open(sys.argv[3]).read())\nexcept ValueError:\n    print(0)\n    sys.exit()\n"
    "print(int(1 < divisor < number and number % divisor == 0))\n"
)
DIVISORS = (Test("12\n", "3\n"), Test("35\n", "5\n"))
LARGEST = "n = int(input())\nprint(max(d for d in range(2, n) if n % d == 0))\n"


@pytest.mark.parametrize(
    ("comparator", "checker"),
    [
        ("script", SCRIPT),
        pytest.param("testlib", IN_CPP, marks=pytest.mark.slow),
        pytest.param("testlib", IN_TESTLIB, marks=pytest.mark.slow),
    ],
)
def test_checkers_that_are_programs(judge: Judge, comparator: str, checker: str) -> None:
    task = problem("stdio", DIVISORS, comparator=comparator, checker=checker)
    if lacking := lacking_header(task):
        pytest.skip(lacking)
    results = judge.run([(task, LARGEST), (task, "print(6)"), (task, "print('abc')"), (task, "pass")])
    assert [result.verdict for result in results] == [Verdict.OK, *[Verdict.WRONG] * 3], results
    bad = replace(task, tests=(Test("12\n", "5\n"),))
    result = verdict(judge, "print(7)", bad)
    assert result.verdict is Verdict.INFRA and f"checker of problem {task.id}" in result.message, result


@pytest.mark.parametrize(
    ("comparator", "checker", "said"),
    [
        ("testlib", "int main( {\n", "does not compile: checker.cpp:1"),
        ("script", "import nothing_here\n", "failed: ModuleNotFoundError"),
        ("script", "def main(:\n", "failed: SyntaxError"),
        ("script", "print('yes')\n", "printed 'yes', neither 1 nor 0"),
        ("script", "import os\nos.kill(os.getpid(), 9)\n", "was killed by signal 9"),
    ],
)
def test_a_program_that_cannot_check_is_the_problems_fault(
    judge: Judge, comparator: str, checker: str, said: str
) -> None:
    if comparator == "testlib":
        need("cpp")
    task = problem("stdio", WITH_REFERENCE, comparator=comparator, checker=checker)
    result = verdict(judge, RIGHT, task)
    assert result.verdict is Verdict.INFRA and f"checker of problem {task.id} {said}" in result.message, result


def test_a_checker_that_needs_testlib_says_where_to_put_it(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TESTLIB, "/nowhere/testlib.h")
    task = problem("stdio", WITH_REFERENCE, comparator="testlib", checker=IN_TESTLIB)
    result = verdict(judge, RIGHT, task)
    assert result.verdict is Verdict.INFRA and f"or its path into {TESTLIB}" in result.message
    with pytest.raises(UserError, match="'testlib' needs a program in checker"):
        verdict(judge, RIGHT, replace(task, checker=" "))
