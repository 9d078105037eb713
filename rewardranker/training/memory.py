"""The memory plan: what every process of a run holds, by stage and role, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from transformers import PreTrainedConfig

from rewardranker.config.rules import ROLES
from rewardranker.config.schema import Config, EngineConfig, LoraConfig, ScorerShape
from rewardranker.models.architectures import policy_class, scorer_class, with_layers
from rewardranker.models.limits import Limits
from rewardranker.models.packing import LINE_TOKENS
from rewardranker.training.demand import Uses
from rewardranker.training.footprint import BYTES, Held, Sharding, Size, held, keys_and_values, optimiser_scratch
from rewardranker.training.ppo.advantages import estimator_of
from rewardranker.training.rehearsal import Passes, Work, rehearse

#: Of a process with torch and transformers, and nothing else in it.
PROCESS = 0.6 * 2**30


@dataclass(frozen=True)
class Task:
    """What a role does in a stage.

    Attributes:
        tokens: of a micro-batch.
        longest: tokens of a row.
        lora: what LoRA trains, or trained, of it.
    """

    stage: str
    role: str
    scorer: bool
    trained: bool
    tokens: int
    longest: int
    lora: LoraConfig | None


@dataclass(frozen=True)
class Holding:
    """Bytes of one rank of a role in a stage.

    Attributes:
        work: of a micro-batch, without gradient checkpointing and with it; ``None`` where that is not known.
        chosen: which of these the config has.
        scratch: what an update takes for a moment.
        shared: of its weights, what another role of the process holds.
    """

    task: Task
    size: Size
    held: Held
    work: tuple[Work, Work] | None
    chosen: int
    scratch: float
    shared: float = 0.0

    @property
    def moving(self) -> float:
        """What comes and goes with every update."""
        peak = self.work[self.chosen].peak if self.work else 0.0
        return self.held.gradients + max(peak, self.scratch)

    @property
    def staying(self) -> float:
        return self.held.total - self.held.gradients


@dataclass(frozen=True)
class Engine:
    """Bytes of one process that samples, or of its part of a training worker."""

    weights: float
    cache: float
    buckets: float

    @property
    def total(self) -> float:
        return self.weights + self.cache + self.buckets


@dataclass(frozen=True)
class MemoryPlan:
    """Of a config; ``engine`` is ``None`` where none is started."""

    config: Config
    holdings: list[Holding]
    engine: Engine | None

    def workers(self) -> Iterator[tuple[str, int, float]]:
        """What a kind of process is called, how many there are, and what one holds at its busiest."""
        cluster, rollout = self.config.cluster, self.config.rollout
        if self.in_turns:
            most, what = max((size, what) for what, size in self.turns())
            yield f"GPU in turns, {what}", cluster.ranks, most
            return
        inside = self.engine.total if self.engine and rollout.in_workers else 0.0
        if cluster.placement == "colocated":
            stages = dict.fromkeys(holding.task.stage for holding in self.holdings)
            busiest = [(self._together(stage) + inside * (stage == "ppo"), stage) for stage in stages]
            if busiest:
                most, stage = max(busiest)
                yield f"training worker, in {stage}", cluster.ranks, most
        else:
            for role in dict.fromkeys(holding.task.role for holding in self.holdings):
                own = [holding for holding in self.holdings if holding.task.role == role]
                most = max(holding.staying + holding.moving for holding in own)
                yield f"worker of {role}", cluster.role_ranks.get(role, cluster.ranks), most
        if self.engine and not rollout.in_workers:
            yield "engine", rollout.workers, self.engine.total

    @property
    def in_turns(self) -> bool:
        """Whether networks and engines have GPUs in turns; on CPU what is away lies in the same memory."""
        return self.config.cluster.share_devices and self.config.cluster.gpus_per_rank > 0 and self.engine is not None

    def turns(self) -> Iterator[tuple[str, float]]:
        """What a GPU holds at each turn: in each stage that learns, while weights are sent, while engines sample."""
        for stage in dict.fromkeys(holding.task.stage for holding in self.holdings):
            yield f"learning in {stage}", self._together(stage)
        assert self.engine is not None
        parts = self.config.rollout.parts  # an engine's GPUs share what it holds
        for holding in self.holdings:
            if (holding.task.stage, holding.task.role) == ("ppo", "policy"):
                own = holding.held.weights + holding.held.transport
                yield "sending weights", own + self.engine.weights / parts + self.engine.buckets
        yield "sampling", (self.engine.weights + self.engine.cache) / parts

    @property
    def away(self) -> float:
        """Bytes that wait in the host's memory for every GPU while engines sample in PPO."""
        here = [holding.held for holding in self.holdings if holding.task.stage == "ppo"]
        return sum(held.weights + held.moments for held in here)

    def _together(self, stage: str) -> float:
        """Of roles in one process, which stay there and compute in turn."""
        here = [holding for holding in self.holdings if holding.task.stage == stage]
        return sum(holding.staying for holding in here) + max(holding.moving for holding in here)


