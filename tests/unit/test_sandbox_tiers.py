"""Which sandbox a machine is found to offer, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from rewardranker.errors import UserError
from rewardranker.judge.child import landlock, seccomp
from rewardranker.judge.sandbox import LocalSandbox, SandboxDied, bubblewrap, cgroup, places, tiers

RECORD = tiers.SandboxRecord("C", "", False, False, "host", "seccomp", 0, True, 7, 1, ("A+: why", "A: why", "B: so"))
BLOCKED = """
import json, sys
from dataclasses import asdict
from rewardranker.errors import UserError
from rewardranker.judge.child import kernel, seccomp
from rewardranker.judge.sandbox import LocalSandbox, Step, StepLimits, tiers
kernel.prctl(kernel.SET_NO_NEW_PRIVS, 1)
seccomp.Filter().apply()
record = tiers.strongest()
outcome = LocalSandbox().execute(Step(("id", "-u")), StepLimits(5, 30, 256, keep_output=True))
try:
    tiers.require("B")
    error = ""
except UserError as refusal:
    error = str(refusal)
print(json.dumps([asdict(record), int(outcome.output), error]))
"""


def test_the_record_says_what_there_is() -> None:
    record = tiers.strongest()
    assert record is tiers.strongest()
    assert record.tier in tiers.TIERS
    assert len(record.downgrades) == tiers.TIERS.index(record.tier)
    assert record.nested == (record.tier in ("A+", "A"))
    assert record.userns == bool(record.bwrap) == (record.tier in ("A+", "A", "B"))
    assert bool(record.cgroup) == (record.tier == "A+")
    assert record.landlock == landlock.version()
    assert os.geteuid() != 0 or record.uid != 0
    assert tiers.describe(record).startswith(f"tier {record.tier}")


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_where_user_namespaces_are_blocked_landlock_takes_their_place() -> None:
    """As under the default rules of container runtimes. Our own list of system calls does for theirs."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", BLOCKED], env=environment, capture_output=True, text=True)
    record, uid, error = json.loads(done.stdout)
    assert (record["tier"], record["net"], record["userns"], record["nested"]) == ("C", "seccomp", False, False)
    assert [reason.split(":")[0] for reason in record["downgrades"]] == ["A+", "A", "B"]
    assert uid == record["uid"] or os.geteuid() == 0
    assert "tier B" in error and "offers C" in error and "judge.minimum_tier=C" in error


# The sandbox alone: what the rest of the judge imports, that interpreter has not got.
PROBE = """
import json, sys, types
import rewardranker
judge = sys.modules["rewardranker.judge"] = types.ModuleType("rewardranker.judge")
judge.__path__ = [rewardranker.__path__[0] + "/judge"]
from rewardranker.judge.sandbox import LocalSandbox, Step, StepLimits, tiers
outcome = LocalSandbox().execute(Step(("id", "-u")), StepLimits(5, 30, 256, keep_output=True))
print(json.dumps([tiers.strongest().tier, int(outcome.output)]))
"""


def test_an_unprivileged_user_has_a_sandbox_too() -> None:
    """With an interpreter that this user may read: the system's."""
    python = "/usr/bin/python3"
    if os.geteuid() != 0 or not os.path.exists(python):
        pytest.skip("needs root, to become another user, and a Python in /usr")
    if subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False).returncode:
        pytest.skip(f"{python} is older than 3.11")
    with tempfile.TemporaryDirectory() as readable:
        os.chmod(readable, 0o755)
        shutil.copytree(Path(__file__).parents[2] / "rewardranker", Path(readable) / "rewardranker")
        for path in Path(readable).rglob("*"):
            path.chmod(0o755)
        done = subprocess.run(
            [python, "-B", "-c", PROBE],
            env={"PYTHONPATH": readable, "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
            user=65534,
            group=65534,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    tier, user = json.loads(done.stdout)
    assert tier in ("A+", "A", "B", "C") and user == 65534


def test_a_weaker_machine_than_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "strongest", lambda: RECORD)
    for enough in ("C", "D"):
        assert tiers.require(enough) is RECORD
    with pytest.raises(UserError, match="asked for a sandbox of tier A; this machine offers C, because why; so"):
        tiers.require("A")
    with pytest.raises(UserError, match="because so; install"):
        tiers.require("B")
    with pytest.raises(UserError, match="'E'; choose one of A"):
        tiers.require("E")


def test_the_open_tier_is_only_used_when_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tiers, "strongest", lambda: replace(RECORD, tier="D", downgrades=("A+: x", "A: x", "B: x", "C: y"))
    )
    with pytest.raises(UserError, match="offers D, because y"):
        LocalSandbox()
    assert tiers.require("D").tier == LocalSandbox("D").tier == "D"


def test_a_line_for_people() -> None:
    assert "user id 1 of its own" in tiers.describe(RECORD) and "no network" in tiers.describe(RECORD)
    assert "Landlock 7" in tiers.describe(RECORD)
    assert "open" in tiers.describe(replace(RECORD, tier="D", net="none"))


