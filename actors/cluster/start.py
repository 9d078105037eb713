"""Starting or joining Ray, comparing what a run needs with what there is, reserving it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

from rewardranker.config.schema import ClusterConfig, Config
from rewardranker.errors import UserError
from rewardranker.runs.signals import end_as_by_ctrl_c
from rewardranker.training.demand import Uses, cores, require

START_ATTEMPTS = 4
CONNECT_S, HEALTH_S = 10.0, 40.0
#: The longest path that Ray makes a socket at, below its temporary directory; Linux allows so many bytes.
SOCKET, LONGEST_SOCKET = "ray/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store", 107
Bundle = dict[str, float]


def start_ray(config: ClusterConfig) -> None:
    """Joins the cluster of the config, or starts a local one.

    Inside a submitted job ``RAY_ADDRESS`` is set, and wins over ``local``.

    Raises:
        UserError: no cluster answers at the address, or a local one could not put its sockets anywhere.
    """
    # Ray lowers the priority of workers; on shared machines they then starve.
    os.environ.setdefault("RAY_worker_niceness", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    arguments: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    setting, address = "cluster.address", config.address
    if address == "local" and "RAY_ADDRESS" in os.environ:
        setting, address = "RAY_ADDRESS", os.environ["RAY_ADDRESS"]
    if address == "local":
        _require_room_for_sockets()
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        arguments |= {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": config.object_store_mb << 20,
            "num_cpus": config.num_cpus or cores(),
        }
    else:
        if address != "auto":
            _require_cluster(setting, address)
        arguments["address"] = address
    for attempt in range(START_ATTEMPTS):
        try:
            ray.init(**arguments)
            end_as_by_ctrl_c()  # again: Ray has put a handler of its own there, which prints a trace of its library
            return
        except SystemExit as end:  # by that handler
            raise KeyboardInterrupt from end
        except ConnectionError as error:
            raise _nobody(setting, address, str(error)) from error
        except Exception as error:
            # A busy machine can miss Ray's fixed 30 s; Ray raises a bare Exception for it.
            if "timed out during startup" not in str(error) or attempt == START_ATTEMPTS - 1:
                raise
            ray.shutdown()
            time.sleep(2)


def _require_room_for_sockets() -> None:
    """Raises :class:`UserError` where Ray's directory is so long that no socket fits below it."""
    variable = "RAY_TMPDIR" if "RAY_TMPDIR" in os.environ else "TMPDIR"
    folder = os.environ.get(variable, "/tmp")
    room = LONGEST_SOCKET - len(os.fsencode(f"{folder}/{SOCKET}"))
    if room < 0:
        raise UserError(
            f"{variable}={folder} is {-room} bytes too long for the sockets that Ray puts below it (a socket's path "
            f"has at most {LONGEST_SOCKET} bytes); set RAY_TMPDIR to a short directory, e.g. RAY_TMPDIR=/tmp"
        )


def _require_cluster(setting: str, address: str) -> None:
    """Raises :class:`UserError` where no cluster answers; ``ray.init`` itself would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise _nobody(setting, address, "an address is HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise _nobody(setting, address, str(error)) from error
    if address.startswith("ray://"):  # the client's server has no such check
        return
    check = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        found = subprocess.run(check, capture_output=True, text=True, timeout=HEALTH_S)
    except subprocess.TimeoutExpired as error:
        raise _nobody(setting, address, f"no answer within {HEALTH_S:g} s") from error
    if found.returncode:
        raise _nobody(setting, address, "what answers is not a healthy head node")


def _nobody(setting: str, address: str, reason: str) -> UserError:
    instead = "unset it" if setting == "RAY_ADDRESS" else "set cluster.address=local"
    return UserError(
        f"{setting}={address}: no Ray cluster answers there ({reason}); start one with `ray start --head`, or "
        f"{instead} to use this machine alone"
    )


def preflight(config: Config, uses: Uses) -> None:
    """Compares what a command reserves with the cluster's nodes.

    Raises:
        UserError: see :func:`rewardranker.training.demand.require`.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for kind in ("GPU", "CPU"):
        require(config, uses, kind, [node.get(kind, 0.0) for node in nodes])


def reserve(name: str, bundles: Sequence[Bundle], config: ClusterConfig) -> PlacementGroup:
    """A placement group, packed on few nodes.

    Raises:
        UserError: it was not free within ``cluster.placement_timeout_s``.
    """
    group = placement_group([{k: v for k, v in b.items() if v} for b in bundles], strategy="PACK", name="")
    if not group.wait(config.placement_timeout_s):
        remove_placement_group(group)
        raise UserError(
            f"{name}: {len(bundles)} bundles of {bundles[0]} were not free within "
            f"cluster.placement_timeout_s={config.placement_timeout_s:g} s; free now: {ray.available_resources()}"
        )
    return group
