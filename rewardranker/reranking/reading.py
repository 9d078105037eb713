"""What each kind of trained reranker reads of a candidate; the same when it is trained and when it ranks."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from rewardranker.generation.candidates import scored_sequence
from rewardranker.reranking.lever_text import verifier_sequence
from rewardranker.reranking.numbers import Read


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
