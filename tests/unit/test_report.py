"""The HTML report of a run: what it shows, what it says is missing, and that programs stay text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rewardranker.config.loading import digest, to_yaml
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation.charts import Series, bar_chart, histogram, line_chart
from rewardranker.evaluation.report import safe, write_report
from rewardranker.evaluation.table import PoolInput, build_table
from rewardranker.execution.verdict import Verdict
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.types import Candidate

HOSTILE = "return '</pre><script>alert(1)</script>' \u202e\x00 & <b>"
STAGES = (
    "data", "sft", "triplets-1", "reward-1", "ppo-1", "generate-2", "mine-2", "reward-2-hardnegatives",
    "reward-2-selftraining", "reward-control", "ppo-2-hardnegatives", "ppo-2-selftraining", "evaluate",
)  # fmt: skip


def fake_run(root: Path, problems: int = 60) -> Path:
    """A finished run directory with plausible curves, pools and examples. The same every time."""
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
            "metrics": {"samples": 1000, "loss": 0.25},
            "versions": {"torch": "2.13.0", "transformers": "5.16.1"},
            "git_sha": "abcdef123456",
            "seed": 7,
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


def _write_evaluation(stage: Path, problems: int, generator: np.random.Generator) -> None:
    (stage / "pools").mkdir()
    pools = {}
    for pool, rate in (("sft", 0.4), ("ppo_1", 0.55)):
        candidates = _candidates(pool, problems, rate, generator)
        write_pool(stage / "pools" / f"{pool}.parquet", candidates)
        groups = group_by_problem(candidates)
        greedy = {key: group[0] for key, group in groups.items()}
        pools[pool] = PoolInput(groups, greedy)
    results: dict[str, Any] = build_table(pools, bootstrap=200, seed=0).to_json()
    results["policies"] = [
        {"policy": "sft", "pass_at_1": 0.41, "ci_low": 0.36, "ci_high": 0.46},
        {"policy": "ppo_1", "pass_at_1": 0.55, "ci_low": 0.5, "ci_high": 0.6},
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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("report")
    out = root / "made" / "report.html"
    write_report(fake_run(root), out)
    return out.read_text()


def test_one_file_that_loads_nothing_and_runs_nothing(page: str) -> None:
    tags = parse(page)
    assert tags.loading == []
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert "url(" not in page and "@import" not in page
    assert not re.search(r"https?://", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "$" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.S)  # no placeholder left


def test_programs_stay_text(page: str) -> None:
    assert "<script" not in page
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page and "\x00" not in page
    assert "</pre><script>alert(1)</script>" in "".join(parse(page).text)  # shown as it was written


def test_header_facts(page: str) -> None:
    text = " ".join(parse(page).text)
    assert digest(Config()) in text
    assert "abcdef123456" in text
    assert "torch 2.13.0" in text
    assert "1 h 08 min" in text  # 3 * 900 (PPO) + 5 * 240 (SFT, reward) + 5 * 45 = 4125 s


def test_sections_show_their_numbers(page: str) -> None:
    text = " ".join(parse(page).text)
    for wanted in ("RewardRanker, 2 iter., hard negatives", "Oracle (pass@n)", "ppo-2-selftraining", "INFRA"):
        assert wanted in text
    assert "is missing" not in text and 'class="missing"' not in page
    assert page.count("AUC 0.") == 8  # four reward models on two pools
    assert len(re.findall(r'<svg role="img"', page)) == 1 + 3 + 3 * 3 + 1 + 8
    assert re.search(r"reward-model score 0\.\d\d to 1\.\d\d, executed pass rate 3\d\.\d % to 4\d\.\d %", text)


def test_examples_are_the_surest_mistakes_one_per_problem(page: str) -> None:
    shown = re.findall(r'<article class="pair"><h3><code>family/(\d+)-4-r2', page)
    assert shown == [str(number) for number in range(11, 3, -1)]
    assert "<mark> xs = [x for x in xs if x &gt;= 10]</mark>" in page
    assert "<mark> xs = [x for x in xs if x &gt; 10]</mark>" in page
    assert "<mark> xs = xs[1:] + xs[:1]</mark>" not in page


def test_a_partial_run_says_what_is_missing(tmp_path: Path) -> None:
    run = fake_run(tmp_path, problems=4)
    for number, name in list(enumerate(STAGES))[2:]:
        (run / f"{number:02d}-{name}").rename(run / f".work-{number:02d}-{name}")
    write_report(run, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    parse(text)
    for missing in (
        "The <code>evaluate</code> stage has not finished",
        "No <code>ppo</code> stage has finished",
        "Not recorded in this run",
        "has left no judged pools",
        "No <code>mine</code> stage",
    ):
        assert missing in text
    assert 'aria-label="SFT: loss.' in text


def test_only_a_config_is_enough_and_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(to_yaml(Config()))
    write_report(tmp_path, tmp_path / "out.html")
    assert "No stage has finished yet" in (tmp_path / "out.html").read_text()
    with pytest.raises(UserError, match="is not a run directory"):
        write_report(tmp_path / "absent", tmp_path / "out.html")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    run = fake_run(tmp_path, problems=2)
    (run / "06-mine-2" / "examples.jsonl").write_text('{"problem_id": ')
    with pytest.raises(UserError, match=r"06-mine-2/examples\.jsonl is damaged"):
        write_report(run, tmp_path / "out.html")


def test_nan_metrics_and_missing_metrics_are_left_out(tmp_path: Path) -> None:
    run = fake_run(tmp_path, problems=2)
    lines = ['{"step": 0, "critic/score/mean": NaN}', '{"step": 1, "critic/score/mean": 0.5}']
    (run / "04-ppo-1" / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    write_report(run, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert 'aria-label="Reward-model score. ppo-1: 0.5 at step 1, 0.5 at 1"' in text
    assert "nan" not in "".join(re.findall(r"<svg.*?</svg>", text, flags=re.S)).lower()
    assert text.count("Not recorded in this run") == 2  # its pass rate and its KL


def test_safe() -> None:
    assert safe('<a href="x">\n\té') == "&lt;a href=&quot;x&quot;&gt;\n\té"
    assert safe("a\x1b[31m\u202eb\ud800") == "a\ufffd[31m\ufffdb\ufffd"


def test_line_chart_puts_points_where_they_belong() -> None:
    """Width 100 - 58 - 12 = 30 for x in [0, 10]; height 100 - 12 - 40 = 48 for y in [0, 1], top at 12."""
    svg = line_chart("t", [Series("s", [0, 5, 10], [0, 1, 0.5])], "x", "y", 100, 100, y_range=(0, 1))
    assert 'd="M58.0 60.0L73.0 12.0L88.0 36.0"' in svg
    assert parse(svg).seen == {"svg", "line", "text", "path"}


def test_charts_escape_their_names_and_refuse_nothing_to_draw() -> None:
    hostile = "<script>&\"'"
    drawn = (
        line_chart(hostile, [Series(hostile, [0], [1]), Series("b", [0], [2])], hostile, hostile),
        histogram(hostile, {hostile: [1.0, 2.0]}, hostile),
        bar_chart(hostile, [hostile], {hostile: [0.5]}),
    )
    for svg in drawn:
        assert "<script" not in svg
        parse(svg)
    with pytest.raises(ValueError, match="no finite point"):
        line_chart("t", [Series("s", [0.0], [float("nan")])], "x", "y")
    with pytest.raises(ValueError, match="no finite value"):
        histogram("t", {"a": [float("inf")]}, "x")


def test_histogram_shares_are_of_each_group() -> None:
    """Two bins over [0, 1]: a = 3 of 4 below, b = 1 of 2 below; the description carries counts and means."""
    svg = histogram("t", {"a": [0, 0, 0, 1], "b": [0, 1]}, "x", bins=2, width=170, height=156)
    assert "a: 4 values, mean 0.25; b: 2 values, mean 0.5" in svg
    first, second = (re.findall(r"[ML]([\d.]+) ([\d.]+)", d) for d in re.findall(r'area" d="([^"]+)Z', svg))
    baseline = float(first[0][1])
    heights = [[round(baseline - float(points[i][1]), 1) for i in (1, 3)] for points in (first, second)]
    assert heights[0][0] == pytest.approx(3 * heights[0][1], abs=0.3)
    assert heights[1][0] == pytest.approx(heights[1][1], abs=0.3)
    assert heights[1][0] == pytest.approx(heights[0][0] * 2 / 3, abs=0.3)
