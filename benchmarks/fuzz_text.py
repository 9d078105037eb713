"""Texts that grow, for whatever reads what a model wrote: none may be slow, and none may raise.

    python benchmarks/fuzz_text.py --seconds 3600 --out benchmarks/results/fuzz_text.md

Every token that one of the scanners knows is repeated, nested, left open and mixed with others, to a size, and read
by each of the readers in each language. What counts is CPU time. ``--seconds`` is how long all of it takes; what was
found is told, too, where it is interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rewardranker.judge.comparators import values_equal
from rewardranker.judge.languages.constants import NotConstant, constant
from rewardranker.judge.languages.javascript import loosely_equal
from rewardranker.judge.languages.php import identical
from rewardranker.judge.languages.rewriting import names, qualified
from rewardranker.judge.languages.typed_values import holds
from rewardranker.judge.printed import asks_for_reals, published_equal, stdout_equal
from rewardranker.problems.languages import LANGUAGES
from rewardranker.problems.masking import masked
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Problem, Test
from rewardranker.programs import completion_of, extract
from rewardranker.programs.audit import suspicious
from rewardranker.programs.literals import blank
from rewardranker.programs.published import deepseek, multipl_e
from rewardranker.programs.structure import items
from rewardranker.reranking.generated_tests import generated_tests

LIMIT_S = 0.2  # for 100 kB
_READERS, _SHOWN = 12, 10
KINDS = ("int", "double", "float", "BigInteger", "decimal")

MARKDOWN = (
    "```", "````", "~~~", "```python\n", "```java\n", "\n```\n", "\n    ```\n", "\n> ```\n", "- ", "1. ", "\n- ```\n",
    "x```\n", "code: ```\n", "<think>", "</think>", "\n<think>\n", "\n</think>\n", "[THINK]", "<answer>", "</answer>",
    "<|im_end|>", "<|im_start|>", "<|im_start|>assistant\n", "</s>", "<s>", "[INST]", "[/INST]", "\n### Response:\n",
    "\n### Instruction:\n", "\nHuman:", "<|", "|>", "<｜", "｜>", "#" * 9, "> ", "*", "- a\n",
)  # fmt: skip
SIGNS = (*"(){}[]<>;:,.=+-*/%&|^!?~@#$\\'\"` \t\n\r\x0b\x0c\0_a0é\u2028\ufeff\u200b\xa0\ud83d\udc00",)
WORDS = (
    "f(", "F(", "f()", "f() {", "f", "f\n", "f = ", "f =>", "f<", "f<a>(", "long f(", "long f() ", "long f() throws ",
    "T F() where ", "->", "/*", "*/", "//", "\\\n", "# ", "#include ", "#define ", '"""', "'''", "\\'", '\\"', 'R"(',
    'R"a(', ')"', '@"', '$"', '$"{', '$@"', "{{", "}}", '""""', "`${", "${", "}`", "$(", "$((", "<<E\n", "<<-E\n",
    "\nE\n", "<<<", "<<<A\n", "$'", "$#", "<?php", "?>", "/a", "/[", "= /", "a/b", "a++/", "if ", "if x:\n ", "else ",
    "elif ", "fi\n", "done\n", "case a in ", ";;", "do ", "while (", "for (;;) ", "function ", "function f(",
    "async ", "def ", "def f(", "def f(x):\n ", "\ndef f(x):\n", "lambda:", "lambda ", "class ", "class A {",
    "class A:\n", "namespace A {", "namespace ", "package a;\n", "import ", "import a\n", "import a;",
    "from a import b\n", "using ", "using A;", "public ", "static ", "public class A {}\n", "int main() {",
    "void Main(", "interface ", "enum ", "struct A {", "template <", "typedef ", "const ", "const x = ", "let x = (",
    "var ", "let f:", "export ", "x => ", "=> ", "new ", "return ", "yield ", "not ", "await ", "in ", "a.", "a(",
    "a[", "a,", "a;", "a=", "a if b else ", "(a for ", "[a for b in ", "{a:", "**", "@a\n", "@a(", "try:\n", "print(",
    "console.log(", "echo ", "assert ", "assert f(", "assert f(1) == 2\n", "== ", "1*", "1+", "-", "-1", "[1]*", "0x",
    "1e", "1.", "9", "'a' ", "b'a' ", "f'{", "f'{a}", "f'{a}' ", "process.", "process exit ", "boolean equals(",
    "assert[", "operator ", "/proc/", "exit", "exit(", "trap ", "nan ", "inf ", "+5 ", "Here is the code:\n",
    "It works.\n", "Note: x\n", "    x = 1\n", "x = 1\n", "x\n", ";\n", "}\n", "{\n", "()\n",
)  # fmt: skip
TOKENS = (*MARKDOWN, *SIGNS, *WORDS)

