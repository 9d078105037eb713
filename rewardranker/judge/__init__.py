"""Runs programs against tests, in eight languages, in a sandbox. Of the project it knows ``problems`` alone."""

from __future__ import annotations

from rewardranker.judge.judge import (
    HARNESS_VERSION,
    REMOTE_TIER,
    Judge,
    JudgeFunction,
    VerdictCache,
    judge_fingerprint,
    sandbox_description,
    toolchain_of,
)

__all__ = [
    "HARNESS_VERSION",
    "REMOTE_TIER",
    "Judge",
    "JudgeFunction",
    "VerdictCache",
    "judge_fingerprint",
    "sandbox_description",
    "toolchain_of",
]
