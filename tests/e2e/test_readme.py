"""What the README tells a reader to type works: long commands as dry runs, short ones for real."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cycle_runs import ROOT, SMOKE, run
from pages import blocks_of

from rewardranker.models.model_card import read_card

README = (ROOT / "README.md").read_text()
SHELL = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
STAGES = ("cycle", "mine")
#: What the README says that its commands need.
CORES = 2
MULTIPL_E = "--benchmark multipl_e"


def arguments(command: str, tmp_path: Path) -> list[str]:
    """The arguments after ``rewardranker``, with runs and files under ``tmp_path``."""
    words = shlex.split(command)[1:]
    words = [w.replace("runs/quickstart", f"{tmp_path}/runs/smoke") for w in words]
    return [str(tmp_path / w) if w.endswith((".parquet", ".jsonl")) and "/" not in w else w for w in words]


def test_every_command_is_known() -> None:
    first = {shlex.split(command)[0] for command in SHELL}
    assert first == {"make", "rewardranker", "ray"}


@pytest.mark.parametrize("command", [c for c in SHELL if c.startswith("rewardranker") and c.split()[1] in STAGES])
def test_long_commands_as_dry_runs(command: str, tmp_path: Path) -> None:
    answer = run(*arguments(command, tmp_path), *([] if "--dry-run" in command else ["--dry-run"]), cores=CORES)
    assert answer.returncode == 0, answer.stderr
    assert "PPO samples per step" in answer.stdout and f"this machine has {CORES}" in answer.stdout


@pytest.mark.slow
def test_short_commands_run(tmp_path: Path) -> None:
    """On two cores, as printed, after a small run in place of the quickstart's."""
    made = run("reward", "--config", SMOKE, f"run.root={tmp_path}/runs", cores=CORES)
    assert made.returncode == 0, made.stdout + made.stderr
    left = [c for c in SHELL if c.startswith("rewardranker") and c.split()[1] not in (*STAGES, "evaluate")]
    short = [c for c in left if MULTIPL_E not in c]
    assert {c.split()[1] for c in short} == {"doctor", "report", "generate", "judge", "rerank", "train", "settings"}
    for block in blocks_of("docs/problems.md"):
        if block.path:
            (tmp_path / block.path).write_text(block.text)
    for command in short:
        answer = run(*arguments(command, tmp_path), cores=CORES)
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
    assert (tmp_path / "ranked.parquet").exists()
    assert (tmp_path / "runs" / "smoke" / "my-ranker" / "training.json").exists()
    (block,) = [block for block in PYTHON if "runs/quickstart" in block]
    (tmp_path / "runs" / "quickstart").symlink_to(tmp_path / "runs" / "smoke")
    printed = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert printed.returncode == 0, printed.stderr
    elsewhere, here = map(float, printed.stdout.split())
    assert elsewhere == pytest.approx(here, abs=1e-4) and elsewhere != 0
    for stage, kind in (("01-sft", "text-generation"), ("04-reward-1", "text-classification")):
        assert read_card(tmp_path / "runs" / "smoke" / stage / "hf").data.pipeline_tag == kind


