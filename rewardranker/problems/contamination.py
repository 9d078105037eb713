"""Whether training problems are benchmark problems in another guise: three checks on what they ask and on solutions.

A reward model that has seen a benchmark's problems is not measured by it. Runs of words find copied passages (GPT-3's
check was 13 words, Brown et al. 2020, appendix C; here 10, as statements are short), MinHash finds statements that
are alike as a whole, and the edit distance finds small changes of wording and of programs (Riddell, Ni & Cohan 2024,
section 3.1, who also compare programs at the surface by Levenshtein similarity).
"""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from rewardranker.problems.near_duplicates import THRESHOLD, near_pairs, shingles
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.statements import statement, words
from rewardranker.problems.types import Problem

Check = Literal["shared words", "minhash", "statement edits", "solution edits"]

RUN_WORDS = 10
EDIT_RATIO = 0.7

_BLOCK = 512  # training texts compared at a time, so that memory does not grow with the data


@dataclass(frozen=True)
class Overlap:
    """A training problem and a benchmark problem that a check finds too much alike.

    ``value`` is the number of distinct runs of words that they share (``shared words``), the Jaccard similarity of
    their runs of five words (``minhash``), or one minus the edit distance over the longer length.
    """

    training_id: str
    benchmark_id: str
    check: Check
    value: float


@dataclass(frozen=True)
class ContaminationReport:
    """What the checks found, and on how much.

    Attributes:
        rows: by training problem, benchmark problem and check.
        training, benchmark: numbers of problems compared.
        solutions: pairs of problems whose solutions could be compared.
        run_words, threshold, edit_ratio: limits of the three checks.
    """

    rows: tuple[Overlap, ...]
    training: int
    benchmark: int
    solutions: int
    run_words: int
    threshold: float
    edit_ratio: float

    def training_ids(self, *checks: Check) -> frozenset[str]:
        """The training problems that one of the checks names (none given: any check)."""
        return frozenset(row.training_id for row in self.rows if not checks or row.check in checks)

    def limits(self) -> dict[Check, str]:
        """What each check asks for, in words."""
        return {
            "shared words": f"a run of {self.run_words} words",
            "minhash": f"Jaccard similarity of runs of 5 words >= {self.threshold:g}",
            "statement edits": f"edit ratio of the statements > {self.edit_ratio:g}",
            "solution edits": f"edit ratio of the solutions > {self.edit_ratio:g} ({self.solutions:,} pairs)",
        }

    def counts(self) -> list[tuple[str, str, str, str]]:
        """By check: its name, its limit, the pairs and the training problems that it names."""
        return [
            (check, limit, f"{sum(row.check == check for row in self.rows):,}", f"{len(self.training_ids(check)):,}")
            for check, limit in self.limits().items()
        ]

    def summary(self) -> str:
        """One sentence."""
        return (
            f"{self.training:,} training problems against {self.benchmark:,} benchmark problems: "
            f"{len(self.training_ids()):,} training problems are named by at least one check."
        )

    def markdown(self, title: str = "Contamination") -> str:
        """The report as a Markdown page, every pair included."""
        lines = [f"# {title}", "", self.summary(), ""]
        lines += ["| check | limit | pairs | training problems |", "|---|---|---:|---:|"]
        lines += [f"| {' | '.join(row)} |" for row in self.counts()]
        if self.rows:
            lines += ["", "| training | benchmark | check | value |", "|---|---|---|---:|"]
            lines += [f"| {r.training_id} | {r.benchmark_id} | {r.check} | {r.value:.4g} |" for r in self.rows]
        return "\n".join(lines) + "\n"


