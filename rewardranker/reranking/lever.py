"""LEVER: a verifier that reads execution results, and votes of programs with equal results (Ni et al. 2023)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from rewardranker.judge.observations import is_value
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.logprob import mean_logprob, sum_logprob
from rewardranker.reranking.networks import log_probability
from rewardranker.reranking.numbers import Numbers

Selector = Literal["argmax", "summing", "voting"]
Generator = Literal["sum", "mean", "frequency"]

#: Below it a program has no vote (the authors' ``exec_result_agg_threshold`` of ``voting``).
VOTE_FROM = math.log(0.5)

Logs = dict[str, float]  # by program


class LeverRanker:
    """Verifier and generator together, over the distinct programs of a problem (Ni et al. 2023, section 3).

    With ``final = log P_verifier + log P_generator``, both in nats:

    - ``argmax``: the highest ``final``.
    - ``summing``: the group of equal execution results with the highest ``logsumexp(final)``.
    - ``voting``: the group with the highest ``logsumexp(log P_generator)`` over those of its programs that the
      verifier gives 1/2 or more.

    A group is represented by its first program; the others of the group get ``-inf``.

    Args:
        verifier: logits of *correct*; the network reads :mod:`rewardranker.reranking.lever_text`.
        generator: where ``log P_generator`` comes from: ``sum`` or ``mean`` of a program's log-probabilities, or its
            ``frequency``, the share of the samples that are this program, for pools without log-probabilities.
    """

    def __init__(self, verifier: Numbers, selector: Selector = "summing", generator: Generator = "frequency") -> None:
        self.name = f"lever_{selector}"
        self._verifier, self._selector, self._generator = verifier, selector, generator

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """Depends on all of ``candidates``: groups and frequencies are those of the sample."""
        logits = self._verifier(problem, candidates)
        verified: Logs = {}
        first: dict[str, Candidate] = {}
        for candidate, logit in zip(candidates, logits, strict=True):
            verified.setdefault(candidate.code, log_probability(logit))
            first.setdefault(candidate.code, candidate)
        generated = generator_logprobs(candidates, self._generator)
        scores = SELECTORS[self._selector](list(first.values()), verified, generated)
        return [scores[candidate.code] for candidate in candidates]


def generator_logprobs(candidates: Sequence[Candidate], how: Generator) -> dict[str, float]:
    """``log P_generator`` by program, in nats; of a program sampled several times, its first sample's."""
    found: dict[str, float] = {}
    if how == "frequency":
        for candidate in candidates:
            found[candidate.code] = found.get(candidate.code, 0.0) + 1.0
        return {code: math.log(count / len(candidates)) for code, count in found.items()}
    reduce = {"sum": sum_logprob, "mean": mean_logprob}[how]
    for candidate in candidates:
        found.setdefault(candidate.code, reduce(candidate))
    return found


def execution_groups(programs: Sequence[Candidate]) -> list[list[Candidate]]:
    """Distinct programs by what they returned, in order of first appearance.

    Equal means the same type and value on every input. A program that returned no value on one (it raised an error,
    ran out of time, ...), or was not run, stands alone.
    """
    groups: dict[tuple[str, ...], list[Candidate]] = {}
    for program in programs:
        ran = program.returns and all(map(is_value, program.returns))
        key = ("returned", *program.returns) if ran else ("alone", program.code)
        groups.setdefault(key, []).append(program)
    return list(groups.values())


def logsumexp(values: Sequence[float]) -> float:
    """``log(sum(exp(values)))``; ``-inf`` where all are, or there are none."""
    top = max(values, default=-math.inf)
    if top == -math.inf:
        return top
    return top + math.log(math.fsum(math.exp(value - top) for value in values))


def _argmax(programs: Sequence[Candidate], verified: Logs, generated: Logs) -> Logs:
    return {p.code: verified[p.code] + generated[p.code] for p in programs}


def _summing(programs: Sequence[Candidate], verified: Logs, generated: Logs) -> Logs:
    return _by_group(programs, _argmax(programs, verified, generated))


def _voting(programs: Sequence[Candidate], verified: Logs, generated: Logs) -> Logs:
    ballots = {p.code: generated[p.code] if verified[p.code] >= VOTE_FROM else -math.inf for p in programs}
    return _by_group(programs, ballots)


def _by_group(programs: Sequence[Candidate], logs: Logs) -> Logs:
    scores = dict.fromkeys(logs, -math.inf)
    for group in execution_groups(programs):
        scores[group[0].code] = logsumexp([logs[program.code] for program in group])
    return scores


SELECTORS: dict[Selector, Callable[[Sequence[Candidate], Logs, Logs], Logs]] = {
    "argmax": _argmax,
    "summing": _summing,
    "voting": _voting,
}
