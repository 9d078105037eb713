"""The sandboxes that a machine offers, found out by starting one.

======  ====================================================================================================
A+      A, in a control group: hard limits on memory and tasks for all processes of a program together, exact
        CPU time
A       bubblewrap around the server, and for each program user, process, mount and IPC namespaces of its own
B       bubblewrap around the server, whose programs share it one after another
C       no namespaces: Landlock, seccomp, and as root a user id of its own
D       resource limits only: files and network are open. Never chosen, only asked for
======  ====================================================================================================
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

from rewardranker.errors import UserError
from rewardranker.judge.child import landlock
from rewardranker.judge.sandbox.places import toolchain_directory
from rewardranker.judge.sandbox.process import TIERS, NotStarted, ServerProcess

__all__ = ["TIERS", "SandboxRecord", "describe", "require", "strongest", "toolchain_directory"]


@dataclass(frozen=True)
class SandboxRecord:
    """What this machine offers.

    Attributes:
        tier: the best there is.
        bwrap: version of bubblewrap where it is used, else empty.
        userns: whether the sandbox has a user namespace.
        nested: whether each program has namespaces of its own.
        proc: the inside's /proc: ``own``, ``bind`` (the outside's), ``none``, or ``host`` without a namespace.
        net: what keeps programs off the network: ``namespace``, ``seccomp`` or ``none``.
        cgroup: version of the control groups in use, 0 for none.
        seccomp: whether system calls are filtered.
        landlock: version of the kernel's interface, 0 for none.
        uid: user id that programs run as.
        downgrades: ``TIER: reason`` for each better tier, which is why it is not used.
    """

    tier: str
    bwrap: str
    userns: bool
    nested: bool
    proc: str
    net: str
    cgroup: int
    seccomp: bool
    landlock: int
    uid: int
    downgrades: tuple[str, ...]


@lru_cache(maxsize=1)
def strongest() -> SandboxRecord:
    """The best sandbox of this machine, tried once per process."""
    downgrades: list[str] = []
    for tier in TIERS[:-1]:
        try:
            return record(tier, tuple(downgrades))
        except NotStarted as error:
            downgrades.append(f"{tier}: {error.reason}")
    return record(TIERS[-1], tuple(downgrades))


def record(tier: str, downgrades: tuple[str, ...] = ()) -> SandboxRecord:
    """Starts that tier's sandbox and says what it is made of. Raises ``NotStarted``."""
    server = ServerProcess(tier, ())
    try:
        facts, tool, group = server.facts, server.bubblewrap, server.cgroup_version
    finally:
        server.stop()
    return SandboxRecord(
        tier=tier,
        bwrap=tool.version if tool is not None else "",
        userns=tool is not None,
        nested=facts["pid"] == 1,
        proc=tool.proc if tool is not None else "host",
        net="namespace" if tool is not None else "seccomp" if facts["seccomp"] else "none",
        cgroup=group,
        seccomp=facts["seccomp"],
        landlock=landlock.version(),
        uid=facts["uid"],
        downgrades=downgrades,
    )


def require(minimum: str) -> SandboxRecord:
    """The best sandbox of this machine.

    Raises:
        UserError: it is weaker than ``minimum``.
    """
    if minimum not in TIERS:
        raise UserError(f"there is no sandbox tier {minimum!r}; choose one of {', '.join(TIERS)}")
    best = strongest()
    if TIERS.index(best.tier) > TIERS.index(minimum):
        reasons = dict.fromkeys(reason.split(": ", 1)[1] for reason in best.downgrades[TIERS.index(minimum) :])
        raise UserError(
            f"asked for a sandbox of tier {minimum}; this machine offers {best.tier}, because {'; '.join(reasons)}; "
            f"install bubblewrap and allow user namespaces, or set judge.minimum_tier={best.tier}"
        )
    return best


def describe(record: SandboxRecord) -> str:
    """One line for a person."""
    parts = [f"tier {record.tier}"]
    if record.bwrap:
        parts.append(f"bubblewrap {record.bwrap}")
    if record.nested:
        parts.append("namespaces per program")
    if record.cgroup:
        parts.append(f"control group (version {record.cgroup})")
    if record.tier == "C":
        parts.append(f"Landlock {record.landlock}")
    if record.seccomp:
        parts.append("seccomp")
    own = record.uid != os.geteuid()
    parts.append(f"user id {record.uid}{' of its own' if own else ''}")
    parts.append("no network" if record.net != "none" else "network and files are open")
    return ", ".join(parts)
