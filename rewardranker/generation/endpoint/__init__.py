"""Candidates from any server that speaks OpenAI's protocol."""

from rewardranker.config.endpoint import EndpointConfig
from rewardranker.generation.endpoint.report import EndpointReport
from rewardranker.generation.endpoint.sampling import sample_endpoint

__all__ = ["EndpointConfig", "EndpointReport", "sample_endpoint"]
