"""Servers that fail, lack something, or are none: what the judge makes of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fusion import Fusion, serving
from judging import RIGHT, problem

from rewardranker.commands.judge import JudgeRequest, run_judge
from rewardranker.config.loading import load_config
from rewardranker.errors import UserError
from rewardranker.judge import Judge, VerdictCache, judge_fingerprint, sandbox_description, toolchain_of
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.remote import machine as machines
from rewardranker.judge.remote.http import SandboxFusion
from rewardranker.judge.remote.machine import machine
from rewardranker.judge.remote.script import Bounds, outcome, request
from rewardranker.judge.sandbox import SandboxDied, Step
from rewardranker.problems.io import read_json_lines
from rewardranker.problems.verdict import Verdict
from rewardranker.runs.console import Console

FAULTS = {
    "hang up": "did not answer",
    "503": "answered 503: upstream connect error",
    "garbage": "does not answer as SandboxFusion does",
    "another form": "does not answer as SandboxFusion does: KeyError('run_result')",
    "no base64": "does not answer as SandboxFusion does",
    "nothing fetched": "did not bring back what its command left",
    "SandboxError": "no space left",
    "no time": "the run ended as TimeLimitExceeded",
}
BOUNDS = Bounds(1.0, 10.0, 1 << 28, "data", 32, 1 << 20, 1 << 20, 1 << 20)
LEFT = {
    "out/status": b"0\n",
    "out/before": b"0m0.000s 0m0.000s\n0m0.001s 0m0.001s\n",
    "out/times": b"0m0.000s 0m0.000s\n1m0.301s 0m0.701s\n",
    "out/output": b"printed",
    "out/errors": b"",
    "out/results": b"r",
}


@pytest.fixture
def fusion(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fusion]:
    monkeypatch.setattr(machines, "_PAUSE_S", 0.0)
    with serving() as fusion:
        yield fusion


@pytest.fixture
def folder() -> Iterator[Path]:
    """Which every user may look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(("fault", "message"), FAULTS.items())
def test_a_server_s_failure_is_never_the_program_s(fusion: Fusion, tmp_path: Path, fault: str, message: str) -> None:
    """Once: the next attempt decides. Always: INFRA, and nothing is remembered."""
    with Judge(remote=fusion.url, cache=VerdictCache(tmp_path)) as judge:
        assert judge.run([(problem(), RIGHT)])[0].verdict is Verdict.OK
        fusion.faults = ["", fault]  # the canary is fine
        wrong = judge.run([(problem(), "def f(a, b):\n    return 4\n")])[0]
        assert wrong.verdict is Verdict.WRONG and not fusion.faults
        fusion.faults = ["", *[fault] * 3]
        code = "def f(a, b):\n    return a + b + 0\n"
        lost = judge.run([(problem(), code)])[0]
        assert (lost.verdict, lost.level, lost.tier) == (Verdict.INFRA, "L2", "remote") and not fusion.faults
        assert message in lost.message
        assert judge.run([(problem(), code)])[0].verdict is Verdict.OK


def test_a_server_that_is_gone_is_infra(fusion: Fusion) -> None:
    with Judge(remote=fusion.url) as judge:
        fusion.faults = ["503"] * 100
        result = judge.run([(problem(), RIGHT)])[0]
        assert result.verdict is Verdict.INFRA and "answered 503" in result.message
        fusion.faults = []
        assert judge.run([(problem(), RIGHT)])[0].verdict is Verdict.OK


def test_no_server_or_no_address_is_said_at_once(fusion: Fusion, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"http://127.0.0.1:9, which cannot be used: .* did not answer: ConnectError"):
        Judge(remote="http://127.0.0.1:9")
    with pytest.raises(UserError, match="has to be http://HOST:PORT or https://HOST, not 'localhost:8080'"):
        Judge(remote="localhost:8080")
    assert sandbox_description(remote="http://127.0.0.1:9").startswith("no program can be run: asked for the remote")
    fusion.faults = ["503", "SandboxError"]  # two of three attempts
    assert f"tier remote: {fusion.url}" in sandbox_description(remote=fusion.url)


def test_a_password_is_sent_and_not_shown(fusion: Fusion) -> None:
    url = fusion.url.replace("http://", "http://user:secret@")
    assert "secret" not in sandbox_description(remote=url) and SandboxFusion(url).name == fusion.url
    with pytest.raises(UserError) as refused:
        Judge(remote="http://user:secret@127.0.0.1:9")
    assert "secret" not in str(refused.value)


def test_missing_tools_are_named(fusion: Fusion, folder: Path) -> None:
    """A machine with a shell and little else."""
    tools = "bash cat chmod chown cut env grep head id mkdir mkfifo python3 rm setpriv sh sleep stat touch true wc"
    for tool in tools.split():
        found = shutil.which(tool, path="/usr/bin:/bin")
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    fusion.environment["PATH"] = str(folder)
    with Judge(remote=fusion.url) as judge:
        items = [(problem(language=name, style="stdio", entry_point=""), "x") for name in ("php", "java", "csharp")]
        results = judge.run(items)
        assert judge.run([(problem(), RIGHT)])[0].verdict is Verdict.OK
    assert {result.verdict for result in results} == {Verdict.NO_TOOLCHAIN}
    assert results[0].message == "no tool-chain for php on the remote machine: lacks php"
    assert "lacks java, javac, jar" in results[1].message and "lacks mono, mcs" in results[2].message


