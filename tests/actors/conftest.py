"""One local Ray for the session, and small models that differ only in their weights."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import ray
from rollouts import workers
from small_models import make_model

from actors.cluster.group import WorkerGroup


@pytest.fixture(scope="session")
def ray_local() -> Iterator[None]:
    """Ray gives up starting after 30 s, which a busy machine can need; then it is asked again."""
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
    for attempt in range(4):
        try:
            ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=200 * 2**20)
            break
        except Exception as error:
            if "timed out during startup" not in str(error) or attempt == 3:
                raise
            ray.shutdown()
            time.sleep(2)
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def groups(ray_local: None) -> Iterator[dict[int, WorkerGroup]]:
    """One worker, and two that are joined: a process that has imported torch serves the roles of all files."""
    made = {count: workers("test", count, joined=True) for count in (1, 2)}
    yield made
    for group in made.values():
        group.shutdown()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three model directories of one architecture: tied embeddings, grouped heads, 2.2 MB of fp32."""
    return [str(make_model(tmp_path_factory.mktemp("model"), seed)) for seed in range(3)]
