"""A few of the programs that people submitted for a problem: which ones depends on no order of files or rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.dialects import NO_LANGUAGE
from rewardranker.problems.contests.task import Program
from rewardranker.problems.normal_form import normalise
from rewardranker.runs.seeds import derive_seed


class Selection:
    """Of each problem the right and the wrong programs with the smallest hashes, each text once (a bottom-k sample,
    Cohen & Kaplan 2007). It holds no more than it keeps, whatever it is offered."""

    def __init__(self, languages: Iterable[str], right: int, wrong: int, seed: int, census: Census) -> None:
        """
        Args:
            right, wrong: most programs of a problem that are kept.
            census: is told what is left out for good: programs in other languages, and those without a line.
        """
        self._languages, self._seed, self._census = frozenset(languages), seed, census
        self._most = {True: max(1, right), False: wrong}  # one is the reference
        # By problem and label a heap of (-hash, code), the largest hash first, and the codes in it.
        self._kept: dict[tuple[str, bool], list[tuple[int, str]]] = {}

    def offer(self, task: str, program: Program) -> None:
        """Considers a program; ``task`` is the id of what it was submitted for."""
        if program.language not in self._languages:
            named = program.named if program.language == NO_LANGUAGE else program.language
            self._census.leave_out(f"programs in {named}", task)
            return
        code = normalise(program.code)
        if not code:
            self._census.leave_out("programs without a line", task)
            return
        name = f"{task}/{program.language}"
        heap = self._kept.setdefault((name, program.right), [])
        entry = (-derive_seed(self._seed, name, code), code)
        if entry in heap:
            self._census.leave_out("programs that repeat a kept one", task)
            return
        heapq.heappush(heap, entry)
        if len(heap) > self._most[program.right]:
            heapq.heappop(heap)

    def of(self, problem: str) -> tuple[list[str], list[str]]:
        """The right and the wrong programs of a problem, by hash; a text that has both labels is in neither."""
        right, wrong = (self._kept.get((problem, label), []) for label in (True, False))
        both = {code for _, code in right} & {code for _, code in wrong}
        if both:
            self._census.leave_out("programs with both labels", problem, len(both))
        return tuple([code for _, code in sorted(heap, reverse=True) if code not in both] for heap in (right, wrong))  # type: ignore[return-value]
