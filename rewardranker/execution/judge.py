"""Runs programs against tests: the one place where a verdict is made.

A program runs in a process of its own that knows no expected value; how much that process is cut off from
the machine, :func:`sandbox_description` says.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import astuple
from queue import SimpleQueue
from types import TracebackType

from rewardranker.execution.cache import VerdictCache
from rewardranker.execution.fork_client import ForkServer, ServerDied
from rewardranker.execution.styles import LEVELS, count_tests, judge_once
from rewardranker.execution.verdict import Judgement, Verdict
from rewardranker.problems.types import Problem

__all__ = ["Judge", "VerdictCache", "judge_fingerprint", "sandbox_description"]

HARNESS_VERSION = "2"
_INFRA_RETRIES = 2


class Judge:
    """Judges programs on ``workers`` fork servers of its own. Close it, or use it in a ``with``.

    One call of :meth:`run` at a time.
    """

    def __init__(self, workers: int = 1, cache: VerdictCache | None = None) -> None:
        self._servers = [ForkServer() for _ in range(workers)]
        self._idle: SimpleQueue[ForkServer] = SimpleQueue()
        for server in self._servers:
            self._idle.put(server)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._cache = cache

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the fork servers and whatever they are running."""
        self._threads.shutdown(cancel_futures=True)
        for server in self._servers:
            server.stop()
        if self._cache is not None:
            self._cache.close()

    def run(
        self, items: Sequence[tuple[Problem, str]], on_result: Callable[[int], None] | None = None
    ) -> list[Judgement]:
        """Judges whole programs (prefix included).

        Equal items are run once. A result in which a time limit had a part is only believed after a second
        run with no other program of this judge beside it; what our own machinery failed to judge is tried
        twice more in that way, and then reported as INFRA.

        Args:
            on_result: called in the caller's thread with the index of every item when it is settled.

        Returns:
            One judgement per item, in order.

        Raises:
            UserError: a problem has no tests, or tests that are not what its style asks for.
        """
        groups: dict[str, list[int]] = {}
        for index, (problem, code) in enumerate(items):
            groups.setdefault(_key(problem, code), []).append(index)
        results: dict[int, Judgement] = {}
        for key, judgement in self._judgements({key: items[group[0]] for key, group in groups.items()}):
            for index in groups[key]:
                results[index] = judgement
                if on_result is not None:
                    on_result(index)
        return [results[index] for index in range(len(items))]

    def _judgements(self, items: dict[str, tuple[Problem, str]]) -> Iterator[tuple[str, Judgement]]:
        """Every key with its judgement, as they are settled: known ones, then run ones, then doubtful ones."""
        futures: dict[Future[tuple[Judgement, bool]], str] = {}
        doubtful: list[str] = []
        totals = {id(problem): count_tests(problem) for problem, _ in items.values()}
        for key, (problem, code) in items.items():
            known = self._known(key, problem, totals[id(problem)])
            if known is not None:
                yield key, known
            else:
                futures[self._threads.submit(self._run, problem, code)] = key
        for future in as_completed(futures):
            key, (judgement, timed) = futures[future], future.result()
            if timed or judgement.verdict is Verdict.INFRA:
                doubtful.append(key)
            else:
                yield key, self._settled(key, judgement)
        for key in sorted(doubtful, key=list(items).index):
            yield key, self._settled(key, self._run_alone(*items[key]))

    def _known(self, key: str, problem: Problem, total: int) -> Judgement | None:
        if problem.language != "python":
            message = f"no tool-chain for {problem.language}"
            return Judgement(Verdict.NO_TOOLCHAIN, 0, total, 0.0, message, "", LEVELS[problem.style])
        return self._cache.get(key) if self._cache is not None else None

    def _settled(self, key: str, judgement: Judgement) -> Judgement:
        if self._cache is not None:
            self._cache.put(key, judgement)
        return judgement

    def _run(self, problem: Problem, code: str) -> tuple[Judgement, bool]:
        with self._server() as server:
            try:
                return judge_once(server, problem, code)
            except ServerDied as error:
                total = count_tests(problem)
                return Judgement(Verdict.INFRA, 0, total, 0.0, str(error), "", LEVELS[problem.style]), False

    def _run_alone(self, problem: Problem, code: str) -> Judgement:
        """Called when nothing else of this judge runs."""
        for _ in range(_INFRA_RETRIES):
            judgement, _ = self._run(problem, code)
            if judgement.verdict is not Verdict.INFRA:
                break
        return judgement

    @contextmanager
    def _server(self) -> Iterator[ForkServer]:
        server = self._idle.get()
        try:
            yield server
        finally:
            self._idle.put(server)


def judge_fingerprint() -> str:
    """Changes when the same program could get another verdict: harness and Python version."""
    text = f"{HARNESS_VERSION} {platform.python_implementation()} {platform.python_version()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sandbox_description() -> str:
    """One line for a person: what a program is cut off from here. Starts a fork server to find out."""
    server = ForkServer()
    try:
        server.start()
        own_user = server.facts["uids"][0] >= 0
    except ServerDied as error:
        return f"no program can be run: {error}"
    finally:
        server.stop()
    user = "a user id of its own" if own_user else "the user id of this process (not root, none to drop)"
    return (
        f"a process and session per program, limits on CPU, memory, files and processes, {user}; "
        "no namespaces: world-readable files and the network stay visible"
    )


def _key(problem: Problem, code: str) -> str:
    tests = [(test.input, test.expected) for test in problem.tests]
    parts = [judge_fingerprint(), problem.language, code, problem.style, problem.setup, problem.entry_point]
    text = json.dumps([*parts, tests, astuple(problem.limits)])
    return hashlib.sha256(text.encode()).hexdigest()
