"""Every setting of a run, typed, with its default and a sentence. YAML files and command-line overrides fill them.

Batch sizes go by three words and only three: ``prompts_per_step`` (problems sampled for one PPO step),
``minibatch_size`` (samples in one optimiser update, over all ranks; for the reward model a sample is a
pair) and ``microbatch_tokens`` (padded tokens in one forward pass on one device: a matter of memory, never
of results).

What stands here is also what ``rewardranker settings`` prints and ``docs/settings.md`` holds: a section's docstring,
and the sentence, unit and choices of every :func:`setting`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rewardranker.config.endpoint import EndpointConfig
from rewardranker.config.setting import setting

SCHEDULES = ("constant", "linear", "cosine")

#: What can train by LoRA: the stages of SFT and reward models, and the roles that learn in PPO.
LORA_ROLES = ("sft", "reward", "policy", "critic")

#: Where a scorer's number for a program is read: at its last token, or at each of its tokens, as their mean.
POOLINGS = ("last", "mean")


@dataclass(frozen=True)
class ScorerShape:
    """What is made of a language model's decoder: its first ``layers`` layers, 0 for all, read by ``pooling``."""

    layers: int = 0
    pooling: str = "last"


@dataclass
class RunConfig:
    """Name, place and seed of a run: what every stage shares."""

    name: str = setting("run", "The run's directory below `root`; another name is another run.")
    root: str = setting("runs", "Where runs are kept; on a cluster, storage that all nodes share.")
    seed: int = setting(0, "Of everything that is drawn; seeds of stages, problems and samples derive from it.")


@dataclass
class TinyConfig:
    """A Llama with random weights and a tokenizer of the built-in problems' own words, made where `model.path` is
    empty."""

    hidden: int = setting(96, "Width; a multiple of twice `heads`.")
    layers: int = setting(3, "Decoder layers.")
    heads: int = setting(6, "Attention heads; vLLM needs heads of at least 32 numbers.")
    max_positions: int = setting(256, "Longest text, prompt and answer.", unit="tokens")


@dataclass
class ModelConfig:
    """The generator's starting weights; the reward model starts from the generator after SFT. Every stage that has a
    network."""

    path: str = setting("", "Model directory or hub name of the generator; empty: `model.tiny` is made.")
    chat: bool = setting(False, "Put prompts in the tokenizer's chat template.")
    tiny: TinyConfig = field(default_factory=TinyConfig)
    dtype: str = setting(
        "float32",
        "Of frozen networks and engines, and of what trained ones compute in; trained weights stay fp32.",
        choices=("float32", "bfloat16"),
    )
    attn_implementation: str = setting(
        "auto", "Attention of transformers; auto leaves it to the model.",
        choices=("auto", "eager", "sdpa", "flash_attention_2"),
    )  # fmt: skip


@dataclass
class FamilyConfig:
    """The built-in problems: compositions of list operations, solved by simulated authors with habits
    (`data.source=family`)."""

    seed: int = setting(0, "Of the problems and their authors, whatever the run's seed.")
    train_problems: int = setting(1800, "Problems to train on and to mine.")
    validation_problems: int = setting(100, "Problems that choose between reward models.")
    test_problems: int = setting(200, "Problems of the result table.")
    min_operations: int = setting(1, "Fewest operations in a problem.")
    max_operations: int = setting(2, "Most operations in a problem.")
    mistaken_share: float = setting(0.4, "Share of the phrases that are commonly got wrong.")
    correct_probability: float = setting(0.75, "Chance that an author gets any other phrase right.")
    mistaken_correct_probability: float = setting(0.3, "Chance that an author gets such a phrase right.")


@dataclass
class MbppConfig:
    """MBPP by task id (`data.source=mbpp`). Ranges include both ends; limits keep so many problems, evenly spaced."""

    path: str = setting("", "MBPP's JSON lines; empty: from the hub.")
    hub_name: str = setting("google-research-datasets/mbpp", "Data set on the hub, where `path` is empty.")
    train_ids: list[int] = setting([601, 974], "First and last task to train on and to mine.")
    validation_ids: list[int] = setting([511, 600], "First and last task that choose between reward models.")
    test_ids: list[int] = setting([11, 510], "First and last task of the result table.")
    validation_limit: int = setting(0, "So many validation tasks; 0: all.")
    test_limit: int = setting(0, "So many test tasks; 0: all.")


