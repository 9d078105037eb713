"""Every setting of a run, typed, with its default. YAML files and command-line overrides fill these in.

Batch sizes go by three words and only three: ``prompts_per_step`` (problems sampled for one PPO step),
``minibatch_size`` (samples in one optimiser update, over all ranks; for the reward model a sample is a
pair) and ``microbatch_tokens`` (padded tokens in one forward pass on one device: a matter of memory, never
of results).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rewardranker.config.endpoint import EndpointConfig


@dataclass
class RunConfig:
    name: str = "run"
    root: str = "runs"
    seed: int = 0


@dataclass
class TinyConfig:
    """A Llama with random weights and a tokenizer of the family's own words, made at run time."""

    hidden: int = 96
    layers: int = 3
    heads: int = 6
    max_positions: int = 256


@dataclass
class ModelConfig:
    """The generator's starting weights; the reward model starts from the generator after SFT.

    ``path`` is a model directory or a hub name. Left empty, ``tiny`` is built. ``chat`` wraps prompts in the
    tokenizer's chat template.
    """

    path: str = ""
    chat: bool = False
    tiny: TinyConfig = field(default_factory=TinyConfig)
    dtype: str = "float32"
    attn_implementation: str = "auto"


@dataclass
class FamilyConfig:
    """The built-in problems: compositions of list operations, solved by simulated authors with habits."""

    seed: int = 0
    train_problems: int = 1800
    validation_problems: int = 100
    test_problems: int = 200
    min_operations: int = 1
    max_operations: int = 2
    mistaken_share: float = 0.4
    correct_probability: float = 0.75
    mistaken_correct_probability: float = 0.3


@dataclass
class MbppConfig:
    """MBPP by task id, from a file or, where ``path`` is empty, from the hub. Ranges include both ends; limits
    above 0 keep so many problems, evenly spaced."""

    path: str = ""
    hub_name: str = "google-research-datasets/mbpp"
    train_ids: list[int] = field(default_factory=lambda: [601, 974])
    validation_ids: list[int] = field(default_factory=lambda: [511, 600])
    test_ids: list[int] = field(default_factory=lambda: [11, 510])
    validation_limit: int = 0
    test_limit: int = 0


@dataclass
class DataConfig:
    """``sft_*`` choose what the generator imitates, ``triplet_*`` the first preferences.

    ``triplet_source``: ``humans``, where people left failing solutions too, or ``samples``, where failing (and
    more passing) ones are sampled from the SFT model. ``options``: what a source of your own reads.
    """

    source: str = "family"
    options: dict[str, Any] = field(default_factory=dict)
    family: FamilyConfig = field(default_factory=FamilyConfig)
    mbpp: MbppConfig = field(default_factory=MbppConfig)
    sft_problems: int = 1000
    sft_solutions: int = 4
    triplet_source: str = "humans"
    triplet_problems: int = 600
    triplet_solutions: int = 12
    triplets_per_problem: int = 64


@dataclass
class OptimConfig:
    """AdamW. ``warmup`` is a share of the steps; ``schedule`` is constant, linear or cosine, down to
    ``min_lr_ratio * lr``."""

    lr: float = 1e-5
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    schedule: str = "cosine"
    warmup: float = 0.03
    min_lr_ratio: float = 0.0


@dataclass
class SFTConfig:
    """``steps`` 0 means ``epochs`` passes. Samples longer than ``max_tokens`` are dropped and counted."""

    steps: int = 0
    epochs: float = 1.0
    minibatch_size: int = 64
    microbatch_tokens: int = 8192
    max_tokens: int = 4000
    checkpoint_every: int = 100
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=2e-5, weight_decay=0.1))


@dataclass
class RewardConfig:
    """``retrain_steps`` is for the retrained models of later iterations and the control (0: ``steps``).
    ``group_pairs`` keeps the pairs of a problem in one minibatch (Ouyang et al. 2022, section 3.5)."""

    steps: int = 0
    retrain_steps: int = 0
    epochs: float = 1.0
    minibatch_size: int = 64
    microbatch_tokens: int = 8192
    max_tokens: int = 4000
    margin: float = 0.0
    centring: float = 0.01
    group_pairs: bool = True
    init: str = "sft"
    checkpoint_every: int = 100
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=1e-5))


