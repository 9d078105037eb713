"""From a model's text to a program, and back."""

from __future__ import annotations

import re

from rewardranker.execution.extraction import python
from rewardranker.execution.extraction.answer import whole
from rewardranker.execution.extraction.continuation import begins_afresh, continued, function_ends
from rewardranker.execution.extraction.definitions import defines
from rewardranker.execution.extraction.fences import Block, blocks, chosen
from rewardranker.execution.extraction.normal_form import normalise, unix
from rewardranker.problems.prompts import continues_prompt, cut
from rewardranker.problems.types import Problem

__all__ = ["completion_of", "extract", "normalise"]


def extract(problem: Problem, text: str) -> str:
    """The whole program, in normal form, that a model's text means for this problem.

    Where the problem has a prefix, the text continues it, up to the end of the function; or it is an answer
    with the whole program, prefix included, in a fence. Otherwise it is a fenced block, else the text (in
    Python, without the prose around it), up to the problem's stop tokens. Of several blocks in the language it is
    the first that defines the entry point, else the longest.
    """
    text = unix(text) if problem.prefix else cut(problem, unix(text))
    block = chosen(blocks(text), problem.language, lambda code: defines(code, problem.language, problem.entry_point))
    if problem.prefix:
        return normalise(_with_prefix(problem, text, block))
    if block is not None:
        return normalise(whole(problem, block.code))
    if problem.language == "python":
        return normalise(python.without_prose(text))
    return normalise(whole(problem, text))


def completion_of(problem: Problem, code: str) -> str:
    """What a model would have to write after the prompt to arrive at ``code`` (a result of :func:`extract`).

    ``extract(problem, completion_of(problem, code)) == code`` for programs that define the entry point. Where the
    prompt has begun the program, it is the continuation, if the program begins with the prefix and ends with its
    function; otherwise the whole program in a fence.
    """
    if continues_prompt(problem):
        head = normalise(problem.prefix).removesuffix("\n")
        if code.startswith(head):
            tail = problem.prefix[len(problem.prefix.rstrip()) :]
            continuation = code[len(head) :].removeprefix(tail)
            if extract(problem, continuation) == code:
                return continuation
    longest = max((len(run) for run in re.findall(r"^ *(`{3,})", code, re.MULTILINE)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{problem.language}\n{code}{fence}\n"


def _with_prefix(problem: Problem, text: str, block: Block | None) -> str:
    """The program of a problem whose prompt has begun it."""
    if block is not None and not _continues(problem, block.before):
        if defines(block.code, problem.language, problem.entry_point):
            return whole(problem, block.code)
        return _continued(problem, block.code) if _continues(problem, block.code) else whole(problem, block.code)
    if _is_whole(problem, text):
        return whole(problem, text)
    return _continued(problem, text)


def _continues(problem: Problem, text: str) -> bool:
    """Whether a text goes on inside the function that the prefix has begun, as far as one can tell."""
    if problem.language == "python":
        first = next((line for line in text.split("\n") if line.strip()), "")
        return first[:1] in (" ", "\t")
    return function_ends(problem, text)


def _is_whole(problem: Problem, text: str) -> bool:
    if problem.language == "python":
        return not _continues(problem, text) and python.defines(problem.entry_point, text)
    return begins_afresh(problem, text)


def _continued(problem: Problem, text: str) -> str:
    if problem.language == "python":
        return python.continued(problem.prefix, text)
    return continued(problem, text)
