"""The benchmark of one step off: its arithmetic and its page; it was run for real where its results were made."""

from __future__ import annotations

from scripts import script

BENCHMARK = script("one_step_off")


def steps(gen: list[float], learn: list[float], sync: float) -> list[dict[str, float]]:
    pairs = zip(gen, learn, strict=True)
    times = [{"gen": g, "infer": 0.1, "update": 0.2, "sync": sync, "step": g + x + sync} for g, x in pairs]
    return [
        {f"timing_s/{key}": value for key, value in one.items()}
        | {"step": number, "critic/score/mean": float(number), "kl/sequence": 0.5}
        for number, one in enumerate(times)
    ]


def test_what_overlaps_takes_as_long_as_the_longer_and_nothing_is_drawn_after_the_last_step() -> None:
    """By hand: samples of 2, 3 and 1 s, learning of 4, 1 and 2 s, sending of .5 s. In turn 6 + 7 + 1.5 = 14.5; one
    step off 2 + max(4, 3) + max(1, 1) + max(2, 0) + 1.5 = 10.5."""
    in_turn, ahead = BENCHMARK.simulated(steps([2, 3, 1], [4, 1, 2], 0.5))
    assert (in_turn, ahead) == (14.5, 10.5)


def test_the_page_has_both_modes_side_by_side() -> None:
    stale = {"rollout/staleness": 1, "rollout/is_weight_mean": 0.99, "rollout/is_weight_truncated": 0.01}
    ahead = [one | {"timing_s/wait": 0.25, "timing_s/step": 2.0} | stale for one in steps([2, 3, 1], [4, 1, 2], 0.5)]
    text = BENCHMARK.page([{"sync": steps([2, 3, 1], [4, 1, 2], 0.5), "one_step_off": ahead}], "Commit c")
    assert "| one_step_off | 2.000 | 2.000 | 0.100 | 0.200 | 0.250 | 0.500 |" in text
    assert "| 0 | 14.5 | 6.0 | +142% | 14.5 | 10.5 | +38% |" in text
    assert "| 1 to 1 | 1.000 | 1.000 |  |  | 0.500 | 0.500 |" in text  # nothing was executed
    assert "| 1.0000 | 0.9900 | 0.0100 |" in text
