"""What a stage that was cut off has left in its working directory, for people."""

from __future__ import annotations

from pathlib import Path

from pyarrow import parquet

from rewardranker.runs.metrics import read_metrics


def left_in(working: Path) -> str:
    """What a stage may go on from: its newest checkpoint, or the shards and pools that are whole.

    A checkpoint is only named here: whether it is whole is seen when it is read.
    """
    if (working / "manifest.json").exists():
        return "all of it"
    parts = [_training(working), *_shards(working)]
    pools = sorted(path.relative_to(working).as_posix() for path in working.rglob("*.parquet") if _whole(path))
    parts += [", ".join(pools)] if pools else []
    return "; ".join(filter(None, parts)) or "nothing yet, it begins anew"


def _training(working: Path) -> str:
    checkpoints = sorted((working / "checkpoints").glob("step-*"))
    rows = read_metrics(working)
    made = rows[-1]["step"] + 1 if rows else 0
    if not checkpoints:
        return f"no checkpoint yet, the first {made:,} steps are made again" if made else ""
    step = int(checkpoints[-1].name.removeprefix("step-"))
    later = f", {made - step:,} later steps are made again" if made > step else ""
    return f"the checkpoint of step {step:,}{later}"


def _shards(working: Path) -> list[str]:
    found = []
    for directory in sorted(working.rglob("*.shards")):
        shards = sorted(directory.glob("[!.]*.parquet"))  # one being written has a name of its own
        programs = sum(parquet.read_metadata(shard).num_rows for shard in shards)
        if shards:
            found.append(f"{programs:,} judged programs of {directory.stem} ({len(shards)} shards)")
    return found


def _whole(path: Path) -> bool:
    counted = path.parent.name.endswith(".shards") or path.parent.name.startswith("step-")
    return not path.name.startswith(".") and not counted
