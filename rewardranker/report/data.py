"""A data set of triplets as one HTML file, for whoever has to say whether to train on it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rewardranker.mining.io import TEXTS
from rewardranker.mining.steps import disagreement
from rewardranker.paths import AnyPath
from rewardranker.problems.contests.importing import CARD, PROBLEMS_IN, PROGRAMS_IN
from rewardranker.rendering.charts import bar_chart, histogram, share_mark
from rewardranker.rendering.html import facts, figure, missing, note, page, safe, table
from rewardranker.report.pools import side_by_side
from rewardranker.runs.atomic import write_text
from rewardranker.runs.shards import NOTE, counts_in, read_columns, shards_in
from rewardranker.training.corpus import Corpus

VERDICTS_IN, TRIPLETS_IN, CORPUS_IN = "verdicts", "triplets", "corpus"
SHOWN = 20
_LEFT_OUT, _LENGTHS, _LONGEST = "left out: ", 100_000, 4000


def write_data_page(directory: AnyPath, out: AnyPath, seed: int) -> None:
    """Writes the page of what ``rewardranker triplets`` made; of steps that were not taken it says so.

    Args:
        directory: with ``problems/``, ``programs/``, ``triplets/``, and perhaps ``verdicts/`` and ``corpus/``.
        seed: of the triplets that are shown.

    Raises:
        UserError: a part is not whole.
    """
    directory = Path(directory)
    parts = (PROBLEMS_IN, PROGRAMS_IN, VERDICTS_IN, TRIPLETS_IN, CORPUS_IN)
    counts = {part: dict(counts_in(directory / part)) if (directory / part).is_dir() else {} for part in parts}
    card = json.loads((directory / CARD).read_text())
    triplets = _named(counts[TRIPLETS_IN], "triplets: ")
    settings = json.loads((directory / TRIPLETS_IN / NOTE).read_text())["settings"]
    told = {
        "Licence": card["licence"],
        "Revision": card["revision"],
        "Problems, of all languages": f"{counts[PROBLEMS_IN].get('problems', 0):,}",
        "Programs": f"{sum(_named(counts[PROGRAMS_IN], 'programs in ').values()):,}",
        "Triplets": f"{sum(triplets.values()):,}",
        "How they were paired": ", ".join(f"{key} {value}" for key, value in settings.items()),
    }
    sections = [
        ("What was left out, and why", _left_out(card, counts)),
        ("Languages", _languages(counts[PROGRAMS_IN])),
        ("Labels and verdicts", _verdicts(counts[VERDICTS_IN])),
        ("Triplets by kind, language and distance", _triplets(triplets, counts[TRIPLETS_IN])),
        ("Lengths", _lengths(directory / CORPUS_IN)),
        (f"{SHOWN} triplets, drawn at random", _examples(directory / TRIPLETS_IN, seed)),
    ]
    body = "".join(f"<section><h2>{safe(title)}</h2>{section}</section>" for title, section in sections)
    write_text(out, page(directory.name, "RewardRanker data", facts(told), body))


def _named(counts: Mapping[str, int], kind: str) -> dict[str, int]:
    return {name.removeprefix(kind): count for name, count in sorted(counts.items()) if name.startswith(kind)}


def _left_out(card: Mapping[str, Mapping[str, int]], counts: Mapping[str, Mapping[str, int]]) -> str:
    """Rows of every reason, the largest of each step first, with its share of the largest of all."""
    found = [("read", reason, count) for reason, count in card["left_out"].items()]
    for part, of in counts.items():
        found += [(part, reason, count) for reason, count in _named(of, _LEFT_OUT).items()]
    if not found:
        return missing("Nothing was left out.")
    most, steps = max(count for _, _, count in found), ["read", *counts]
    found.sort(key=lambda row: (steps.index(row[0]), -row[2]))
    rows = [
        [safe(reason), f"{count:,}", share_mark(count / most, steps.index(step)), safe(step)]
        for step, reason, count in found
    ]
    return table(("Reason", "Count", "", "On the way to"), rows)


def _languages(counts: Mapping[str, int]) -> str:
    found = _named(counts, "programs in ")
    languages = list(dict.fromkeys(name.split(", ")[0] for name in found))
    series = {label: [float(found.get(f"{one}, {label}", 0)) for one in languages] for label in ("right", "wrong")}
    chart = bar_chart("Programs by language", languages, series, lambda value: f"{value:,.0f}")
    return figure("Programs by language, and what their site said of them", chart)


def _verdicts(counts: Mapping[str, int]) -> str:
    if not counts:
        return missing("The programs were not run again: labels are what their site said.")
    rows = [
        [safe(where), f"{of['programs']:,.0f}", f"{of['right_fails']:.1%}", f"{of['wrong_passes']:.1%}"]
        for where, of in disagreement(counts).items()
    ]
    kinds = [[*map(safe, name.rsplit(": ", 1)), f"{count:,}"] for name, count in sorted(counts.items())]
    every = table(("Data and language", "Site, and our verdict", "Programs"), kinds)
    return (
        table(("Data and language", "Programs", "Called right, fail here", "Called wrong, pass here"), rows)
        + note("Only programs on which site and judge agree make labels, but where the settings say otherwise.")
        + f"<details><summary>Every verdict</summary>{every}</details>"
    )


def _triplets(triplets: Mapping[str, int], counts: Mapping[str, int]) -> str:
    if not triplets:
        return missing("There are none: no problem has both a right and a wrong program.")
    rows = [[*map(safe, name.split(" ", 1)), f"{count:,}"] for name, count in triplets.items()]
    found, tenths = table(("Kind", "Language", "Triplets"), rows), _named(counts, "distance: ")
    if not tenths:
        return found
    names = [f"{10 * tenth} to {10 * tenth + 10} %" for tenth in range(10)]
    near = {"triplets": [tenths.get(str(tenth), 0) / sum(tenths.values()) for tenth in range(10)]}
    chart = bar_chart("Distance of nearest pairs", names, near)
    return found + figure("Edit distance of nearest pairs, as a share of the longer program", chart)


def _lengths(directory: Path) -> str:
    if not directory.is_dir():
        return missing("The triplets were not cut into tokens.")
    lengths = Corpus(directory).lengths
    if not len(lengths):
        return missing("No triplet is short enough.")
    some = lengths if len(lengths) <= _LENGTHS else np.random.default_rng(0).choice(lengths, _LENGTHS, replace=False)
    chart = histogram("Tokens of both sides of a triplet", {"triplets": some.tolist()}, "tokens of both sides")
    longest = f"{len(lengths):,} triplets, {np.median(lengths):,.0f} tokens at the median, {lengths.max():,} at most."
    return figure("Tokens of both sides of a triplet", chart) + note(longest)


def _examples(directory: Path, seed: int) -> str:
    """Read from no more shards than are shown."""
    paths = shards_in(directory)
    counts = [read_columns(path, ("iteration",)).num_rows for path in paths]
    ends = np.cumsum(counts)
    rng = random.Random(seed)
    drawn = sorted(rng.sample(range(int(ends[-1])), min(SHOWN, int(ends[-1]))))
    rows: list[Mapping[str, object]] = []
    for number, path in enumerate(paths):
        own = [place - int(ends[number]) + counts[number] for place in drawn if _within(place, ends, number)]
        if own:
            columns = (*TEXTS, "distance", "hardness")
            rows += read_columns(path, columns, texts=TEXTS).take(own).to_pylist()
    return "".join(map(_example, rows)) or missing("There are none.")


def _within(place: int, ends: Sequence[int] | np.ndarray, number: int) -> bool:
    return int(np.searchsorted(ends, place, side="right")) == number


def _example(row: Mapping[str, object]) -> str:
    sides = [str(row[name])[:_LONGEST] for name in ("chosen", "rejected")]
    left, right = side_by_side(*sides)
    distance, hardness = row["distance"], row["hardness"]
    how = [str(row["origin"]), f"{distance} edits" if isinstance(distance, int) and distance >= 0 else ""]
    passes = f"passes {hardness:.0%} of its tests" if isinstance(hardness, float) else ""
    return (
        f'<article class="pair"><h3><code>{safe(str(row["problem_id"]))}</code></h3>'
        f'<details><summary>Prompt</summary><pre class="prompt">{safe(str(row["prompt"]))}</pre></details>'
        f'<div class="sides"><div class="pass"><p><b>preferred</b><span>{safe(str(row["chosen_source"]))}</span></p>'
        f'{left}</div><div class="fail"><p><b>disfavoured</b><span>{safe(", ".join(filter(None, how)))}</span></p>'
        f'{right}<p class="message">{safe(passes)}</p></div></div></article>'
    )
