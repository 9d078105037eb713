"""Contest problems for the cycle: a few of them, in the languages asked for, with what people submitted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from rewardranker.config.choices import read_options
from rewardranker.config.schema import DataConfig
from rewardranker.errors import UserError
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.selection import Selection
from rewardranker.problems.contests.task import Program, Task, problem_in
from rewardranker.problems.corpus import Corpus
from rewardranker.problems.given import check_language
from rewardranker.problems.near_duplicates import group_near_duplicates, keep_splits_apart
from rewardranker.problems.types import Problem, Split
from rewardranker.runs.seeds import derive_seed


@dataclass(frozen=True)
class ContestOptions:
    """What a source of contest problems reads, from ``data.options``.

    Attributes:
        path: the data set: a Parquet file, a folder as the hub has it, or a name on the hub; empty for its own.
        languages: of problems and programs, by the project's names.
        train_problems, validation_problems, test_problems: so many of each split, in the data's order; 0 for all.
            Each is a problem in every language.
        held_out: share of the problems, by a hash of their names, that makes the validation split, and as large a
            test split, where the data has none.
        time_factor: on the site's time limits.
        skip_damaged: leave out what cannot be read of a file, counted, instead of ending.
    """

    path: str = ""
    languages: list[str] = field(default_factory=lambda: ["cpp", "java", "python"])
    train_problems: int = 0
    validation_problems: int = 0
    test_problems: int = 0
    held_out: float = 0.05
    time_factor: float = 2.0
    skip_damaged: bool = False

    def wanted(self, split: Split) -> int:
        counts = {"train": self.train_problems, "validation": self.validation_problems, "test": self.test_problems}
        return counts[split]


Options = TypeVar("Options", bound=ContestOptions)


def read_contest_options(kind: type[Options], data: DataConfig) -> Options:
    """The section ``data.options``. Raises :class:`UserError` for what is none, and for a language that is none."""
    options = read_options(kind, data.options, "data.options")
    if not options.languages:
        raise UserError("data.options.languages is empty; name one or more, such as [cpp,java,python]")
    for language in options.languages:
        check_language(language, "data.options.languages")
    return options


#: Of the tasks that were chosen, what people submitted for them: the task's id with each.
Submissions = Callable[[Sequence[Task], Census], Iterable[tuple[str, Program]]]


@dataclass(frozen=True)
class ContestSource:
    """A data set of contest problems, as ``data.source`` names it: called, it is a source of the cycle, which takes a
    few programs of each problem; :meth:`opened`, it is all of the data, row group by row group.

    Attributes:
        options: what it reads from ``data.options``.
        tasks: its problems, with what people submitted where the data have that beside them.
        submissions: what people submitted, where that lies elsewhere.
    """

    options: type[ContestOptions]
    tasks: Callable[[Any, Census], Iterator[Task]]
    submissions: Callable[[Any, Sequence[Task], Census], Iterable[tuple[str, Program]]] | None = None

    def opened(
        self, data: DataConfig
    ) -> tuple[ContestOptions, Callable[[Census], Iterator[Task]], Submissions | None]:
        """Options, problems and submissions of a config. Raises :class:`UserError` for options that are none."""
        options = read_contest_options(self.options, data)
        return options, partial(self.tasks, options), self.submissions and partial(self.submissions, options)

    def __call__(self, data: DataConfig, seed: int) -> Corpus:
        """For the cycle: see :func:`contest_corpus`."""
        options, tasks, submissions = self.opened(data)
        return contest_corpus(tasks, data, options, seed, submissions)


def contest_corpus(
    read: Callable[[Census], Iterator[Task]],
    data: DataConfig,
    options: ContestOptions,
    seed: int,
    submissions: Submissions | None = None,
) -> Corpus:
    """The corpus of what is read; problems are read no further than it takes, and few programs of each are kept.

    A task gives a problem in each language. Tasks on which no label can be had are left out, counted, and so are
    programs in other languages, repetitions, and tasks whose like is in a split further from training.

    Raises:
        UserError: as ``read`` and ``submissions``.
    """
    census = Census()
    selection = Selection(
        options.languages, data.sft_solutions + data.triplet_solutions, data.triplet_solutions, seed, census
    )
    tasks: list[Task] = []
    for task in chosen_tasks(read(census), options, census):
        for program in task.programs:
            selection.offer(task.id, program)
        tasks.append(dataclasses.replace(task, programs=()))
    for name, program in submissions(tasks, census) if submissions else ():
        selection.offer(name, program)
    problems = _grouped(tasks, options, census)
    return _corpus(problems, selection, data, census)


def split_of(name: str, validation: float, test: float) -> Split:
    """By a hash of the problem's name, for data that hold no problem out, or no other split than a test.

    Args:
        validation, test: the shares of these splits.
    """
    place = derive_seed("held out", name) / 2**63
    return "validation" if place < validation else "test" if place < validation + test else "train"


def chosen_tasks(tasks: Iterable[Task], options: ContestOptions, census: Census) -> Iterator[Task]:
    """As many usable tasks of each split as are wanted."""
    taken: dict[Split, int] = {"train": 0, "validation": 0, "test": 0}
    names: set[str] = set()
    for task in tasks:
        if (wanted := options.wanted(task.split)) and taken[task.split] >= wanted:
            if all(options.wanted(split) and taken[split] >= options.wanted(split) for split in taken):
                return
            continue
        trouble = "another of the same name came before" if task.id in names else task.trouble
        if trouble:
            census.leave_out(f"problems: {trouble}", task.id)
            continue
        names.add(task.id)
        taken[task.split] += 1
        yield task


def _grouped(tasks: list[Task], options: ContestOptions, census: Census) -> list[Problem]:
    """Every task in every language; near duplicates in one group, and no group in two splits."""
    first = options.languages[0]
    grouped = group_near_duplicates([problem_in(task, first) for task in tasks])
    groups = {problem.id: problem.group_id for problem in keep_splits_apart(grouped)}
    problems = []
    for task in tasks:
        group = groups.get(f"{task.id}/{first}")
        if group is None:
            census.leave_out("problems: nearly the same as one that is held out", task.id)
            continue
        census.take("problems")
        for language in options.languages:
            problems.append(dataclasses.replace(problem_in(task, language), group_id=group))
    return problems


def _corpus(problems: list[Problem], selection: Selection, data: DataConfig, census: Census) -> Corpus:
    found = {problem.id: selection.of(problem.id) for problem in problems}
    for problem in problems:
        for label, codes in zip(("right", "wrong"), found[problem.id], strict=True):
            census.take(f"programs in {problem.language}, {label}", len(codes))
    train = [problem.id for problem in problems if problem.split == "train"]
    imitated, written = [], []
    for name in train[: data.sft_problems]:
        imitated += [(name, code) for code in found[name][0][: data.sft_solutions]]
    for name in train[: data.triplet_problems]:
        right, wrong = found[name]
        half = data.triplet_solutions - min(len(wrong), data.triplet_solutions // 2)
        some = right[:half]
        written += [(name, code) for code in [*some, *wrong[: data.triplet_solutions - len(some)]]]
    references = [(name, right[0]) for name, (right, _) in found.items() if right]
    return Corpus(problems, references, imitated, written, census)
