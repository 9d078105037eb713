"""Verdicts for a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardranker.judge.judge import JudgeFunction
from rewardranker.problems.types import Candidate, Problem


def judge_candidates(candidates: Sequence[Candidate], problems: Mapping[str, Problem], run: JudgeFunction) -> None:
    """Fills in verdicts; every distinct program of a problem is run once."""
    items = list(dict.fromkeys((c.problem_id, c.code) for c in candidates))
    judgements = run([(problems[problem_id], code) for problem_id, code in items])
    known = dict(zip(items, judgements, strict=True))
    for c in candidates:
        judgement = known[c.problem_id, c.code]
        c.verdict = judgement.verdict
        c.tests_passed, c.tests_total = judgement.tests_passed, judgement.tests_total
        c.message, c.signature = judgement.message, judgement.signature
