"""The result table: every ranker on the same pools, with intervals and a paired comparison to chance."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich import box
from rich.console import JustifyMethod
from rich.markup import escape
from rich.table import Table

from rewardranker.errors import UserError
from rewardranker.evaluation.metrics import bootstrap_mean, expected_pick, gap_closed, pair_accuracy, paired_bootstrap
from rewardranker.execution.verdict import NEVER_LABELS, Verdict
from rewardranker.problems.types import Candidate
from rewardranker.reranking.logprob import mean_logprob
from rewardranker.reranking.majority import votes
from rewardranker.reranking.stored import stored_scores

Groups = Mapping[str, Sequence[Candidate]]
Scorer = Callable[[Sequence[Candidate]], list[float]]
PerProblem = dict[str, float]

HEADERS = ("Ranker", "Solved", "95 % CI", "vs random [95 % CI]", "Gap closed", "Pairs ranked right")
FIRST_KEYS = ("rewardranker_1", "rewardranker_control", "rewardranker_2_hardnegatives", "rewardranker_2_selftraining")
_LABELS = {
    "random": "Random pick (pass@1)",
    "greedy": "Greedy (one sample)",
    "logprob": "Mean log-probability",
    "majority": "Majority vote on behaviour",
    "oracle": "Oracle (pass@n)",
    "rewardranker_1": "RewardRanker (1 iter.)",
    "rewardranker_control": "RewardRanker, control (no new data)",
}
_VARIANTS = {"hardnegatives": "hard negatives", "selftraining": "self-training"}
_SAMPLING = {
    "temperature": "temperature",
    "top_k": "top-k",
    "seed": "seed",
    "data_revision": "data",
    "judge": "judge",
}


@dataclass(frozen=True)
class PoolInput:
    """One pool to rank.

    Attributes:
        candidates: judged and scored, by problem id.
        greedy: one greedy candidate per problem id; empty where none was generated.
        score_keys: which of ``Candidate.scores`` to show; empty for all that start with ``rewardranker``.
    """

    candidates: Groups
    greedy: Mapping[str, Candidate] = field(default_factory=dict)
    score_keys: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """One ranker on one pool. Shares are of 1; ``vs_random`` is (difference, low, high) on the same problems.

    ``n`` is the candidates sampled per problem (the most, where problems differ), ``problems`` how many the
    row averages over. ``gap_closed`` is ``None`` where the oracle is no better than chance.
    """

    pool: str
    ranker: str
    solved: float
    n: int
    problems: int
    ci_low: float
    ci_high: float
    gap_closed: float | None
    vs_random: tuple[float, float, float] | None
    pair_accuracy: float | None

    @property
    def beats_random(self) -> bool:
        """Whether to print it bold: the interval of the difference lies above zero. Never for the oracle."""
        return self.ranker != "oracle" and self.vs_random is not None and self.vs_random[1] > 0

    @property
    def below_random(self) -> bool:
        return self.vs_random is not None and self.vs_random[2] < 0

    def cells(self) -> tuple[str, ...]:
        """As text in per cent, in the order of :data:`HEADERS`, without markup."""
        difference = "–"
        if self.vs_random is not None:
            middle, low, high = (per_cent(value, "+") for value in self.vs_random)
            difference = f"{middle} [{low}, {high}]"
        interval = f"{per_cent(self.ci_low)} – {per_cent(self.ci_high)}"
        gap, pairs = ("–" if value is None else per_cent(value) for value in (self.gap_closed, self.pair_accuracy))
        return label(self.ranker), per_cent(self.solved), interval, difference, gap, pairs


@dataclass(frozen=True)
class ResultTable:
    """Rows grouped by pool, and what they were computed with (``settings``, plain JSON values)."""

    rows: list[Row]
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "settings": self.settings}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResultTable:
        """Reads what :meth:`to_json` gave, also after a trip through a file."""
        rows = [Row(**{**row, "vs_random": row["vs_random"] and tuple(row["vs_random"])}) for row in data["rows"]]
        return cls(rows, dict(data["settings"]))

    def pools(self) -> dict[str, list[Row]]:
        """The rows by pool, in order."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.pool, []).append(row)
        return grouped

    def notes(self) -> list[str]:
        """How the numbers came about, a line each; what pools share is said once."""
        shared: dict[str, list[str]] = {}
        for pool in self.pools():
            shared.setdefault(self._counts(pool), []).append(pool)
        sampling = [f"{name} {self.settings[key]}" for key, name in _SAMPLING.items() if key in self.settings]
        return [
            *(f"{', '.join(pools)}: {counts}" for counts, pools in shared.items()),
            ", ".join(sampling),
            f"95 % CI: percentile bootstrap over problems, {self.settings['bootstrap']} resamples; "
            "bold: better than a random pick, the difference's interval above zero",
        ]

    def _counts(self, pool: str) -> str:
        counts, n = self.settings["pools"][pool], max(row.n for row in self.pools()[pool])
        lost = f"{counts['excluded']} of {counts['candidates']} candidates not judged and left out"
        whole = f" (problems lost entirely: {counts['dropped_problems']})" if counts["dropped_problems"] else ""
        how = lost + whole if counts["excluded"] else "all judged"
        return f"{counts['problems']} problems, n = {n} candidates each, {how}"

    def render(self) -> Table:
        """For the terminal: 120 columns hold it, and on narrower ones the names wrap."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.title = "Problems solved by the chosen candidate, all numbers in %"
        table.title_justify = table.caption_justify = "left"
        for index, header in enumerate(HEADERS):
            justify: JustifyMethod = "right" if index else "left"
            table.add_column(textwrap.fill(header, 12), justify=justify, no_wrap=index > 0, overflow="fold")
        for pool, rows in self.pools().items():
            table.add_row(f"[bold underline]pool {escape(pool)}[/]", *[""] * (len(HEADERS) - 1))
            for row in rows:
                table.add_row(*map(escape, row.cells()), style="bold" if row.beats_random else None)
            table.add_section()
        table.caption = escape("\n".join(self.notes()))
        return table

    def markdown(self) -> str:
        """For a README: one table per pool, in per cent."""
        parts = []
        for pool, rows in self.pools().items():
            lines = [f"**Pool {pool}**, in %", "", _line(HEADERS), _line(["---"] + ["---:"] * (len(HEADERS) - 1))]
            for row in rows:
                cells = [cell.replace("|", "\\|") for cell in row.cells()]
                lines.append(_line([f"**{cell}**" for cell in cells] if row.beats_random else cells))
            parts.append("\n".join(lines))
        return "\n\n".join([*parts, f"{'; '.join(self.notes())}."]) + "\n"


def build_table(pools: Mapping[str, PoolInput], bootstrap: int, seed: int) -> ResultTable:
    """Ranks every pool with every ranker it has data for.

    Order: random, greedy, logprob, majority, the RewardRankers, oracle. Random is the exact expectation, not
    a draw. Greedy is left out where the pool has no greedy candidates, logprob and majority where no
    candidate carries log-probabilities or a signature. Candidates that could not be judged (``INFRA``,
    ``NO_TOOLCHAIN``) are left out and counted in ``settings["pools"]``.

    Raises:
        UserError: unjudged candidates, no problem left, a problem without a greedy candidate where others
            have one, or a missing score.
    """
    rows: list[Row] = []
    counts = {}
    for name, pool in pools.items():
        groups = _judged(name, pool.candidates)
        rows.extend(_pool_rows(name, pool, groups, bootstrap, seed))
        total = sum(len(group) for group in pool.candidates.values())
        counts[name] = {
            "problems": len(groups),
            "candidates": total,
            "excluded": total - sum(len(group) for group in groups.values()),
            "dropped_problems": len(pool.candidates) - len(groups),
        }
    return ResultTable(rows, {"bootstrap": bootstrap, "seed": seed, "pools": counts})


def label(ranker: str) -> str:
    """A ranker's name for people; an unknown key stands for itself."""
    later = re.fullmatch(r"rewardranker_(\d+)(?:_(.+))?", ranker)
    if ranker in _LABELS or later is None:
        return _LABELS.get(ranker, ranker)
    variant = later[2] or ""
    return ", ".join(filter(None, ("RewardRanker", f"{later[1]} iter.", _VARIANTS.get(variant, variant))))


