"""Where the data sets of contest problems are on the hub, by the name of their source."""

from __future__ import annotations

HUBS = {
    "code_contests": "deepmind/code_contests",
    "codeforces": "open-r1/codeforces",
    "code_contests_plus": "ByteDance-Seed/Code-Contests-Plus",
}
