"""What ``train`` learns from: a judged pool or preferences; what of it is held out, what is left out, and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from rewardranker.commands.judge_files import load_pool
from rewardranker.errors import UserError
from rewardranker.models.limits import Limits, describe_unread
from rewardranker.models.loading import load_tokenizer
from rewardranker.paths import AnyPath
from rewardranker.problems.pool import group_by_problem, judged_of, revisions_of
from rewardranker.problems.sources import read_source
from rewardranker.problems.suspects import describe_suspected, suspected_in
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.catalogue import lacking, ranker_for
from rewardranker.reranking.examples import CandidatePair, check_trainable, fitting, judged_pairs, one_sided, usable
from rewardranker.reranking.numbers import Read, Score, store
from rewardranker.reranking.reading import reader
from rewardranker.reranking.validation import Validation, held_out
from rewardranker.runs.console import Console
from rewardranker.statistics.metrics import mean_of_known, pair_accuracy
from rewardranker.training.objectives import Pair
from rewardranker.training.preferences import Preference, encoded, read_preferences

#: Measures a trained network, told by how it scores: what of that is kept, and a sentence for people.
Validate = Callable[[Score], tuple[dict[str, Any], str]]


@dataclass(frozen=True)
class TrainRequest:
    """What the command was asked for; see its own help. Either ``problems`` and ``pool``, or ``preferences``."""

    kind: str
    model: str
    problems: AnyPath | None
    pool: AnyPath | None
    out: AnyPath
    chat: bool = False
    steps: int = 100
    programs_per_step: int = 64
    pairs_per_problem: int = 16
    trained_layers: int = 0
    max_tokens: int = 1024
    lr: float = 1e-4
    seed: int = 0
    device: str = "cpu"
    preferences: str = ""
    validation: float = 0.1
    layers: int = 0
    pooling: str = "last"
    head_penalty: float = 0.0


@dataclass(frozen=True)
class Material:
    """What there is to learn from.

    Attributes:
        pairs, groups: to learn from, and the prompt, or the problem, of each.
        data: revisions of the data by its name.
        counts: what is used, held out and left out, as it was said.
        validate: measures on what was held out; ``None`` where nothing was.
    """

    pairs: list[Pair]
    groups: list[str]
    chat: bool
    data: dict[str, list[str]]
    counts: dict[str, Any]
    validate: Validate | None


def from_pool(request: TrainRequest, console: Console) -> Material:
    """Raises :class:`UserError` for files that are not what they should be, or from which nothing can be learnt."""
    assert request.problems is not None and request.pool is not None
    problems, pool = load_pool(request.problems, request.pool)
    judged = [candidate for candidate in pool if candidate.verdict is not None]
    check_trainable(request.kind, judged or pool, str(request.pool))
    tokenizer, limits = _tokenizer(request, request.chat), Limits.of_model(request.model)
    longest = _longest(request, limits)
    plain, read = (reader(kind, tokenizer, request.chat, longest) for kind in ("rewardranker", request.kind))
    doubtful = suspected_in(problems, pool)
    if doubtful:
        console.warn(describe_suspected(doubtful))
    kept, left_out = usable(problems, pool, doubtful)
    splits = {problems[candidate.problem_id].split for candidate in kept}
    if splits and "train" not in splits:
        others = " and ".join(sorted(splits))
        console.warn(f"{request.pool}: no problem is of the training split; learning from those of {others}")
    held = held_out((problems[c.problem_id].group_id for c in kept), request.validation, request.seed)
    taught = [candidate for candidate in kept if problems[candidate.problem_id].group_id not in held]
    found = judged_pairs(problems, taught, request.pairs_per_problem, request.seed)
    # By the plain text's length for every kind, so that all kinds learn from the same pairs.
    pairs = fitting(found, problems, plain, longest)
    _require_pairs(str(request.pool), held, pairs)
    names = [good.problem_id for good, _ in pairs]
    rows = [(read(problems[good.problem_id], good), read(problems[bad.problem_id], bad)) for good, bad in pairs]
    for name, pair in zip(names, rows, strict=True):
        for row in pair:
            limits.check(row, f"{request.pool}: a program of {name}")
    left_out += _idle_candidates(taught, found, pairs)
    back = _held_back(problems, judged, held, {c.problem_id for c in kept})
    counts = {
        "candidates": _counted(
            len(pool), len({id(c) for pair in pairs for c in pair}), left_out, held_out=len(kept) - len(taught)
        ),
        "problems": _counted(
            len(group_by_problem(pool)), len(set(names)), _idle_problems(pool, kept, taught, found, names),
            held_out=len(group_by_problem(back)),
        ),
        "pairs": _counted(len(found), len(pairs), _too_long(len(found) - len(pairs), longest)),
    }  # fmt: skip
    _say(console, str(request.pool), counts)
    validate = _on_pool(request, problems, back, read, limits, console) if back else None
    return Material(rows, names, request.chat, revisions_of(pool, problems.values()), counts, validate)


def from_preferences(request: TrainRequest, console: Console) -> Material:
    """Raises :class:`UserError` as :func:`from_pool` does."""
    name = request.preferences
    rows, revision = read_source(name, "default", "train")
    found, idle = read_preferences(rows, name)
    if not found:
        reasons = "".join(f", {count:,} with {reason}" for reason, count in idle.items())
        raise UserError(f"--preferences {name}: nothing to learn from in its {len(rows):,} rows{reasons}")
    chat = request.chat or not isinstance(found[0].prompt, str)
    tokenizer, limits = _tokenizer(request, chat), Limits.of_model(request.model)
    longest = _longest(request, limits)
    held = held_out((one.group for one in found), request.validation, request.seed)

    def of(preferences: Sequence[Preference]) -> tuple[list[Pair], list[str]]:
        return encoded(preferences, tokenizer, chat, longest)

    pairs, groups = of([one for one in found if one.group not in held])
    _require_pairs(name, held, pairs)
    back, back_groups = of([one for one in found if one.group in held])
    for group, pair in zip([*groups, *back_groups], [*pairs, *back], strict=True):
        for row in pair:
            limits.check(row, f"{name}: an answer to {group[:60]!r}")
    left_out = {f"with {reason}": count for reason, count in idle.items()}
    left_out |= _too_long(len(found) - len(pairs) - len(back), longest)
    prompts = {"all": len({one.group for one in found}), "used": len(set(groups)), "held_out": len(set(back_groups))}
    counts = {"pairs": _counted(len(rows), len(pairs), left_out, held_out=len(back)), "prompts": prompts}
    _say(console, name, counts)
    return Material(pairs, groups, chat, {name: [revision]}, counts, _on_pairs(back) if back else None)


def repeats(material: Material, steps: int, programs_per_step: int) -> float:
    """How often each pair is seen, on average."""
    return steps * (programs_per_step // 2) / len(material.pairs)


def _require_pairs(name: str, held: Container[str], pairs: Sequence[object]) -> None:
    if held and not pairs:
        raise UserError(f"{name}: what is held out has all the pairs; give --validation 0, or more problems")


def _counted(everything: int, used: int, left_out: Mapping[str, int], **more: int) -> dict[str, Any]:
    return {"all": everything, "used": used, **more, "left_out": {why: n for why, n in left_out.items() if n}}


def _too_long(count: int, longest: int) -> dict[str, int]:
    return {f"with more than {longest:,} tokens": count}


def _say(console: Console, name: str, counts: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each of candidates, problems and pairs."""
    for what, count in counts.items():
        held = f", {count['held_out']:,} held out for validation" if count.get("held_out") else ""
        left_out = ", ".join(f"{n:,} {why}" for why, n in count.get("left_out", {}).items())
        console.say(
            f"{name}: {count['used']:,} of {count['all']:,} {what} to learn from{held}"
            + (f"; left out: {left_out}" if left_out else "")
        )


