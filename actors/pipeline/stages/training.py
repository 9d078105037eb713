"""Stages that train: SFT, the reward model, PPO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from actors.cluster.group import RoleGroup
from actors.pipeline.candidates import score_pool
from actors.pipeline.context import Context
from actors.pipeline.ppo.driver import PPODriver
from actors.pipeline.ppo.execution import Execution
from actors.pipeline.ppo.state import PPOState
from actors.pipeline.supervised import Training, fit_and_export
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from actors.weights.source import WeightSource
from rewardranker.config.schema import OptimConfig
from rewardranker.errors import UserError
from rewardranker.generation.candidates import imitated_sequence, readable_candidates
from rewardranker.models.batching import TokenSequence
from rewardranker.models.endings import Endings
from rewardranker.models.limits import Limits
from rewardranker.models.loading import copy_model, model_name
from rewardranker.models.model_card import write_card
from rewardranker.problems.fields import Row
from rewardranker.problems.io import read_json_lines
from rewardranker.problems.pool import group_by_problem, judged_of, read_pool
from rewardranker.reranking.record import write_record
from rewardranker.runs.atomic import remove_tree
from rewardranker.runs.directory import Stage
from rewardranker.runs.seeds import derive_seed
from rewardranker.runs.shards import ARROW, Made, map_shards, read_columns, shard_path, shards_in, stream_shards
from rewardranker.statistics.metrics import expected_pick, pair_accuracy
from rewardranker.tables.names import trained_in
from rewardranker.training.corpus import Corpus, TokeniseTriplets, corpus_table
from rewardranker.training.head_start import HeadStart, begin_head
from rewardranker.training.objectives import PairObjective
from rewardranker.training.ppo.advantages import estimator_of
from rewardranker.training.streams import Mix, Stream, steps_for
from rewardranker.training.supervised import Fit, progress

R = TypeVar("R")
#: Of a stage that trains on a corpus, while it does.
CORPUS = "corpus"
_IMITATED_IN_SHARD = 4096

#: More pairs than these add little to a head's fit, and each is two programs to read.
HEAD_PAIRS = 20_000


def run_sft(context: Context) -> Path:
    """Stage A: the generator learns to write solutions, unless it is to stay as it is. Leaves ``hf/``."""
    config = context.config.sft

    def work(stage: Stage) -> None:
        if not config.enabled:
            copy_model(context.base_model, stage.path / "hf")
            _card(
                context, stage, "generator", model_name(context.base_model), {"updates": "none (sft.enabled=false)"}
            )
            stage.metrics |= {"steps": 0}
            return
        lines, endings = read_json_lines(context.data / "sft.jsonl"), Endings.of_model(context.base_model)
        corpus = _imitated(context, lines, stage.path / CORPUS, endings)
        count = len(corpus)
        stream = Stream(range(count), derive_seed(context.config.run.seed, "sft"))
        size = config.minibatch_size
        steps = steps_for(count, size, config.steps, config.epochs)
        work = Fit(partial(stream.minibatch, size=size), steps, config.checkpoint_every)
        setup = context.setup(context.base_model, config.microbatch_tokens, config.optim, steps, "sft")
        setup = replace(setup, corpus=corpus.directories)
        metrics = _fit(context, "sft", Training("policy", Policy, setup, work, "sft/loss"), stage)
        started = model_name(context.config.model.path) if context.config.model.path else "weights drawn at random"
        learnt = {
            "programs": f"{count:,}, of {len({line['problem_id'] for line in lines}):,} problems",
            "updates": f"{steps:,} of {size:,} programs",
        }
        _card(context, stage, "generator", started, learnt)
        stage.metrics |= {"steps": steps, "loss": metrics["sft/loss"], "dropped": len(lines) - count}
        remove_tree(stage.path / CORPUS)

    settings = context.settings("sft", **context.adapted("sft"))
    return context.stage("sft", settings, {"data": context.data / "sft.jsonl"} | _base(context), work)


@dataclass(frozen=True)
class TripletFiles:
    """``old`` files are replayed; ``new``, freshly mined ones make up ``mining.new_share`` of every minibatch."""

    old: tuple[Path, ...]
    new: Path | None = None


def run_reward(
    context: Context, name: str, backbone: Path, files: TripletFiles, validation: Path, steps: int
) -> Path:
    """Stages B and E: a Bradley-Terry reward model from ``backbone``. Leaves ``hf/``.

    Args:
        validation: a judged pool on which reranking is measured after training.
    """
    config = context.config.reward

    def work(stage: Stage) -> None:
        size, seed = config.minibatch_size, derive_seed(context.config.run.seed, name)
        problems, (old, fresh) = _counted(files)
        corpus, replayed = _compared(context, files, stage.path / CORPUS)
        past = _pairs(context, corpus, range(replayed), seed)
        recent = _pairs(context, corpus, range(replayed, len(corpus)), seed + 1) if fresh else None
        stream = Mix(past, recent, context.config.mining.new_share) if recent else past
        total = steps_for(old + fresh, size, steps, config.epochs)
        begin = _head_start(config.head_penalty, corpus, [past, recent] if recent else [past])
        work = Fit(partial(stream.minibatch, size=size), total, config.checkpoint_every, begin)
        setup = context.as_reward(context.setup(backbone, config.microbatch_tokens, config.optim, total, "reward"))
        objective = PairObjective(config.margin, config.centring)
        setup = replace(setup, objective=objective, corpus=corpus.directories)
        metrics = _fit(context, name, Training("reward", Reward, setup, work, "reward/accuracy"), stage)
        write_record(stage.path / "hf", {"kind": "rewardranker", "chat": setup.chat})
        stage.metrics |= {"steps": total, "old": old, "new": fresh}
        stage.metrics["pair_accuracy"] = metrics["reward/accuracy"]
        found = _validate(context, stage.path / "hf", validation)
        learnt = {
            "pairs": f"{old:,} old, {fresh:,} mined; too long, and left out: {old + fresh - len(corpus):,}",
            "problems": f"{problems:,}",
            "updates": f"{total:,} of {size:,} pairs",
            "validation": f"{found['validation_rerank']:.1%} of the held-out problems solved by the chosen candidate",
        }
        own = str(backbone) == context.config.reward.backbone
        started = model_name(backbone) if own else trained_in(backbone.parent.name)
        _card(context, stage, "rewardranker", started, learnt)
        stage.metrics |= found
        remove_tree(stage.path / CORPUS)

    inputs = {f"old_{i}": path for i, path in enumerate(files.old)} | {"validation": validation}
    if backbone.is_dir():  # of one on the hub its name, which is a setting, says what it is
        inputs["backbone"] = backbone
    more = context.adapted("reward") | {"steps": steps, "new_share": context.config.mining.new_share}
    settings = context.settings("reward", **more)
    return context.stage(name, settings, inputs | ({"new": files.new} if files.new else {}), work)


def run_ppo(context: Context, name: str, sft: Path, reward_model: Path) -> Path:
    """Stage C: a new policy from the SFT weights, trained against ``reward_model``. Leaves ``hf/``."""
    config = context.config.ppo

    def work(stage: Stage) -> None:
        _train_ppo(context, name, sft, reward_model, stage)

    inputs = {"sft": sft, "reward": reward_model, "problems": context.data / "problems.jsonl"}
    more = context.adapted("policy", "critic") | {"steps": config.steps, "rollout_mode": context.config.rollout.mode}
    settings = context.settings("ppo", **more)
    return context.stage(name, settings, inputs, work)


def _train_ppo(context: Context, name: str, sft: Path, reward_model: Path, stage: Stage) -> None:
    config = context.config.ppo
    updates = (
        config.steps
        * config.inner_epochs
        * (config.prompts_per_step * config.samples_per_prompt // config.minibatch_size)
    )

    def role(kind: str, factory: Callable[..., R], path: Path, optim: OptimConfig | None = None) -> RoleGroup[R]:
        setup = context.setup(path, config.microbatch_tokens, optim, updates, kind if optim else "")
        return context.runtime.role(kind, factory, replace(setup, drawn_head=path == sft).on(sft))

    policy = role("policy", Policy, sft, config.policy_optim)
    rollouts = context.runtime.rollouts(str(sft))
    reference = role("reference", Reference, sft)
    needs_critic = estimator_of(config).needs_critic
    start = _critic_start(context, sft, reward_model) if needs_critic else sft
    critic = role("critic", Critic, start, config.critic_optim) if needs_critic else None
    setup = context.as_reward(context.setup(reward_model, config.microbatch_tokens)).on(sft)
    readable = partial(
        readable_candidates,
        problems=context.problems,
        tokenizer=context.reward_tokenizer,
        chat=context.config.reward_chat,
        limits=Limits.of_model(str(reward_model)),
    )
    weights = policy.part("weights", WeightSource)
    with Execution(context.runtime.executors.run, context.problems) as execution:
        driver = PPODriver(
            config=context.config,
            name=name,
            problems=context.split("train"),
            tokenizer=context.tokenizer,
            state=PPOState.begin(policy, critic, config.kl),
            reference=reference,
            reward=context.runtime.role("reward", Reward, setup),
            readable=readable,
            rollouts=rollouts,
            execution=execution if config.execute_rollouts else None,
            sync=lambda version: rollouts.sync(weights, version),
            turns=context.runtime.turns,
            warn=context.console.warn,
        )
        with context.console.progress(f"  {name}", config.steps, "steps") as advance:
            tail = driver.run(stage.path, advance)
    policy.all(Policy.export, str(stage.path / "hf"))
    learnt = {
        "reward model": trained_in(reward_model.parent.name),
        "problems": f"{len(context.split('train')):,}",
        "steps": f"{config.steps:,} of {config.prompts_per_step * config.samples_per_prompt:,} programs",
    }
    _card(context, stage, "policy", trained_in(sft.parent.name), learnt)
    names = {"critic/score/mean": "score", "rollout/pass_rate": "pass_rate", "kl/sequence": "kl"}
    stage.metrics |= {
        "steps": config.steps,
        **{short: tail[long] for long, short in names.items() if long in tail},
    }


def _critic_start(context: Context, sft: Path, reward_model: Path) -> Path:
    """What the critic starts from: it reads the policy's tokens, whatever the reward model reads.

    Raises:
        UserError: ``ppo.critic_init=reward``, and the reward model reads others.
    """
    wanted, alike = context.config.ppo.critic_init, context.one_vocabulary
    if wanted == "reward" and not alike:
        raise UserError(
            f"ppo.critic_init=reward: the critic reads the policy's tokens, and reward.backbone="
            f"{context.reward_base} has another vocabulary than {context.base_model}: set ppo.critic_init=policy, or "
            "an advantage without a critic (ppo.advantage=grpo or rloo)"
        )
    if wanted == "auto" and not alike:
        context.console.say("  the critic starts from the policy: reward models have another vocabulary")
    return reward_model if wanted != "policy" and alike else sft


def _fit(context: Context, title: str, training: Training, stage: Stage) -> dict[str, float]:
    """Trains with the launcher of the config."""
    with context.console.progress(f"  {title}", training.work.steps, "steps") as advance:
        if context.config.engine.launcher == "ray_train":
            from actors.pipeline.ray_train import fit_with_ray_train

            # Ray Train brings workers of its own.
            context.runtime.stop_workers()
            return fit_with_ray_train(context.config, training, stage.path)
        report = progress(advance, training.metric, context.console.warn)
        role = context.runtime.role(training.role, training.factory, training.setup)
        return fit_and_export(role, training.work, stage.path, report)


def _card(context: Context, stage: Stage, kind: str, started: str, learnt: Mapping[str, object]) -> None:
    """What a person has to know of the model in ``hf/``."""
    data = sorted({f"{p.source} at revision {p.revision}" for p in context.problems.values()})
    known = {"data": ", ".join(data), "began as": started, **learnt, "seed": context.config.run.seed}
    write_card(stage.path / "hf", kind, context.config.model.chat, known)


def _counted(files: TripletFiles) -> tuple[int, tuple[int, int]]:
    """How many problems the triplets are of; and how many old and new ones there are."""
    problems: set[str] = set()
    counts = []
    for paths in (files.old, (files.new,) if files.new else ()):
        columns = [read_columns(part, ("problem_id",))["problem_id"] for path in paths for part in shards_in(path)]
        problems.update(*(column.unique().to_pylist() for column in columns))
        counts.append(sum(map(len, columns)))
    return len(problems), (counts[0], counts[1])


def _compared(context: Context, files: TripletFiles, directory: Path) -> tuple[Corpus, int]:
    """The triplets as a reward model reads them, old ones first, and how many of these there are."""
    longest, limits = context.config.reward.max_tokens, Limits.of_model(context.reward_base)
    step = TokeniseTriplets(context.reward_base, context.config.reward_chat, longest, limits)
    sources = [*files.old, *([files.new] if files.new else [])]
    parts = [directory / str(number) for number in range(len(sources))]
    for source, part in zip(sources, parts, strict=True):
        if source.is_dir():
            _begin_with(source, part)
        map_shards(step, {"triplets": source}, part, say=context.console.say)
    return Corpus(*parts), len(Corpus(*parts[: len(files.old)]))


def _begin_with(triplets: Path, corpus: Path) -> None:
    """Links what ``rewardranker triplets`` left beside its triplets: shards that say that they were made of the same,
    in the same tokens, are not made again."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(len(shards_in(triplets))):
        made, link = (shard_path(directory, number, ARROW) for directory in (triplets.with_name(CORPUS), corpus))
        if made.exists() and not link.exists():
            link.symlink_to(made.resolve())


