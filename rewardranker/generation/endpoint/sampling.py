"""Problems in, candidates out: asks an endpoint for every sample that its journal does not hold yet."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rewardranker.config.endpoint import EndpointConfig, api_key, check_endpoint, shaping
from rewardranker.errors import UserError
from rewardranker.generation.endpoint import wire
from rewardranker.generation.endpoint.client import Client, Failed, Halted, Refused
from rewardranker.generation.endpoint.journal import Journal, Record, open_journal
from rewardranker.generation.endpoint.pace import Clock, SystemClock
from rewardranker.generation.endpoint.report import EndpointReport, usage_of
from rewardranker.paths import AnyPath
from rewardranker.problems.io import first_few
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import extract
from rewardranker.runs.console import Advance, Console
from rewardranker.runs.seeds import derive_seed


def sample_endpoint(
    config: EndpointConfig,
    problems: Sequence[Problem],
    n: int,
    journal: AnyPath,
    console: Console,
    clock: Clock | None = None,
) -> tuple[list[Candidate], EndpointReport]:
    """``n`` samples of every problem from an endpoint, through a journal.

    A problem's prompt is sent as it is: as the user's message, or as the text to be continued.

    Every answer is in the journal before the next thing happens. What an earlier call with the same journal
    has got is not asked for again, so a run that was cut off, or that an endpoint answered in part, is gone on
    with by the same call; so is one with a larger ``n``. Samples that did not come are missing from the result
    and named in the report, which is also printed.

    Sample ``i`` has the seed that is derived from ``config.seed``, the model, the problem and ``i``. A request for
    several is sent with the first one's: with ``samples_per_request`` 1 every sample can be repeated alone.
    Log-probabilities are what the server calls so: as a rule those of temperature 1 before any truncation.

    Args:
        journal: JSON lines; begun where it does not exist.

    Returns:
        Candidates in the order of the problems, then of samples, not judged; and what came of it.

    Raises:
        UserError: settings or a journal that cannot work, a problem twice, or not a single candidate.
    """
    check_endpoint(config)
    _check(problems, n)
    tasks = [_task(config, problem) for problem in problems]
    with open_journal(journal, shaping(config)) as book:
        book.check_prompts({task.problem.id: task.digest for task in tasks})
        if book.torn:
            console.warn(f"{journal}: its last line was cut off, so that answer is asked for again")
        run = _Run(config, tasks, n, book)
        if run.missing():
            key = api_key(config)
            with console.progress("endpoint", sum(map(len, run.missing().values())), "samples") as advance:
                asyncio.run(run.ask(key, clock or SystemClock(), advance))
        report = run.finish()
        candidates = [candidate for task in tasks for candidate in _candidates(config, task, n, book)]
    for line in report.lines():
        console.say(line)
    for line in report.warnings():
        console.warn(line)
    if not candidates:
        raise UserError(f"endpoint {config.base_url} gave no candidate at all: {report.why_missing()}")
    return candidates, report


@dataclass(frozen=True)
class _Task:
    problem: Problem
    stop: list[str]
    digest: str


class _Run:
    """One call of :func:`sample_endpoint`: what to ask for, and how much of the protocol the server knows."""

    def __init__(self, config: EndpointConfig, tasks: Sequence[_Task], n: int, journal: Journal) -> None:
        self._config, self._tasks, self._n, self._journal = config, tasks, n, journal
        self._earlier = len(journal.records)
        wanted = n * len(tasks)
        found = wanted - sum(map(len, self.missing().values()))
        self._report = EndpointReport(problems=len(tasks), wanted=wanted, found=found)
        self._logprobs = config.logprobs
        self._one_by_one = False  # the server turned out to give one sample a request
        self._several_seen = self._logprobs_seen = False  # it has proved that it can
        self._failed_in_a_row = 0

    def missing(self) -> dict[str, list[int]]:
        """Indices of the samples that are not in the journal, by problem; without problems that lack none."""
        lacking = {
            task.problem.id: [i for i in range(self._n) if i not in self._journal.samples(task.problem.id)]
            for task in self._tasks
        }
        return {name: samples for name, samples in lacking.items() if samples}

    async def ask(self, key: str, clock: Clock, advance: Advance) -> None:
        missing = self.missing()
        self._slots, self._advance = asyncio.Semaphore(self._config.concurrency), advance
        async with Client(self._config, key, clock) as self._client:
            async with asyncio.TaskGroup() as self._group:
                for task in self._tasks:
                    self._start(task, missing.get(task.problem.id, []))
            self._report.requests, self._report.retried = self._client.sent, self._client.retried

    def finish(self) -> EndpointReport:
        report, records = self._report, self._journal.records
        report.missing = {name: len(samples) for name, samples in self.missing().items()}
        report.sampled = report.wanted - report.found - sum(report.missing.values())
        report.this_run = usage_of(records[self._earlier :], self._config)
        report.whole_journal = usage_of(records, self._config)
        report.models = sorted({record.answer.model for record in records} - {""})
        for task in self._tasks:
            for index, choice in self._journal.samples(task.problem.id).items():
                if index < self._n:
                    report.without_logprobs += self._config.logprobs and not choice.logprobs
                    report.empty += not choice.text
                    report.unusual.update([] if wire.is_usual(choice.finish_reason) else [choice.finish_reason])
        return report

    def _start(self, task: _Task, samples: list[int]) -> None:
        size = 1 if self._one_by_one else self._config.samples_per_request or len(samples)
        for first in range(0, len(samples), max(1, size)):
            self._group.create_task(self._fill(task, samples[first : first + size]))

    async def _fill(self, task: _Task, samples: list[int]) -> None:
        """Gets the samples of one request, and leaves to others what did not come with it."""
        async with self._slots:
            if self._one_by_one and len(samples) > 1:
                self._start(task, samples)
                return
            try:
                if self._report.stopped:
                    raise Failed("not asked", self._report.stopped)
                got = await self._answered(task, samples)
            except Failed as error:
                self._fail(samples, error)
                return
            self._failed_in_a_row = 0
            self._advance(len(got))
            self._start(task, [i for i in samples if i not in got])

    async def _answered(self, task: _Task, samples: list[int]) -> list[int]:
        """Asks for samples, or for less where the server refuses so much; which of them are now in the journal."""
        asked, logprobs = samples, self._logprobs
        while True:
            seed = _seed(self._config, task.problem, asked[0])
            body = wire.request_body(self._config, task.problem.prompt, task.stop, len(asked), seed, logprobs)
            try:
                answer = await self._client.ask(
                    body, wire.reserved_tokens(self._config, task.problem.prompt, len(asked))
                )
                break
            except Refused as refusal:
                # Servers word it in their own ways: whether it was that is seen from asking without.
                if logprobs and not self._logprobs_seen and "logprob" in refusal.detail.lower():
                    logprobs = False
                elif len(asked) > 1 and not self._several_seen:
                    asked = asked[:1]
                else:
                    raise
        got = asked[: len(answer.choices)]
        self._journal.add(Record(task.problem.id, task.digest, got, seed, answer))
        self._learn(len(samples), len(answer.choices), logprobs, any(choice.logprobs for choice in answer.choices))
        return got

    def _learn(self, asked: int, came: int, logprobs: bool, logprobs_came: bool) -> None:
        """What a success says of the server: asked for this much, it gave that much."""
        self._several_seen |= came > 1
        self._logprobs_seen |= logprobs_came
        if asked > 1 and came == 1 and not self._one_by_one and not self._several_seen:
            self._one_by_one = True
            self._report.adapted.append("the server gives one sample a request, so each has its own")
        if self._logprobs and not logprobs:
            self._logprobs = False
            self._report.adapted.append("the server refuses to give log-probabilities, so none were asked for")

    def _fail(self, samples: list[int], error: Failed) -> None:
        report = self._report
        report.reasons[error.reason] += len(samples)
        report.details.setdefault(error.reason, error.detail)
        if report.stopped:
            return
        self._failed_in_a_row += 1
        if isinstance(error, Halted):
            report.stopped = str(error)
        elif self._failed_in_a_row >= self._config.give_up_after:
            report.stopped = f"{self._failed_in_a_row} requests in a row failed (give_up_after), the last by {error}"
        if report.stopped:
            self._client.close()


def _check(problems: Sequence[Problem], n: int) -> None:
    if n < 1:
        raise UserError(f"asked for {n} samples of each problem: must be at least 1")
    if not problems:
        raise UserError("there are no problems to sample candidates for")
    repeated = [name for name, count in Counter(problem.id for problem in problems).items() if count > 1]
    if repeated:
        raise UserError(f"problem ids must be unique; more than once: {first_few(repeated)}")


def _task(config: EndpointConfig, problem: Problem) -> _Task:
    stop = wire.stops_for(config, problem)
    digest = hashlib.sha256(json.dumps([problem.prompt, stop]).encode()).hexdigest()[:16]
    return _Task(problem, stop, digest)


def _seed(config: EndpointConfig, problem: Problem, sample: int) -> int:
    return derive_seed(config.seed, "generate", config.model, problem.id, sample)


def _candidates(config: EndpointConfig, task: _Task, n: int, journal: Journal) -> list[Candidate]:
    problem, samples = task.problem, journal.samples(task.problem.id)
    return [
        Candidate(
            problem_id=problem.id,
            language=problem.language,
            text=choice.text,
            code=extract(problem, choice.text),
            source=f"gen:{config.model}",
            token_ids=choice.token_ids,
            logprobs=choice.logprobs,
            finish_reason=wire.finish_reason(choice.finish_reason),
            seed=_seed(config, problem, index),
        )
        for index, choice in sorted(samples.items())
        if index < n
    ]
