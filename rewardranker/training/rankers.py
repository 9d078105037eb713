"""Training the three rerankers that have a network, in this process: no Ray, usable from a notebook.

They differ in what they read and in the loss, and in nothing else: backbone, head, pairs, their order, updates and
programs scored are the same, so that a comparison compares the methods.

    backbone = Backbone("path/to/model", trained_layers=4)
    pairs = [(read(passed), read(failed)) for passed, failed in judged_pairs(problems, pool, cap=16, seed=0)]
    ranker = train_ranker("rewardranker", backbone, pairs, [c.problem_id ...], Budget(), OptimConfig(lr=1e-4), seed=0)
    ranker.save(Path("my-ranker"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rewardranker.config.schema import OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.exporting import export_scorer
from rewardranker.models.layers import Backbone, Scorer
from rewardranker.training.objectives import Labelled, Objective, Pair, PairObjective, PointwiseObjective
from rewardranker.training.schedule import learning_rate
from rewardranker.training.streams import Stream

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
class TrainedRanker:
    """A trained network and what training it showed.

    Attributes:
        metrics: means over the last tenth of the updates; and the totals ``steps``, ``programs``, ``tokens``.
    """

    kind: str
    scorer: Scorer
    metrics: dict[str, float]

    def save(self, directory: Path, chat: bool = False) -> None:
        """Writes a whole Hugging Face model directory, which :func:`load_scorer` reads, and others; see
        :func:`export_scorer`."""
        export_scorer(self.scorer.network, self.scorer.backbone.tokenizer, directory, chat)


def train_ranker(
    kind: str,
    backbone: Backbone,
    pairs: Sequence[Pair],
    groups: Sequence[str],
    budget: Budget,
    optim: OptimConfig,
    seed: int,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
    start: Scorer | None = None,
) -> TrainedRanker:
    """Trains one reranker. The same arguments and number of threads give the same weights, bit for bit (CPU).

    Args:
        kind: a key of :data:`KINDS`.
        pairs: (passed, failed) programs of one problem, as this kind reads them.
        groups: the problem of each pair; pairs of one problem stay side by side.
        seed: of the head and of the order of the problems; the same for every kind that is compared.
        on_step: called after every update with the number of updates done and their metrics.
        start: a network of the same backbone whose weights to begin with; it is not changed.

    Raises:
        UserError: an unknown kind, no pairs, or a budget that cannot be spent.
    """
    if kind not in KINDS:
        raise UserError(f"ranker kind {kind!r}: known are {', '.join(KINDS)}")
    if not pairs:
        raise UserError(f"{kind}: no pairs to train on; some problem must have a passing and a failing program")
    budget.check()
    objective, examples = KINDS[kind]
    scorer = backbone.scorer(seed)
    if start is not None:
        scorer.load_state_dict(start.state_dict())
    optimizer = torch.optim.AdamW(
        scorer.trained(),
        lr=optim.lr,
        betas=(optim.beta1, optim.beta2),
        eps=optim.eps,
        weight_decay=optim.weight_decay,
    )
    stream = Stream(pairs, seed, groups)
    pairs_per_step = budget.programs_per_step // 2
    reports, tokens = [], 0
    for step in range(budget.steps):
        taken = stream.take(step * pairs_per_step, pairs_per_step)
        tokens += sum(len(row) for pair in taken for row in pair)
        totals = backward(scorer, objective, examples(taken))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(optim, step, budget.steps)
        norm = nn.utils.clip_grad_norm_(scorer.trained(), optim.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        reports.append(totals | {"grad_norm": float(norm)})
        if on_step:
            on_step(step + 1, reports[-1])
    tail = reports[-max(1, budget.steps // 10) :]
    means = {key: float(np.mean([report[key] for report in tail])) for key in tail[0]}
    spent = {"steps": budget.steps, "programs": budget.steps * budget.programs_per_step, "tokens": tokens}
    return TrainedRanker(kind, scorer, means | spent)


def backward(scorer: Scorer, objective: Objective[Any], minibatch: Sequence[Any]) -> dict[str, float]:
    """Adds up the gradients of one minibatch, micro-batch by micro-batch; returns the objective's metrics.

    How it is split changes no gradient: losses are shares of a sum over one denominator.
    """
    totals = dict.fromkeys(objective.metrics, 0.0)
    budget = scorer.backbone.microbatch_tokens
    for examples in _portions(minibatch, [objective.tokens(example) for example in minibatch], budget):
        value, shares = objective.loss(_scores(scorer, objective.rows(examples)), examples, len(minibatch))
        value.backward()  # type: ignore[no-untyped-call]
        for key, share in shares.items():
            totals[key] += share
    return totals


def _portions(examples: Sequence[Any], tokens: Sequence[int], budget: int) -> list[list[Any]]:
    """Neighbours together, for they share prompts and programs, in portions within the budget or of one example."""
    portions: list[list[Any]] = []
    room = 0
    for example, cost in zip(examples, tokens, strict=True):
        if not portions or cost > room:
            portions.append([])
            room = budget
        portions[-1].append(example)
        room -= cost
    return portions


def _scores(scorer: Scorer, rows: Sequence[TokenSequence]) -> Tensor:
    """Scores of ``rows``. A program that is in several pairs is run once (Ouyang et al. 2022, section 3.5)."""
    place = {row: i for i, row in enumerate(dict.fromkeys(rows))}
    return scorer(list(place))[[place[row] for row in rows]]
