"""What came of asking an endpoint: how much is there, what is missing and why, what it took and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rewardranker.config.endpoint import EndpointConfig
from rewardranker.generation.endpoint.journal import Record
from rewardranker.problems.io import first_few


@dataclass
class Usage:
    """Tokens that a server counted, and their price; ``uncounted`` answers came without counts."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0
    cost: float = 0.0

    def __str__(self) -> str:
        text = f"{self.prompt_tokens:,} prompt + {self.completion_tokens:,} completion tokens"
        text += f", cost {self.cost:,.4f}" if self.cost else ""
        return text + (f" ({self.uncounted:,} answers without a count not included)" if self.uncounted else "")


@dataclass
class EndpointReport:
    """Counts of one call of :func:`sample_endpoint`.

    Attributes:
        wanted: samples asked for by the caller, of so many ``problems``.
        found: of these, already in the journal.
        sampled: of these, new.
        missing: how many each problem lacks; empty where all is there.
        reasons: why, counted in samples.
        details: the first message under each reason.
        stopped: why the run ended before everything had been asked; empty where it did not.
        adapted: what the server turned out not to do, and what was done instead.
        requests, retried: sent, tries included; passing errors by reason.
        this_run, whole_journal: tokens and cost.
        models: what the server says it ran.
        without_logprobs, empty: samples without log-probabilities (though asked for), and without text.
        unusual: finish reasons that say neither that a text ended nor that it was cut off at the limit.
    """

    problems: int
    wanted: int
    found: int
    sampled: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    adapted: list[str] = field(default_factory=list)
    requests: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    this_run: Usage = field(default_factory=Usage)
    whole_journal: Usage = field(default_factory=Usage)
    models: list[str] = field(default_factory=list)
    without_logprobs: int = 0
    empty: int = 0
    unusual: Counter[str] = field(default_factory=Counter)

    @property
    def complete(self) -> bool:
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        plain = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}
        return plain | {"this_run": vars(self.this_run), "whole_journal": vars(self.whole_journal)}

    def why_missing(self) -> str:
        """The reasons, most frequent first, each with its first message."""
        return "; ".join(
            f"{count:,} {reason}: {self.details[reason]}" for reason, count in self.reasons.most_common()
        )

    def lines(self) -> list[str]:
        """For people; what is wrong is in :meth:`warnings`."""
        there = self.found + self.sampled
        came = f"{self.found:,} from the journal, {self.sampled:,} new"
        lines = [
            f"endpoint {', '.join(self.models) or '(no answer)'}: {there:,} of {self.wanted:,} samples of "
            f"{self.problems:,} problems ({came}) in {self.requests:,} requests",
            f"this run took {self.this_run}",
        ]
        if self.found:
            lines.append(f"the whole journal took {self.whole_journal}")
        if self.retried:
            lines.append(f"passing errors: {_counts(self.retried)}")
        return lines

    def warnings(self) -> list[str]:
        warnings = [*self.adapted]
        if self.missing:
            warnings.append(
                f"{sum(self.missing.values()):,} samples of {len(self.missing):,} problems are missing "
                f"({first_few(sorted(self.missing))}): {self.why_missing()}. Run again with the same journal: only "
                "these are asked for"
            )
        if self.stopped:
            warnings.append(f"stopped early: {self.stopped}")
        if self.without_logprobs:
            warnings.append(f"{self.without_logprobs:,} samples came without log-probabilities")
        if self.empty:
            warnings.append(f"{self.empty:,} samples hold no text")
        if self.unusual:
            warnings.append(f"unusual finish reasons, counted as cut off: {_counts(self.unusual)}")
        if len(self.models) > 1:
            warnings.append(f"the journal mixes what the server calls {', '.join(self.models)}")
        return warnings


def usage_of(records: Iterable[Record], config: EndpointConfig) -> Usage:
    """Sums over records, at the config's prices per million tokens."""
    usage = Usage()
    for record in records:
        prompt, completion = record.answer.prompt_tokens, record.answer.completion_tokens
        usage.uncounted += prompt is None or completion is None
        usage.prompt_tokens += prompt or 0
        usage.completion_tokens += completion or 0
    paid = usage.prompt_tokens * config.prompt_price + usage.completion_tokens * config.completion_price
    usage.cost = paid / 1e6
    return usage


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name or 'none'} {count:,}" for name, count in counter.most_common())
