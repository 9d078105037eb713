"""One step off: the next step's samples are drawn while this step learns."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from rewardranker.generation.types import Request, Response

Generate = Callable[[list[Request]], list[Response]]


class Ahead:
    """Draws samples in a thread of its own, which does not outlive the context.

    The thread talks to the engines alone: roles are called from one thread, so that all their ranks see the calls in
    one order.
    """

    def __init__(self, generate: Generate, abandon: Callable[[], None]) -> None:
        """``abandon`` makes ``generate`` end early, in whatever way."""
        self._generate, self._abandon = generate, abandon
        self._thread = ThreadPoolExecutor(1)
        self._drawing: Future[list[Response]] | None = None

    def begin(self, requests: list[Request]) -> Future[list[Response]]:
        self._drawing = self._thread.submit(self._generate, requests)
        return self._drawing

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawing and not self._drawing.done():
            self._abandon()  # the run ends early: else it would wait for samples that nobody learns from
        self._thread.shutdown()
