"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rewardranker.judge import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """One sandbox for all files: its resident compilers take seconds to start."""
    with Judge(workers=1) as judge:
        yield judge
