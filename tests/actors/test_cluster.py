"""What a run asks for is compared with the cluster before anything starts."""

from __future__ import annotations

import pytest

from actors.cluster import demand, preflight, reserve
from rewardranker.config.loading import load_config
from rewardranker.config.schema import ClusterConfig
from rewardranker.errors import UserError


def test_demand_counts_every_process() -> None:
    config = load_config(None, ["cluster.ranks=2", "rollout.workers=3", "judge.executors=4"])
    assert len(demand(config)) == 2 + 3 + 4
    config = load_config(None, ["cluster.ranks=2", "cluster.placement=disaggregated", "cluster.role_ranks.policy=4"])
    assert len(demand(config)) == (4 + 3 * 2) + 1 + 2


def test_more_ranks_than_the_cluster_has(ray_local: None) -> None:
    with pytest.raises(UserError, match=r"asked for 103 CPUs .* the cluster has 2 on 1 node\(s\) of 2\. Lower"):
        preflight(load_config(None, ["cluster.ranks=100", "sft.minibatch_size=128", "reward.minibatch_size=128"]))
    with pytest.raises(UserError, match="asked for 1 GPUs"):
        preflight(load_config(None, ["cluster.gpus_per_rank=1"]))


def test_what_is_taken_is_waited_for_no_longer_than_allowed(ray_local: None) -> None:
    with pytest.raises(UserError, match=r"late: 1 bundles of .* were not free within .*=0.5 s"):
        reserve("late", [{"CPU": 64.0}], ClusterConfig(placement_timeout_s=0.5))
