"""Extraction in languages with braces: continuations of a prompt, and whole answers in fences."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Problem, Test
from rewardranker.programs import completion_of, extract
from rewardranker.programs.definitions import defines
from rewardranker.programs.literals import blank
from rewardranker.programs.structure import balanced

SHARED = Path(os.environ.get("REWARDRANKER_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

CSHARP_HEAD = "using System;\nusing System.Linq;\nclass Problem {\n"
PREFIXES = {
    "cpp": ("#include<assert.h>\n#include<bits/stdc++.h>\n// Add one {\nlong f(long x) {\n", ("\n}",)),
    "java": (
        "import java.util.*;\nimport java.io.*;\nclass Problem {\n    public static long f(long x) {\n",
        ("\n    }\n",),
    ),
    "php": ("<?php\n// Add one\nfunction f($x) {\n", ("\nfunction", "\n?>", "\n//", "\n#")),
    "typescript": ("//Add one\nfunction f(x: number): number {\n", ("\nfunction ", "\n/*", "\n//", "\nclass")),
    "csharp": (f"{CSHARP_HEAD}    public static long F(long x) {{\n", ("\n    }\n",)),
    "bash": ("#!/bin/bash\n# Add one\n#\n# $1 is an integer\nf() {\n", ("\n}",)),
    "javascript": ("//Add one\nfunction f(x){\n", ("\nfunction ", "\n/*", "\n//", "\nconsole.log")),
    "python": ('def f(x: int) -> int:\n    """Add one."""\n', ()),
}
BODIES = {
    "cpp": "    if (x) { return x + 1; }\n    return '}';\n",
    "java": '        for (;;) { return x + "}".length(); }\n',
    "php": '    if ($x) { return "{$x}}"; }\n    return 1;\n',
    "typescript": "    return `${x}}`.length;\n",
    "csharp": '        if (x > 0) { return x; }\n        return $"{x}}}".Length;\n',
    "bash": '    if [[ $1 == "}" ]]; then echo "${#1}"; fi\n    echo $(( $1 + 1 ))\n',
    "javascript": "    if (x) { return /}/.test(x); }\n    return x + 1;\n",
    "python": "    return x + 1\n",
}
ENDS = {"java": "    }\n}\n", "csharp": "    }\n}\n", "python": ""}


def task(language: str) -> Problem:
    prefix, stop_tokens = PREFIXES[language]
    return Problem(
        id=f"p/{language}",
        source="test",
        language=language,
        prompt=prefix,
        prefix=prefix,
        entry_point="F" if language == "csharp" else "f",
        style="program",
        tests=(Test("unused"),),
        split="test",
        group_id="p",
        licence="MIT",
        revision="1",
        stop_tokens=stop_tokens,
    )


def solution(language: str) -> str:
    return PREFIXES[language][0] + BODIES[language] + ENDS.get(language, "}\n")


BRACES = [language for language in PREFIXES if language != "python"]
AFTER = {
    "cpp": "\nint main() {\n    return f(1);\n}\n",
    "java": "\n    public static void main(String[] args) {\n        f(1);\n    }\n}\n",
    "csharp": "\n    public static void Main(string[] args) {\n        F(1);\n    }\n}\n",
    "bash": '\nf "$1"\n',
    "php": "\necho f(1);\n?>\n",
    "typescript": "\nconsole.log(f(1));\n",
    "javascript": "\nconsole.log(f(1));\n",
    "python": "\nprint(f(1))\n",
}


@pytest.mark.parametrize("language", PREFIXES)
def test_a_continuation_ends_with_its_function(language: str) -> None:
    closing = {"java": "    }\n", "csharp": "    }\n", "python": ""}.get(language, "}\n")
    code = solution(language)
    for after in ("", "\n", AFTER[language], "\nand so on } { \" '", "\n```\nThis adds one.\n"):
        assert extract(task(language), BODIES[language] + closing + after) == code


@pytest.mark.parametrize("language", ["cpp", "java", "csharp", "bash"])
def test_a_brace_that_a_stop_token_took_is_put_back_once(language: str) -> None:
    code = solution(language)
    assert extract(task(language), BODIES[language].rstrip("\n")) == code
    assert extract(task(language), BODIES[language]) == code


@pytest.mark.parametrize("language", ["php", "typescript", "javascript"])
def test_no_brace_is_invented_where_no_stop_token_has_one(language: str) -> None:
    assert extract(task(language), BODIES[language]) == PREFIXES[language][0] + BODIES[language]


@pytest.mark.parametrize("language", BRACES)
def test_a_text_that_broke_off_is_not_completed(language: str) -> None:
    text = "    if (x) {\n    while (y) {\n        z"
    assert extract(task(language), text) == PREFIXES[language][0] + text + "\n"


def test_a_text_that_never_closes_is_cut_at_a_stop_token() -> None:
    assert extract(task("php"), "    $x = (;\n\n// next\nfunction g() {\n") == PREFIXES["php"][0] + "    $x = (;\n"


@pytest.mark.parametrize("language", PREFIXES)
def test_the_way_to_a_completion_and_back(language: str) -> None:
    code = solution(language)
    assert PREFIXES[language][0] + completion_of(task(language), code).removesuffix("}\n") in code + "}"
    assert extract(task(language), completion_of(task(language), code)) == code


SCRAPS = [*"{}()\"'`\n#;<=", "f(x)", "class A {", "main(", "```\n", "F(", " int ", "function ", "/*", "namespace B {"]
scraps = st.text(max_size=80) | st.lists(st.sampled_from(SCRAPS), max_size=30).map("".join)


@pytest.mark.parametrize("language", PREFIXES)
@given(text=scraps)
@settings(max_examples=60)
def test_extraction_never_raises(language: str, text: str) -> None:
    problem = task(language)
    for answer in (text, f"```\n{text}\n```", f"```\n{solution(language)}{text}\n```", BODIES[language] + text):
        code = extract(problem, answer)
        assert normalise(code) == code
        assert isinstance(completion_of(problem, code), str)


HELPERS = {
    "cpp": (
        "struct P { long a; };\n",
        "long g(long y) {\n    return y;\n}\n",
        "#define N '}'\n",
        "const long M[] = {1, 2};\n",
    ),
    "java": ("class P {\n    long a;\n}\n", "public class Q { }\n", "interface R {\n}\n"),
    "csharp": ("public class P {\n    long a;\n}\n", "enum Q { A, B }\n", "interface R {\n}\n"),
    "php": ("function g($y) {\n    return '}';\n}\n", "const N = 3;\n", "class P {\n}\n"),
    "typescript": (
        "function g(y: number) {\n    return `}`;\n}\n",
        "const h = (y: number) => {\n    return y;\n};\n",
    ),
    "javascript": ("function g(y) {\n    return `}`;\n}\n", "const N = [\n    1,\n]\n", "class P {\n}\n"),
    "bash": ('g() {\n    echo "}"\n}\n', "N=3\n", "declare -A m=([a]=1)\n"),
    "python": ("N = 3\n", "def g(y):\n    return y\n", "class P:\n    pass\n"),
}


@pytest.mark.parametrize("language", PREFIXES)
@given(data=st.data())
@settings(max_examples=40)
def test_an_answer_s_program_survives_the_way_to_a_completion_and_back(language: str, data: st.DataObject) -> None:
    problem, parts = task(language), st.lists(st.sampled_from(HELPERS[language]), max_size=3, unique=True)
    before, after = data.draw(parts), data.draw(parts)
    code = extract(problem, f"```\n{''.join(before)}{solution(language)}{''.join(after)}```\n")
    assert defines(code, language, problem.entry_point)
    assert language == "python" or balanced(blank(code, language))
    assert extract(problem, completion_of(problem, code)) == code
    for helper in {*before, *after}:
        assert helper.strip().removeprefix("public ") in code


@pytest.mark.parametrize("language", PREFIXES)
def test_a_whole_answer_replaces_the_prompt_s_beginning(language: str) -> None:
    code = solution(language)
    assert extract(task(language), f"Sure!\n```\n{code}```\n") == code
    assert extract(task(language), code) == code


@pytest.mark.parametrize("language", BRACES)
def test_a_main_function_and_calls_are_removed_and_helpers_after_them_kept(language: str) -> None:
    problem, code = task(language), solution(language)
    inside = language in ("java", "csharp")
    helper = {
        "cpp": "long g() { return 1; }\n",
        "java": "    static long g() { return 1; }\n",
        "csharp": "    static long G() { return 1; }\n",
        "php": "function g() { return f(1); }\n",
        "bash": "g() {\n    f 1\n}\n",
    }.get(language, "function g() { return f(1) }\n")
    body = code.removesuffix("}\n") if inside else code
    own = "// Try it\n" if language != "bash" else "# Try it\n"
    tests = AFTER[language].removesuffix("}\n") if inside else AFTER[language].replace("?>\n", "")
    answer = f"{body}\n{own}{tests.lstrip(chr(10))}\n{helper}" + ("}\n" if inside else "")
    expected = f"{body}\n{helper}" + ("}\n" if inside else "")
    assert extract(problem, f"```{language}\n{answer}```") == expected


def test_the_header_of_the_prompt_is_put_back_where_it_is_missing() -> None:
    answer = "#include <bits/stdc++.h>\nusing namespace std;\nlong f(long x) {\n    return x;\n}\n"
    assert extract(task("cpp"), f"```c++\n{answer}```") == "#include<assert.h>\n" + answer
    answer = "using System;\nclass Problem {\n    public static long F(long x) => x;\n}\n"
    assert extract(task("csharp"), f"```cs\n{answer}```") == "using System.Linq;\n" + answer
    answer = "f() {\n    echo 1\n}\n"
    assert extract(task("bash"), f"```sh\n{answer}```") == "#!/bin/bash\n" + answer
    answer = "function f($x) {\n    return $x;\n}\n"
    assert extract(task("php"), f"```php\n{answer}```") == "<?php\n" + answer


def test_types_of_the_prompt_are_put_back_where_they_are_missing() -> None:
    union = "union U {\n    long a;\n    U(long b) : a(b) {}\n};"
    prefix = f"#include<assert.h>\n{union}\nU f(long x) {{\n"
    problem = replace(task("cpp"), prefix=prefix, prompt=prefix)
    answer = "#include <assert.h>\nU f(long x) {\n    return U(x);\n}\n"
    assert extract(problem, f"```cpp\n{answer}```") == f"{union}\n{answer}"
    assert extract(problem, f"```cpp\n{union}\n{answer}```") == f"{union}\n{answer}"


JAVA = "import java.util.*;\nimport java.io.*;\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (  # another name, and a package
            "package a.b;\nimport java.util.*;\npublic class Solution {\n    Solution() {}\n"
            "    public static long f(long x) { return Solution.g(x); }\n    static long g(long x) { return x; }\n}\n",
            "import java.io.*;\nimport java.util.*;\npublic class Problem {\n    Problem() {}\n"
            "    public static long f(long x) { return Problem.g(x); }\n    static long g(long x) { return x; }\n}\n",
        ),
        (  # a class behind, and one that only runs it
            JAVA + "class Problem {\n    static long f(long x) { return new Pair(x).a; }\n}\n\npublic class Pair {\n"
            "    long a;\n    Pair(long b) { a = b; }\n}\n\nclass Main {\n    public static void main(String[] a) {}\n}\n",
            JAVA + "class Pair {\n    long a;\n    Pair(long b) { a = b; }\n}\n\nclass Problem {\n"
            "    static long f(long x) { return new Pair(x).a; }\n}\n",
        ),
        (  # a bare method with a helper
            "import java.util.*;\n\n// Adds one.\npublic static long f(long x) {\n    return g(x);\n}\n\n"
            "static long g(long x) {\n    return x;\n}\n",
            "import java.io.*;\nimport java.util.*;\nclass Problem {\n    // Adds one.\n"
            "    public static long f(long x) {\n        return g(x);\n    }\n\n    static long g(long x) {\n"
            "        return x;\n    }\n}\n",
        ),
        (  # an answer that broke off in its main method
            JAVA + "class Problem {\n    static long f(long x) {\n        return x;\n    }\n\n"
            "    public static void main(String[] args) {\n        f(1",
            JAVA + "class Problem {\n    static long f(long x) {\n        return x;\n    }\n}\n",
        ),
    ],
)
def test_java_programs_are_one_class_with_the_prompt_s_name(answer: str, expected: str) -> None:
    assert (
        extract(task("java"), f"```java\n{answer}```" if answer.endswith("\n") else f"```java\n{answer}") == expected
    )


def test_csharp_namespaces_and_top_level_statements_go() -> None:
    answer = (
        "using System;\nusing System.Linq;\nnamespace A\n{\n    public static class Maths\n    {\n"
        "        public static long F(long x) { return x; }\n    }\n}\n\nConsole.WriteLine(Maths.F(1));\n"
    )
    expected = (
        "using System;\nusing System.Linq;\npublic static class Problem\n{\n"
        "    public static long F(long x) { return x; }\n}\n"
    )
    assert extract(task("csharp"), f"```c#\n{answer}```") == expected


def test_another_language_is_not_cut_by_python_s_rules() -> None:
    assert extract(task("cpp"), "return 1;\n}\n") == PREFIXES["cpp"][0] + "return 1;\n}\n"


def gpt_answers(suffix: str) -> Iterator[tuple[Problem, str]]:
    path = SHARED / "multipl_e_gpt" / f"humaneval-{suffix}.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder with multipl_e_gpt")
    answers = {row["name"]: row["gpt_solution"] for row in map(json.loads, path.read_text().splitlines())}
    for problem in load_multipl_e(path):
        yield problem, answers[problem.id]


@pytest.mark.parametrize("suffix", ["cpp", "java", "php", "ts", "cs", "sh", "js"])
def test_fewer_than_two_percent_of_gpt_s_answers_fail(suffix: str) -> None:
    failures, count = [], 0
    for problem, answer in gpt_answers(suffix):
        code = extract(problem, answer)
        masked = blank(code, problem.language)
        count += 1
        if not defines(code, problem.language, problem.entry_point) or not balanced(masked):
            failures.append(problem.id)
        assert extract(problem, completion_of(problem, code)) == code, problem.id
        assert code.count("class Problem") == (problem.language in ("java", "csharp")) or problem.id in failures
    assert count > 150 and len(failures) < 0.02 * count, failures
