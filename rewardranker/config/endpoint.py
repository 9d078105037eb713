"""The settings of an endpoint, typed, and what they must satisfy."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rewardranker.errors import UserError

STYLES = ("chat", "completions")
#: Stop strings in one request, by OpenAI's protocol; servers refuse more.
MOST_STOPS = 4
#: Fields of a request that ``extra`` may not touch: the answers could no longer be told apart or be read.
OURS = ("model", "messages", "prompt", "n", "stream", "echo", "best_of")
#: What shapes the text of a sample; samples made with different values of these never share a journal.
SHAPING = (
    "model", "style", "system", "temperature", "top_p", "top_k", "max_new_tokens", "stop", "problem_stops",
    "seed", "logprobs", "token_ids", "extra",
)  # fmt: skip


@dataclass
class EndpointConfig:
    """A server with ``/chat/completions`` (``style: chat``, for instruction-tuned models) or ``/completions``
    (``style: completions``, for base models) below ``base_url``, e.g. ``http://localhost:8000/v1``.

    The key is read from the environment variable ``api_key_env``; empty sends none.

    Sampling. ``top_k`` 0 leaves it to the server (OpenAI knows no such field), -1 asks a server that knows it to
    switch it off. ``stop`` ends every text, ``problem_stops`` adds a problem's own stop tokens to base prompts (four
    in all, which is what the protocol takes; programs are cut at the others when they are extracted).
    ``token_ids`` asks for them (vLLM). ``extra`` adds fields to every request or replaces ours; null removes one
    (``{max_tokens: null, max_completion_tokens: 4096}``). ``samples_per_request`` 0 asks for all samples of a
    problem at once, where the server can; 1 gives each its own request, so that its seed alone repeats it.

    Patience. Limits per minute, 0 for none: of requests, and of tokens (reserved as the prompt's plus
    ``max_new_tokens`` for each sample, corrected when the answer says what it took). A request without an
    answer within ``timeout_s``, or with a passing error, is sent again up to ``max_retries`` times; a server that
    asks for a longer wait than ``max_wait_s``, or fails ``give_up_after`` requests in a row, is left alone.

    Prices are per million tokens, in whatever currency.
    """

    base_url: str = ""
    model: str = ""
    style: str = "chat"
    system: str = ""
    api_key_env: str = ""
    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 1024
    stop: list[str] = field(default_factory=list)
    problem_stops: bool = True
    seed: int = 0
    logprobs: bool = True
    token_ids: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    samples_per_request: int = 0
    concurrency: int = 8
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    timeout_s: float = 300.0
    max_retries: int = 6
    max_wait_s: float = 120.0
    give_up_after: int = 20
    prompt_price: float = 0.0
    completion_price: float = 0.0


def check_endpoint(config: EndpointConfig, section: str = "endpoint") -> None:
    """Raises :class:`UserError` for the first rule that a setting breaks, under its name in ``section``."""
    _check_address(config, section)
    if config.style not in STYLES:
        raise UserError(f"{section}.style={config.style!r}: must be one of {', '.join(STYLES)}")
    if config.system and config.style != "chat":
        raise UserError(f"{section}.system: only {section}.style=chat has a system message")
    # Never printed: whoever mistakes the name for the key would find the key in a log.
    if config.api_key_env and not re.fullmatch(r"[A-Z_][A-Z0-9_]*+", config.api_key_env):
        raise UserError(
            f"{section}.api_key_env must be the name of an environment variable, in capitals (e.g. "
            "OPENAI_API_KEY), that holds the key; the key itself never belongs in a config"
        )
    for name, least, strictly in _BOUNDS:
        number = vars(config)[name]
        if not math.isfinite(number) or number < least or (strictly and number == least):
            rule = f"greater than {least}" if strictly else f"at least {least}"
            raise UserError(f"{section}.{name}={number}: must be {rule}")
    if not 0 < config.top_p <= 1:
        raise UserError(f"{section}.top_p={config.top_p}: must lie above 0 and not above 1; 1 is off")
    if len(config.stop) > MOST_STOPS:
        raise UserError(
            f"{section}.stop has {len(config.stop)} strings: servers take at most {MOST_STOPS}; leave some out "
            f"(programs are cut when they are extracted), or, for a server that takes more, set {section}.extra.stop"
        )
    taken = [name for name in OURS if name in config.extra]
    if taken:
        raise UserError(f"{section}.extra sets {', '.join(taken)}, which the sampler sets itself; remove it")


def shaping(config: EndpointConfig) -> dict[str, Any]:
    """The settings that shape a sample, as plain JSON values."""
    return {name: vars(config)[name] for name in SHAPING}


def api_key(config: EndpointConfig, section: str = "endpoint") -> str:
    """The key from its environment variable; empty where none is asked for.

    Raises:
        UserError: the variable is not set, or holds what no header can carry.
    """
    if not config.api_key_env:
        return ""
    key = os.environ.get(config.api_key_env, "").strip()
    if not key:
        raise UserError(
            f"{section}.api_key_env={config.api_key_env}: that environment variable is not set; export it, or "
            f"leave {section}.api_key_env empty for a server without keys"
        )
    if not re.fullmatch(r"[!-~]++", key):
        raise UserError(f"environment variable {config.api_key_env} holds spaces or characters outside ASCII: no key")
    return key


_BOUNDS = (
    ("temperature", 0, False), ("top_k", -1, False), ("max_new_tokens", 1, False), ("samples_per_request", 0, False),
    ("concurrency", 1, False), ("requests_per_minute", 0, False), ("tokens_per_minute", 0, False),
    ("timeout_s", 0, True), ("max_retries", 0, False), ("max_wait_s", 0, True), ("give_up_after", 1, False),
    ("prompt_price", 0, False), ("completion_price", 0, False),
)  # fmt: skip


def _check_address(config: EndpointConfig, section: str) -> None:
    try:
        url = urlsplit(config.base_url)
        known = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        known = False
    if not known:
        raise UserError(
            f"{section}.base_url={config.base_url!r}: must be an address like http://localhost:8000/v1, below which "
            "the server has /chat/completions or /completions"
        )
    if url.username or url.password or url.query or url.fragment:
        raise UserError(
            f"{section}.base_url must end with its path and hold no user, password or query: a key belongs in the "
            f"environment variable that {section}.api_key_env names"
        )
    if url.path.rstrip("/").endswith("/completions"):
        raise UserError(f"{section}.base_url={config.base_url}: leave out /completions, {section}.style chooses it")
    if not config.model:
        raise UserError(f"{section}.model is empty: give the name under which the server knows the model")
