"""No text makes a reader slow: which patterns the package may use, and texts that grow."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path
from types import ModuleType

import pytest
from attacks.tasks import problem
from judging import need
from scripts import script

from rewardranker.judge import Judge
from rewardranker.judge.child import wire
from rewardranker.judge.languages.constants import NotConstant, constant
from rewardranker.judge.languages.javascript import loosely_equal
from rewardranker.linear import lexer, pattern

ROOT = Path(__file__).parents[2]
SIZE = 100_000
HANGS_S = 3.0  # CPU for 100 kB: it takes some hundredths, and what is quadratic many seconds
ENGINES = ("re", "re2", "regex", "fnmatch", "sre_compile", "sre_parse")
HARMLESS = ("escape", "Match", "Pattern", "Options", "error", "DOTALL", "IGNORECASE", "MULTILINE", "I", "M")
OWN_TEXTS = "reads a benchmark's own prompts and tests, never what a model wrote"
# Patterns that may stand for themselves, by their file: why no text makes them slow.
ALLOWED = {
    ("rewardranker/linear.py", "_REPEAT"): "reads patterns, of which none is a model's",
    ("rewardranker/linear.py", "_CLASS"): "reads patterns, of which none is a model's",
    ("rewardranker/linear.py", "source"): "is what the two engines are made of, after it was looked at",
    ("rewardranker/models/tiny.py", "PIECES"): "every repeat ends its alternative: nothing is tried again",
    ("rewardranker/problems/data_card.py", "self.prompt"): OWN_TEXTS,
    ("rewardranker/problems/data_card.py", "self.tests"): OWN_TEXTS,
    ("rewardranker/judge/languages/java_replay.py", "_MAIN_CLASS"): OWN_TEXTS,
    ("rewardranker/judge/languages/java_replay.py", "found"): OWN_TEXTS,
    ("rewardranker/judge/languages/replay.py", "definition.format(re.escape(entry))"): OWN_TEXTS,
    ("rewardranker/problems/humaneval_x.py", r"f'\\b{found[-1]}\\b'"): OWN_TEXTS,
    ("rewardranker/problems/multipl_e.py", r"f'\\b{match[1]}\\b'"): OWN_TEXTS,
    ("rewardranker/problems/statements.py", "_COMMENT"): OWN_TEXTS,
}


def uses(path: Path) -> list[tuple[str, str]]:
    """What a file does with an engine of patterns that is not known to be linear: the name that a pattern gets there,
    else the argument."""
    name, nodes = path.relative_to(ROOT).as_posix(), list(ast.walk(ast.parse(path.read_text())))
    imports = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    engines = {alias.asname or alias.name for alias in imports if alias.name in ENGINES}
    calls = {node.func: node for node in nodes if isinstance(node, ast.Call)}
    names = {node.value: ast.unparse(node.targets[0]) for node in nodes if isinstance(node, ast.Assign)}
    found = [(name, node.module) for node in nodes if isinstance(node, ast.ImportFrom) and node.module in ENGINES]
    for node in nodes:
        if (
            not isinstance(node, ast.Attribute)
            or not isinstance(node.value, ast.Name)
            or node.value.id not in engines
        ):
            continue
        call = calls.get(node)
        if node.attr in HARMLESS or call is not None and call.args and never_goes_back(call.args[0]):
            continue
        argument = ast.unparse(call.args[0]) if call is not None and call.args else node.attr
        found.append((name, names.get(call, argument)))
    return found


def never_goes_back(written: ast.expr) -> bool:
    """Whether an argument is a pattern, written out, all of whose repeats are possessive."""
    try:
        source = ast.literal_eval(written)
        lexer(source.decode("latin-1") if isinstance(source, bytes) else source)
    except (ValueError, TypeError, AttributeError, re.error):
        return False
    return True


def test_every_pattern_of_the_package_is_linear() -> None:
    files = [path for folder in ("rewardranker", "actors") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {use for path in files for use in uses(path)}
    assert found - set(ALLOWED) == set(), "use rewardranker.linear, or say why no text makes it slow"
    assert set(ALLOWED) - found == set(), "allowed, and not there any more"


@pytest.mark.parametrize(
    "text",
    [
        "import re\nX = re.compile('a*b')\n",
        "import re as r\nr.search('(a|b)+', t)\n",
        "import re\ndef f(t, p):\n    return re.sub(p, '', t)\n",
        "from re import compile\n",
        "import regex\nfind = regex.findall\n",
    ],
)
def test_a_pattern_that_may_go_back_is_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.py"
    path.write_text(text)
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert len(uses(path)) == 1
    path.write_text("import re\nX = re.compile('a*+b')\nY = re.escape(X)\n")
    assert uses(path) == []


@pytest.mark.parametrize("source", ["a*", "(a+)+", "a{2,}b", r"[\]*]*x", "(?:a|b)*c", "a*?b", r"\(+"])
def test_a_repeat_that_goes_back_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="goes back"):
        lexer(source)


def test_what_never_goes_back_is_taken() -> None:
    assert lexer(r"[*+]++\*\+[]*]*+a{2}b{1,3}+\{?").pattern
    assert pattern(r"(a*)*b").search("a" * 1000) is None


# What each language's scanners have alternatives for; all of it is grown in every language, as models mix them.
COMMON = (
    *("(", "[", "{", "}", "<", "f(", "f ", "\n", "\\", '"', "'", "`", "/*", "//", "# ", "@a(", "f = ", "> ", "- "),
    *("```\n", "x```\n", "~~~\n", "```python\n", "<think>\n", "</think>", "<|im_end|>\n", "[/INST]", "Human: "),
    *("### Response:\n", "It is.\n"),
)
OWN = {
    "python": ("def f(x):\n", '"""', "f'{", "\nx = 1\n", "lambda:", "(a for ", "if x:\n "),
    "cpp": ('R"(', 'R"a(', "1'", "#include <a>\n", "template <", "long f() ", "\\\n", "union "),
    "java": ('"""', "long f() throws ", "@a(1) ", "class A {", "import a;", "package a;\n", "static "),
    "csharp": ('$"{', '$@"', '@"', '""""', "namespace A {", "#if\n", "T F() where ", "using A;\n", '["a"] = F(1), '),
    "php": ("<<<A\n", "<<<'A'\n", "<?php ", "?>", "#[", "function f", "declare(", "$a = "),
    "javascript": ("`${", "a / b", "= /[", "let f = (", "x => ", "return /", "import {"),
    "typescript": ("`${", "let f: ", "f<a>(", "type A = ", "/a/", "const f = (x): "),
    "bash": ("$(", "${", "<<E\n", "<<-E\n", "$'", "$#", "((", "case a in ", "f() {", "fi\n", '"$x', ";;"),
}


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    return script("fuzz_text")


@pytest.mark.parametrize("language", OWN)
def test_each_alternative_grows_without_an_end_and_is_read(fuzz: ModuleType, language: str) -> None:
    readers = {reader.name: reader for reader in fuzz.readers()}
    kinds = ("continued", "whole", "stdio")
    read = [(f"extract, {kinds[n % 3]}, {language}", token) for n, token in enumerate((*OWN[language], *COMMON))]
    for name, token in (*read, *((f"audit, {language}", token) for token in OWN[language])):
        start = time.process_time()
        readers[name].read(fuzz.grown(token, SIZE))
        assert time.process_time() - start < HANGS_S, (name, token)


@pytest.mark.parametrize("token", [" ", "1", "0x", "1e", "-", "\u2003", "9.", "inf", "a ", "\n"])
def test_a_long_answer_is_compared(fuzz: ModuleType, token: str) -> None:
    for reader in fuzz.comparators():
        start, raised = time.process_time(), fuzz.Counter()
        fuzz.timed(reader, fuzz.grown(token, SIZE) + "x", HANGS_S, raised, token)
        assert time.process_time() - start < HANGS_S, reader.name
        assert not raised


def test_javascript_s_numbers_in_text() -> None:
    """As node's ``==`` has it; longer ones than Python converts too."""
    assert loosely_equal("  12\u2003", 12) and loosely_equal("-0012", {"int": "-c"}) and not loosely_equal("1 2", 12)
    assert loosely_equal("0x" + "f" * 400, {"float": "inf"}) and loosely_equal("0" * 9000 + "7", {"int": "7"})
    assert loosely_equal("+7", {"int": "7"}) and loosely_equal("1.50", 1.5) and loosely_equal(".5e1", 5)
    assert not loosely_equal("9" * 9000, {"int": "7"}) and not loosely_equal("1.", {"int": "1"})
    assert not loosely_equal("", 1) and loosely_equal(" \n", 0) and not loosely_equal("0b2", 2)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "f(" * 5000, "-" * 5000, "new A[" * 5000], ids=["digits", "calls", "signs", "arrays"]
)
def test_what_is_too_long_is_no_constant(text: str) -> None:
    def unknown(*arguments: object) -> object:
        raise NotConstant

    with pytest.raises(NotConstant):
        constant(text, unknown, unknown)


