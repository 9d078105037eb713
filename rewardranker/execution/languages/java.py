"""Java, compiled by a resident javac."""

from __future__ import annotations

import re
from pathlib import Path

from rewardranker.execution.languages.language import Language, Recipe, Service
from rewardranker.execution.languages.rewriting import Check, defined, names, qualified, rewrite, without_first_brace
from rewardranker.execution.sandbox.step import Step

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {
    f"rewardranker/{name}": (_HARNESS / name).read_bytes()
    for name in ("Checks.java", "Json.java", "JavacService.java")
}
_TUPLES = "/usr/share/java/javatuples.jar"
_JAR = "program.jar"
# One processor: fewer threads than a big machine would start. G1 is the collector that starts fastest.
_RUN = ("java", "-Xmx512m", "-XX:ActiveProcessorCount=1", "-XX:+UseG1GC", "-XX:-UsePerfData")
_SERVICE = ("java", "-Xmx512m", "-Xss8m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "{setup}/harness.jar")
_IN_UTIL = """
    ArrayDeque ArrayList Arrays Collections Deque HashMap HashSet LinkedHashMap LinkedHashSet LinkedList List Map
    Optional Queue Set TreeMap TreeSet
"""
_IN_LANG = "Boolean Byte Character Double Error Float Integer Long Math Object RuntimeException Short String"
_IN_TUPLES = "Unit Pair Triplet Quartet Quintet Sextet Septet Octet Ennead Decade"
# Named one by one, these are what the tests mean even where a class of the program has the same name.
_IMPORTED = {
    name: f"{package}.{name}"
    for package, listed in (
        ("java.util", _IN_UTIL),
        ("java.lang", _IN_LANG),
        ("java.math", "BigInteger BigDecimal"),
        ("org.javatuples", _IN_TUPLES),
    )
    for name in listed.split()
}


def _whole(code: str) -> Recipe:
    build = Step(("whole",), {"program.java": code.encode()}, (_JAR,), "java")
    return Recipe(build, Step((*_RUN, "-Xss64m", "-jar", _JAR)))


def _checks(code: str, tests: str, nonce: str) -> Recipe:
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
            f"catch (RuntimeException | Error thrown_{nonce}) {{ {judge}.error(thrown_{nonce}); }}"
        )

    begin = f'\n    rewardranker.Checks {judge} = new rewardranker.Checks("{nonce}");'
    trusted, count = rewrite(body, "assert", begin, f"    {judge}.done();\n    ", answer)
    head = "".join(f"import {_IMPORTED[name]};\n" for name in names(trusted) if name in _IMPORTED)
    files = {"Problem.java": code, f"{main}.java": f"{head}final class {main} {{{trusted}"}
    build = Step(("checks", main), {name: text.encode() for name, text in files.items()}, (_JAR,), "java")
    classpath = f"{_JAR}:{_TUPLES}:{{setup}}/harness.jar"
    return Recipe(build, Step((*_RUN, "-ea", "-cp", classpath, main)), count)


JAVA = Language(
    name="java",
    fences=("java",),
    comment="//",
    tools=("java", "javac", "jar"),
    version=("javac", "--version"),
    whole=_whole,
    checks=_checks,
    out_of_memory=re.compile(r"OutOfMemoryError|insufficient memory|Cannot allocate memory"),
    service=Service((*_SERVICE, "rewardranker.JavacService", _TUPLES, "{setup}/harness.jar")),
    setup=Step(
        (
            "sh",
            "-c",
            f"javac -XDstringConcat=inline -cp {_TUPLES} -d classes rewardranker/*.java && "
            "jar -cf harness.jar -C classes .",
        ),
        _SOURCES,
        ("harness.jar",),
    ),
    canary=(
        "public class Main {\n"
        "    public static void main(String[] args) throws Exception {\n"
        "        System.in.transferTo(System.out);\n"
        "        System.out.flush();\n"
        "    }\n"
        "}\n"
    ),
    memory_kind="data",
    memory_floor_mb=768,
    cpu_floor_s=0.5,
    read_only=("/etc/java-17-openjdk", "/etc/alternatives"),
)
