"""The lines under a benchmark's table: how its numbers came about, and what they do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from rewardranker.tables.benchmark.paper import PaperRow
from rewardranker.tables.benchmark.tables import BenchmarkTable
from rewardranker.tables.fixed_programs import unguarded
from rewardranker.tables.names import label, per_cent

PAPER = "The paper: arXiv 2504.09643, its table as printed"


def footnotes(paper: Sequence[PaperRow]) -> dict[str, str]:
    """Letters by note, in the order in which a reader meets them."""
    texts = dict.fromkeys(note for row in paper for note in row.notes)
    return dict(zip(texts, ascii_lowercase, strict=False))


def notes(found: BenchmarkTable, letters: Mapping[str, str]) -> list[str]:
    """One line each: alarms, sampling, provenance, statistics, what is missing, the paper's footnotes."""
    lines = [f"ALARM: {alarm}" for alarm in found.alarms()]
    lines += [sampling(found.settings), _provenance(found), *_statistics(found), *_missing(found)]
    lines += ranker_notes(found.settings)
    if any(row.average is not None for row in found.paper):
        lines.append(f"{PAPER}; under a printed average, the one recomputed from its columns.")
    elif found.paper:
        lines.append(f"{PAPER}.")
    return lines + [f"[{letter}] {note}" for note, letter in letters.items()]


def sampling(settings: Mapping[str, Any]) -> str:
    low, high = settings["sampled"]
    pool = f"{low}" if low == high else f"{low} to {high}"
    drawn = "" if low == high == settings["n"] else f" of {pool}"
    parts = [f"n = {settings['n']}{drawn} candidates a problem"]
    for key, name in (("temperature", "temperature"), ("top_k", "top-k"), ("top_p", "top-p")):
        if settings.get(key) is not None:
            parts.append(f"{name} {settings[key]}")
        elif key == "temperature":
            parts.append("temperature not recorded")
    return ", ".join(parts) + f"; pool seeds: {_seeds(settings['seeds'])}."


def _seeds(by_generator: Mapping[str, Mapping[str, Sequence[int]]]) -> str:
    """Said once where all pools share them."""
    every = {tuple(seeds) for languages in by_generator.values() for seeds in languages.values()}
    if len(every) == 1:
        return ", ".join(map(str, every.pop()))
    return "; ".join(
        f"{generator} in {language} {', '.join(map(str, seeds))}"
        for generator, languages in by_generator.items()
        for language, seeds in languages.items()
    )


def _provenance(found: BenchmarkTable) -> str:
    by_revision: dict[str, list[str]] = {}
    for language, facts in found.languages.items():
        by_revision.setdefault(facts.revision, []).append(language)
    data = ", ".join(f"{'/'.join(languages)} {revision}" for revision, languages in by_revision.items())
    settings = found.settings
    tools = ", ".join(f"{name} {version}" for name, version in settings["toolchains"].items()) or "not recorded"
    more = "".join(f" {name}: {value}." for name, value in settings["more"].items())
    return f"Data: {data}. Harness: {settings['harness'] or 'not recorded'}. Tool-chains: {tools}.{more}"


def _statistics(found: BenchmarkTable) -> list[str]:
    settings = found.settings
    seeds = [len(s) for languages in settings["seeds"].values() for s in languages.values()]
    spread = (
        "± is the standard error over pool seeds."
        if max(seeds) > 1
        else "One pool seed, so there is no standard error over seeds."
    )
    lines = [
        f"{spread} Intervals: 95 %, percentile bootstrap over problem groups (a problem is drawn in all its "
        f"languages at once), {settings['bootstrap']:,} resamples.",
        f"Bold: better than {label(settings['baseline'])} on the same candidates, the interval of the difference "
        "excluding zero; italic: worse. Each cell by itself: with many cells, some will be set off by chance.",
    ]
    languages = found.scored_languages()
    if len(languages) > 1:
        whole = len(languages) == len(found.columns)
        rest = "" if whole else f" (those with pools; the paper's Avg is over {len(found.columns)})"
        what = f"Common: the {found.common} problems that all of them have."
        lines.append(f"Avg and Common are over {len(languages)} languages{rest}. {what}")
    return lines


