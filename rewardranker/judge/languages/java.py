"""Java, compiled by a resident javac."""

from __future__ import annotations

from pathlib import Path

from rewardranker.judge.languages.java_replay import REPLAY
from rewardranker.judge.languages.java_tests import COMPILED, EXACT, JAR, RUN, TUPLES, checks
from rewardranker.judge.languages.language import Language, Recipe
from rewardranker.judge.sandbox.step import Service, Step
from rewardranker.linear import lexer

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {
    f"rewardranker/{name}": (_HARNESS / name).read_bytes()
    for name in ("Checks.java", "Decoded.java", "JavacService.java", "Json.java", "Replay.java", "Values.java")
}
_SERVICE = ("java", "-Xmx512m", "-Xss8m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "{setup}/harness.jar")
# The launcher makes the main thread by the first, the machine all others by the second: recursion may be deep, and a
# pool of threads costs no more than elsewhere.
_STACKS = ("-Xss64m", "-XX:ThreadStackSize=1024")


def _whole(code: str) -> Recipe:
    build = Step(("whole",), {"program.java": code.encode()}, (JAR,), "java")
    words = (*_STACKS, "-jar", JAR)
    return Recipe(build, Step((*RUN, *words)), exact=(*EXACT, *words))


LANGUAGE = Language(
    name="java",
    comment="//",
    tools=("java", "javac", "jar"),
    version=("javac", "-J-XX:-UsePerfData", "--version"),  # a machine with such data leaves a directory in /tmp
    whole=_whole,
    compiled=COMPILED,
    replay=REPLAY,
    checks=checks,
    out_of_memory=lexer(r"OutOfMemoryError|insufficient memory|Cannot allocate memory"),
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
    # Measured: 35 MB for a main program that prints, up to 80 beside the heap of one that loads as many classes as
    # javac does; and the main thread's stack, which recursion may fill.
    memory_floor_mb=192,
    memory_share=1.25,
    # That stack again, and one of 512 MiB that a program may ask for.
    reserved_mb=576,
    tasks=20,
    cpu_floor_s=0.5,
    read_only=("/etc/java-17-openjdk", "/etc/alternatives"),
)
