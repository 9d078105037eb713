"""AlphaCode's filtering and clustering (Li et al. 2022, `Competition-Level Code Generation with AlphaCode`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


class AlphaCodeRanker:
    """The order in which AlphaCode would submit (section 4.5 and 4.6 of the paper).

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
