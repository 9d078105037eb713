"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rewardranker.judge import Judge


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(workers=1) as judge:
        yield judge
