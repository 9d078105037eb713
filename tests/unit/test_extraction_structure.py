"""Comments and literals out of the way, braces matched, statements told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.programs.definitions import defines, definition
from rewardranker.programs.literals import blank
from rewardranker.programs.scripts import without_own_tests
from rewardranker.programs.structure import balanced, closing, items

BRACES = ("cpp", "java", "php", "typescript", "csharp", "bash", "javascript")

# Texts with braces in them that are none: what a reader of the language would call a comment or a literal.
HIDING = {
    "cpp": ("// {\n", "/* } \n } */", '"{\\""', "'{'", "'\\''", 'R"x({ )" })x"', "1'000'000", "// a \\\n }\n"),
    "java": ("// }\n", "/* { */", '"}\\\\"', "'}'", '"""\n { "quoted" }\n"""'),
    "csharp": ("// }\n", "/* { */", '@"a\\"', '@"{ "" {"', '$"{x} {{ {F("}")}"', '"""{"""', "'{'", "'\\''"),
    "php": (
        "// }\n",
        "# {\n",
        "/* } */",
        "\"{$x['}']} {\"",
        "'it\\'s {'",
        '<<<"X"\n{ it\'s }\nX;\n',
        "<<<'Y'\n}\nY;\n",
    ),
    "javascript": ("// it's {\n", "/* } */", "'}'", '"{"', "`a ${f(`}`)} {`", "x = /[/}]{/g;", "`${ {a: '}'}.a }`"),
    "bash": (
        "# it's {\n",
        "'{'",
        '"}"',
        '"$(echo "}")"',
        "${x#\\{}",
        "$'it\\'s {'",
        "\\}",
        "x << E\n } it's\nE\n",
        "$#",
    ),
}
HIDING["typescript"] = HIDING["javascript"]


def program(language: str) -> st.SearchStrategy[tuple[str, int]]:
    """Nested blocks with hidden braces, and how many characters the outermost block has."""
    words = st.sampled_from(["x;\n", "f(1);\n", "\n", *(f" {text} ;\n" for text in HIDING[language])])
    blocks = st.recursive(
        st.lists(words, max_size=4).map("".join),
        lambda inner: st.lists(st.one_of(words, inner.map(lambda text: f"{{\n{text}}}\n")), max_size=4).map("".join),
        max_leaves=12,
    )
    return blocks.map(lambda text: (f"{{\n{text}}}", len(text)))


@pytest.mark.parametrize("language", BRACES)
@settings(max_examples=40)
@given(data=st.data())
def test_braces_are_matched_past_strings_and_comments(language: str, data: st.DataObject) -> None:
    block, length = data.draw(program(language))
    masked = blank(block + "\n} } {", language)
    assert len(masked) == len(block) + 6
    assert closing(masked, 0) == length + 2
    assert balanced(blank(block, language)) and not balanced(masked)


@pytest.mark.parametrize("language", [*BRACES, "python", "cobol"])
@settings(max_examples=40)
@given(
    text=st.text(st.sampled_from("ab {}()\n\"'`\\/*#$<@R;") | st.characters(exclude_categories=("Cs",)), max_size=60)
)
def test_blanking_keeps_every_place(language: str, text: str) -> None:
    masked = blank(text, language)
    assert len(masked) == len(text)
    covered = items(masked, language)
    assert all(a.end <= b.start for a, b in zip(covered, covered[1:], strict=False))


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in HIDING.items() for text in texts]
)
def test_hidden_braces_are_none(language: str, text: str) -> None:
    masked = blank(text, language)
    assert "{" not in masked and "}" not in masked


def test_a_division_is_no_regular_expression() -> None:
    assert blank("a = b / c; d = '}' / 2 / {}", "javascript") == 'a = b / c; d = """ / 2 / {}'


DEFINED = {
    "python": ("def f(x):\n", "async def f(x):\n", "f = lambda x: x\n"),
    "cpp": ("long f(long x) {", "std::vector<long> f(const A& a) const {", "auto f(int x) -> int {", "int* f() {"),
    "java": ("public static List<Long> f(int x) throws IOException {", "    static long[] f()\n    {"),
    "csharp": (
        "public static List<long> f(int x)\n{",
        "static T f<T>(T x) where T : class {",
        "static int f(int x) => x;",
    ),
    "php": ("function f($x) {", "FUNCTION F ($x): int {", "function &f() {"),
    "typescript": ("function f<T>(x: T): T {", "export async function f(x: number) {", "const f = (x: number) => x"),
    "javascript": (
        "function f(x){",
        "const f = x => x",
        "let f = function(x) {}",
        "f = (x) => x",
        "exports.f = x => x",
    ),
    "bash": ("f() {", "function f {", "function f() {", "f ()\n{", "f() (\n"),
}


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in DEFINED.items() for text in texts])
def test_definitions_are_found(language: str, text: str) -> None:
    assert defines(text, language, "f")
    assert not defines(text, language, "g")
    assert not defines({"python": "# ", "bash": "# "}.get(language, "// ") + text.split("\n")[0], language, "f")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "print(f(1))\n"),
        ("python", "    def f(self):\n"),
        ("cpp", "int main() { return f(1); }"),
        ("cpp", "long f(long x);"),
        ("cpp", "long g() { if (f(x)) { return a.f(x); } }"),
        ("java", "static void g() { return f(1); }"),
        ("csharp", "x = new f() { a = 1 };"),
        ("php", "if (f($x)) { f($x); }"),
        ("javascript", "if (f == 1) { f(1); o.f = 2 }"),
        ("bash", "f 1; if f; then f; fi"),
    ],
)
def test_calls_and_declarations_are_no_definitions(language: str, text: str) -> None:
    assert not defines(text, language, "f")


