"""From what models write around their programs to the programs: the same forms in all eight languages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from scripts import script

from rewardranker.problems.types import Problem, Test
from rewardranker.programs import completion_of, extract

GOOD = {
    "python": "def f(x):\n    return x * 2\n",
    "cpp": "#include <vector>\nlong f(long x) {\n    return x * 2;\n}\n",
    "java": "import java.util.*;\nclass Problem {\n    public static long f(long x) {\n        return x * 2;\n    }\n}\n",
    "csharp": "using System;\nclass Problem {\n    public static long F(long x) {\n        return x * 2;\n    }\n}\n",
    "php": "<?php\nfunction f($x) {\n    return $x * 2;\n}\n",
    "javascript": "function f(x) {\n    return x * 2;\n}\n",
    "typescript": "function f(x: number): number {\n    return x * 2;\n}\n",
    "bash": "#!/bin/bash\nf() {\n    echo $(($1 * 2))\n}\n",
}
TAGS = {"cpp": "cpp", "csharp": "cs", "javascript": "js", "typescript": "ts", "bash": "sh"}
CALLS = {
    "python": "print(f(2))\n",
    "cpp": "int main() {\n    return f(2);\n}\n",
    "java": "class Main {\n    public static void main(String[] a) {\n        System.out.println(Problem.f(2));\n    }\n}\n",
    "csharp": "class Main {\n    static void Main() {\n        Console.WriteLine(Problem.F(2));\n    }\n}\n",
    "php": "<?php\necho f(2);\n",
    "javascript": "console.log(f(2));\n",
    "typescript": "console.log(f(2));\n",
    "bash": "f 2\n",
}
PREFIXES: dict[str, str] = script("fuzz_text").PREFIXES


def task(language: str, prefix: bool = False) -> Problem:
    return Problem(
        id="p/1",
        source="test",
        language=language,
        prompt="Write f, which doubles a number.\n" + (PREFIXES[language] if prefix else ""),
        prefix=PREFIXES[language] if prefix else "",
        entry_point="F" if language == "csharp" else "f",
        style="program",
        tests=(Test("unused"),),
        split="test",
        group_id="p/1",
        licence="CC0-1.0",
        revision="1",
    )


# What stands around the program. The words are replaced: @code and @glued, without its last line end; @draft, which
# is wrong, and @cut, where it breaks off; @calls; @tag and @TAG.
FORMS = {
    "plain": "```@tag\n@code```",
    "tildes": "~~~@tag\n@code~~~\nDone.",
    "four back-ticks": "````@tag\n@code````\n",
    "no closing fence": "Here:\n\n```@tag\n@code",
    "no opening fence": "@code```",
    "no opening fence, prose behind": "@code```\n\nThis doubles the number.\n",
    "closer indented": "```@tag\n@code   ```\nDone.",
    "closer with spaces behind": "```@tag\n@code```  \t\nDone.",
    "longer closer": "```@tag\n@code`````\nDone.",
    "opener after prose": "Code: ```@tag\n@code```",
    "untagged opener after prose": "Here is the code: ```\n@code```",
    "info string": '```@tag title="solution" {.numberLines}\n@code```',
    "attributes": "```{.@tag .numberLines}\n@code```",
    "path behind the tag": "```@tag:src/solution\n@code```",
    "upper case": "``` @TAG\n@code```",
    "no tag": "Sure.\n```\n@code```\nIt works.",
    "tag is text": "```text\n@code```",
    "doubled opener": "```@tag\n```@tag\n@code```\n```",
    "doubled, first without tag": "```\n```@tag\n@code```\n```\nDone.",
    "in a markdown fence": "````markdown\n# Answer\n```@tag\n@code```\n````\n",
    "in a markdown fence as long": "```markdown\n# Answer\n```@tag\n@code```\n```\n",
    "glued closer": "```@tag\n@glued```\nDone.",
    "glued closer at the end": "```@tag\n@glued```",
    "draft and correction": "```@tag\n@draft```\nWrong, that trebles. Fixed:\n```@tag\n@code```",
    "draft without tag, correction with": "```\n@draft```\nNo:\n```@tag\n@code```",
    "correction without tag": "```@tag\n@draft```\nNo:\n```\n@code```",
    "draft that was not closed": "```@tag\n@draft\nWait, that trebles.\n\n```@tag\n@code```\n",
    "correction cut off": "```@tag\n@code```\nOr shorter:\n```@tag\n@cut",
    "calls behind": "```@tag\n@code```\nTry it:\n```@tag\n@calls```\n",
    "calls before": "It is used like this:\n```@tag\n@calls```\nCode:\n```@tag\n@code```\n",
    "output behind": "```@tag\n@code```\nIt prints:\n```\n4\n```\n",
    "installation before": "```json\n{}\n```\n```@tag\n@code```\n",
    "inline code in prose": "Use `f` or ```f``` here.\n```@tag\n@code```\nThe `x` is doubled.",
    "BOM": "\ufeff```@tag\n@code```",
    "BOM in the fence": "```@tag\n\ufeff@code```",
    "NUL": "```@tag\n\u0000@code\u0000```",
    "half a character": "\ud83d Sure!\n```@tag\n@code```\nBye \udc00",
    "think": "<think>\n```@tag\n@draft```\n</think>\n```@tag\n@code```",
    "think, fence unclosed": "<think>\n```@tag\n@draft\n</think>\n\n```@tag\n@code```",
    "think without opener": "Hm.\n```@tag\n@draft```\n</think>\n```@tag\n@code```",
    "think, glued": "<think>Let's see: f(1)=2.</think>```@tag\n@code```",
    "think unclosed": "<think>\nFirst:\n```@tag\n@draft```\nno,\n```@tag\n@code```\nOr",
    "think and nothing else": "<think>\n```@tag\n@code```\n</think>\n",
    "thinking in brackets": "[THINK]\n@draft\n[/THINK]\n```@tag\n@code```",
    "reasoning": "<reasoning>\n@draft</reasoning>\n```@tag\n@code```",
    "reflection behind": "```@tag\n@code```\n<reflection>\nOk: @calls</reflection>\nDone.",
    "answer tags": "<think>x</think>\n<answer>\n```@tag\n@code```\n</answer>",
    "two thoughts": "<think>a</think>\n<think>\n@draft\n</think>\n```@tag\n@code```",
    "end token": "```@tag\n@code```<|im_end|>",
    "end token on a line": "```@tag\n@code```\n<|endoftext|>\n```@tag\n@draft```",
    "end token glued to code": "```@tag\n@glued</s>",
    "end token without fences": "@glued<|eot_id|>",
    "end token, next turn": "```@tag\n@code```<|im_end|>\n<|im_start|>user\nNow treble.<|im_end|>\n<|im_start|>assistant\n```@tag\n@draft```<|im_end|>",
    "role before": "<|im_start|>assistant\n```@tag\n@code```\n",
    "Llama 3's header": "<|start_header_id|>assistant<|end_header_id|>\n\n```@tag\n@code```<|eot_id|>",
    "the prompt again": "[INST] Write\n@draft [/INST] Sure:\n```@tag\n@code```</s>",
    "Alpaca": "### Instruction:\nWrite f.\n\n### Response:\n```@tag\n@code```\n\n### Instruction:\nTreble.\n\n### Response:\n```@tag\n@draft```\n",
    "Alpaca, glued": "@glued### Response:\n```@tag\n@draft```",
    "DeepSeek's end": "```@tag\n@code```<\uff5cend\u2581of\u2581sentence\uff5c>",
    "Gemma's end": "```@tag\n@code```<end_of_turn>\n<start_of_turn>user\nThanks",
    "GPT-OSS": "<|channel|>analysis<|message|>Draft:\n```@tag\n@draft```<|end|><|start|>assistant<|channel|>final<|message|>```@tag\n@code```<|return|>",
    "no fence": "@code",
    "no fence, prose around": "Sure! Here is the function:\n\n@code\nThis function doubles the number, and it's simple.\n",
    "no fence, prose with dots": "Below is my solution.\n\n@code\nNote: O(1) time.\n",
}
# The same, where every line of the text changes.
CHANGED: dict[str, Callable[[str], str]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "zero width": lambda text: text.replace(" * ", "\u200b * \ufeff"),
    "no-break space": lambda text: text.replace(" * ", "\xa0* "),
    "form feed": lambda text: text.replace("```\n", "\f\n```\n"),
    "in a list": lambda text: "1. So:\n\n   " + text.replace("\n", "\n   "),
    "in a nested list": lambda text: "- a\n  - So:\n    " + text.replace("\n", "\n    "),
    "directly in a list": lambda text: "- " + text.replace("\n", "\n  "),
    "in a quotation": lambda text: "> " + text.replace("\n", "\n> "),
    "after tabs": lambda text: "1.\tSo:\n\n\t" + text.replace("\n", "\n\t"),
}


def answers(language: str) -> dict[str, str]:
    """Every form of an answer in the language."""
    code, tag = GOOD[language], TAGS.get(language, language)
    draft = code.replace("* 2", "* 3")
    words = {"code": code, "glued": code.rstrip(), "draft": draft, "cut": draft.partition("3")[0]}
    words |= {"calls": CALLS[language], "tag": tag, "TAG": tag.upper()}

    def filled(form: str) -> str:
        return re.sub("@(\\w+)", lambda match: words[match[1]], form)

    plain = filled(FORMS["plain"] + "\n")
    return {name: filled(form) for name, form in FORMS.items()} | {
        name: change(plain) for name, change in CHANGED.items()
    }


NAMES = [*FORMS, *CHANGED]


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("language", GOOD)
def test_forms_of_an_answer(language: str, form: str) -> None:
    problem, code = task(language), GOOD[language]
    assert extract(problem, answers(language)[form]) == code
    assert extract(problem, completion_of(problem, code)) == code


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("language", GOOD)
def test_forms_of_an_answer_to_a_prompt_that_has_begun_the_program(language: str, form: str) -> None:
    assert extract(task(language, prefix=True), answers(language)[form]) == GOOD[language]
