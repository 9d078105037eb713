"""OpenAI's protocol: what a request says, and what an answer means. Pure functions."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from rewardranker.config.endpoint import MOST_STOPS, EndpointConfig
from rewardranker.problems.io import well_formed
from rewardranker.problems.types import Problem

Json = dict[str, Any]

#: Servers' names for a text that ended by itself, and for one that was cut off.
_STOPPED = ("stop", "eos", "eos_token", "end_turn", "stop_sequence")
_CUT = ("length", "max_tokens")
_CHARACTERS_PER_TOKEN = 3  # of code; only for reserving tokens before the answer says what it took
_LONGEST_MESSAGE = 300


class Malformed(Exception):
    """An answer that is not what the protocol says; the message says how."""


@dataclass(frozen=True)
class Choice:
    """One sampled text, as the server gave it; lists are empty where it gave none."""

    text: str
    finish_reason: str
    logprobs: list[float] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What came back for one request; counts are ``None`` where the server keeps none.

    ``model`` is what the server says it ran: the version behind a name that moves.
    """

    choices: list[Choice]
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str = ""


def stops_for(config: EndpointConfig, problem: Problem) -> list[str]:
    """Where a text ends before its end token. Chat answers hold fences and prose: only the config's own stops.

    OpenAI's protocol has room for :data:`MOST_STOPS`. The rest of a problem's stops are left out: texts run on, and
    the program is cut there when it is extracted.
    """
    own = problem.stop_tokens if config.style == "completions" and config.problem_stops else ()
    return list(dict.fromkeys((*config.stop, *own)))[:MOST_STOPS]


def request_body(config: EndpointConfig, prompt: str, stop: list[str], n: int, seed: int, logprobs: bool) -> Json:
    """The body of a request for ``n`` samples.

    ``temperature`` and ``top_p`` are always sent: vLLM would else take them from the model's directory.
    """
    body: Json = {"model": config.model}
    if config.style == "chat":
        system = [{"role": "system", "content": config.system}] if config.system else []
        body["messages"] = [*system, {"role": "user", "content": prompt}]
    else:
        body["prompt"] = prompt
    body |= {"temperature": config.temperature, "top_p": config.top_p, "max_tokens": config.max_new_tokens}
    body["seed"] = seed
    if n > 1:
        body["n"] = n
    if stop:
        body["stop"] = stop
    if config.top_k:
        body["top_k"] = config.top_k
    if logprobs:
        body["logprobs"] = True if config.style == "chat" else 1
    if config.token_ids:
        body["return_token_ids"] = True
    return {name: value for name, value in (body | config.extra).items() if value is not None}


def reserved_tokens(config: EndpointConfig, prompt: str, n: int) -> int:
    """What a request may take at most, roughly: prompt, and ``max_new_tokens`` for each sample."""
    return (len(config.system) + len(prompt)) // _CHARACTERS_PER_TOKEN + n * config.max_new_tokens


def parse_answer(content: bytes, style: str) -> Answer:
    """Reads a body that came with status 200; choices in the order of their ``index``.

    Log-probabilities that are missing for a token, or not numbers, count as not given at all.

    Raises:
        Malformed: not JSON, an error in place of an answer, or no choice with a text.
    """
    try:
        body = well_formed(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Malformed(f"a JSON {type(body).__name__}, not an object")
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Malformed(error_of(content)[0] if body.get("error") else "no choices")
    if not all(isinstance(choice, dict) for choice in choices):
        raise Malformed("a choice is not an object")
    places = [choice.get("index") for choice in choices]
    if all(isinstance(place, int) for place in places):
        choices = [choice for _, choice in sorted(zip(places, choices, strict=True), key=lambda pair: pair[0])]
    read = _chat_choice if style == "chat" else _completions_choice
    found = body.get("usage")
    usage = found if isinstance(found, dict) else {}
    model = body.get("model")
    return Answer(
        [read(choice) for choice in choices],
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        model if isinstance(model, str) else "",
    )


def error_of(content: bytes) -> tuple[str, str]:
    """The message of a refusal, on one line, and the server's code for it (empty where it gives none)."""
    text = content.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return _one_line(text), ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _one_line(error if isinstance(error, str) else text), ""
    message = error.get("message") or error.get("detail") or text
    code = error.get("code") or error.get("type") or ""
    return _one_line(message if isinstance(message, str) else json.dumps(message)), str(code)


def finish_reason(name: str) -> str:
    """``stop`` for a text that ended by itself, ``length`` for any other: cut off, filtered, aborted, unknown."""
    return "stop" if name in _STOPPED else "length"


def is_usual(name: str) -> bool:
    """Whether a finish reason says no more than that the text ended, or was cut off at the limit."""
    return name in _STOPPED or name in _CUT


def _chat_choice(choice: Json) -> Choice:
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Malformed("a choice without a message")
    given = choice.get("logprobs")
    content = given.get("content") if isinstance(given, dict) else None
    logprobs = [entry.get("logprob") for entry in content or [] if isinstance(entry, dict)]
    return _choice(choice, message.get("content"), logprobs)


def _completions_choice(choice: Json) -> Choice:
    if "text" not in choice:
        raise Malformed("a choice without a text")
    given = choice.get("logprobs")
    return _choice(choice, choice["text"], given.get("token_logprobs") if isinstance(given, dict) else None)


def _choice(choice: Json, text: object, logprobs: object) -> Choice:
    if text is not None and not isinstance(text, str):
        raise Malformed(f"a text that is {type(text).__name__}")
    reason, ids = choice.get("finish_reason"), choice.get("token_ids")
    numbers = [float(x) for x in logprobs if _is_number(x)] if isinstance(logprobs, list) else []
    whole = isinstance(logprobs, list) and len(numbers) == len(logprobs)
    return Choice(
        # Null where a model was cut off while thinking, or refused: a sample all the same, of no text.
        _encodable(text or ""),
        reason if isinstance(reason, str) else "",
        numbers if whole else [],
        ids if isinstance(ids, list) and all(_count(x) is not None for x in ids) else [],
    )


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and x < math.inf  # neither inf nor NaN


def _count(x: object) -> int | None:
    return x if isinstance(x, int) and not isinstance(x, bool) and x >= 0 else None


def _encodable(text: str) -> str:
    """Half of a surrogate pair, which a model can emit, is no text that a file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_MESSAGE else f"{words[:_LONGEST_MESSAGE]}…"
