"""Talking to a SandboxFusion server (github.com/bytedance/SandboxFusion, ``sandbox/server/sandbox_api.py``)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import httpx

from rewardranker.errors import UserError
from rewardranker.http import http_client, through
from rewardranker.judge.remote.script import Request
from rewardranker.judge.sandbox.process import SandboxDied

_CONNECT_S, _SEND_S = 10.0, 60.0
#: For the driver's own work, and then for the server's, on top of the command's wall-clock limit.
_DRIVER_S, _SERVER_S = 30.0, 30.0


class SandboxFusion:
    """One server. May be shared by threads."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet.

        Args:
            url: without ``/run_code``; may hold ``user:password@``.

        Raises:
            UserError: it is no such address, or a proxy before it cannot be used.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise UserError(f"the address of the remote sandbox {url!r} is none: {error}") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise UserError(
                f"the address of the remote sandbox has to be http://HOST:PORT or https://HOST, not {url!r}"
            )
        #: For messages: without the password.
        self.name = str(parsed.copy_with(userinfo=b""))
        self._client = http_client(httpx.Client, str(parsed), base_url=parsed)

    def run(self, request: Request) -> dict[str, bytes]:
        """The files that the program left of those asked for.

        Raises:
            SandboxDied: whatever else happened; it says nothing about the program.
        """
        run_timeout = request.wall_s + _DRIVER_S
        body = {
            "language": "bash",
            "code": request.code,
            "files": {name: base64.b64encode(content).decode() for name, content in request.files.items()},
            "fetch_files": request.fetch,
            "run_timeout": run_timeout,
        }
        timeout = httpx.Timeout(_SEND_S, connect=_CONNECT_S, read=run_timeout + _SERVER_S, pool=None)
        try:
            response = self._client.post("run_code", json=body, timeout=timeout)
        except httpx.HTTPError as error:
            place = f"{self.name}{through(self.name)}"
            raise SandboxDied(f"{place} did not answer: {type(error).__name__} {error}") from None
        if response.status_code != httpx.codes.OK:
            raise SandboxDied(f"{self.name} answered {response.status_code}: {response.text[:200]}")
        try:
            return _files(response.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SandboxDied(f"{self.name} does not answer as SandboxFusion does: {error!r}"[:300]) from None
        except _Failed as error:
            raise SandboxDied(f"{self.name}: {error}") from None


class _Failed(Exception):
    """The server says that it could not run the program, or the program that it could not do its work."""


def _files(answer: dict[str, Any]) -> dict[str, bytes]:
    if answer["status"] == "SandboxError":
        raise _Failed(str(answer["message"])[-300:])
    run = answer["run_result"]
    if run["status"] != "Finished":
        raise _Failed(f"the run ended as {run['status']}")
    if run["return_code"]:
        raise _Failed(str(run["stderr"]).strip()[-300:] or f"exit status {run['return_code']}")
    try:
        return {name: base64.b64decode(content, validate=True) for name, content in answer["files"].items()}
    except binascii.Error as error:
        raise ValueError(error) from None
