"""The lines under a table: how its numbers came about, and what they do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from rewardranker.tables.names import label, per_cent
from rewardranker.tables.paper import PaperRow
from rewardranker.tables.rows import Row, Table
from rewardranker.tables.submissions import unguarded

UNGUARDED = "Guards without a judged program"
_SAMPLING = {
    "temperature": "temperature",
    "top_k": "top-k",
    "seed": "seed",
    "data_revision": "data",
    "judge": "judge",
}
PAPER = "The paper: arXiv 2504.09643, its table as printed"


def scored_languages(found: Table) -> list[str]:
    """Those whose columns have numbers of ours."""
    return [language for language, coverage in found.coverage.items() if coverage.used]


def footnotes(paper: Sequence[PaperRow]) -> dict[str, str]:
    """Letters by note, in the order in which a reader meets them."""
    texts = dict.fromkeys(note for row in paper for note in row.notes)
    return dict(zip(texts, ascii_lowercase, strict=False))


def benchmark_notes(found: Table, letters: Mapping[str, str]) -> list[str]:
    """One line each: alarms, sampling, provenance, statistics, what is missing, the paper's footnotes."""
    lines = [f"ALARM: {alarm}" for alarm in found.alarms()]
    lines += [sampling(found.settings), _provenance(found), *_statistics(found), *_missing(found)]
    lines += _ranker_notes(found.settings)
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


def _provenance(found: Table) -> str:
    by_revision: dict[str, list[str]] = {}
    for language, facts in found.coverage.items():
        by_revision.setdefault(facts.revision, []).append(language)
    data = ", ".join(f"{'/'.join(languages)} {revision}" for revision, languages in by_revision.items())
    settings = found.settings
    tools = ", ".join(f"{name} {version}" for name, version in settings["toolchains"].items()) or "not recorded"
    more = "".join(f" {name}: {value}." for name, value in settings["more"].items())
    return f"Data: {data}. Harness: {settings['harness'] or 'not recorded'}. Tool-chains: {tools}.{more}"


def _statistics(found: Table) -> list[str]:
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
    languages = scored_languages(found)
    if len(languages) > 1:
        whole = len(languages) == len(found.columns)
        rest = "" if whole else f" (those with pools; the paper's Avg is over {len(found.columns)})"
        what = f"Common: the {found.common} problems that all of them have."
        lines.append(f"Avg and Common are over {len(languages)} languages{rest}. {what}")
    return lines


def _missing(found: Table) -> list[str]:
    lines, n = [], found.settings["n"]
    for language, facts in found.coverage.items():
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
    lost = {one: sum(facts.never_judged.values()) for one, facts in found.coverage.items()}
    counts = [f"{one} {n} of {found.coverage[one].candidates}" for one, n in lost.items() if n]
    lines += [f"Candidates that could not be judged, left out: {', '.join(counts)}."] if counts else []
    for row in found.rows:
        fewer = {
            one: score.problems
            for one, score in row.scores.items()
            if one in found.coverage and score.problems != found.coverage[one].used
        }
        if fewer:
            whose = f"{row.generator}, {label(row.ranker)}" if row.generator else label(row.ranker)
            texts = [f"{n} of {found.coverage[one].used} problems in {one}" for one, n in fewer.items()]
            lines.append(f"{whose}: {', '.join(texts)}.")
    flat = {
        one: sum(row.scores[one].gap_closed is None for row in found.rows if row.generator and one in row.scores)
        for one in scored_languages(found)
    }
    undefined = [one for one, count in flat.items() if count]
    if undefined:
        lines.append(f"No gap to close, the oracle being no better than a random pick: {', '.join(undefined)}.")
    return lines + _nothing_solved(found)


def _nothing_solved(found: Table) -> list[str]:
    """Resampled zeros stay zeros. Of ``k`` problems none is solved with probability .05 where the share is
    ``1 - .05 ** (1 / k)`` (Clopper and Pearson 1934, one-sided)."""
    by_count: dict[int, list[str]] = {}
    for language in scored_languages(found):
        oracles = [row.scores[language] for row in found.rows if row.ranker == "oracle" and language in row.scores]
        if oracles and not any(score.solved for score in oracles):
            by_count.setdefault(min(score.problems for score in oracles), []).append(language)
    return [
        f"Nothing solved in {', '.join(languages)}: the intervals have no width, which is not certainty; none of {k} "
        f"problems goes with shares of up to {per_cent(1 - 0.05 ** (1 / k))} % (95 %, one-sided)."
        for k, languages in by_count.items()
    ]


def _unguarded(found: Table) -> list[str]:
    """A guard that was not run, or not judged, has raised no alarm either."""
    lacking: dict[str, list[str]] = {}
    for language in scored_languages(found):
        rows = {row.ranker for row in found.rows if not row.generator and language in row.scores}
        if guards := unguarded(rows):
            lacking.setdefault(guards, []).append(language)
    parts = [f"{guards} in {', '.join(languages)}" for guards, languages in lacking.items()]
    return [f"{UNGUARDED}: {'; '.join(parts)}."] if parts else []


