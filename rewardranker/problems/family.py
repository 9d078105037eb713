"""The built-in problems: compositions of list operations, and simulated authors who solve them with habits.

Small enough for a model of a few hundred thousand weights on a CPU, and hard in the way that matters: a
popular mistake is more likely than the truth, so the most probable program is often wrong while the right one
is among the samples.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from rewardranker.config.schema import DataConfig, FamilyConfig
from rewardranker.errors import UserError
from rewardranker.problems.corpus import Corpus
from rewardranker.problems.family_operations import (
    EITHER_IS_CORRECT,
    EITHER_WEIGHTS,
    INPUTS,
    OPERATIONS,
    RESULTS,
    VERSION,
    Step,
)
from rewardranker.problems.types import Limits, Problem, Split, Test
from rewardranker.runs.seeds import derive_seed

PREFIX = "def f(xs):"
MIN_DISTINCT_OUTPUTS = 4
WORLD_SEED = 1234  # which phrases are commonly got wrong is the same in every run

Composition = tuple[tuple[int, ...], int]  # indices of the operations in order, index of the result


def build_family(config: FamilyConfig) -> list[Problem]:
    """Draws the problems of a run: train, then validation, then test, no composition twice.

    Test and validation are drawn first, so they stay the same when ``train_problems`` changes.
    Compositions with fewer than four distinct outputs on the test inputs are passed over, because
    wrong programs would pass by chance.

    Raises:
        UserError: impossible ``min_operations``/``max_operations``, or more problems than compositions.
    """
    shortest, longest = config.min_operations, config.max_operations
    if not 1 <= shortest <= longest:
        raise UserError(
            f"data.family.min_operations={shortest}, data.family.max_operations={longest}: "
            "must be at least 1, and the minimum no larger than the maximum"
        )
    drawn = _draw(config)
    parts: dict[Split, list[Problem]] = {}
    sizes: tuple[tuple[Split, int], ...] = (
        ("test", config.test_problems),
        ("validation", config.validation_problems),
        ("train", config.train_problems),
    )
    for split, size in sizes:
        parts[split] = [problem for _, problem in zip(range(size), _problems(drawn, split), strict=False)]
        if len(parts[split]) < size:
            found = sum(map(len, parts.values()))
            raise UserError(
                f"data.family asks for {sum(n for _, n in sizes)} problems, but statements of {shortest} to "
                f"{longest} operations give only {found}; lower data.family.train_problems or raise "
                "data.family.max_operations"
            )
    return parts["train"] + parts["validation"] + parts["test"]


def reference_solution(problem: Problem) -> str:
    """The family's correct program for one of its problems, whole and in normal form."""
    operations, result = parse_composition(problem.id)
    return _program(
        [OPERATIONS[index].implementations[0] for index in operations], RESULTS[result].implementations[0]
    )


class Authors:
    """Simulated people: each writes every phrase correctly or with a common mistake, by fixed odds.

    A share ``mistaken_share`` of the phrases is commonly got wrong: there the correct implementation is
    written with probability ``mistaken_correct_probability``, elsewhere with ``correct_probability``. Which
    phrases, and how popular each mistake is, is fixed by ``WORLD_SEED``.
    """

    def __init__(self, config: FamilyConfig) -> None:
        world = random.Random(WORLD_SEED)
        self._operation_weights = [_habit(step, config, world) for step in OPERATIONS]
        self._result_weights = [_habit(step, config, world) for step in RESULTS]
        self._result_weights[EITHER_IS_CORRECT] = EITHER_WEIGHTS

    def reference(self, problem: Problem) -> str:
        """The correct program, see :func:`reference_solution`."""
        return reference_solution(problem)

    def solutions(self, problem: Problem, count: int, seed: int) -> list[str]:
        """What ``count`` authors write, right or wrong: whole programs in normal form, with repetitions.

        The same problem and seed give the same authors; a smaller ``count`` gives the first of them.
        """
        operations, result = parse_composition(problem.id)
        rng = random.Random(f"{seed}/{problem.id}")
        programs = []
        for _ in range(count):
            lines = [_pick(OPERATIONS[i], self._operation_weights[i], rng) for i in operations]
            programs.append(_program(lines, _pick(RESULTS[result], self._result_weights[result], rng)))
        return programs


def family_corpus(data: DataConfig, seed: int) -> Corpus:
    """The built-in problems for the cycle: some authors' programs are imitated, others' make the first triplets."""
    problems, authors = build_family(data.family), Authors(data.family)
    train = [p for p in problems if p.split == "train"]

    def written(count: int, each: int, what: str) -> list[tuple[str, str]]:
        own = derive_seed(seed, what)
        return [(p.id, code) for p in train[:count] for code in authors.solutions(p, each, own)]

    return Corpus(
        problems,
        references=[(p.id, authors.reference(p)) for p in problems],
        imitated=written(data.sft_problems, data.sft_solutions, "sft"),
        written=written(data.triplet_problems, data.triplet_solutions, "solutions"),
    )


