"""How a problem is put to a model, and where the model's text is cut: DeepSeek-Coder's settings, to the byte.

From its evaluation scripts (Guo et al. 2024; ``Evaluation/HumanEval/{eval_instruct,humaneval}.py`` and
``utils/``, ``Evaluation/MBPP/{eval_instruct,mbpp}.py`` and ``utils/dataset.py``): HumanEval's settings serve
MultiPL-E in every language. A style gives a new problem, whose ``prompt``, ``prefix`` and ``stop_tokens`` are all
that generating, extracting and ranking need to know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rewardranker.errors import UserError
from rewardranker.problems.languages import PROPER_NAMES
from rewardranker.problems.statements import mbpp_statement
from rewardranker.problems.types import Problem

PYTHON_STOPS = ("\ndef", "\nclass", "\nif", "\n#", "\nprint")
TYPESCRIPT_STOPS = ("\nexport", "\nimport", "\nexport default", "\nimport default", "\nconsole.log")
MBPP_STOPS = ("[DONE]",)

# Of the 4096 tokens that the harness reads, 500 are kept for the answer.
MBPP_PROMPT_TOKENS = 4096 - 500

_INSTRUCTION = (
    "Please continue to complete the function. You are not allowed to modify the given code and do the completion "
    "only. Please return all completed function in a codeblock. Here is the given code to do completion:\n"
    "```{language}\n{code}\n```"
)
_MBPP_TASK = (
    "You are an expert Python programmer, and here is your task: {text} Your code should pass these tests:\n\n"
    "{tests}\n[BEGIN]"
)
_MBPP_ANSWER = "\n{code}\n[DONE]\n"
_MBPP_PROBLEM = ">>> Problem:\n{text}\n>>> Test Cases:\n{tests}\n"
_MBPP_EXAMPLE = "- Example {number}:\n" + _MBPP_PROBLEM + "\n>>> Code:\n```python\n{code}\n```"
_MBPP_INSTRUCTION = (
    "Please refer the given examples and generate a python function for my problem.\n"
    "Examples are listed as follows:\n{examples}\n\nHere is my problem:\n{problem}"
)


@dataclass(frozen=True)
class Shot:
    """A worked example of MBPP, its texts as in the data."""

    text: str
    tests: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class PromptStyle:
    """One way to put a problem.

    Attributes:
        write: the problem as it is put, with worked examples where the style shows any.
        chat: the prompt is what a user says, for the tokenizer's chat template.
        max_new_tokens: of the answer, in the harness whose style it is; ``None`` for our own.
        source: the only data set that it fits; empty for every problem whose prompt has begun the program.
    """

    write: Callable[[Problem, Sequence[Shot]], Problem]
    chat: bool
    max_new_tokens: int | None
    source: str = ""


def styled(problem: Problem, style: str, shots: Sequence[Shot] = ()) -> Problem:
    """The problem as that style puts it.

    Args:
        problem: as its loader gave it.
        style: a key of :data:`STYLES`; ``plain`` changes nothing.
        shots: worked examples for MBPP's styles (:func:`rewardranker.problems.mbpp.mbpp_shots`).

    Raises:
        UserError: no such style, or not one for this problem.
    """
    if style not in STYLES:
        raise UserError(f"prompt style {style!r} is not known; it must be one of {', '.join(STYLES)}")
    if style != "plain":
        _check(problem, style, shots)
    return STYLES[style].write(problem, shots)


def default_style(source: str, chat: bool) -> str:
    """The style in which DeepSeek-Coder puts a data set's problems to its base or its chat models."""
    if source == "mbpp":
        return "mbpp_instruct" if chat else "mbpp_3shot"
    if source in ("humaneval", "humaneval_x", "multipl_e"):
        return "instruct" if chat else "base"
    return "plain"


def fitting_shots(
    problem: Problem, shots: Sequence[Shot], count: Callable[[str], int], most: int = MBPP_PROMPT_TOKENS
) -> Problem:
    """Style ``mbpp_3shot`` with as many of the examples, from the first, as leave the prompt below ``most`` tokens.

    A prompt that is too long without any example is kept whole, where the harness cuts off its end.

    Args:
        count: the number of tokens of a text, BOS included.
    """
    tries = [styled(problem, "mbpp_3shot", shots[:kept]) for kept in range(len(shots), -1, -1)]
    return next((asked for asked in tries if count(asked.prompt) < most), tries[-1])


