"""Training the three rerankers that have a network, in this process: no Ray, usable from a notebook.

They differ in what they read and in the loss, and in nothing else: backbone, head, pairs, their order, updates and
programs scored are the same, so that a comparison compares the methods.

    pairs = [(read(passed), read(failed)) for passed, failed in judged_pairs(problems, pool, cap=16, seed=0)]
    lesson = Lesson("rewardranker", pairs, [c.problem_id ...], Budget())
    engine = EngineConfig(shared_prompts=True, trained_layers=4)
    setup = NetworkSetup("path/to/model", "path/to/model", engine, 8192, optim=OptimConfig(lr=1e-4))
    ranker = new_ranker(lesson, setup)
    metrics = train_ranker(ranker, lesson, Path("work"))
    ranker.export("my-ranker")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rewardranker.errors import UserError
from rewardranker.models.frozen import FrozenLayers
from rewardranker.paths import AnyPath
from rewardranker.training.head_start import HeadStart, begin_head
from rewardranker.training.objectives import Labelled, Objective, Pair, PairObjective, PointwiseObjective
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.streams import Stream
from rewardranker.training.supervised import QUIET, Fit, Report, fit

#: Keeps the scores of pairs near zero, as the cycle's reward model does.
CENTRING = 0.01


def labelled(pairs: Sequence[Pair]) -> list[Labelled]:
    """The programs of pairs one by one: as many correct as incorrect ones of every problem."""
    return [example for chosen, rejected in pairs for example in ((chosen, True), (rejected, False))]


#: By kind of reranker, its loss and the loss's examples from pairs; what each kind reads is the caller's choice.
KINDS: dict[str, tuple[Objective[Any], Callable[[Sequence[Pair]], list[Any]]]] = {
    "rewardranker": (PairObjective(centring=CENTRING), list),
    "coderanker": (PointwiseObjective(), labelled),
    "lever": (PointwiseObjective(), labelled),
}


@dataclass(frozen=True)
class Budget:
    """What a training may spend, counted in programs scored: one by one, or in pairs of two.

    Every kind makes ``steps`` updates on ``programs_per_step`` programs each. A pair counts as two programs, and
    the pointwise kinds get the two programs of the same pairs, one labelled correct and one not. So all kinds see
    the same programs, equally often and in the same order, and the labels are balanced within every problem: whether
    a problem is easy tells nothing about a label. Tokens are not part of the budget, since what a method reads is
    the method; they are counted.
    """

    steps: int = 100
    programs_per_step: int = 64

    def check(self) -> None:
        """Raises :class:`UserError` for a budget that buys no whole pair."""
        if self.steps < 1 or self.programs_per_step < 2 or self.programs_per_step % 2:
            raise UserError(
                f"budget: {self.steps} steps of {self.programs_per_step} programs; needs at least 1 step, and an "
                "even number of programs, because a pair is two"
            )


@dataclass(frozen=True)
class Lesson:
    """What one reranker learns from.

    Attributes:
        kind: a key of :data:`KINDS`.
        pairs: (passed, failed) programs of one problem, as this kind reads them.
        groups: the problem of each pair; pairs of one problem stay side by side.
    """

    kind: str
    pairs: Sequence[Pair]
    groups: Sequence[str]
    budget: Budget

    def check(self) -> None:
        """Raises :class:`UserError` for an unknown kind, no pairs, or a budget that cannot be spent."""
        if self.kind not in KINDS:
            raise UserError(f"ranker kind {self.kind!r}: known are {', '.join(KINDS)}")
        if not self.pairs:
            raise UserError(
                f"{self.kind}: no pairs to train on; some problem must have a passing and a failing program"
            )
        self.budget.check()


def new_ranker(
    lesson: Lesson,
    setup: NetworkSetup,
    device: str = "cpu",
    start: Reranker | None = None,
    frozen: FrozenLayers | None = None,
) -> Reranker:
    """A reranker that has learnt nothing of the lesson yet.

    Args:
        setup: its ``seed`` is of the head and of the order of the problems, the same for every kind that is compared.
        device: where to compute, e.g. ``cpu`` or ``cuda:0``.
        start: a reranker of the same backbone whose weights to begin with; it is not changed.
        frozen: see :class:`Reranker`.

    Raises:
        UserError: as :meth:`Lesson.check`, or of a model that cannot be trained so.
    """
    lesson.check()
    whole = replace(setup, objective=KINDS[lesson.kind][0], total_steps=lesson.budget.steps)
    ranker = Reranker(whole, Rank(device=device), frozen=frozen)
    if start is not None:
        ranker.network.load_state_dict(start.network.state_dict())
    return ranker


def train_ranker(
    ranker: Reranker,
    lesson: Lesson,
    directory: AnyPath,
    checkpoint_every: int = 0,
    report: Report = QUIET,
    head_penalty: float = 0.0,
) -> dict[str, float]:
    """Trains one reranker. The same arguments and number of threads give the same weights, bit for bit (CPU).

    Args:
        directory, checkpoint_every, report: see :func:`rewardranker.training.supervised.fit`.
        head_penalty: of the head's fit to the pairs before anything trains, see
            :mod:`rewardranker.training.head_start`; 0: it begins as it is.

    Returns:
        Means over the last tenth of the updates; and the totals ``steps``, ``programs``, ``tokens``.
    """
    budget, examples = lesson.budget, KINDS[lesson.kind][1]
    stream = Stream(lesson.pairs, ranker.setup.seed, lesson.groups)
    pairs = partial(stream.minibatch, size=budget.programs_per_step // 2)
    begin = partial(begin_head, HeadStart(lesson.pairs, lesson.groups, head_penalty)) if head_penalty else None
    work = Fit(lambda step: examples(pairs(step)), budget.steps, checkpoint_every, begin)
    means = fit(ranker, work, Path(directory), report)
    tokens = sum(len(row) for step in range(budget.steps) for pair in pairs(step) for row in pair)
    return means | {"steps": budget.steps, "programs": budget.steps * budget.programs_per_step, "tokens": tokens}
