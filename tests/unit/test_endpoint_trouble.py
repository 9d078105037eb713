"""Servers that misbehave: what is tried again, what is not, what a server does not know, when to leave it alone."""

from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path

import pytest
from endpoint_server import EndpointServer, FakeClock, Json, Reply, choices, config, problems, well

from rewardranker.errors import UserError
from rewardranker.generation.endpoint import EndpointReport, sample_endpoint
from rewardranker.problems.types import Candidate
from rewardranker.runs.console import Console

Result = tuple[list[Candidate], EndpointReport]


class Asking:
    def __init__(self, server: EndpointServer, folder: Path) -> None:
        self.server, self.journal, self.clock = server, folder / "journal.jsonl", FakeClock()

    def __call__(self, n: int = 2, count: int = 1, **changes: object) -> Result:
        settings = config(self.server.url, **{"concurrency": 1, **changes})
        return sample_endpoint(settings, problems(count), n, self.journal, Console(), clock=self.clock)


def refusal(status: int, message: str = "no", **headers: str) -> Reply:
    return Reply({"error": {"message": message, "code": None}}, status, headers)


PASSING = [
    (refusal(500), "HTTP 500"),
    (refusal(502), "HTTP 502"),
    (refusal(429), "HTTP 429"),
    (refusal(408), "HTTP 408"),
    (Reply(b'{"choices": [{"mess'), "malformed answer"),
    (Reply(b"\xff\xfe"), "malformed answer"),
    (Reply({"choices": []}), "malformed answer"),
    (Reply({"error": {"message": "upstream is away"}}), "malformed answer"),
    (Reply({"choices": [{"index": 0, "finish_reason": "stop"}]}), "malformed answer"),
    (Reply({"choices": [{"message": {"content": 3}}]}), "malformed answer"),
    (Reply(b"[]"), "malformed answer"),
    (Reply(b"{}", headers={"Content-Encoding": "gzip"}), "connection"),
    (Reply(hang=True), "timeout"),
]


@pytest.mark.parametrize(("reply", "reason"), PASSING, ids=[f"{i}-{r}" for i, (_, r) in enumerate(PASSING)])
def test_passing_errors_are_tried_again(reply: Reply, reason: str, tmp_path: Path) -> None:
    """Waits are 1 s, then 2 s, each less up to its half."""
    with EndpointServer(lambda body, number: reply if number < 2 else well(body, number)) as server:
        ask = Asking(server, tmp_path)
        candidates, report = ask(timeout_s=0.5)
        assert len(candidates) == 2 and report.complete and report.retried == {reason: 2}
        first, second = ask.clock.slept
        assert 0.5 <= first <= 1.0 <= second <= 2.0
        assert server.bodies[0] == server.bodies[1] == server.bodies[2] and len(server.bodies) == 3


def test_tries_end(tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: refusal(500, "always")) as server:
        with pytest.raises(UserError, match=r"gave no candidate at all: 2 HTTP 500: always \(tries: 4\)"):
            Asking(server, tmp_path)(max_retries=3)
        assert len(server.bodies) == 4


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(UserError, match=f"{url} gave no candidate at all: 2 connection: {url}: ConnectError"):
            sample_endpoint(config(url), problems(1), 2, tmp_path / "j", Console(), clock=FakeClock())


