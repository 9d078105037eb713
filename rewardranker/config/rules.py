"""What a config must satisfy beyond its types: every rule names the key, the value found, and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rewardranker.config.choices import check_choice
from rewardranker.config.schema import LORA_ROLES, Config
from rewardranker.config.settings import Setting, settings
from rewardranker.errors import UserError

AT_LEAST_ONE = (
    "sft.minibatch_size", "sft.microbatch_tokens", "sft.max_tokens", "reward.minibatch_size",
    "reward.microbatch_tokens", "reward.max_tokens", "ppo.steps", "ppo.prompts_per_step",
    "ppo.samples_per_prompt", "ppo.minibatch_size", "ppo.microbatch_tokens", "ppo.inner_epochs",
    "ppo.max_new_tokens", "ppo.checkpoint_every", "sft.checkpoint_every", "reward.checkpoint_every",
    "generation.n", "generation.max_new_tokens", "generation.prompts_per_shard", "judge.executors",
    "mining.problems", "mining.n", "mining.max_rank", "mining.max_per_problem", "cycle.iterations",
    "evaluation.n", "evaluation.bootstrap", "evaluation.policy_samples", "cluster.ranks",
    "rollout.workers", "weight_sync.bucket_mb",
    "model.tiny.hidden", "model.tiny.layers", "model.tiny.heads", "data.sft_problems",
    "data.triplet_problems", "ppo.kl.horizon", "ppo.importance_cap",
)  # fmt: skip

POSITIVE = (
    "sft.optim.lr", "reward.optim.lr", "ppo.policy_optim.lr", "ppo.critic_optim.lr", "ppo.temperature",
    "generation.temperature", "ppo.clip", "ppo.value_clip", "ppo.kl.target", "cluster.cpus_per_rank",
    "engine.lora.alpha", "cluster.placement_timeout_s", "cluster.call_timeout_s", "cluster.collective_timeout_s",
    "cluster.start_timeout_s", "weight_sync.timeout_s", "rollout.timeout_s", "ppo.reward_scale",
    "rollout.cpus_per_worker",
)  # fmt: skip

NOT_NEGATIVE = (
    "sft.steps", "reward.steps", "reward.retrain_steps", "cluster.max_restarts", "cluster.max_replacements",
    "cluster.gpus_per_rank", "rollout.gpus_per_worker", "generation.top_k", "ppo.dual_clip", "ppo.kl.coef",
    "ppo.critic_warmup_steps", "ppo.missing_eos_penalty", "cycle.patience_se", "data.mbpp.test_limit",
    "data.mbpp.validation_limit", "judge.cpus_per_executor", "engine.trained_layers",
    "reward.layers", "reward.head_penalty", "rollout.tensor_parallel",
)  # fmt: skip

_UNTRUNCATED = (
    "PPO samples untruncated (top_p 1, top_k off), or the trainer's log-probabilities were not those of the sampler"
)
#: What one may look for and cannot set, and why.
NO_CHOICE = {"ppo.top_p": _UNTRUNCATED, "ppo.top_k": _UNTRUNCATED}

ROLES = ("policy", "critic", "reference", "reward")


def value(config: Config, key: str) -> Any:
    """The setting at a dotted key."""
    node: Any = config
    for part in key.split("."):
        node = vars(node)[part]
    return node


def check(config: Config) -> None:
    """Raises :class:`UserError` for the first rule that the config breaks."""
    for setting in settings().values():
        if setting.choices or setting.takes_code:
            _check_choice(setting, value(config, setting.name))
    for key in AT_LEAST_ONE:
        if value(config, key) < 1:
            raise UserError(f"{key}={value(config, key)}: must be at least 1")
    for key in POSITIVE:
        if not value(config, key) > 0:
            raise UserError(f"{key}={value(config, key)}: must be greater than 0")
    for key in NOT_NEGATIVE:
        if value(config, key) < 0:
            raise UserError(f"{key}={value(config, key)}: must not be negative")
    for rule in _RULES:
        rule(config)


def _check_choice(setting: Setting, found: Any) -> None:
    for name in found if isinstance(found, list) else [found]:
        if setting.takes_code:
            check_choice(setting.name, name, also=setting.about.choices)
        elif name not in setting.choices:
            raise UserError(f"{setting.name}={name!r}: must be one of {', '.join(setting.choices)}")


def _minibatches_fit(c: Config) -> None:
    samples = c.ppo.prompts_per_step * c.ppo.samples_per_prompt
    if samples % c.ppo.minibatch_size:
        raise UserError(
            f"ppo.minibatch_size={c.ppo.minibatch_size} does not divide the {samples} samples of a step "
            f"(prompts_per_step {c.ppo.prompts_per_step} x samples_per_prompt {c.ppo.samples_per_prompt})"
        )
    ranks = max([c.cluster.ranks, *c.cluster.role_ranks.values()])
    for key in ("ppo.minibatch_size", "sft.minibatch_size", "reward.minibatch_size"):
        if value(c, key) < ranks:
            raise UserError(
                f"{key}={value(c, key)} is smaller than cluster.ranks={ranks} (or cluster.role_ranks): "
                "every rank needs a sample in each minibatch"
            )


def _group_baselines(c: Config) -> None:
    if c.ppo.advantage in ("grpo", "rloo") and c.ppo.samples_per_prompt < 2:
        raise UserError(
            f"ppo.advantage={c.ppo.advantage} compares samples of one prompt: "
            f"ppo.samples_per_prompt={c.ppo.samples_per_prompt} must be at least 2"
        )


def _probabilities(c: Config) -> None:
    for key in ("ppo.gamma", "ppo.lam", "mining.new_share", "judge.max_infra_share"):
        if not 0 <= value(c, key) <= 1:
            raise UserError(f"{key}={value(c, key)}: must lie between 0 and 1")


def _heads_divide(c: Config) -> None:
    if not c.model.path and c.model.tiny.hidden % (2 * c.model.tiny.heads):
        raise UserError(
            f"model.tiny.hidden={c.model.tiny.hidden} must be a multiple of twice "
            f"model.tiny.heads={c.model.tiny.heads} (rotary embeddings need an even head size)"
        )


def _tiny_reads_made_problems_only(c: Config) -> None:
    if not c.model.path and c.data.source not in ("family", "made_contests"):
        raise UserError(
            f"data.source={c.data.source} needs a pretrained model: set model.path to a model directory or a "
            "hub name (the tiny model only knows the words of problems that are made here)"
        )


def _triplets_are_asked_alike(c: Config) -> None:
    if c.data.triplets and c.data.instruction:
        raise UserError(
            f"data.triplets={c.data.triplets} with data.instruction: prompts of these triplets have no such last "
            "line, and a reward model would be asked otherwise than it was trained; leave data.instruction empty"
        )


def _mbpp_needs_samples(c: Config) -> None:
    if c.data.source == "mbpp" and c.data.triplet_source == "humans" and not c.data.triplets:
        raise UserError(
            "data.triplet_source=humans: MBPP holds correct solutions only, and pairs need failing ones as well; "
            "set data.triplet_source=samples"
        )


def _remote_address(c: Config) -> None:
    if c.judge.remote_url and not c.judge.remote_url.startswith(("http://", "https://")):
        raise UserError(
            f"judge.remote_url={c.judge.remote_url!r} must be http://HOST:PORT or https://HOST of a SandboxFusion "
            "server, or empty to run programs on this cluster's own machines"
        )


def _labels_are_out_of_reach(c: Config) -> None:
    if c.judge.remote_url and c.data.source == "mbpp":
        raise UserError(
            "data.source=mbpp with judge.remote_url: MBPP's tests are code, which a remote server runs beside the "
            "program (level L1), and no training label may come of that; leave judge.remote_url empty"
        )


def _iterations_have_something_to_do(c: Config) -> None:
    if c.cycle.iterations > 1 and not c.cycle.variants:
        raise UserError("cycle.variants is empty: name at least one variant, or set cycle.iterations=1")
    if c.cycle.iterations > 2 and c.cycle.new_policies == "none":
        raise UserError(
            f"cycle.iterations={c.cycle.iterations} with cycle.new_policies=none: iteration 3 samples from the new "
            "policies of iteration 2; set cycle.new_policies to best or all"
        )


def _role_ranks(c: Config) -> None:
    for role, ranks in c.cluster.role_ranks.items():
        if role not in ROLES or ranks < 1:
            raise UserError(
                f"cluster.role_ranks.{role}={ranks}: roles are {', '.join(ROLES)}, each of 1 rank or more"
            )


def _transports_fit(c: Config) -> None:
    if c.weight_sync.transport == "nccl" and not (c.rollout.gpus_per_worker and c.cluster.gpus_per_rank):
        raise UserError(
            "weight_sync.transport=nccl needs GPUs on both sides: set cluster.gpus_per_rank and "
            "rollout.gpus_per_worker, or use gloo or object_store"
        )


def _rollouts_in_workers(c: Config) -> None:
    if c.rollout.in_workers and (
        c.rollout.engine == "vllm"
        or c.cluster.placement != "colocated"
        or c.weight_sync.transport not in ("auto", "object_store")
    ):
        raise UserError(
            "rollout.in_workers=true needs rollout.engine=transformers (or auto), cluster.placement=colocated and "
            "weight_sync.transport=object_store (or auto): a process cannot send to itself over gloo or nccl"
        )


def _devices_are_shared(c: Config) -> None:
    cluster, rollout = c.cluster, c.rollout
    if not cluster.share_devices:
        return
    setting = "cluster.share_devices=true"
    if cluster.placement != "colocated":
        raise UserError(
            f"{setting} with cluster.placement={cluster.placement}: engines take turns with workers that host all "
            "roles; set cluster.placement=colocated, or cluster.share_devices=false, for devices of their own"
        )
    if rollout.mode != "sync":
        raise UserError(
            f"{setting} with rollout.mode={rollout.mode}: engines would sample while networks learn, on one device; "
            "set rollout.mode=sync, or cluster.share_devices=false"
        )
    if c.generation.backend != "actors":
        raise UserError(
            f"{setting} with generation.backend={c.generation.backend}, which starts engines of its own on other "
            "devices; set generation.backend=actors, or cluster.share_devices=false"
        )
    if c.weight_sync.transport == "nccl":
        raise UserError(
            f"{setting} with weight_sync.transport=nccl: one device cannot be two ranks of it; set "
            "weight_sync.transport=auto, which is object_store then, or gloo"
        )
    each, own = rollout.gpus_per_worker, cluster.gpus_per_rank
    if rollout.engine == "vllm" and not each:
        raise UserError(
            f"{setting} with rollout.engine=vllm: vLLM gives memory back on GPUs alone, and "
            "rollout.gpus_per_worker is 0; set it, or rollout.engine=transformers"
        )
    if (own, each) != (0, 0) and (own != 1 or each < 1 or each % 1):
        raise UserError(
            f"{setting} with cluster.gpus_per_rank={own:g} and rollout.gpus_per_worker={each:g}: engines use the "
            "GPUs of training workers, which have one each; set cluster.gpus_per_rank=1 and as many whole GPUs an "
            "engine as share its model"
        )
    if rollout.workers * max(1, each) > cluster.ranks and not rollout.in_workers:
        raise UserError(
            f"{setting} with rollout.workers={rollout.workers} of {max(1, each):g} devices each, and cluster.ranks="
            f"{cluster.ranks}: there are no more devices than training workers; lower rollout.workers or "
            "rollout.gpus_per_worker"
        )


def _something_overlaps(c: Config) -> None:
    if c.rollout.mode == "one_step_off" and c.rollout.in_workers:
        raise UserError(
            "rollout.mode=one_step_off with rollout.in_workers=true: a worker that learns cannot sample meanwhile; "
            "set rollout.in_workers=false, for engines in processes of their own, or rollout.mode=sync"
        )


def _models_are_divided(c: Config) -> None:
    rollout, setting = c.rollout, f"rollout.tensor_parallel={c.rollout.tensor_parallel}"
    if rollout.tensor_parallel < 2 and not (rollout.tensor_parallel and rollout.gpus_per_worker):
        return
    if rollout.engine == "transformers" or (rollout.engine == "auto" and not rollout.gpus_per_worker):
        raise UserError(
            f"{setting} with rollout.engine={rollout.engine}, which is transformers here: vLLM alone divides a "
            "model; set rollout.engine=vllm, or rollout.tensor_parallel=0"
        )
    if rollout.gpus_per_worker and rollout.tensor_parallel != max(1, int(rollout.gpus_per_worker)):
        raise UserError(
            f"{setting} with rollout.gpus_per_worker={rollout.gpus_per_worker:g}: each of an engine's processes has "
            "a GPU of its own; set both alike, or rollout.tensor_parallel=0"
        )
    heads = c.model.tiny.heads
    if not c.model.path and heads % rollout.tensor_parallel:
        raise UserError(
            f"{setting} does not divide the model.tiny.heads={heads} attention heads of the model that is made; "
            "set a divisor of it"
        )


def _vllm_reads_the_heads(c: Config) -> None:
    size = c.model.tiny.hidden // c.model.tiny.heads
    if c.rollout.engine == "vllm" and not c.model.path and size < 32:
        raise UserError(
            f"rollout.engine=vllm needs heads of at least 32 numbers; model.tiny.hidden={c.model.tiny.hidden} over "
            f"model.tiny.heads={c.model.tiny.heads} gives {size}: use fewer heads, or rollout.engine=transformers"
        )


def _flash_attention_rounds(c: Config) -> None:
    if c.model.attn_implementation == "flash_attention_2" and c.model.dtype != "bfloat16":
        raise UserError(
            f"model.attn_implementation=flash_attention_2 computes in bf16 alone; with model.dtype={c.model.dtype} "
            "set model.dtype=bfloat16, or model.attn_implementation=sdpa"
        )


def _layers_are_there(c: Config) -> None:
    if c.reward.layers > c.model.tiny.layers and not (c.model.path or c.reward.backbone):
        raise UserError(
            f"reward.layers={c.reward.layers}: the model that is made has model.tiny.layers={c.model.tiny.layers}; "
            "0 takes all of them"
        )


def _engines_can(c: Config) -> None:
    kind, stage, offload = c.engine.kind, c.engine.zero_stage, c.engine.offload
    if kind != "deepspeed" and stage is not None:
        raise UserError(
            f"engine.zero_stage={stage}: ZeRO is deepspeed's, and engine.kind is {kind}; set engine.kind=deepspeed, "
            "or engine.kind=fsdp2, which shares weights, gradients and moments"
        )
    if stage is not None and not 0 <= stage <= 3:
        raise UserError(f"engine.zero_stage={stage}: DeepSpeed has the stages 0 to 3")
    if kind != "deepspeed" and offload != "none":
        raise UserError(
            f"engine.offload={offload} is deepspeed's, and engine.kind is {kind}; set engine.kind=deepspeed"
        )
    if stage == 0 and offload != "none":
        raise UserError(f"engine.offload={offload} needs engine.zero_stage of 1 or more")
    if offload == "parameters" and stage != 3:
        raise UserError("engine.offload=parameters needs engine.zero_stage=3, which takes them in as they are needed")
    if kind in ("deepspeed", "fsdp2") and c.engine.trained_layers:
        raise UserError(
            f"engine.trained_layers={c.engine.trained_layers} runs parts of a network by themselves, and "
            f"engine.kind={kind} divides it as a whole; use engine.kind=torch, or engine.trained_layers=0"
        )
    if kind in ("deepspeed", "fsdp2") and c.reward.head_penalty:
        raise UserError(
            f"reward.head_penalty={c.reward.head_penalty} fits a head over whole networks, and engine.kind={kind} "
            "divides them; use engine.kind=torch, or reward.head_penalty=0"
        )


def _adapters_fit(c: Config) -> None:
    engine, lora = c.engine, c.engine.lora
    for role, rank in {"": lora.rank, **lora.role_ranks}.items():
        setting = f"engine.lora.role_ranks.{role}" if role else "engine.lora.rank"
        if role and role not in LORA_ROLES:
            raise UserError(f"{setting}={rank}: what can train by LoRA is {', '.join(LORA_ROLES)}")
        if rank < 0:
            raise UserError(f"{setting}={rank}: must not be negative")
    if not 0 <= lora.dropout < 1:
        raise UserError(f"engine.lora.dropout={lora.dropout}: must lie between 0 and below 1")
    if lora.dropout and engine.gradient_checkpointing:
        raise UserError(
            f"engine.lora.dropout={lora.dropout} with engine.gradient_checkpointing=true: layers that run again "
            "would drop out other numbers; set one of them to 0 or false"
        )
    if engine.trained_layers and lora.rank_of("reward"):
        raise UserError(
            f"engine.trained_layers={engine.trained_layers} and LoRA of rank {lora.rank_of('reward')} are two ways "
            "to train a part of reward models; set engine.lora.role_ranks.reward=0, or engine.trained_layers=0"
        )


def _family_is_large_enough(c: Config) -> None:
    needed = max(c.data.sft_problems, c.data.triplet_problems, c.ppo.prompts_per_step)
    if c.data.source == "family" and c.data.family.train_problems < needed:
        raise UserError(
            f"data.family.train_problems={c.data.family.train_problems} is less than the {needed} that "
            "data.sft_problems, data.triplet_problems or ppo.prompts_per_step ask for"
        )


_RULES: tuple[Callable[[Config], None], ...] = (
    _minibatches_fit,
    _group_baselines,
    _probabilities,
    _heads_divide,
    _tiny_reads_made_problems_only,
    _triplets_are_asked_alike,
    _mbpp_needs_samples,
    _remote_address,
    _labels_are_out_of_reach,
    _iterations_have_something_to_do,
    _role_ranks,
    _transports_fit,
    _rollouts_in_workers,
    _devices_are_shared,
    _something_overlaps,
    _models_are_divided,
    _vllm_reads_the_heads,
    _flash_attention_rounds,
    _layers_are_there,
    _engines_can,
    _adapters_fit,
    _family_is_large_enough,
)