@dataclass
class KLConfig:
    """KL penalty in the reward. ``target`` is in nats per sequence, ``horizon`` in samples."""

    coef: float = 0.01
    controller: str = "fixed"
    target: float = 6.0
    horizon: int = 10000


@dataclass
class PPOConfig:
    """``options``: what an advantage estimator of your own reads."""

    steps: int = 100
    prompts_per_step: int = 128
    samples_per_prompt: int = 8
    minibatch_size: int = 128
    microbatch_tokens: int = 8192
    inner_epochs: int = 1
    max_new_tokens: int = 1024
    temperature: float = 1.0
    advantage: str = "gae"
    options: dict[str, Any] = field(default_factory=dict)
    gamma: float = 1.0
    lam: float = 0.95
    clip: float = 0.2
    value_clip: float = 0.2
    dual_clip: float = 3.0
    kl: KLConfig = field(default_factory=KLConfig)
    reward_normalisation: str = "running"
    reward_scale: float = 1.0
    reward_clip: float = 10.0
    missing_eos_penalty: float = 1.0
    critic_warmup_steps: int = 0
    execute_rollouts: bool = True
    checkpoint_every: int = 10
    logprob_gap_warn: float = 0.005
    logprob_gap_abort: float = 0.5
    policy_optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(lr=1e-6, eps=1e-5, schedule="constant", warmup=0.0)
    )
    critic_optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(lr=9e-6, eps=1e-5, schedule="constant", warmup=0.0)
    )


@dataclass
class GenerationConfig:
    """Candidates for reranking and mining (PPO has its own sampling)."""

    n: int = 10
    temperature: float = 0.7
    top_k: int = 50
    max_new_tokens: int = 1024
    prompts_per_shard: int = 64
    backend: str = "actors"


@dataclass
class JudgeConfig:
    """``executors`` actors judge side by side, each in the best sandbox that its machine offers; a run does not
    start where that is weaker than ``minimum_tier`` (``rewardranker doctor`` says why it is). It stops when more
    than ``max_infra_share`` of a pool could not be judged. With a ``remote_url``, programs run on the SandboxFusion
    server at that address instead, whatever it confines them by (``docs/judging.md``)."""

    executors: int = 2
    cpus_per_executor: float = 1.0
    cache: bool = True
    minimum_tier: str = "C"
    remote_url: str = ""
    max_infra_share: float = 0.01


@dataclass
class MiningConfig:
    """A failing candidate is a hard negative when the reward model ranks it within ``max_rank`` of ``n``,
    or above a passing sibling."""

    problems: int = 800
    n: int = 16
    max_rank: int = 3
    max_per_problem: int = 4
    new_share: float = 0.5
    confirm: bool = True


@dataclass
class CycleConfig:
    """``variants`` are trained from iteration 2 on. ``new_policies``: all (a new policy for every retrained
    reward model), best (for the one that ranks best on validation) or none. ``control`` retrains the first
    reward model on the first triplets alone, ``control_policy`` also trains a policy against it.
    ``patience_se``: iteration stops early unless validation rerank@1 rises by that many standard errors (0:
    never stops early). ``extra_stages`` run at the end, in order."""

    iterations: int = 2
    variants: list[str] = field(default_factory=lambda: ["hardnegatives", "selftraining"])
    control: bool = True
    control_policy: bool = False
    new_policies: str = "best"
    patience_se: float = 0.0
    extra_stages: list[str] = field(default_factory=list)


@dataclass
class EvaluationConfig:
    n: int = 10
    bootstrap: int = 2000
    policy_samples: int = 10


@dataclass
class BenchmarkSet:
    """One public benchmark. ``source``: a file, a data set directory or a name on the hub, empty for the benchmark's
    own place there; ``{language}`` in it stands for each language's code (``cpp``, ``cs``, ``sh``, ...).
    ``languages`` empty: all that the source has. ``limit`` above 0 keeps so many problems per language, the same
    ones in each, also in other sets of the same benchmark with the same limit. ``style`` empty: DeepSeek-Coder's for
    base or, with ``model.chat``, for instruct models."""

    name: str = ""
    source: str = ""
    languages: list[str] = field(default_factory=list)
    limit: int = 0
    style: str = ""


