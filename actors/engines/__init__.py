"""Training engines that shard a network over its ranks."""
