"""C#'s trusted tests: as values (L2), or beside the program where their checks are no comparisons (L1)."""

from __future__ import annotations

from typing import Any

from rewardranker.judge.languages.constants import NotConstant, converted
from rewardranker.judge.languages.language import Compiled, Recipe
from rewardranker.judge.languages.rewriting import Check, defined, qualified, rewrite, without_first_brace
from rewardranker.judge.languages.splitting import Dialect, Split
from rewardranker.judge.languages.typed_values import shown
from rewardranker.judge.sandbox.step import Step

FLAGS = ("-d:DEBUG", "-r:System.Numerics.dll")
_DIALECT = Dialect("Debug.Assert", ("Problem", "Solution"), "global::Problem")
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


def _evaluated(code: str | None, tests: Split, nonce: str) -> Recipe:
    """The calls lie in a namespace of their own, within which ``using`` outdoes what the program defines."""
    place, judge = f"Calls_{nonce}", f"judge_{nonce}"

    def check(sides: list[str]) -> str:
        values = " ".join(f"{judge}_.Side({side});" for side in sides)
        return (
            f"try {{ {judge}_.Begin(); {values} {judge}_.Answer(); }} "
            f"catch (global::System.Exception thrown_{nonce}) {{ {judge}_.Error(thrown_{nonce}); }}"
        )

    first = f'var {judge}_ = new {judge}::RewardRanker.Values("{nonce}");'
    body = "\n        ".join([first, *tests.statements(code is not None, check), f"{judge}_.Done();"])
    members, beyond = tests.around(code is not None)
    using = "".join(f"using {name};\n" for name in _USING)
    text = (
        f"extern alias {judge};\nnamespace {place} {{\n{using}class Tests {{\n{members}\n"
        f"    public static void Main(string[] args) {{\n        {body}\n    }}\n}}\n{beyond}\n}}\n"
    )
    return _recipe(
        place, judge, ({} if code is None else {"program.cs": code}) | {"calls.cs": text}, len(tests.demands)
    )


def _call(name: str, arguments: list[Any]) -> Any:
    if name == "Tuple.Create" and 0 < len(arguments) < 8:
        return {"tuple": arguments}
    raise NotConstant(name)


def _new(kind: str, arguments: list[Any], items: list[Any] | None) -> Any:
    """An array or a list, of elements or of another one's, or a dictionary of pairs."""
    name, _, inner = kind.removesuffix(">").partition("<")
    if kind.endswith("[]") and items is not None and not arguments:
        return {"list": [converted(item, kind.removesuffix("[]")) for item in items]}
    if name == "List" and len(arguments) <= 1 and not (arguments and items):
        given = arguments[0]["list"] if arguments and type(arguments[0]) is dict and "list" in arguments[0] else None
        if arguments and given is None:
            raise NotConstant(kind)
        return {"list": [converted(item, inner) for item in given or items or []]}
    if name == "Dictionary" and not arguments:
        key, _, value = inner.partition(",")
        pairs = [item for item in items or [] if type(item) is tuple and len(item) == 2]
        entries = [{"entry": [converted(one, key), converted(other, value)]} for one, other in pairs]
        if len({shown(entry["entry"][0]) for entry in entries}) == len(items or []):
            return {"map": entries}
    raise NotConstant(kind)


def checks(code: str, tests: str, nonce: str) -> Recipe:
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

    def statements(text: str) -> str:
        return qualified(text, "global::Problem", own)

    begin = f'\n    var {judge}_ = new {judge}::RewardRanker.Checks("{nonce}");'
    trusted, count = rewrite(body, "Debug.Assert", begin, f"    {judge}_.Done();\n    ", answer, statements)
    using = "".join(f"using {name};\n" for name in _USING)
    text = f"extern alias {judge};\nnamespace {place} {{\n{using}class Tests {{{trusted}}}\n"
    return _recipe(place, judge, {"program.cs": code, "tests.cs": text}, count)


def _recipe(place: str, judge: str, files: dict[str, str], checks: int) -> Recipe:
    alias = f"-r:{judge}={{setup}}/Harness.dll"
    argv = (*FLAGS, alias, f"-main:{place}.Tests", "-out:program.exe", *files)
    build = Step(argv, {name: text.encode() for name, text in files.items()}, ("program.exe",), "csharp")
    return Recipe(build, Step(("mono", "program.exe"), environment={"MONO_PATH": "{setup}"}), checks)


COMPILED = Compiled(_DIALECT, _call, _new, _evaluated, zeros_differ=False)
