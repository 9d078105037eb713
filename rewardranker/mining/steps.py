"""What is done to shards of programs on the way to triplets: they are run, paired, and searched for hard negatives.

All are steps of :func:`rewardranker.runs.shards.map_shards`, over directories as :mod:`rewardranker.problems.shards`
has them:

    map_shards(Execute(("cpp", "python")), {"problems": p, "programs": s}, verdicts, InProcesses(8))
    map_shards(PairPrograms(seed=0), {"problems": p, "programs": s, "verdicts": verdicts}, triplets, InProcesses(8))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pyarrow as pa

from rewardranker.config.schema import MiningConfig
from rewardranker.judge import Judge, judge_fingerprint
from rewardranker.judge.judge import DEFAULT_TIER
from rewardranker.mining.hard_negatives import hard_negatives, mined_triplets
from rewardranker.mining.io import triplet_table
from rewardranker.mining.pairing import PairCaps, pair_up
from rewardranker.problems.pool import SCORE
from rewardranker.problems.shards import RUN, groups_of, problems_of
from rewardranker.problems.suspects import labelled
from rewardranker.problems.types import Candidate, Problem, Triplet
from rewardranker.problems.verdict import LABELS, Verdict
from rewardranker.programs import completion_of
from rewardranker.runs.seeds import derive_seed
from rewardranker.runs.shards import PARQUET, Made, Shard, Work

#: Which programs are right: those of which the site and our judge say so, or one of them alone. Where a site has said
#: nothing, as of generated programs, the judge decides.
Labels = Literal["agree", "verdict", "given"]

VERDICTS = pa.schema(
    [
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("tests_passed", pa.int32(), nullable=False),
        pa.field("tests_total", pa.int32(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
    ]
)
_SAID = {True: "right", False: "wrong", None: "nothing"}


@dataclass(frozen=True)
class Execute:
    """Runs every program again: what its site said of it stays, and our verdict is beside it (:data:`VERDICTS`).

    Sources ``problems`` and ``programs``. Counted are programs by data set, language, label and verdict, so that it
    can be said how often they disagree (:func:`disagreement`).

    Attributes:
        languages: of the programs. Verdicts of another judge or tool-chain are others.
        minimum_tier, remote: see :class:`rewardranker.judge.Judge`.
    """

    languages: tuple[str, ...]
    minimum_tier: str = DEFAULT_TIER
    remote: str = ""
    name: str = "execute"
    suffix: str = PARQUET

    def settings(self) -> Mapping[str, Any]:
        return {"judge": {language: judge_fingerprint(language, self.remote) for language in self.languages}}

    @contextmanager
    def open(self) -> Iterator[Work]:
        with Judge(1, minimum_tier=self.minimum_tier, remote=self.remote) as judge:
            yield lambda shard: self._run(judge, shard)

    def _run(self, judge: Judge, shard: Shard) -> Made:
        problems = problems_of(shard, columns=RUN)
        programs = shard.table("programs", ("problem_id", "code", "right")).to_pylist()
        judgements = judge.run([(problems[row["problem_id"]], row["code"]) for row in programs])
        counts: Counter[str] = Counter()
        for row, judgement in zip(programs, judgements, strict=True):
            problem = problems[row["problem_id"]]
            counts[f"{problem.source} {problem.language}: {_SAID[row['right']]}, {judgement.verdict}"] += 1
        rows = [{name: getattr(judgement, name) for name in VERDICTS.names} for judgement in judgements]
        for entry in rows:
            entry["verdict"] = str(entry["verdict"])
        return Made(pa.Table.from_pylist(rows, VERDICTS), counts)


def disagreement(counts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """By data set and language, from what :class:`Execute` counted: the share of programs called right that fail
    (``right_fails``), of those called wrong that pass (``wrong_passes``), and how many verdicts both are of."""
    totals: dict[str, Counter[str]] = {}
    for name, count in counts.items():
        where, _, what = name.rpartition(": ")
        said, _, verdict = what.partition(", ")
        if said == "nothing" or Verdict(verdict) not in LABELS:
            continue
        of = totals.setdefault(where, Counter())
        of[said] += count
        of[f"{said} {verdict == Verdict.OK}"] += count
    return {
        where: {
            "right_fails": of["right False"] / max(1, of["right"]),
            "wrong_passes": of["wrong True"] / max(1, of["wrong"]),
            "programs": of["right"] + of["wrong"],
        }
        for where, of in sorted(totals.items())
    }


def label_of(rule: Labels, right: bool | None, verdict: Verdict | None) -> bool | None:
    """Whether a program is right; ``None`` where nothing may be learnt of it."""
    ours = (verdict is Verdict.OK) if verdict in LABELS else None
    if rule == "given":
        return right
    if rule == "verdict" or right is None:
        return ours
    return ours if ours == right else None


@dataclass(frozen=True)
class PairPrograms:
    """Triplets of every training problem: :func:`rewardranker.mining.pairing.pair_up` within each language.

    Sources ``problems``, ``programs`` and, but with ``labels="given"``, ``verdicts``. Writes
    :data:`rewardranker.mining.io.SHARD_SCHEMA`. Counted are triplets by kind, language and distance, and what gives
    none.
    """

    caps: PairCaps = field(default_factory=PairCaps)
    seed: int = 0
    labels: Labels = "agree"
    iteration: int = 1
    name: str = "pair"
    suffix: str = PARQUET

    def settings(self) -> Mapping[str, Any]:
        return {"caps": asdict(self.caps), "seed": self.seed, "labels": self.labels, "iteration": self.iteration}

    def open(self) -> AbstractContextManager[Work]:
        return nullcontext(self._pair)

    def _pair(self, shard: Shard) -> Made:
        problems, counts = problems_of(shard), Counter[str]()
        programs = shard.table("programs", ("problem_id", "code", "source", "right", "passed"))
        if self.labels != "given":
            verdicts = shard.table("verdicts", ("verdict", "tests_passed", "tests_total"))
            programs = shard.side_by_side(programs, verdicts)
        rows = programs.to_pylist()
        found: list[tuple[Triplet, int, float | None]] = []
        for name, places in groups_of(row["problem_id"] for row in rows).items():
            group = [rows[place] for place in places]
            if problems[name].split != "train":
                counts[f"left out: programs of the {problems[name].split} split"] += len(group)
            else:
                found += self._of_problem(problems[name], group, counts)
        for triplet, distance, _ in found:
            counts[f"triplets: {triplet.origin} {triplet.language}"] += 1
            if distance >= 0:
                longer = max(len(triplet.chosen), len(triplet.rejected), 1)
                counts[f"distance: {min(9, 10 * distance // longer)}"] += 1
        return Made(triplet_table(found), counts)

    def _of_problem(
        self, problem: Problem, group: Sequence[dict[str, Any]], counts: Counter[str]
    ) -> list[tuple[Triplet, int, float | None]]:
        sides: dict[bool, dict[str, dict[str, Any]]] = {True: {}, False: {}}
        for row in group:
            verdict = Verdict(row["verdict"]) if "verdict" in row else None
            label = label_of(self.labels, row["right"], verdict)
            if label is None:
                counts["left out: programs without a label"] += 1
            else:
                sides[label].setdefault(row["code"], row)
        both = sides[True].keys() & sides[False].keys()
        counts["left out: programs with both labels"] += len(both)
        right, wrong = ({code: row for code, row in side.items() if code not in both} for side in sides.values())
        if not right or not wrong:
            counts["left out: programs of a problem with one label only"] += len(right) + len(wrong)
            return []
        passing, failing = list(right), list(wrong)
        most = max((row["passed"] or 0 for row in right.values()), default=0)
        rates = [_pass_rate(row, most) for row in wrong.values()]
        caps, seed = self.caps, derive_seed(self.seed, problem.id)
        pairs = pair_up(passing, failing, caps, seed, [rate or 0.0 for rate in rates])
        counts["left out: triplets beyond the caps"] += 2 * min(caps.each, len(passing)) * len(failing) - len(pairs)
        whole = {code: completion_of(problem, code) for code in (*passing, *failing)}
        found = []
        for pair in pairs:
            chosen, rejected = passing[pair.chosen], failing[pair.rejected]
            triplet = Triplet(
                problem_id=problem.id,
                language=problem.language,
                prompt=problem.prompt,
                chosen=whole[chosen],
                rejected=whole[rejected],
                origin=pair.origin,
                iteration=self.iteration,
                chosen_source=right[chosen]["source"],
            )
            found.append((triplet, pair.distance, rates[pair.rejected]))
        return found


def _pass_rate(row: Mapping[str, Any], most: int) -> float | None:
    """The share of its tests that a failing program passes: by our judge, or by its site, which says how many.

    Args:
        most: how many a right program passes there.
    """
    if row.get("tests_total"):
        return float(row["tests_passed"] / row["tests_total"])
    return min(1.0, row["passed"] / most) if row["passed"] is not None and most else None


@dataclass(frozen=True)
class MineHardNegatives:
    """Hard negatives of judged and scored programs, as triplets of one variant; see
    :func:`rewardranker.mining.hard_negatives.hard_negatives` and :func:`mined_triplets`.

    Sources ``problems``, ``programs``, ``verdicts``, ``scores`` (column ``score_<ranker>``), and ``references``:
    programs of the same problems that are right.
    """

    ranker: str
    variant: str
    iteration: int
    seed: int
    max_rank: int = 3
    max_per_problem: int = 4
    label_suspected: bool = False
    name: str = "mine"
    suffix: str = PARQUET

    def settings(self) -> Mapping[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in ("name", "suffix")}

    def open(self) -> AbstractContextManager[Work]:
        return nullcontext(self._mine)

    def _mine(self, shard: Shard) -> Made:
        problems, counts = problems_of(shard), Counter[str]()
        column, config = (
            SCORE + self.ranker,
            MiningConfig(max_rank=self.max_rank, max_per_problem=self.max_per_problem),
        )
        rows = shard.side_by_side(
            shard.table("programs", ("problem_id", "language", "code", "source")),
            shard.table("verdicts", ("verdict", "message")),
            shard.table("scores", (column,)),
        )
        pool = []
        for row in rows.to_pylist():
            score = row.pop(column)
            if score is None or problems[row["problem_id"]].split != "train":
                counts["left out: programs without a score, or held out"] += 1
                continue
            verdict = Verdict(row.pop("verdict"))
            pool.append(Candidate(**row, text=row["code"], verdict=verdict, scores={self.ranker: score}))
        known = self._references(shard)
        found: list[tuple[Triplet, int, float | None]] = []
        groups = labelled(problems, pool, self.label_suspected)
        for name, group in groups.items():
            hard = hard_negatives(group, self.ranker, config)
            seed = derive_seed(self.seed, self.name, self.variant, name)
            mined = mined_triplets(
                problems[name], group, hard, known.get(name, []), self.variant, self.iteration, seed
            )
            counts["hard negatives"] += len(hard)
            counts["problems with hard negatives"] += bool(hard)
            found += [(triplet, -1, None) for triplet in mined if triplet.chosen != triplet.rejected]
        counts["candidates"] += rows.num_rows
        for triplet, _, _ in found:
            counts[f"triplets: {triplet.origin} {triplet.language}"] += 1
        return Made(triplet_table(found), counts)

    def _references(self, shard: Shard) -> dict[str, list[str]]:
        if "references" not in shard.files:
            return {}
        rows = [row for row in shard.table("references", ("problem_id", "code", "right")).to_pylist() if row["right"]]
        found = groups_of(row["problem_id"] for row in rows)
        return {name: [rows[place]["code"] for place in places] for name, places in found.items()}
