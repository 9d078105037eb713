"""The settings of an endpoint, typed, and what they must satisfy."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rewardranker.config.setting import setting
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
    """A server with OpenAI's protocol that samples for `rewardranker evaluate`. A request without an answer, or with
    a passing error, is sent again; what came is in a journal, and is never asked for twice."""

    base_url: str = setting("", "Its address, e.g. `http://localhost:8000/v1`; empty: no endpoint.")
    model: str = setting("", "The name under which the server knows the model.")
    style: str = setting(
        "chat",
        "chat: `/chat/completions`, for instruction-tuned models; completions: `/completions`, for base models.",
        choices=STYLES,
    )
    system: str = setting("", "The system message, with `style` chat.")
    api_key_env: str = setting("", "The environment variable that holds the key; empty sends none.")
    temperature: float = setting(0.7, "Of sampling.")
    top_p: float = setting(1.0, "Share of the probability that is drawn from; 1: all.")
    top_k: int = setting(0, "0 leaves it to the server (OpenAI knows no such field), -1 asks one that does for none.")
    max_new_tokens: int = setting(1024, "Longest answer.", unit="tokens")
    stop: list[str] = setting([], "Texts that end every answer.")
    problem_stops: bool = setting(
        True,
        "Add a problem's own stop tokens to base prompts (four in all; programs are cut at the others later).",
    )
    seed: int = setting(0, "Of the requests.")
    logprobs: bool = setting(True, "Ask for log-probabilities.")
    token_ids: bool = setting(False, "Ask for token ids (vLLM).")
    extra: dict[str, Any] = setting(
        {},
        "Fields that are added to every request, or replace ours; null removes one, e.g. "
        "`{max_tokens: null, max_completion_tokens: 4096}`.",
    )
    samples_per_request: int = setting(
        0, "0: all of a problem at once, where the server can; 1: one each, so that its seed alone repeats a sample."
    )
    concurrency: int = setting(8, "Requests at a time.")
    requests_per_minute: int = setting(0, "At most; 0: no limit.")
    tokens_per_minute: int = setting(
        0, "At most, prompts and answers; an answer is reserved whole, and corrected when it came; 0: no limit."
    )
    timeout_s: float = setting(300.0, "Longest wait for an answer.", unit="s")
    max_retries: int = setting(6, "A request is sent again so often.")
    max_wait_s: float = setting(120.0, "A server that asks for a longer wait is left alone.", unit="s")
    give_up_after: int = setting(20, "A server that fails so many requests in a row is left alone.")
    prompt_price: float = setting(0.0, "In any currency.", unit="per million tokens")
    completion_price: float = setting(0.0, "In any currency.", unit="per million tokens")


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
