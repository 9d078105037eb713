"""Prompts and cuts against the formats of DeepSeek-Coder's evaluation scripts, byte for byte.

Whole prompts are written out in ``test_prompt_texts.py``; here every row's is made anew, by the formats as the
scripts have them:
``Evaluation/HumanEval/eval_instruct.py`` (``build_deepseekcoder_instruction``), ``utils/dataset.py``
(``line["prompt"].strip()``) and ``utils/utils.py`` (``cleanup_code``); ``Evaluation/MBPP/mbpp.py`` with
``utils/dataset.py``, and ``Evaluation/MBPP/eval_instruct.py`` (``read_test_examples``).
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_data import mbpp_row, multipl_e_row, shared, write_lines

from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import load_benchmark, mbpp_config, mbpp_shots
from rewardranker.problems.prompts import (
    STYLES,
    Shot,
    continues_prompt,
    cut,
    default_style,
    fitting_shots,
    instructed,
    styled,
)
from rewardranker.problems.types import Problem
from rewardranker.programs import completion_of, extract
from rewardranker.programs.published import deepseek

# The script's name for each language, in lower case, and its additions to the row's stop tokens.
FULL_NAMES = {
    "python": "python",
    "cpp": "cpp",
    "java": "java",
    "php": "php",
    "ts": "typescript",
    "cs": "csharp",
    "sh": "bash",
    "js": "javascript",
}
ADDED = {"ts": ["\nexport", "\nimport", "\nexport default", "\nimport default", "\nconsole.log"]}
INSTRUCTION = """
Please continue to complete the function. You are not allowed to modify the given code and do the completion only. Please return all completed function in a codeblock. Here is the given code to do completion:
```{}
{}
```
"""  # noqa: E501


def rows_of(code: str) -> list[tuple[dict[str, Any], Problem]]:
    path = shared(f"multipl_e/humaneval-{code}.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return list(zip(rows, load_benchmark("multipl_e", path), strict=True))


@pytest.mark.parametrize("code", FULL_NAMES)
def test_instruct(code: str) -> None:
    for row, problem in rows_of(code):
        asked = styled(problem, "instruct")
        assert asked.prompt == INSTRUCTION.strip().format(FULL_NAMES[code], row["prompt"].strip())
        assert (asked.stop_tokens, asked.prefix) == ((), problem.prompt)
        assert dataclasses.replace(asked, prompt=problem.prompt, stop_tokens=problem.stop_tokens) == problem


@pytest.mark.parametrize("code", FULL_NAMES)
def test_base(code: str) -> None:
    for row, problem in rows_of(code):
        asked = styled(problem, "base")
        assert asked.prompt == asked.prefix == row["prompt"].strip()
        stops = ["\ndef", "\nclass", "\nif", "\n#", "\nprint"] if code == "python" else row["stop_tokens"]
        assert set(asked.stop_tokens) == {*stops, *ADDED.get(code, [])}
        assert styled(asked, "base") == asked


def test_an_instruction_to_the_byte() -> None:
    """One written out in full, for a reader: MultiPL-E's Bash row for HumanEval 23."""
    problem = next(problem for _, problem in rows_of("sh") if problem.id == "HumanEval_23_strlen")
    assert styled(problem, "instruct").prompt == (
        "Please continue to complete the function. You are not allowed to modify the given code and do the "
        "completion only. Please return all completed function in a codeblock. Here is the given code to do "
        "completion:\n"
        "```bash\n"
        "#!/bin/bash\n"
        "# Return length of given string\n"
        '# >>> $(strlen "")\n'
        '# "0"\n'
        '# >>> $(strlen "abc")\n'
        '# "3"\n'
        "#\n"
        "# $1 is a string\n"
        "strlen() {\n"
        "```"
    )