@dataclass
class DataConfig:
    """Problems, what the generator imitates (`sft_*`), and the first preferences (`triplet_*`): the stages `data`,
    `sft` and `triplets-1`."""

    source: str = setting("family", "Where problems and solutions come from.")
    options: dict[str, Any] = setting({}, "What a source of contests, or of your own, reads.")
    instruction: str = setting(
        "", "A last line of every prompt: what an answer shall be. `{language}` in it is the problem's, as `C++`."
    )
    family: FamilyConfig = field(default_factory=FamilyConfig)
    mbpp: MbppConfig = field(default_factory=MbppConfig)
    sft_problems: int = setting(1000, "Training problems whose solutions the generator imitates.")
    sft_solutions: int = setting(4, "Solutions of each of these, where the source writes them.")
    triplets: str = setting(
        "",
        "Directory that `rewardranker triplets --out` left: its triplets are the first ones; empty: the cycle makes "
        "them, as the settings below say.",
    )
    triplet_source: str = setting(
        "humans",
        "humans: failing and passing solutions that people left; samples: more of both, sampled from the SFT model.",
        choices=("humans", "samples"),
    )
    triplet_problems: int = setting(600, "Training problems of the first triplets; mining prefers the other ones.")
    triplet_solutions: int = setting(12, "Solutions of each of these: written by the source, or sampled.")
    triplets_per_problem: int = setting(64, "At most so many triplets of a problem, drawn at random.")


@dataclass
class OptimConfig:
    """AdamW, and the learning rate over the steps."""

    lr: float = setting(1e-5, "Peak learning rate.")
    beta1: float = setting(0.9, "Decay of the mean of gradients.")
    beta2: float = setting(0.95, "Decay of the mean of squared gradients.")
    eps: float = setting(1e-8, "Added to the root of the second moment.")
    weight_decay: float = setting(0.0, "Decoupled weight decay.")
    max_grad_norm: float = setting(1.0, "Gradients are scaled down to this norm, over all parameters.")
    schedule: str = setting("cosine", "Learning rate after the warm-up.", choices=SCHEDULES)
    warmup: float = setting(0.03, "Share of the steps in which the rate rises from 0.")
    min_lr_ratio: float = setting(0.0, "The rate ends at this share of `lr` (linear and cosine).")


@dataclass
class SFTConfig:
    """Supervised fine-tuning of the generator: stage A, `sft`."""

    enabled: bool = setting(True, "false: the generator is taken as it is, such as one that is tuned already.")
    steps: int = setting(0, "Updates; 0: `epochs` passes.")
    epochs: float = setting(1.0, "Passes over the examples, where `steps` is 0.")
    minibatch_size: int = setting(64, "Samples in one update, over all ranks.")
    microbatch_tokens: int = setting(8192, "In one forward pass on one device: memory, never results.", unit="tokens")
    max_tokens: int = setting(4000, "Longer samples are dropped, and counted.", unit="tokens")
    checkpoint_every: int = setting(100, "A resumed stage goes on from a multiple of so many.", unit="steps")
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=2e-5, weight_decay=0.1))


@dataclass
class RewardConfig:
    """The reward models, by Bradley and Terry's loss: stages B and E, `reward-*`."""

    steps: int = setting(0, "Updates of the first model; 0: `epochs` passes.")
    retrain_steps: int = setting(0, "Updates of the control and of the retrained models; 0: as many as `steps`.")
    epochs: float = setting(1.0, "Passes over the pairs, where `steps` is 0.")
    minibatch_size: int = setting(64, "Pairs in one update, over all ranks.")
    microbatch_tokens: int = setting(8192, "In one forward pass on one device: memory, never results.", unit="tokens")
    max_tokens: int = setting(4000, "Pairs with a longer side are left out.", unit="tokens")
    margin: float = setting(0.0, "By how much the chosen program should lead.")
    centring: float = setting(0.01, "Weight of the squared sum of a pair's scores, which keeps them near zero.")
    group_pairs: bool = setting(True, "Pairs of a problem come in one minibatch (Ouyang et al. 2022, section 3.5).")
    backbone: str = setting(
        "",
        "Model directory or hub name that reward models start from, with a tokenizer of its own; empty: the "
        "generator after SFT.",
    )
    chat: bool | None = setting(None, "Put problems in the backbone's chat template; null: as `model.chat`.")
    layers: int = setting(0, "Reward models have so many of the first layers of what they start from; 0: all.")
    pooling: str = setting(
        "last",
        "Where a program's score is read: at its last token, as libraries' classes for sequences do, or as the mean "
        "over its tokens; such a model loads in RewardRanker and nowhere else.",
        choices=POOLINGS,
    )
    head_penalty: float = setting(
        0.0,
        "Before the first update the head is fitted to the pairs, over states that do not move, with this penalty on "
        "its squares (Kumar et al. 2022); 0: it begins as it is drawn. With few pairs, try 0.3.",
    )
    init: str = setting(
        "sft",
        "Where retrained models begin: where the first one began, or with the reward model before.",
        choices=("sft", "previous"),
    )
    checkpoint_every: int = setting(100, "A resumed stage goes on from a multiple of so many.", unit="steps")
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=1e-5))

    @property
    def shape(self) -> ScorerShape:
        """What is made of the model that reward models start from."""
        return ScorerShape(self.layers, self.pooling)


