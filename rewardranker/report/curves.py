"""The report's sections on training: learning curves, validation, and PPO's score against its pass rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rewardranker.rendering.charts import PLAIN, TWIN_RIGHT, Axis, Series, Size, line_chart, twin_chart
from rewardranker.rendering.html import decimal, figure, missing, note, safe, table
from rewardranker.rendering.svg import Scale, percent
from rewardranker.report.run import FinishedRun, FinishedStage
from rewardranker.tables.names import label, per_cent, trained_in

_SCORE, _PASS_RATE, _KL = "critic/score/mean", "rollout/pass_rate", "kl/sequence"
_KL_LABEL = "KL to SFT, nats per response"
_NOT_RECORDED = "Not recorded in this run."


def learning(run: FinishedRun) -> str:
    """SFT and the reward models over their steps, and what the reward models came to on validation."""
    sft, rewards = run.named("sft"), run.named("reward-")

    def rewards_over(title: str, metric: str, y: Axis) -> str:
        return figure(title, _curve(title, [stage.series(metric, _reward_name(stage)) for stage in rewards], y))

    title = "SFT: loss"
    loss = _curve(title, [stage.series("sft/loss", stage.name) for stage in sft], Axis("nats per token", log=True))
    charts = (
        figure(title, loss)
        + figure("Reward models: validation", _validation(rewards))
        + rewards_over("Reward models: loss on training pairs", "reward/loss", Axis("nats per pair"))
        + rewards_over("Reward models: training pairs ranked right", "reward/accuracy", Axis("pairs", percent))
    )
    return f'<div class="two">{charts}</div>'


def ppo(run: FinishedRun) -> str:
    """Every PPO stage: the reward model's score beside the executed pass rate, over the steps and against KL."""
    stages = run.named("ppo-")
    if not stages:
        return missing("No <code>ppo</code> stage has finished.")
    rate_range, kl_range = (_range(stages, metric) for metric in (_PASS_RATE, _KL))
    parts = []
    for stage in stages:
        score = stage.series(_SCORE, "reward-model score")
        rate = stage.series(_PASS_RATE, "executed pass rate")
        kl = stage.series(_KL, stage.name)
        title = "Over the steps"
        axes = Axis(score.name), Axis(rate.name, percent, rate_range)
        steps = _twin(title, (score, rate), Axis("step"), axes)
        drift = _curve(_KL_LABEL, [kl], Axis("KL, nats", shown=kl_range), Size(height=170, right=TWIN_RIGHT))
        lines = _against(kl, score), _against(kl, rate)
        against = _twin("Against KL", lines, Axis(_KL_LABEL, shown=kl_range), axes, cloud=True)
        parts.append(
            f"<h3>{safe(stage.name)}</h3>{_change(score, rate, kl)}"
            f'<div class="two">{figure(title, steps + drift)}{figure("Against KL", against)}</div>'
        )
    return "".join(parts)


def _reward_name(stage: FinishedStage) -> str:
    """``reward-2-hardnegatives`` as the tables call its ranker, without the word they all begin with."""
    name = label(trained_in(stage.name))
    own = name.removeprefix("RewardRanker").lstrip(" ,")
    return own[1:-1] if own.startswith("(") else own


def _validation(rewards: Sequence[FinishedStage]) -> str:
    rows = []
    for stage in rewards:
        found = stage.metrics
        if "validation_rerank" in found:
            solved, error = per_cent(found["validation_rerank"]), per_cent(found["validation_se"])
            right = found.get("validation_pairs")  # absent where no validation problem had both kinds
            trained = [f"{found['old']} + {found['new']}", str(found["steps"])]
            ranked = "–" if right is None else per_cent(right)
            rows.append([safe(_reward_name(stage)), *trained, ranked, f"{solved} ± {error}"])
    if not rows:
        return missing(_NOT_RECORDED)
    headers = ("Reward model", "Pairs: old + new", "Steps", "Ranked right", "Solved ± s.e.")
    explained = (
        "On the validation problems, in %: candidates of the SFT model, the pairs of passing and failing ones "
        "ranked right, and the problems solved by the best-ranked one."
    )
    return table(headers, rows) + note(explained)


def _range(stages: Sequence[FinishedStage], metric: str) -> tuple[float, float] | None:
    """What every stage's axis shows, so that the stages can be compared by eye."""
    values = np.concatenate([np.asarray(stage.series(metric, "").y, dtype=float) for stage in stages])
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    scale = Scale.around(values.min(), values.max(), 0.06)
    return scale.low, scale.high


def _against(kl: Series, other: Series) -> Series:
    """``other`` over the KL of the same steps, in order of the KL."""
    at = {step: value for step, value in zip(kl.x, kl.y, strict=True) if math.isfinite(value)}
    pairs = sorted((at[step], value) for step, value in zip(other.x, other.y, strict=True) if step in at)
    return Series(other.name, [x for x, _ in pairs], [y for _, y in pairs])


def _change(*series: Series) -> str:
    """Proxy, truth and distance in a sentence: the means of the first and the last tenth of the steps."""
    if not all(len(one.y) for one in series):
        return ""
    ends = []
    for one in series:
        values = np.asarray(one.y, dtype=float)
        part = max(1, len(values) // 10)
        ends.append((float(values[:part].mean()), float(values[-part:].mean())))
    score, rate, kl = ends
    return note(
        "Means of the first and the last tenth of the steps: reward-model score "
        f"{decimal(score[0])} → {decimal(score[1])}, executed pass rate {per_cent(rate[0])} % → "
        f"{per_cent(rate[1])} %, KL {decimal(kl[0])} → {decimal(kl[1])} nats per response."
    )


def _twin(title: str, lines: tuple[Series, Series], x: Axis, y: tuple[Axis, Axis], cloud: bool = False) -> str:
    if not all(map(_finite, lines)):
        return missing(_NOT_RECORDED)
    return twin_chart(title, lines, x, y, Size(height=420 if cloud else 250, right=TWIN_RIGHT), cloud)


def _curve(title: str, series: Sequence[Series], y: Axis, size: Size = PLAIN) -> str:
    drawn = [one for one in series if _finite(one)]
    return line_chart(title, drawn, Axis("step"), y, size) if drawn else missing(_NOT_RECORDED)


def _finite(series: Series) -> bool:
    return bool(np.isfinite(np.asarray(series.y, dtype=float)).any())
