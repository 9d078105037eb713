"""Runs programs against tests: the one place where a verdict is made.

A program runs in a process of its own that knows no expected value (but for the languages whose tests only run
beside the program, level L1), inside the best sandbox that the machine offers.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import astuple, replace
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING

from rewardranker.errors import UserError
from rewardranker.judge.cache import VerdictCache
from rewardranker.judge.canary import canary_problem
from rewardranker.judge.compat import CompatRules, judge_compat
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.libraries import missing_library, needs_of_its_own
from rewardranker.judge.languages.setup import prepare, read_only_places, services, setup_places
from rewardranker.judge.languages.toolchain import Toolchain, toolchain
from rewardranker.judge.sandbox import LocalSandbox, Sandbox, SandboxDied
from rewardranker.judge.sandbox.tiers import describe, require
from rewardranker.judge.strict.checker_programs import checker_digest
from rewardranker.judge.strict.dispatch import check_problem, judge_once, level_of
from rewardranker.judge.strict.recordings import Recordings
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from rewardranker.judge.remote.machine import RemoteMachine

__all__ = ["Judge", "VerdictCache", "judge_fingerprint", "sandbox_description"]

HARNESS_VERSION = "6"
DEFAULT_TIER = "C"
REMOTE_TIER = "remote"
_INFRA_RETRIES = 2
Item = tuple[Problem, str]
#: What judges programs, wherever that is done: a :class:`Judge`'s ``run``, or executors'.
JudgeFunction = Callable[[Sequence[Item]], list[Judgement]]


class Judge:
    """Judges programs in ``workers`` sandboxes of its own. Close it, or use it in a ``with``.

    One call of :meth:`run` at a time.
    """

    def __init__(
        self,
        workers: int = 1,
        cache: VerdictCache | None = None,
        minimum_tier: str = DEFAULT_TIER,
        tier: str = "",
        all_tests: bool = True,
        remote: str = "",
    ) -> None:
        """
        Args:
            minimum_tier: the weakest sandbox to put up with, A+ to D.
            tier: the sandbox to use; left empty, the best that the machine offers.
            all_tests: whether a main program that fails a test is run on the ones after it: a label needs no
                more than the first failure, a pass rate does.
            remote: address of a SandboxFusion server that programs are run on instead, whatever it confines them
                by: ``minimum_tier`` and ``tier`` are about this machine.

        Raises:
            UserError: this machine has no sandbox as good as ``minimum_tier``, or there is no such server.
        """
        self._remote = remote
        self._machine = _machine(remote) if remote else None
        self.tier = REMOTE_TIER if remote else tier or require(minimum_tier).tier
        self._sandboxes = [self._new_sandbox() for _ in range(workers)]
        self._idle: SimpleQueue[Sandbox] = SimpleQueue()
        for sandbox in self._sandboxes:
            self._idle.put(sandbox)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._cache = cache
        self._recordings = Recordings()
        self._all_tests = all_tests

    def _new_sandbox(self) -> Sandbox:
        if self._machine is not None:
            return self._machine.sandbox()
        return LocalSandbox(self.tier, services(), setup_places(), read_only_places())

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the sandboxes and whatever they are running."""
        self._threads.shutdown(cancel_futures=True)
        for sandbox in self._sandboxes:
            sandbox.stop()
        if self._cache is not None:
            self._cache.close()

    def run(self, items: Sequence[Item], on_result: Callable[[int], None] | None = None) -> list[Judgement]:
        """Judges whole programs (prefix included), strictly.

        Equal items are run once. A result in which a time limit had a part is only believed after a second
        run with no other program of this judge beside it; what our own machinery failed to judge is tried
        twice more in that way, and then reported as INFRA. Before a language's first program of a call, one
        that is known to be right shows that its tool-chain works; where that one fails, so does the language.

        Args:
            on_result: called in the caller's thread with the index of every item when it is settled.

        Returns:
            One judgement per item, in order.

        Raises:
            UserError: a problem has no tests, or tests that are not what its style asks for.
        """
        groups: dict[str, list[int]] = {}
        for index, (problem, code) in enumerate(items):
            groups.setdefault(_key(problem, code, self._all_tests, self._remote), []).append(index)
        results: dict[int, Judgement] = {}
        for key, judgement in self._judgements({key: items[group[0]] for key, group in groups.items()}):
            for index in groups[key]:
                results[index] = judgement
                if on_result is not None:
                    on_result(index)
        return [results[index] for index in range(len(items))]

    def run_compat(
        self,
        items: Sequence[Item],
        rules: CompatRules,
        on_result: Callable[[int], None] | None = None,
        patience: float = 1.0,
    ) -> list[Judgement]:
        """Judges as another harness does, for comparison with its numbers, never for labels.

        The programs are what that harness makes of a text: ``rewardranker.programs.published``.

        Args:
            patience: factor on that harness's wall-clock limits.

        Raises:
            UserError: programs are run on another machine: harnesses' commands are those of this one.
        """
        if self._remote:
            raise UserError(
                f"another harness's rules ({rules}) can only be followed on this machine, and programs are to be run "
                "on a remote one; use mode strict, or give no remote address"
            )
        futures = {self._threads.submit(self._compat, *item, rules, patience): i for i, item in enumerate(items)}
        results: dict[int, Judgement] = {}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            if on_result is not None:
                on_result(futures[future])
        return [results[index] for index in range(len(items))]

    def _compat(self, problem: Problem, program: str, rules: CompatRules, patience: float) -> Judgement:
        missing = self._without_toolchain(problem, program)
        if missing is not None:
            return missing
        with self._sandbox() as sandbox:
            try:
                judgement = judge_compat(sandbox, problem, program.encode(errors="replace").decode(), rules, patience)
            except SandboxDied as error:
                return self._infra(problem, str(error))
        return self._placed(problem, judgement)

    def _judgements(self, items: dict[str, Item]) -> Iterator[tuple[str, Judgement]]:
        """Every key with its judgement, as they are settled: known ones, then run ones, then doubtful ones."""
        for problem in {id(problem): problem for problem, _ in items.values()}.values():
            check_problem(problem)
        known = {key: self._known(key, *item) for key, item in items.items()}
        yield from ((key, judgement) for key, judgement in known.items() if judgement is not None)
        left = {key: items[key] for key, judgement in known.items() if judgement is None}
        broken = self._broken_languages({problem.language for problem, _ in left.values()})
        futures: dict[Future[tuple[Judgement, bool]], str] = {}
        doubtful: list[str] = []
        for key, (problem, code) in left.items():
            if problem.language in broken:
                yield key, self._infra(problem, broken[problem.language])
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

    def _known(self, key: str, problem: Problem, code: str) -> Judgement | None:
        return self._without_toolchain(problem, code) or (self._cache.get(key) if self._cache is not None else None)

    def _without_toolchain(self, problem: Problem, code: str) -> Judgement | None:
        missing = missing_tools(problem.language, self._remote)
        where = " on the remote machine" if self._remote else ""
        message = f"no tool-chain for {problem.language}{where}: lacks {', '.join(missing)}"
        if not missing:
            message = missing_library(problem, code, bool(self._remote))
        if not message:
            return None
        return Judgement(Verdict.NO_TOOLCHAIN, 0, len(problem.tests), 0.0, message, "", "", self.tier)

    def _broken_languages(self, languages: set[str]) -> dict[str, str]:
        """Languages in which a right program is not found right, with what was found instead."""
        broken = {}
        for name in sorted(languages):
            language = LANGUAGES[name]
            try:
                if self._machine is None:  # a remote one is prepared by what first needs it
                    with self._sandbox() as sandbox:
                        prepare(sandbox, language)
            except SandboxDied as error:
                broken[name] = str(error)
                continue
            judgement = self._run_alone(canary_problem(name), language.canary)
            if judgement.verdict is not Verdict.OK:
                broken[name] = f"a program known to be right is judged {judgement.verdict}: {judgement.message}"
        return broken

    def _settled(self, key: str, judgement: Judgement) -> Judgement:
        if self._cache is not None:
            self._cache.put(key, judgement)
        return judgement

    def _run(self, problem: Problem, code: str) -> tuple[Judgement, bool]:
        with self._sandbox() as sandbox:
            try:
                judgement, timed = judge_once(sandbox, self._recordings, problem, code, self._all_tests)
            except SandboxDied as error:
                return self._infra(problem, str(error)), False
        return self._placed(problem, judgement), timed

    def _infra(self, problem: Problem, message: str) -> Judgement:
        level = level_of(problem)
        return self._placed(problem, Judgement(Verdict.INFRA, 0, len(problem.tests), 0.0, message[:300], "", level))

    def _placed(self, problem: Problem, judgement: Judgement) -> Judgement:
        """With where its program was run, and what that leaves of the level."""
        level = judgement.level if self._machine is None else self._machine.level(problem, judgement.level)
        return replace(judgement, tier=self.tier, level=level)

    def _run_alone(self, problem: Problem, code: str) -> Judgement:
        """Called when nothing else of this judge runs."""
        for _ in range(_INFRA_RETRIES):
            judgement, _ = self._run(problem, code)
            if judgement.verdict is not Verdict.INFRA:
                break
        return judgement

    @contextmanager
    def _sandbox(self) -> Iterator[Sandbox]:
        sandbox = self._idle.get()
        try:
            yield sandbox
        finally:
            self._idle.put(sandbox)