@dataclass
class KLConfig:
    """The KL penalty to the SFT model, in the reward."""

    coef: float = setting(0.01, "Weight of the penalty; where the adaptive controller begins.")
    controller: str = setting(
        "fixed", "adaptive moves `coef` towards `target` (Ziegler et al. 2019).", choices=("fixed", "adaptive")
    )
    target: float = setting(6.0, "KL that the adaptive controller aims at.", unit="nats per sequence")
    horizon: int = setting(10000, "How slowly the adaptive controller moves.", unit="samples")


@dataclass
class PPOConfig:
    """PPO of the policies against a reward model: stages C and E, `ppo-*`."""

    steps: int = setting(100, "Each samples, scores and learns once.")
    prompts_per_step: int = setting(128, "Problems sampled for one step.")
    samples_per_prompt: int = setting(8, "Answers to each of these.")
    minibatch_size: int = setting(128, "Samples in one update, over all ranks; divides those of a step.")
    microbatch_tokens: int = setting(8192, "In one forward pass on one device: memory, never results.", unit="tokens")
    inner_epochs: int = setting(1, "Passes over a step's samples.")
    max_new_tokens: int = setting(1024, "Longest answer.", unit="tokens")
    temperature: float = setting(1.0, "Of sampling, and of the log-probabilities in training.")
    advantage: str = setting("gae", "Estimator of advantages; grpo and rloo need no critic, and several samples.")
    options: dict[str, Any] = setting({}, "What an estimator of your own reads.")
    gamma: float = setting(1.0, "Discount per token.")
    lam: float = setting(0.95, "GAE's lambda.")
    clip: float = setting(0.2, "The ratio to the old policy is clipped to 1 plus or minus this.")
    value_clip: float = setting(0.2, "A new value stays this near to the old one.")
    importance_cap: float = setting(
        2.0,
        "A token of older weights (`rollout.mode=one_step_off`) weighs pi_old / pi_behaviour, and at most this.",
    )
    dual_clip: float = setting(3.0, "Bounds the loss where the advantage is negative (Ye et al. 2020); 0: off.")
    kl: KLConfig = field(default_factory=KLConfig)
    reward_normalisation: str = setting(
        "running", "running: scores less their running mean, over their deviation; none: raw.",
        choices=("running", "none"),
    )  # fmt: skip
    reward_scale: float = setting(1.0, "Factor on the (normalised) score.")
    reward_clip: float = setting(10.0, "The scaled score is cut to plus or minus this.")
    missing_eos_penalty: float = setting(1.0, "Subtracted from the score of an answer that does not end.")
    critic_init: str = setting(
        "auto",
        "What the critic starts from: the reward model, or the policy with a head that is drawn; auto: the reward "
        "model, unless `reward.backbone` cuts texts into other tokens than the policy.",
        choices=("auto", "reward", "policy"),
    )
    critic_warmup_steps: int = setting(0, "First steps in which the critic alone learns.")
    execute_rollouts: bool = setting(True, "Also run every sample's tests, for the pass rate in the curves.")
    checkpoint_every: int = setting(10, "A resumed stage goes on from a multiple of so many.", unit="steps")
    logprob_gap_warn: float = setting(
        0.005, "Warns where engine and trainer differ by more in log-probability, on average.", unit="nats per token"
    )
    logprob_gap_abort: float = setting(0.5, "Ends the run where they differ by more.", unit="nats per token")
    policy_optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(lr=1e-6, eps=1e-5, schedule="constant", warmup=0.0)
    )
    critic_optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(lr=9e-6, eps=1e-5, schedule="constant", warmup=0.0)
    )


