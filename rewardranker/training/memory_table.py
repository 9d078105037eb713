"""The memory plan as a table, and held against the memory that there is."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from transformers import PreTrainedConfig

from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.models.loading import config_if_reached
from rewardranker.models.tiny import build_tokenizer, tiny_architecture, tiny_texts
from rewardranker.training.demand import Uses, starts_ray
from rewardranker.training.footprint import device_memory
from rewardranker.training.memory import PROCESS, Holding, MemoryPlan, plan_memory

_GROUP = Path("/sys/fs/cgroup")


def architecture_of(config: Config) -> PreTrainedConfig | None:
    """The generator's; ``None`` for one on the hub, where that is not reached."""
    if config.model.path:
        return config_if_reached(config.model.path, "model.path")
    tiny = config.model.tiny
    return tiny_architecture(tiny, build_tokenizer(tiny_texts(config.data), tiny.max_positions))


def ranking_of(config: Config) -> PreTrainedConfig | None:
    """The architecture of ``reward.backbone``; ``None`` where there is none, or the hub is not reached."""
    return config_if_reached(config.reward.backbone, "reward.backbone") if config.reward.backbone else None


def describe_memory(config: Config, uses: Uses) -> RenderableType:
    """For ``--dry-run``: memory a device by stage, role and part, and what there is."""
    architecture = architecture_of(config)
    ranking = ranking_of(config) if architecture is not None else None
    if architecture is None or (config.reward.backbone and ranking is None):
        model = config.model.path if architecture is None else config.reward.backbone
        return Text(
            f"memory: not known. {model} is not on this machine, and the hub was not reached; with a directory that "
            "holds the model the plan is made"
        )
    plan = plan_memory(config, uses, architecture, ranking=ranking)
    return Group(_table(plan), *map(Text, _totals(plan)))


def require_memory(config: Config, uses: Uses) -> None:
    """Compares what networks hold for certain with the memory of this machine; of another nothing is known.

    Raises:
        UserError: weights, gradients and moments alone do not fit, with what would help.
    """
    if (architecture := architecture_of(config)) is None or not starts_ray(config.cluster):
        return
    plan = plan_memory(config, uses, architecture, rehearsing=False, ranking=ranking_of(config))
    told = "; ".join(f"{what}: {gib(size)} each of {count}" for what, count, size in plan.workers())
    if config.cluster.gpus_per_rank:
        have, wanted = device_memory(), max((size for _, _, size in plan.workers()), default=0.0)
        where = "a GPU here has"
    else:
        have, wanted = machine_memory(), sum(count * size for _, count, size in plan.workers())
        where = "this machine has"
    if have is not None and wanted > have:
        raise UserError(
            f"weights, gradients and moments alone take {gib(wanted)} ({told}), and {where} {gib(have)}: share them "
            "over ranks (engine.kind=fsdp2), give roles workers of their own (cluster.placement=disaggregated), "
            "set model.dtype=bfloat16 for those that do not train, or take a smaller model"
        )


def _table(plan: MemoryPlan) -> Table:
    table = Table(title="memory a device")
    table.add_column("stage")
    table.add_column("role")
    for name in ("weights", "gradients", "moments", "transport", "activations", "or checkpointed", "logits, scratch"):
        table.add_column(name, justify="right")
    for holding in plan.holdings:
        table.add_row(holding.task.stage, holding.task.role, *_cells(holding))
    if plan.engine:
        engine = plan.engine
        cells = (gib(engine.weights), "", "", gib(engine.buckets), f"{gib(engine.cache)} keys, values", "", "")
        table.add_row("ppo, generate", "engine", *cells)
    return table


def _cells(holding: Holding) -> list[str]:
    held = holding.held
    told = [held.weights, held.gradients, held.moments, held.transport]
    if holding.work is None:
        return [*map(gib, told), "not known", "not known", "not known"]
    whole, recomputed = holding.work
    chosen = holding.work[holding.chosen]
    scratch = max(chosen.peak - chosen.kept, holding.scratch - chosen.kept)
    kept = [gib(whole.kept), gib(recomputed.kept)] if holding.task.trained else ["", ""]
    return [*map(gib, told), *kept, gib(scratch)]


def _totals(plan: MemoryPlan) -> list[str]:
    """One line for each kind of process, and one that compares."""
    config = plan.config
    lines, resident = [], 0.0
    for what, count, size in plan.workers():
        lines.append(f"{what}: {gib(size)} each of {count}")
        resident += count * (size + PROCESS)
    if sharing := [holding for holding in plan.holdings if holding.shared]:
        roles = " and ".join(holding.task.role for holding in sharing)
        most = gib(max(holding.shared for holding in sharing))
        lines.append(f"in ppo, {most} of frozen weights are held once a worker, and not again for {roles}")
    if plan.in_turns:
        told = ", ".join(f"{what} {gib(size)}" for what, size in plan.turns())
        lines.append(
            f"in turns (cluster.share_devices): {told}; in the host's memory meanwhile {gib(plan.away)} a GPU"
        )
    if any(holding.held.host for holding in plan.holdings):
        lines.append(f"in the hosts' memory besides: {gib(sum(h.held.host for h in plan.holdings))} a rank")
    if config.cluster.gpus_per_rank:
        device = device_memory()
        return [*lines, f"a GPU here has {gib(device)}" if device else "there is no GPU here to compare with"]
    if not starts_ray(config.cluster):
        return [*lines, "of the cluster's nodes nothing is known here"]
    have = machine_memory()
    verdict = "fits" if resident <= have else "DOES NOT FIT"
    told = f"with about {gib(PROCESS)} a process for Python and torch {gib(resident)}"
    return [*lines, f"{told}, this machine has {gib(have)}: {verdict}"]


def gib(size: float) -> str:
    """A number of bytes for people."""
    count = size / 2**30
    if count < 1:
        return f"{size / 2**20:,.0f} MiB"
    return f"{count:,.0f} GiB" if count >= 100 else f"{count:.1f} GiB"


def machine_memory(group: Path = _GROUP) -> float:
    """Bytes that processes here may have together: the machine's, and no more than the control group's limit."""
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in (group / "memory.max", group / "memory/memory.limit_in_bytes"):
        try:
            have = min(have, int(limit.read_text()))
        except (OSError, ValueError):  # no such file, or `max`
            continue
    return float(have)