@pytest.mark.parametrize("headers", [{"Retry-After": "40"}, {"retry-after-ms": "40000", "Retry-After": "x"}])
def test_what_the_server_asks_to_wait_is_waited(headers: dict[str, str], tmp_path: Path) -> None:
    times: list[float] = []

    def behave(body: Json, number: int) -> Reply:
        times.append(ask.clock.now())
        return refusal(429, **headers) if number == 0 else well(body, number)

    with EndpointServer(behave) as server:
        ask = Asking(server, tmp_path)
        _, report = ask(count=4)
    assert report.complete and times[0] == 1000.0 and min(times[1:]) >= 1040.0 and max(times) < 1050.0


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refusal(401, "wrong key"), "HTTP 401: wrong key"),
        (refusal(402, "pay first"), "HTTP 402: pay first"),
        (refusal(404, "no model m"), "HTTP 404: no model m"),
        (Reply(b"<html>nginx</html>", 405), "HTTP 405: <html>nginx</html>"),
        (Reply(b"", 301, {"Location": "https://elsewhere/v1"}), "has moved to https://elsewhere/v1: set base_url"),
        (refusal(429, "later", **{"Retry-After": "86400"}), "asks to wait 86,400 s, more than max_wait_s=120; later"),
        (Reply({"error": {"message": "all spent", "code": "insufficient_quota"}}, 429), "HTTP 429: all spent"),
    ],
)
def test_what_holds_for_all_requests_ends_the_run_at_once(reply: Reply, message: str, tmp_path: Path) -> None:
    """The first of ten problems was answered; the second's refusal is the last request."""
    with EndpointServer(lambda body, number: reply if number else well(body, number)) as server:
        ask = Asking(server, tmp_path)
        candidates, report = ask(count=10)
    assert message in report.stopped and len(server.bodies) == 2 and len(candidates) == 2 and ask.clock.slept == []
    assert report.reasons == {f"HTTP {reply.status}": 2, "not asked": 16} and len(report.missing) == 9


def test_a_refused_request_is_not_asked_again_and_hinders_no_other(tmp_path: Path) -> None:
    def behave(body: Json, number: int) -> Reply:
        too_long = body["messages"][0]["content"] == "task 1"
        return refusal(400, "prompt too long") if too_long else well(body, number)

    with EndpointServer(behave) as server:
        candidates, report = Asking(server, tmp_path)(count=3)
    assert len(candidates) == 4 and report.missing == {"p/1": 2} and report.reasons == {"HTTP 400": 2}
    assert len(server.bodies) == 3 and not report.stopped and not report.retried


def test_a_server_that_keeps_failing_is_left_alone(tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: refusal(500) if number else well(body, number)) as server:
        candidates, report = Asking(server, tmp_path)(count=50, max_retries=0, give_up_after=5)
    assert len(server.bodies) == 6 and len(candidates) == 2 and report.reasons == {"HTTP 500": 10, "not asked": 88}
    assert report.stopped.startswith("5 requests in a row failed (give_up_after), the last by HTTP 500: no")


@pytest.mark.parametrize("message", ["n must be 1", "The deployment doesn't support multiple choices", ""])
def test_a_server_that_rejects_n(message: str, tmp_path: Path) -> None:
    """Of 2 problems with 3 samples: one refusal, one probe, then five requests for a sample each."""
    with EndpointServer(lambda b, number: refusal(422, message) if "n" in b else well(b, number)) as server:
        candidates, report = Asking(server, tmp_path)(n=3, count=2)
    assert len(candidates) == 6 and len({c.seed for c in candidates}) == 6
    assert [body.get("n", 1) for body in server.bodies] == [3, 1, 1, 1, 1, 1, 1]
    assert report.adapted == ["the server gives one sample a request, so each has its own"]
    assert sorted(c.seed for c in candidates) == sorted(body["seed"] for body in server.bodies[1:])


def test_a_server_that_ignores_n(tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: Reply(choices(body, count=1))) as server:
        candidates, report = Asking(server, tmp_path)(n=3, count=2)
    assert len(candidates) == 6 and len({c.text for c in candidates}) == 6
    assert [body.get("n", 1) for body in server.bodies] == [3, 1, 1, 1, 1, 1] and len(report.adapted) == 1


def test_too_few_choices_are_completed(tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: Reply(choices(body, count=2 if number == 0 else None))) as server:
        candidates, report = Asking(server, tmp_path)(n=5)
    assert len(candidates) == 5 and [body["n"] for body in server.bodies] == [5, 3] and not report.adapted


def test_choices_that_came_unasked_are_kept_in_the_journal_alone(tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: Reply(choices(body, count=4))) as server:
        ask = Asking(server, tmp_path)
        candidates, report = ask(n=2)
        assert len(candidates) == 2 and report.sampled == 2 and len(server.bodies) == 1
        assert ask.journal.read_text().count('"finish_reason"') == 4
        again, report = ask(n=3)  # a third has a seed of its own
        assert again[:2] == candidates and report.sampled == 1 and len(server.bodies) == 2


