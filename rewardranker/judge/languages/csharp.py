"""C#, compiled by mono's mcs, which stays resident, and run by mono."""

from __future__ import annotations

from pathlib import Path

from rewardranker.judge.languages.csharp_tests import COMPILED, FLAGS, checks
from rewardranker.judge.languages.language import Language, Recipe
from rewardranker.judge.sandbox.step import Service, Step
from rewardranker.linear import lexer

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {name: (_HARNESS / name).read_bytes() for name in ("Checks.cs", "Values.cs", "McsService.cs")}
_COMPILER = "/usr/lib/mono/4.5/mcs.exe"
_SETUP = """
mcs -target:library -out:Harness.dll -r:System.Numerics.dll -r:System.Core.dll Checks.cs Values.cs &&
mcs -out:McsService.exe McsService.cs
"""


def _whole(code: str) -> Recipe:
    build = Step(
        (*FLAGS, "-out:program.exe", "program.cs"), {"program.cs": code.encode()}, ("program.exe",), "csharp"
    )
    return Recipe(build, Step(("mono", "program.exe")))


LANGUAGE = Language(
    name="csharp",
    comment="//",
    tools=("mono", "mcs"),
    version=("mono", "--version"),
    whole=_whole,
    compiled=COMPILED,
    checks=checks,
    out_of_memory=lexer(r"OutOfMemoryException|Out of memory|out of memory"),
    service=Service(("mono", "{setup}/McsService.exe", _COMPILER)),
    setup=Step(("sh", "-c", _SETUP), _SOURCES, ("Harness.dll", "McsService.exe")),
    canary=(
        "class Program {\n"
        "    static void Main() {\n"
        "        System.Console.OpenStandardInput().CopyTo(System.Console.OpenStandardOutput());\n"
        "    }\n"
        "}\n"
    ),
    memory_kind="data",
    memory_floor_mb=256,
    cpu_floor_s=0.5,
    read_only=("/etc/mono",),
)
