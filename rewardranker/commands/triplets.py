"""The ``triplets`` command: a whole contest data set as triplets, and as a corpus of tokens, with a page about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from rewardranker.config.choices import PLACES, chosen
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.mining.pairing import PairCaps
from rewardranker.mining.steps import Execute, Labels, PairPrograms
from rewardranker.paths import AnyPath
from rewardranker.problems.contests.corpus import ContestSource
from rewardranker.problems.contests.importing import PROBLEMS_IN, PROGRAMS_IN, import_contests
from rewardranker.problems.verdict import NEVER_LABELS
from rewardranker.runs.console import Console
from rewardranker.runs.shards import InProcesses, Step, map_shards, shards_in


@dataclass(frozen=True)
class TripletsRequest:
    """What the command was asked for; see :func:`run_triplets` and the command's own help."""

    out: AnyPath
    labels: str = "agree"
    workers: int = 2
    each: int = 1
    of_one: int = 0
    gap: float = 0.0

    def check(self) -> None:
        """Raises :class:`UserError` for what cannot be meant."""
        if self.labels not in get_args(Labels):
            raise UserError(f"--labels {self.labels}: must be one of {', '.join(get_args(Labels))}")
        for name, value in (("--workers", self.workers), ("--each", self.each)):
            if value < 1:
                raise UserError(f"{name} {value}: must be at least 1")
        if not 0 <= self.gap < 1 or self.of_one < 0:
            raise UserError(f"--gap {self.gap}, --of-one {self.of_one}: a share below 1, and a number of times")


def run_triplets(request: TripletsRequest, config: Config, console: Console) -> None:
    """Imports ``data.source``, runs its programs again, pairs them, and cuts them into the tokens of
    ``reward.backbone`` or ``model.path``. Leaves directories of shards and ``index.html``; goes on where it was.

    Raises:
        UserError: a source that is no contest data set, or as its steps.
    """
    request.check()
    out = Path(request.out)
    options, read, submitted = _source(config.data.source).opened(config.data)
    census = import_contests(read, options, out, submitted)
    for line in census.lines():
        console.say(line)
    sources = {"problems": out / PROBLEMS_IN, "programs": out / PROGRAMS_IN}
    take = partial(_take, request=request, console=console)
    labels: Labels = request.labels  # type: ignore[assignment]
    if labels != "given":
        judge = config.judge
        step = Execute(tuple(options.languages), judge.minimum_tier, judge.remote_url)
        _warn(take(step, sources, out / "verdicts"), config, console)
        sources["verdicts"] = out / "verdicts"
    caps = PairCaps(
        config.data.triplets_per_problem, of_one=request.of_one or None, gap=request.gap, each=request.each
    )
    made = take(PairPrograms(caps, config.run.seed, labels), sources, out / "triplets")
    total = sum(count for name, count in made.items() if name.startswith("triplets: "))
    # What follows needs torch, without which a mistake above is said at once.
    from rewardranker.models.limits import Limits
    from rewardranker.report.data import write_data_page
    from rewardranker.training.corpus import TokeniseTriplets

    model = config.reward.backbone or config.model.path
    tokenise = TokeniseTriplets(model, config.reward_chat, config.reward.max_tokens, Limits.of_model(model))
    take(tokenise, {"triplets": out / "triplets"}, out / "corpus")
    write_data_page(out, out / "index.html", config.run.seed)
    console.say(f"{out}: {total:,} triplets; what they are, and what was left out: {out / 'index.html'}")


def _source(name: str) -> ContestSource:
    source = chosen("data.source", name)
    if not isinstance(source, ContestSource):
        known = [one for one in PLACES["data.source"] if isinstance(chosen("data.source", one), ContestSource)]
        raise UserError(f"data.source={name!r}: whole data sets are read of {', '.join(known)}")
    return source


def _take(
    step: Step, sources: Mapping[str, AnyPath], target: Path, request: TripletsRequest, console: Console
) -> Counter[str]:
    shards = len(shards_in(next(iter(sources.values()))))
    with console.progress(step.name, shards, "shards") as advance:
        run = InProcesses(request.workers)
        return map_shards(step, sources, target, run, console.say, done=lambda shard: advance(1))


def _warn(counts: Counter[str], config: Config, console: Console) -> None:
    lost = sum(count for name, count in counts.items() if name.rpartition(", ")[2] in NEVER_LABELS)
    if lost > config.judge.max_infra_share * counts.total():
        console.warn(
            f"{lost:,} of {counts.total():,} programs could not be judged, and are no labels; rewardranker doctor "
            "says what this machine lacks. Remove their shards of verdicts/ to have them run again"
        )
