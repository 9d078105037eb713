"""Helpers in blocks of their own, in Java, C# and PHP; fences within the comments of a continued program."""

from __future__ import annotations

import pytest
from attacks.tasks import problem
from judging import need
from test_extraction_forms import GOOD, PREFIXES, TAGS, task

from rewardranker.judge import Judge
from rewardranker.programs import completion_of, extract

JAVA = "class Problem {\n    public static long f(long x) {\n        return g(x) * 2;\n    }\n}\n"
CSHARP = "using System;\nclass Problem {\n    public static long F(long x) {\n        return G(x) * 2;\n    }\n}\n"
G_JAVA = "static long g(long x) {\n    return x + 1;\n}\n"
G_CSHARP = "static long G(long x)\n{\n    return x + 1;\n}\n"
PHP, G_PHP = "function f($x) {\n    return g($x) * 2;\n}\n", "function g($x) {\n    return $x + 1;\n}\n"
JAVA_JOINED = JAVA.removesuffix("}\n") + "\n    static long g(long x) {\n        return x + 1;\n    }\n}\n"
CSHARP_JOINED = CSHARP.removesuffix("}\n") + "\n    static long G(long x)\n    {\n        return x + 1;\n    }\n}\n"

# Language, blocks in the answer's order, and the program that they mean.
WANTED = {
    "before the class": ("java", (G_JAVA, JAVA), JAVA_JOINED),
    "behind the class": ("java", (JAVA, G_JAVA), JAVA_JOINED),
    "a draft of the class has it": ("java", (JAVA_JOINED.replace("* 2", "* 3"), JAVA), JAVA_JOINED),
    "the class has its own": ("java", (G_JAVA.replace("1", "5"), JAVA_JOINED), JAVA_JOINED),
    "what nobody calls": ("java", ("static void other() { }\n" + G_JAVA, JAVA), JAVA_JOINED),
    "C#, before the class": ("csharp", (G_CSHARP, CSHARP), CSHARP_JOINED),
    "C#, behind the class": ("csharp", (CSHARP, G_CSHARP), CSHARP_JOINED),
    "C#, with a comment": (
        "csharp",
        ("// One more.\n" + G_CSHARP, CSHARP),
        CSHARP_JOINED.replace("    static long G", "    // One more.\n    static long G"),
    ),
    "PHP, both opened": ("php", ("<?php\n" + G_PHP, "<?php\n" + PHP), f"<?php\n{G_PHP}\n{PHP}"),
    "PHP, the helper closed": ("php", (f"<?php\n{G_PHP}?>\n", PHP), f"<?php\n{G_PHP}{PHP}"),
    "PHP, behind it": ("php", ("<?php\n" + PHP, "<?php\n" + G_PHP), f"<?php\n{G_PHP}\n{PHP}"),
}

ADD_JAVA = "import java.util.*;\nclass Problem {\n    public static long add(long x, long y) {\n        return g(x, y);\n    }\n}\n"
ADD_CSHARP = (
    "using System;\nusing System.Diagnostics;\nclass Problem {\n"
    "    public static long Add(long x, long y) {\n        return G(x, y);\n    }\n}\n"
)
ADD_PHP = "<?php\nfunction add($x, $y) {\n    return g($x, $y);\n}\n"
JUDGED = {
    "java": {
        "a bare method": ("static long g(long x, long y) { return x + y; }\n", ADD_JAVA),
        "generic": ("private static <T extends Number> long g(T x, T y) {\n    return x.longValue() + y.longValue();\n}\n", ADD_JAVA),
        "a constant and two methods": (
            "private static final long ZERO = 0;\n",
            "static long h(long x) { return x + ZERO; }\n",
            "static long g(long x, long y) { return h(x) + y; }\n",
            ADD_JAVA,
        ),
        "a class of the same name": ("class Problem {\n    static long g(long x, long y) { return x + y; }\n}\n", ADD_JAVA),
        "a class of another name": (
            "import java.util.function.*;\npublic class G {\n    static final LongBinaryOperator SUM = (x, y) -> x + y;\n}\n",
            ADD_JAVA.replace("g(x, y)", "G.SUM.applyAsLong(x, y)"),
        ),
        "bare methods both": (
            "static long g(long x, long y) { return x + y; }\n",
            "public static long add(long x, long y) { return g(x, y); }\n",
        ),
    },
    "csharp": {
        "a bare method": ("static long G(long x, long y) { return x + y; }\n", ADD_CSHARP),
        "an expression": (ADD_CSHARP, "private static long G(long x, long y) => x + y;\n"),
        "a constant and a method": ("const long Zero = 0;\nstatic long G(long x, long y) { return x + y + Zero; }\n", ADD_CSHARP),
        "a class of the same name": ("class Problem {\n    static long G(long x, long y) => x + y;\n}\n", ADD_CSHARP),
        "a class of another name": (
            "static class H {\n    public static long G(long x, long y) => x + y;\n}\n",
            ADD_CSHARP.replace("G(x, y)", "H.G(x, y)"),
        ),
    },
    "php": {
        "both opened": ("<?php\nfunction g($x, $y) {\n    return $x + $y;\n}\n", ADD_PHP),
        "opened and closed": (ADD_PHP + "?>", "<?php function g($x, $y) { return $x + $y; } ?>"),
        "strict types": (
            "<?php\nfunction g(int $x, int $y): int {\n    return $x + $y;\n}\n",
            ADD_PHP.replace("<?php", "<?php\ndeclare(strict_types=1);"),
        ),
        "strict types in both": (
            "<?php\ndeclare(strict_types=1);\nfunction g(int $x, int $y): int {\n    return $x + $y;\n}\n?>\n",
            ADD_PHP.replace("<?php", "<?php\n\n// Adds.\ndeclare(strict_types=1);\n"),
        ),
        "a class and a constant": (
            "<?php\nconst ZERO = 0;\nclass G {\n    static function g($x, $y) { return $x + $y + ZERO; }\n}\n",
            ADD_PHP.replace("g(", "G::g("),
        ),
    },
}  # fmt: skip

