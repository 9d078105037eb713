"""Settings: every shipped config loads, and what cannot work is refused with the key and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewardranker.config.loading import load_config, to_yaml
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.training.sizes import describe

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_shipped_config_loads_and_survives_a_round_trip(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    again = tmp_path / "again.yaml"
    again.write_text(to_yaml(config))
    assert load_config(again) == config


def test_defaults_are_valid() -> None:
    assert load_config() == Config()


def test_overrides_win_over_the_file_and_later_ones_over_earlier(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("ppo: {steps: 7, kl: {coef: 0.5}}\n")
    config = load_config(path, ["ppo.kl.coef=0.1", "ppo.kl.coef=0.2"])
    assert (config.ppo.steps, config.ppo.kl.coef) == (7, 0.2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("ppo.kl_coef=1", r"unknown setting 'ppo\.kl_coef' in command line; did you mean ppo\.kl\.coef"),
        ("ppo.steps=many", r"ppo\.steps"),
        ("ppo.steps", "not of the form"),
        ("ppo.top_p=1.0", "ppo.top_p in command line cannot be set: PPO samples untruncated"),
        ("ppo.top_k=50", "ppo.top_k in command line cannot be set: .* leave it out"),
        ("ppo.minibatch_size=100", "does not divide the 1024 samples"),
        ("cluster.ranks=500", "every rank needs a sample"),
        ("ppo.advantage=reinforce", r"ppo\.advantage='reinforce': must be one of gae, grpo, rloo"),
        ("ppo.temperature=0", "must be greater than 0"),
        ("ppo.steps=0", "must be at least 1"),
        ("mining.new_share=1.5", "between 0 and 1"),
        ("model.tiny.hidden=50", "must be a multiple of"),
        ("data.source=mbpp", "needs a pretrained model"),
        ("cycle.variants=[magic]", "cycle.variants='magic': must be one of hardnegatives, self"),
        ("weight_sync.transport=nccl", "needs GPUs on both sides"),
        ("ppo.importance_cap=0.9", "ppo.importance_cap=0.9: must be at least 1"),
        ("rollout.mode=async", r"rollout\.mode='async': must be one of sync, one_step_off"),
        ("rollout.engine=vllm", "needs heads of at least 32"),
        ("rollout.tensor_parallel=2", "rollout.engine=auto, which is transformers here: vLLM alone divides a model"),
        ("rollout.tensor_parallel=-1", "must not be negative"),
        ("engine.zero_stage=3", "ZeRO is deepspeed's, and engine.kind is torch"),
        ("engine.lora.rank=-1", "engine.lora.rank=-1: must not be negative"),
        ("engine.lora.role_ranks.reference=4", "what can train by LoRA is sft, reward, policy, critic"),
        ("engine.lora.dropout=1", "between 0 and below 1"),
        ("data.family.train_problems=10", "is less than the"),
    ],
)
def test_what_cannot_work_is_refused(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(None, [override])


def test_a_group_estimator_needs_groups() -> None:
    overrides = ["ppo.advantage=rloo", "ppo.samples_per_prompt=1", "ppo.minibatch_size=64"]
    with pytest.raises(UserError, match="compares samples of one prompt"):
        load_config(None, overrides)


def test_engines_in_workers_cannot_be_sent_to_over_gloo() -> None:
    with pytest.raises(UserError, match="cannot send to itself"):
        load_config(None, ["rollout.in_workers=true", "weight_sync.transport=gloo"])


def test_an_engine_is_divided_over_its_own_gpus_and_by_heads() -> None:
    with pytest.raises(UserError, match="gpus_per_worker=4: each of an engine's processes has a GPU of its own"):
        load_config(None, ["rollout.tensor_parallel=2", "rollout.gpus_per_worker=4"])
    with pytest.raises(UserError, match="does not divide the model.tiny.heads=6 attention heads"):
        load_config(None, ["rollout.tensor_parallel=4", "rollout.engine=vllm"])
    assert load_config(None, ["rollout.gpus_per_worker=4"]).rollout.parts == 4
    assert load_config(None, ["rollout.tensor_parallel=2", "rollout.gpus_per_worker=2"]).rollout.parts == 2


def test_a_worker_that_learns_cannot_sample_meanwhile() -> None:
    with pytest.raises(UserError, match="one_step_off with rollout.in_workers=true: .* set rollout.in_workers=false"):
        load_config(None, ["rollout.mode=one_step_off", "rollout.in_workers=true"])


def test_a_reward_model_of_layers_that_are_not_there_or_whose_network_is_divided() -> None:
    with pytest.raises(UserError, match="reward.layers=4: the model that is made has model.tiny.layers=3"):
        load_config(None, ["reward.layers=4"])
    load_config(None, ["reward.layers=4", "reward.backbone=a/model"])  # which is asked when it is read
    with pytest.raises(UserError, match="reward.head_penalty=0.3 fits a head over whole networks"):
        load_config(None, ["reward.head_penalty=0.3", "engine.kind=fsdp2"])


def test_one_way_to_train_a_part_of_a_network_and_layers_that_run_again_drop_nothing_out() -> None:
    top = ["engine.trained_layers=2", "engine.lora.rank=8"]
    with pytest.raises(UserError, match="two ways to train a part .* set engine.lora.role_ranks.reward=0"):
        load_config(None, top)
    load_config(None, [*top, "engine.lora.role_ranks.reward=0"])
    with pytest.raises(UserError, match="layers that run again would drop out other numbers"):
        load_config(None, ["engine.lora.rank=8", "engine.lora.dropout=0.1", "engine.gradient_checkpointing=true"])


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        load_config(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("ppo: [1, 2\n")
    with pytest.raises(UserError, match="not valid YAML"):
        load_config(broken)
    broken.write_text("ppo:\n  stepz: 3\n")
    with pytest.raises(UserError, match=r"unknown setting 'ppo\.stepz' in .*broken.yaml; did you mean ppo\.steps"):
        load_config(broken)


def cells(config: Config) -> dict[str, str]:
    return dict(zip(*(column.cells for column in describe(config).columns), strict=True))


def test_dry_run_derives_sizes() -> None:
    config = load_config(None, ["ppo.prompts_per_step=8", "ppo.samples_per_prompt=4", "ppo.minibatch_size=16"])
    found = cells(config)
    assert found["PPO samples per step"] == "32"
    assert found["PPO updates per step"] == "2"
    assert found["programs mined per iteration"] == "12,800"
