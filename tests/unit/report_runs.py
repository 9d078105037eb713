"""A finished run directory with plausible curves, pools and examples, and a strict reader of HTML."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from rewardranker.config.loading import to_yaml
from rewardranker.config.schema import Config
from rewardranker.evaluation.pools import GREEDY, Entries, JudgedPool, Submission
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.types import Candidate, Problem, Test
from rewardranker.problems.verdict import Verdict
from rewardranker.tables.cycle import build_cycle_table, known_rankers, to_results
from rewardranker.tables.ranked import Method

HOSTILE = "return '</pre><script>alert(1)</script>' \u202e\x00 & <b>"
STAGES = (
    "data", "sft", "triplets-1", "reward-1", "ppo-1", "generate-2", "mine-2", "reward-2-hardnegatives",
    "reward-2-selftraining", "reward-control", "ppo-2-hardnegatives", "ppo-2-selftraining", "evaluate",
)  # fmt: skip
VALIDATION = {
    "old": 4880,
    "new": 1458,
    "steps": 400,
    "validation_pairs": 0.8649,
    "validation_rerank": 0.71,
    "validation_se": 0.0454,
}
SETTINGS = {
    "temperature": 0.7,
    "top_k": 50,
    "data_revision": "family-1",
    "judge": "e5ccb426b7b35299",
    "sandbox": "a process per program; <no> namespaces",
}


def fake_run(root: Path, problems: int = 60) -> Path:
    """The same every time."""
    generator = np.random.default_rng(0)
    run = root / "demo <run>"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(to_yaml(Config()))
    for number, name in enumerate(STAGES):
        stage = run / f"{number:02d}-{name}"
        stage.mkdir()
        curve = _curve(name, generator)
        lines = [json.dumps({"step": step, **values}) + "\n" for step, values in enumerate(curve)]
        if lines:
            (stage / "metrics.jsonl").write_text("".join(lines))
        seconds = 900.0 if name.startswith("ppo") else 240.0 if name.startswith(("reward", "sft")) else 45.0
        manifest = {
            "stage": name,
            "seconds": seconds,
            "metrics": {"samples": 12800, "loss": 0.25} | (VALIDATION if name.startswith("reward") else {}),
            "versions": {"torch": "2.13.0", "transformers": "5.16.1"},
            "git_sha": "abcdef123456",
            "seed": 7,
            "restarts": {"training workers": 1, "rollout engines": 2} if name == "ppo-1" else {},
            "finished": "2026-01-02T03:04:05Z",
        }
        (stage / "manifest.json").write_text(json.dumps(manifest))
    _write_examples(run / "06-mine-2")
    _write_evaluation(run / "12-evaluate", problems, generator)
    return run


def _curve(stage: str, generator: np.random.Generator) -> list[dict[str, float]]:
    steps = np.arange(150) / 150
    noise = generator.normal(size=(3, 150))
    if stage == "sft":
        return [{"sft/loss": 0.3 + 1.5 * np.exp(-6 * t) + 0.04 * e} for t, e in zip(steps, noise[0], strict=True)]
    if stage.startswith("reward"):
        best = 0.82 if "-2-" in stage else 0.72
        return [
            {
                "reward/loss": 0.69 - (best - 0.5) * (1 - np.exp(-5 * t)) + 0.03 * a,
                "reward/accuracy": min(1.0, 0.5 + (best - 0.5) * (1 - np.exp(-5 * t)) + 0.03 * b),
            }
            for t, a, b in zip(steps, noise[0], noise[1], strict=True)
        ]
    if stage.startswith("ppo"):
        return [
            {
                "critic/score/mean": 2 * (1 - np.exp(-3 * t)) + 0.1 * a,
                "rollout/pass_rate": 0.35 + 0.3 * t - 0.2 * t * t + 0.02 * b,
                "kl/sequence": max(0.0, 7 * t + 0.3 * c),
            }
            for t, a, b, c in zip(steps, *noise, strict=True)
        ]
    return []


def _write_examples(stage: Path) -> None:
    examples = []
    for index in range(12):
        chosen = f"def f(xs):\n xs = [x for x in xs if x >= {index}]\n xs = xs[1:] + xs[:1]\n return sum(xs)\n"
        rejected = chosen.replace(">=", ">") + (f" {HOSTILE}\n" if index == 11 else "")
        examples.append(
            {
                "problem_id": f"family/{index}-4-r2",
                "prompt": f"# keep values of at least {index} , rotate left by one , sum\ndef f(xs):",
                "chosen": chosen,
                "rejected": rejected,
                "score_chosen": 1.0,
                "score_rejected": 1.0 + index / 10,
                "rank": 1 + index % 3,
                "verdict": "WRONG",
                "message": f"test 3: f([{index}, 2]) gave 2, expected {index + 2}",
            }
        )
    (stage / "examples.jsonl").write_text("".join(json.dumps(example) + "\n" for example in examples))


def _candidates(pool: str, problems: int, rate: float, generator: np.random.Generator) -> list[Candidate]:
    failures = [Verdict.WRONG] * 6 + [Verdict.RUNTIME_ERROR] * 2 + [Verdict.TIMEOUT, Verdict.INFRA]
    candidates = []
    for number in range(problems):
        chance = generator.beta(2 * rate / (1 - rate), 2)
        for _ in range(10):
            passed = generator.random() < chance
            verdict = Verdict.OK if passed else failures[generator.integers(len(failures))]
            scores = {
                key: float(generator.normal(loc=strength * passed))
                for key, strength in (
                    ("rewardranker_1", 0.6),
                    ("rewardranker_control", 0.7),
                    ("rewardranker_2_hardnegatives", 1.4),
                    ("rewardranker_2_selftraining", 1.5),
                )
            }
            candidates.append(
                Candidate(
                    problem_id=f"family/{number}",
                    language="python",
                    text=HOSTILE,
                    code=HOSTILE,
                    source=f"gen:{pool}",
                    logprobs=[float(generator.normal(-0.5 + 0.1 * passed, 0.3))],
                    verdict=verdict,
                    signature="right" if passed else f"wrong{generator.integers(4)}",
                    scores=scores,
                )
            )
    return candidates


def _problem(name: str) -> Problem:
    return Problem(
        id=name,
        source="family",
        language="python",
        prompt="",
        entry_point="f",
        style="function",
        tests=(Test("[]", "1"),),
        split="test",
        revision="family-1",
    )


def _write_evaluation(stage: Path, problems: int, generator: np.random.Generator) -> None:
    (stage / "pools").mkdir()
    pools = []
    for pool, rate in (("sft", 0.4), ("ppo_1", 0.55)):
        candidates = _candidates(pool, problems, rate, generator)
        write_pool(stage / "pools" / f"{pool}.parquet", candidates)
        for kept_beside in (f"{pool}_sampled", f"{pool}_greedy"):
            write_pool(stage / "pools" / f"{kept_beside}.parquet", candidates[:7])
        groups = group_by_problem(candidates)
        entered = JudgedPool("family", "python", pool, 0, [_problem(key) for key in groups], candidates)
        greedy = Submission(GREEDY, "python", [group[0] for group in groups.values()], pool)
        pools.append((Entries([entered], [greedy]), known_rankers(candidates)))
    unranked = [replace(c, scores={}) for c in _candidates("ppo_2", problems, 0.6, generator)]
    write_pool(stage / "pools" / "ppo_2_hardnegatives.parquet", unranked)
    results = to_results(build_cycle_table(pools, Method(bootstrap=200)))
    results["settings"] |= SETTINGS
    results["policies"] = [
        {"policy": "sft", "pass_at_1": 0.41, "ci_low": 0.36, "ci_high": 0.46},
        {"policy": "ppo_1", "pass_at_1": 0.55, "ci_low": 0.5, "ci_high": 0.6},
        {"policy": "ppo_2_hardnegatives", "pass_at_1": 0.6225, "ci_low": 0.5764, "ci_high": 0.6685},
    ]
    (stage / "results.json").write_text(json.dumps(results))


class _Tags(HTMLParser):
    """Collects tags, and every attribute that could load something; checks that tags are balanced."""

    VOID = {"meta"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.loading: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loading += [(k, v) for k, v in attrs if k in ("src", "href", "xlink:href") or k.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open[-5:], self.getpos())
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parse(html: str) -> _Tags:
    tags = _Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags
