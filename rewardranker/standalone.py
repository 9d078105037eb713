"""Judging and reranking pools that came from anywhere, in this process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch

from rewardranker.errors import UserError
from rewardranker.execution.judge import Judge, sandbox_description
from rewardranker.generation.candidates import judge_candidates, scored_sequence
from rewardranker.models.batching import TokenSequence, collate, microbatches
from rewardranker.models.loading import load_scorer, load_tokenizer, pad_id, quiet_transformers, require_model
from rewardranker.problems.io import check_problems, read_problems
from rewardranker.problems.pool import check_pool, group_by_problem, read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.console import Console

TOKENS_PER_BATCH = 16384
KEY = "rewardranker"


def judge_pool(problems_file: Path, pool_file: Path, out: Path, workers: int, console: Console) -> None:
    """Adds a verdict to every candidate."""
    problems, pool = _load(problems_file, pool_file)
    console.say(f"sandbox: {sandbox_description()}")
    with Judge(workers) as judge, console.progress("judge", len(pool), "programs") as advance:
        judge_candidates(pool, problems, lambda items: judge.run(items, lambda _: advance()))
    write_pool(out, pool)
    for (language, verdict), count in sorted(Counter((c.language, str(c.verdict)) for c in pool).items()):
        console.say(f"{language:<12} {verdict:<15} {count:>8,}")


def rerank_pool(model: str, problems_file: Path, pool_file: Path, out: Path, chat: bool, console: Console) -> None:
    """Scores every candidate with a reward model and writes each problem's best one first."""
    require_model(model)
    quiet_transformers()
    problems, pool = _load(problems_file, pool_file)
    tokenizer = load_tokenizer(model)
    network = load_scorer(model, "float32", "auto", "cpu", seed=0)
    rows: list[TokenSequence] = [scored_sequence(problems[c.problem_id], c.code, tokenizer, chat) for c in pool]
    with torch.inference_mode(), console.progress("rerank", len(rows), "programs") as advance:
        for group in microbatches([len(row) for row in rows], TOKENS_PER_BATCH):
            scores = network(collate([rows[i] for i in group], pad_id(tokenizer))).tolist()
            for i, score in zip(group, scores, strict=True):
                pool[i].scores[KEY] = score
            advance(len(group))
    ordered: list[Candidate] = []
    for group_of in group_by_problem(pool).values():
        ordered += sorted(group_of, key=lambda c: -c.scores[KEY])
    write_pool(out, ordered)
    console.say(f"{out}: {len(ordered):,} candidates of {len(group_by_problem(pool)):,} problems")


def _load(problems_file: Path, pool_file: Path) -> tuple[dict[str, Problem], list[Candidate]]:
    rows = read_problems(problems_file)
    check_problems(rows)
    problems = {p.id: p for p in rows}
    pool = read_pool(pool_file)
    if not pool:
        raise UserError(f"pool {pool_file} holds no candidates")
    check_pool(pool, problems)
    return problems, pool
