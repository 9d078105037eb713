"""Which processes a command starts, what they reserve, and whether it is there."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rewardranker.config.rules import ROLES
from rewardranker.config.schema import ClusterConfig, Config
from rewardranker.errors import UserError
from rewardranker.training.ppo.advantages import estimator_of

_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Uses:
    """What a command starts at most: training workers of these roles, engines that sample, executors that judge."""

    roles: tuple[str, ...]
    engines: bool
    judge: bool


WHOLE = Uses(ROLES, engines=True, judge=True)
GENERATE = Uses((), engines=True, judge=False)
NOTHING = Uses((), engines=False, judge=False)


def uses_until(stage: str) -> Uses:
    """Of the cycle up to a stage; empty for all of it."""
    before_ppo = {
        "data": NOTHING,
        "sft": Uses(("policy",), engines=False, judge=False),
        "reward-1": Uses(("policy", "reward"), engines=True, judge=True),
    }
    return before_ppo.get(stage, WHOLE)


def uses_of_evaluation(config: Config) -> Uses:
    """Of an evaluation: networks that score, engines unless an endpoint samples, executors."""
    own = config.benchmark
    scoring = (("reward",) if own.rankers else ()) + (("reference",) if own.reviewer else ())
    return Uses(scoring, engines=not config.endpoint.base_url, judge=True)


@dataclass(frozen=True)
class Part:
    """Equal processes.

    Attributes:
        each: what one reserves, by kind: ``CPU``, ``GPU``.
        smaller: what would make the part smaller, by kind, as a person sets it.
    """

    what: str
    count: int
    each: dict[str, float]
    smaller: dict[str, str]

    def total(self, kind: str) -> float:
        return self.count * self.each[kind]


def demand(config: Config, uses: Uses) -> list[Part]:
    """Every process that reserves something, at the busiest."""
    parts = [_training(config, uses), _engines(config, uses), _judges(config, uses)]
    return [part for part in parts if part.count]


def require(config: Config, uses: Uses, kind: str, nodes: Sequence[float]) -> None:
    """Compares :func:`demand` with what each node has of a kind.

    Raises:
        UserError: it cannot fit, with what was asked for, what there is, and every setting that would help.
    """
    parts = [part for part in demand(config, uses) if part.each[kind]]
    # Ray counts in ten-thousandths.
    wanted, have = round(sum(part.total(kind) for part in parts), 4), round(sum(nodes), 4)
    if not parts or (wanted <= have and max(part.each[kind] for part in parts) <= max(nodes)):
        return
    asked = ", ".join(f"{part.count} x {part.each[kind]:g} for {part.what}" for part in parts)
    help_ = "; ".join(f"for {part.what} {part.smaller[kind]}" for part in parts)
    if not starts_ray(config.cluster):
        where = f"the cluster has {have:g} on {len(nodes)} node(s) of {', '.join(f'{one:g}' for one in nodes)}"
        more = "add nodes"
    elif kind == "CPU":
        told = " (cluster.num_cpus)" if config.cluster.num_cpus else ""
        where, more = (
            f"Ray has {have:g}{told} here",
            f"set cluster.num_cpus={math.ceil(wanted)}: then processes share cores",
        )
    else:
        where, more = f"this machine has {have:g}", "join a cluster (cluster.address)"
    raise UserError(f"asked for {wanted:g} {kind}s ({asked}); {where}. Lower, {help_}; or {more}")


def starts_ray(cluster: ClusterConfig) -> bool:
    """Whether Ray is started on this machine, and not joined: a submitted job has ``RAY_ADDRESS``."""
    return cluster.address == "local" and "RAY_ADDRESS" not in os.environ


def require_here(config: Config, uses: Uses) -> None:
    """Compares the CPUs with this machine's, without Ray; of a cluster that would be joined nothing is known.

    Raises:
        UserError: see :func:`require`; or flash attention was chosen for processes that ask for no GPU.
    """
    if config.model.attn_implementation == "flash_attention_2":
        _require_gpus(config, uses)
    if starts_ray(config.cluster):
        require(config, uses, "CPU", [float(config.cluster.num_cpus or cores())])


def _require_gpus(config: Config, uses: Uses) -> None:
    parts = [(_training(config, uses), "cluster.gpus_per_rank", config.cluster.gpus_per_rank)]
    if config.rollout.engine != "vllm":
        parts.append((_engines(config, uses), "rollout.gpus_per_worker", config.rollout.gpus_per_worker))
    lacking = {part.what: setting for part, setting, gpus in parts if part.count and not gpus}
    if lacking:
        raise UserError(
            "model.attn_implementation=flash_attention_2 computes on GPUs alone, and none is asked for "
            f"{' and '.join(lacking)}: set {', '.join(lacking.values())}, or model.attn_implementation=sdpa"
        )


def describe_demand(config: Config, uses: Uses) -> str:
    """For ``--dry-run``: what is reserved, and what there is."""
    parts = demand(config, uses)
    asked = ", ".join(f"{part.count} x {part.each['CPU']:g} for {part.what}" for part in parts) or "nothing"
    total = f"{sum(part.total('CPU') for part in parts):g}: {asked}"
    if not starts_ray(config.cluster):
        return f"{total}; of the cluster (`rewardranker doctor` compares)"
    told = f"Ray is told of {config.cluster.num_cpus} (cluster.num_cpus), " if config.cluster.num_cpus else ""
    return f"{total}; {told}this machine has {cores()}"


def cores(group: Path = _GROUP) -> int:
    """Cores that this process may use: those that it may run on, and no more than its control group's quota.

    Args:
        group: where the control group's files are, of version 2 or 1.
    """
    may = len(os.sched_getaffinity(0))
    for quota, period in (
        (group / "cpu.max", None),
        (group / "cpu/cpu.cfs_quota_us", group / "cpu/cpu.cfs_period_us"),
    ):
        try:
            numbers = (quota.read_text() + " " + (period.read_text() if period else "")).split()
            limit = int(numbers[0]) / int(numbers[1])
        except (OSError, ValueError, IndexError):  # no such files, or `max`
            continue
        if limit > 0:
            may = min(may, max(1, int(limit)))
    return may


def _training(config: Config, uses: Uses) -> Part:
    cluster = config.cluster
    roles = [role for role in uses.roles if role != "critic" or estimator_of(config.ppo).needs_critic]
    settings = "cluster.ranks"
    if cluster.placement == "colocated":
        hosting = uses.engines and (config.rollout.in_workers or cluster.share_devices)
        count = cluster.ranks if roles or hosting else 0
    else:
        count = sum(cluster.role_ranks.get(role, cluster.ranks) for role in roles)
        settings = "cluster.ranks, cluster.role_ranks (or cluster.placement=colocated)"
    each = {"CPU": cluster.cpus_per_rank, "GPU": cluster.gpus_per_rank}
    smaller = {kind: f"{settings}, cluster.{kind.lower()}s_per_rank" for kind in each}
    return Part("training", count, each, smaller)


def _engines(config: Config, uses: Uses) -> Part:
    rollout, cluster = config.rollout, config.cluster
    count = rollout.workers if uses.engines and not rollout.in_workers else 0
    # Those of training workers are not reserved again.
    gpus = 0.0 if cluster.share_devices else rollout.gpus_per_worker
    each = {"CPU": rollout.cpus_per_worker, "GPU": gpus}
    smaller = {kind: f"rollout.workers, rollout.{kind.lower()}s_per_worker" for kind in each}
    if uses.roles and rollout.engine != "vllm" and rollout.mode == "sync" and cluster.placement == "colocated":
        smaller["CPU"] += " (or rollout.in_workers=true)"
    return Part("engines", count, each, smaller)


def _judges(config: Config, uses: Uses) -> Part:
    judge = config.judge
    each, smaller = {"CPU": judge.cpus_per_executor, "GPU": 0.0}, {"CPU": "judge.executors, judge.cpus_per_executor"}
    return Part("the judge", judge.executors if uses.judge else 0, each, smaller)
