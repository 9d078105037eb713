"""Sampling from an endpoint, over real HTTP: what comes back, what is kept, and how little is asked for twice."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from endpoint_server import Behaviour, EndpointServer, FakeClock, Json, Reply, choices, config, problems, well

from rewardranker.errors import UserError
from rewardranker.generation.endpoint import EndpointReport, sample_endpoint
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import extract
from rewardranker.runs.console import Console
from rewardranker.runs.seeds import derive_seed

Result = tuple[list[Candidate], EndpointReport]


class Asking:
    """A server, a journal, and calls that go from one to the other in no time."""

    def __init__(self, server: EndpointServer, journal: Path) -> None:
        self.server, self.journal, self.clock = server, journal, FakeClock()

    def __call__(self, n: int = 2, count: int = 2, tasks: list[Problem] | None = None, **changes: Any) -> Result:
        asked = problems(count) if tasks is None else tasks
        settings = config(self.server.url, **changes)
        return sample_endpoint(settings, asked, n, self.journal, Console(), clock=self.clock)

    def records(self) -> list[Json]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()[1:]]


@pytest.fixture
def serving(tmp_path: Path) -> Any:
    @contextmanager
    def serve(behaviour: Behaviour = well) -> Iterator[Asking]:
        with EndpointServer(behaviour) as server:
            yield Asking(server, tmp_path / "journal.jsonl")

    return serve


def consistent(report: EndpointReport) -> bool:
    """Every wanted sample is there or missing, and every missing one has one reason."""
    lacking = sum(report.missing.values())
    return report.found + report.sampled + lacking == report.wanted and sum(report.reasons.values()) == lacking


def test_chat(serving: Any, tmp_path: Path) -> None:
    with serving() as ask:
        candidates, report = ask(n=3, system="Be brief.", stop=["\n\n\n"], top_k=50, token_ids=True)
    assert [c.problem_id for c in candidates] == ["p/0"] * 3 + ["p/1"] * 3
    first, second = (derive_seed(0, "generate", "m", "p/0", i) for i in (0, 1))
    body = next(body for body in ask.server.bodies if body["seed"] == first)
    assert body == {
        **{"model": "m", "temperature": 0.7, "top_p": 1.0, "top_k": 50, "max_tokens": 1024, "n": 3, "seed": first},
        **{"logprobs": True, "stop": ["\n\n\n"], "return_token_ids": True},
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "task 0"}],
    }
    assert set(ask.server.paths) == {"/v1/chat/completions"} and "Authorization" not in ask.server.headers[0]
    assert candidates[1] == Candidate(
        problem_id="p/0",
        language="python",
        text=f"    return {first % 1000 + 1}  # task 0\n",
        code=extract(problems()[0], candidates[1].text),
        source="gen:m",
        logprobs=[-0.25, -2.5],
        finish_reason="stop",
        seed=second,
    )
    assert candidates[1].code.startswith("def f(x):\n    return ")
    assert report.complete and consistent(report) and report.models == ["served-1"] and report.requests == 2
    write_pool(tmp_path / "pool.parquet", candidates)
    assert read_pool(tmp_path / "pool.parquet") == candidates


def test_completions_with_the_stop_tokens_of_the_problems(serving: Any) -> None:
    def behave(body: Json, number: int) -> Reply:
        return Reply(choices(body, finish_reason="length", token_ids=[5, 6]))

    tasks = problems(1, stop_tokens=("\nclass", "\ndef"))
    with serving(behave) as ask:
        ((candidate,), report) = ask(n=1, tasks=tasks, style="completions", stop=["\ndef", "###"])
    (body,) = ask.server.bodies
    assert body["prompt"] == "task 0" and body["logprobs"] == 1 and "n" not in body and "top_k" not in body
    assert body["stop"] == ["\ndef", "###", "\nclass"] and ask.server.paths == ["/v1/completions"]
    assert (candidate.logprobs, candidate.token_ids) == ([-0.25, -1.5], [5, 6])
    assert candidate.finish_reason == "length" and consistent(report)


def test_stops_that_a_request_has_no_room_for_cut_the_program(serving: Any) -> None:
    """HumanEval has five, OpenAI's protocol takes four."""
    tokens = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")

    def behave(body: Json, number: int) -> Reply:
        return Reply(choices(body, text="    return 1\nprint(f())\n"))

    tasks = problems(1, stop_tokens=tokens, prefix="def f():\n", prompt="def f():\n")
    with serving(behave) as ask:
        ((candidate,), _) = ask(n=1, tasks=tasks, style="completions")
    assert ask.server.bodies[0]["stop"] == list(tokens[:4])
    assert candidate.text.endswith("print(f())\n") and candidate.code == "def f():\n    return 1\n"


