"""Whole small cycles, with the parts that a laptop's default leaves out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from benchmark_data import shared
from cycle_runs import ROOT, SMOKE, left_behind, run

from rewardranker.config.schema import TinyConfig
from rewardranker.models.encoding import same_tokens
from rewardranker.models.loading import load_policy, load_scorer, load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import family_corpus_texts
from rewardranker.problems.io import read_json_lines, read_problems
from rewardranker.problems.pool import read_pool
from rewardranker.runs.atomic import tree_hash
from rewardranker.runs.metrics import read_metrics
from rewardranker.tables.names import label
from rewardranker.training.corpus import Corpus

RANKERS = ["random", "greedy", "logprob", "majority", "rewardranker_1", "rewardranker_control"]
RANKERS += ["rewardranker_2_hardnegatives", "rewardranker_2_selftraining", "oracle"]


def cycle(tmp_path: Path, name: str, *overrides: str, command: str = "cycle") -> Path:
    answer = run(command, "--config", SMOKE, f"run.root={tmp_path}", f"run.name={name}", *overrides)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return tmp_path / name


def same_programs(a: Path, b: Path, stage: str) -> None:
    expected, found = (read_pool(run / stage / "pool.parquet") for run in (a, b))
    assert [(c.problem_id, c.seed, c.text, c.verdict) for c in expected] == [
        (c.problem_id, c.seed, c.text, c.verdict) for c in found
    ]
    for one, other in zip(expected, found, strict=True):
        assert np.allclose(one.logprobs, other.logprobs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.vllm
def test_the_cycle_with_vllm(tmp_path: Path) -> None:
    """Real vLLM engines in their own processes, weights sent over gloo after every PPO step."""
    directory = cycle(
        tmp_path,
        "vllm",
        "rollout.engine=vllm",
        "rollout.in_workers=false",
        "rollout.cpus_per_worker=0.5",
        "weight_sync.transport=gloo",
        "cycle.iterations=3",
    )
    results = json.loads((directory / "16-evaluate" / "results.json").read_text())
    rows = [row for row in results["rows"] if row["pool"] == "sft"]
    (later,) = [row["ranker"] for row in rows if row["ranker"].startswith("rewardranker_3_")]
    assert [row["ranker"] for row in rows] == [*RANKERS[:-1], later, "oracle", "cheat", "gold"]
    assert [row["solved"] for row in rows[-2:]] == [0.0, 1.0]
    # A ranker has one name, in tables, pools and manifests.
    trained = {row["ranker"] for row in rows if row["ranker"].startswith("rewardranker")}
    assert set(read_pool(directory / "16-evaluate" / "pools" / "sft.parquet")[0].scores) == trained
    assert set(read_pool(directory / "08-mine-2" / "pool.parquet")[0].scores) == {"rewardranker_1"}
    inputs = json.loads((directory / "16-evaluate" / "manifest.json").read_text())["inputs"]
    assert {f"reward_{name}" for name in trained} <= set(inputs)
    steps = [json.loads(line) for line in (directory / "05-ppo-1" / "metrics.jsonl").read_text().splitlines()]
    # The engine's log-probabilities are the trainer's: it samples from the newest weights.
    assert max(step["rollout/logprob_gap_mean"] for step in steps) < 1e-3
    # Later iterations are where the first two are, and the variant that ended with the second says why.
    headline = json.loads((directory / "16-evaluate" / "manifest.json").read_text())["metrics"]
    assert headline.keys() == {"random", *RANKERS[4:-1], later, "oracle"}
    assert [one["policy"] for one in results["policies"]][-1] == later.replace("rewardranker", "ppo")
    (ended,) = results["settings"]["ended"]
    assert "ends with its reward model of iteration 2" in ended and "(cycle.new_policies=best)" in ended
    report = (directory / "report.html").read_text()
    assert all(text in report for text in (label(later), later.replace("rewardranker", "ppo"), ended))
    assert ended in (directory / "16-evaluate" / "table.md").read_text()


@pytest.mark.slow
def test_ray_data_and_disaggregated_roles_give_the_same_pools(tmp_path: Path) -> None:
    """Only who computes changes: the same programs and verdicts (log-probabilities up to rounding)."""
    plain = cycle(tmp_path, "plain", command="mine")
    other = cycle(tmp_path, "other", "generation.backend=ray_data", "cluster.num_cpus=12", command="mine")
    same_programs(plain, other, "02-validation")
    same_programs(plain, other, "07-generate-2")
    apart = cycle(
        tmp_path,
        "apart",
        "cluster.placement=disaggregated",
        "rollout.in_workers=false",
        "cluster.num_cpus=12",
        "cluster.ranks=1",
        "cluster.role_ranks.policy=2",
        command="ppo",
    )
    # The policy has two ranks in both, so SFT is the same to the bit; the other roles have one rank here.
    weights = "01-sft/hf/model.safetensors"
    assert tree_hash(plain / weights) == tree_hash(apart / weights)
    same_programs(plain, apart, "02-validation")
    gaps = [step["rollout/logprob_gap_mean"] for step in read_metrics(apart / "05-ppo-1")]
    assert len(gaps) == 4 and max(gaps) < 1e-3


@pytest.mark.slow
def test_a_cycle_on_contests_in_three_languages(tmp_path: Path) -> None:
    """Every stage has every language, made problems and real ones, and there is a table for each.

    Then the reward model learns from triplets of the whole data set instead.
    """
    real = tmp_path / "real.jsonl"
    real.write_text("\n".join(shared("code_contests/sample_20.jsonl").read_text().splitlines()[:5]))
    settings = [
        "--config", "configs/code_contests_small.yaml", f"run.root={tmp_path}", "run.name=contests",
        f"data.options.real={real}", "data.options.made=40",
        "data.options.made_held_out=2", "sft.steps=80", "data.triplet_problems=9", "evaluation.n=2",
        "evaluation.policy_samples=1", "reward.steps=4", "reward.retrain_steps=4", "ppo.steps=1",
        "ppo.prompts_per_step=4", "ppo.minibatch_size=16", "mining.problems=12", "cycle.variants=[hardnegatives]",
        "cycle.new_policies=none", "cycle.control=false",
    ]  # fmt: skip
    answer = run("cycle", *settings)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    made, languages = tmp_path / "contests", ["cpp", "java", "python"]
    problems = {problem.id: problem for problem in read_problems(made / "00-data" / "problems.jsonl")}
    imitated = [row["problem_id"].rpartition("/")[2] for row in read_json_lines(made / "00-data" / "sft.jsonl")]
    assert len({imitated.count(language) for language in languages}) == 1 and len(imitated) % 3 == 0
    triplets = json.loads((made / "03-triplets-1" / "manifest.json").read_text())["metrics"]
    assert all(triplets[f"triplets/{language}"] > 0 for language in languages)
    assert {candidate.language for candidate in read_pool(made / "06-generate-2" / "pool.parquet")} == set(languages)
    (evaluated,) = made.glob("*-evaluate")
    results = json.loads((evaluated / "results.json").read_text())
    assert [*results["languages"]] == languages
    for language, own in results["languages"].items():
        rows = {row["ranker"]: row for row in own["rows"] if row["pool"] in ("sft", "")}
        assert rows["gold"]["solved"] == 1.0 and rows["cheat"]["solved"] == 0.0
        of = [one for one in problems.values() if one.split == "test" and one.language == language]
        assert rows["oracle"]["problems"] == len(of) and any("Task" not in one.id for one in of)
    assert all(f"## {name}" in (evaluated / "table.md").read_text() for name in ("C++", "Java", "Python"))
    assert "Pool <code>sft</code>, Java" in (made / "report.html").read_text()
    corpus, model = tmp_path / "corpus", f"model.path={made / '00-data' / 'model'}"
    answer = run("triplets", "--out", str(corpus), "--labels", "given", "--workers", "1", *settings, model)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    answer = run("reward", *settings, f"data.triplets={corpus}")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "01-sft                       complete" in answer.stdout
    assert "shards are there already" in answer.stdout, "its tokens are the model's"
    learnt = json.loads((made / "04-reward-1" / "manifest.json").read_text())["metrics"]
    assert learnt["old"] == len(Corpus(corpus / "corpus")) > triplets["triplets"]


@pytest.mark.slow
def test_ray_train_runs_the_same_loop(tmp_path: Path) -> None:
    """Under Ray Train, SFT and the reward model come out bitwise as from our own workers."""
    plain = left_behind(cycle(tmp_path, "plain", command="reward"))
    train = left_behind(
        cycle(tmp_path, "train", "engine.launcher=ray_train", "cluster.num_cpus=12", command="reward")
    )
    models = [name for name in plain if name.endswith("hf/model.safetensors")]
    assert len(models) == 2
    assert {name for name in models if plain[name] != train[name]} == set()


@pytest.mark.slow
@pytest.mark.parametrize("engine", [["deepspeed", "engine.zero_stage=3"], ["fsdp2"]], ids=["zero-3", "fsdp2"])
def test_ranks_that_share_their_networks_run_the_cycle(tmp_path: Path, engine: list[str]) -> None:
    """Every stage, with engines of their own processes; what is exported is whole, and says what it says here."""
    kind, *more = engine
    made = cycle(tmp_path, "shared", f"engine.kind={kind}", *more, "rollout.in_workers=false", "cluster.num_cpus=12")
    assert [*made.glob("*-evaluate/table.md")]
    assert max(step["rollout/logprob_gap_mean"] for step in read_metrics(made / "05-ppo-1")) < 1e-3
    for stage in ("01-sft", "05-ppo-1"):
        load_policy(made / stage / "hf", "float32", "auto", "cpu")
    load_scorer(made / "04-reward-1" / "hf", "float32", "auto", "cpu", seed=None)


@pytest.mark.slow
def test_a_generator_that_stays_as_it_is(tmp_path: Path) -> None:
    made = cycle(tmp_path, "as-it-is", "sft.enabled=false", command="sft")
    base, kept = made / "00-data" / "model", made / "01-sft" / "hf"
    assert {file.name: file.read_bytes() for file in base.iterdir()}.items() <= {
        file.name: file.read_bytes() for file in kept.iterdir()
    }.items()
    assert "updates" in (kept / "README.md").read_text()


@pytest.mark.slow
def test_reward_models_of_another_backbone_read_programs_in_their_own_tokens(tmp_path: Path) -> None:
    """Another vocabulary than the policy's; the critic, which reads the policy's tokens, starts from the policy."""
    other = tmp_path / "other"
    size = TinyConfig(hidden=32, layers=1, heads=2, max_positions=160)
    build_tiny_model(size, other, ["zero words before all others", *family_corpus_texts()], seed=5)
    made = cycle(tmp_path, "apart", f"reward.backbone={other}", command="ppo")
    own, policy = (load_tokenizer(made / stage / "hf") for stage in ("04-reward-1", "05-ppo-1"))
    assert same_tokens(own, load_tokenizer(other)) and not same_tokens(own, policy)
    assert (
        load_scorer(made / "04-reward-1" / "hf", "float32", "auto", "cpu", seed=None).model.config.hidden_size == 32
    )
    steps = read_metrics(made / "05-ppo-1")
    assert len(steps) == 4 and all(np.isfinite(step["critic/vf_loss"]) for step in steps)
    again = ["ppo", "--config", SMOKE, f"run.root={tmp_path}", "run.name=apart", f"reward.backbone={other}"]
    refused = run(*again, "ppo.critic_init=reward")
    assert refused.returncode == 2 and "has another vocabulary than" in refused.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_ray_job_submit(tmp_path: Path) -> None:
    """As the README shows it: a local head, the project as working directory, logs that stream, the exit status."""
    binaries = Path(sys.executable).parent
    port, dashboard = free_port(), free_port()
    environment = os.environ | {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
    environment.pop("RAY_ADDRESS", None)
    head = [binaries / "ray", "start", "--head", "--block", f"--port={port}", "--num-cpus=4"]
    # The agent's default port may be taken by another cluster on this machine; jobs go through the agent.
    head += [f"--dashboard-agent-listen-port={free_port()}"]
    head += [f"--dashboard-port={dashboard}", "--disable-usage-stats", "--object-store-memory=200000000"]
    with (
        # Sockets lie in there, and their paths may only have some hundred characters.
        tempfile.TemporaryDirectory(prefix="rr", ignore_cleanup_errors=True) as short,
        subprocess.Popen(
            [*head, f"--temp-dir={short}"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as ray_head,
    ):
        try:
            job = ["python", "-m", "rewardranker.cli", "sft", "--config", SMOKE, f"run.root={tmp_path}"]
            good = submit(dashboard, environment, *job)
            assert good.returncode == 0, good.stdout + good.stderr
            assert "01-sft" in good.stdout and "succeeded" in good.stdout
            assert (tmp_path / "smoke" / "01-sft" / "hf" / "model.safetensors").exists()
            bad = submit(dashboard, environment, *job, "ppo.nonsense=1")
            assert bad.returncode != 0 and "unknown setting 'ppo.nonsense'" in bad.stdout
        finally:
            ray_head.terminate()


NOT_UP_YET = ("Failed to connect", "No available agent")


def submit(dashboard: int, environment: dict[str, str], *job: str) -> subprocess.CompletedProcess[str]:
    """Submits and follows a job; asks again while the head is not up yet."""
    excludes = {"excludes": [".venv", ".git", "runs"]}
    address = f"http://127.0.0.1:{dashboard}"
    call = [Path(sys.executable).parent / "ray", "job", "submit", "--address", address, "--working-dir", "."]
    call += ["--runtime-env-json", json.dumps(excludes), "--", sys.executable, *job[1:]]
    for _ in range(20):
        answer = subprocess.run(
            call, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False
        )
        if not any(sign in answer.stderr + answer.stdout for sign in NOT_UP_YET):
            return answer
        time.sleep(1)
    raise AssertionError("the head never answered: " + answer.stdout + answer.stderr)
