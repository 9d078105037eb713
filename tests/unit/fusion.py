"""A small server with SandboxFusion's contract: ``POST /run_code`` runs bash in a temporary directory, really.

What it does and how it answers follows ``sandbox/server/sandbox_api.py`` and ``sandbox/runners/base.py`` of
github.com/bytedance/SandboxFusion with ``isolation: none``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rewardranker.judge.remote.machine import machine

_MAX_PRINTED = 1 << 20


class Fusion:
    """A running server, what it was sent, and what it is to do wrong.

    Attributes:
        faults: one is taken for each request while there are any, see :meth:`_Handler.do_POST`.
        requests: bodies, in order.
        largest: bytes of the largest answer.
        environment: of what it runs.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.largest = 0
        self.environment = dict(os.environ)
        self.url = ""

    def sent(self) -> bytes:
        """All that has arrived, files included."""
        parts = [request["code"].encode() for request in self.requests]
        parts += [base64.b64decode(file) for request in self.requests for file in request["files"].values()]
        return b"\n".join(parts)

    def run_code(self, request: dict[str, Any]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            script = Path(place, "script.sh")
            script.write_text(request["code"])
            script.chmod(0o600)
            for name, content in request["files"].items():
                path = Path(place, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(base64.b64decode(content))
            result = self._run(["/bin/bash", str(script)], place, request["run_timeout"])
            paths = {name: Path(place, name) for name in request["fetch_files"]}
            files = {n: base64.b64encode(path.read_bytes()).decode() for n, path in paths.items() if path.is_file()}
        success = result["status"] == "Finished" and result["return_code"] == 0
        status = "Success" if success else "Failed"
        return {"status": status, "message": "", "compile_result": None, "run_result": result, "files": files}

    def _run(self, command: list[str], place: str, timeout: float) -> dict[str, Any]:
        """Like the real one, waits for the end before it reads: who prints more than a pipe holds never ends."""
        with subprocess.Popen(
            command,
            cwd=place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                return {"status": "TimeLimitExceeded", "return_code": None, "stdout": "", "stderr": ""}
            printed = [os.read(pipe.fileno(), _MAX_PRINTED) for pipe in (process.stdout, process.stderr) if pipe]
        out, err = (text.decode(errors="replace") for text in printed)
        return {"status": "Finished", "execution_time": 0.0, "return_code": code, "stdout": out, "stderr": err}


class _Handler(BaseHTTPRequestHandler):
    fusion: Fusion

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/run_code" or request["language"] != "bash":
            return self._answer(404, b'{"detail": "Not Found"}')
        self.fusion.requests.append(request)
        fault = self.fusion.faults.pop(0) if self.fusion.faults else ""
        match fault:
            case "":
                self._answer(200, json.dumps(self.fusion.run_code(request)).encode())
            case "hang up":
                self.close_connection = True
            case "503":
                self._answer(503, b"upstream connect error")
            case "garbage":
                self._answer(200, b"<html>")
            case "another form":
                self._answer(200, b'{"status": "Success"}')
            case "no base64":
                answer = self.fusion.run_code(request)
                self._answer(200, json.dumps(answer | {"files": {"out/status": "?!"}}).encode())
            case "nothing fetched":
                self._answer(200, json.dumps(self.fusion.run_code(request) | {"files": {}}).encode())
            case "SandboxError":
                self._answer(200, b'{"status": "SandboxError", "message": "no space left", "files": {}}')
            case "no time":
                late = request | {"run_timeout": 0.01}
                self._answer(200, json.dumps(self.fusion.run_code(late)).encode())
            case _:
                raise ValueError(fault)

    def _answer(self, status: int, body: bytes) -> None:
        self.fusion.largest = max(self.fusion.largest, len(body))
        with suppress(BrokenPipeError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Fusion]:
    """A server on a port of its own, until the end."""
    fusion = Fusion()
    handler = type("Handler", (_Handler,), {"fusion": fusion})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    fusion.url = f"http://127.0.0.1:{server.server_address[1]}"
    machine.cache_clear()  # an earlier server may have had the same port
    try:
        yield fusion
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