def test_the_place_of_a_definition() -> None:
    code = "// long f(int x) {}\nlong g() { return 1; }\nlong f(int x) {\n}\n"
    assert definition(blank(code, "cpp"), "cpp", "f") == code.rindex("f(int")


def split(code: str, language: str) -> list[str]:
    return [span.of(code) for span in items(blank(code, language), language)]


def test_items() -> None:
    code = "#include <a>\nusing namespace std;\nstruct S { int x; };\nint a[] = {1, 2};\nint f() {\n  g();\n}\nint h() { }"
    assert split(code, "cpp") == [
        "#include <a>",
        "using namespace std;",
        "struct S { int x; };",
        "int a[] = {1, 2};",
        "int f() {\n  g();\n}",
        "int h() { }",
    ]
    code = "let a = [1,\n 2]\nconst f = (x) => {\n}\n\nfoo\n  .bar()\nif (a) {\n}\nelse {\n}\nx = `\n;\n`\ny()"
    assert split(code, "javascript") == [
        "let a = [1,\n 2]\n",
        "const f = (x) => {\n}",
        "foo\n  .bar()\n",
        "if (a) {\n}\nelse {\n}",
        "x = `\n;\n`\n",
        "y()",
    ]
    code = "f()\n{\n  if x; then y; fi\n}\nif f 1\nthen\n  g\nfi\nfor i in 1 2\ndo f; done\ncase a in\n  a) x ;;\nesac\ny"
    assert [text.strip() for text in split(code, "bash")] == [
        "f()\n{\n  if x; then y; fi\n}",
        "if f 1\nthen\n  g\nfi",
        "for i in 1 2\ndo f; done",
        "case a in\n  a) x ;;\nesac",
        "y",
    ]


@pytest.mark.parametrize(
    ("language", "code", "left"),
    [
        (
            "javascript",
            "const c = require('c');\nfunction f(x) {\n  return g(x);\n}\n\n// Tests\nconsole.log(f(1)); // 2\n"
            "const r = f(2);\nr.forEach(x => x)\nfunction g(x) { return x }\nfunction test() { f(3) }\ntest();\n",
            "const c = require('c');\nfunction f(x) {\n  return g(x);\n}\n\nfunction g(x) { return x }\n"
            "function test() { f(3) }\n",
        ),
        (
            "php",
            "\nfunction f($x) {\n    return $x;\n}\n\n$r = f(1);\nif ($r == 1) {\n  echo 'a';\n} else {\n  echo 'b';\n}\n"
            "define('N', 3);\n",
            "\nfunction f($x) {\n    return $x;\n}\n\ndefine('N', 3);\n",
        ),
        (
            "bash",
            '#!/bin/bash\nN=3\nf() {\n    echo "$1"\n}\n\n# use it\nresult=$(f 1)\nfor i in 1 2; do\n  f "$i"\ndone\n'
            'if [[ "$result" == 1 ]]; then\n  exit 1\nfi\nf "$1"\ng() {\n    f 1\n}\ng\n',
            '#!/bin/bash\nN=3\nf() {\n    echo "$1"\n}\n\ng() {\n    f 1\n}\n',
        ),
        ("typescript", *2 * ("const f = (x: number): number => x < 1 ? 1 : f(x - 1);\n",)),
        ("javascript", "console.log(1)\n", "console.log(1)\n"),
    ],
)
def test_own_tests_are_removed(language: str, code: str, left: str) -> None:
    assert without_own_tests(code, language, "f") == left
