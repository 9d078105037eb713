"""Extraction: one normal form, and the way from text to program and back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rewardranker.problems.languages import LANGUAGES
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Problem, Style, Test
from rewardranker.programs import completion_of, extract
from rewardranker.programs.invisible import visible
from rewardranker.programs.markers import turns
from rewardranker.programs.reasoning import split


def problem(
    prefix: str = "", language: str = "python", style: Style = "function", stop_tokens: tuple[str, ...] = ()
) -> Problem:
    return Problem(
        id="p/1",
        source="test",
        language=language,
        prompt="# add one\n" + prefix,
        entry_point="" if style == "stdio" else "f",
        style=style,
        tests=(Test("[1]", "2"),),
        split="train",
        group_id="p/1",
        licence="Apache-2.0",
        revision="1",
        prefix=prefix,
        stop_tokens=stop_tokens,
    )


messy = st.text(st.sampled_from("ab\t \r\n`#:()'\"\x0c\u2028"), max_size=60) | st.text(max_size=60)
body_line = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20).map(
    lambda text: "    " + text.replace("\n", " ").replace("\r", " ")
)


def assume_a_program(text: str) -> None:
    """No line is a chat marker or the tag of a reasoning block: what stands there is no program's."""
    assume(len(turns(text)) == 1 and split(text).answer == text)


def test_normal_form() -> None:
    assert normalise("\r\n\r\ndef f(x):\r\n\tif x:\r\n\t\treturn 'a\tb'  \r\n\r\n\r\n") == (
        "def f(x):\n    if x:\n        return 'a\tb'\n"
    )
    assert normalise("  \n\t\n") == ""
    assert normalise("x = 1") == "x = 1\n"


@given(messy)
def test_normalise_is_idempotent(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\r" not in once and (not once or (once.endswith("\n") and not once.endswith("\n\n")))


@given(messy)
def test_a_whole_program_survives_the_way_to_a_completion_and_back(text: str) -> None:
    code = normalise(visible(normalise(text), "python"))
    assume_a_program(code)
    assert extract(problem(), completion_of(problem(), code)) == code


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=messy)
def test_a_main_program_survives_in_every_language(language: str, text: str) -> None:
    task = problem(language=language, style="stdio")
    code = normalise(visible(normalise("<?php\n" + text if language == "php" else text), language))
    assume_a_program(code)
    assert extract(task, completion_of(task, code)) == code


@pytest.mark.parametrize("prefix", ["def f(xs):", "def f(xs):\n", 'import re\n\n\ndef f(xs):\n    """Doc."""\n'])
@given(lines=st.lists(body_line, max_size=6))
def test_a_continued_program_survives_the_way_to_a_completion_and_back(prefix: str, lines: list[str]) -> None:
    task = problem(prefix)
    code = normalise(prefix.rstrip("\n") + "\n" + "\n".join(lines))
    assume_a_program(code)
    assert extract(task, completion_of(task, code)) == code


def test_the_family_s_form() -> None:
    task = problem("def f(xs):")
    completion = "\n xs = xs[1:]\n return sum(xs)\n"
    assert extract(task, completion) == "def f(xs):\n xs = xs[1:]\n return sum(xs)\n"
    assert completion_of(task, "def f(xs):\n xs = xs[1:]\n return sum(xs)\n") == completion


@pytest.mark.parametrize(
    "after",
    [
        "print(f([1]))",
        "def g(): pass",
        "```",
        "```\nIn full:\n```python\ndef f(xs):\n    return 2\n```",
        "This function adds one.",
        "if __name__ == '__main__':\n    f([])",
    ],
)
def test_what_follows_the_function_is_cut(after: str) -> None:
    task = problem("def f(xs):\n")
    assert extract(task, f"    return 1\n\n{after}\n") == "def f(xs):\n    return 1\n"


def test_an_unindented_line_inside_a_string_or_bracket_is_kept() -> None:
    task = problem("def f(xs):\n")
    completion = '    text = """a\nb\n"""\n    return [\n1,\n]\n'
    assert extract(task, completion + "print(1)\n") == "def f(xs):\n" + completion


CODE = "def f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{CODE}```",
        f"Sure!\n\n```py\n{CODE}```\nThis adds one.",
        f"```\n{CODE}```\nthen\n```\nprint(1)\n```",
        f"```bash\npip install x\n```\n```python\n{CODE}```",
        f"```python\nimport a_longer_block_than_the_other_one\n```\nIn full:\n```python\n{CODE}```",
        f"```python title='a.py'\n{CODE}```",
        f"```Python\n{CODE}",
        "1. So:\n   ```python\n   def f(x):\n       return x + 1\n   ```",
        CODE,
        f"Here is the function:\n{CODE}\nIt adds one to x.",
        CODE.replace("\n", "\r\n"),
        f"```python\r\n{CODE}```".replace("    ", "\t"),
    ],
)
def test_extraction_from_model_text(text: str) -> None:
    assert extract(problem(), text) == CODE


def test_without_the_entry_point_the_longest_block_counts() -> None:
    assert extract(problem(), "```python\nx\n```\n```python\nx = 1\n```\n```python\ny\n```") == "x = 1\n"


@pytest.mark.parametrize("text", [f"```python\n{CODE}```", f"Here:\n```py\n{CODE}```\nDone.", CODE, f"\n\n{CODE}"])
def test_a_whole_function_replaces_the_prompt_s(text: str) -> None:
    assert extract(problem('def f(x):\n    """Add one."""\n'), text) == CODE


def test_a_fenced_body_continues_the_prompt() -> None:
    assert extract(problem("def f(x):\n"), "```python\n    return x + 1\n```\n") == CODE


def test_imports_and_helpers_of_the_prompt_are_put_back_where_an_answer_lacks_them() -> None:
    prefix = "import re\nfrom typing import List\n\n\ndef h(x):\n    return x\n\n\ndef f(x: List) -> int:\n    '''Doc.'''\n"
    answer = "from typing import List\ndef f(x: List) -> int:\n    return h(x)\n"
    code = extract(problem(prefix), f"```python\n{answer}```")
    assert code == "import re\ndef h(x):\n    return x\n" + answer
    assert extract(problem(prefix), f"```python\n{code}```") == code
    assert completion_of(problem(prefix), code) == f"```python\n{code}```\n"


def test_nothing_gives_nothing() -> None:
    assert extract(problem(), "") == extract(problem(), " \n\t\n") == extract(problem(), "```python\n```") == ""


def test_text_that_is_no_program_is_left_for_the_judge() -> None:
    assert extract(problem(), "I cannot do that.") == "I cannot do that.\n"
    assert extract(problem("int f() {\n", "cpp"), "I cannot do that.") == "int f() {\nI cannot do that.\n}\n"


def test_no_two_languages_share_a_fence() -> None:
    aliases = [alias for name, others in LANGUAGES.items() for alias in (name, *others)]
    assert len(set(aliases)) == len(aliases) and {"js", "ts", "c#", "c++", "sh", "py"} <= set(aliases)


@pytest.mark.parametrize(
    ("language", "alias"), [(name, alias) for name, others in LANGUAGES.items() for alias in (name, *others)]
)
def test_aliases_of_fences(language: str, alias: str) -> None:
    task = problem(language=language, style="stdio")
    code = "<?php\nx\n" if language == "php" else "x\n"
    assert extract(task, f"No:\n```text\nother\n```\nYes:\n``` {alias.upper()}\n{code}```\n") == code
