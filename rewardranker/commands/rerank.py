"""Reranking pools that came from anywhere, in this process."""

from __future__ import annotations

from pathlib import Path

import torch

from rewardranker.commands.judge_files import load_pool
from rewardranker.generation.candidates import scored_sequence
from rewardranker.models.batching import TokenSequence, collate, microbatches
from rewardranker.models.loading import load_scorer, load_tokenizer, pad_id, quiet_transformers, require_model
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.runs.console import Console

TOKENS_PER_BATCH = 16384
KEY = "rewardranker"


def rerank_pool(model: str, problems_file: Path, pool_file: Path, out: Path, chat: bool, console: Console) -> None:
    """Scores every candidate with a reward model and writes each problem's best one first."""
    require_model(model)
    quiet_transformers()
    problems, pool = load_pool(problems_file, pool_file)
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
