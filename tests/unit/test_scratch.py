"""What judging leaves in the temporary directory: nothing but the tool-chains' set-ups, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks.tasks import problem, right

from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.sandbox import scratch
from rewardranker.judge.sandbox.places import TOOLCHAINS
from rewardranker.judge.sandbox.process import NotStarted
from rewardranker.judge.sandbox.scratch import Scratch
from rewardranker.judge.sandbox.tiers import record
from rewardranker.problems.verdict import Verdict

_TESTS = Path(__file__).parent
#: A judge that is at work on a program with a tree of directories that are hard to remove, and ends in some way.
_JUDGE = """
import os, signal, sys, threading, time
from attacks.tasks import problem
from rewardranker.judge import Judge
from rewardranker.problems.types import Limits
tier, how = sys.argv[1:]
program = '''
import os, time
for i in range(60):
    os.mkdir('d' * 200); os.chdir('d' * 200)
os.mkdir('x'); open('x/y', 'w').close(); os.chmod('x', 0)
time.sleep(60)
'''
judge = Judge(1, tier=tier)
def end():
    server = judge._sandboxes[0].server
    while not os.path.isdir(f"/proc/{server.pid}"): time.sleep(0.01)
    time.sleep(0.7)
    if how in ("server", "both"): os.kill(server.pid, signal.SIGKILL)
    if how == "exit": os._exit(1)
    signals = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
    if how != "server": os.kill(os.getpid(), signals.get(how, signal.SIGKILL))
judge._sandboxes[0].start()
threading.Thread(target=end, daemon=True).start()
task = problem("python", "stdio", Limits(cpu_s=1.0, wall_s=3.0))
try: judge.run([(task, program)])
except KeyboardInterrupt: pass
finally: judge.close()
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A temporary directory of this test alone, with a short name."""
    with tempfile.TemporaryDirectory(prefix="rr") as folder:
        os.chmod(folder, 0o755)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.delenv(TOOLCHAINS, raising=False)
        yield Path(folder)


def left_in(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.iterdir() if "toolchains" not in path.name)


def settled(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not check() and time.monotonic() < deadline:
        time.sleep(0.05)
    return check()


@pytest.mark.parametrize("how", ["exit", "interrupt", "terminate", "kill", "server", "both"])
@pytest.mark.parametrize("tier", ["C", "D"])
def test_nothing_is_left_however_a_judge_ends(place: Path, tier: str, how: str) -> None:
    """Where both the judge and its server are killed at once, the next judge on the machine cleans up."""
    try:
        record(tier)
    except NotStarted as error:
        pytest.skip(str(error))
    environment = {**os.environ, "PYTHONPATH": f"{_TESTS}:{_TESTS.parents[1]}"}
    subprocess.run([sys.executable, "-c", _JUDGE, tier, how], env=environment, capture_output=True, timeout=60)
    if how == "both":
        assert len(left_in(place)) == 1
        subprocess.run(["sleep", "0.2"], check=True)
        Scratch().remove()
    assert settled(lambda: left_in(place) == []), left_in(place)


def test_what_somebody_uses_is_not_swept_away(place: Path) -> None:
    mine = Scratch()
    (place / "rewardranker-run-dead" / "a" / "b").mkdir(parents=True)
    (place / "rewardranker-run-file").write_text("")
    (place / "rewardranker-run-link").symlink_to(mine.path)
    (place / "other").mkdir()
    os.chmod(place / "rewardranker-run-dead" / "a", 0)
    another = Scratch()
    names = {Path(mine.path).name, Path(another.path).name, "rewardranker-run-file", "rewardranker-run-link", "other"}
    assert set(left_in(place)) == names
    mine.remove()
    another.remove()
    assert set(left_in(place)) == {"rewardranker-run-file", "rewardranker-run-link", "other"}


def test_one_that_is_swept_away_before_it_is_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = tempfile.mkdtemp, []

    def make(prefix: str, dir: str) -> str:
        made.append(real(prefix=prefix, dir=dir))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(scratch.tempfile, "mkdtemp", make)
    kept = Scratch()
    assert kept.path == made[1] and os.path.isdir(kept.path)
    kept.remove()


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["A+", "C"])
def test_no_language_leaves_anything(place: Path, tier: str) -> None:
    """Its set-up is made anew here, and the machine's own tools are asked for their versions."""
    names = [name for name, language in LANGUAGES.items() if not toolchain(language).missing]
    before = set(os.listdir("/tmp"))
    for name in names:
        subprocess.run(LANGUAGES[name].version, capture_output=True, check=False) if LANGUAGES[name].version else None
    try:
        with Judge(1, tier=tier) as judge:
            results = judge.run([(problem(name), right(name)) for name in names])
    except NotStarted as error:
        pytest.skip(str(error))
    assert {result.verdict for result in results} == {Verdict.OK}
    assert left_in(place) == []
    assert not {name for name in set(os.listdir("/tmp")) - before if name.startswith(("hsperf", "rewardranker-run"))}
    folders = [path for path in place.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert folders == []