def test_every_mbpp_prompt() -> None:
    """The scripts take the file's rows 1 to 3 as examples and ask for rows 10 to 509."""
    path = shared("mbpp/mbpp.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    shots = mbpp_shots(mbpp_config(path))
    shown, listed = "", []
    for number, row in enumerate(rows[1:4], 1):
        tests, code = "\n".join(row["test_list"]), row["code"].replace("\r", "").replace("\t", "    ")
        shown += (
            f"You are an expert Python programmer, and here is your task: {row['text']} "
            f"Your code should pass these tests:\n\n{tests}\n[BEGIN]\n{code}\n[DONE]\n"
        )
        listed.append(
            f"- Example {number}:\n>>> Problem:\n{row['text'].strip()}\n>>> Test Cases:\n{tests}\n"
            f"\n>>> Code:\n```python\n{code}\n```"
        )
    examples = "\n\n".join(listed)
    problems = load_benchmark("mbpp", path)
    assert [problem.id for problem in problems] == [f"mbpp/{row['task_id']}" for row in rows[10:510]]
    for row, problem in zip(rows[10:510], problems, strict=True):
        tests = "\n".join(row["test_list"])
        base = styled(problem, "mbpp_3shot", shots)
        assert base.prompt == shown + (
            f"You are an expert Python programmer, and here is your task: {row['text']} "
            f"Your code should pass these tests:\n\n{tests}\n[BEGIN]"
        )
        assert (base.stop_tokens, base.prefix) == (("[DONE]",), "")
        chat = styled(problem, "mbpp_instruct", shots)
        assert chat.prompt == (
            "Please refer the given examples and generate a python function for my problem.\n"
            f"Examples are listed as follows:\n{examples}\n\nHere is my problem:\n"
            f">>> Problem:\n{row['text'].strip()}\n>>> Test Cases:\n{tests}\n"
        )
        assert chat.stop_tokens == ()


def mbpp(tmp_path: Path) -> Problem:
    return load_benchmark("mbpp", write_lines(tmp_path / "mbpp.jsonl", [mbpp_row(11)]))[0]


def test_fewer_examples_where_the_prompt_would_be_too_long(tmp_path: Path) -> None:
    problem = mbpp(tmp_path)
    shots = [Shot(f"Task {i}.", (f"assert f({i})",), "pass") for i in (2, 3, 4)]
    sizes = [len(styled(problem, "mbpp_3shot", shots[:kept]).prompt) for kept in range(4)]
    for kept, size in enumerate(sizes):
        for most in (size + 1, size + 30):  # the next example has more than 30 characters
            asked = fitting_shots(problem, shots, len, most)
            assert asked == styled(problem, "mbpp_3shot", shots[:kept]), (kept, most)
    assert fitting_shots(problem, shots, len, sizes[0]) == styled(problem, "mbpp_3shot")
    assert fitting_shots(problem, shots, lambda text: 3595) == styled(problem, "mbpp_3shot", shots)
    assert fitting_shots(problem, shots, lambda text: 3596) == styled(problem, "mbpp_3shot")


def test_settings_of_each_style() -> None:
    assert {name: (style.chat, style.max_new_tokens) for name, style in STYLES.items()} == {
        "plain": (False, None),
        "base": (False, 500),
        "instruct": (True, 1024),
        "mbpp_3shot": (False, 500),
        "mbpp_instruct": (True, 512),
    }
    assert [default_style(source, chat) for source in ("humaneval", "mbpp", "family") for chat in (False, True)] == [
        *("base", "instruct", "mbpp_3shot", "mbpp_instruct", "plain", "plain")
    ]


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("python", "\n    return 1\n\ndef g():\n", "\n    return 1\n"),
        ("python", "\n    if x:\n        pass\nif x:\n    y\nprint(1)", "\n    if x:\n        pass"),
        ("cpp", "\n    return 1;\n}\nint main() {\n}\n", "\n    return 1;"),
        ("java", "\n        return 1;\n    }\n}\n", "\n        return 1;"),
        ("cs", "\n        return 1;\n    }", "\n        return 1;\n    }"),
        ("php", "\n    return 1;\n}\n?>\n// more", "\n    return 1;\n}"),
        ("ts", "\n    return 1;\n}\n\nexport default f;\nfunction g() {", "\n    return 1;\n}\n"),
        ("js", "\n    return 1;\n}\nexport default f;\nfunction g() {", "\n    return 1;\n}\nexport default f;"),
        ("sh", "\n    echo 1\n}\nf 1\n", "\n    echo 1"),
    ],
)
def test_a_base_model_s_text_is_cut_at_the_first_stop_token(code: str, text: str, expected: str) -> None:
    """``cleanup_code``: up to the first that occurs; the program is prompt, line end, what is left, tests."""
    (_, problem), *_ = rows_of(code)
    asked = styled(problem, "base")
    assert cut(asked, text) == expected
    assert deepseek.program(problem, text) == deepseek.program(problem, expected)
    assert cut(styled(problem, "instruct"), text) == text


@pytest.mark.parametrize("code", FULL_NAMES)
def test_styles_lead_to_the_same_program(code: str) -> None:
    """A body after the base prompt, and the function in a fence as a chat answer."""
    _, problem = rows_of(code)[5]
    body = {"python": "return 1", "sh": "echo 1"}.get(code, "return 1;")
    close = {"python": "\n", "java": "\n    }\n", "cs": "\n    }\n"}.get(code, "\n}\n")
    base, chat = styled(problem, "base"), styled(problem, "instruct")
    program = extract(base, f"\n        {body}{close}")
    assert program == extract(problem, f"        {body}{close}")
    outer = "}\n" if code in ("java", "cs") else ""
    answer = f"Sure:\n```{FULL_NAMES[code]}\n{problem.prompt}        {body}{close}{outer}```\nDone."
    assert extract(chat, answer).replace("\n", "").split() == program.replace("\n", "").split()
    assert continues_prompt(base) and not continues_prompt(chat)
    assert extract(base, completion_of(base, program)) == extract(chat, completion_of(chat, program)) == program
    assert completion_of(base, program).startswith("\n") and completion_of(chat, program).startswith("```")


