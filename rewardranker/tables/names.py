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
_VARIANTS = {
    "hardnegatives": "hard negatives",
    "selftraining": "self-training",
    "randomnegatives": "random negatives",
}


def trained_in(stage: str) -> str:
    """What a stage of the cycle trains, by the name that pools, manifests, ``results.json`` and tables share.

    ``reward-2-hardnegatives``, also with its number before it, trains the ranker ``rewardranker_2_hardnegatives``,
    and ``ppo-1`` the policy ``ppo_1``; ``sft`` is the generator ``sft``.
    """
    name = re.sub(r"^\d++-", "", stage)
    return re.sub("^reward-", "rewardranker-", name).replace("-", "_")


def label(name: str) -> str:
    """A ranker's name for people; that of a policy or of an unknown ranker stands for itself."""
    if name in CATALOGUE:
        return CATALOGUE[name].label
    kind, _, own = name.partition("_")
    if name in _LABELS or not own or kind not in ("rewardranker", "coderanker"):
        return _LABELS.get(name, name)
    iteration, _, variant = own.partition("_")
    if kind == "coderanker" or not iteration.isdecimal():
        return f"{_LABELS[kind]} ({own})"
    return ", ".join(filter(None, (_LABELS[kind], f"{iteration} iter.", _VARIANTS.get(variant, variant))))


def in_order(keys: Iterable[str]) -> list[str]:
    """Score keys as the tables list them: the known ones first, further ones as they come."""
    given = list(keys)
    return [key for key in FIRST_KEYS if key in given] + [key for key in given if key not in FIRST_KEYS]


def per_cent(share: float, sign: str = "") -> str:
    """A share as a number of per cent, one decimal. Halves go up: 0.4145 is 41.5, however it was computed."""
    return f"{100 * share + 1e-9:{sign}.1f}".replace("-", "\N{MINUS SIGN}")
