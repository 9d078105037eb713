"""The paper's tables as data: sums, averages, and which shares can be counts of problems."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import chain

import pytest

from rewardranker.errors import UserError
from rewardranker.tables.paper import PaperRow, paper_table


def test_recomputed_averages() -> None:
    """Sums of the eight columns: 387.4, 529.0, 553.2, 536.6, 558.7, 557.3, 566.8 (and 519.1, 612.0 for GPT)."""
    rows = {row.system: row for row in paper_table("humaneval").rows}
    sums = {name: 800 * row.recomputed_average for name, row in rows.items()}
    assert sums == pytest.approx(
        {
            "GPT-3.5-Turbo": 519.1,
            "GPT-4": 612.0,
            "DeepSeek-Coder-Instruct 1.3B": 387.4,
            "DeepSeek-Coder-Instruct 6.7B": 529.0,
            "DeepSeek-Coder-Instruct 33B": 553.2,
            "RewardRanker 1.3B + 6.7B": 536.6,
            "RewardRanker 6.7B + 6.7B": 558.7,
            "RewardRanker, 2 iter., hard negatives": 557.3,
            "RewardRanker, 2 iter., self-training": 566.8,
        }
    )


def test_printed_averages_are_those_of_the_columns_but_for_rounding() -> None:
    """69.9 is the only one that is not the recomputed average (69.84) to one decimal."""
    off = [
        row.system
        for row in paper_table("humaneval").rows
        if row.average is not None and abs(row.average - row.recomputed_average) > 0.0005 + 1e-9
    ]
    assert off == ["RewardRanker 6.7B + 6.7B"]


def test_counts_give_the_printed_shares_and_missing_ones_have_none() -> None:
    table = paper_table("humaneval")
    rows = [row for row in table.rows if row.solved is not None]
    assert len(rows) == 3
    without = []
    for row in rows:
        for language, total in table.problems.items():
            shares = {round(100 * k / total, 1): k for k in range(total + 1)}
            printed = round(100 * row.scores[language], 1)
            assert row.solved is not None
            assert row.solved.get(language) == shares.get(printed), (row.system, language)
            if language not in row.solved:
                without.append((row.system[-4:], language))
    assert without == [("6.7B", "python"), ("6.7B", "typescript")]


def test_rewardranker_shares_are_hardly_ever_counts() -> None:
    """What the footnote says: 5 of the 32 shares of the four rows are k/N to one decimal."""
    table = paper_table("humaneval")
    rows = [row for row in table.rows if row.system.startswith("RewardRanker")]
    counts = [
        round(100 * row.scores[one], 1) in {round(100 * k / total, 1) for k in range(total + 1)}
        for row in rows
        for one, total in table.problems.items()
    ]
    assert (len(counts), sum(counts)) == (32, 5)


def test_table_2_and_its_footnote() -> None:
    """2.5 of 500 problems is half a point; sqrt(.699 * .301 / 500) = .0205."""
    table = paper_table("mbpp")
    assert table.problems == {"python": 500}
    scores = {row.system: row.scores["python"] for row in table.rows}
    assert list(scores.values()) == pytest.approx([0.620, 0.654, 0.689, 0.694, 0.699])
    assert pytest.approx(0.0205, abs=5e-5) == (0.699 * 0.301 / 500) ** 0.5
    assert any("2.05 points" in note for note in table.rows[-1].notes)
    assert [row.average for row in table.rows] == [None] * 5


def test_every_footnote_is_used_and_rows_survive_a_file() -> None:
    tables = [paper_table("humaneval"), paper_table("mbpp")]
    notes = {note for table in tables for row in table.rows for note in row.notes}
    assert len(notes) == 9
    for row in chain(*(table.rows for table in tables)):
        assert PaperRow.from_json(json.loads(json.dumps(asdict(row)))) == row


def test_other_benchmarks_are_not_in_the_paper() -> None:
    with pytest.raises(UserError, match="no table of 'apps', only of humaneval, mbpp"):
        paper_table("apps")
