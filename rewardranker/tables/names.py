"""How rankers and numbers are called in tables, charts and reports."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rewardranker.reranking.catalogue import CATALOGUE

FIRST_KEYS = ("rewardranker_1", "rewardranker_control", "rewardranker_2_hardnegatives", "rewardranker_2_selftraining")
_LABELS = {
    "greedy": "Greedy (one sample)",
    "reviewer_sum": "Coder-Reviewer",
    "coderanker": "CodeRanker",
    "lever_argmax": "LEVER, argmax",
    "lever_summing": "LEVER, summing",
    "lever_voting": "LEVER, voting",
    "rewardranker": "RewardRanker",
    "gold": "Reference solutions",
    "cheat": "Constant-returning cheat",
    "rewardranker_1": "RewardRanker (1 iter.)",
    "rewardranker_control": "RewardRanker, control (no new data)",
}
_VARIANTS = {"hardnegatives": "hard negatives", "selftraining": "self-training"}


def label(ranker: str) -> str:
    """A ranker's name for people; an unknown key stands for itself."""
    later = re.fullmatch(r"rewardranker_(\d++)(?:_(.++))?", ranker)
    if ranker in CATALOGUE:
        return CATALOGUE[ranker].label
    if ranker in _LABELS or later is None:
        return _LABELS.get(ranker, ranker)
    variant = later[2] or ""
    return ", ".join(filter(None, ("RewardRanker", f"{later[1]} iter.", _VARIANTS.get(variant, variant))))


def in_order(keys: Iterable[str]) -> list[str]:
    """Score keys as the tables list them: the known ones first, further ones as they come."""
    given = list(keys)
    return [key for key in FIRST_KEYS if key in given] + [key for key in given if key not in FIRST_KEYS]


def per_cent(share: float, sign: str = "") -> str:
    """A share as a number of per cent, one decimal. Halves go up: 0.4145 is 41.5, however it was computed."""
    return f"{100 * share + 1e-9:{sign}.1f}".replace("-", "\N{MINUS SIGN}")
