"""From a model's text to a program, and back: one normal form for human and generated code.

A reward model that can tell the two apart by line ends or tabs learns that instead of correctness.
"""

from __future__ import annotations

import ast
import re
import warnings

from rewardranker.errors import UserError
from rewardranker.problems.types import Problem

_LEADING = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)
_FENCE = re.compile(r"( *)(`{3,}) *([\w+#.-]*)([^`]*)")
_PYTHON = ("python", "py", "python3")
_CODE_START = re.compile(r"(from\s+\S+\s+import\b|import\s|(async\s+)?def\s|class\s|@\w|#|\w+\s*=[^=])")
_MOST_CUTS = 50


def normalise(text: str) -> str:
    """The normal form: ``\\n`` line ends, four spaces for a leading tab, no trailing space, no blank line
    at either end, exactly one newline at the end (nothing for no text). Idempotent."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _LEADING.sub(lambda match: match[0].replace("\t", "    "), text)
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    return text + "\n" if text else ""


def extract(problem: Problem, text: str) -> str:
    """The whole program, in normal form, that a model's text means for this problem.

    Where the problem has a prefix, the text continues it; a Python function ends before the first
    unindented line at which the program so far is complete. Otherwise it is the first fenced Python block,
    else the first fence without a language, else the text without the prose around it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if problem.prefix:
        whole = problem.prefix + text
        return normalise(_cut(whole, len(problem.prefix)) if problem.language == "python" else whole)
    languages = _PYTHON if problem.language == "python" else (problem.language,)
    block = _fenced(text, languages)
    if block is not None:
        return normalise(block)
    return normalise(_without_prose(text) if problem.language == "python" else text)


def completion_of(problem: Problem, code: str) -> str:
    """What a model would have to write after the prompt to arrive at ``code`` (normalised).

    ``extract(problem, completion_of(problem, code)) == code``; with a prefix, this holds for programs that
    end with the function that the prefix begins.

    Raises:
        UserError: ``code`` does not begin with the problem's prefix.
    """
    if not problem.prefix:
        longest = max((len(run) for run in re.findall(r"^ *(`{3,})", code, re.MULTILINE)), default=2)
        fence = "`" * (longest + 1)
        return f"{fence}{problem.language}\n{code}{fence}\n"
    head = normalise(problem.prefix).removesuffix("\n")
    if not code.startswith(head):
        raise UserError(
            f"a program for problem {problem.id} begins with {code[:60]!r}, not with the problem's prefix "
            f"{problem.prefix[:60]!r}; give it the prefix, or the problem none"
        )
    tail = problem.prefix[len(problem.prefix.rstrip()) :]
    return code[len(head) :].removeprefix(tail)


def _cut(code: str, start: int) -> str:
    """``code`` up to the first unindented line after ``start`` at which it is complete; up to the first such
    line where it never is."""
    starts = [match.start() + 1 for match in re.finditer(r"\n(?=[^\s])", code)]
    places = [place for place in starts if place >= start and place > 0][:_MOST_CUTS]
    for place in places:
        if _parses(code[:place]):
            return code[:place]
    return code[: places[0]] if places and not _parses(code) else code


def _without_prose(text: str) -> str:
    """From the first line that looks like code to the last unindented line before which it parses."""
    if _parses(text):
        return text
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if _CODE_START.match(line)), 0)
    lines = lines[first:]
    ends = [i for i in range(1, len(lines)) if lines[i][:1].strip()] + [len(lines)]
    for end in reversed(ends[-_MOST_CUTS:]):
        if _parses("\n".join(lines[:end])):
            return "\n".join(lines[:end])
    return "\n".join(lines)


def _fenced(text: str, languages: tuple[str, ...]) -> str | None:
    """The first block in one of ``languages``, else the first without one; open at the end is closed there.
    A fence ends at one at least as long, and what its own indent hides is shown."""
    blocks: list[tuple[str, list[str]]] = []
    fence, indent = "", 0
    for line in text.split("\n"):
        match = _FENCE.fullmatch(line.replace("\t", "    "))
        if fence and match and len(match[2]) >= len(fence) and not (match[3] + match[4]).strip():
            fence = ""
        elif fence:
            blocks[-1][1].append(line[indent:] if not line[:indent].strip() else line)
        elif match:
            indent, fence = len(match[1]), match[2]
            blocks.append((match[3].lower(), []))
    for wanted in (languages, ("",)):
        for language, lines in blocks:
            if language in wanted:
                return "\n".join(lines)
    return None


def _parses(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(code)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True
