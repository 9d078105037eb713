"""Run directories: whole or absent, skipped when nothing changed, resumed where they were cut off."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from rewardranker.config.schema import Config
from rewardranker.errors import Interrupted, UserError
from rewardranker.problems.pool import write_pool
from rewardranker.problems.types import Candidate
from rewardranker.runs import directory
from rewardranker.runs.atomic import replacing, tree_hash, write_json
from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.directory import RunDirectory, Stage
from rewardranker.runs.metrics import MetricWriter, read_metrics
from rewardranker.runs.unfinished import left_in


def config(root: Path, ranks: int = 1) -> Config:
    made = Config()
    made.run.root, made.run.name, made.cluster.ranks = str(root), "r", ranks
    return made


class Run:
    """A run directory that counts how often its one stage works."""

    def __init__(self, root: Path, ranks: int = 1) -> None:
        self.lines: list[str] = []
        self.worked = 0
        self.directory = RunDirectory(config(root, ranks), self.lines.append)

    def stage(self, steps: int = 1, source: Path | None = None, fail: bool = False) -> Path:
        def work(stage: Stage) -> None:
            self.worked += 1
            log = stage.path / "log"
            log.write_text((log.read_text() if log.exists() else "") + "x")
            if fail:
                raise RuntimeError("cut off")
            stage.metrics["steps"] = steps

        inputs = {"source": source} if source else {}
        return self.directory.stage("sft", {"sft": {"steps": steps}}, inputs, work)


def test_a_complete_stage_is_skipped(tmp_path: Path) -> None:
    first = Run(tmp_path)
    path = first.stage()
    assert path == tmp_path / "r" / "00-sft"
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["status"] == "complete" and manifest["metrics"] == {"steps": 1}
    assert {"torch", "rewardranker"} <= manifest["versions"].keys()
    first.directory.close()
    second = Run(tmp_path)
    assert second.stage() == path and second.worked == 0
    assert "complete" in second.lines[0]


def test_an_incomplete_stage_counts_until_the_next_run_does_it_again(tmp_path: Path) -> None:
    lines: list[str] = []
    for incomplete in (True, False):
        run = RunDirectory(config(tmp_path), lines.append)

        def work(stage: Stage, incomplete: bool = incomplete) -> None:
            stage.incomplete = incomplete

        path = run.stage("sample", {}, {}, work)
        assert json.loads((path / "manifest.json").read_text())["status"] == (
            "incomplete" if incomplete else "complete"
        )
        run.close()
    assert "runs again, it was incomplete" in lines[1]
    last = RunDirectory(config(tmp_path), lines.append)
    last.stage("sample", {}, {}, lambda stage: pytest.fail("it is complete"))
    last.close()


def test_a_changed_setting_or_input_is_named_and_reruns_and_the_old_result_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("a")
    run = Run(tmp_path)
    run.stage(source=source)
    run.directory.close()
    run = Run(tmp_path)
    run.stage(steps=2, source=source)
    assert run.worked == 1 and "setting sft.steps 1 -> 2" in run.lines[0]
    run.directory.close()
    source.write_text("b")
    run = Run(tmp_path)
    run.stage(steps=2, source=source)
    assert run.worked == 1 and "input source" in run.lines[0]
    assert len(list((tmp_path / "r").glob(".replaced-00-sft-*"))) == 2


def test_a_stage_that_was_cut_off_finds_its_work_unless_settings_changed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(RuntimeError):
        run.stage(fail=True)
    assert not (tmp_path / "r" / "00-sft").exists()
    run.directory.close()
    run = Run(tmp_path)
    assert (run.stage() / "log").read_text() == "xx"
    assert run.lines[0].endswith(" goes on: it ended with RuntimeError; from nothing yet, it begins anew")
    run.directory.close()
    run = Run(tmp_path)
    with pytest.raises(RuntimeError):
        run.stage(steps=2, fail=True)
    run.directory.close()
    run = Run(tmp_path)
    assert (run.stage(steps=3) / "log").read_text() == "x"
    assert "begins anew, what was left unfinished is of other settings: setting sft.steps 2 -> 3" in run.lines[1]


def test_a_stage_that_lacks_nothing_but_its_place_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)

    def interrupted(source: Path, target: Path) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(directory, "commit_directory", interrupted)
        with pytest.raises(Interrupted, match="of 00-sft: all of it"), run.directory.interruptible():
            run.stage()
    run.directory.close()
    run = Run(tmp_path)
    assert (run.stage() / "log").read_text() == "x"
    run.directory.close()


def test_an_interrupted_run_says_what_it_keeps_and_from_where_it_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.directory.stage("data", {}, {}, lambda stage: None)

    def train(stage: Stage, until: int) -> None:
        checkpoints, writer = Checkpoints(stage.path / "checkpoints", pytest.fail), MetricWriter(stage.path)
        for step in range(until):
            writer.write(step, {"loss": 0.5})
            if step == 1_199:
                checkpoints.save(step + 1, lambda path: (path / "state").write_text("s") and None)
        writer.close()
        raise KeyboardInterrupt

    kept = rf"interrupted in 01-sft; kept: 1 complete stage in {tmp_path}/r; of 01-sft: "
    early, late = (
        "no checkpoint yet, the first 7 steps are made again",
        "the checkpoint of step 1,200, 34 later steps",
    )
    with pytest.raises(Interrupted, match=kept + early), run.directory.interruptible():
        run.directory.stage("sft", {}, {}, lambda stage: train(stage, 7))
    run.directory.close()
    run = Run(tmp_path)
    run.directory.stage("data", {}, {}, lambda stage: None)
    with pytest.raises(Interrupted, match=kept + late), run.directory.interruptible():
        run.directory.stage("sft", {}, {}, lambda stage: train(stage, 1_234))
    assert "goes on: it was interrupted; from no checkpoint yet" in run.lines[1]
    run.directory.close()
    (tmp_path / "r" / ".work-01-sft" / "work.json").write_text(
        '{"settings": {}, "inputs": {}, "ranks": {"ranks": 2}}'
    )
    run = Run(tmp_path)
    run.directory.stage("data", {}, {}, lambda stage: None)
    run.directory.stage("sft", {}, {}, lambda stage: None)
    assert run.lines[1].split(maxsplit=1)[1] == (
        "goes on with other ranks ({'ranks': 2} -> {'ranks': 1}), equal but for rounding: it was killed; "
        "from the checkpoint of step 1,200, 34 later steps are made again"
    )
    run.directory.close()


def test_what_is_left_of_pools_is_named(tmp_path: Path) -> None:
    candidates = [Candidate("p", "python", "", "", "human")] * 3
    (tmp_path / "pool.shards").mkdir()
    for index in range(2):
        write_pool(tmp_path / "pool.shards" / f"shard-{index}.parquet", candidates)
    write_pool(tmp_path / "greedy.parquet", candidates)
    for name in ("pool.shards/shard-2.parquet", "other.parquet"):  # a process that was killed while it wrote them
        (tmp_path / name).with_name(f".{Path(name).name}.7.tmp.parquet").write_bytes(b"PAR1")
    assert left_in(tmp_path) == "6 judged programs of pool (2 shards); greedy.parquet"
    Checkpoints(tmp_path / "checkpoints", pytest.fail).save(4, lambda path: write_pool(path / "drawn.parquet", []))
    assert left_in(tmp_path) == "the checkpoint of step 4; 6 judged programs of pool (2 shards); greedy.parquet"


def test_what_was_cut_off_goes_on_with_other_ranks_and_says_so(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(RuntimeError):
        run.stage(fail=True)
    run.directory.close()
    run = Run(tmp_path, ranks=2)
    path = run.stage()
    assert (path / "log").read_text() == "xx"
    assert "goes on with other ranks ({'ranks': 1} -> {'ranks': 2})" in run.lines[0]
    assert json.loads((path / "manifest.json").read_text())["ranks"] == {"ranks": 2}
    run.directory.close()
    run = Run(tmp_path, ranks=3)
    run.stage()
    assert run.worked == 0 and len(run.lines) == 1 and "complete" in run.lines[0]


def test_two_processes_cannot_share_a_run(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(UserError, match=rf"in use by another process \({os.getpid()} on .+\): wait for it"):
        Run(tmp_path)
    run.directory.close()


def test_a_lock_ends_with_its_process_and_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = os.fork()
    if child == 0:
        Run(tmp_path)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert f"({child} on " in (tmp_path / "r" / ".lock").read_text()
    Run(tmp_path).directory.close()

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(directory.fcntl, "flock", no_locks)
    with pytest.raises(UserError, match=r"cannot be locked \(No locks available\): set run.root to"):
        Run(tmp_path)


def test_what_is_started_again_is_counted_in_the_manifest_whatever_kills_the_driver(tmp_path: Path) -> None:
    def work(stage: Stage, fail: bool) -> None:
        stage.restarted("executors")
        if fail:
            raise RuntimeError

    for fail in (True, True, False):
        run = Run(tmp_path)
        with pytest.raises(RuntimeError) if fail else nullcontext():
            path = run.directory.stage("sft", {}, {}, partial(work, fail=fail))
        run.directory.close()
    assert json.loads((path / "manifest.json").read_text())["restarts"] == {"driver": 2, "executors": 3}


class FromAWorker(RuntimeError):
    """What a library of another process said, as text."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "over quota"),
        FromAWorker("worker 1 raised\nSafetensorError: I/O error: No space left on device (os error 28)"),
        FromAWorker("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),  # torch.save
    ],
)
def test_a_full_disk_ends_the_run_in_a_line_and_the_same_command_goes_on(error: Exception, tmp_path: Path) -> None:
    run = Run(tmp_path)

    def work(stage: Stage) -> None:
        Checkpoints(stage.path / "checkpoints", pytest.fail).save(4, lambda path: None)
        raise RuntimeError("the stage failed") from error

    with pytest.raises(UserError) as found, run.directory.interruptible():
        run.directory.stage("sft", {}, {}, work)
    line = str(found.value)
    assert line.startswith("a disk is full (") and line.splitlines() == [line]
    assert "in 00-sft; kept: 0 complete stages" in line and "the checkpoint of step 4. Make room" in line
    run.directory.close()
    with pytest.raises(OSError, match="no such thing"), run.directory.interruptible():
        raise OSError(errno.ENOENT, "no such thing")


