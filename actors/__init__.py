"""The runtime: where each role lives, on a laptop's cores or a cluster's GPUs."""
