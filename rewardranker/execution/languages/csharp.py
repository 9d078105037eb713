"""C#, compiled by mono's mcs, which stays resident, and run by mono."""

from __future__ import annotations

import re
from pathlib import Path

from rewardranker.execution.languages.language import Language, Recipe, Service
from rewardranker.execution.languages.rewriting import Check, defined, qualified, rewrite, without_first_brace
from rewardranker.execution.sandbox.step import Step

_HARNESS = Path(__file__).with_name("harness")
_SOURCES = {name: (_HARNESS / name).read_bytes() for name in ("Checks.cs", "McsService.cs")}
_COMPILER = "/usr/lib/mono/4.5/mcs.exe"
_FLAGS = ("-d:DEBUG", "-r:System.Numerics.dll")
# The benchmark's own, which its prompts begin with.
_USING = (
    "System",
    "System.Numerics",
    "System.Diagnostics",
    "System.Collections.Generic",
    "System.Linq",
    "System.Text",
    "System.Security.Cryptography",
)
_SETUP = """
mcs -target:library -out:Checks.dll -r:System.Numerics.dll -r:System.Core.dll Checks.cs &&
mcs -out:McsService.exe McsService.cs
"""


def _whole(code: str) -> Recipe:
    build = Step(
        (*_FLAGS, "-out:program.exe", "program.cs"), {"program.cs": code.encode()}, ("program.exe",), "csharp"
    )
    return Recipe(build, Step(("mono", "program.exe")))


def _checks(code: str, tests: str, nonce: str) -> Recipe:
    """The tests lie in a namespace of their own, within which ``using`` outdoes what the program defines."""
    place, judge = f"Checks_{nonce}", f"judge_{nonce}"
    body = without_first_brace(tests)
    own = defined(body)

    def answer(check: Check) -> str:
        left, right = (qualified(side, "global::Problem", own) for side in (check.left or check.text, check.right))
        comparison = "Equal" if check.form == "==" else "Same"
        truth = f"{judge}::RewardRanker.Checks.{comparison}({left}, {right})" if check.form else left
        return (
            f"try {{ {judge}_.Answer({truth}, {check.message}); }} "
            f"catch (global::System.Exception thrown_{nonce}) {{ {judge}_.Error(thrown_{nonce}); }}"
        )

    begin = f'\n    var {judge}_ = new {judge}::RewardRanker.Checks("{nonce}");'
    trusted, count = rewrite(body, "Debug.Assert", begin, f"    {judge}_.Done();\n    ", answer)
    using = "".join(f"using {name};\n" for name in _USING)
    text = f"extern alias {judge};\nnamespace {place} {{\n{using}class Tests {{{trusted}}}\n"
    argv = (
        *_FLAGS,
        f"-r:{judge}={{setup}}/Checks.dll",
        f"-main:{place}.Tests",
        "-out:program.exe",
        "program.cs",
        "tests.cs",
    )
    files = {"program.cs": code.encode(), "tests.cs": text.encode()}
    run = Step(("mono", "program.exe"), environment={"MONO_PATH": "{setup}"})
    return Recipe(Step(argv, files, ("program.exe",), "csharp"), run, count)


CSHARP = Language(
    name="csharp",
    fences=("csharp", "cs", "c#"),
    comment="//",
    tools=("mono", "mcs"),
    version=("mono", "--version"),
    whole=_whole,
    checks=_checks,
    out_of_memory=re.compile(r"OutOfMemoryException|Out of memory|out of memory"),
    service=Service(("mono", "{setup}/McsService.exe", _COMPILER)),
    setup=Step(("sh", "-c", _SETUP), _SOURCES, ("Checks.dll", "McsService.exe")),
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