def instructed(problem: Problem, line: str) -> Problem:
    """The problem with one more line at the end of its prompt; empty changes nothing.

    Args:
        line: ``{language}`` in it stands for the problem's language, as people write it.

    Raises:
        UserError: the prompt has begun the program, which a line of prose would go on with.
    """
    if not line:
        return problem
    if continues_prompt(problem):
        raise UserError(
            f"instruction {line!r}: the prompt of {problem.id} ends inside the program that it has begun, so nothing "
            "can be asked after it; use a style for chat models (model.chat=true, or style: instruct)"
        )
    asked = problem.prompt if problem.prompt.endswith("\n") else problem.prompt + "\n"
    return dataclasses.replace(
        problem, prompt=f"{asked}{line.replace('{language}', PROPER_NAMES[problem.language])}\n"
    )


def continues_prompt(problem: Problem) -> bool:
    """Whether a model's text goes on where the prompt ends, inside the program; a chat model answers instead."""
    return bool(problem.prefix) and problem.prompt.endswith(problem.prefix)


def cut(problem: Problem, text: str) -> str:
    """A base model's text up to the first of the problem's stop tokens, as the harness cuts it; a whole program
    without the space around it. Nothing is cut where the style has no stop tokens."""
    if not problem.stop_tokens:
        return text
    kept = until_first(text, problem.stop_tokens)
    return kept if problem.prefix else kept.strip()


def until_first(text: str, stop_tokens: Sequence[str]) -> str:
    """The text up to the first of the stop tokens that occurs in it."""
    places = [place for token in stop_tokens if (place := text.find(token)) >= 0]
    return text[: min(places, default=len(text))]


def harness_stops(problem: Problem) -> tuple[str, ...]:
    """The row's stop tokens with what the harness adds to them, or has in their place (Python)."""
    if problem.language == "python":
        return PYTHON_STOPS
    added = TYPESCRIPT_STOPS if problem.language == "typescript" else ()
    return tuple(dict.fromkeys((*problem.stop_tokens, *added)))


def _base(problem: Problem, shots: Sequence[Shot]) -> Problem:
    code = problem.prefix.strip()
    return dataclasses.replace(problem, prompt=code, prefix=code, stop_tokens=harness_stops(problem))


def _instruct(problem: Problem, shots: Sequence[Shot]) -> Problem:
    prompt = _INSTRUCTION.format(language=problem.language, code=problem.prefix.strip())
    return dataclasses.replace(problem, prompt=prompt, stop_tokens=())


def _mbpp_3shot(problem: Problem, shots: Sequence[Shot]) -> Problem:
    examples = "".join(
        _MBPP_TASK.format(text=shot.text, tests="\n".join(shot.tests)) + _MBPP_ANSWER.format(code=_spaced(shot.code))
        for shot in shots
    )
    prompt = examples + _MBPP_TASK.format(text=mbpp_statement(problem), tests=_tests(problem))
    return dataclasses.replace(problem, prompt=prompt, stop_tokens=MBPP_STOPS)


def _mbpp_instruct(problem: Problem, shots: Sequence[Shot]) -> Problem:
    examples = [
        _MBPP_EXAMPLE.format(
            number=number, text=shot.text.strip(), tests="\n".join(shot.tests), code=_spaced(shot.code)
        )
        for number, shot in enumerate(shots, 1)
    ]
    asked = _MBPP_PROBLEM.format(text=mbpp_statement(problem), tests=_tests(problem))
    prompt = _MBPP_INSTRUCTION.format(examples="\n\n".join(examples), problem=asked)
    return dataclasses.replace(problem, prompt=prompt, stop_tokens=())


STYLES: dict[str, PromptStyle] = {
    "plain": PromptStyle(lambda problem, shots: problem, chat=False, max_new_tokens=None),
    "base": PromptStyle(_base, chat=False, max_new_tokens=500),
    "instruct": PromptStyle(_instruct, chat=True, max_new_tokens=1024),
    "mbpp_3shot": PromptStyle(_mbpp_3shot, chat=False, max_new_tokens=500, source="mbpp"),
    "mbpp_instruct": PromptStyle(_mbpp_instruct, chat=True, max_new_tokens=512, source="mbpp"),
}


def _check(problem: Problem, style: str, shots: Sequence[Shot]) -> None:
    needed = STYLES[style].source
    if needed and problem.source != needed:
        raise UserError(
            f"prompt style {style!r} is for {needed} alone; problem {problem.id} is of {problem.source or 'nothing'}"
        )
    if not needed and not continues_prompt(problem):
        raise UserError(
            f"prompt style {style!r} needs a prompt that has begun the program, as HumanEval's and MultiPL-E's have; "
            f"problem {problem.id} of {problem.source} has none (or has been put in another style already)"
        )
    if shots and not needed:
        raise UserError(f"prompt style {style!r} shows no examples, and {len(shots)} were given")


def _tests(problem: Problem) -> str:
    return "\n".join(test.input for test in problem.tests)


def _spaced(code: str) -> str:
    return code.replace("\r", "").replace("\t", "    ")
