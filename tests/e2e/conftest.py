"""These tests start Ray in processes of their own."""

from __future__ import annotations

import os

os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["OMP_NUM_THREADS"] = "1"
# Without a hub each of its names would be asked for six times, for half a minute; with one, tests would depend on it.
os.environ["HF_HUB_OFFLINE"] = "1"