def parse_composition(problem_id: str) -> Composition:
    """The composition in a problem id: ``family/3-17-r2`` is operations 3 and 17, then result 2.

    Raises:
        UserError: the id is not one of this family's.
    """
    source, _, name = problem_id.partition("/")
    *operations, result = name.split("-")
    try:
        if source != "family" or not operations or not result.startswith("r"):
            raise ValueError(problem_id)
        composition = tuple(int(part) for part in operations), int(result[1:])
    except ValueError as error:
        raise UserError(
            f"problem {problem_id!r} is not one of the built-in family, whose ids look like family/3-17-r2"
        ) from error
    if not all(0 <= i < len(OPERATIONS) for i in composition[0]) or not 0 <= composition[1] < len(RESULTS):
        raise UserError(
            f"problem {problem_id!r} names an unknown operation or result: this version of the family has "
            f"{len(OPERATIONS)} operations and {len(RESULTS)} results, counted from 0"
        )
    return composition


def family_corpus_texts() -> list[str]:
    """Prompts with programs in which every phrase and every implementation, mistakes included, occurs."""
    either, total = OPERATIONS[0], RESULTS[0]
    texts = []
    for step in OPERATIONS:
        for implementation in step.implementations:
            texts.append(_prompt([step.words], total.words) + _body([implementation], "sum(xs)"))
    for step in RESULTS:
        for implementation in step.implementations:
            body = _body([either.implementations[0]], implementation)
            texts.append(_prompt([either.words, either.words], step.words) + body)
    return texts


def _draw(config: FamilyConfig) -> Iterator[Composition]:
    """Every composition once, in random order; each draw first chooses a length, all lengths alike.

    There are fewer short ones, so they run out: the problems drawn first are shorter on average.
    """
    rng = random.Random(config.seed)
    lengths = range(config.min_operations, config.max_operations + 1)
    total = sum(len(OPERATIONS) ** length for length in lengths) * len(RESULTS)
    seen: set[Composition] = set()
    while len(seen) < total:
        length = rng.choice(lengths)
        operations = tuple(rng.randrange(len(OPERATIONS)) for _ in range(length))
        composition = operations, rng.randrange(len(RESULTS))
        if composition not in seen:
            seen.add(composition)
            yield composition


def _problems(drawn: Iterator[Composition], split: Split) -> Iterator[Problem]:
    for operations, result in drawn:
        program = _program(
            [OPERATIONS[index].implementations[0] for index in operations], RESULTS[result].implementations[0]
        )
        expected = [json.dumps(value) for value in _outputs(program)]
        if len(set(expected)) < MIN_DISTINCT_OUTPUTS:
            continue
        name = "family/" + "-".join([*map(str, operations), f"r{result}"])
        yield Problem(
            id=name,
            source="family",
            language="python",
            prompt=_prompt([OPERATIONS[index].words for index in operations], RESULTS[result].words),
            prefix=PREFIX,
            entry_point="f",
            style="function",
            tests=tuple(Test(json.dumps([xs]), value) for xs, value in zip(INPUTS, expected, strict=True)),
            split=split,
            group_id=name,
            licence="Apache-2.0",
            revision=f"family-{VERSION}",
            limits=Limits(cpu_s=1.0, wall_s=10.0, memory_mb=512),
        )


def _outputs(program: str) -> list[Any]:
    """Runs a program of our own tables on the test inputs, in this process: it is trusted."""
    namespace: dict[str, Any] = {}
    exec(program, namespace)
    return [namespace["f"](list(xs)) for xs in INPUTS]


def _prompt(operations: Sequence[str], result: str) -> str:
    return f"# {' , '.join(operations)} , return {result}\n{PREFIX}"


def _body(operations: Sequence[str], result: str) -> str:
    return "".join(f"\n xs = {operation}" for operation in operations) + f"\n return {result}\n"


def _program(operations: Sequence[str], result: str) -> str:
    return PREFIX + _body(operations, result)


def _habit(step: Step, config: FamilyConfig, world: random.Random) -> tuple[float, ...]:
    mistaken = world.random() < config.mistaken_share
    correct = config.mistaken_correct_probability if mistaken else config.correct_probability
    popularity = [world.random() + 0.2 for _ in step.implementations[1:]]
    return correct, *((1 - correct) * share / sum(popularity) for share in popularity)


def _pick(step: Step, weights: Sequence[float], rng: random.Random) -> str:
    return rng.choices(step.implementations, weights)[0]