def cycle_notes(found: Table) -> list[str]:
    """A line each; what pools share is said once."""
    shared: dict[str, list[str]] = {}
    pools = found.by_generator()
    for pool, rows in pools.items():
        shared.setdefault(
            _counts(found.settings["pools"][pool], max(n for row in rows for n in _ns(row))), []
        ).append(pool)
    sampled = [f"{name} {found.settings[key]}" for key, name in _SAMPLING.items() if key in found.settings]
    lacking = {unguarded([row.ranker for row in rows]) for rows in pools.values()} - {""}
    return [
        *(f"ALARM: {alarm}" for alarm in found.alarms()),
        *(f"{', '.join(names)}: {counts}" for counts, names in shared.items()),
        ", ".join(sampled),
        f"95 % CI: percentile bootstrap over problems, {found.settings['bootstrap']} resamples; "
        "bold: better than a random pick, the difference's interval above zero",
        *found.settings.get("ended", []),  # absent from results of earlier versions
        *(f"{UNGUARDED}: {guards}" for guards in sorted(lacking)),
    ]


def comparison_notes(found: Table) -> list[str]:
    """Of what the rankers' choices are worth."""
    settings, (coverage,) = found.settings, found.coverage.values()
    n, (low, high) = settings["n"], settings["sampled"]
    lost = ", ".join(f"{verdict} {count}" for verdict, count in coverage.never_judged.items())
    rows = ranked_rows(found)
    gaps = {row.ranker: row.metrics.get("gap_per_problem") for row in rows}
    means = ", ".join(
        f"{label(name)} {'–' if gap is None else per_cent(gap.value)}"
        for name, gap in gaps.items()
        if name not in ("random", "oracle")
    )
    undefined = settings["reaching"][-1] - ((gaps["random"] and gaps["random"].problems) or 0)
    return [
        *(f"ALARM: {alarm}." for alarm in found.alarms()),
        f"{coverage.used} of {coverage.asked} problems, {low if low == high else f'{low} to {high}'} "
        f"candidates each, data {coverage.revision}.",
        f"{sum(coverage.never_judged.values())} of {coverage.candidates} candidates not judged and left out "
        f"({lost}), {coverage.unjudged} problems lost to that, {coverage.short} with fewer than n = {n} judged.",
        *_partial(settings, coverage.used),
        *_submission_notes(found, coverage.used),
        f"Under a number: 95 % interval, percentile bootstrap over problem groups, {settings['bootstrap']:,} "
        f"resamples. Bold: better than {label(settings['baseline'])} at n = {n}, the interval of the difference "
        "excluding zero; italic: worse.",
        f"Gap closed: share of the way from a random pick to the oracle at n = {n}, by the means. Mean over "
        f"problems: {means or 'no ranker'}; undefined for {undefined} problems, where all "
        "candidates are right or all wrong.",
        *_ranker_notes(settings),
    ]


def metric_notes(found: Table) -> list[str]:
    """Of what the rankers' scores are like."""

    def over(metric: str) -> str:
        known = next((one for row in found.rows if (one := row.metrics.get(metric)) is not None), None)
        return f"{known.problems if known else 0} problems have"

    return [
        f"Pairs: right over wrong candidates of the same problem ({over('pair_accuracy')} both). AUC: "
        "the same over all candidates, whatever their problem. MRR: reciprocal rank of the first right one "
        f"({over('mrr')} one). Length: Spearman's correlation of score and program length within a "
        "problem.",
        "ECE (10 bins) and Brier score after Platt scaling, fitted on half of the problem groups and measured on the "
        "other half.",
    ]


def ranked_rows(found: Table) -> list[Row]:
    """Those of rankers: they have a score in every column."""
    return [row for row in found.rows if set(found.columns) <= set(row.scores)]


def _ns(row: Row) -> list[int]:
    return [score.n for score in row.scores.values()]


def _counts(counts: Mapping[str, Any], n: int) -> str:
    by_verdict = ", ".join(f"{verdict} {count}" for verdict, count in counts.get("never_judged", {}).items())
    kinds = f" ({by_verdict})" if by_verdict else ""
    lost = f"{counts['excluded']} of {counts['candidates']} candidates not judged and left out{kinds}"
    whole = f" (problems lost entirely: {counts['dropped_problems']})" if counts["dropped_problems"] else ""
    how = lost + whole if counts["excluded"] else "all judged"
    return f"{counts['problems']} problems, n = {n} candidates each, {how}"


def _partial(settings: Mapping[str, Any], problems: int) -> list[str]:
    """Which columns of a partial comparison leave problems out."""
    counts = dict(zip(settings["ns"], settings["reaching"], strict=True))
    lacking = [f"n = {n} over {count}" for n, count in counts.items() if count < problems]
    if not lacking:
        return []
    return [
        f"Partial: a problem counts only where it has n judged candidates: {', '.join(lacking)} of "
        f"{problems} problems. Columns of different n are then of different problems."
    ]


def _submission_notes(found: Table, problems: int) -> list[str]:
    own = [
        (row.ranker, score.problems)
        for row in found.rows
        for key, score in row.scores.items()
        if key in found.coverage
    ]
    lacking, fewer = unguarded([row for row, _ in own]), [f"{label(row)} {n}" for row, n in own if n < problems]
    whole = f"On fewer than the {problems} problems, for want of judged programs"
    return [
        *([f"{UNGUARDED}: {lacking}."] if lacking else []),
        *([f"{whole}: {', '.join(fewer)}."] if fewer else []),
    ]


def _ranker_notes(settings: Mapping[str, Any]) -> list[str]:
    lines = []
    if settings["resampled"]:
        names = ", ".join(label(name) for name in settings["resampled"])
        how = f"so they were scored anew on {settings['draws']} draws of n"
        lines.append(f"Compare candidates with each other, {how}: {names}.")
    for ranker, pools in settings["indifferent"].items():
        where = f"{len(pools)} pools ({pools[0]}, ...)" if len(pools) > 1 else pools[0]
        lines.append(f"{label(ranker)} gives all candidates the same score in {where}: a random pick there.")
    return lines
