"""What execution shows of a pool of candidates, for the rankers that use it.

Each distinct program of a problem is run once, by whatever judges: :meth:`Judge.run`, or the same method of a pool of
executors on a cluster. Nothing here knows an expected value: model-written tests may be wrong, and examples stand in
the prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rewardranker.errors import UserError
from rewardranker.judge import JudgeFunction
from rewardranker.judge.observations import TRUE
from rewardranker.problems.types import Candidate, Limits, Problem, Test
from rewardranker.problems.verdict import NEVER_LABELS
from rewardranker.reranking.generated_tests import calls_of, examples_of

#: For many short calls. Holds for loading the program and for each of its calls, see ``strict/probes.py``.
PROBE_LIMITS = Limits(cpu_s=0.5, wall_s=5.0, memory_mb=512, output_kb=1024)


@dataclass(frozen=True)
class Probes:
    """What to find out about the programs of one problem; expressions, all of them.

    Attributes:
        calls: to observe, for ``Candidate.returns``.
        tests: conditions that a model wrote, for ``Candidate.passed_generated``.
        examples: conditions from the prompt, for ``Candidate.passed_examples``.
    """

    calls: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def expressions(self) -> tuple[str, ...]:
        """All of them as they are run. A condition counts as an ``assert`` would: any true value will do."""
        conditions = tuple(f"not not ({condition})" for condition in (*self.tests, *self.examples))
        return (*self.calls, *conditions)


def probes_for(problem: Problem, tests: Sequence[str] = ()) -> Probes:
    """The probes of a problem with these model-written conditions: calls from those and from the prompt's examples.

    With no model-written tests (MBPP, as LEVER runs it) the calls are the examples' alone.
    """
    examples = examples_of(problem)
    return Probes(calls_of([*tests, *examples], problem.entry_point), tuple(tests), examples)


def probe_candidates(
    candidates: Sequence[Candidate],
    problems: Mapping[str, Problem],
    probes: Mapping[str, Probes],
    run: JudgeFunction,
    limits: Limits = PROBE_LIMITS,
) -> Counter[str]:
    """Fills in ``returns``, ``passed_generated`` and ``passed_examples`` of Python candidates.

    Candidates of problems without probes are left as they are, and so are those whose probes our own machinery
    failed to run (``INFRA``, ``NO_TOOLCHAIN``).

    Returns:
        How many distinct programs came to which verdict (``OK``: every call returned a value).

    Raises:
        UserError: a program in another language, an unknown problem, or an expression that may not be evaluated.
    """
    items = list(dict.fromkeys((c.problem_id, c.code) for c in candidates if _asked(c, problems, probes)))
    tasks = {name: _task(problems[name], probes[name], limits) for name in dict.fromkeys(name for name, _ in items)}
    judgements = run([(tasks[name], code) for name, code in items])
    known = dict(zip(items, judgements, strict=True))
    for candidate in candidates:
        judgement = known.get((candidate.problem_id, candidate.code))
        if judgement is not None and judgement.verdict not in NEVER_LABELS:
            _fill(candidate, probes[candidate.problem_id], judgement.returns)
    return Counter(str(judgement.verdict) for judgement in judgements)


def _asked(candidate: Candidate, problems: Mapping[str, Problem], probes: Mapping[str, Probes]) -> bool:
    name = candidate.problem_id
    if name not in probes or not probes[name].expressions:
        return False
    if name not in problems:
        raise UserError(f"problem {name} has probes but is not among the {len(problems)} loaded; load it as well")
    if candidate.language != "python":
        raise UserError(
            f"a candidate of problem {name} is in {candidate.language}; only Python programs can be probed: leave "
            "out the probes of problems in other languages"
        )
    return True


def _task(problem: Problem, probes: Probes, limits: Limits) -> Problem:
    tests = tuple(Test(expression) for expression in probes.expressions)
    return replace(problem, style="probe", tests=tests, setup="", checker="", comparator="tokens", limits=limits)


def _fill(candidate: Candidate, probes: Probes, seen: Sequence[str]) -> None:
    calls, tests = len(probes.calls), len(probes.tests)
    examples = [word == TRUE for word in seen[calls + tests :]]
    candidate.returns = list(seen[:calls])
    candidate.passed_generated = [i for i, word in enumerate(seen[calls : calls + tests]) if word == TRUE]
    candidate.passed_examples = all(examples) if examples else None
