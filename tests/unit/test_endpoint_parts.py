"""The endpoint's settings, and its pace by a clock that is not one."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from endpoint_server import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from rewardranker.config.endpoint import api_key, check_endpoint
from rewardranker.errors import UserError
from rewardranker.generation.endpoint import EndpointConfig
from rewardranker.generation.endpoint.pace import Pace, backoff, retry_after
from rewardranker.generation.endpoint.wire import error_of


def good(**changes: Any) -> EndpointConfig:
    return EndpointConfig(**{"base_url": "http://localhost:8000/v1", "model": "m", **changes})


def test_good_settings() -> None:
    check_endpoint(good())
    check_endpoint(
        good(base_url="https://api.example.com/v1/", api_key_env="OPENAI_API_KEY", temperature=0.0, top_k=-1)
    )
    again = OmegaConf.to_object(OmegaConf.structured(good(extra={"seed": None, "a": {"b": 1}}, stop=["x"])))
    assert again == good(extra={"seed": None, "a": {"b": 1}}, stop=["x"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_url": ""}, r"here.base_url='': must be an address like http://localhost:8000/v1"),
        ({"base_url": "localhost:8000/v1"}, "must be an address"),
        ({"base_url": "http://host:port/v1"}, "must be an address"),
        ({"base_url": "http://u:secret@h/v1"}, "must end with its path and hold no user, password or query"),
        ({"base_url": "http://h/v1?key=secret"}, "must end with its path"),
        ({"base_url": "http://h/v1/chat/completions"}, "leave out /completions, here.style chooses it"),
        ({"model": ""}, "here.model is empty"),
        ({"style": "responses"}, "here.style='responses': must be one of chat, completions"),
        ({"style": "completions", "system": "x"}, "only here.style=chat has a system message"),
        ({"api_key_env": "sk-secret"}, "here.api_key_env must be the name of an environment variable"),
        ({"api_key_env": "gsk_Secret1"}, "here.api_key_env must be the name"),
        ({"temperature": -0.1}, "here.temperature=-0.1: must be at least 0"),
        ({"temperature": float("nan")}, "here.temperature=nan"),
        ({"top_p": 0.0}, "here.top_p=0.0"),
        ({"top_p": 1.5}, "here.top_p=1.5"),
        ({"top_k": -2}, "here.top_k=-2: must be at least -1"),
        ({"max_new_tokens": 0}, "here.max_new_tokens=0: must be at least 1"),
        ({"concurrency": 0}, "here.concurrency=0: must be at least 1"),
        ({"timeout_s": 0.0}, "here.timeout_s=0.0: must be greater than 0"),
        ({"max_retries": -1}, "here.max_retries=-1"),
        ({"prompt_price": -1.0}, "here.prompt_price=-1.0"),
        ({"stop": list("abcde")}, "here.stop has 5 strings: servers take at most 4"),
        ({"extra": {"n": 3, "stream": True}}, "here.extra sets n, stream, which the sampler sets itself"),
    ],
)
def test_bad_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        check_endpoint(good(**changes), "here")
    assert "ecret" not in str(error.value)


@pytest.mark.parametrize("value", ["", "  ", "two words", "bad\nkey", "schlüssel"])
def test_keys_that_are_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(UserError, match="TEST_KEY") as error:
        api_key(good(api_key_env="TEST_KEY"))
    assert not value.strip() or value not in str(error.value)
    assert api_key(good()) == ""


@settings(max_examples=60, deadline=None)
@given(
    requests=st.integers(0, 5),
    tokens=st.integers(0, 100),
    asked=st.lists(st.tuples(st.floats(0, 40), st.integers(0, 130)), max_size=30),
)
def test_no_minute_holds_more_than_allowed(requests: int, tokens: int, asked: list[tuple[float, int]]) -> None:
    """Against brute force over every window that begins at a turn; a turn larger than the limit goes alone. And no
    turn waits without need: just before it went, its window was full."""
    clock = FakeClock()
    pace = Pace(requests, tokens, clock)
    went: list[tuple[float, int, bool]] = []

    async def go() -> None:
        for pause, size in asked:
            await clock.sleep(pause)
            before = clock.now()
            turn = await pace.turn(size)
            went.append((turn.at, size, turn.at > before))

    asyncio.run(go())
    for i, (start, _, _) in enumerate(went):
        window = [size for at, size, _ in went[i:] if at - start < 60 - 1e-6]
        assert not requests or len(window) <= requests
        assert not tokens or sum(window) <= tokens or len(window) == 1
    for i, (at, size, waited) in enumerate(went):
        if waited:
            recent = [s for t, s, _ in went[:i] if at - t < 60 + 2e-3]
            assert (requests and len(recent) >= requests) or (tokens and recent and sum(recent) + size > tokens)


def test_an_answer_corrects_what_its_turn_counts_for() -> None:
    """100 tokens a minute, two turns of 90: the second waits a minute; where the first took only 5, not at all."""
    for used, waits in ((90, 60.0), (5, 0.0)):
        clock = FakeClock()
        pace = Pace(0, 100, clock)

        async def go(pace: Pace = pace, used: int = used) -> None:
            (await pace.turn(90)).tokens = used
            await pace.turn(90)

        asyncio.run(go())
        assert clock.now() - 1000.0 == pytest.approx(waits)


def test_a_hold_is_for_everybody_until_it_ends() -> None:
    clock = FakeClock()
    pace = Pace(0, 0, clock)

    async def go() -> list[float]:
        pace.hold(30.0)
        pace.hold(10.0)
        turns = await asyncio.gather(*(pace.turn(1) for _ in range(3)))
        return [turn.at for turn in turns]

    assert asyncio.run(go()) == [1030.0] * 3


def test_waits_double_up_to_a_minute_and_differ() -> None:
    rng = random.Random(0)
    for attempt, longest in enumerate([1, 2, 4, 8, 16, 32, 60, 60]):
        waits = [backoff(attempt, rng) for _ in range(200)]
        assert longest / 2 <= min(waits) < 0.6 * longest and 0.9 * longest < max(waits) <= longest


def test_retry_after_is_seconds_milliseconds_or_a_date() -> None:
    assert retry_after({"retry-after": "7"}) == 7.0 and retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "7", "retry-after-ms": "250"}) == 0.25
    assert retry_after({}) is None and retry_after({"retry-after": "soon"}) is None
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": date}) == pytest.approx(90, abs=2)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"error": {"message": "a\\n b", "code": "c", "type": "t"}}', ("a b", "c")),
        (b'{"error": {"message": "a", "code": null, "type": "t"}}', ("a", "t")),
        (b'{"error": "plain"}', ("plain", "")),
        (b'{"message": "older vLLM", "code": 400}', ("older vLLM", "400")),
        (b'{"detail": [{"loc": ["body", "n"], "msg": "bad"}]}', ('[{"loc": ["body", "n"], "msg": "bad"}]', "")),
        (b"Bad\nGateway", ("Bad Gateway", "")),
        (b"", ("", "")),
        (b"x" * 1000, ("x" * 300 + "\u2026", "")),
    ],
)
def test_messages_of_refusals(content: bytes, found: tuple[str, str]) -> None:
    assert error_of(content) == found