def in_order(keys: Iterable[str]) -> list[str]:
    """Score keys as the tables list them: the known ones first, further ones as they come."""
    given = list(keys)
    return [key for key in FIRST_KEYS if key in given] + [key for key in given if key not in FIRST_KEYS]


def per_cent(share: float, sign: str = "") -> str:
    """A share as a number of per cent, one decimal. Halves go up: 0.4145 is 41.5, however it was computed."""
    return f"{100 * share + 1e-9:{sign}.1f}".replace("-", "\N{MINUS SIGN}")


def _judged(pool: str, candidates: Groups) -> dict[str, list[Candidate]]:
    groups = {}
    for problem_id, group in candidates.items():
        if any(c.verdict is None for c in group):
            raise UserError(f"pool {pool}: problem {problem_id} has candidates without a verdict; judge it first")
        judged = [c for c in group if c.verdict not in NEVER_LABELS]
        if judged:
            groups[problem_id] = judged
    if not groups:
        raise UserError(f"pool {pool}: none of its {len(candidates)} problems has a judged candidate")
    return groups


def _pool_rows(name: str, pool: PoolInput, groups: Groups, bootstrap: int, seed: int) -> list[Row]:
    random = {key: float(np.mean(_correct(group))) for key, group in groups.items()}
    oracle = {key: float(max(_correct(group))) for key, group in groups.items()}
    solved: dict[str, PerProblem] = {"random": random}
    pairs: dict[str, float | None] = {}
    if pool.greedy:
        solved["greedy"] = _greedy(name, pool, groups)
    for ranker, scorer in _scorers(groups, pool.score_keys).items():
        scores = {key: scorer(group) for key, group in groups.items()}
        solved[ranker] = {key: expected_pick(scores[key], _correct(group)) for key, group in groups.items()}
        found = [pair_accuracy(scores[key], _correct(group)) for key, group in groups.items()]
        known = [value for value in found if value is not None]
        pairs[ranker] = float(np.mean(known)) if known else None
    solved["oracle"] = oracle

    n = max(len(group) for group in pool.candidates.values())
    rows = []
    for ranker, values in solved.items():
        if not values:  # every greedy candidate failed to be judged
            continue
        own, chance, best = (np.array([per[key] for key in values]) for per in (values, random, oracle))
        mean, low, high = bootstrap_mean(own, bootstrap, seed)
        closed = gap_closed(mean, float(chance.mean()), float(best.mean()))
        versus = None if ranker == "random" else paired_bootstrap(own, chance, bootstrap, seed)
        count = 1 if ranker == "greedy" else n
        rows.append(Row(name, ranker, mean, count, len(values), low, high, closed, versus, pairs.get(ranker)))
    return rows


