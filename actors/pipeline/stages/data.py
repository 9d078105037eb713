"""Stage A's input: problems, what the generator will imitate, known solutions, and, if asked for, a tiny model."""

from __future__ import annotations

from pathlib import Path

from actors.pipeline.context import Context
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.candidates import derive_seed
from rewardranker.models.loading import require_policy, require_start
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.benchmarks import load_mbpp, mbpp_solutions
from rewardranker.problems.family import Authors, build_family, family_corpus_texts
from rewardranker.problems.io import check_problems, read_json_lines, write_json_lines, write_problems
from rewardranker.problems.types import Problem
from rewardranker.runs.directory import RunDirectory, Stage
from rewardranker.training.sizes import samples_by_transformers


def build_data(config: Config, run: RunDirectory) -> Path:
    """Writes ``problems.jsonl``, ``sft.jsonl``, ``references.jsonl``, ``solutions.jsonl`` and perhaps ``model/``.

    Lines of the last three are ``{"problem_id", "code"}``: what to imitate (not verified), a known correct
    program for every problem (of held-out ones, to guard the judge with), and what people wrote (not verified) for
    the first triplets.
    """
    if config.model.path:
        require_policy(config.model.path, sampled=samples_by_transformers(config))
        require_start(config.model.path, "model.path")

    def work(stage: Stage) -> None:
        problems = _problems(config)
        train = [p for p in problems if p.split == "train"]
        if len(train) < config.ppo.prompts_per_step:
            raise UserError(
                f"ppo.prompts_per_step={config.ppo.prompts_per_step}, but there are only {len(train)} training "
                "problems: lower it, or widen the data"
            )
        for split in ("validation", "test"):
            if not any(p.split == split for p in problems):
                raise UserError(f"data has no {split} problems: rerankers are compared on them; widen the data")
        references, imitated, written = _solutions(config, problems, train)
        write_problems(stage.path / "problems.jsonl", problems)
        for name, rows in (("references", references), ("sft", imitated), ("solutions", written)):
            lines = [{"problem_id": problem_id, "code": code} for problem_id, code in rows]
            write_json_lines(stage.path / f"{name}.jsonl", lines)
        if not config.model.path:
            seed = derive_seed(config.run.seed, "model")
            build_tiny_model(config.model.tiny, stage.path / "model", family_corpus_texts(), seed)
        stage.metrics |= {"problems": len(problems), "train": len(train), "sft_examples": len(imitated)}

    tiny = None if config.model.path else vars(config.model.tiny)
    settings = {"data": _plain(config), "seed": config.run.seed, "model": config.model.path, "tiny": tiny}
    return run.stage("data", settings, {}, work)


def _plain(config: Config) -> dict[str, object]:
    data = dict(vars(config.data))
    return data | {"family": vars(config.data.family), "mbpp": vars(config.data.mbpp)}


def _problems(config: Config) -> list[Problem]:
    data = config.data
    problems = build_family(data.family) if data.source == "family" else load_mbpp(data.mbpp)
    check_problems(problems)
    return problems


Rows = list[tuple[str, str]]


def _solutions(config: Config, problems: list[Problem], train: list[Problem]) -> tuple[Rows, Rows, Rows]:
    data = config.data
    if data.source == "mbpp":
        known = mbpp_solutions(data.mbpp)
        own = [(p.id, known[p.id]) for p in train]
        return [(p.id, known[p.id]) for p in problems], own[: data.sft_problems], own
    authors, seed = Authors(data.family), config.run.seed
    references = [(p.id, authors.reference(p)) for p in problems]
    imitated = [
        (p.id, code)
        for p in train[: data.sft_problems]
        for code in authors.solutions(p, data.sft_solutions, derive_seed(seed, "sft"))
    ]
    written = [
        (p.id, code)
        for p in train[: data.triplet_problems]
        for code in authors.solutions(p, data.triplet_solutions, derive_seed(seed, "solutions"))
    ]
    return references, imitated, written


def known_solutions(context: Context) -> dict[str, list[str]]:
    """Correct programs that the data came with, by problem id, as this stage left them."""
    references: dict[str, list[str]] = {problem_id: [] for problem_id in context.problems}
    for row in read_json_lines(context.data / "references.jsonl"):
        references[row["problem_id"]].append(row["code"])
    return references