def find_contamination(
    training: Sequence[Problem],
    benchmark: Sequence[Problem],
    training_solutions: Mapping[str, str] | None = None,
    benchmark_solutions: Mapping[str, str] | None = None,
    run_words: int = RUN_WORDS,
    threshold: float = THRESHOLD,
    edit_ratio: float = EDIT_RATIO,
) -> ContaminationReport:
    """Compares every training problem with every benchmark problem.

    Statements are compared by their words in lower case; solutions within a language, in normal form, Python's
    without comments and docstrings. The edit ratio of short statements says little ("Write a function to find the
    ..." is most of MBPP's): read its pairs before dropping any. The edit distances are quadratic in the numbers of
    problems.

    Args:
        training_solutions, benchmark_solutions: one known program by problem id, where there is one.
    """
    left, right = [_words(p) for p in training], [_words(p) for p in benchmark]
    found: dict[Check, Iterator[tuple[int, int, float]]] = {
        "shared words": _shared_runs(left, right, run_words),
        "minhash": iter(near_pairs(left, right, threshold)),
        "statement edits": _alike(left, right, edit_ratio),
    }
    rows = [
        Overlap(training[i].id, benchmark[j].id, check, value)
        for check, pairs in found.items()
        for i, j, value in pairs
    ]
    compared = 0
    for ours, theirs in _by_language(training, training_solutions, benchmark, benchmark_solutions):
        compared += len(ours) * len(theirs)
        pairs = _alike([code for _, code in ours], [code for _, code in theirs], edit_ratio)
        rows += [Overlap(ours[i][0], theirs[j][0], "solution edits", value) for i, j, value in pairs]
    rows.sort(key=lambda row: (row.training_id, row.benchmark_id, row.check))
    return ContaminationReport(tuple(rows), len(training), len(benchmark), compared, run_words, threshold, edit_ratio)


def _words(problem: Problem) -> str:
    return " ".join(words(statement(problem)))


def _shared_runs(left: Sequence[str], right: Sequence[str], n: int) -> Iterator[tuple[int, int, float]]:
    """Pairs that share at least one run of ``n`` words, with how many; texts of fewer words have none."""
    places: dict[int, list[int]] = defaultdict(list)
    for j, text in enumerate(right):
        for run in _runs(text, n):
            places[int(run)].append(j)
    for i, text in enumerate(left):
        counts: dict[int, int] = defaultdict(int)
        for run in _runs(text, n):
            for j in places.get(int(run), ()):
                counts[j] += 1
        yield from ((i, j, float(count)) for j, count in sorted(counts.items()))


def _runs(text: str, n: int) -> np.ndarray:
    found = shingles(text, n)
    return found if len(text.split()) >= n else found[:0]


def _alike(left: Sequence[str], right: Sequence[str], ratio: float) -> Iterator[tuple[int, int, float]]:
    """Pairs with ``1 - distance / longer length`` above ``ratio``; empty texts are like nothing."""
    for start in range(0, len(left), _BLOCK):
        block = left[start : start + _BLOCK]
        similarity = cdist(
            block, right, scorer=Levenshtein.normalized_similarity, score_cutoff=ratio, dtype=np.float64
        )
        for i, j in np.argwhere(similarity > ratio).tolist():
            if block[i] and right[j]:
                yield start + i, j, float(similarity[i, j])


def _by_language(
    training: Sequence[Problem],
    training_solutions: Mapping[str, str] | None,
    benchmark: Sequence[Problem],
    benchmark_solutions: Mapping[str, str] | None,
) -> Iterator[tuple[list[tuple[str, str]], list[tuple[str, str]]]]:
    """Ids and programs of both sides, for each language that both have."""
    ours, theirs = _programs(training, training_solutions or {}), _programs(benchmark, benchmark_solutions or {})
    return ((ours[language], theirs[language]) for language in ours if language in theirs)


def _programs(problems: Sequence[Problem], solutions: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for problem in problems:
        if problem.id in solutions:
            found[problem.language].append((problem.id, _comparable(problem.language, solutions[problem.id])))
    return found


def _comparable(language: str, code: str) -> str:
    code = normalise(code)
    if language != "python":
        return code
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # "\\d" in somebody's program is not our business
            tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