def _scorers(groups: Groups, score_keys: Sequence[str]) -> dict[str, Scorer]:
    everyone = [candidate for group in groups.values() for candidate in group]
    keys = list(score_keys) or list(
        dict.fromkeys(key for c in everyone for key in c.scores if key.startswith("rewardranker"))
    )
    scorers: dict[str, Scorer] = {}
    if any(c.logprobs for c in everyone):
        scorers["logprob"] = lambda group: [mean_logprob(c) for c in group]
    if any(c.signature for c in everyone):
        scorers["majority"] = votes
    for key in in_order(keys):
        scorers[key] = lambda group, key=key: stored_scores(group, key)  # type: ignore[misc]
    return scorers


def _greedy(name: str, pool: PoolInput, groups: Groups) -> PerProblem:
    missing = [key for key in groups if key not in pool.greedy or pool.greedy[key].verdict is None]
    if missing:
        raise UserError(
            f"pool {name}: {len(missing)} of {len(groups)} problems have no judged greedy candidate "
            f"({', '.join(missing[:3])}); generate and judge one for each, or pass none"
        )
    judged = {key: pool.greedy[key].verdict for key in groups if pool.greedy[key].verdict not in NEVER_LABELS}
    return {key: float(verdict == Verdict.OK) for key, verdict in judged.items()}


def _correct(group: Sequence[Candidate]) -> list[int]:
    return [int(c.verdict == Verdict.OK) for c in group]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
