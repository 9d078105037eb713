"""The reward model, which is the reranker: trained on pairs or labels, then frozen and asked for scores."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import Tensor

from actors.cluster.ranks import Rank
from actors.engines import TrainEngine, build_engine
from actors.roles.networks import accumulate, infer_rows, prefixed
from actors.roles.setup import RoleSetup
from rewardranker.config.schema import RewardConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.exporting import export_scorer
from rewardranker.models.loading import load_scorer, load_tokenizer, pad_id
from rewardranker.reranking.record import write_record
from rewardranker.training.objectives import Labelled, Objective, Pair, PairObjective, PointwiseObjective

E = TypeVar("E")


class Reward:
    """One rank of the reward model; trainable where its setup has an optimiser."""

    def __init__(self, setup: RoleSetup, rank: Rank) -> None:
        self.setup, self.rank = setup, rank
        self.tokenizer = load_tokenizer(setup.tokenizer_path)
        self.pad_id = pad_id(self.tokenizer)
        trained = setup.optim is not None
        # Training may begin with a head that is drawn; a frozen model is one that was trained.
        seed = setup.seed if trained else None
        self.network = load_scorer(setup.model_path, setup.dtype, setup.attention, rank.device, seed, trained)
        self._engine = (
            build_engine(setup.engine, self.network, setup.optim, setup.total_steps, rank) if setup.optim else None
        )

    @property
    def engine(self) -> TrainEngine:
        if self._engine is None:
            raise RuntimeError("this reward model is frozen: its setup has no optimiser")
        return self._engine

    def score(self, rows: list[TokenSequence]) -> list[float]:
        """One score per row, higher is better."""
        scores = infer_rows(self.network, rows, self.setup.microbatch_tokens, self.pad_id, self.rank.device)
        return [float(row[0]) for row in scores]

    def bt_step(self, minibatch: list[Pair], config: RewardConfig) -> dict[str, float]:
        """One Bradley-Terry update on (chosen, rejected) pairs. Returns global means."""
        return self._step(PairObjective(config.margin, config.centring), minibatch)

    def pointwise_step(self, minibatch: list[Labelled]) -> dict[str, float]:
        """One update on (program, whether it is correct). Returns global means."""
        return self._step(PointwiseObjective(), minibatch)

    def _step(self, objective: Objective[E], minibatch: list[E]) -> dict[str, float]:
        denominator = len(minibatch)
        mine = [minibatch[i] for i in self.rank.rows(denominator)]
        totals = dict.fromkeys(objective.metrics, 0.0)

        def loss(group: list[int]) -> Tensor:
            examples = [mine[i] for i in group]
            scores = self.engine(collate(objective.rows(examples), self.pad_id, device=self.rank.device))
            value, shares = objective.loss(scores, examples, denominator)
            for key, share in shares.items():
                totals[key] += share
            return value

        lengths = [objective.tokens(example) for example in mine]
        accumulate(self.engine, lengths, self.setup.microbatch_tokens, loss)
        return prefixed("reward", self.engine.sum(totals) | self.engine.step())

    def export(self, directory: str) -> None:
        """Writes a Hugging Face model directory, which scores elsewhere as here (rank 0)."""
        if self.rank.index == 0:
            export_scorer(self.network, self.tokenizer, Path(directory), self.setup.chat)
            write_record(Path(directory), {"kind": "rewardranker", "chat": self.setup.chat})

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "reward")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "reward")