def judge_fingerprint(language: str = "python", remote: str = "") -> str:
    """Changes when the same program could get another verdict: harness, Python, the language's tool-chain, and
    whether that is this machine's or that of the server at ``remote``. Raises ``UserError`` without such a server.
    """
    version = toolchain_of(LANGUAGES[language], remote).version if language in LANGUAGES else ""
    where = f"{REMOTE_TIER} " if remote else ""
    text = f"{HARNESS_VERSION} {platform.python_implementation()} {platform.python_version()} {where}{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sandbox_description(minimum_tier: str = DEFAULT_TIER, remote: str = "") -> str:
    """One line for a person: what a program is cut off from here, or at that address."""
    try:
        return _machine(remote).describe() if remote else describe(require(minimum_tier))
    except UserError as error:
        return f"no program can be run: {error}"


def missing_tools(language: str, remote: str = "") -> tuple[str, ...]:
    """What is lacking to run programs in a language: executables, or a definition of the language itself."""
    known = LANGUAGES.get(language)
    return toolchain_of(known, remote).missing if known else (f"a definition of {language}",)


def toolchain_of(language: Language, remote: str = "") -> Toolchain:
    """What this machine, or the server at that address, has for a language. Raises ``UserError`` without a server."""
    return _machine(remote).toolchain(language) if remote else toolchain(language)


def _machine(remote: str) -> RemoteMachine:
    from rewardranker.judge.remote.machine import machine  # httpx takes long to import, few need it

    return machine(remote)


def _key(problem: Problem, code: str, all_tests: bool, remote: str) -> str:
    asked = {
        "fingerprint": judge_fingerprint(problem.language, remote),
        "language": problem.language,
        "code": code,
        "style": problem.style,
        "setup": problem.setup,
        "prefix": problem.prefix,
        "prompt": problem.prompt if problem.style == "program" else "",  # has what tests may call beside the function
        "entry_point": problem.entry_point,
        "comparator": [problem.comparator, _checker(problem)],
        "all_tests": all_tests or problem.style != "stdio",
        "tests": [(test.input, test.expected) for test in problem.tests],
        "limits": astuple(problem.limits),
    }
    if needs_of_its_own(problem):
        asked["problem"] = problem.id
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _checker(problem: Problem) -> str:
    return checker_digest(problem.checker) if problem.comparator == "testlib" else problem.checker