def test_other_prompts_or_stop_strings_need_another_journal(serving: Any) -> None:
    with serving() as ask:
        ask(n=1, style="completions")
        for changes in ({"prompt": "other"}, {"stop_tokens": ("\n#",)}):
            with pytest.raises(UserError, match="other prompts or stop strings than those of now, for p/0, p/1;"):
                ask(n=2, style="completions", tasks=problems(3, **changes))
        assert len(ask.server.bodies) == 2
        ask(n=1, style="completions", problem_stops=True, tasks=problems(2, licence="changed"))


def test_fields_can_be_added_replaced_and_removed(serving: Any) -> None:
    with serving() as ask:
        ask(n=1, count=1, extra={"max_tokens": None, "max_completion_tokens": 7, "temperature": 1, "min_p": 0.1})
    (body,) = ask.server.bodies
    assert "max_tokens" not in body
    assert (body["max_completion_tokens"], body["temperature"], body["min_p"]) == (7, 1, 0.1)


def test_one_request_for_each_sample_where_asked(serving: Any) -> None:
    with serving() as ask:
        candidates, _ = ask(n=3, count=1, samples_per_request=1)
    seeds = [derive_seed(0, "generate", "m", "p/0", i) for i in range(3)]
    assert sorted(body["seed"] for body in ask.server.bodies) == sorted(seeds)
    assert [c.text for c in candidates] == [f"    return {seed % 1000}  # task 0\n" for seed in seeds]


def test_a_second_call_asks_only_for_what_is_missing(serving: Any) -> None:
    with serving() as ask:
        first, _ = ask(n=2)
        again, report = ask(n=2)
        assert again == first and (report.found, report.sampled, report.requests) == (4, 0, 0)
        more, report = ask(n=5, count=3)
        assert (report.found, report.sampled) == (4, 11) and consistent(report)
        assert sorted(body.get("n", 1) for body in ask.server.bodies[2:]) == [3, 3, 5]
        assert [c for c in more if c in first] == first
        fewer, report = ask(n=1)
        assert [c.seed for c in fewer] == [c.seed for c in first[::2]] and report.wanted == report.found == 2


def test_what_is_all_there_needs_neither_server_nor_key(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "k")
    with serving() as ask:
        first, _ = ask(api_key_env="TEST_KEY")
    monkeypatch.delenv("TEST_KEY")
    assert ask(api_key_env="TEST_KEY")[0] == first
    with pytest.raises(UserError, match="endpoint.api_key_env=TEST_KEY: that environment variable is not set"):
        ask(n=3, api_key_env="TEST_KEY")