def test_an_unwritable_root_is_explained(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="cannot be written .*set run.root"):
        Run(blocked)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_hashes_depend_on_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = tree_hash(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = tree_hash(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, second, tree_hash(tmp_path)}) == 3


def test_checkpoints_keep_the_newest_two(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", pytest.fail)
    assert checkpoints.newest() is None
    for step in (10, 20, 30):
        checkpoints.save(step, lambda path: (path / "state").write_text("s") and None)
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == ["step-000020", "step-000030"]
    newest = checkpoints.newest()
    assert newest is not None and newest[0] == 30 and (newest[1] / "state").read_text() == "s"
    checkpoints.clear()
    assert not (tmp_path / "c").exists()


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: _truncate(path / "state.pt"),
        lambda path: _flip_a_bit(path / "state.pt"),
        lambda path: (path / "state.pt").unlink(),
        lambda path: (path / "random-0.pt").write_bytes(b""),
        lambda path: (path / "sha256").unlink(),
        lambda path: shutil.rmtree(path) or path.mkdir(),
    ],
    ids=["truncated", "a bit", "a file missing", "emptied", "no seal", "an empty directory"],
)
def test_a_damaged_checkpoint_falls_back_to_the_one_before_aloud(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    said: list[str] = []
    checkpoints = Checkpoints(tmp_path / "c", said.append)

    def write(path: Path) -> None:
        for name in ("state.pt", "random-0.pt"):
            (path / name).write_bytes(bytes(range(256)))

    older, newer = (checkpoints.save(step, write) for step in (10, 20))
    damage(newer)
    assert checkpoints.newest() == (10, older)
    assert len(said) == 1 and f"{newer} is damaged" in said[0] and "going on from step-000010" in said[0]
    checkpoints.save(20, write)
    assert checkpoints.newest() == (20, newer) and len(said) == 1
    for path in (newer, older):
        damage(path)
    assert checkpoints.newest() is None
    assert "no older one: beginning again" in said[-1]


def test_metrics_past_the_checkpoint_are_dropped_on_resume(tmp_path: Path) -> None:
    writer = MetricWriter(tmp_path)
    for step in range(5):
        writer.write(step, {"loss": float(step)})
    writer.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')  # a kill in mid-line
    writer = MetricWriter(tmp_path, resume_at=3)
    writer.write(3, {"loss": 30.0})
    assert [m["loss"] for m in read_metrics(tmp_path)] == [0, 1, 2, 30]
    assert writer.tail_means(4, share=0.5) == {"loss": 16.0}
    writer.close()