PREFIXES = {
    "python": 'def f(x):\n    """Twice."""\n',
    "cpp": "#include <vector>\nlong f(long x) {\n",
    "java": "import java.util.*;\nclass Problem {\n    public static long f(long x) {\n",
    "csharp": "using System;\nclass Problem {\n    public static long F(long x) {\n",
    "php": "<?php\nfunction f($x) {\n",
    "javascript": "function f(x) {\n",
    "typescript": "function f(x: number): number {\n",
    "bash": "#!/bin/bash\nf() {\n",
}


@dataclass(frozen=True)
class Reader:
    """Something that reads a text; ``read`` shall not raise."""

    name: str
    read: Callable[[str], object]


def problem(language: str, kind: str) -> Problem:
    """A problem whose prompt has begun the program (``continued``), or has not (``whole``), or that has no function
    (``stdio``)."""
    prefix = PREFIXES[language] if kind == "continued" else ""
    return Problem(
        id="p",
        source="fuzz",
        language=language,
        prompt="Write f.\n" + prefix,
        prefix=prefix,
        entry_point="" if kind == "stdio" else "F" if language == "csharp" else "f",
        style="stdio" if kind == "stdio" else "program",
        tests=(Test("assert f(1) == 2"),),
        split="test",
        group_id="p",
        licence="CC0-1.0",
        revision="1",
        stop_tokens=("\n}",) if kind == "continued" else (),
    )


def readers() -> list[Reader]:
    """Everything that reads model text, in each language where that matters."""
    found = [
        Reader("normal form", normalise),
        Reader("generated tests", lambda text: generated_tests([text, "f(1) == " + text], "f")),
        Reader("tests' names", lambda text: (masked(text), names(text), qualified(text, "P", frozenset()))),
        *comparators(),
    ]
    for language in PREFIXES:
        for kind in ("continued", "whole", "stdio"):
            asked = problem(language, kind)
            found.append(Reader(f"extract, {kind}, {language}", partial(extract, asked)))
            found.append(Reader(f"way back, {kind}, {language}", partial(completion_of, asked)))
        asked = problem(language, "continued")
        found += [
            Reader(f"audit, {language}", partial(suspicious, language)),
            Reader(f"structure, {language}", partial(structure, language)),
            Reader(f"MultiPL-E's, {language}", partial(multipl_e.program, asked)),
            Reader(f"DeepSeek's, {language}", partial(deepseek.deepseek_program, asked)),
        ]
    return found


def comparators() -> list[Reader]:
    """What compares a program's answers and outputs with the expected ones."""
    deep = nested(400)
    return [
        Reader("tokens", lambda text: stdout_equal(text, text[::-1])),
        Reader("tokens, reals", lambda text: (asks_for_reals([text]), stdout_equal(text + "1", text + "2", True))),
        Reader("codecontests", lambda text: published_equal(text + "1", text + "2")),
        Reader("values", lambda text: values_equal([text, {text: deep}], [text, {text: deep}])),
        Reader("values of words", lambda text: values_equal(text.split(), [*text.split(), 1])),
        Reader(
            "JavaScript's values", lambda text: [loosely_equal(text, side) for side in (5, {"int": "5"}, text, True)]
        ),
        Reader("PHP's values", lambda text: identical([text, {"dict": [[text, 1]]}], [text, {"dict": [[text, 2]]}])),
        Reader("typed values", lambda text: holds("same", [{"list": [text]}, {"list": [text + "1"]}], True)),
        Reader("typed numbers", lambda text: [holds("<", [{kind: text}, {kind: "5"}], True) for kind in KINDS]),
        Reader("constants", lambda text: constant(text, no_call, no_call)),
    ]


def structure(language: str, text: str) -> None:
    items(blank(text, language), language)


def no_call(*arguments: object) -> object:
    raise NotConstant


