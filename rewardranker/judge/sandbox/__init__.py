"""Where programs run: a server inside the best confinement that this machine offers, and how to talk to it."""

from rewardranker.judge.sandbox.client import LocalSandbox, SandboxDied
from rewardranker.judge.sandbox.interface import Sandbox
from rewardranker.judge.sandbox.step import Outcome, Step, StepLimits

__all__ = ["LocalSandbox", "Outcome", "Sandbox", "SandboxDied", "Step", "StepLimits"]
