"""Java's trusted tests: as values (L2), or beside the program where their checks are no comparisons (L1)."""

from __future__ import annotations

from typing import Any

from rewardranker.judge.languages.constants import NotConstant
from rewardranker.judge.languages.language import Compiled, Recipe
from rewardranker.judge.languages.rewriting import Check, defined, names, qualified, rewrite, without_first_brace
from rewardranker.judge.languages.splitting import Dialect, Split
from rewardranker.judge.languages.typed_values import shown
from rewardranker.judge.sandbox.step import Step

TUPLES = "/usr/share/java/javatuples.jar"
JAR = "program.jar"
# One processor, and sizes of our own: a verdict must not depend on what the machine has. What a program holds beside
# its heap is limited like its heap.
_SIZES = ("-Xmx{heap}m", "-Xms{start}m", "-XX:MaxDirectMemorySize={limit}m")
_MACHINE = ("java", "-XX:ActiveProcessorCount=1", "-XX:-UsePerfData", *_SIZES)
# G1 starts fastest, but an array beyond half a region costs whole regions, up to twice its size. Where memory runs
# out, a collector that counts bytes decides: its old generation is the problem's limit.
RUN, EXACT = (*_MACHINE, "-XX:+UseG1GC"), (*_MACHINE, "-XX:+UseSerialGC", "-XX:NewRatio=4")
_DIALECT = Dialect("assert", ("Problem", "Solution"), "Problem")
_IN_UTIL = """
    ArrayDeque ArrayList Arrays Collection Collections Comparator Deque HashMap HashSet Iterator LinkedHashMap
    LinkedHashSet LinkedList List Map Objects Optional OptionalDouble OptionalInt OptionalLong PriorityQueue Queue
    Random Set Stack StringJoiner TreeMap TreeSet Vector
"""
_IN_LANG = """
    AssertionError Boolean Byte Character Double Error Exception Float Integer Iterable Long Math Object
    RuntimeException Short String StringBuilder
"""
_IN_TUPLES = "Unit Pair Triplet Quartet Quintet Sextet Septet Octet Ennead Decade"
# Named one by one, these are what the tests mean even where a class of the program has the same name.
_IMPORTED = {
    name: f"{package}.{name}"
    for package, listed in (
        ("java.util", _IN_UTIL),
        ("java.lang", _IN_LANG),
        ("java.math", "BigInteger BigDecimal"),
        ("java.util.function", "BiFunction Function Predicate Supplier"),
        ("java.util.stream", "Collectors IntStream Stream"),
        ("org.javatuples", _IN_TUPLES),
    )
    for name in listed.split()
}

_COLLECTIONS = {
    "list": ("ArrayList", "LinkedList"),
    "map": ("HashMap", "LinkedHashMap", "TreeMap"),
    "set": ("HashSet", "LinkedHashSet", "TreeSet"),
}


def _evaluated(code: str | None, tests: Split, nonce: str) -> Recipe:
    main, judge = f"Calls_{nonce}", f"judge_{nonce}"

    def check(sides: list[str]) -> str:
        values = " ".join(f"{judge}.side({side});" for side in sides)
        return (
            f"try {{ {judge}.begin(); {values} {judge}.answer(); }} "
            f"catch (java.lang.Throwable thrown_{nonce}) {{ {judge}.error(thrown_{nonce}); }}"
        )

    first = f'rewardranker.Values {judge} = new rewardranker.Values("{nonce}");'
    body = "\n        ".join([first, *tests.statements(code is not None, check), f"{judge}.done();"])
    members, beyond = tests.around(code is not None)
    text = (
        f"final class {main} {{\n{members}\n"
        f"    public static void main(java.lang.String[] args) throws java.lang.Exception {{\n"
        f"        {body}\n    }}\n}}\n{beyond}\n"
    )
    head = "".join(f"import {_IMPORTED[name]};\n" for name in names(text) if name in _IMPORTED)
    files = {f"{main}.java": head + text} | ({} if code is None else {"Problem.java": code})
    return recipe_of(main, files, len(tests.demands))


def _call(name: str, arguments: list[Any]) -> Any:
    if name in ("Arrays.asList", "List.of"):
        return {"list": arguments}
    if name == "Map.of" and len(arguments) % 2 == 0:
        return _distinct("map", [{"entry": list(pair)} for pair in zip(arguments[::2], arguments[1::2], strict=True)])
    if name == "Optional.empty" and not arguments:
        return {"Optional": []}
    if name == "Optional.of" and len(arguments) == 1 and arguments[0] is not None:
        return {"Optional": arguments}
    if name.endswith(".with") and _IN_TUPLES.split()[len(arguments) - 1 : len(arguments)] == [name[: -len(".with")]]:
        return {f"org.javatuples.{name[: -len('.with')]}": arguments}
    raise NotConstant(name)


def _new(kind: str, arguments: list[Any], items: list[Any] | None) -> Any:
    """A collection, empty or of another one's elements."""
    tag = next((tag for tag, names in _COLLECTIONS.items() if kind.partition("<")[0] in names), "")
    if not tag or "[" in kind or items is not None or len(arguments) > 1:
        raise NotConstant(kind)
    if not arguments:
        return {tag: []}
    ((given, elements),) = arguments[0].items() if type(arguments[0]) is dict else [("", [])]
    if (given, tag) not in (("list", "list"), ("list", "set"), ("map", "map"), ("set", "set")):
        raise NotConstant(kind)
    return {tag: elements} if tag == given else _distinct(tag, elements)


def _distinct(tag: str, elements: list[Any]) -> Any:
    keys = [shown(element["entry"][0] if tag == "map" else element) for element in elements]
    if len(set(keys)) < len(keys):
        raise NotConstant(tag)
    return {tag: elements}


def checks(code: str, tests: str, nonce: str) -> Recipe:
    main, judge = f"Checks_{nonce}", f"judge_{nonce}"
    body = without_first_brace(tests)
    own = defined(body)

    def answer(check: Check) -> str:
        left, right = (qualified(side, "Problem", own) for side in (check.left or check.text, check.right))
        truth = (
            left
            if not check.form
            else f"{left} == {right}"
            if check.form == "=="
            else f"{judge}.same({left}, {right})"
        )
        return (
            f"try {{ {judge}.answer({truth}, {check.message}); }} "
            f"catch (java.lang.Throwable thrown_{nonce}) {{ {judge}.error(thrown_{nonce}); }}"
        )

    def statements(text: str) -> str:
        return qualified(text, "Problem", own)

    begin = f'\n    rewardranker.Checks {judge} = new rewardranker.Checks("{nonce}");'
    trusted, count = rewrite(body, "assert", begin, f"    {judge}.done();\n    ", answer, statements)
    head = "".join(f"import {_IMPORTED[name]};\n" for name in names(trusted) if name in _IMPORTED)
    files = {"Problem.java": code, f"{main}.java": f"{head}final class {main} {{{trusted}"}
    return recipe_of(main, files, count)


def recipe_of(main: str, files: dict[str, str], checks: int) -> Recipe:
    build = Step(("checks", main), {name: text.encode() for name, text in files.items()}, (JAR,), "java")
    words = ("-ea", "-cp", f"{JAR}:{TUPLES}:{{setup}}/harness.jar", main)
    return Recipe(build, Step((*RUN, *words)), checks, (*EXACT, *words))


COMPILED = Compiled(_DIALECT, _call, _new, _evaluated, zeros_differ=True)
