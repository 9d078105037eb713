"""The HTML report of a run: what it shows, what it says is missing, and that programs stay text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from report_runs import STAGES, fake_run, parse

from rewardranker.config.loading import digest, to_yaml
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.rendering.html import decimal, safe
from rewardranker.report.page import write_report


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
    assert "Started again ppo-1: training workers 1, rollout engines 2 " in text
    assert "1 h 08 min" in text  # 3 * 900 (PPO) + 5 * 240 (SFT, reward) + 5 * 45 = 4125 s


def test_sections_show_their_numbers(page: str) -> None:
    text = " ".join(parse(page).text)
    for wanted in ("RewardRanker, 2 iter., hard negatives", "Oracle (pass@n)", "ppo-2-selftraining", "INFRA"):
        assert wanted in text
    assert "is missing" not in text and 'class="missing"' not in page
    assert re.search(
        r"score 0\.\d\d → 1\.\d\d, executed pass rate 3\d\.\d % → 4\d\.\d %, KL 0\.\d\d → 6\.\d\d nats", text
    )
    assert "samples 12800; loss 0.25" in text
    assert "86.5 71.0 ± 4.5" in " ".join(parse(page).text)  # a reward model on validation


def test_every_stage_and_every_reward_model_on_every_pool_has_its_charts(page: str) -> None:
    policy = ["Over the steps", "KL to SFT, nats per response", "Against KL"]
    training = ["SFT: loss", "Reward models: loss on training pairs", "Reward models: training pairs ranked right"]
    ranks = [" (1 iter.)", ", control (no new data)", ", 2 iter., hard negatives", ", 2 iter., self-training"]
    scores = [f"RewardRanker{rank}" for rank in ranks]
    charts = re.findall(r'<svg role="img"[^>]* aria-label="(.*?)\. [^"]*"', page)
    assert charts == ["Wall time per stage", *training, *(3 * policy), "Verdicts per pool", *(2 * scores)]
    of_kl = re.findall(r'aria-label="KL to SFT, nats per response\. ([\w-]+):', page)
    assert of_kl == ["ppo-1", "ppo-2-hardnegatives", "ppo-2-selftraining"]
    parts = [part.partition("<") for part in page.split("<h3>Pool <code>")[1:]]
    areas = {name: re.findall(r"<figcaption>([^<]*) <span>AUC 0\.\d{3}</span>", part) for name, _, part in parts}
    assert areas == {"sft": scores, "ppo_1": scores}


def test_results_say_how_they_came_about(page: str) -> None:
    text = " ".join(parse(page).text)
    assert "60 problems, n = 10 candidates each" in text
    assert "temperature 0.7, top-k 50, seed 0, data family-1, judge e5ccb426b7b35299" in text
    assert "a process per program; <no> namespaces" in text
    assert "git abcdef123456, torch 2.13.0, transformers 5.16.1" in text
    row = re.search(r"<tr[^>]*><td><code>ppo_2_hardnegatives</code></td>(.*?)</tr>", page)
    assert row
    cells = re.sub(r"<svg.*?</svg>", "", row[1])
    assert re.findall(r"<td>(.*?)</td>", cells) == ["62.3", "57.6 – 66.9", "", "10", "60"]


def test_verdicts_are_of_the_pools_and_policies_each_once(page: str) -> None:
    """The stage keeps the pools' raw material beside them, which would count the same candidates again."""
    chart = re.search(r'aria-label="Verdicts per pool\. (.*?)"', page)
    assert chart
    assert re.findall(r"(\w+) \(600 candidates\):", chart[1]) == ["sft", "ppo_1", "ppo_2_hardnegatives"]
    assert "sampled" not in chart[1] and "greedy" not in chart[1]


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


def test_a_reward_model_without_validation_pairs(tmp_path: Path) -> None:
    """Where no validation problem had passing and failing candidates, the stage records no share of pairs."""
    run = fake_run(tmp_path, problems=2)
    path = run / "03-reward-1" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["metrics"]["validation_pairs"]
    path.write_text(json.dumps(manifest))
    write_report(run, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert "<td>1 iter.</td><td>4880 + 1458</td><td>400</td><td>–</td><td>71.0 ± 4.5</td>" in text


def test_nan_metrics_and_missing_metrics_are_left_out(tmp_path: Path) -> None:
    run = fake_run(tmp_path, problems=2)
    lines = ['{"step": 0, "critic/score/mean": NaN}', '{"step": 1, "critic/score/mean": 0.5}']
    (run / "04-ppo-1" / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    write_report(run, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert "nan" not in "".join(re.findall(r"<svg.*?</svg>", text, flags=re.S)).lower()
    assert text.count("Not recorded in this run") == 3  # both charts that need its pass rate, and its KL


def test_nan_steps_are_left_out_of_both_ppo_charts(tmp_path: Path) -> None:
    """Steps 0 and 1 lack a score or a KL; steps 2 and 3 have all, step 3 with the lower KL."""
    run = fake_run(tmp_path, problems=2)
    rows = [("NaN", 0.1, 0.0), (0.4, 0.2, "NaN"), (0.5, 0.3, 2.0), (0.75, 0.4, 1.0)]
    lines = [
        f'{{"step": {i}, "critic/score/mean": {score}, "rollout/pass_rate": {rate}, "kl/sequence": {kl}}}\n'
        for i, (score, rate, kl) in enumerate(rows)
    ]
    (run / "04-ppo-1" / "metrics.jsonl").write_text("".join(lines))
    write_report(run, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    over_steps = (
        "Over the steps. reward-model score: 0.4 at step 1, 0.75 at 3; executed pass rate: 0.1 at step 0, 0.4 at 3"
    )
    against = (
        "Against KL. reward-model score: 0.75 at KL to SFT, nats per response 1, 0.5 at 2; executed pass rate: 0.1 at"
    )
    assert f'aria-label="{over_steps}"' in text
    assert f'aria-label="{against} ' in text


def test_decimal_has_a_minus_sign() -> None:
    assert (decimal(-0.334), decimal(5.0, "+")) == ("−0.33", "+5.00")


def test_safe() -> None:
    assert safe('<a href="x">\n\té') == "&lt;a href=&quot;x&quot;&gt;\n\té"
    assert safe("a\x1b[31m\u202eb\ud800") == "a\ufffd[31m\ufffdb\ufffd"
