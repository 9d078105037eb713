"""A trained ranker's directory in this process: the text that it reads of a program, and its number for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from transformers import PreTrainedTokenizerBase

from rewardranker.config.schema import EngineConfig
from rewardranker.models.limits import Limits, Unread
from rewardranker.models.loading import load_tokenizer, require_scorer
from rewardranker.models.quiet import quiet_transformers
from rewardranker.paths import AnyPath
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.numbers import store
from rewardranker.reranking.reading import reader_of, rendered
from rewardranker.reranking.record import Reading, recorded
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup

TOKENS_PER_BATCH = 16384


class Scorer:
    """Reads as its directory records, and gives the numbers that ``rewardranker rerank`` gives.

        scorer = Scorer("runs/quickstart/04-reward-1/hf")
        scorer.score_text(problem, "def f(xs):\\n    return xs\\n")

    The network is loaded when it is first asked for a number.

    Args:
        model: a directory, or a name on the hub.
        how: by default what the directory records (``training.json``), and for a model from elsewhere a RewardRanker
            without a chat template.
        device: e.g. ``cpu`` or ``cuda:0``.
        setting: the user's name for ``model`` in messages.

    Raises:
        UserError: no model there, or one without a trained scalar head.
    """

    def __init__(
        self, model: AnyPath, how: Reading | None = None, device: str = "cpu", setting: str = "model"
    ) -> None:
        self.model, self._device = str(model), device
        require_scorer(self.model, setting)
        self.how = how or recorded(self.model) or Reading("rewardranker", False)
        quiet_transformers()

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return load_tokenizer(self.model)

    @cached_property
    def limits(self) -> Limits:
        return Limits.of_model(self.model)

    @cached_property
    def _reranker(self) -> Reranker:
        setup = NetworkSetup(self.model, self.model, EngineConfig(shared_prompts=True), TOKENS_PER_BATCH)
        return Reranker(setup, Rank(device=self._device))

    def render(self, problem: Problem, code: str, returns: Sequence[str] = ()) -> str:
        """The exact text that the network reads of a program; its directory's tokenizer makes the tokens of it that
        are read, the end token included.

        Args:
            code: a whole program, such as a pool's ``code``, or what :func:`rewardranker.programs.extract` makes of a
                model's text.
            returns: what it returned on the probe inputs (``Candidate.returns``), which LEVER's verifier reads; its
                text is given whole here, and cut to the recorded ``max_tokens`` when it is read.
        """
        return rendered(problem, _candidate(problem, code, returns), self.how, self.tokenizer)

    def score_text(self, problem: Problem, code: str, returns: Sequence[str] = ()) -> float:
        """The network's number for :meth:`render`'s text; higher is better.

        Raises:
            UserError: the network cannot read it; says why.
        """
        candidate = _candidate(problem, code, returns)
        self.store([candidate], {problem.id: problem}, self.how.kind)
        return candidate.scores[self.how.kind]

    def store(
        self,
        pool: Sequence[Candidate],
        problems: Mapping[str, Problem],
        key: str,
        advance: Callable[[int], None] | None = None,
    ) -> list[Unread]:
        """Fills in ``scores[key]`` of a whole pool; as :func:`rewardranker.reranking.numbers.store`."""
        read = reader_of(self.how, self.tokenizer, self.limits)
        return store(pool, problems, read, lambda rows: self._reranker.score(rows, advance), key, self.limits)


def _candidate(problem: Problem, code: str, returns: Sequence[str]) -> Candidate:
    return Candidate(problem.id, problem.language, code, normalise(code), "", returns=list(returns))