def test_the_judge_says_of_public_answers_what_it_says_here(tmp_path: Path) -> None:
    root = Path(os.environ.get("REWARDRANKER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    data = root / "multipl_e_gpt" / "humaneval-php.jsonl"
    if not data.exists() or shutil.which("php", path="/usr/bin:/bin") is None:
        pytest.skip(f"needs php in /usr/bin and {data}: set REWARDRANKER_SHARED_DATA to a folder that has it")
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    answers = [{"problem_id": row["task_id"], "text": row["gpt_solution"]} for row in rows]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    shutil.copy(data, tmp_path / data.name)
    (command,) = [command for command in SHELL if MULTIPL_E in command]
    answer = run(*arguments(command, tmp_path))
    assert answer.returncode == 0, answer.stderr
    (line,) = re.findall(r"^│ php .*$", README, re.MULTILINE)
    assert line.split() in [found.split() for found in answer.stdout.splitlines()], answer.stdout


def test_evaluate_says_what_it_would_ask() -> None:
    root = Path(os.environ.get("REWARDRANKER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (root / "mbpp" / "mbpp.jsonl").exists():
        pytest.skip(f"needs multipl_e and mbpp in {root}: set REWARDRANKER_SHARED_DATA to a folder that has them")
    commands = [command for command in SHELL if command.startswith("rewardranker evaluate")]
    sets = (
        f"benchmark.sets=[{{name: multipl_e, source: '{root}/multipl_e/humaneval-{{language}}.jsonl', limit: 6}}, "
        f"{{name: mbpp, source: {root}/mbpp/mbpp.jsonl, limit: 12}}]"
    )
    assert [("endpoint.base_url" in command, "--dry-run" in command) for command in commands] == [
        (False, True),
        (True, True),
    ]
    for command in commands:
        answer = run(*shlex.split(command)[1:], sets, cores=CORES)
        assert answer.returncode == 0, answer.stderr
        assert len([line for line in answer.stdout.splitlines() if line.startswith("│")]) == 9


def test_the_rankers_without_training_solve_what_the_results_say() -> None:
    results = (ROOT / "benchmarks/results/rerankers_codet.md").read_text()
    solved = dict(re.findall(r"^\| (\w+) \| .* \| ([\d.]+) \(±.*\| .*\|$", results, re.MULTILINE))
    (cells,) = re.findall(
        r"^\| \[all numbers\]\(benchmarks/results/rerankers_codet.md\) \| (.*) \|$", README, re.MULTILINE
    )
    names = ("random", "generated_tests", "majority", "mbr_exec_soft", "codet", "oracle")
    assert cells.split(" | ") == [f"{100 * float(solved[name]):.1f}" for name in names]


def test_python_examples_print_what_they_say() -> None:
    for block in [block for block in PYTHON if "runs/quickstart" not in block]:
        answer = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, cwd=ROOT, check=True)
        assert answer.stdout.strip() == block.split("# ")[-1].strip()


def headings(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
)
def test_links_lead_somewhere(page: str) -> None:
    links = [link for link in re.findall(r"\]\(([^) ]+)\)", (ROOT / page).read_text()) if "://" not in link]
    for link in links:
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def test_the_table_over_seeds_is_that_of_the_results() -> None:
    results = json.loads((ROOT / "benchmarks/results/quickstart_seeds.json").read_text())
    solved = [results["pools"][pool]["solved"] for pool in ("sft", "ppo_1")]
    rows = {
        "random pick": "random",
        "RewardRanker, 1 iteration": "rewardranker_1",
        "control: as long on the first pairs alone": "rewardranker_control",
        "2 iterations, as many random own failures": "rewardranker_2_randomnegatives",
        "2 iterations, hard negatives": "rewardranker_2_hardnegatives",
        "2 iterations, self-training": "rewardranker_2_selftraining",
        "oracle": "oracle",
    }
    for label, key in rows.items():
        cells = re.search(rf"^\| {re.escape(label)} \| (.*) \| (.*) \|$", README, re.MULTILINE)
        assert cells is not None, label
        for cell, pool in zip(cells.groups(), solved, strict=True):
            assert float(cell.strip("*")) == pytest.approx(sum(pool[key]) / len(pool[key]), abs=6e-4), label
    (told,) = re.findall(r"Seed 0 of the page.*?policy's: (.*?)\.\n\n", README, re.DOTALL)
    named = {
        "random": "random",
        "one iteration": "rewardranker_1",
        "control": "rewardranker_control",
        "hard negatives": "rewardranker_2_hardnegatives",
        "self-training": "rewardranker_2_selftraining",
        "oracle": "oracle",
    }
    first = {name: " and ".join(f"{100 * pool[key][0]:.1f}" for pool in solved) for name, key in named.items()}
    assert dict(re.findall(r"([a-z][a-z -]+) ([\d.]+ and [\d.]+)", " ".join(told.split()))) == first