def test_half_of_the_calls_fail(serving: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without retries: odd requests fail. The result is honest, and a second call completes it."""

    def half(body: Json, number: int) -> Reply:
        return Reply({"error": {"message": "out of luck"}}, 500) if number % 2 else well(body, number)

    with serving(half) as ask:
        candidates, report = ask(n=2, count=10, max_retries=0, concurrency=1)
        assert len(candidates) == 10 and (report.sampled, report.wanted) == (10, 20)
        assert report.missing == {f"p/{i}": 2 for i in (1, 3, 5, 7, 9)} and consistent(report)
        assert report.reasons == {"HTTP 500": 10} and report.details == {"HTTP 500": "out of luck (tries: 1)"}
        plain = json.loads(json.dumps(report.to_json()))
        assert plain["reasons"] == {"HTTP 500": 10} and plain["this_run"]["prompt_tokens"] == 50
        assert plain["retried"] == {"HTTP 500": 5} and set(plain) == set(vars(report))
        printed = " ".join(capsys.readouterr().out.split())
        assert "10 of 20 samples of 10 problems (0 from the journal, 10 new)" in printed
        assert "10 samples of 5 problems are missing (p/1, p/3, p/5 and 2 more): 10 HTTP 500: out of luck" in printed
        ask.server.behaviour = well
        before = len(ask.server.bodies)
        complete, report = ask(n=2, count=10)
        assert len(complete) == 20 and report.complete and len(ask.server.bodies) - before == 5
        assert [c for c in complete if c in candidates] == candidates


def test_retries_get_everything_from_a_server_that_fails_half_of_its_calls(serving: Any) -> None:
    def half(body: Json, number: int) -> Reply:
        return well(body, number) if number % 2 else Reply(b"", 503)

    with serving(half) as ask:
        candidates, report = ask(n=2, count=10, max_retries=6, concurrency=1)
    assert len(candidates) == 20 and report.complete and report.retried == {"HTTP 503": 10} and report.requests == 20


def test_a_torn_line_is_asked_for_again(serving: Any) -> None:
    """Killed while it wrote its third answer: two are whole."""
    with serving() as ask:
        complete, _ = ask(n=2, count=3, concurrency=1)
        whole = ask.journal.read_bytes()
        lines = whole.splitlines(keepends=True)
        ask.journal.write_bytes(b"".join(lines[:3]) + lines[3][: len(lines[3]) // 2])
        before = len(ask.server.bodies)
        again, report = ask(n=2, count=3, concurrency=1)
        assert again == complete and (report.found, report.sampled) == (4, 2)
        assert len(ask.server.bodies) - before == 1 and ask.journal.read_bytes() == whole


def test_a_killed_process_loses_no_answer(tmp_path: Path) -> None:
    """Killed while it waits for its fourth answer; the process is forked before the server's threads start."""

    def behave(body: Json, number: int) -> Reply:
        if number == 3:
            os.kill(child.pid or 0, signal.SIGKILL)
        return well(body, number)

    ask = Asking(EndpointServer(behave), tmp_path / "journal.jsonl")
    child = multiprocessing.get_context("fork").Process(target=ask, kwargs={"count": 6, "concurrency": 1})
    child.start()
    with ask.server:
        child.join()
        assert child.exitcode == -signal.SIGKILL and len(ask.records()) == 3
        candidates, report = ask(count=6)
    assert len(candidates) == 12 and (report.found, report.sampled) == (6, 6) and len(ask.server.bodies) == 4 + 3


def test_an_answer_that_lacks_no_more_than_its_line_break_is_kept(serving: Any) -> None:
    with serving() as ask:
        complete, _ = ask(n=2, count=2, concurrency=1)
        whole = ask.journal.read_bytes()
        ask.journal.write_bytes(whole[:-1])
        again, report = ask(n=2, count=2)
    assert again == complete and report.sampled == 0 and ask.journal.read_bytes() == whole


@pytest.mark.parametrize("size", [0, 1, 30])
def test_a_journal_whose_first_line_was_cut_off_begins_afresh(serving: Any, size: int) -> None:
    with serving() as ask:
        complete, _ = ask(n=1)
        ask.journal.write_bytes(ask.journal.read_bytes()[:size])
        assert ask(n=1)[0] == complete


def test_other_settings_need_another_journal(serving: Any) -> None:
    with serving() as ask:
        ask()
        before = ask.journal.read_bytes()
        with pytest.raises(UserError, match=r"made with temperature=0.7 \(now 0.8\), seed=0 \(now 1\); give another"):
            ask(temperature=0.8, seed=1)
        assert ask.journal.read_bytes() == before
        ask(concurrency=7, max_retries=0, samples_per_request=1, prompt_price=3.0)  # shape no sample


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"problem_id": "p"}\n', "is no journal of an endpoint"),
        (b"[1]\n", "line 1: expected a JSON object, found list"),
        (b"HEADER\nnonsense\n", "line 2 is not JSON"),
        (b'HEADER\n{"problem_id": "p/0"}\n', "line 2 is no record of an endpoint's journal"),
    ],
)
def test_what_is_no_journal_is_refused_and_left_alone(serving: Any, content: bytes, message: str) -> None:
    with serving() as ask:
        ask(n=1)
        content = content.replace(b"HEADER", ask.journal.read_bytes().splitlines()[0])
        ask.journal.write_bytes(content)
        with pytest.raises(UserError, match=message):
            ask(n=1)
    assert ask.journal.read_bytes() == content


