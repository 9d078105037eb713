"""The self-training cycle: stages A to E over a run directory.

    A  SFT            the generator learns to write solutions
    B  reward model   learns from pairs of passing and failing solutions
    C  PPO            a policy is trained against the reward model
    D  generate+mine  the policy writes candidates, tests are run, hard negatives are found
    E  retrain        the reward model learns from old and new pairs; a new policy is trained; back to D

A stage that is complete is skipped, so running the cycle again goes on where it was cut off.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.pipeline.candidates import check_toolchains
from actors.pipeline.context import Context, LastStage
from actors.pipeline.runtime import Runtime
from actors.pipeline.shards import Plan
from actors.pipeline.stages.data import build_data
from actors.pipeline.stages.evaluation import run_evaluation
from actors.pipeline.stages.mining import mining_problems, run_first_triplets, run_mining, run_pool
from actors.pipeline.stages.training import TripletFiles, run_ppo, run_reward, run_sft
from rewardranker.config.choices import chosen
from rewardranker.config.schema import Config
from rewardranker.report.page import write_report
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory
from rewardranker.tables.names import trained_in
from rewardranker.training.demand import require_here, uses_until
from rewardranker.training.memory_table import require_memory


@dataclass(frozen=True)
class Lineage:
    """Where a line of descent stands after an iteration: its models, and all triplets that led there."""

    reward: Path
    policy: Path | None
    triplets: tuple[Path, ...]


def run_cycle(config: Config, console: Console, until: str = "") -> Path:
    """Runs every stage that is not complete, prints the table, writes the report; returns the run directory.

    Args:
        until: name of the last stage to run; empty for all of them.

    Raises:
        UserError: this machine lacks the CPUs, before anything is begun; and whatever a stage refuses.
        Interrupted: by Ctrl-C; the same call goes on.
    """
    uses = uses_until(until)
    require_here(config, uses)
    require_memory(config, uses)
    run = RunDirectory(config, console.say)
    with run.interruptible():
        data = build_data(config, run)
        if until != "data":
            verdicts = run.path / ".verdicts"
            with Runtime(config, console, verdicts, uses) as runtime, contextlib.suppress(LastStage):
                context = Context(config, run, runtime, console, data, until)
                if uses.judge:
                    check_toolchains(context)
                _stages(context)
    report = run.path / "report.html"
    write_report(run.path, report)
    run.close()
    console.say(f"report: {report}")
    return run.path


def _stages(context: Context) -> None:
    config = context.config
    cycle, steps = config.cycle, config.reward.steps
    sft = run_sft(context) / "hf"
    plan = Plan.from_config(config, sft, "sft", "validation", config.evaluation.n)
    validation = run_pool(context, "validation", context.split("validation"), plan) / "pool.parquet"
    triplets = run_first_triplets(context, sft)
    first = TripletFiles((triplets,))
    start = context.reward_start(sft)
    reward = run_reward(context, "reward-1", start, first, validation, steps) / "hf"
    policy = run_ppo(context, "ppo-1", sft, reward) / "hf"
    reward_models, policies = [reward], list[Path]()
    if cycle.control and cycle.iterations > 1:
        more = config.reward.retrain_steps or steps
        control = run_reward(context, "reward-control", start, first, validation, more) / "hf"
        reward_models.append(control)
        if cycle.control_policy:
            policies.append(run_ppo(context, "ppo-2-control", sft, control) / "hf")
    lines = dict.fromkeys(cycle.variants, Lineage(reward, policy, (triplets,)))
    ended: list[str] = []
    for iteration in range(2, cycle.iterations + 1):
        before = max(_validation(line.reward)[0] for line in lines.values())
        lines, found = _iterate(context, iteration, sft, validation, lines)
        ended += found
        reward_models += [line.reward for line in lines.values()]
        policies += [line.policy for line in lines.values() if line.policy]
        after, error = max(_validation(line.reward) for line in lines.values())
        if iteration < cycle.iterations and cycle.patience_se and after <= before + cycle.patience_se * error:
            why = f"it ranks no better on validation, {before:.3f} -> {after:.3f} (cycle.patience_se)"
            ended.append(_said(context, f"all variants end with iteration {iteration}: {why}"))
            break
        lines = {variant: line for variant, line in lines.items() if line.policy}
    generators, scorers, others = map(_named, ([sft, policy], reward_models, policies))
    run_evaluation(context, generators, scorers, others, ended)
    for name in cycle.extra_stages:
        chosen("cycle.extra_stages", name)(context)


def _iterate(
    context: Context, iteration: int, sft: Path, validation: Path, lines: dict[str, Lineage]
) -> tuple[dict[str, Lineage], list[str]]:
    """Stages D and E, and why variants end here. Those of the same models share what is generated and mined."""
    ended: list[str] = []
    parents: dict[tuple[Path, Path], list[str]] = {}
    for variant, line in lines.items():
        assert line.policy is not None
        parents.setdefault((line.policy, line.reward), []).append(variant)
    found: dict[str, Lineage] = {}
    for (policy, reward), variants in parents.items():
        own = "" if len(parents) == 1 else f"-{variants[0]}"
        plan = Plan.from_config(context.config, policy, _name(policy), "mining", context.config.mining.n)
        problems = mining_problems(context, iteration)
        pool = run_pool(context, f"generate-{iteration}{own}", problems, plan) / "pool.parquet"
        mined = run_mining(context, f"mine-{iteration}{own}", iteration, variants, pool, reward)
        for variant in variants:
            fresh, old = mined / f"{variant}.parquet", lines[variant].triplets
            if not fresh.exists():
                why = f"mine-{iteration}{own} found nothing for it"
                ended.append(_said(context, f"{variant} ends before iteration {iteration}: {why}"))
                continue
            backbone = context.reward_start(sft) if context.config.reward.init == "sft" else reward
            steps = context.config.reward.retrain_steps or context.config.reward.steps
            name = f"reward-{iteration}-{variant}"
            retrained = run_reward(context, name, backbone, TripletFiles(old, fresh), validation, steps) / "hf"
            found[variant] = Lineage(retrained, None, (*old, fresh))
    stop = _not_continued(context.config.cycle.new_policies, found)
    for variant, why in stop.items():
        ended.append(_said(context, f"{variant} ends with its reward model of iteration {iteration}: {why}"))
    for variant, line in found.items():
        if variant in stop:
            continue
        policy = run_ppo(context, f"ppo-{iteration}-{variant}", sft, line.reward) / "hf"
        found[variant] = Lineage(line.reward, policy, line.triplets)
    return found, ended


def _said(context: Context, line: str) -> str:
    context.console.say(line)
    return line


def _name(model: Path) -> str:
    """What a stage's ``hf/`` is called everywhere else."""
    return trained_in(model.parent.name)


def _named(models: Sequence[Path]) -> dict[str, Path]:
    return {_name(model): model for model in models}


def _not_continued(new_policies: str, lines: dict[str, Lineage]) -> dict[str, str]:
    """The variants for which no new policy is trained, and why."""
    if new_policies == "all":
        return {}
    if new_policies == "none":
        return dict.fromkeys(lines, "no new policies are trained (cycle.new_policies=none)")
    found = {variant: _validation(line.reward) for variant, line in lines.items()}
    best = max(found, key=lambda variant: found[variant][0])
    rerank, error = found[best]
    why = {}
    for variant, own in found.items():
        against = "as well, and is named first" if own[0] == rerank else f"better than {own[0]:.3f} ± {own[1]:.3f}"
        why[variant] = f"{best} ranks validation {against}: {rerank:.3f} ± {error:.3f} (cycle.new_policies=best)"
    del why[best]
    return why


def _validation(reward_model: Path) -> tuple[float, float]:
    """Rerank@1 on the validation problems, and its standard error."""
    metrics = json.loads((reward_model.parent / "manifest.json").read_text())["metrics"]
    return metrics["validation_rerank"], metrics["validation_se"]
