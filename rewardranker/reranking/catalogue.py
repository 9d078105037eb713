"""Rankers by name, for whoever chooses one on a command line, and what each of them needs to find in a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rewardranker.config.choices import imported
from rewardranker.errors import UserError, did_you_mean
from rewardranker.problems.types import Candidate
from rewardranker.reranking.lever import SELECTORS, Generator, LeverRanker, Selector
from rewardranker.reranking.networks import CodeRanker, RewardRanker
from rewardranker.reranking.numbers import stored
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker


@dataclass(frozen=True)
class Need:
    """What a ranker reads of a candidate beyond its program.

    Attributes:
        what: its name in messages.
        carried: whether a candidate has it.
        remedy: how a pool comes by it.
    """

    what: str
    carried: Callable[[Candidate], bool]
    remedy: str


@dataclass(frozen=True)
class Entry:
    """A ranker.

    Attributes:
        label: its name for people.
        place: its class, as ``module:name`` of this room.
        need: ``None``: a program is enough.
        options: of the class.
    """

    label: str
    place: str
    need: Need | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Ranker:
        ranker: Ranker = imported(f"rewardranker.reranking.{self.place}")(**self.options)
        return ranker


LOGPROBS = Need(
    "log-probabilities",
    lambda candidate: bool(candidate.logprobs),
    "sample with an engine, or from an endpoint, that gives them",
)
BEHAVIOUR = Need(
    "results of execution (signature or returns)",
    lambda candidate: bool(candidate.signature or candidate.returns),
    "judge the pool first, with rewardranker judge --benchmark pool",
)
RETURNS = Need(
    "what programs return (returns)",
    lambda candidate: bool(candidate.returns),
    "run the programs on probe inputs, as rewardranker evaluate does",
)
EXAMPLES = Need(
    "results on the prompt's examples (passed_examples)",
    lambda candidate: candidate.passed_examples is not None,
    "run the programs on them, as rewardranker evaluate does",
)
GENERATED = Need(
    "passed model-written tests (passed_generated)",
    lambda candidate: bool(candidate.passed_generated),
    "have a model write tests and run them, as rewardranker evaluate does with benchmark.generated_tests",
)
VERDICTS = Need(
    "verdicts", lambda candidate: candidate.verdict is not None, "judge the candidates first, with rewardranker judge"
)

#: LEVER's names, and how each selects; by its own name as the paper does.
LEVER: dict[str, Selector] = {"lever": "summing", **{f"lever_{selector}": selector for selector in SELECTORS}}

#: Rankers that need no network. A ranker that has one is made by whoever loads it, or reads its stored scores.
CATALOGUE: dict[str, Entry] = {
    "random": Entry("Random pick (pass@1)", "baselines:RandomRanker"),
    "first": Entry("First sample", "baselines:FirstRanker"),
    "shortest": Entry("Shortest program", "baselines:LengthRanker"),
    "longest": Entry("Longest program", "baselines:LengthRanker", options={"longest": True}),
    "logprob": Entry("Mean log-probability", "logprob:LogprobRanker", LOGPROBS),
    "logprob_sum": Entry("Sum of log-probabilities", "logprob:SumLogprobRanker", LOGPROBS),
    "majority": Entry("Majority vote on behaviour", "execution:MajorityRanker", BEHAVIOUR),
    "exec_filter": Entry("Runs without error", "execution:ExecFilterRanker", RETURNS),
    "mbr_exec": Entry("MBR-exec, hard", "execution:MbrExecRanker", RETURNS),
    "mbr_exec_soft": Entry("MBR-exec, soft", "execution:MbrExecRanker", RETURNS, options={"soft": True}),
    "alphacode": Entry("AlphaCode filter and clusters", "execution:AlphaCodeRanker", EXAMPLES),
    "generated_tests": Entry("Generated tests passed", "generated:GeneratedCountRanker", GENERATED),
    "codet": Entry("CodeT", "generated:CodeTRanker", GENERATED),
    "oracle": Entry("Oracle (pass@n)", "baselines:OracleRanker", VERDICTS),
}


def ranker_for(name: str, pool: Sequence[Candidate]) -> Ranker:
    """The ranker of that name: of the catalogue; else by the numbers that the pool holds under it, or for LEVER
    (``lever``, or ``lever_argmax``, ``lever_summing`` and ``lever_voting``) under ``lever``; or, named as
    ``package.module:Class``, one of your own.

    Raises:
        UserError: there is none, or no candidate of the pool carries what the ranker needs.
    """
    if ":" in name:
        own: Ranker = imported(name)()
        return own
    check_need(name, pool)
    return CATALOGUE[name].make() if name in CATALOGUE else _stored(name, pool)


def rankers_for(pool: Sequence[Candidate]) -> list[str]:
    """Names of the catalogue whose need some candidate of the pool meets."""
    return [name for name, entry in CATALOGUE.items() if entry.need is None or any(map(entry.need.carried, pool))]


def need_of(name: str) -> Need | None:
    """What a ranker reads beyond a program; ``None`` for nothing."""
    if name in CATALOGUE:
        return CATALOGUE[name].need
    return RETURNS if name in LEVER else None


def check_need(name: str, pool: Sequence[Candidate]) -> None:
    """Raises :class:`UserError` where no candidate of the pool carries what the ranker needs."""
    need = need_of(name)
    if need is not None and not any(map(need.carried, pool)):
        raise UserError(
            f"ranker {name} needs {need.what}, which none of the {len(pool):,} candidates has: "
            f"{need.remedy}; this pool is enough for {', '.join(rankers_for(pool))}"
        )


def lacking(name: str, pool: Sequence[Candidate]) -> int:
    """How many candidates lack what that ranker needs, so that it can say nothing for them."""
    need = need_of(name)
    return 0 if need is None else sum(not need.carried(candidate) for candidate in pool)


def kind_of(name: str) -> str:
    """The kind of network behind a name such as ``rewardranker_2``; of other rankers nothing that says much."""
    return name.partition("_")[0]


def _stored(name: str, pool: Sequence[Candidate]) -> Ranker:
    keys = sorted({key for candidate in pool for key in candidate.scores})
    selector = LEVER.get(name)
    if selector is not None and "lever" in keys:
        known = all(candidate.logprobs for candidate in pool)
        return LeverRanker(stored("lever"), selector, "sum" if known else "frequency")
    if name in keys:
        return StoredRanker(name)
    hint = did_you_mean(name, [*CATALOGUE, *keys])
    held = f" or one of the pool's own scores: {', '.join(keys)}" if keys else "; the pool holds no scores"
    raise UserError(f"ranker {name!r} is not known; it must be one of {', '.join(CATALOGUE)}{held}{hint}")


def network_rankers(names: Iterable[str], generator: Generator = "frequency") -> list[Ranker]:
    """Rankers on the numbers that networks left in a pool under these names, of which the first part is the kind.

    Args:
        names: such as ``rewardranker``, ``rewardranker_2``, ``coderanker`` or ``lever``, which gives three.
        generator: see :class:`LeverRanker`.

    Raises:
        UserError: a name of no kind.
    """
    rankers: list[Ranker] = []
    for name in names:
        kind = kind_of(name)
        if kind == "rewardranker":
            rankers.append(RewardRanker(stored(name), name))
        elif kind == "coderanker":
            rankers.append(CodeRanker(stored(name), name))
        elif name == "lever":
            rankers += [LeverRanker(stored(name), selector, generator) for selector in SELECTORS]
        else:
            raise UserError(
                f"benchmark.rankers.{name}: the name must begin with what kind of network it is, rewardranker or "
                "coderanker (as in rewardranker_2), or be lever"
            )
    return rankers
