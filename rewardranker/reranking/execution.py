"""Rankers on what programs return when they are run, without an expected value."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rewardranker.judge.observations import has_values, is_value
from rewardranker.problems.types import Candidate, Problem


class ExecFilterRanker:
    """1 for a program that returns a value on every probe, else 0 (the filter in Shi et al. 2022 and in
    Zhang et al. 2023, `Coder Reviewer Reranking`). All that pass are tied, and so are all that do not."""

    name = "exec_filter"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [float(bool(c.returns) and all(map(is_value, c.returns))) for c in candidates]


def votes(candidates: Sequence[Candidate]) -> list[float]:
    """How many candidates act as each one does, itself included; 0 where it showed no behaviour.

    Behaviour is what a program returned on the probes (an error counts by its name), where any candidate was
    probed; else its ``signature``. A program that never returned a value, or never got to run, shows none, so those
    that fail do not form a class.
    """
    probed = any(candidate.returns for candidate in candidates)
    behaviours = [_behaviour(candidate, probed) for candidate in candidates]
    sizes = Counter(behaviours)
    return [float(sizes[behaviour]) if behaviour else 0.0 for behaviour in behaviours]


def _behaviour(candidate: Candidate, probed: bool) -> tuple[str, ...]:
    if not probed:
        return (candidate.signature,) if candidate.signature else ()
    return tuple(candidate.returns) if has_values(candidate.returns) else ()


class MajorityRanker:
    """Prefers the largest class of equal behaviour, as AlphaCode's clustering does without its filter.

    Needs inputs to run programs on at inference time, though not the expected outputs. Equal votes are a tie.
    """

    name = "majority"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return votes(candidates)


class MbrExecRanker:
    """Minimum Bayes risk: prefers the program with the least expected loss against all sampled ones, itself included
    (Shi et al. 2022, `Natural Language to Code Translation with Execution`).

    The score is minus the loss of section 3.2, up to a constant that a problem's candidates share:

    - hard: the number of programs that return the same value on every probe;
    - soft: the sum over programs of the share of probes on which both return the same value.

    A failed run equals no other, not even itself, as in the authors' code: agreement on errors is no agreement. Equal
    scores are a tie (the authors break it by likelihood).
    """

    def __init__(self, soft: bool = False) -> None:
        self.name = "mbr_exec_soft" if soft else "mbr_exec"
        self._soft = soft

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        returns = [candidate.returns for candidate in candidates]
        return soft_agreement(returns) if self._soft else hard_agreement(returns)


def hard_agreement(returns: Sequence[Sequence[str]]) -> list[float]:
    """How many programs' returns, ``[programs][probes]``, equal each one's on all probes; 0 where one failed."""
    whole = [tuple(one) if one and all(map(is_value, one)) else None for one in returns]
    sizes = Counter(whole)
    return [float(sizes[one]) if one is not None else 0.0 for one in whole]


def soft_agreement(returns: Sequence[Sequence[str]]) -> list[float]:
    """For each program the sum, over all programs, of the share of probes on which both returned the same value."""
    seen = Counter((place, word) for one in returns for place, word in enumerate(one) if is_value(word))
    return [
        sum(seen[place, word] for place, word in enumerate(one) if is_value(word)) / len(one) if one else 0.0
        for one in returns
    ]


class AlphaCodeRanker:
    """The order in which AlphaCode would submit (Li et al. 2022, `Competition-Level Code Generation with AlphaCode`,
    sections 4.5 and 4.6).

    Filter: programs that fail an example of the prompt are never submitted (``-inf``); where no example was run, all
    stay. Cluster: survivors that return the same on every probe, errors included, are alike. One program of each
    cluster is submitted, from the largest cluster to the smallest, then a second of each, and so on; within a cluster
    the order is the pool's, which stands for the paper's random choice. Clusters of equal size are tied.
    """

    name = "alphacode"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """``size - round * (N + 1)``: rounds before sizes, since no cluster is larger than ``N``."""
        survivors = [candidate.passed_examples is not False for candidate in candidates]
        clusters = [tuple(candidate.returns) for candidate in candidates]
        sizes = Counter(cluster for cluster, stays in zip(clusters, survivors, strict=True) if stays)
        taken: Counter[tuple[str, ...]] = Counter()
        scores = []
        for cluster, stays in zip(clusters, survivors, strict=True):
            if not stays:
                scores.append(-math.inf)
                continue
            scores.append(float(sizes[cluster] - taken[cluster] * (len(candidates) + 1)))
            taken[cluster] += 1
        return scores
