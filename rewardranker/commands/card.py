"""The ``card`` command: what is known of problems, and which of them a correct program does not pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rewardranker.commands.problem_sets import read_problem_set, refuse_unused, require_writable, sources_of
from rewardranker.problems.data_card import card_markdown, data_card, unsolvable_table
from rewardranker.runs.atomic import write_text
from rewardranker.runs.console import Console


def run_card(benchmarks: Sequence[str], data: Sequence[str], out: Path | None, console: Console) -> None:
    """Prints the data card and the listing of problems that nobody solves, and perhaps writes both.

    Args:
        benchmarks, data: as in :mod:`rewardranker.commands.problem_sets`.
        out: the Markdown file to write.

    Raises:
        UserError: arguments or files that are not what they should be; nothing is written.
    """
    require_writable(out)
    sources = sources_of(data)
    refuse_unused(sources, benchmarks)
    problems = [problem for name in benchmarks for problem in read_problem_set(name, sources).problems]
    card = data_card(problems)
    card.caption = None  # it points to what follows
    console.show(card)
    listing = unsolvable_table(problems)
    if listing.row_count:
        console.show(listing)
    if out is not None:
        write_text(out, card_markdown(problems))
        console.say(f"{out}: the same in Markdown")
