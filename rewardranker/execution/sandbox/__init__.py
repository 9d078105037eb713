"""Where programs run: a server inside the best confinement that this machine offers, and how to talk to it."""

from rewardranker.execution.sandbox.client import Sandbox, SandboxDied
from rewardranker.execution.sandbox.step import Outcome, Step, StepLimits

__all__ = ["Outcome", "Sandbox", "SandboxDied", "Step", "StepLimits"]