def test_data_that_are_no_value_are_the_stream_s_fault() -> None:
    with pytest.raises(wire.WireError, match="ValueError: invalid literal"), wire.reading():
        loosely_equal({"int": "zz"}, 1)


FORGED = """
const fs = require("fs");
function add(x, y) { return x + y; }
const { nonce } = JSON.parse(fs.readFileSync("calls.json", "utf8"));
fs.writeSync(3, `["${nonce}",1,"ready"]\\n["${nonce}",2,"value",%s]\\n`);
process.reallyExit(0);
"""


def test_a_program_that_answers_with_what_is_no_value_ends_no_judge(judge: Judge) -> None:
    need("javascript")
    forged = (
        '{"int":"zz"}',
        '{"float":[]}',
        '{"dict":[],"set":[]}',
        '{"dict":5}',
        '{"set":[[1],[2]]}',
        '{"float":"x"}',
    )
    asked = problem("javascript")
    found = judge.run([(asked, FORGED % value) for value in forged])
    assert {str(one.verdict) for one in found} <= {"TAMPERED", "WRONG"}
    assert "no value" in found[0].message or "ValueError" in found[0].message


@pytest.mark.slow
def test_a_minute_of_texts(fuzz: ModuleType) -> None:
    findings = fuzz.run(seconds=60.0, size=SIZE, seed=20, limit_s=HANGS_S, findings=fuzz.Findings())
    assert findings.texts > 50 and not findings.raised
    assert findings.slowest[0][0] < HANGS_S, findings.slowest
