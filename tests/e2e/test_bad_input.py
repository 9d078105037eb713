"""What a user gets wrong is answered in a few lines that say what to do: no traceback, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cycle_runs import SMOKE, run

from rewardranker.config.schema import FamilyConfig, TinyConfig
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import build_family
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import write_pool
from rewardranker.problems.types import Candidate

RUN = "run.root={tmp}/runs"


def refused(tmp_path: Path, *arguments: str) -> str:
    answer = run(*(a.format(tmp=tmp_path) for a in arguments))
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("error: ") and len(answer.stderr.splitlines()) <= 5
    return answer.stderr


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["ppo.klcoef=1"], "unknown setting 'ppo.klcoef'"),
        (["model.path={tmp}/no-such-model"], "no such directory; give a directory written by save_pretrained"),
        (["run.root=/proc/nowhere"], "cannot be written"),
        (["cluster.ranks=16"], "Lower, for training cluster.ranks"),
        (["rollout.engine=vllm"], "rollout.in_workers=true needs"),
    ],
)
def test_settings(tmp_path: Path, overrides: list[str], message: str) -> None:
    assert message in refused(tmp_path, "cycle", "--config", SMOKE, RUN, *overrides)
    assert list(tmp_path.rglob("[0-9][0-9]-*")) == []


def test_an_empty_problem_set(tmp_path: Path) -> None:
    rows = [{"task_id": 999, "text": "t", "code": "c", "test_list": [], "test_setup_code": ""}]
    (tmp_path / "mbpp.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    build_tiny_model(TinyConfig(hidden=32, layers=1, heads=2), tmp_path / "model", ["t"], seed=0)
    overrides = [
        "data.source=mbpp",
        "data.triplet_source=samples",
        "data.mbpp.path={tmp}/mbpp.jsonl",
        "model.path={tmp}/model",
    ]
    message = refused(tmp_path, "data", "--config", SMOKE, RUN, *overrides)
    assert "MBPP has no task in data.mbpp.train_ids=" in message
    assert not list(tmp_path.rglob("00-data"))


def test_pools_that_do_not_fit_their_problems(tmp_path: Path) -> None:
    problem = build_family(FamilyConfig(train_problems=1, validation_problems=0, test_problems=0))[0]
    write_problems(tmp_path / "problems.jsonl", [problem])
    write_pool(tmp_path / "pool.jsonl", [Candidate("family/unknown", "python", "", "", "human")])
    files = ["--benchmark", "pool", "--data", "{tmp}/problems.jsonl", "--candidates", "{tmp}/pool.jsonl"]
    files += ["--out", "{tmp}/out.jsonl"]
    message = refused(tmp_path, "judge", *files)
    assert "pool.jsonl, line 1: there is no problem 'family/unknown' among the 1 that were given" in message

    row = json.loads((tmp_path / "problems.jsonl").read_text())
    (tmp_path / "problems.jsonl").write_text(json.dumps(row | {"tests": []}) + "\n")
    assert problem.id in refused(tmp_path, "judge", *files)

    (tmp_path / "problems.jsonl").write_text("")
    assert "no problems" in refused(tmp_path, "judge", *files)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_directory_that_is_no_run(tmp_path: Path) -> None:
    assert "is no run directory" in refused(tmp_path, "report", "{tmp}")
