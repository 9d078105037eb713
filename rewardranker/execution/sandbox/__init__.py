"""Where programs run: a server that confines them, and how to talk to it."""

from rewardranker.execution.sandbox.client import Sandbox, SandboxDied
from rewardranker.execution.sandbox.step import Outcome, Step, StepLimits

__all__ = ["Outcome", "Sandbox", "SandboxDied", "Step", "StepLimits"]
