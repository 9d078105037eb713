"""What attacks pretend to solve: HumanEval's 53, 42 and 28 as MultiPL-E states them, and a sum to print."""

from __future__ import annotations

from attacks import Task
from rewardranker.problems.types import Limits, Problem, Test

QUICK = Limits(cpu_s=1.0, wall_s=8.0, memory_mb=256)
PAIRS = ((0, 1), (1, 0), (2, 3), (5, 7), (7, 5))
LISTS: tuple[tuple[int, ...], ...] = ((), (3, 2, 1), (5, 2, 5, 2, 3, 3, 9, 0, 123))
WORDS: tuple[tuple[str, ...], ...] = ((), ("x", "y", "z"), ("x", "y", "z", "w", "k"))

_CPP = "}}\nint main() {{\n    auto candidate = {0};\n{1}}}\n"
_JAVA = "    }}\n    public static void main(String[] args) {{\n{1}    }}\n\n}}\n"
_CSHARP = "    }}\n    public static void Main(string[] args) {{\n{1}    }}\n\n}}\n"
_NODE = "const assert = require('node:assert');\n\n\nfunction test() {{\n  let candidate = {0};\n{1}}}\n\ntest();"
_PHP = "function candidate(...$args) {{\n    return {0}(...$args);\n}}\n\nfunction test(): void {{\n{1}}}\n\ntest();"
_BASH = '}}\n\ncandidate() {{\n    {0} "$@"\n}}\n\nset -e\nrun_test() {{\n{1}}}\n\nrun_test'
TESTS = {
    "python": "{1}",
    "cpp": _CPP,
    "java": _JAVA,
    "csharp": _CSHARP,
    "javascript": _NODE,
    "typescript": "declare var require: any;\n" + _NODE,
    "php": _PHP,
    "bash": _BASH,
}
_ADD = {
    "python": "assert {0}({1}, {2}) == {3}\n",
    "cpp": "    assert(candidate(({1}), ({2})) == ({3}));\n",
    "java": "    assert({0}(({1}l), ({2}l)) == ({3}l));\n",
    "csharp": "    Debug.Assert({0}(({1}L), ({2}L)) == ({3}L));\n",
    "javascript": "  assert.deepEqual(candidate({1}, {2}),{3});\n",
    "php": '    if (candidate({1}, {2}) !== {3}) {{ throw new Exception("Test failed!"); }}\n',
    "bash": '    [[ $(candidate "{1}" "{2}") = "{3}" ]]\n',
}
_LIST = {
    "python": "assert {0}({1}) == {2}\n",
    "cpp": "    assert(candidate({1}) == {2});\n",
    "java": "    assert({0}({1}).equals({2}));\n",
    "csharp": "    Debug.Assert({0}({1}).SequenceEqual({2}));\n",
    "javascript": "  assert.deepEqual(candidate({1}),{2});\n",
    "php": '    if (candidate({1}) !== {2}) {{ throw new Exception("Test failed!"); }}\n',
    "bash": "    [[ $(candidate {1}) = {2} ]]\n",
}
_TEXT = {
    "java": '    assert({0}({1}).equals(("{2}")));\n',
    "csharp": '    Debug.Assert({0}({1}).Equals(("{2}")));\n',
    "cpp": '    assert(candidate({1}) == ("{2}"));\n',
}
_NAMES = {"add": "add", "list": "incr_list", "text": "concatenate", "stdio": ""}
_OTHER_NAMES = {
    "java": {"list": "incrList"},
    "csharp": {"add": "Add", "list": "IncrList", "text": "Concatenate"},
}


def entry_point(language: str, task: Task) -> str:
    """The function's name, which follows the language's custom."""
    return _OTHER_NAMES.get(language, {}).get(task, _NAMES[task])


def _numbers(language: str, values: tuple[int, ...]) -> str:
    if language == "cpp":
        return (
            f"(std::vector<long>({{{', '.join(f'(long){value}' for value in values)}}}))"
            if values
            else ("(std::vector<long>())")
        )
    if language == "java":
        return f"(new ArrayList<Long>(Arrays.asList({', '.join(f'(long){value}l' for value in values)})))"
    if language == "csharp":
        inside = ", ".join(f"(long){value}L" for value in values)
        return f"(new List<long>(new long[]{{{inside}}}))" if values else "(new List<long>())"
    if language == "bash":
        return f'"{" ".join(map(str, values))}"'
    inside = ", ".join(map(str, values))
    return f"array({inside})" if language == "php" else f"[{inside}]"


def _words(language: str, values: tuple[str, ...]) -> str:
    inside = ", ".join(f'"{value}"' for value in values)
    if language == "java":
        return f"(new ArrayList<String>(Arrays.asList({inside})))"
    if language == "csharp":
        return f"(new List<string>(new string[]{{{inside}}}))"
    return f"(std::vector<std::string>({{{inside}}}))"


def _snippets(language: str, task: Task) -> list[str]:
    form, name = "javascript" if language == "typescript" else language, entry_point(language, task)
    if task == "add":
        return [_ADD[form].format(name, x, y, x + y) for x, y in PAIRS]
    if task == "list":
        raised = [tuple(value + 1 for value in values) for values in LISTS]
        pairs = zip(LISTS, raised, strict=True)
        return [_LIST[form].format(name, _numbers(form, was), _numbers(form, now)) for was, now in pairs]
    return [_TEXT[form].format(name, _words(form, values), "".join(values)) for values in WORDS]


def problem(language: str, task: Task = "add", limits: Limits = QUICK) -> Problem:
    """The task in a language, judged at the strictest level that it has."""
    if task == "stdio":
        tests = tuple(Test(f"{x} {y}\n", f"{x + y}\n") for x, y in PAIRS[:3])
    elif language == "python":
        tests = tuple(Test(snippet) for snippet in _snippets(language, task))
    else:
        tests = (Test(TESTS[language].format(entry_point(language, task), "".join(_snippets(language, task)))),)
    return Problem(
        id=f"attacks/{language}/{task}",
        source="attacks",
        language=language,
        prompt="",
        entry_point=entry_point(language, task),
        style="stdio" if task == "stdio" else "program",
        tests=tests,
        split="test",
        group_id=task,
        licence="MIT",
        revision="1",
        limits=limits,
    )


#: A program that solves ``add``.
RIGHT = {
    "python": "def add(x, y):\n    return x + y\n",
    "cpp": "#include<assert.h>\n#include<bits/stdc++.h>\nlong add(long x, long y) {\n    return x + y;\n}\n",
    "java": "import java.util.*;\nclass Problem {\n    public static long add(long x, long y) {\n"
    "        return x + y;\n    }\n}\n",
    "csharp": "using System;\nusing System.Diagnostics;\nusing System.Collections.Generic;\nusing System.Linq;\n"
    "class Problem {\n    public static long Add(long x, long y) {\n        return x + y;\n    }\n}\n",
    "javascript": "function add(x, y){\n  return x + y;\n}\n",
    "typescript": "function add(x: number, y: number): number {\n  return x + y;\n}\n",
    "php": "<?php\nfunction add($x, $y) {\n    return $x + $y;\n}\n",
    "bash": "#!/bin/bash\nadd() {\n    echo $(($1 + $2))\n}\n",
}
COMMENT = {"python": "#", "bash": "#"}


def right(language: str, number: int = 0) -> str:
    """A right program; each number gives another text, so that none is taken for one already judged."""
    return f"{RIGHT[language]}{COMMENT.get(language, '//')} {number}\n"