@dataclass
class GenerationConfig:
    """Sampling of candidates to rank and to mine (PPO has its own): `validation`, `triplets-1`, `generate-*`,
    `evaluate`, and the command `generate`."""

    n: int = setting(10, "Candidates per problem, in `generate` and in `rewardranker evaluate`.")
    temperature: float = setting(0.7, "Of sampling.")
    top_k: int = setting(50, "Only so many most probable tokens are drawn from; 0: all.")
    max_new_tokens: int = setting(1024, "Longest answer.", unit="tokens")
    prompts_per_shard: int = setting(64, "Problems in a shard; what was cut off goes on from whole ones.")
    backend: str = setting(
        "actors", "Who samples and judges large pools: our own actors, or Ray Data.", choices=("actors", "ray_data")
    )


@dataclass
class JudgeConfig:
    """Running programs against their tests (`docs/judging.md`): in every stage with candidates. How, not what: no
    stage runs again for it."""

    executors: int = setting(2, "Judges side by side, each in the best sandbox that its machine offers.")
    cpus_per_executor: float = setting(1.0, "What each reserves.", unit="CPUs")
    cache: bool = setting(True, "Keep verdicts in the run directory, so that no program is run twice.")
    minimum_tier: str = setting(
        "C",
        "A run does not start where the sandbox is weaker (`rewardranker doctor` says why it is).",
        choices=("A+", "A", "B", "C", "D"),
    )
    remote_url: str = setting("", "Address of a SandboxFusion server that runs the programs instead.")
    max_infra_share: float = setting(0.01, "A run ends where a larger share of a pool could not be judged.")


@dataclass
class MiningConfig:
    """Hard negatives: failing candidates that the reward model ranks within `max_rank` of `n`, or above a passing
    sibling. Stage D, `generate-*` and `mine-*`."""

    problems: int = setting(800, "Training problems that are sampled for mining, other ones each iteration.")
    n: int = setting(16, "Candidates of each of these.")
    max_rank: int = setting(3, "A failing program that ranks as high is hard.")
    max_per_problem: int = setting(4, "At most so many hard negatives of a problem.")
    new_share: float = setting(0.5, "Share of mined pairs in a minibatch of the retrained reward models.")
    confirm: bool = setting(True, "A hard negative has to fail a second time.")
    label_suspected: bool = setting(
        False, "Mine problems too whose every program fails at the call that the tests make (`docs/problems.md`)."
    )


@dataclass
class CycleConfig:
    """How often the cycle turns, and what it trains each time."""

    iterations: int = setting(2, "1: one reward model and one policy; each further one mines and retrains.")
    variants: list[str] = setting(
        ["hardnegatives", "selftraining"],
        "What retrained models learn from: hard negatives against known solutions, against the policy's own passing "
        "programs, or as many random failures.",
        choices=("hardnegatives", "selftraining", "randomnegatives"),
    )
    control: bool = setting(True, "Also train the first reward model as long on the first triplets alone.")
    control_policy: bool = setting(False, "Also train a policy against the control.")
    new_policies: str = setting(
        "best",
        "Variants that get a new policy, and so go on to the next iteration: all, the best on validation, or none.",
        choices=("all", "best", "none"),
    )
    patience_se: float = setting(
        0.0,
        "Iteration ends unless reranking on validation rises by more than so many of its standard errors; 0: never.",
        unit="standard errors",
    )
    extra_stages: list[str] = setting([], "Stages of your own, run at the end, in order.")


@dataclass
class EvaluationConfig:
    """The cycle's last stage, `evaluate`: every ranker on the same pools of test problems."""

    n: int = setting(10, "Candidates per problem of a pool, also of the validation pool.")
    bootstrap: int = setting(2000, "Resamples behind an interval.")
    policy_samples: int = setting(10, "Candidates per problem of the later policies, of which only pass@1 is wanted.")


@dataclass
class BenchmarkSet:
    """One public benchmark of `benchmark.sets`."""

    name: str = setting("", "multipl_e, multipl_e_humaneval, multipl_e_mbpp, humaneval, humaneval_x or mbpp.")
    source: str = setting(
        "",
        "A file, a data set directory or a name on the hub, where `{language}` stands for each language's code (cpp, "
        "cs, sh, ...); empty: the benchmark's own place there.",
    )
    languages: list[str] = setting([], "Which of its languages; empty: all that the source has.")
    limit: int = setting(0, "So many problems per language, the same ones in each; 0: all.")
    style: str = setting("", "How problems are put; empty: DeepSeek-Coder's prompts, for base or for chat models.")
    instruction: str = setting("", "A last line of every prompt, as `data.instruction`; for styles of chat models.")


