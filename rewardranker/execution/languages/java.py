"""Java, compiled by a resident javac."""

from __future__ import annotations

import re
from pathlib import Path

from rewardranker.execution.languages.java_tests import COMPILED, JAR, RUN, TUPLES, checks
from rewardranker.execution.languages.language import Language, Recipe, Service
from rewardranker.execution.sandbox.step import Step

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {
    f"rewardranker/{name}": (_HARNESS / name).read_bytes()
    for name in ("Checks.java", "Json.java", "Values.java", "JavacService.java")
}
_SERVICE = ("java", "-Xmx512m", "-Xss8m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "{setup}/harness.jar")


def _whole(code: str) -> Recipe:
    build = Step(("whole",), {"program.java": code.encode()}, (JAR,), "java")
    return Recipe(build, Step((*RUN, "-Xss64m", "-jar", JAR)))


JAVA = Language(
    name="java",
    fences=("java",),
    comment="//",
    tools=("java", "javac", "jar"),
    version=("javac", "--version"),
    whole=_whole,
    compiled=COMPILED,
    checks=checks,
    out_of_memory=re.compile(r"OutOfMemoryError|insufficient memory|Cannot allocate memory"),
    service=Service((*_SERVICE, "rewardranker.JavacService", TUPLES, "{setup}/harness.jar")),
    setup=Step(
        (
            "sh",
            "-c",
            f"javac -XDstringConcat=inline -cp {TUPLES} -d classes rewardranker/*.java && "
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
