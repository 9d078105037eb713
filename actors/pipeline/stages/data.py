"""Stage A's input: problems, what the generator will imitate, known solutions, and, if asked for, a tiny model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from actors.pipeline.context import Context
from rewardranker.config.schema import Config, DataConfig
from rewardranker.models.tiny import build_tiny_model, tiny_texts
from rewardranker.problems.corpus import read_corpus
from rewardranker.problems.io import read_json_lines, write_json_lines, write_problems
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import RunDirectory, Stage
from rewardranker.runs.seeds import derive_seed
from rewardranker.training.sizes import require_models


def build_data(config: Config, run: RunDirectory) -> Path:
    """Writes ``problems.jsonl``, ``sft.jsonl``, ``references.jsonl``, ``solutions.jsonl`` and perhaps ``model/``.

    Lines of the last three are ``{"problem_id", "code"}``: see :class:`rewardranker.problems.corpus.Corpus`.
    ``card.json`` says what a source left out, where it counts that, and the data's licence and revision.
    """
    require_models(config)

    def work(stage: Stage) -> None:
        corpus = read_corpus(config)
        write_problems(stage.path / "problems.jsonl", corpus.problems)
        programs = {"references": corpus.references, "sft": corpus.imitated, "solutions": corpus.written}
        for name, rows in programs.items():
            lines = [{"problem_id": problem_id, "code": code} for problem_id, code in rows]
            write_json_lines(stage.path / f"{name}.jsonl", lines)
        if not config.model.path:
            seed = derive_seed(config.run.seed, "model")
            build_tiny_model(config.model.tiny, stage.path / "model", tiny_texts(config.data), seed)
        train = sum(problem.split == "train" for problem in corpus.problems)
        stage.metrics |= {"problems": len(corpus.problems), "train": train, "sft_examples": len(corpus.imitated)}
        if corpus.census is not None:
            write_json(stage.path / "card.json", corpus.census.record())
            stage.metrics["left_out"] = corpus.census.left_out.total()
        if lacking := len(corpus.without_reference()):
            stage.metrics["without_reference"] = lacking

    tiny = None if config.model.path else vars(config.model.tiny)
    settings = {"data": asdict(config.data), "seed": config.run.seed, "model": config.model.path, "tiny": tiny}
    return run.stage("data", settings, _data_on_disk(config.data), work)


def _data_on_disk(data: DataConfig) -> dict[str, Path]:
    """Files and folders that the source reads, by setting: where their content changes, the stage runs again."""
    named = {
        f"data.options.{name}": value for name, value in data.options.items() if isinstance(value, str) and value
    }
    if data.source == "mbpp" and data.mbpp.path:
        named["data.mbpp.path"] = data.mbpp.path
    return {name: Path(value) for name, value in named.items() if Path(value).exists()}


def known_solutions(context: Context) -> dict[str, list[str]]:
    """Correct programs that the data came with, by problem id, as this stage left them."""
    references: dict[str, list[str]] = {problem_id: [] for problem_id in context.problems}
    for row in read_json_lines(context.data / "references.jsonl"):
        references[row["problem_id"]].append(row["code"])
    return references
