"""Large batches of candidates: generated and judged shard by shard, scored by any number of reward models.

A shard is a file: written, renamed, and not made again when a run is resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actors.cluster.dispatch import chunked
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan, require_room, sample_shard
from actors.roles.reward import Reward
from rewardranker.errors import UserError
from rewardranker.generation.candidates import describe_cut_off
from rewardranker.judge import judge_candidates, missing_tools
from rewardranker.models.limits import Limits, describe_unread
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.suspects import describe_suspected, suspected_in
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS
from rewardranker.reranking.numbers import store
from rewardranker.reranking.reading import reader
from rewardranker.runs.atomic import remove_tree
from rewardranker.runs.shards import missing_shards, shard_path
from rewardranker.training.demand import starts_ray


def sample_pool(
    context: Context, problems: Sequence[Problem], plan: Plan, path: Path, name: str = ""
) -> list[Candidate]:
    """Generates and judges; writes ``path`` (Parquet) when all shards in ``<path>.shards/`` are there.

    Args:
        name: of the pool for people; by default what its file is called.
    """
    name = name or path.stem
    if path.exists():
        return read_pool(path)
    require_room(context.config, plan, problems, context.tokenizer)
    directory = path.with_suffix(".shards")
    shards = chunked(problems, context.config.generation.prompts_per_shard)
    missing = missing_shards(directory, len(shards))
    done = plan.n * sum(len(shard) for i, shard in enumerate(shards) if i not in missing)
    with context.console.progress(f"  {name}", plan.n * len(problems), "programs") as advance:
        advance(done, before=True)
        if missing and context.config.generation.backend == "ray_data":
            from actors.pipeline.bulk import sample_shards  # Ray Data takes a second to import

            sample_shards(context, plan, {i: shards[i] for i in missing}, directory, advance)
        elif missing:
            rollouts = context.runtime.rollouts(plan.model_path)
            for i in missing:
                candidates = sample_shard(plan, shards[i], context.tokenizer, rollouts.generate)
                judge_candidates(candidates, context.problems, context.runtime.executors.run)
                write_pool(shard_path(directory, i), candidates, shards[i])
                advance(len(candidates))
    files = [shard_path(directory, i) for i in range(len(shards))]
    pools = [read_pool(file) for file in files]
    pool = [c for part in pools for c in part]
    try:
        check_judged(context, pool, name)
    except UserError:
        # What could not be judged is judged again by the next run.
        for file, part in zip(files, pools, strict=True):
            if any(c.verdict in NEVER_LABELS for c in part):
                file.unlink()
        raise
    write_pool(path, pool, problems)
    remove_tree(directory)
    return pool


def score_pool(context: Context, pool: list[Candidate], reward_model: Path, key: str) -> None:
    """Adds ``scores[key]`` of the reward model in ``reward_model`` to every candidate."""
    role = context.reward_role(reward_model)
    read = reader("rewardranker", context.reward_tokenizer, context.config.reward_chat, max_tokens=0)
    limits = Limits.of_model(str(reward_model))
    unread = store(pool, context.problems, read, lambda rows: role.sharded(Reward.score, rows), key, limits)
    if unread:
        context.console.warn(f"{key}: {describe_unread(unread, len(pool))}")


def check_judged(context: Context, pool: Sequence[Candidate], name: str) -> None:
    """What a judged pool says of the judge, of its answers and of its problems: :func:`check_infra`, one line on many
    answers that were cut off, and one on problems of which every program failed at the call of the tests."""
    check_infra(pool, context.config.judge.max_infra_share, name)
    if long := describe_cut_off(pool):
        context.console.warn(f"{name}: {long}")
    found = suspected_in(context.problems, pool)
    if found:
        context.console.warn(f"{name}: {describe_suspected(found)}")


def check_toolchains(context: Context) -> None:
    """Says which languages of the data this machine cannot run, before anything trains.

    Raises:
        UserError: it is this machine, or the judge's server, that would have to. Of nodes that are joined nothing is
            known here, so that they are warned of.
    """
    remote = context.config.judge.remote_url
    languages = sorted({problem.language for problem in context.problems.values()})
    lacking = {one: tools for one in languages if (tools := missing_tools(one, remote))}
    if not lacking:
        return
    what = "; ".join(f"{language} lacks {', '.join(tools)}" for language, tools in lacking.items())
    rest = [one for one in languages if one not in lacking]
    told = (
        f"the data have problems in {', '.join(languages)}, and {remote or 'this machine'} cannot run all of them: "
        f"{what}. `make toolchains` installs what is missing; or leave the languages out"
        f" (of contests: data.options.languages=[{','.join(rest)}])"
    )
    if remote or starts_ray(context.config.cluster):
        raise UserError(told)
    context.console.warn(f"{told}. Other nodes were not asked")


def check_infra(pool: Sequence[Candidate], limit: float, name: str) -> None:
    """Raises :class:`UserError` when too many candidates could not be judged at all."""
    lost = [c for c in pool if c.verdict in NEVER_LABELS]
    if len(lost) > limit * len(pool):
        raise UserError(
            f"{name}: {len(lost)} of {len(pool)} programs could not be judged (limit judge.max_infra_share="
            f"{limit}); the first: {lost[0].verdict}: {lost[0].message}"
        )
