"""What each kind of trained reranker reads of a candidate; the same when it is trained and when it ranks."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from rewardranker.generation.candidates import scored_sequence
from rewardranker.models.encoding import scored_text
from rewardranker.models.limits import Limits
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import completion_of
from rewardranker.reranking.lever_text import verifier_sequence, verifier_text
from rewardranker.reranking.numbers import Read
from rewardranker.reranking.record import Reading

#: Of a verifier's text, where nothing says.
VERIFIER_TOKENS = 1024


def reader(
    kind: str, tokenizer: PreTrainedTokenizerBase, chat: bool, max_tokens: int, inputs: int | None = None
) -> Read:
    """Description, program and execution result for LEVER's verifiers; problem and program for all others.

    Args:
        kind: a verifier's begins with ``lever``.
        chat: the problem is what a user says; not LEVER's, which has a form of its own.
        max_tokens: of a verifier's text.
        inputs: whose results a verifier is shown, the first ones; all by default.
    """
    if kind.startswith("lever"):
        return lambda problem, candidate: verifier_sequence(tokenizer, problem, candidate, max_tokens, inputs)
    return lambda problem, candidate: scored_sequence(problem, candidate.code, tokenizer, chat)


def reader_of(how: Reading, tokenizer: PreTrainedTokenizerBase, limits: Limits) -> Read:
    """What a ranker reads that was trained so; a verifier's text is cut to its network's positions too."""
    longest = how.max_tokens or VERIFIER_TOKENS
    return reader(how.kind, tokenizer, how.chat, min(longest, limits.positions or longest))


def rendered(problem: Problem, candidate: Candidate, how: Reading, tokenizer: PreTrainedTokenizerBase) -> str:
    """The text of which :func:`reader_of` makes tokens; a verifier's before it is cut."""
    if how.kind == "lever":
        text = verifier_text(problem, candidate)
        return text.description + text.program + text.execution
    return scored_text(tokenizer, problem.prompt, completion_of(problem, candidate.code), how.chat)
