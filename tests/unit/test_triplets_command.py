"""A whole contest data set from the command line: shards, a corpus, and a page for whoever trains on it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from rewardranker.commands.triplets import TripletsRequest, run_triplets
from rewardranker.config.loading import load_config
from rewardranker.config.schema import Config, TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.contests.made_data import Made, write_code_contests, write_codeforces
from rewardranker.problems.contests.made_tasks import made_task
from rewardranker.runs.console import Console
from rewardranker.runs.shards import counts_in, shards_in
from rewardranker.training.corpus import Corpus

MADE = Made(problems=5, held_out=1, right=2, wrong=2)


def run(request: TripletsRequest, config: Config) -> str:
    said = StringIO()
    run_triplets(request, config, Console(RichConsole(file=said, width=200)))
    return said.getvalue()


def settings(path: Path, *more: str, source: str = "code_contests") -> Config:
    return load_config(None, [f"data.source={source}", f"data.options.path={path}", *more])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    build_tiny_model(TinyConfig(max_positions=4096), path, [made_task(0, 0).statement], 0)
    return path


def test_a_data_set_becomes_triplets_and_a_page_and_goes_on(tmp_path: Path, model: Path) -> None:
    write_code_contests(tmp_path / "hub", MADE)
    config = settings(tmp_path / "hub", f"model.path={model}", "reward.max_tokens=4000")
    request = TripletsRequest(tmp_path / "out", labels="given", workers=1, each=2)
    said = run(request, config)
    counts = counts_in(tmp_path / "out" / "triplets")
    triplets = sum(count for name, count in counts.items() if name.startswith("triplets: "))
    assert triplets == len(Corpus(tmp_path / "out" / "corpus")) == 5 * 3 * 2 * 4
    assert f"{triplets} triplets; what they are" in said and "licence CC-BY-4.0" in said
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count('<article class="pair">') == 20
    for part in ("programs in python2", "The programs were not run again", "levenshtein", "tokens of both sides"):
        assert part in page
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("shard-*")}
    assert "pair: 1 of 1 shards are there already" in run(request, config)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (tmp_path / "out" / "index.html").read_text() == page


def test_programs_are_run_again_where_that_is_not_refused(tmp_path: Path, model: Path) -> None:
    write_codeforces(tmp_path, Made(problems=2, held_out=1, right=1, wrong=2))
    more = f"data.options.submissions={tmp_path / 'submissions'}", "data.options.languages=[python]"
    more = (*more, "judge.minimum_tier=D", f"model.path={model}")
    config = settings(tmp_path / "problems", *more, source="codeforces")
    run(TripletsRequest(tmp_path / "out", workers=1), config)
    page = (tmp_path / "out" / "index.html").read_text()
    assert "codeforces python" in page and "Only programs on which site and judge agree" in page
    assert len(shards_in(tmp_path / "out" / "verdicts")) == 1


@pytest.mark.parametrize(
    ("request_", "more", "message"),
    [
        (TripletsRequest("x", labels="mine"), (), "--labels mine: must be one of agree, verdict, given"),
        (TripletsRequest("x", workers=0), (), "--workers 0: must be at least 1"),
        (TripletsRequest("x", gap=1.0), (), "--gap 1.0"),
        (TripletsRequest("x"), ("data.source=family", "data.options={}"), "data.source='family': whole data sets"),
        (
            TripletsRequest("x"),
            ("data.source=code_contests", "data.options.path=/nowhere", "model.path=m"),
            "/nowhere does not exist",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(
    request_: TripletsRequest, more: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        run(request_, load_config(None, list(more)))