@dataclass
class BenchmarkConfig:
    """What ``rewardranker evaluate`` does: samples from ``model.path``, or from ``endpoint`` where that has a
    ``base_url``, for every set, language and seed, judges, and ranks.

    ``rankers``: trained networks by name; the name begins with the kind (rewardranker, coderanker or lever). They
    read the problems as the loaders give them, as in training. Whether inside a chat template, and how long a
    verifier's text may be, is what their directory records; ``rankers_chat`` says the first for networks that
    record nothing (null: as ``model.chat`` says).
    ``generated_tests``: how many texts of tests to sample per Python problem, for CodeT (0: none; local models).
    ``reviewer``: also rank by Coder-Reviewer, a second pass of the generator (local models). ``greedy``: also one
    greedy answer.

    ``partial``: go on without what is not there: languages without a tool-chain, samples that an endpoint did not
    give (counted in the tables). Without it the command ends where samples are missing. With and without, what came
    is kept, and every further run of the same command asks for what is missing and nothing else."""

    sets: list[BenchmarkSet] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [0])
    rankers: dict[str, str] = field(default_factory=dict)
    rankers_chat: bool | None = None
    baseline: str = "random"
    greedy: bool = True
    generated_tests: int = 0
    reviewer: bool = False
    partial: bool = False


@dataclass
class EngineConfig:
    """``kind`` is torch or deepspeed; ``launcher`` is actors, or ray_train for SFT and reward model.

    ``shared_prompts``: responses to one prompt are run together after it, where the network can; the same numbers
    within rounding, and fewer tokens. ``trained_layers``: how many of the last layers of a reward model train, with
    its final norm and its head (0: everything); what the others say to a text is computed once and kept in memory.
    Policies and critics train whole."""

    kind: str = "torch"
    launcher: str = "actors"
    shared_prompts: bool = True
    trained_layers: int = 0


@dataclass
class ClusterConfig:
    """``address``: local (start Ray here), auto (join the cluster of the environment) or host:port.

    Placement: ``colocated`` puts policy, critic, reference and reward model into each of ``ranks``
    workers; ``disaggregated`` gives each role its own workers (``role_ranks``, default ``ranks``).
    """

    address: str = "local"
    num_cpus: int = 0
    placement: str = "colocated"
    ranks: int = 1
    role_ranks: dict[str, int] = field(default_factory=dict)
    cpus_per_rank: float = 1.0
    gpus_per_rank: float = 0.0
    threads_per_rank: int = 0
    object_store_mb: int = 500
    placement_timeout_s: float = 120.0
    call_timeout_s: float = 1800.0
    collective_timeout_s: float = 300.0
    max_restarts: int = 2


@dataclass
class RolloutConfig:
    """``engine`` auto: vllm where it is installed and a GPU is asked for, else transformers. ``in_workers``
    puts the transformers engine into the training workers, which spares a laptop the extra processes."""

    engine: str = "auto"
    in_workers: bool = False
    workers: int = 1
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    max_batch_tokens: int = 32768
    max_model_len: int = 2048
    kv_cache_mb: int = 256
    max_num_seqs: int = 256
    timeout_s: float = 1800.0


@dataclass
class WeightSyncConfig:
    """``transport``: object_store, gloo, nccl, or auto (nccl between GPUs, else object_store)."""

    transport: str = "auto"
    bucket_mb: int = 256
    timeout_s: float = 300.0


@dataclass
class Config:
    run: RunConfig = field(default_factory=RunConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    sft: SFTConfig = field(default_factory=SFTConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    mining: MiningConfig = field(default_factory=MiningConfig)
    cycle: CycleConfig = field(default_factory=CycleConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    benchmark: BenchmarkConfig = field(default_factory=BenchmarkConfig)
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    weight_sync: WeightSyncConfig = field(default_factory=WeightSyncConfig)
