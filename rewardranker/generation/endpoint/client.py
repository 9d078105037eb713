"""One question to a server, asked again for as long as it is worth it."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from types import TracebackType

import httpx

from rewardranker.config.endpoint import EndpointConfig
from rewardranker.generation.endpoint.pace import Clock, Pace, backoff, retry_after
from rewardranker.generation.endpoint.wire import Answer, Json, Malformed, error_of, parse_answer
from rewardranker.http import http_client, through

#: Passing by nature, beside all of 5xx: the request took too long to arrive, and too many requests.
_PASSING = (408, 429)
#: True of every request alike: no or a wrong key, nothing left to pay with, no such path or model or method.
_FOR_ALL = (401, 402, 404, 405)
#: Codes under 429 that no waiting helps against.
_EXHAUSTED = ("insufficient_quota", "billing_hard_limit_reached", "credit_balance_exhausted")


class Failed(Exception):
    """A request that was not answered. ``reason`` is one of few, to be counted; ``detail`` is this one's own."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Refused(Failed):
    """The server will not answer this request, however often it is asked."""


class Halted(Failed):
    """The server will answer no request of this run."""


class _Passing(Failed):
    """Worth another try, after ``wait`` seconds where the server says so."""

    def __init__(self, reason: str, detail: str, wait: float | None = None) -> None:
        super().__init__(reason, detail)
        self.wait = wait


class Client:
    """Asks within the limits per minute, and again after passing errors. Messages never hold the key.

    Attributes:
        sent: requests, tries included.
        retried: passing errors by reason.
    """

    def __init__(self, config: EndpointConfig, key: str, clock: Clock) -> None:
        self.sent = 0
        self.retried: Counter[str] = Counter()
        self._config, self._key, self._clock, self._closed = config, key, clock, False
        self._pace = Pace(config.requests_per_minute, config.tokens_per_minute, clock)
        self._rng = random.Random()  # of waits, which are no part of any result
        path = "chat/completions" if config.style == "chat" else "completions"
        self._url = f"{config.base_url.rstrip('/')}/{path}"
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        limits = httpx.Limits(max_connections=config.concurrency)
        # The time limit is asyncio's: httpx has one for each read, which a server that trickles never meets.
        self._http = http_client(httpx.AsyncClient, config.base_url, headers=headers, timeout=None, limits=limits)

    async def __aenter__(self) -> Client:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def ask(self, body: Json, tokens: int) -> Answer:
        """The answer to one request, which may take up to so many tokens.

        Raises:
            Refused: the server turned this request down (4xx).
            Halted: it turns all down, or asks for a wait longer than ``max_wait_s``.
            Failed: no answer after ``max_retries`` more tries.
        """
        content, attempt = json.dumps(body).encode(), 0
        while True:
            turn = await self._pace.turn(tokens)
            if self._closed:
                raise Failed("not asked", "the run had ended")
            try:
                answer = await self._once(content)
                break
            except _Passing as error:
                self.retried[error.reason] += 1
                if attempt == self._config.max_retries:
                    raise Failed(error.reason, f"{error.detail} (tries: {attempt + 1})") from error
                await self._wait(error, attempt)
            attempt += 1
        if answer.prompt_tokens is not None and answer.completion_tokens is not None:
            turn.tokens = answer.prompt_tokens + answer.completion_tokens
        return answer

    def close(self) -> None:
        """No request is sent any more; those on their way are still answered."""
        self._closed = True
        self._pace.close()

    async def _wait(self, error: _Passing, attempt: int) -> None:
        if error.wait is not None:
            self._pace.hold(error.wait)  # for all: the limit is the account's, not this request's
        # After the server's own time they come back one by one, not all at once.
        await self._clock.sleep((error.wait or 0.0) + backoff(attempt, self._rng))

    async def _once(self, content: bytes) -> Answer:
        self.sent += 1
        try:
            async with asyncio.timeout(self._config.timeout_s):
                response = await self._http.post(self._url, content=content)
        except TimeoutError as error:
            raise _Passing("timeout", f"no answer within {self._config.timeout_s:g} s") from error
        except httpx.RequestError as error:
            detail = self._clean(f"{type(error).__name__} {error}".strip())
            place = f"{self._config.base_url}{through(self._config.base_url)}"
            raise _Passing("connection", f"{place}: {detail}") from error
        if not response.is_success:
            raise self._error(response)
        try:
            return parse_answer(response.content, self._config.style)
        except Malformed as error:
            raise _Passing("malformed answer", self._clean(str(error))) from error

    def _error(self, response: httpx.Response) -> Failed:
        status = response.status_code
        reason = f"HTTP {status}"
        message, code = error_of(response.content)
        detail = self._clean(message) or response.reason_phrase
        if response.is_redirect:
            return Halted(
                reason, f"{self._url} has moved to {response.headers.get('location', '?')}: set base_url to it"
            )
        if status in _FOR_ALL or code in _EXHAUSTED:
            return Halted(reason, detail)
        if status in _PASSING or status >= 500:
            wait = retry_after(response.headers)
            if wait is not None and wait > self._config.max_wait_s:
                asks = f"the server asks to wait {wait:,.0f} s, more than max_wait_s={self._config.max_wait_s:g}"
                return Halted(reason, f"{asks}; {detail}")
            return _Passing(reason, detail, wait)
        return Refused(reason, detail)

    def _clean(self, text: str) -> str:
        """Servers repeat what they were sent, and it ends up in messages."""
        return text.replace(self._key, "[key]") if self._key else text
