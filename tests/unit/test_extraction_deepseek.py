"""Other harnesses' ways to a program. The expected texts were worked out by hand from their rules."""

from __future__ import annotations

import pytest

from rewardranker.problems.types import Problem, Test
from rewardranker.programs.published.deepseek import base_program, deepseek_program, instruct_program


def problem(language: str, prompt: str, stop_tokens: tuple[str, ...] = (), source: str = "multipl_e") -> Problem:
    return Problem(
        id="p/1",
        source=source,
        language=language,
        prompt=prompt,
        prefix=prompt,
        entry_point="f",
        style="program",
        tests=(Test("unused"),),
        split="test",
        group_id="p/1",
        licence="MIT",
        revision="1",
        stop_tokens=stop_tokens,
    )


CPP = problem("cpp", "#include<a>\n\n// Doc.\nlong f(long x) {\n", ("\n}",))
JAVA = problem(
    "java", "import a;\nclass Problem {\n    // Doc.\n    public static long f(long x) {\n", ("\n    }\n",)
)
CSHARP = problem("csharp", "using A;\nclass Problem {\n    public static long F(long x) {\n", ("\n    }\n",))
PHP = problem("php", "<?php\n// Doc.\nfunction f($x) {\n", ("\nfunction", "\n?>", "\n//", "\n#"))
TYPESCRIPT = problem("typescript", "//Doc.\nfunction f(x: number): number {\n", ("\nfunction ", "\n//"))
JAVASCRIPT = problem("javascript", "//Doc.\nfunction f(x){\n", ("\nfunction ", "\nconsole.log"))
BASH = problem("bash", "#!/bin/bash\n# Doc.\nf() {\n", ("\n}",))
PYTHON = problem("python", "import a\n\n\ndef f(x: int) -> int:\n    '''Doc.'''\n")


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        # up to the last closing brace at the function's indent, which the tests begin with
        (
            CPP,
            "Sure:\n```CPP\n#include<b>\nlong f(long x) {\n    return x;\n}\n\nint main() {\n    f(1);\n}\n```",
            "#include<a>\n// Doc.\nlong f(long x) {\n    return x;\n",
        ),
        # a helper behind is kept, one before is lost
        (
            CPP,
            "```cpp\nint g() {\n}\nlong F(long x) {\n}\nint h() {\n    1;\n}\n```",
            "#include<a>\n// Doc.\nlong F(long x) {\n}\nint h() {\n    1;\n",
        ),
        # another signature: the whole block
        (CPP, "```cpp\nlong f(int y) {\n    y;\n}\n```", "#include<a>\n// Doc.\nlong f(int y) {\n    y;\n"),
        # no brace at that indent: to the end
        (CPP, "```cpp\n  long f(long x) {\n}\n```", "#include<a>\n// Doc.\nlong f(long x) {\n}\n\n"),
        (
            JAVA,
            "```java\nclass Problem {\n    public static long f(long x) {\n        return x;\n    }\n"
            "    public static void main(String[] a) {\n    }\n}\n```",
            "import a;\nclass Problem {\n    // Doc.\npublic static long f(long x) {\n        return x;\n",
        ),
        # not found: Java's closing brace is looked for at four spaces, C#'s at none
        (JAVA, "```java\nlong g() {\n    }\n}\n```", "import a;\nclass Problem {\n    // Doc.\nlong g() {\n"),
        (CSHARP, "```csharp\nlong G() {\n    }\n}\n```", "using A;\nclass Problem {\nlong G() {\n    }\n"),
        (
            CSHARP,
            "```csharp\nclass A {\n    public static long F(long x) {\n        return x;\n    }\n"
            "    public static void Main() { }\n}\n```",
            "using A;\nclass Problem {\npublic static long F(long x) {\n        return x;\n",
        ),
        # the brace is put back where the tests do not begin with it
        (PHP, "```php\n<?php\nfunction f($x) {\n    1;\n}\n?>\n```", "<?php\n// Doc.\nfunction f($x) {\n    1;\n}\n"),
        (
            TYPESCRIPT,
            "```typescript\nfunction f(x: number): number {\n    1;\n}\nf(1);\n```",
            "//Doc.\nfunction f(x: number): number {\n    1;\n}\n",
        ),
        (JAVASCRIPT, "```javascript\nfunction f(x){\n}\n```", "//Doc.\nfunction f(x){\n}\n"),
        # a space before the brace is another signature: the block from its start
        (JAVASCRIPT, "```javascript\nlet a;\nfunction f(x) {\n}\n```", "//Doc.\nfunction f(x) {\n}\n"),
        # these names do not count
        (JAVASCRIPT, "```js\nfunction f(x){\n}\n```", "//Doc.\nfunction f(x){\n\n```js\nfunction f(x){\n}\n```"),
        (BASH, "```sh\nf() {\n}\n```", "#!/bin/bash\n# Doc.\nf() {\n\n```sh\nf() {\n}\n```"),
        (BASH, "```bash\nf() {\n    1\n}\nf 1\n```", "#!/bin/bash\n# Doc.\nf() {\n    1\n"),
        # Python: from the function's line; a closing brace at its indent ends it too
        (PYTHON, "```python\nimport b\ndef f(x):\n    return 1\n```", "import a\ndef f(x):\n    return 1\n\n"),
        (PYTHON, "```python\ndef f(x):\n    return {\n}\nf(1)\n```", "import a\ndef f(x):\n    return {\n"),
        # open at the end: no block
        (
            CPP,
            "```cpp\nlong f(long x) {\n}\n",
            "#include<a>\n\n// Doc.\nlong f(long x) {\n\n```cpp\nlong f(long x) {\n}\n",
        ),
    ],
)
def test_deepseek_s_chat_rule(task: Problem, text: str, expected: str) -> None:
    assert instruct_program(task, text) == deepseek_program(task, text) == expected


def test_javascript_signature_without_its_space_is_not_found_but_the_block_is_kept() -> None:
    text = "```javascript\nlet a;\nfunction f (x){\n}\n```"
    assert instruct_program(JAVASCRIPT, text) == "//Doc.\nlet a;\nfunction f (x){\n}\n"


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        (CPP, "    return 1;\n}\nint main() {\n}\n", "    return 1;"),
        (CPP, "    return 1;", "    return 1;"),
        (PHP, "    return 1;\n}\n\n// more\nfunction g() {\n", "    return 1;\n}\n"),
        (TYPESCRIPT, "    1;\n}\nexport default f;\nfunction g", "    1;\n}"),
        (JAVASCRIPT, "    1;\n}\nexport default f;\nfunction g", "    1;\n}\nexport default f;"),
        (PYTHON, "    if x:\n        y\n    #c\n    return 1\nif x:\n", "    if x:\n        y\n    #c\n    return 1"),
        (PYTHON, "    return 1\n#c\n\ndef g", "    return 1"),
    ],
)
def test_deepseek_s_base_rule(task: Problem, text: str, expected: str) -> None:
    assert base_program(task, text) == deepseek_program(task, text) == f"{task.prompt}\n{expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Here:\n```python\nx = 1\n```\n```python\ny\n```", "x = 1\n"),
        ("```py\nx = 1\n```", "```py\nx = 1\n```"),
        ("x = 1\n[DONE]\nmore", "x = 1"),
    ],
)
def test_deepseek_s_rule_for_mbpp(text: str, expected: str) -> None:
    assert deepseek_program(problem("python", "Task.", source="mbpp"), text) == expected
