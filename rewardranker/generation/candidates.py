"""Writing and scoring candidates: functions on a batch of problems.

They are told how to generate and score by plain functions, so that the same code serves a single
process, actor pools and Ray Data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from transformers import PreTrainedTokenizerBase

from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.encoding import decode_response, encode_continuation, encode_pair, encode_prompt
from rewardranker.models.endings import Endings
from rewardranker.models.limits import Limits, Readable, describe_unread
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import completion_of, extract
from rewardranker.runs.seeds import derive_seed

Generate = Callable[[list[Request], Sampling], list[Response]]
Score = Callable[[list[TokenSequence]], list[float]]

#: A larger share of answers that were cut off is warned of.
MANY_CUT_OFF = 0.1


def requests_for(
    problems: Sequence[Problem], n: int, tokenizer: PreTrainedTokenizerBase, chat: bool, *seed: str | int
) -> list[Request]:
    """``n`` requests for each problem, sample by sample; seeds from ``seed``, problem and sample index."""
    requests = []
    for problem in problems:
        ids = encode_prompt(tokenizer, problem.prompt, chat)
        requests += [Request(problem.id, ids, derive_seed(*seed, problem.id, i)) for i in range(n)]
    return requests


def to_candidates(
    requests: Sequence[Request],
    responses: Sequence[Response],
    problems: Mapping[str, Problem],
    tokenizer: PreTrainedTokenizerBase,
    source: str,
) -> list[Candidate]:
    """Responses as candidates with their program extracted; not judged, not scored."""
    candidates = []
    for request, response in zip(requests, responses, strict=True):
        problem = problems[request.problem_id]
        text = decode_response(tokenizer, response.token_ids, response.finish_reason == "stop")
        candidates.append(
            Candidate(
                problem_id=problem.id,
                language=problem.language,
                text=text,
                code=extract(problem, text),
                source=source,
                token_ids=list(response.token_ids),
                logprobs=[float(x) for x in response.logprobs],
                finish_reason=response.finish_reason,
                seed=request.seed,
                weights_version=response.weights_version,
            )
        )
    return candidates


def cut_off(candidates: Sequence[Candidate]) -> float:
    """Share of the answers that did not end by themselves, of those of which that is known; 0 of none."""
    reasons = [c.finish_reason for c in candidates if c.finish_reason]
    return sum(reason == "length" for reason in reasons) / len(reasons) if reasons else 0.0


def describe_cut_off(candidates: Sequence[Candidate]) -> str:
    """A sentence for a person where more than :data:`MANY_CUT_OFF` of the answers were cut off; else nothing."""
    share = cut_off(candidates)
    if share <= MANY_CUT_OFF:
        return ""
    return (
        f"{share:.0%} of the answers were cut off at their greatest length, and most of those cannot pass: raise "
        "max_new_tokens, or ask for less (data.instruction, or a benchmark set's instruction)"
    )


def readable_candidates(
    candidates: Sequence[Candidate],
    problems: Mapping[str, Problem],
    tokenizer: PreTrainedTokenizerBase,
    chat: bool,
    limits: Limits | None,
) -> Readable:
    """The candidates as a reward model reads them: normalised programs, as in training pairs.

    Args:
        limits: of the network; what is beyond them is not shown to it.

    Raises:
        UserError: all programs are beyond the limits.
    """
    items = dict.fromkeys((c.problem_id, c.code) for c in candidates)
    rows = {item: scored_sequence(problems[item[0]], item[1], tokenizer, chat) for item in items}
    return Readable.of([rows[c.problem_id, c.code] for c in candidates], candidate_names(candidates), limits)


def reward_scores(readable: Readable, found: Sequence[float], warn: Callable[[str], None]) -> list[float]:
    """A policy's rewards: what the network cannot read, such as a program of all its positions, gets the lowest score
    of the others, and is said. Minus infinity is no reward."""
    if readable.unread:
        warn(f"{describe_unread(readable.unread, len(readable.rows))}; they get the step's lowest score")
    return [max(score, min(found)) for score in readable.scores(found)]


def candidate_names(candidates: Sequence[Candidate]) -> list[str]:
    """For people: the problem, and which of its candidates, from 0."""
    seen: Counter[str] = Counter()
    names = []
    for candidate in candidates:
        names.append(f"{candidate.problem_id}, candidate {seen[candidate.problem_id]}")
        seen[candidate.problem_id] += 1
    return names


def imitated_sequence(
    problem: Problem, code: str, tokenizer: PreTrainedTokenizerBase, chat: bool, endings: Endings
) -> TokenSequence:
    """A program as the generator learns to write it: the prompt's ids are those that it will be asked with."""
    return encode_continuation(tokenizer, problem.prompt, completion_of(problem, code), chat, endings)


def scored_sequence(problem: Problem, code: str, tokenizer: PreTrainedTokenizerBase, chat: bool) -> TokenSequence:
    """A program as the reward model reads it."""
    return encode_pair(tokenizer, problem.prompt, completion_of(problem, code), chat)