def _idle_candidates(
    taught: Sequence[Candidate], found: Sequence[CandidatePair], pairs: Sequence[CandidatePair]
) -> Counter[str]:
    """Why candidates whose verdicts are labels are in no pair."""
    used, paired = ({id(c) for pair in some for c in pair} for some in (pairs, found))
    programs = {(c.problem_id, c.code) for pair in found for c in pair}
    sided = {problem_id for problem_id, _ in programs}
    idle: Counter[str] = Counter()
    for one in taught:
        if one.problem_id not in sided:
            idle["of problems with no pair"] += 1
        elif id(one) in paired:
            idle["too long, or paired with one that is"] += id(one) not in used
        else:
            idle["equal to another" if (one.problem_id, one.code) in programs else "not drawn for a pair"] += 1
    return idle


def _idle_problems(
    pool: Sequence[Candidate],
    kept: Sequence[Candidate],
    taught: Sequence[Candidate],
    found: Sequence[CandidatePair],
    names: Sequence[str],
) -> Counter[str]:
    """Why problems of the pool teach nothing, beside those that are held out."""
    without = len(group_by_problem(pool)) - len(group_by_problem(kept))
    paired = {good.problem_id for good, _ in found}
    return (
        Counter({"without a usable candidate": without})
        + one_sided(taught)
        + Counter({"with too long programs alone": len(paired) - len(set(names))})
    )