def _missing(found: BenchmarkTable) -> list[str]:
    lines, n = [], found.settings["n"]
    for language, facts in found.languages.items():
        parts = []
        shared = facts.used + facts.unjudged + facts.left_out
        if shared < facts.asked:
            parts.append(f"partial, {shared} of {facts.asked} problems that all pools have")
        if facts.unjudged:
            parts.append(f"{facts.unjudged} problems lost because nothing of theirs could be judged")
        if facts.left_out:
            parts.append(f"{facts.left_out} problems left out for fewer than n = {n} judged candidates in some pool")
        if facts.short:
            parts.append(f"{facts.short} problems with fewer than n = {n} judged candidates")
        if facts.ceiling and facts.ceiling[1] != facts.asked:
            parts.append(f"the ceiling is of all {facts.ceiling[1]} problems, {facts.asked} were asked")
        if parts:
            lines.append(f"{language}: {'; '.join(parts)}.")
    lines += _unguarded(found)
    lost = {one: sum(facts.never_judged.values()) for one, facts in found.languages.items()}
    counts = [f"{one} {n} of {found.languages[one].candidates}" for one, n in lost.items() if n]
    lines += [f"Candidates that could not be judged, left out: {', '.join(counts)}."] if counts else []
    for row in found.rows:
        fewer = {
            one: score.problems
            for one, score in row.scores.items()
            if one in found.languages and score.problems != found.languages[one].used
        }
        if fewer:
            whose = f"{row.generator}, {label(row.ranker)}" if row.generator else label(row.ranker)
            texts = [f"{n} of {found.languages[one].used} problems in {one}" for one, n in fewer.items()]
            lines.append(f"{whose}: {', '.join(texts)}.")
    flat = {
        one: sum(row.scores[one].gap_closed is None for row in found.rows if row.generator and one in row.scores)
        for one in found.scored_languages()
    }
    undefined = [one for one, count in flat.items() if count]
    if undefined:
        lines.append(f"No gap to close, the oracle being no better than a random pick: {', '.join(undefined)}.")
    return lines + _nothing_solved(found)


def _nothing_solved(found: BenchmarkTable) -> list[str]:
    """Resampled zeros stay zeros. Of ``k`` problems none is solved with probability .05 where the share is
    ``1 - .05 ** (1 / k)`` (Clopper and Pearson 1934, one-sided)."""
    by_count: dict[int, list[str]] = {}
    for language in found.scored_languages():
        oracles = [row.scores[language] for row in found.rows if row.ranker == "oracle" and language in row.scores]
        if oracles and not any(score.solved for score in oracles):
            by_count.setdefault(min(score.problems for score in oracles), []).append(language)
    return [
        f"Nothing solved in {', '.join(languages)}: the intervals have no width, which is not certainty; none of {k} "
        f"problems goes with shares of up to {per_cent(1 - 0.05 ** (1 / k))} % (95 %, one-sided)."
        for k, languages in by_count.items()
    ]


def _unguarded(found: BenchmarkTable) -> list[str]:
    """A guard that was not run, or not judged, has raised no alarm either."""
    lacking: dict[str, list[str]] = {}
    for language in found.scored_languages():
        rows = {row.ranker for row in found.rows if not row.generator and language in row.scores}
        if guards := unguarded(rows):
            lacking.setdefault(guards, []).append(language)
    parts = [f"{guards} in {', '.join(languages)}" for guards, languages in lacking.items()]
    return [f"Guards without a judged program: {'; '.join(parts)}."] if parts else []


def ranker_notes(settings: Mapping[str, Any]) -> list[str]:
    lines = []
    if settings["resampled"]:
        names = ", ".join(label(name) for name in settings["resampled"])
        how = f"so they were scored anew on {settings['draws']} draws of n"
        lines.append(f"Compare candidates with each other, {how}: {names}.")
    for ranker, pools in settings["indifferent"].items():
        where = f"{len(pools)} pools ({pools[0]}, ...)" if len(pools) > 1 else pools[0]
        lines.append(f"{label(ranker)} gives all candidates the same score in {where}: a random pick there.")
    return lines