def plan_memory(
    config: Config,
    uses: Uses,
    generator: PreTrainedConfig,
    rehearsing: bool = True,
    ranking: PreTrainedConfig | None = None,
) -> MemoryPlan:
    """
    Args:
        generator: the architecture of ``model.path``, or of ``model.tiny``.
        rehearsing: also find out what micro-batches take, which takes seconds.
        ranking: the architecture of ``reward.backbone``, where there is one.
    """
    rehearsed: list[dict[Passes, Work | None]] = [{}, {}]
    holdings = []
    if config.reward.layers:
        ranking = with_layers(ranking or generator, config.reward.layers)
    for task in _tasks(config, uses):
        own = ranking is not None and _begins_as_reward_model(config, task, generator, ranking)
        architecture = ranking if own and ranking is not None else generator
        holdings.append(_holding(config, task, architecture, rehearsed[own] if rehearsing else None))
    return MemoryPlan(
        config, _on_one_backbone(config, holdings), _engine(config, generator) if uses.engines else None
    )


def _tasks(config: Config, uses: Uses) -> Iterator[Task]:
    sft, reward, ppo, lora = config.sft, config.reward, config.ppo, config.engine.lora
    if "policy" in uses.roles:
        yield Task("sft", "policy", False, True, sft.microbatch_tokens, sft.max_tokens, lora.of("sft"))
    if "reward" in uses.roles:
        yield Task("reward", "reward", True, True, reward.microbatch_tokens, reward.max_tokens, lora.of("reward"))
    if set(uses.roles) == set(ROLES):
        longest = max(LINE_TOKENS, ppo.max_new_tokens)
        yield Task("ppo", "policy", False, True, ppo.microbatch_tokens, longest, lora.of("policy"))
        if estimator_of(ppo).needs_critic:
            yield Task("ppo", "critic", True, True, ppo.microbatch_tokens, longest, lora.of("critic"))
        yield Task("ppo", "reference", False, False, ppo.microbatch_tokens, longest, None)
        yield Task("ppo", "reward", True, False, ppo.microbatch_tokens, longest, lora.of("reward"))


def _begins_as_reward_model(
    config: Config, task: Task, generator: PreTrainedConfig, ranking: PreTrainedConfig
) -> bool:
    """Reward models do, and the critic where it can read their tokens."""
    readable = config.ppo.critic_init != "policy" and ranking.vocab_size == generator.vocab_size
    return task.role == "reward" or (task.role == "critic" and readable)


def _on_one_backbone(config: Config, holdings: list[Holding]) -> list[Holding]:
    """Without the frozen weights of roles in PPO that another role of their process has already."""
    if config.cluster.placement != "colocated" or config.engine.kind != "torch":
        return holdings
    owner = "policy" if config.engine.lora.of("policy") else "reference"
    return [_beside(config, holding, owner) if holding.task.stage == "ppo" else holding for holding in holdings]


