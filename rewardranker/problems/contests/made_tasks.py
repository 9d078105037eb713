"""Made contest problems with programs that really run: compositions of list operations in C++, Java and Python.

For tests and benchmarks of any size. A wrong program has a mistake in one of its operations; what people vary without
changing what a program does (names, comments, spare lines) varies here too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Values = list[int]
LANGUAGES = ("cpp", "java", "python")


@dataclass(frozen=True)
class Operation:
    """What is done to a list.

    Attributes:
        words: in the statement; ``{k}`` is a number of the problem's.
        apply: what it means.
        right: the line by language; ``@`` is the list's name.
        wrong: common mistakes, by language in the same order.
    """

    words: str
    apply: Callable[[Values, int], Values]
    right: dict[str, str]
    wrong: dict[str, tuple[str, ...]]


def _each(expression: str) -> dict[str, str]:
    return {
        "cpp": f"for (auto& x : @) x = {expression};",
        "java": f"@.replaceAll(x -> {expression});",
        "python": f"@ = [{expression} for x in @]",
    }


def _keep(condition: str) -> dict[str, str]:
    return {
        "cpp": f"@.erase(remove_if(@.begin(), @.end(), [&](long long x) {{ return !({condition}); }}), @.end());",
        "java": f"@.removeIf(x -> !({condition}));",
        "python": f"@ = [x for x in @ if {condition}]",
    }


def _lines(cpp: str, java: str, python: str) -> dict[str, str]:
    return {"cpp": cpp, "java": java, "python": python}


def _mistakes(*mistakes: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {language: tuple(mistake[language] for mistake in mistakes) for language in LANGUAGES}


_REVERSED = _lines("reverse(@.begin(), @.end());", "Collections.reverse(@);", "@ = @[::-1]")
_SORTED = _lines("sort(@.begin(), @.end());", "Collections.sort(@);", "@ = sorted(@)")
_SORTED_DOWN = _lines(
    "sort(@.rbegin(), @.rend());", "@.sort(Comparator.reverseOrder());", "@ = sorted(@, reverse=True)"
)
_NO_FIRST = _lines("if (!@.empty()) @.erase(@.begin());", "if (!@.isEmpty()) @.remove(0);", "@ = @[1:]")
_NO_LAST = _lines("if (!@.empty()) @.pop_back();", "if (!@.isEmpty()) @.remove(@.size() - 1);", "@ = @[:-1]")

OPERATIONS = (
    Operation("reverse the list", lambda xs, k: xs[::-1], _REVERSED, _mistakes(_SORTED, _SORTED_DOWN)),
    Operation("sort it in ascending order", lambda xs, k: sorted(xs), _SORTED, _mistakes(_SORTED_DOWN, _REVERSED)),
    Operation(
        "add {k} to every element",
        lambda xs, k: [x + k for x in xs],
        _each("x + {k}"),
        _mistakes(_each("x - {k}"), _each("x + {k} + 1")),
    ),
    Operation(
        "multiply every element by {k}",
        lambda xs, k: [x * k for x in xs],
        _each("x * {k}"),
        _mistakes(_each("x + {k}"), _each("x * ({k} - 1)")),
    ),
    Operation(
        "replace every element by its square",
        lambda xs, k: [x * x for x in xs],
        _each("x * x"),
        _mistakes(_each("x + x"), _each("x * x * x")),
    ),
    Operation(
        "remove the elements that are at most {k}",
        lambda xs, k: [x for x in xs if x > k],
        _keep("x > {k}"),
        _mistakes(_keep("x >= {k}"), _keep("x < {k}")),
    ),
    Operation(
        "remove the odd elements",
        lambda xs, k: [x for x in xs if x % 2 == 0],
        _keep("x % 2 == 0"),
        _mistakes(_keep("x % 2 != 0"), _keep("x % 4 == 0")),
    ),
    Operation("remove the first element, if any", lambda xs, k: xs[1:], _NO_FIRST, _mistakes(_NO_LAST, _SORTED)),
    Operation("remove the last element, if any", lambda xs, k: xs[:-1], _NO_LAST, _mistakes(_NO_FIRST, _REVERSED)),
)

_FRAMES = {
    "cpp": """#include <bits/stdc++.h>
