"""A real HTTP server in this process that speaks OpenAI's protocol, well or badly, as a test tells it to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rewardranker.generation.endpoint import EndpointConfig
from rewardranker.problems.types import Problem, Test

Json = dict[str, Any]


@dataclass
class Reply:
    """``body`` is sent as JSON, bytes as they are; ``hang`` keeps the client waiting until the server stops."""

    body: Json | bytes = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


#: What a server does with the body of its ``number``-th request, counted from 0.
Behaviour = Callable[[Json, int], Reply]


class EndpointServer:
    """Serves ``behaviour``; keeps the paths, headers and bodies of all requests in order."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.bodies: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.most_at_once = 0
        self._at_once, self._lock, self._stopped = 0, threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> EndpointServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: Json) -> Reply:
        with self._lock:
            number = len(self.bodies)
            self.bodies.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply = self.behaviour(body, number)
            if reply.hang:
                self._stopped.wait()
            return reply
        finally:
            with self._lock:
                self._at_once -= 1

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = server.answer(self.path, dict(self.headers), body)
                if reply.hang:
                    self.close_connection = True
                    return
                content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler


class FakeClock:
    """Time that passes only while somebody sleeps; it never goes back."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)


def choices(body: Json, count: int | None = None, **changes: Any) -> Json:
    """A good answer to a request: texts tell prompt and seed, two tokens each with log-probabilities."""
    chat = "messages" in body
    prompt = body["messages"][-1]["content"] if chat else body["prompt"]
    found = []
    for index in range(body.get("n", 1) if count is None else count):
        text = f"    return {body['seed'] % 1000 + index}  # {prompt}\n"
        choice: Json = {"index": index, "finish_reason": "stop"}
        choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        if body.get("logprobs"):
            tokens = [{"token": "x", "logprob": -0.25}, {"token": "y", "logprob": -1.5 - index}]
            legacy = {"tokens": ["x", "y"], "token_logprobs": [t["logprob"] for t in tokens]}
            choice["logprobs"] = {"content": tokens} if chat else legacy
        found.append(choice | changes)
    usage = {"prompt_tokens": 10, "completion_tokens": 2 * len(found)}
    return {"id": "a", "model": "served-1", "choices": found, "usage": usage}


def well(body: Json, number: int) -> Reply:
    return Reply(choices(body))


def problems(count: int = 2, **changes: Any) -> list[Problem]:
    return [
        Problem(
            **{
                **{"id": f"p/{i}", "source": "test", "language": "python", "prompt": f"task {i}", "entry_point": "f"},
                **{"style": "function", "tests": (Test("[1]", "1"),), "split": "test", "group_id": f"p/{i}"},
                **{"licence": "", "revision": "1", "prefix": "def f(x):\n"},
                **changes,
            }
        )
        for i in range(count)
    ]


def config(url: str, **changes: Any) -> EndpointConfig:
    settings = {"model": "m", "concurrency": 2, "timeout_s": 20.0, "max_retries": 2, **changes}
    return EndpointConfig(base_url=url, **settings)
