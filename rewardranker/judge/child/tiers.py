"""Which confinement a tier stands for, from inside. See ``judge/sandbox/tiers.py`` for the tiers."""

from __future__ import annotations

from typing import Any

from . import landlock
from .confinement import Forked
from .namespaces import Nested
from .seccomp import Filter, Unavailable

_DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]


def confine(plan: dict[str, Any]) -> Forked | Nested:
    """The confinement of ``plan``: its ``tier``, ``home`` (a directory of ours), paths that are ``readable``.

    Ends the server with a message where the machine lacks what the tier is made of.
    """
    tier = plan["tier"]
    if tier in ("A+", "A"):
        return Nested(_filter(), _filter(first=True), landlock.Landlock.beside_proc())
    if tier == "B":
        places = landlock.all_but_proc()
        rules = landlock.Landlock.allow_list(places, _DEVICES, ["/"]) if landlock.version() else None
        return Forked(plan["home"], True, rules, _filter())
    if tier == "D":
        return Forked(plan["home"], False, None, None)
    seccomp = _filter()
    if seccomp is None or not landlock.version():
        raise SystemExit("the kernel has no Landlock, or this machine no seccomp table")
    return Forked(plan["home"], False, landlock.Landlock.allow_list(plan["readable"], _DEVICES, []), seccomp)


def _filter(first: bool = False) -> Filter | None:
    """``None`` on a machine without a table: namespaces do without."""
    try:
        return Filter(first)
    except Unavailable:
        return None
