"""What a config comes to, before anything is started: samples, updates, what is reserved."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from rich.table import Table

from rewardranker.config.schema import Config
from rewardranker.models.adapters import require_adaptable
from rewardranker.models.loading import require_computes, require_policy, require_start
from rewardranker.problems.corpus import hub_name, read_corpus
from rewardranker.problems.types import Split
from rewardranker.training.demand import WHOLE, Uses, describe_demand


def require_generator(config: Config) -> None:
    """Raises :class:`UserError` where ``model.path`` is no whole decoder, or cannot compute as the config wants."""
    path, computes = config.model.path, (config.model.attn_implementation, config.engine.gradient_checkpointing)
    require_policy(path, sampled=samples_by_transformers(config))
    require_start(path, "model.path", config.reward.shape)
    require_computes(path, "model.path", *computes)
    if config.engine.lora.used:
        require_adaptable(path, "model.path", config.engine.lora)


def require_models(config: Config) -> None:
    """Raises :class:`UserError` where a model that the config names cannot serve as what it is named for."""
    if config.model.path:
        require_generator(config)
    if config.reward.backbone:
        require_reward_backbone(config)


def require_reward_backbone(config: Config) -> None:
    """Raises :class:`UserError` where ``reward.backbone`` is none, or cannot compute as the config wants."""
    path, computes = config.reward.backbone, (config.model.attn_implementation, config.engine.gradient_checkpointing)
    require_start(path, "reward.backbone", config.reward.shape)
    require_computes(path, "reward.backbone", *computes)
    if config.engine.lora.rank_of("reward"):
        require_adaptable(path, "reward.backbone", config.engine.lora)


def samples_by_transformers(config: Config) -> bool:
    """Whether the embedded engine samples, as far as the config tells: vLLM is chosen by name, or for GPUs."""
    engine = config.rollout.engine
    return engine == "transformers" or (engine == "auto" and not config.rollout.gpus_per_worker)


def describe(config: Config, uses: Uses = WHOLE) -> Table:
    """Derived sizes for ``--dry-run``, and what the command reserves.

    Raises:
        UserError: as :func:`require_models`, and what the source of data refuses.
    """
    require_models(config)
    ppo, g = config.ppo, config.generation
    samples = ppo.prompts_per_step * ppo.samples_per_prompt
    table = Table(title=f"{config.run.root}/{config.run.name}", show_header=False)
    rows = [
        ("problems", _problems(config)),
        ("PPO samples per step", f"{samples:,}"),
        ("PPO updates per step", f"{ppo.inner_epochs * samples // ppo.minibatch_size}"),
        ("PPO samples per rank and update", f"{ppo.minibatch_size / config.cluster.ranks:g}"),
        ("tokens per micro-batch and device", f"{ppo.microbatch_tokens:,}"),
        ("programs mined per iteration", f"{config.mining.problems * config.mining.n:,}"),
        ("shards of generation", f"{-(-config.mining.problems // g.prompts_per_shard)}"),
        ("iterations, variants", f"{config.cycle.iterations}, {' and '.join(config.cycle.variants)}"),
        ("CPUs", describe_demand(config, uses)),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def _problems(config: Config) -> str:
    """The source is asked as the data stage asks it, so that what it refuses is refused now."""
    if hub := hub_name(config.data):
        return f"{hub}, from the hub: not looked at"
    corpus = read_corpus(config)
    counts = Counter(problem.split for problem in corpus.problems)
    lacking = len(corpus.without_reference())
    told = [f"{split} {counts[split]:,}" for split in get_args(Split)]
    return ", ".join(told + ([f"without a reference {lacking:,}"] if lacking else []))