def test_only_one_process_writes_a_journal(serving: Any, tmp_path: Path) -> None:
    def behave(body: Json, number: int) -> Reply:
        if number == 0:
            with pytest.raises(UserError, match="is open in another process"):
                ask(n=1)
        return well(body, number)

    with serving(behave) as ask:
        assert len(ask(n=1)[0]) == 2
        assert len(ask.server.bodies) == 2
        ask.journal = tmp_path / "nowhere" / "journal.jsonl"
        with pytest.raises(UserError, match="in a folder that exists"):
            ask(n=1)


def test_the_key_is_sent_and_appears_nowhere_else(
    serving: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = "sk-verysecret123"
    monkeypatch.setenv("TEST_KEY", f" {key}\n")
    caplog.set_level(logging.DEBUG)

    def echo(body: Json, number: int) -> Reply:
        if number == 0:
            return Reply({"error": {"message": f"no luck with key {key}"}}, 500)
        if body["messages"][0]["content"] == "task 1":
            return Reply({"error": {"message": f"key {key} may not ask this"}}, 403)
        return well(body, number)

    with serving(echo) as ask:
        candidates, report = ask(api_key_env="TEST_KEY", concurrency=1)
        assert {headers["Authorization"] for headers in ask.server.headers} == {f"Bearer {key}"}
    printed = capsys.readouterr()
    assert "key [key] may not ask this" in " ".join(printed.out.split())
    everything = printed.out + printed.err + caplog.text + ask.journal.read_text() + repr(report) + repr(candidates)
    assert "verysecret" not in everything and len(candidates) == 2


def test_tokens_and_cost(serving: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: 3 requests of 10 prompt tokens with 2 + 2 + 2 samples of 2 tokens: 30 and 12. At 100,000 and 500,000
    per million that is 3 + 6 = 9; a fourth request, without a count, is said to be left out."""

    def behave(body: Json, number: int) -> Reply:
        answer = choices(body)
        if body["messages"][0]["content"] == "task 3":
            del answer["usage"]
        return Reply(answer)

    prices = {"prompt_price": 1e5, "completion_price": 5e5}
    with serving(behave) as ask:
        _, report = ask(n=2, count=3, **prices)
        assert (report.this_run.prompt_tokens, report.this_run.completion_tokens) == (30, 12)
        assert report.this_run.cost == report.whole_journal.cost == pytest.approx(9.0)
        assert "30 prompt + 12 completion tokens, cost 9.0000" in capsys.readouterr().out
        _, report = ask(n=2, count=4, **prices)
        assert report.this_run.cost == 0 and report.this_run.uncounted == 1
        assert report.whole_journal.cost == pytest.approx(9.0)
        assert "cost 9.0000 (1 answers without a count not included)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"n": 0}, "asked for 0 samples"),
        ({"tasks": []}, "there are no problems"),
        ({"tasks": problems(1) * 2}, "more than once: p/0"),
        ({"model": ""}, "endpoint.model is empty"),
    ],
)
def test_bad_input(serving: Any, asked: dict[str, Any], message: str) -> None:
    with serving() as ask:
        with pytest.raises(UserError, match=message):
            ask(**asked)
        assert ask.server.bodies == [] and not ask.journal.exists()
