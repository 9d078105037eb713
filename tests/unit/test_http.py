"""Proxies of the environment: loopback is reached in spite of any, and what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from endpoint_server import EndpointServer, FakeClock, config, problems, well
from fusion import serving

from rewardranker.errors import UserError
from rewardranker.generation.endpoint import sample_endpoint
from rewardranker.http import http_client, is_loopback, through
from rewardranker.judge.remote.http import SandboxFusion
from rewardranker.runs.console import Console

UNUSABLE = [
    ("ALL_PROXY", "socks5://127.0.0.1:9"),
    ("all_proxy", "socks5h://user:secret@proxy:1080"),
    ("HTTP_PROXY", "ftp://proxy:21"),
    ("http_proxy", "http://[::1"),
    ("HTTPS_PROXY", "quic://proxy"),
    ("NO_PROXY", "[::1"),
]
DEAD = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(("variable", "value"), UNUSABLE)
def test_a_proxy_that_cannot_be_used_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    if variable.lower() == "no_proxy":
        monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")  # alone, it says nothing
    with pytest.raises(UserError, match=rf"http://elsewhere:1 .*{variable}=.*cannot be used: .*NO_PROXY") as caught:
        http_client(httpx.Client, "http://elsewhere:1")
    assert "secret" not in str(caught.value)
    http_client(httpx.Client, "http://localhost:1").close()


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:9", DEAD])
def test_servers_on_this_machine_are_reached_whatever_the_environment_says(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, value)
    with EndpointServer(well) as server:
        pool, report = sample_endpoint(
            config(server.url), problems(1), 2, tmp_path / "j", Console(), clock=FakeClock()
        )
    assert len(pool) == 2 and not report.missing
    with serving() as fusion:
        SandboxFusion(fusion.url)


def test_a_dead_proxy_is_named_where_a_server_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    asked = config("http://elsewhere.invalid/v1", max_retries=0)
    with pytest.raises(UserError, match=rf"through the proxy {DEAD} of the environment"):
        sample_endpoint(asked, problems(1), 2, tmp_path / "j", Console(), clock=FakeClock())


def test_which_hosts_are_this_machine() -> None:
    here = ["localhost", "api.localhost", "127.0.0.1", "127.8.9.1", "::1"]
    elsewhere = ["localhost.example.org", "10.0.0.1", "example.org", "127.0.0.1.example.org", ""]
    assert [is_loopback(host) for host in here + elsewhere] == [True] * len(here) + [False] * len(elsewhere)


def test_what_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert through("http://elsewhere") == ""
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@proxy:1")
    monkeypatch.setenv("NO_PROXY", "near")
    assert "http://...@proxy:1" in through("http://elsewhere")
    assert [through(f"http://{host}") for host in ("near", "127.0.0.1")] == ["", ""]
    assert through("https://elsewhere") == ""  # another scheme