@pytest.mark.parametrize("code", [code for code in FULL_NAMES if code != "python"])
def test_real_chat_answers_mean_the_same_program_in_the_style_that_asked_for_them(code: str) -> None:
    path = shared(f"multipl_e_gpt/humaneval-{code}.jsonl")
    answers = [json.loads(line)["gpt_solution"] for line in path.read_text().splitlines()]
    for problem, answer in zip(load_benchmark("multipl_e", path), answers, strict=True):
        asked = styled(problem, "instruct")
        program = extract(asked, answer)
        assert program == extract(problem, answer), problem.id
        completion = completion_of(asked, program)
        assert completion.startswith("```") and extract(asked, completion) == program, problem.id


def test_deepseek_s_rules_know_what_the_prompt_was(tmp_path: Path) -> None:
    """An answer without a fence to a chat prompt: code and answer, one after the other; never the instruction."""
    problem = load_benchmark("multipl_e", write_lines(tmp_path / "rows.jsonl", [multipl_e_row(53)]))[0]
    tests = problem.tests[0].input
    chat, base = styled(problem, "instruct"), styled(problem, "base")
    text = "    return x + y;\n}\nfunction main() {}"
    assert deepseek.program(chat, text) == f"{problem.prompt}\n{text}\n{tests}"
    assert deepseek.program(base, text) == f"{problem.prompt.strip()}\n    return x + y;\n}}\n{tests}"
    fenced = "```javascript\nfunction add(x, y){\n    return x + y;\n}\n```"
    program = "//Add two numbers x and y\nfunction add(x, y){\n    return x + y;\n}\n"
    assert deepseek.program(chat, fenced) == deepseek.program(problem, fenced) == f"{program}\n{tests}"


def test_answers_to_mbpp_s_prompts(tmp_path: Path) -> None:
    problem = mbpp(tmp_path)
    code = "def twice(x):\n    return 2 * x\n"
    text = f"\n{code}[DONE]\nYou are an expert Python programmer, and here is your task: more\n[BEGIN]\ndef g(:"
    base, chat = styled(problem, "mbpp_3shot"), styled(problem, "mbpp_instruct")
    assert cut(base, text) == code.strip()
    assert extract(base, text) == extract(chat, f">>> Code:\n```python\n{code}```") == code
    assert deepseek.program(base, text).startswith(code)
    for asked in (base, chat):
        assert extract(asked, completion_of(asked, code)) == code


@pytest.mark.parametrize(
    ("style", "shots", "message"),
    [
        ("chat", (), "prompt style 'chat' is not known; it must be one of plain, base"),
        ("base", (), "needs a prompt that has begun the program"),
        ("instruct", (), "needs a prompt that has begun the program"),
    ],
)
def test_a_style_that_does_not_fit_is_refused(
    tmp_path: Path, style: str, shots: tuple[Shot, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        styled(mbpp(tmp_path), style, shots)


def test_misuse_is_explained(tmp_path: Path) -> None:
    other = load_benchmark("multipl_e", write_lines(tmp_path / "rows.jsonl", [multipl_e_row(53)]))[0]
    with pytest.raises(UserError, match="is for mbpp alone; problem HumanEval_53_add is of multipl_e"):
        styled(other, "mbpp_3shot")
    with pytest.raises(UserError, match="shows no examples, and 1 were given"):
        styled(other, "base", [Shot("", (), "")])
    with pytest.raises(UserError, match="does not have the prompt that MBPP is loaded with"):
        styled(styled(mbpp(tmp_path), "mbpp_3shot"), "mbpp_instruct")
    with pytest.raises(UserError, match="has been put in another style already"):
        styled(styled(other, "instruct"), "base")
    assert styled(other, "plain") == other


def test_a_last_line_says_what_an_answer_shall_be() -> None:
    problem = next(problem for _, problem in rows_of("sh") if problem.id == "HumanEval_23_strlen")
    asked = styled(problem, "instruct")
    line = "Reply with one {language} code block."
    assert instructed(asked, line).prompt == asked.prompt + "\nReply with one Bash code block.\n"
    assert instructed(instructed(asked, line), "Now.").prompt.endswith("block.\nNow.\n")
    assert instructed(asked, "") is asked
    with pytest.raises(UserError, match="nothing can be asked after it; use a style for chat models"):
        instructed(styled(problem, "base"), line)