def nested(depth: int) -> list[object]:
    """A list in a list, and so on."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def texts(size: int, seed: int) -> Iterator[tuple[str, str]]:
    """Texts of that size, each with what it is made of: first each token by itself, then mixtures without end."""
    draw = random.Random(seed)
    for token in TOKENS:
        yield f"{token!r} again and again", grown(token, size)
    while True:
        chosen = draw.choices(TOKENS, k=draw.choice((2, 2, 2, 3, 3, 4, 8)))
        what, text = mixed(chosen, size, draw)
        yield what, around(text, draw)


def grown(token: str, size: int) -> str:
    return (token * (size // len(token) + 1))[:size]


def mixed(chosen: list[str], size: int, draw: random.Random) -> tuple[str, str]:
    """A text of some tokens: in turn, one part after the other, nested, or in any order."""
    match draw.randrange(4):
        case 0:
            return f"{chosen!r} in turn", grown("".join(chosen), size)
        case 1:
            return f"{chosen!r} in parts", "".join(grown(token, size // len(chosen)) for token in chosen)
        case 2:
            half = size // 2
            return f"{chosen!r} nested", grown(chosen[0], half) + "".join(chosen[1:-1]) + grown(chosen[-1], half)
    count = size // max(1, sum(map(len, chosen)) // len(chosen)) + 1
    return f"{chosen!r} in any order", "".join(draw.choices(chosen, k=count))[:size]


def around(text: str, draw: random.Random) -> str:
    """The text as a model might begin and end it."""
    tag = draw.choice([alias for name, others in LANGUAGES.items() for alias in (name, *others)])
    begin = draw.choice(
        ("", "", f"```{tag}\n", "def f(x):\n    return ", "long f(long x) {\n", "<?php\nfunction f($x) {\n")
    )
    end = draw.choice(("", "", "\n```\n", "\n}\n", "\ndef f(x):\n    return 1\n", "\n}\n```\nDone.\n"))
    return begin + text + end


@dataclass
class Findings:
    """What came of it: how many texts were read, how often, the slowest readings, and the exceptions."""

    texts: int = 0
    readings: int = 0
    cpu_s: float = 0.0
    slowest: list[tuple[float, str, str]] = field(default_factory=list)
    above: int = 0
    raised: Counter[str] = field(default_factory=Counter)


def run(seconds: float, size: int, seed: int, limit_s: float, findings: Findings) -> Findings:
    """Reads texts for so many seconds of CPU, each by some readers, and notes what comes of it in ``findings``."""
    start, all_readers, draw = time.process_time(), readers(), random.Random(seed + 1)
    for what, text in texts(size, seed):
        for reader in draw.sample(all_readers, _READERS):
            took = timed(reader, text, limit_s, findings.raised, what)
            findings.readings += 1
            findings.above += took > limit_s
            findings.slowest = sorted([*findings.slowest, (took, reader.name, what)], reverse=True)[:_SHOWN]
            findings.cpu_s = time.process_time() - start
            if findings.cpu_s > seconds:
                return findings
        findings.texts += 1
    return findings


def timed(reader: Reader, text: str, limit_s: float, raised: Counter[str], what: str) -> float:
    """Seconds of CPU for 100,000 characters. What is above the limit is read again, with a blank more behind it, and
    the least of three counts: on a machine that does other things too, a reading takes up to three times as long."""
    least = float("inf")
    for _ in range(3):
        before = time.process_time()
        try:
            reader.read(text)
        except NotConstant:
            pass
        except Exception as error:
            raised[f"{reader.name}: {type(error).__name__}: {str(error)[:80]}: {what}"] += 1
        least = min(least, (time.process_time() - before) * 100_000 / len(text))
        if least <= limit_s:
            break
        text += " "
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds in all")
    parser.add_argument("--size", type=int, default=100_000, help="characters of a text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds of CPU for 100 kB")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    findings = Findings()
    with contextlib.suppress(KeyboardInterrupt):
        run(arguments.seconds, arguments.size, arguments.seed, arguments.limit, findings)
    text = shown(findings, arguments.size, arguments.seed, arguments.limit)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text("# Fuzzing what reads model text\n\n" + text)


def shown(findings: Findings, size: int, seed: int, limit_s: float) -> str:
    lines = [
        f"{findings.readings:,} readings of {findings.texts:,} texts of {size:,} characters, seed {seed}, in "
        f"{findings.cpu_s:,.0f} s of CPU: {findings.above} took more than {limit_s:g} s for 100 kB, "
        f"{findings.raised.total()} raised.",
        "",
        "The slowest:",
        "",
        *(f"- {took:.3f} s: {name}: {what[:150]}" for took, name, what in findings.slowest),
    ]
    if findings.raised:
        lines += ["", "Raised:", "", *(f"- {name} ({count})" for name, count in findings.raised.most_common(40))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