@dataclass
class BenchmarkConfig:
    """`rewardranker evaluate`: samples from `model.path`, or from `endpoint` where that has a `base_url`, for every
    set, language and seed, judges, and ranks."""

    sets: list[BenchmarkSet] = setting([], "The benchmarks.", items=BenchmarkSet)
    seeds: list[int] = setting([0], "A pool is sampled for each.")
    rankers: dict[str, str] = setting(
        {}, "Trained networks by a name that begins with their kind: rewardranker, coderanker or lever."
    )
    rankers_chat: bool | None = setting(
        None,
        "Whether networks whose directory does not say it read problems in a chat template; null: as `model.chat`.",
    )
    baseline: str = setting("random", "The ranker that others are compared with.")
    greedy: bool = setting(True, "Also one greedy answer to each problem.")
    generated_tests: int = setting(
        0, "Texts of tests to sample per Python problem, for CodeT; 0: none; local models."
    )
    reviewer: bool = setting(False, "Also rank by Coder-Reviewer, a second pass of the generator; local models.")
    partial: bool = setting(
        False,
        "Go on without languages that lack a tool-chain and samples that an endpoint did not give (counted); without "
        "it the command ends there. What came is kept either way, and the same command asks for the rest.",
    )


@dataclass
class LoraConfig:
    """LoRA: weights stay as they are, and low-rank additions to linear layers train; heads of reward models and
    critics train whole. What is sampled from and exported is the sum of both; the additions lie beside it."""

    rank: int = setting(0, "Rank of the additions; 0: all weights train.")
    role_ranks: dict[str, int] = setting(
        {},
        "Of sft, reward (the stages), policy, critic (in PPO), where not `rank`; 0: all weights of that one train.",
    )
    alpha: int = setting(32, "Additions count `alpha` / rank times.")
    dropout: float = setting(0.0, "Of what the additions read, in SFT and reward stages; PPO drops nothing out.")
    target_modules: list[str] = setting(
        [], "Linear layers, by the last parts of their names, as `q_proj`; empty: all of the decoder."
    )

    @property
    def used(self) -> bool:
        """Whether anything trains so."""
        return any(self.rank_of(role) for role in LORA_ROLES)

    def rank_of(self, role: str) -> int:
        """Of one of :data:`LORA_ROLES`."""
        return self.role_ranks.get(role, self.rank)

    def of(self, role: str) -> LoraConfig | None:
        """As one of :data:`LORA_ROLES` has it; ``None`` where all of its weights train."""
        if not self.rank_of(role):
            return None
        dropout = 0.0 if role in ("policy", "critic") else self.dropout
        return replace(self, rank=self.rank_of(role), role_ranks={}, dropout=dropout)


@dataclass
class EngineConfig:
    """How networks are trained."""

    kind: str = setting(
        "torch",
        "The training engine. torch: every rank holds whole networks; deepspeed, fsdp2: ranks share them.",
    )
    zero_stage: int | None = setting(
        None,
        "Of deepspeed, what ranks share: 1 the optimiser's moments, 2 also gradients, 3 also weights; 0 nothing; "
        "null: 2. fsdp2 shares all three.",
    )
    offload: str = setting(
        "none",
        "Of deepspeed, what is kept in the host's memory; parameters: of stage 3, and the optimiser too.",
        choices=("none", "optimizer", "parameters"),
    )
    launcher: str = setting(
        "actors",
        "Who starts the ranks of SFT and reward models: our own actors, or Ray Train.",
        choices=("actors", "ray_train"),
    )
    shared_prompts: bool = setting(
        True,
        "Run answers to one prompt together after it, where the network can: equal within rounding, fewer tokens.",
    )
    gradient_checkpointing: bool = setting(
        False,
        "Layers keep their inputs alone and run again in the backward pass: a third more time, a fraction of the "
        "memory of activations, the same numbers.",
    )
    trained_layers: int = setting(
        0,
        "Only so many last layers of a reward model train, with norm and head; what the others say is computed once "
        "and kept in memory; 0: all. Policies and critics train whole.",
        unit="layers",
    )
    lora: LoraConfig = field(default_factory=LoraConfig)