def _pairs(context: Context, corpus: Corpus, places: range, seed: int) -> Stream[int]:
    """The order of some of the pairs, by their places in the corpus."""
    config = context.config.reward
    if not places:
        limits = Limits.of_model(context.reward_base)
        raise UserError(_all_longer("reward", config.max_tokens, limits, "triplets"))
    groups = corpus.groups[places.start : places.stop].tolist() if config.group_pairs else None
    return Stream(places, seed % 2**63, groups)


def _head_start(penalty: float, corpus: Corpus, streams: Sequence[Stream[int]]) -> Callable[[Any], object] | None:
    """Fits a reward model's head before its first update, where the config asks for it: to the first pairs of each
    stream, whose order is drawn, up to so many."""
    if not penalty:
        return None
    most = HEAD_PAIRS // len(streams)
    places = [place for stream in streams for place in stream.take(0, min(len(stream.rows), most))]
    return partial(begin_head, HeadStart(places, corpus.groups[places].tolist(), penalty))


def _validate(context: Context, reward_model: Path, validation: Path) -> dict[str, float]:
    pool = read_pool(validation)
    score_pool(context, pool, reward_model, "reward")
    picks, accuracies = [], []
    for group in group_by_problem(judged_of(pool)).values():
        scores, correct = [c.scores["reward"] for c in group], [int(c.verdict == "OK") for c in group]
        picks.append(expected_pick(scores, correct))
        accuracy = pair_accuracy(scores, correct)
        accuracies += [accuracy] if accuracy is not None else []
    found = {
        "validation_rerank": float(np.mean(picks)),
        "validation_se": float(np.std(picks) / np.sqrt(len(picks))),
    }
    return found | ({"validation_pairs": float(np.mean(accuracies))} if accuracies else {})