using namespace std;
{comment}
int main() {{
    int n;
    cin >> n;
    vector<long long> @(n);
    for (auto& x : @) cin >> x;
{lines}
    cout << @.size() << "\\n";
    for (size_t i = 0; i < @.size(); i++) cout << @[i] << (i + 1 < @.size() ? " " : "");
    cout << endl;
}}
""",
    "java": """import java.util.*;
{comment}
public class Main {{
    public static void main(String[] args) {{
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        List<Long> @ = new ArrayList<>();
        for (int i = 0; i < n; i++) @.add(in.nextLong());
{lines}
        System.out.println(@.size());
        StringJoiner out = new StringJoiner(" ");
        for (long x : @) out.add(String.valueOf(x));
        System.out.println(out);
    }}
}}
""",
    "python": """{comment}
n = int(input())
@ = list(map(int, input().split()))[:n]
{lines}
print(len(@))
print(*@)
""",
}
_INDENTS = {"cpp": "    ", "java": "        ", "python": ""}
_COMMENTS = {"cpp": "//", "java": "//", "python": "#"}
_NAMES = ("a", "v", "xs", "nums", "arr", "values", "list1", "seq")
_TESTS = 12
_MOST = 2**50  # a mistake may make it larger


@dataclass(frozen=True)
class MadeTask:
    """A made problem: operations, each with its number, in order."""

    number: int
    steps: tuple[tuple[Operation, int], ...]

    @property
    def statement(self) -> str:
        told = ", then ".join(operation.words.format(k=k) for operation, k in self.steps)
        return (
            f"Task {self.number}. You are given n and a list of n integers. {told[0].upper()}{told[1:]}.\n\nInput\n\n"
            "The first line holds n (1 <= n <= 8), the second line the n integers, between -20 and 99.\n\nOutput\n\n"
            "On the first line how many elements are left, on the second line the elements."
        )

    def tests(self) -> list[tuple[str, str]]:
        """Inputs and expected outputs, the same every time."""
        rng = random.Random(f"tests {self.number}")
        return [self._test([rng.randint(-20, 99) for _ in range(rng.randint(1, 8))]) for _ in range(_TESTS)]

    def program(self, language: str, right: bool, rng: random.Random, names: int = len(_NAMES)) -> str:
        """What somebody submits; the list has one of so many names."""
        flaw = -1 if right else rng.randrange(len(self.steps))
        lines = []
        for index, (operation, k) in enumerate(self.steps):
            line = rng.choice(operation.wrong[language]) if index == flaw else operation.right[language]
            lines.append(_INDENTS[language] + line.replace("{k}", str(k)))
            if rng.random() < 0.3:
                lines.append(f"{_INDENTS[language]}{_COMMENTS[language]} step {index + 1}, {rng.randrange(1000)}")
        comment = f"{_COMMENTS[language]} author {rng.randrange(10**6)}"
        text = _FRAMES[language].format(comment=comment, lines="\n".join(lines))
        return text.replace("@", rng.choice(_NAMES[:names]))

    def _test(self, xs: Values) -> tuple[str, str]:
        ys = xs
        for operation, k in self.steps:
            ys = operation.apply(ys, k)
        return f"{len(xs)}\n{' '.join(map(str, xs))}\n", f"{len(ys)}\n{' '.join(map(str, ys))}\n"


def made_task(number: int, seed: int, operations: tuple[int, int] = (2, 4)) -> MadeTask:
    """Problem ``number`` of the world ``seed``: so many operations, at least and at most, whose numbers all three
    languages hold."""
    rng = random.Random(f"{seed} task {number}")
    while True:
        steps = tuple((rng.choice(OPERATIONS), rng.randint(2, 40)) for _ in range(rng.randint(*operations)))
        task = MadeTask(number, steps)
        if max(abs(int(word)) for _, printed in task.tests() for word in printed.split()) < _MOST:
            return task


def made_texts() -> list[str]:
    """Statements and programs in which every word, number, name, operation and mistake occurs."""
    texts = [f"{comment} author 1\n{comment} step 1, 2\n" for comment in sorted(set(_COMMENTS.values()))]
    texts += ["".join(f"{digit} {digit}" for digit in range(10))]
    texts += [MadeTask(1, ((one, 2), (one, 2))).statement for one in OPERATIONS]
    for language in LANGUAGES:
        known = [line for one in OPERATIONS for line in (one.right[language], *one.wrong[language])]
        lines = "\n".join(_INDENTS[language] + line.replace("{k}", "2") for line in known)
        program = _FRAMES[language].format(comment=_COMMENTS[language], lines=lines)
        texts += [program.replace("@", name) for name in _NAMES]
    return texts
