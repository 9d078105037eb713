"""The nouns of the project: problems, candidate programs, and triplets of them.

These are the contracts between the parts. Generators write candidates, the judge adds verdicts, rankers
add scores, mining turns them into triplets; each part can be run alone, on data from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rewardranker.problems.verdict import Verdict

Style = Literal["stdio", "function", "program", "probe"]
Split = Literal["train", "validation", "test"]
Comparator = Literal["tokens", "codecontests", "exact", "checker", "testlib", "script"]
#: Of these, ``checker`` decides.
CHECKED: tuple[Comparator, ...] = ("checker", "testlib", "script")
Origin = Literal["levenshtein", "random", "hard_negative", "self_training"]


@dataclass(frozen=True)
class Limits:
    """What one run of a program may use."""

    cpu_s: float = 2.0
    wall_s: float = 20.0
    memory_mb: int = 512
    output_kb: int = 16384


@dataclass(frozen=True)
class Test:
    """One test; what its two texts mean depends on the problem's style.

    - ``stdio``: what the program reads, and what it must print.
    - ``function``: a JSON list of arguments, and the JSON value that the entry point must return.
    - ``program``: a trusted Python snippet (one or more ``assert`` statements calling the entry point) in
      ``input``; ``expected`` is empty.
    - ``probe``: an expression in ``input`` that calls the entry point, perhaps written by a model (only what
      :mod:`rewardranker.judge.expressions` lets pass); nothing is expected, and what it comes to is observed.
    """

    __test__ = False  # not a pytest class

    input: str
    expected: str = ""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A task with tests. What means nothing to somebody with five problems of one's own has a default.

    Attributes:
        id: unique in its data set.
        source: name of the data set.
        language: lower-case name of the programming language, e.g. ``python``.
        prompt: exactly the text that the generator continues.
        prefix: the tail of ``prompt`` that is part of the program (e.g. a function's first line); the
            program is ``prefix + completion``. Empty where the model writes a whole program.
        entry_point: name of the function to call; empty for ``stdio``.
        style: how the tests are run, see :class:`Test`.
        tests: hidden tests, never shown to a model unless ``prompt`` holds them.
        setup: trusted code to run before the tests (``program`` style).
        split: ``train`` where nobody has held the problem out.
        group_id: near-duplicates share it; splits never separate a group. By default, its own ``id``.
        revision: of the data, so that results can be compared.
        comparator: how what a main program printed is compared (``stdio`` style): by ``tokens``, integers exactly
            (:func:`rewardranker.judge.printed.stdout_equal`); by the rule that ``codecontests`` published, all
            numbers as doubles; ``exact``, as text; by ``checker`` in one of three forms.
        checker: trusted code. ``checker``: Python that defines ``check(input, output, expected) -> bool``;
            ``testlib``: a contest's program in C++, run on the files of input, output and expected output, that ends
            with status 0 where the output is right; ``script``: a program in Python, run on the files of input,
            expected output and output, that prints 1.
        stop_tokens: a base model's text ends before the first of these, in harnesses that cut it so.
    """

    id: str
    source: str = "own"
    language: str
    prompt: str
    entry_point: str = ""
    style: Style
    tests: tuple[Test, ...]
    split: Split = "train"
    group_id: str = ""
    licence: str = ""
    revision: str = ""
    prefix: str = ""
    setup: str = ""
    limits: Limits = field(default_factory=Limits)
    comparator: Comparator = "tokens"
    checker: str = ""
    stop_tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.group_id:
            object.__setattr__(self, "group_id", self.id)

    @property
    def begun(self) -> str:
        """The program as far as the prompt has it: a chat model's prompt has more around that."""
        return self.prefix or self.prompt


@dataclass
class Candidate:
    """One program for one problem, and everything that is known of it so far.

    Attributes:
        text: what the model (or a person) wrote after the prompt, unchanged.
        code: the whole program, normalised (:func:`rewardranker.programs.extract`).
        token_ids, logprobs: of the response, from the engine that sampled it; empty for humans.
        finish_reason: ``stop`` (the last token id is one that ends a response) or ``length``; empty for humans.
        source: ``human`` or ``gen:<checkpoint>``.
        weights_version: of the policy that sampled it.
        returns: what the program returned on each probe input, as ``int 3`` (type, then literal), or
            the ``error ValueError`` that it raised; empty where it was not probed. Holds no expected value.
        passed_generated: which of the problem's model-written tests it passes, by index.
        passed_examples: whether it passes the examples that its prompt shows; ``None`` where they were not run.
        scores: one number per ranker, higher is better; in a pool's file the columns ``score_<ranker>``.
    """

    problem_id: str
    language: str
    text: str
    code: str
    source: str
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish_reason: str = ""
    seed: int = 0
    weights_version: int = 0
    verdict: Verdict | None = None
    tests_passed: int = 0
    tests_total: int = 0
    message: str = ""
    signature: str = ""
    returns: list[str] = field(default_factory=list)
    passed_generated: list[int] = field(default_factory=list)
    passed_examples: bool | None = None
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Triplet:
    """A prompt with a preferred and a disfavoured program for the same problem, in the same language.

    ``chosen`` and ``rejected`` are completions of ``prompt`` in normal form, without an end token.
    ``chosen_source`` tells a human's from a generator's.
    """

    problem_id: str
    language: str
    prompt: str
    chosen: str
    rejected: str
    origin: Origin
    iteration: int
    chosen_source: str = "human"