def _beside(config: Config, holding: Holding, owner: str) -> Holding:
    lora, role, reward = config.engine.lora, holding.task.role, config.reward
    # The reward model is an addition to the generator where LoRA made it so, and so is the critic that begins as it.
    whole = reward.shape == ScorerShape()
    added = bool(lora.of("reward")) and reward.init == "sft" and not reward.backbone and whole
    same = added and lora.rank_of("critic") == lora.rank_of("reward")
    critic = bool(lora.of("critic")) and (same or config.ppo.critic_init == "policy")
    begins = {"reference": True, "reward": added, "critic": critic}
    if role == owner or not begins.get(role):
        return holding
    shared = holding.held.weights if role == "reference" else float(BYTES[config.model.dtype] * holding.size.frozen)
    return replace(holding, shared=shared, held=replace(holding.held, weights=holding.held.weights - shared))


def sharding_of(engine: EngineConfig, ranks: int) -> Sharding:
    """What the engine of a config shares among so many ranks."""
    zero = 2 if engine.zero_stage is None else engine.zero_stage
    stage = {"fsdp2": 3, "deepspeed": zero}.get(engine.kind, 0)
    return Sharding(ranks, stage, engine.kind, engine.offload)


def _holding(
    config: Config, task: Task, architecture: PreTrainedConfig, rehearsed: dict[Passes, Work | None] | None
) -> Holding:
    cluster = config.cluster
    ranks = cluster.ranks
    if cluster.placement != "colocated":
        ranks = cluster.role_ranks.get(task.role, ranks)
    sharding = sharding_of(config.engine, ranks)
    size = Size.of((scorer_class if task.scorer else policy_class)(architecture, "model"), architecture, task.lora)
    found = held(size, sharding, config.model.dtype, task.trained)
    if task.stage == "ppo" and task.role == "policy":
        found = replace(found, transport=found.transport + _bucket(config, size))
    scratch = optimiser_scratch(size, sharding, cluster.gpus_per_rank > 0) if task.trained else 0.0
    work = None if rehearsed is None else _work(config, task, architecture, rehearsed)
    return Holding(task, size, found, work, int(config.engine.gradient_checkpointing), scratch)


def _work(
    config: Config, task: Task, architecture: PreTrainedConfig, rehearsed: dict[Passes, Work | None]
) -> tuple[Work, Work] | None:
    positions = Limits.of(architecture).positions
    asked = [_passes(config, task, positions, recomputed and task.trained) for recomputed in (False, True)]
    for passes in asked:
        if passes not in rehearsed:
            rehearsed[passes] = _rehearsed(architecture, passes)
    whole, recomputed = (rehearsed[passes] for passes in asked)
    return (whole, recomputed) if whole and recomputed else None


def _passes(config: Config, task: Task, positions: int | None, recomputed: bool) -> Passes:
    """A micro-batch of rows as long as they come, of which the head of a language model reads all but the first."""
    length = max(2, min(task.longest, positions or task.longest))
    rows = max(1, task.tokens // length)
    # A reward model says one number of a row, a critic one of every token.
    read = rows if task.role == "reward" else rows * (length - 1)
    passes = Passes(task.scorer, task.trained, recomputed, config.model.dtype, rows, length, read)
    if task.trained and task.lora:
        return replace(passes, rank=task.lora.rank, targets=tuple(task.lora.target_modules))
    return passes


def _rehearsed(architecture: PreTrainedConfig, passes: Passes) -> Work | None:
    try:
        return rehearse(architecture, passes)
    except (RuntimeError, IndexError):  # what it does depends on numbers, or its layers are not alike
        return None


def _engine(config: Config, architecture: PreTrainedConfig) -> Engine:
    """vLLM is given its cache; the transformers engine's is as large as its largest batch."""
    rollout, dtype = config.rollout, config.model.dtype
    size = Size.of(policy_class(architecture, "model"), architecture)
    cache = float(keys_and_values(architecture, rollout.max_batch_tokens, dtype))
    if rollout.engine == "vllm":
        cache = float(rollout.kv_cache_mb << 20)
    return Engine(size.parameters * BYTES[dtype], cache, _bucket(config, size))


def _bucket(config: Config, size: Size) -> float:
    """Weights on their way to the engines: whole tensors, as the engines have them, and no more than there are."""
    each = BYTES[config.model.dtype]
    return float(each * min(size.parameters, max(size.tensor, (config.weight_sync.bucket_mb << 20) // each)))