def test_a_server_that_refuses_log_probabilities(tmp_path: Path) -> None:
    def behave(body: Json, number: int) -> Reply:
        return refusal(400, "`logprobs` is not supported") if "logprobs" in body else well(body, number)

    with EndpointServer(behave) as server:
        candidates, report = Asking(server, tmp_path)(n=2, count=3)
    assert len(candidates) == 6 and all(c.logprobs == [] for c in candidates) and report.without_logprobs == 6
    assert len(server.bodies) == 4 and report.adapted == [
        "the server refuses to give log-probabilities, so none were asked for"
    ]


def test_a_server_that_refuses_both(tmp_path: Path) -> None:
    def behave(body: Json, number: int) -> Reply:
        if "logprobs" in body:
            return refusal(400, "unknown field logprobs")
        return refusal(400, "only one choice") if "n" in body else well(body, number)

    with EndpointServer(behave) as server:
        candidates, report = Asking(server, tmp_path)(n=3, count=2)
    assert len(candidates) == 6 and len(report.adapted) == 2 and len(server.bodies) == 2 + 6


@pytest.mark.parametrize(
    "given",
    [None, {}, {"content": None}, {"content": [{"token": "x"}]}, {"content": [{"logprob": "low"}]}, {"content": [3]}],
)
def test_a_server_without_log_probabilities(given: object, tmp_path: Path) -> None:
    with EndpointServer(lambda body, number: Reply(choices(body, logprobs=given))) as server:
        candidates, report = Asking(server, tmp_path)()
    assert [c.logprobs for c in candidates] == [[], []] and report.without_logprobs == 2 and report.complete
    assert "2 samples came without log-probabilities" in report.warnings()


def test_log_probabilities_that_are_no_numbers_do_not_count(tmp_path: Path) -> None:
    nan = {"content": [{"logprob": float("nan")}, {"logprob": -1.0}]}
    with EndpointServer(lambda body, number: Reply(choices(body, logprobs=nan))) as server:
        candidates, report = Asking(server, tmp_path)()
    assert [c.logprobs for c in candidates] == [[], []] and report.without_logprobs == 2


def test_finish_reasons(tmp_path: Path) -> None:
    names = ["stop", "eos_token", "end_turn", "length", "max_tokens", "content_filter", None]

    def behave(body: Json, number: int) -> Reply:
        answer = choices(body)
        for choice, name in zip(answer["choices"], names, strict=True):
            choice["finish_reason"] = name
        answer["choices"][5]["message"]["content"] = None
        return Reply({**answer, "choices": answer["choices"][::-1]})  # in another order than their index

    with EndpointServer(behave) as server:
        candidates, report = Asking(server, tmp_path)(n=7)
    assert [c.finish_reason for c in candidates] == ["stop"] * 3 + ["length"] * 4
    assert report.unusual == Counter({"content_filter": 1, "": 1}) and report.empty == 1 and candidates[5].text == ""


def test_half_of_a_surrogate_pair_becomes_text_that_a_file_can_hold(tmp_path: Path) -> None:
    message = (
        b'{"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "a\\ud83d b\\ud83d\\ude00"}}]}'
    )
    with EndpointServer(lambda body, number: Reply(message)) as server:
        ((candidate,), _) = Asking(server, tmp_path)(n=1)
    assert candidate.text == "a\ufffd b\U0001f600"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_more_requests_at_once_than_allowed(concurrency: int, tmp_path: Path) -> None:
    with EndpointServer(well) as server:
        Asking(server, tmp_path)(count=30, concurrency=concurrency)
    assert 1 <= server.most_at_once <= concurrency and len(server.bodies) == 30


def test_limits_per_minute_hold_over_the_whole_run(tmp_path: Path) -> None:
    """25 requests at 10 a minute, by the fake clock: no minute holds more than 10, and the last ones go after two
    full minutes, not later."""
    times: list[float] = []

    def behave(body: Json, number: int) -> Reply:
        times.append(ask.clock.now())
        return well(body, number)

    with EndpointServer(behave) as server:
        ask = Asking(server, tmp_path)
        ask(count=25, concurrency=1, requests_per_minute=10)  # of several, a jump would overtake those on their way
    assert len(times) == 25 and max(sum(t <= u < t + 60 for u in times) for t in times) == 10
    assert 120 <= times[-1] - times[0] < 125
