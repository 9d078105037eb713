"""Samples that an endpoint does not give: never mistaken for all of them, and asked for again, they alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from endpoint_server import EndpointServer, Json, Reply, choices
from evaluations import Place, manifest

from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.problems.pool import read_pool


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


class Server(EndpointServer):
    """Knows the answers. While it is ill it turns some requests down for good.

    Attributes:
        ill: whether to turn a request down, by its prompt and its number.
        ended: how answers ended.
        answered: prompt, seed and temperature of every request that got an answer.
    """

    def __init__(self) -> None:
        super().__init__(self._behave)
        self.ill: Any = lambda prompt, number: False
        self.ended = "stop"
        self.answered: list[tuple[str, int, float]] = []

    def _behave(self, body: Json, number: int) -> Reply:
        prompt = body["messages"][-1]["content"]
        if self.ill(prompt, number):
            return Reply({"error": {"message": "not today"}}, status=400)
        self.answered.append((prompt, body["seed"], body["temperature"]))
        name = prompt.split("def ")[1].split("(")[0]
        text = f"```python\ndef {name}(a, b):\n    return a + b\n```"
        message = {"role": "assistant", "content": text}
        return Reply(choices(body, message=message, finish_reason=self.ended))


def remote(place: Place, server: Server) -> Config:
    config = place.config("humaneval")
    config.model.path = ""
    config.endpoint.base_url, config.endpoint.model = server.url, "made"
    config.endpoint.samples_per_request, config.endpoint.concurrency, config.endpoint.max_retries = 1, 1, 0
    config.endpoint.prompt_price, config.endpoint.completion_price = 3.0, 5.0
    config.benchmark.greedy = True
    return config


def more(run: Path) -> dict[str, str]:
    return dict(json.loads((run / "tables" / "humaneval.json").read_text())["settings"]["more"])


def test_a_run_that_lacks_samples_ends_and_the_next_one_asks_for_them_alone(place: Place) -> None:
    """Three problems, two samples each: of six requests every other one is turned down."""
    with Server() as server:
        server.ill = lambda prompt, number: number % 2 == 1
        with pytest.raises(
            UserError,
            match=r"humaneval in python, seed 0: 3 of 6 samples are missing, of 3 problems \(humaneval/0, .*"
            r"HTTP 400: not today.*the same command asks for what is missing",
        ):
            place.evaluate(remote(place, server))
        before = list(server.answered)
        assert len(before) == 3
        assert not list((place.folder / "runs" / "e").glob("[0-9][0-9]-sample*"))
        server.ill = lambda prompt, number: False
        run = place.evaluate(remote(place, server))
        # The three that were missing and three greedy answers, nothing twice.
        assert len(server.answered) == len(set(server.answered)) == 3 + 3 + 3
        pool = read_pool(next(run.glob("[0-9][0-9]-sample-*")) / "pool.parquet")
        assert [c.problem_id for c in pool] == [f"humaneval/{i}" for i in (0, 0, 1, 1, 2, 2)]
        found = manifest(run, "sample-humaneval_python-0")
        assert found["status"] == "complete" and found["metrics"]["missing"] == 0
        asked = len(server.bodies)
        place.evaluate(remote(place, server))
        assert len(server.bodies) == asked


def test_with_partial_it_goes_on_says_what_is_missing_and_asks_again(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """One problem of three gets no answer: 2 of 6 samples and 1 of 3 greedy answers. The server counts 10 prompt and
    2 completion tokens a request: 4 + 2 answers are 60 and 12, which cost 60 * 3 / 1e6 + 12 * 5 / 1e6 = 0.00024.
    """
    with Server() as server:
        config = remote(place, server)
        config.benchmark.partial = True
        server.ill, server.ended = lambda prompt, number: "add1(" in prompt, "length"
        run = place.evaluate(config)
        said = " ".join("".join(capsys.readouterr()).split())
        assert "humaneval in python, seed 0: 100% of the answers were cut off at their greatest length" in said
        found = manifest(run, "sample-humaneval_python-0")
        assert found["status"] == "incomplete"
        assert found["metrics"] | {"candidates": 4, "asked": 6, "cut_off": 1.0} == found["metrics"]
        assert {name: found["metrics"][name] for name in ("missing", "missing_problems", "requests")} == {
            "missing": 2,
            "missing_problems": 1,
            "requests": 6,
        }
        assert more(run)["samples missing"] == "2 of 1 problems (python, seed 0); 1 of 1 problems (python, greedy)"
        assert "9 requests" in more(run)["endpoint"] and "60 prompt and 12 completion tokens" in more(run)["endpoint"]
        assert "cost 0.0002" in more(run)["endpoint"]
        server.ill, before = lambda prompt, number: False, len(server.bodies)
        place.evaluate(config)
        assert len(server.bodies) - before == 3
        assert len(server.answered) == len(set(server.answered)) == 9
        assert manifest(run, "sample-humaneval_python-0")["status"] == "complete"
        assert more(run)["samples missing"] == "none"
        place.evaluate(config)
        assert len(server.bodies) - before == 3