def _held_back(
    problems: Mapping[str, Problem], judged: Sequence[Candidate], held: frozenset[str], usable_problems: set[str]
) -> list[Candidate]:
    """The candidates to measure on: what failed in any way of its own has failed."""
    back = [c for c in judged_of(judged) if c.problem_id in usable_problems]
    return [c for c in back if problems[c.problem_id].group_id in held]


def _on_pool(
    request: TrainRequest,
    problems: Mapping[str, Problem],
    pool: list[Candidate],
    read: Read,
    limits: Limits,
    console: Console,
) -> Validate | None:
    """What cannot be measured is found before the training, and not after it."""

    def unreadable(candidate: Candidate) -> str:
        return limits.why_not(read(problems[candidate.problem_id], candidate))

    if lacking(request.kind, pool) == len(pool):
        why = "their programs were not run on probe inputs"
    else:
        why = unreadable(pool[0]) if all(map(unreadable, pool)) else ""
    if why:
        console.warn(f"no validation: of none of the held-out candidates can be read what is scored ({why})")
        return None

    def validate(score: Score) -> tuple[dict[str, Any], str]:
        if unread := store(pool, problems, read, score, request.kind, limits):
            console.warn(describe_unread(unread, len(pool)))
        found = Validation.of(ranker_for(request.kind, pool), problems, pool)
        return asdict(found), found.sentence()

    return validate


def _on_pairs(pairs: Sequence[Pair]) -> Validate:
    def validate(score: Score) -> tuple[dict[str, Any], str]:
        scores = score([row for pair in pairs for row in pair])
        if any(map(math.isnan, scores)):
            raise UserError("the trained network says NaN of what was held out: lower --lr")
        right, _ = mean_of_known([pair_accuracy(two, (1, 0)) for two in zip(scores[::2], scores[1::2], strict=True)])
        assert right is not None, "every pair has a right and a wrong side"
        said = f"{len(pairs):,} pairs held out: ranked right {right:.1%}, random 50.0%"
        return {"pairs": len(pairs), "pair_accuracy": right}, said

    return validate


def _tokenizer(request: TrainRequest, chat: bool) -> PreTrainedTokenizerBase:
    tokenizer = load_tokenizer(request.model)
    if chat and tokenizer.chat_template is None:
        missing = f"the tokenizer of {request.model} has no chat template"
        if request.chat:
            raise UserError(f"--chat: {missing}; leave --chat out")
        raise UserError(f"--preferences {request.preferences} holds conversations: {missing}; take a chat model")
    return tokenizer


def _longest(request: TrainRequest, limits: Limits) -> int:
    return min(request.max_tokens, limits.positions or request.max_tokens)
