"""Runs programs against tests, in eight languages, in a sandbox. Of the project it knows ``problems`` alone."""

from __future__ import annotations

from rewardranker.judge.judge import (
    HARNESS_VERSION,
    REMOTE_TIER,
    Judge,
    JudgeFunction,
    VerdictCache,
    judge_fingerprint,
    missing_tools,
    sandbox_description,
    toolchain_of,
)
from rewardranker.judge.pools import judge_candidates

__all__ = [
    "HARNESS_VERSION",
    "REMOTE_TIER",
    "Judge",
    "JudgeFunction",
    "VerdictCache",
    "judge_candidates",
    "judge_fingerprint",
    "missing_tools",
    "sandbox_description",
    "toolchain_of",
]
