"""From a model's text to a program, and back."""

from __future__ import annotations

from rewardranker.linear import lexer
from rewardranker.problems.normal_form import normalise, unix
from rewardranker.problems.prompts import continues_prompt, cut
from rewardranker.problems.types import Problem
from rewardranker.programs import prose, python, reasoning
from rewardranker.programs.answer import whole
from rewardranker.programs.choice import fenced, is_complete, program_in
from rewardranker.programs.continuation import begins_afresh, continued, function_ends, until_fence
from rewardranker.programs.definitions import defines
from rewardranker.programs.fences import Block
from rewardranker.programs.invisible import visible
from rewardranker.programs.markers import turns

__all__ = ["completion_of", "extract"]

_BACKTICKS = lexer(r"`++")
_MOST_TURNS = 1000  # of a text that are looked at


def extract(problem: Problem, text: str) -> str:
    """The whole program, in normal form, that a model's text means for this problem. Takes linear time; never raises.

    Of its turns, a thousand at most, the first counts that holds a complete program, without markers and reasoning
    (:mod:`markers <rewardranker.programs.markers>`, :mod:`reasoning
    <rewardranker.programs.reasoning>`). Where the problem has a prefix, it continues it, up to the end of
    the function; or it is an answer with the whole program, prefix included, in a fence. Otherwise it is a fenced
    block (:mod:`choice <rewardranker.programs.choice>`), else the text without the prose around it, up to
    the problem's stop tokens.
    """
    text = unix(text).removeprefix("\ufeff")
    said = turns(text if problem.prefix else cut(problem, text))[:_MOST_TURNS]
    answers = [turn.text for turn in said if turn.role not in ("user", "thought") and turn.text.strip()]
    found = [_from_turn(problem, answer) for answer in answers]
    if not any(is_complete(problem, code) for code in found):
        found += [_from_thoughts(problem, turn.text) for turn in said if turn.role == "thought"]
    complete = (code for code in found if is_complete(problem, code))
    return next(complete, found[0] if found else _from_turn(problem, ""))


def _from_turn(problem: Problem, text: str) -> str:
    said = reasoning.split(text)
    code = _from_answer(problem, said.answer)
    if not said.hidden or said.answer.strip() and is_complete(problem, code):
        return code
    thought = _from_thoughts(problem, said.hidden) if said.cut_off else _from_answer(problem, said.hidden)
    return thought if is_complete(problem, thought) or not said.answer.strip() else code


def _from_thoughts(problem: Problem, text: str) -> str:
    """What unfinished reasoning means: the program that it holds in fences which are closed; else nothing."""
    code = program_in(problem, text, [block for block in fenced(text, problem.language) if block.closed], False)
    return _program(problem, code) if code is not None else _from_answer(problem, "")


def _from_answer(problem: Problem, text: str) -> str:
    found = fenced(text, problem.language)
    if problem.prefix:
        return _with_prefix(problem, text, found)
    code = program_in(problem, text, found, True)
    if code is not None:
        return _program(problem, code)
    if problem.language == "python":
        return _shown(problem, prose.python_only(text, problem.entry_point))
    return _program(problem, prose.without_sentences(text))


def _program(problem: Problem, code: str) -> str:
    """A whole program, as the tests need it."""
    return normalise(whole(problem, _shown(problem, code)))


def _shown(problem: Problem, code: str) -> str:
    return normalise(visible(normalise(code), problem.language))


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
    longest = max([2, *map(len, _BACKTICKS.findall(code))])
    fence = "`" * (longest + 1)
    return f"{fence}{problem.language}\n{code}{fence}\n"


def _with_prefix(problem: Problem, text: str, found: list[Block]) -> str:
    """The program of a problem whose prompt has begun it."""
    if found and not _continues(problem, _head(problem, text, found)):
        code = program_in(problem, text, found, True)
        if code is not None:
            if not defines(code, problem.language, problem.entry_point) and _continues(problem, code):
                return normalise(_continued(problem, _shown(problem, code)))
            return _program(problem, code)
    if _is_whole(problem, text):
        return _program(problem, _loose(problem, text))
    return normalise(_continued(problem, text))


def _head(problem: Problem, text: str, found: list[Block]) -> str:
    """What stands before the blocks, those that a comment of the continued program holds left aside."""
    if problem.language == "python":
        return text[: found[0].start]
    return until_fence(problem, text, [block.start for block in found])


def _loose(problem: Problem, text: str) -> str:
    """A whole program that stands in a text without a fence."""
    code = program_in(problem, text, [], True)
    return text if code is None else code


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
