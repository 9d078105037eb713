"""What is planned is what networks hold: by formula over ranks, and by rehearsal of the code that computes."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import torch
from networks_made import CONFIGS
from rich.console import Console
from scripts import script
from transformers import LlamaConfig

from rewardranker.config.loading import load_config
from rewardranker.config.schema import Config, LoraConfig
from rewardranker.errors import UserError
from rewardranker.models.adapters import add_adapters
from rewardranker.models.architectures import policy_class, scorer_class
from rewardranker.models.head import read_tokens
from rewardranker.models.recomputing import checkpoint_layers
from rewardranker.training import memory_table
from rewardranker.training.demand import WHOLE, uses_until
from rewardranker.training.footprint import Sharding, Size, held, keys_and_values
from rewardranker.training.memory import plan_memory
from rewardranker.training.memory_table import describe_memory, gib, machine_memory, require_memory
from rewardranker.training.rehearsal import LivingTensors, Passes, rehearse

SIZE = Size(parameters=1000, layer=100, outside=200, tensor=150)
LLAMA = LlamaConfig(vocab_size=500, hidden_size=64, num_hidden_layers=5, num_attention_heads=4, intermediate_size=96)


def test_what_ranks_hold_by_hand() -> None:
    """4, 4 and 8 bytes a parameter; four ranks hold a fourth of what is divided from a stage on."""
    for stage, weights, gradients, moments in ((0, 4, 4, 8), (1, 4, 4, 2), (2, 4, 1, 2), (3, 1, 1, 2)):
        found = held(SIZE, Sharding(4, stage, "fsdp2"), "float32", trained=True)
        assert (found.weights, found.gradients, found.moments) == (1000 * weights, 1000 * gradients, 1000 * moments)
    one, four = (held(SIZE, Sharding(ranks), "float32", True) for ranks in (1, 4))
    assert (one.total, four.total) == (16_000, 20_000)  # DistributedDataParallel has buckets as large as gradients
    # Whole for a moment: two layers, what is in none, and the gradients of one of these.
    assert held(SIZE, Sharding(4, 3, "fsdp2"), "float32", True).transport == 800 + 800 + 1200
    assert held(SIZE, Sharding(4, 3, "fsdp2"), "bfloat16", False).weights == 500
    assert held(SIZE, Sharding(), "bfloat16", False).total == 2000
    away = held(SIZE, Sharding(2, 3, "deepspeed", "parameters"), "float32", True)
    assert (away.weights, away.moments, away.host) == (0, 0, 2000 + 4000 + 2000)
    size = Size.of(policy_class(LLAMA, "m"), LLAMA)
    layer = 4 * 64 * 64 + 3 * 64 * 96 + 2 * 64
    assert size == Size(5 * layer + 2 * 500 * 64 + 64, layer, 2 * 500 * 64 + 64, 500 * 64)
    assert keys_and_values(LLAMA, 10, "bfloat16") == 10 * 5 * 2 * 64 * 2
    assert keys_and_values(CONFIGS["gpt2"](), 1, "float32") == 2 * 2 * 32 * 4


def test_what_lora_holds_by_hand() -> None:
    """Additions of rank 2 to every linear layer and a head are all that has gradients and moments."""
    lora = LoraConfig(rank=2)
    ins_and_outs = 4 * (64 + 64) + 2 * (64 + 96) + (96 + 64)
    added, layer = 5 * 2 * ins_and_outs, 4 * 64 * 64 + 3 * 64 * 96 + 2 * 64
    size = Size.of(scorer_class(LLAMA, "m"), LLAMA, lora)
    assert size.trained == added + LLAMA.num_labels * 64 and size.frozen == 5 * layer + 500 * 64 + 64
    found = held(size, Sharding(), "bfloat16", trained=True)
    trained = size.trained
    assert (found.weights, found.gradients, found.moments) == (
        2 * size.frozen + 4 * trained,
        4 * trained,
        8 * trained,
    )
    assert held(size, Sharding(2), "bfloat16", trained=True).transport == 4 * trained
    assert held(size, Sharding(4, 3, "fsdp2"), "float32", trained=True).weights == size.parameters
    assert held(size, Sharding(), "bfloat16", trained=False).total == found.weights

    rank = ["engine.lora.rank=2", "model.dtype=bfloat16"]
    apart, config = load_config(None, [*rank, "cluster.placement=disaggregated"]), load_config(None, rank)
    plain, once = (plan_memory(c, WHOLE, LLAMA, rehearsing=False).holdings[2:] for c in (apart, config))
    assert [h.task.role for h in once] == ["policy", "critic", "reference", "reward"]
    assert [h.shared for h in once] == [0, 2 * size.frozen, plain[2].held.weights, 2 * size.frozen]
    assert [h.held.weights for h in once] == [plain[0].held.weights, 4 * trained, 0, 4 * trained]
    other = load_config(None, [*rank, "engine.lora.role_ranks.critic=4", "engine.lora.role_ranks.policy=0"])
    shared = [h.shared for h in plan_memory(other, WHOLE, LLAMA, rehearsing=False).holdings[2:]]
    assert shared == [0, 0, 0, 2 * size.frozen]  # the reference has what the reward model is an addition to


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_rehearsal_holds_what_the_real_passes_hold(checkpointed: bool, rank: int) -> None:
    """Against real tensors, and though two and three layers tell of five."""
    found = rehearse(LLAMA, Passes(False, True, checkpointed, "float32", 3, 40, 90, rank))
    model = policy_class(LLAMA, "m")(LLAMA).eval()
    if rank:
        add_adapters(model, LoraConfig(rank=rank), 0, "m")
    if checkpointed:
        checkpoint_layers(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    ids, mask = torch.zeros(3, 40, dtype=torch.int64), torch.ones(3, 1, 40, 40, dtype=torch.bool)
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    known = [*model.parameters(), *grads, *model.buffers(), ids, mask]
    with LivingTensors(known) as living:
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": ids, "use_cache": False}
        states = model.model(**inputs).last_hidden_state
        said = read_tokens(model, states.flatten(0, 1)[:90], ids.flatten()[:90], 1.0, True, 1)[0]
        del states  # a frozen head has no use for them
        kept = living.bytes
        said.sum().backward()
    assert found.kept == pytest.approx(kept, rel=0.02)
    assert found.peak == pytest.approx(living.peak, rel=0.02)
    if checkpointed:
        assert found.kept < 0.3 * rehearse(LLAMA, Passes(False, True, False, "float32", 3, 40, 90)).kept


def told(config: Config, until: str = "") -> str:
    console = Console(width=160, record=True, file=StringIO())
    console.print(describe_memory(config, uses_until(until)))
    return console.export_text()


def test_a_dry_run_tells_of_every_role_and_compares_with_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    small = ["model.tiny.layers=1", "model.tiny.hidden=24", "cluster.ranks=2", "cluster.num_cpus=8"]
    text = told(load_config(None, small))
    rows = [tuple(part.strip() for part in line.split("│")[1:3]) for line in text.splitlines() if "│" in line]
    roles = [("ppo", role) for role in ("policy", "critic", "reference", "reward")]
    assert rows == [("sft", "policy"), ("reward", "reward"), *roles, ("ppo, generate", "engine")]
    assert "training worker, in ppo:" in text and "each of 2" in text and text.rstrip().endswith(": fits")
    apart = told(load_config(None, [*small, "cluster.placement=disaggregated", "cluster.role_ranks.policy=4"]), "sft")
    assert "worker of policy:" in apart and "each of 4" in apart and "ppo" not in apart
    assert "there is no GPU here" in told(load_config(None, [*small, "cluster.gpus_per_rank=1"]), "sft") or (
        torch.cuda.is_available()
    )
    hub = load_config(
        None, ["model.path=nobody/nothing-of-this-name", "data.source=mbpp", "data.triplet_source=samples"]
    )
    monkeypatch.setattr(memory_table, "config_if_reached", lambda path, setting: None)
    assert told(hub).startswith("memory: not known. nobody/nothing-of-this-name is not on this machine")
    require_memory(hub, WHOLE)

    config = load_config(None, small)
    require_memory(config, WHOLE)
    monkeypatch.setattr(memory_table, "machine_memory", lambda: 1000.0)
    assert told(config, "sft").rstrip().endswith(": DOES NOT FIT")
    with pytest.raises(UserError, match=r"gradients and moments alone take 0 MiB \(training worker.*has 0 MiB"):
        require_memory(config, uses_until("sft"))
    (tmp_path / "memory.max").write_text("1048576\n")
    assert machine_memory(tmp_path) == 2**20
    assert [gib(size) for size in (2**20, 3 * 2**29, 200 * 2**30)] == ["1 MiB", "1.5 GiB", "200 GiB"]


def test_a_plan_of_billions_of_parameters_needs_none_of_them() -> None:
    """DeepSeek-Coder 6.7B's architecture in bf16: 6.74 billion parameters, 101 GiB of fp32 weights, gradients and
    moments; half a megabyte of keys and values a token."""
    shape = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32}
    architecture = LlamaConfig(vocab_size=32256, **shape, max_position_embeddings=16384)
    config = load_config(None, ["model.dtype=bfloat16", "engine.gradient_checkpointing=true"])
    plan = plan_memory(config, uses_until("sft"), architecture)
    [policy] = plan.holdings
    assert policy.held.total / 16 == pytest.approx(6.74e9, rel=0.01)
    assert policy.work is not None
    whole, recomputed = policy.work
    assert recomputed.kept < 0.15 * whole.kept
    assert keys_and_values(architecture, 1, "bfloat16") == 2**19


@pytest.mark.slow
def test_four_roles_of_a_6_7b_backbone_fit_one_device_of_80_gb_with_lora() -> None:
    """One backbone in bf16, 12.6 GiB, additions of rank 16 and their moments, and what a micro-batch takes."""
    architecture = LlamaConfig(
        vocab_size=32256, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
        max_position_embeddings=16384,
    )  # fmt: skip
    given = ["model.dtype=bfloat16", "engine.gradient_checkpointing=true", "cluster.gpus_per_rank=1"]
    engineless = replace(WHOLE, engines=False)
    held_alone = plan_memory(load_config(None, given), engineless, architecture, rehearsing=False)
    [(_, _, whole)] = list(held_alone.workers())
    given.append("engine.lora.rank=16")
    plan = plan_memory(load_config(None, given), engineless, architecture)
    [(_, count, size)] = list(plan.workers())
    assert count == 1 and size < 80e9 < 200e9 < whole
    assert sum(holding.held.weights for holding in plan.holdings[2:]) < 1.1 * 2 * 6.74e9


def test_what_takes_turns_on_a_gpu_is_not_added_up() -> None:
    """Networks or engines, and while weights are sent the policy's and the engine's; on CPU it is one memory."""
    given = ["cluster.share_devices=true", "cluster.gpus_per_rank=1", "rollout.gpus_per_worker=1"]
    apart = [f"{setting.split('=')[0]}={value}" for setting, value in zip(given, ("false", 1, 1), strict=True)]
    plan, separate = (plan_memory(load_config(None, own), WHOLE, LLAMA, rehearsing=False) for own in (given, apart))
    (_, _, learning), (_, _, sampling) = separate.workers()
    turns = dict(plan.turns())
    assert list(turns) == ["learning in sft", "learning in reward", "learning in ppo", "sending weights", "sampling"]
    assert turns["learning in ppo"] == learning and plan.engine
    assert turns["sampling"] == sampling - plan.engine.buckets
    policy = 4 * plan.holdings[2].size.parameters
    assert turns["sending weights"] == 2 * policy + 2 * plan.engine.buckets
    [(what, count, size)] = plan.workers()
    assert (what, count) == ("GPU in turns, sampling", 1) and size == max(turns.values())
    counts = [holding.size.parameters for holding in plan.holdings[2:]]
    assert plan.away == sum(bytes_each * count for bytes_each, count in zip((12, 12, 4, 4), counts, strict=True))
    text = " ".join(told(load_config(None, given)).split())
    assert "in turns (cluster.share_devices): learning in sft" in text and "in the host's memory meanwhile" in text
    here = plan_memory(load_config(None, given[:1]), WHOLE, LLAMA, rehearsing=False)
    assert [what for what, _, _ in here.workers()] == ["training worker, in ppo", "engine"]


@pytest.mark.slow
def test_the_plan_is_right_within_15_percent_of_resident_memory() -> None:
    benchmark = script("memory_plan")
    for size in (5, 20, 60):
        for row in benchmark.run(size, heap=False):
            assert row.planned == pytest.approx(row.measured, rel=0.15), row


@pytest.mark.slow
@pytest.mark.parametrize("devices", [8, 64])
@pytest.mark.parametrize("name", ["rewardranker_1.3b_6.7b", "rewardranker_6.7b_6.7b"])
def test_the_paper_s_configurations_fit_devices_of_80_gb(name: str, devices: int) -> None:
    """With the numbers of DeepSeek-Coder's two sizes; what the files say of more nodes is taken from the files."""
    path = Path(__file__).parents[2] / "configs" / f"{name}.yaml"
    (larger,) = [line for line in path.read_text().splitlines() if "Eight such nodes: " in line]
    more = larger.split("Eight such nodes: ")[1].rstrip(".").split() if devices == 64 else []
    config = load_config(path, ["cluster.address=auto", *more])
    assert config.cluster.ranks + config.rollout.workers == devices
    small, large = (
        LlamaConfig(
            vocab_size=32256, hidden_size=64 * wide, intermediate_size=172 * wide, num_hidden_layers=deep,
            num_attention_heads=wide // 2,
        )
        for wide, deep in ((32, 24), (64, 32))
    )  # fmt: skip
    own = small if config.reward.backbone else large
    ranking = large if config.reward.backbone else None
    plan = plan_memory(config, WHOLE, own, ranking=ranking)
    parameters = {(one.task.stage, one.task.role): one.size.parameters / 1e9 for one in plan.holdings}
    assert parameters["reward", "reward"] == parameters["ppo", "critic"] == pytest.approx(6.6, abs=0.1)
    assert parameters["ppo", "policy"] == pytest.approx(1.35 if own is small else 6.74, abs=0.02)
    sizes = [size for _, _, size in plan.workers()]
    assert len(sizes) == 2 and max(sizes) < 70e9, "no room is left for the process, its pool and the engine's cache"