def test_without_bubblewrap_the_reason_is_that(monkeypatch: pytest.MonkeyPatch) -> None:
    bubblewrap.find.cache_clear()
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with pytest.raises(SandboxDied, match="tier A did not start: bubblewrap is not installed"):
        LocalSandbox("A").start()


def test_without_a_control_group_the_reason_is_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "_mounts", lambda: {})
    with pytest.raises(SandboxDied, match="no control groups are mounted"):
        LocalSandbox("A+").start()


def test_a_delegated_group_of_version_2_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ours holds processes and so has no controllers for groups below it; the one above has."""
    own = tmp_path / "slice" / "scope"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("\n")
    (own.parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    monkeypatch.setattr(cgroup, "_mounts", lambda: {"": tmp_path})
    monkeypatch.setattr(cgroup, "_own_paths", lambda: {"": "/slice/scope"})
    assert cgroup._parents() == (2, {"": own.parent})
    (own.parent / "cgroup.subtree_control").write_text("cpu\n")
    with pytest.raises(cgroup.Unavailable, match="delegated"):
        cgroup._parents()


def test_a_tool_chain_directory_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(places.TOOLCHAINS, raising=False)
    monkeypatch.setattr(places.tempfile, "gettempdir", lambda: str(tmp_path))
    place = Path(places.toolchain_directory())
    assert place.stat().st_mode & 0o777 == 0o755
    place.chmod(0o777)
    with pytest.raises(UserError, match="remove it"):
        places.toolchain_directory()
    place.rmdir()
    place.symlink_to("/usr")
    with pytest.raises(UserError, match="remove it"):
        places.toolchain_directory()
    monkeypatch.setenv(places.TOOLCHAINS, str(tmp_path / "shared"))
    assert places.toolchain_directory() == str(tmp_path / "shared") and (tmp_path / "shared").is_dir()
    monkeypatch.setenv(places.TOOLCHAINS, str(tmp_path / "none" / "shared"))
    with pytest.raises(UserError, match=f"No such file or directory.; set {places.TOOLCHAINS} to one that can"):
        places.toolchain_directory()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_decides_as_its_table_says(machine: str) -> None:
    """A small interpreter of such programs runs it: what is in the table is refused, the rest is allowed."""
    column, architecture = seccomp._MACHINES[machine]
    denied = {number[column] for number in seccomp._DENIED.values()} - {None}
    special = {name: numbers[column] for name, numbers in seccomp._SPECIAL.items()}
    for number in range(480):
        if number not in special.values():
            assert (decide(machine, architecture, number) == 0x50001) == (number in denied), number
    allow, refuse = 0x7FFF0000, 0x50000
    for name, arguments, expected in (
        ("clone", (0x11, 0), allow), ("clone", (0x10000011, 0), refuse | 1), ("clone3", (0, 0), refuse | 38),
        ("socket", (1, 0), allow), ("socket", (2, 0), refuse | 13), ("socket", (16, 0), refuse | 13),
        ("prlimit64", (0, 0), allow), ("prlimit64", (7, 0), refuse | 1),
        ("ioctl", (0, 0x5412), refuse | 1), ("ioctl", (0, 0x541C), refuse | 1), ("ioctl", (0, 0x5401), allow),
    ):  # fmt: skip
        assert decide(machine, architecture, special[name], *arguments) == expected, name
    assert decide(machine, 0x40000003, 1) == 0x80000000
    if machine == "x86_64":
        assert decide(machine, architecture, 0x40000000 + 101) == 0x50000 | 38


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_first_process_of_a_namespace_can_end_itself(machine: str) -> None:
    _, architecture = seccomp._MACHINES[machine]
    kill, tgkill = (seccomp._SPECIAL[name][seccomp._MACHINES[machine][0]] for name in ("kill", "tgkill"))
    ends = 0x80000000
    for number, arguments, expected in (
        (kill, (1, 9), ends), (kill, (0, 9), ends), (kill, (1, 15), 0), (kill, (7, 9), 0), (kill, (1, 0), 0),
        (tgkill, (1, 1, 9), ends), (tgkill, (1, 5, 6), 0), (tgkill, (7, 7, 9), 0),
    ):  # fmt: skip
        assert decide(machine, architecture, number, *arguments, first=True) == (expected or 0x7FFF0000)
        assert decide(machine, architecture, number, *arguments) == 0x7FFF0000


def decide(machine: str, architecture: int, number: int, *arguments: int, first: bool = False) -> int:
    data = {0: number, 4: architecture} | dict(zip((16, 24, 32), (*arguments, 0, 0, 0), strict=False))
    code, at, value = seccomp.program(machine, first), 0, 0
    while True:
        operation, yes, no, k = seccomp.struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        if operation == 0x20:
            value = data[k]
        elif operation == 0x06:
            return int(k)
        else:
            holds = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[operation]
            at += yes if holds else no


def test_a_machine_without_a_table_says_so() -> None:
    with pytest.raises(seccomp.Unavailable, match="riscv64"):
        seccomp.program("riscv64")