BODIES = {
    language: GOOD[language].removeprefix(PREFIXES[language])
    for language in PREFIXES
    if language not in ("python", "bash")
}
COMMENTS = {
    "a pair of fences": "    /* For example:\n```\nf(1) // 2\n```\n    */\n",
    "one fence": "    /*\n    ```\n    */\n",
    "with the language": "    /*\n```{0}\nf(2);\n```\n    */\n",
    "behind asterisks": "    /**\n     * ```{0}\n     * f(2)\n     * ```\n     */\n",
    "a whole definition": "    /* Once it was:\n```{0}\n{1}{2}```\n    */\n",
    "tildes and more": "    /*\n~~~~\n```\n~~~~\n```\n*/\n",
}
BEHIND = ("", "```\nThat's it.\n", "\nUse it so:\n\n```{0}\nf(1);\n```\n", "}\n\nIt doubles.\n")


def answer(language: str, blocks: tuple[str, ...]) -> str:
    return "\n".join(f"Here it is:\n\n```{TAGS.get(language, language)}\n{block}```\n" for block in blocks)


@pytest.mark.parametrize("prefix", [False, True], ids=["whole", "begun"])
@pytest.mark.parametrize("name", WANTED)
def test_helpers_in_blocks_of_their_own(name: str, prefix: bool) -> None:
    language, blocks, wanted = WANTED[name]
    asked = task(language, prefix)
    code = extract(asked, answer(language, blocks))
    lacking = "import java.util.*;\n" if prefix and language == "java" else ""
    assert code == lacking + wanted
    assert extract(asked, completion_of(asked, code)) == code


@pytest.mark.parametrize("language", JUDGED)
def test_programs_with_helpers_in_blocks_of_their_own_are_right(judge: Judge, language: str) -> None:
    need(language)
    asked = problem(language)
    codes = {name: extract(asked, answer(language, blocks)) for name, blocks in JUDGED[language].items()}
    results = dict(zip(codes, judge.run([(asked, code) for code in codes.values()]), strict=True))
    assert {name: str(result.verdict) for name, result in results.items()} == dict.fromkeys(codes, "OK"), results


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("language", BODIES)
def test_a_fence_within_a_comment_of_a_continued_program(language: str, comment: str, behind: str) -> None:
    tag, body = TAGS.get(language, language), BODIES[language]
    written = COMMENTS[comment].format(tag, PREFIXES[language], body)
    code = extract(task(language, True), written + body + behind.replace("{0}", tag))
    assert code == PREFIXES[language] + written + body


@pytest.mark.parametrize("language", BODIES)
def test_an_apostrophe_before_an_answer_s_fence_opens_nothing(language: str) -> None:
    tag, program = TAGS.get(language, language), GOOD[language].replace("    return", "    // it's\n    return")
    text = f"It's simple, so don't worry:\n\n```{tag}\n{program}```\nThat's it.\n"
    assert extract(task(language, True), text) == program
