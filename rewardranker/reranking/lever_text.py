"""What LEVER's verifier reads: description, program, execution result, in this order.

The result comes last, where the network is read, and is what tells a verifier from a classifier. The authors cut the
text from the right, so that a long program pushes the result out; here the program is what gives way.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from rewardranker.judge.observations import is_value
from rewardranker.models.batching import TokenSequence
from rewardranker.models.encoding import encode_pair, encode_prompt, encode_response
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import completion_of

#: Longest value shown, in characters: one huge list shall not take the room of everything else.
VALUE_CHARS = 200


@dataclass(frozen=True)
class VerifierText:
    """The three blocks; joined they are the text, as the authors' MBPP verifier reads it (return values only)."""

    description: str
    program: str
    execution: str


def verifier_text(problem: Problem, candidate: Candidate, inputs: int | None = None) -> VerifierText:
    """One ``# return: (type)=value`` per probe input, or why it returned none; one ``ERROR`` where none was run.

    Args:
        inputs: how many of the probe inputs to show, the first ones; all by default. The authors have 3.
    """
    lines = [f"# return: {_shown(value)}\n\n" for value in candidate.returns[:inputs]] or ["ERROR: not run\n\n"]
    return VerifierText(
        f"# description\n{problem.prompt.rstrip()}\n\n# program\n",
        _program(problem, candidate.code),
        "\n\n# execution\n" + "".join(lines),
    )


def verifier_sequence(
    tokenizer: PreTrainedTokenizerBase,
    problem: Problem,
    candidate: Candidate,
    max_tokens: int,
    inputs: int | None = None,
) -> TokenSequence:
    """:func:`verifier_text` in at most ``max_tokens`` tokens: description as prompt, the rest as response.

    Where it fits, it is one text, as every scored pair is. Else it is three: what does not fit is cut off the end of
    the program; where even no program leaves too much, off the end of the description, and of the execution block
    only where it fills the room alone.
    """
    text = verifier_text(problem, candidate, inputs)
    whole = encode_pair(tokenizer, text.description, text.program + text.execution, chat=False)
    if len(whole) <= max_tokens:
        return whole
    # One token of the description stays, for a prompt cannot be empty, and so does the EOS.
    execution = _cut(encode_response(tokenizer, text.execution)[:-1], max_tokens - 2)
    execution = (*execution, tokenizer.eos_token_id)
    description = _cut(encode_prompt(tokenizer, text.description, chat=False), max_tokens - len(execution))
    program = tokenizer.encode(text.program, add_special_tokens=False)
    kept = _cut(tuple(program), max_tokens - len(execution) - len(description))
    return TokenSequence(description, (*kept, *execution))


def _program(problem: Problem, code: str) -> str:
    """What the model wrote: where the prompt begins the program, the description has shown that part already."""
    completion = completion_of(problem, code).rstrip() if problem.prefix else "```"
    return code.rstrip() if completion.startswith("```") else completion.lstrip("\n")


def _cut(ids: tuple[int, ...], room: int) -> tuple[int, ...]:
    return ids[: max(0, room)]


def _shown(value: str) -> str:
    kind, _, literal = value.partition(" ")
    if not is_value(value):
        return f"ERROR: {literal or kind}"
    return f"({kind})={literal if len(literal) <= VALUE_CHARS else literal[:VALUE_CHARS] + '...'}"
