"""The built-in problem family: what is drawn, and what the simulated authors write."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

import pytest

from rewardranker.config.schema import FamilyConfig
from rewardranker.errors import UserError
from rewardranker.problems.family import Authors, build_family, parse_composition, reference_solution
from rewardranker.problems.family_operations import OPERATIONS, RESULTS
from rewardranker.problems.io import check_problems
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Problem
from rewardranker.programs import completion_of, extract

SMALL = FamilyConfig(train_problems=60, validation_problems=10, test_problems=20)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return build_family(FamilyConfig())


def answers(program: str, problem: Problem) -> list[str]:
    """What a trusted program returns on every test input, as JSON; ``error`` where it raises."""
    namespace: dict[str, Any] = {}
    exec(program, namespace)
    found = []
    for test in problem.tests:
        try:
            found.append(json.dumps(namespace[problem.entry_point](*json.loads(test.input))))
        except (ValueError, IndexError):
            found.append("error")
    return found


def passes(program: str, problem: Problem) -> bool:
    return answers(program, problem) == [test.expected for test in problem.tests]


def test_sizes_and_splits(problems: list[Problem]) -> None:
    assert Counter(problem.split for problem in problems) == {"train": 1800, "validation": 100, "test": 200}
    check_problems(problems)  # unique ids, no composition in two splits


def test_every_composition_is_drawn_once(problems: list[Problem]) -> None:
    compositions = {parse_composition(problem.id) for problem in problems}
    assert len(compositions) == len({problem.prompt for problem in problems}) == len(problems)
    assert {len(operations) for operations, _ in compositions} == {1, 2}
    assert {index for operations, _ in compositions for index in operations} == set(range(28))
    assert {result for _, result in compositions} == set(range(8))


def test_same_seed_same_problems() -> None:
    assert build_family(SMALL) == build_family(SMALL)
    assert build_family(SMALL) != build_family(dataclasses.replace(SMALL, seed=1))


def test_test_problems_do_not_depend_on_the_number_of_train_problems() -> None:
    larger = build_family(dataclasses.replace(SMALL, train_problems=300))
    assert [p for p in larger if p.split != "train"] == [p for p in build_family(SMALL) if p.split != "train"]


def test_prompt_and_reference_read_as_documented() -> None:
    [problem] = [p for p in build_family(FamilyConfig(train_problems=5000)) if p.id == "family/0-22-r0"]
    prompt = "# keep values of at least zero , rotate left by one , return the sum\ndef f(xs):"
    assert problem.prompt == prompt and problem.prefix == "def f(xs):"
    reference = "def f(xs):\n xs = [x for x in xs if x >= 0]\n xs = xs[1:] + xs[:1]\n return sum(xs)\n"
    assert reference_solution(problem) == reference
    # Worked by hand: the first input is 11, 5, -4, -1, -12, 9, of which 11 + 5 + 9 are kept.
    assert (problem.tests[0].input, problem.tests[0].expected) == ("[[11, 5, -4, -1, -12, 9]]", "25")


def test_references_give_the_expected_values(problems: list[Problem]) -> None:
    failing = [problem.id for problem in problems if not passes(reference_solution(problem), problem)]
    assert failing == []


def test_outputs_tell_programs_apart(problems: list[Problem]) -> None:
    assert min(len({test.expected for test in problem.tests}) for problem in problems) >= 4
    assert {len(problem.tests) for problem in problems} == {14}


def test_no_mistake_of_a_single_step_is_always_right(problems: list[Problem]) -> None:
    """Every listed mistake is caught on some problem; only ``the list`` has two correct forms."""
    identity = [f"def f(xs):\n return {step.implementations[0]}\n" for step in RESULTS]
    probe = problems[0]
    for step in (*OPERATIONS, *RESULTS[:1], *RESULTS[2:]):
        correct, *mistakes = (f"def f(xs):\n return {text}\n" for text in step.implementations)
        for mistake in mistakes:
            assert answers(mistake, probe) != answers(correct, probe), mistake
    assert answers(identity[1], probe) == answers("def f(xs):\n return xs[:]\n", probe)


def test_thousands_of_compositions_are_available() -> None:
    config = FamilyConfig(train_problems=5000, validation_problems=300, test_problems=500)
    assert len(build_family(config)) == 5800


def test_asking_for_too_many_problems_says_how_many_there_are() -> None:
    with pytest.raises(UserError, match=r"asks for 2300 problems.*1 to 1 operations give only \d{3};"):
        build_family(FamilyConfig(train_problems=2000, max_operations=1))


@pytest.mark.parametrize(("fewest", "most"), [(0, 2), (3, 2)])
def test_impossible_lengths_are_refused(fewest: int, most: int) -> None:
    with pytest.raises(UserError, match="min_operations"):
        build_family(FamilyConfig(min_operations=fewest, max_operations=most))


def test_authors_pass_between_a_third_and_a_half(problems: list[Problem]) -> None:
    authors = Authors(FamilyConfig())
    held_out = [problem for problem in problems if problem.split == "test"]
    verdicts = [passes(code, p) for p in held_out for code in authors.solutions(p, 10, seed=0)]
    assert 0.35 < sum(verdicts) / len(verdicts) < 0.5


def test_popular_mistakes_beat_the_truth_on_some_problems(problems: list[Problem]) -> None:
    authors = Authors(FamilyConfig())
    held_out = [problem for problem in problems if problem.split == "test"]
    favourites = [Counter(authors.solutions(p, 60, seed=3)).most_common(1)[0][0] for p in held_out]
    wrong = sum(not passes(code, p) for code, p in zip(favourites, held_out, strict=True))
    assert 0.3 * len(held_out) < wrong < 0.7 * len(held_out)


def test_authors_are_deterministic_and_smaller_counts_are_prefixes() -> None:
    problem = build_family(SMALL)[0]
    solutions = Authors(SMALL).solutions(problem, 12, seed=5)
    assert Authors(SMALL).solutions(problem, 4, seed=5) == solutions[:4]
    assert Authors(SMALL).solutions(problem, 12, seed=6) != solutions


def test_author_odds_follow_the_config() -> None:
    config = dataclasses.replace(SMALL, mistaken_share=0.0, correct_probability=1.0)
    authors = Authors(config)
    for problem in build_family(config):
        assert all(passes(code, problem) for code in authors.solutions(problem, 3, seed=0))


def test_programs_are_in_normal_form_and_survive_extraction(problems: list[Problem]) -> None:
    authors = Authors(FamilyConfig())
    for problem in problems[::40]:
        for program in [authors.reference(problem), *authors.solutions(problem, 4, seed=0)]:
            completion = completion_of(problem, program)
            assert program == problem.prefix + completion == normalise(program)
            assert extract(problem, completion) == program


@pytest.mark.parametrize("name", ["mbpp/601", "family/3-17", "family/r2", "family/3-99-r2", "family/3-x-r2"])
def test_foreign_ids_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="family"):
        parse_composition(name)