def test_what_is_too_old_is_named(fusion: Fusion, folder: Path) -> None:
    for tool, says in (("python3", "cpython 3.8.10"), ("php", "PHP 7.4.3 (cli) (built: Feb 2023)")):
        (folder / tool).write_text(f"#!/bin/sh\necho '{says}'\n")
        (folder / tool).chmod(0o755)
    fusion.environment["PATH"] = f"{folder}:/usr/bin:/bin"
    with Judge(remote=fusion.url) as judge:
        results = judge.run([(problem(), RIGHT), (problem(language="php"), "<?php")])
    assert [result.verdict for result in results] == [Verdict.NO_TOOLCHAIN] * 2
    assert "lacks python 3.11 or newer (what is there says 'cpython 3.8.10')" in results[0].message
    assert "lacks php 8.1 or newer (what is there says 'PHP 7.4.3" in results[1].message


def test_verdicts_of_both_machines_are_kept_apart(fusion: Fusion, tmp_path: Path) -> None:
    assert judge_fingerprint(remote=fusion.url) == judge_fingerprint(remote=fusion.url) != judge_fingerprint()
    with Judge(cache=VerdictCache(tmp_path)) as judge:
        here = judge.run([(problem(), RIGHT)])[0]
    for requests in (True, False):
        with Judge(cache=VerdictCache(tmp_path), remote=fusion.url) as judge:
            fusion.requests.clear()
            there = judge.run([(problem(), RIGHT)])[0]
        assert (here.tier != there.tier, bool(fusion.requests)) == (True, requests)


def test_while_tools_are_not_known_nothing_cached_is_about_them(
    fusion: Fusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = machine(fusion.url)
    fusion.faults = ["503"] * 3
    first = there.toolchain(LANGUAGES["bash"])
    assert first.version.startswith("unknown ") and there.toolchain(LANGUAGES["bash"]) == first
    monkeypatch.setattr(machines.time, "monotonic", lambda: 1e12)
    fusion.faults = ["503"] * 3
    assert there.toolchain(LANGUAGES["bash"]).version not in ("", first.version)
    monkeypatch.setattr(machines.time, "monotonic", lambda: 2e12)
    assert there.toolchain(LANGUAGES["bash"]).version == toolchain_of(LANGUAGES["bash"]).version


def test_other_harnesses_rules_stay_on_this_machine(fusion: Fusion) -> None:
    with Judge(remote=fusion.url) as judge, pytest.raises(UserError, match="can only be followed on this machine"):
        judge.run_compat([(problem("program"), RIGHT)], "multipl_e")


def test_the_command_judges_there(fusion: Fusion, tmp_path: Path) -> None:
    task = {
        "task_id": "HumanEval/0",
        "prompt": "def one():\n",
        "entry_point": "one",
        "canonical_solution": "    return 1",
    }
    task["test"] = "def check(candidate):\n    assert candidate() == 1\n"
    for name, row in (("data", task), ("candidates", {"problem_id": "HumanEval/0", "text": "    return 1\n"})):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    files = [tmp_path / f"{name}.jsonl" for name in ("data", "candidates", "out")]
    run_judge(JudgeRequest("humaneval", *files, remote=fusion.url), Console())
    (row,) = read_json_lines(files[2])
    assert (row["verdict"], row["level"], row["tier"]) == ("OK", "L1", "remote")
    with pytest.raises(UserError, match="--mode compare with --remote"):
        run_judge(JudgeRequest("humaneval", *files, mode="compare", remote=fusion.url), Console())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["judge.remote_url=sandbox:8080"], "must be http://HOST:PORT"),
        (
            ["judge.remote_url=http://s:80", "data.source=mbpp", "model.path=m", "data.triplet_source=samples"],
            "level L1",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(None, overrides)


def test_what_the_driver_leaves_is_read() -> None:
    """CPU time is the difference of the children's lines: 60.301 + 0.701 - 0.001 - 0.001 = 61.0 s."""
    found = outcome(LEFT, BOUNDS, ())
    assert (round(found.cpu_s, 6), found.limit, found.output) == (61.0, "cpu", b"")
    quick = LEFT | {"out/times": LEFT["out/before"], "out/status": b"137"}
    assert outcome(quick, BOUNDS, ()).signal == 9 and outcome(quick, BOUNDS, ()).output == b"printed"
    assert outcome(quick | {"out/status": b"255"}, BOUNDS, ()).status == 255
    assert outcome(quick | {"out/wall": b""}, BOUNDS, ()).limit == "wall"
    assert outcome(quick | {"out/wall": b"", "out/over": b""}, BOUNDS, ()).limit == "output"
    assert outcome(quick | {"out/file.1": b"2"}, BOUNDS, ("a", "b")).files == {"b": b"2"}


@pytest.mark.parametrize(
    "broken", ["out/status", "out/times", "out/before", "out/output", "out/errors", "out/results"]
)
def test_what_the_driver_does_not_leave_is_not_guessed(broken: str) -> None:
    without = {name: content for name, content in LEFT.items() if name != broken}
    for left in (
        (without, without | {broken: b"\xff"}) if broken.endswith(("status", "times", "before")) else (without,)
    ):
        with pytest.raises(SandboxDied, match="did not bring back"):
            outcome(left, BOUNDS, ())


def test_a_file_that_is_too_large_to_travel_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewardranker.judge.remote.script._COLLECTED_BYTES", 3)
    with pytest.raises(SandboxDied, match="program is larger than"):
        outcome(LEFT | {"out/file.0": b"1234"}, BOUNDS, ("program",))
    assert "collect_bytes=3" in request(Step(("true",), collect=("program",)), BOUNDS, {}).code