def _imitated(context: Context, lines: Sequence[Row], directory: Path, endings: Endings) -> Corpus:
    """Programs as the generator learns to write them, those that are short enough for the setting and the model."""
    chat, limits = context.config.model.chat, Limits.of_model(context.base_model)
    longest = min(context.config.sft.max_tokens, limits.positions or context.config.sft.max_tokens)

    def parts() -> Iterator[list[Made]]:
        for start in range(0, len(lines), _IMITATED_IN_SHARD):
            rows: list[TokenSequence] = []
            names: list[str] = []
            for place, line in enumerate(lines[start : start + _IMITATED_IN_SHARD], start + 1):
                problem = context.problems[line["problem_id"]]
                row = imitated_sequence(problem, line["code"], context.tokenizer, chat, endings)
                if len(row) <= longest:
                    limits.check(row, f"sft example {place}, of {problem.id}")
                    rows.append(row)
                    names.append(problem.id)
            yield [Made(corpus_table(rows, [(name, (place,)) for place, name in enumerate(names)]))]

    stream_shards("imitate", {}, parts(), [directory], ARROW)
    corpus = Corpus(directory)
    if not len(corpus):
        raise UserError(_all_longer("sft", context.config.sft.max_tokens, limits, f"{len(lines)} examples"))
    return corpus


def _all_longer(section: str, longest: int, limits: Limits, what: str) -> str:
    return (
        f"{section}.max_tokens={longest}, positions of the model: {limits.positions or 'any'}: all {what} are longer"
    )


def _base(context: Context) -> dict[str, Path]:
    return {} if context.config.model.path else {"model": context.data / "model"}