@dataclass
class ClusterConfig:
    """Ray, and the training workers (`docs/cluster.md`). How, not what: no stage runs again for it."""

    address: str = setting("local", "local: start Ray here; auto: join the cluster of the environment; or HOST:PORT.")
    num_cpus: int = setting(
        0,
        "What a local Ray is told to have, so that processes can share cores; 0: the cores that there are.",
        unit="CPUs",
    )
    placement: str = setting(
        "colocated",
        "colocated: policy, critic, reference and reward model in each of `ranks` workers; disaggregated: workers of "
        "its own for each role.",
        choices=("colocated", "disaggregated"),
    )
    share_devices: bool = setting(
        False,
        "Engines on the devices of the training workers, in turns: what learns waits in the host's memory while "
        "engines sample, and they sleep while it learns. Colocated only; it is GPUs that this makes room on.",
    )
    ranks: int = setting(1, "Training workers: of all roles, or of each.")
    role_ranks: dict[str, int] = setting(
        {}, "Disaggregated: workers of policy, critic, reference, reward, where not `ranks`."
    )
    cpus_per_rank: float = setting(1.0, "What a training worker reserves.", unit="CPUs")
    gpus_per_rank: float = setting(0.0, "What a training worker reserves; it uses the first one.", unit="GPUs")
    threads_per_rank: int = setting(0, "Torch threads, also of rollout workers; 0: as many as CPUs.")
    object_store_mb: int = setting(500, "Size of a local Ray's object store.", unit="MiB")
    placement_timeout_s: float = setting(120.0, "Longest wait for a group's resources.", unit="s")
    start_timeout_s: float = setting(
        300.0, "Longest start of a worker's process, which imports torch; all of a group's together.", unit="s"
    )
    call_timeout_s: float = setting(1800.0, "Longest call to a role, loading included.", unit="s")
    collective_timeout_s: float = setting(300.0, "Longest collective, and joining the process group.", unit="s")
    max_restarts: int = setting(2, "Restarts of lost training workers per stage.")
    max_replacements: int = setting(
        50, "Engines, and executors, that are replaced per stage before the run ends: something is wrong there."
    )


@dataclass
class RolloutConfig:
    """The engines that sample. Only `engine`, and in PPO `mode`, are what a stage's result depends on."""

    mode: str = setting(
        "sync",
        "PPO's steps. sync: sample, learn, send weights, in turn; one_step_off: the next step's samples are drawn "
        "while this one learns, by weights that are one version older, which importance weights correct.",
        choices=("sync", "one_step_off"),
    )
    engine: str = setting(
        "auto", "auto: vLLM where it is installed and a GPU is asked for, else transformers.", choices=("auto",)
    )
    in_workers: bool = setting(
        False, "Transformers engines inside the training workers, which spares a laptop the extra processes."
    )
    workers: int = setting(1, "Engines of their own processes.")
    cpus_per_worker: float = setting(1.0, "What each reserves.", unit="CPUs")
    gpus_per_worker: float = setting(0.0, "What each reserves; vLLM divides its model over them.", unit="GPUs")
    tensor_parallel: int = setting(
        0,
        "Processes inside a vLLM engine that divide its model, each on a GPU of the engine's, or on CPU; 0: as many "
        "as `gpus_per_worker`.",
    )
    max_batch_tokens: int = setting(32768, "Largest batch of the transformers engine.", unit="tokens")
    max_model_len: int = setting(2048, "Longest prompt and answer, of vLLM.", unit="tokens")
    kv_cache_mb: int = setting(256, "Keys and values of an engine of vLLM; 0: vLLM decides (on GPUs).", unit="MiB")
    max_num_seqs: int = setting(256, "Sequences that vLLM runs at once.")
    timeout_s: float = setting(1800.0, "Engines are replaced when none finishes a chunk for so long.", unit="s")

    @property
    def parts(self) -> int:
        """Over how many processes an engine divides its model."""
        return self.tensor_parallel or max(1, int(self.gpus_per_worker))


@dataclass
class WeightSyncConfig:
    """The policy's weights on their way to the engines, after every PPO step. How, not what."""

    transport: str = setting(
        "auto",
        "auto: nccl between GPUs, else object_store.",
        choices=("auto", "object_store", "gloo", "nccl"),
    )
    bucket_mb: int = setting(256, "Weights that travel at a time, in whole tensors.", unit="MiB")
    timeout_s: float = setting(300.0, "Longest step of a sync.", unit="s")


@dataclass
class Config:
    """All of it."""

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

    @property
    def reward_chat(self) -> bool:
        """Whether reward models read problems as what a user says."""
        return self.model.chat if self.reward.chat is None else self.reward.chat
