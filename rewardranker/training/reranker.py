"""A reranker's network on one rank: it learns from pairs or labels, and says a number of every program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rewardranker.models.batching import TokenSequence
from rewardranker.models.exporting import export_scorer
from rewardranker.models.frozen import FrozenLayers
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.paths import AnyPath
from rewardranker.training.corpus import Corpus, own_share
from rewardranker.training.engine import build_engine, export_adapter, whole_state
from rewardranker.training.head_start import HeadStart
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.updates import accumulate, infer_rows


class Reranker:
    """Trainable where its setup has an optimiser. Every rank is called with the whole minibatch.

    Args:
        frozen: layers of the same weights that do not train, whose memory is shared; where the setup says that some
            train, and nothing is given, this network's own.
    """

    def __init__(self, setup: NetworkSetup, rank: Rank, frozen: FrozenLayers | None = None) -> None:
        self.setup, self.rank = setup, rank
        self.tokenizer = load_tokenizer(setup.tokenizer_path)
        self.corpus = Corpus(*setup.corpus) if setup.corpus else None
        trained = setup.optim is not None
        # Training may begin with a head that is drawn; a frozen model is one that was trained.
        seed = setup.seed if trained or setup.adapter else None
        computes = setup.dtype, setup.attention, rank.device
        self.network = load_scorer(setup.model_path, *computes, seed, setup.whole, setup.shape)
        self.layout = Layout.of(self.network, setup.microbatch_tokens, setup.engine.shared_prompts)
        self.frozen = frozen
        if trained and setup.engine.trained_layers:
            self.frozen = frozen or FrozenLayers(self.network, setup.engine.trained_layers, self.layout)
            self.frozen.below(self.network)
        self.engine = build_engine(setup, self.network, rank)

    def score(self, rows: Sequence[TokenSequence], advance: Callable[[int], None] | None = None) -> list[float]:
        """One number per row, higher is better; ``advance`` as in :func:`infer_rows`."""
        found = infer_rows(self.engine.infer, rows, self.layout, advance, self.engine.rounds)
        return [float(row[0]) for row in found]

    def learn(self, minibatch: list[Any]) -> dict[str, float]:
        """One update on examples of the setup's objective, or their places in its corpus. Returns global means."""
        objective = self.setup.objective
        if objective is None or self.setup.optim is None:
            raise RuntimeError("this reranker is frozen: its setup has no optimiser")
        denominator = len(minibatch)

        def tokens(example: Any) -> int:
            return sum(map(len, objective.rows([example])))

        mine = own_share(minibatch, self.corpus, tokens, self.rank)

        def loss(group: list[int]) -> tuple[Tensor, dict[str, float]]:
            examples = [mine[i] for i in group]
            scores = self.engine(self.layout.batch(objective.rows(examples)))
            return objective.loss(scores, examples, denominator)

        groups = self.layout.microbatches([objective.rows([example]) for example in mine])
        totals = accumulate(self.engine, groups, loss)
        return self.rank.sum(totals) | self.engine.step()

    def start_head(self, start: HeadStart) -> dict[str, float]:
        """Fits the head to what the network says of all programs, before anything trains. Ranks read a share each.

        Returns:
            ``loss`` and ``accuracy`` over the pairs.
        """
        start = start.read(self.corpus)
        rows = start.rows()
        mine = rows[self.rank.index :: self.rank.world]
        states = infer_rows(self.network.pooled, mine, self.layout, whole=True)
        known = dict(pair for part in self.rank.gathered(list(zip(mine, states, strict=True))) for pair in part)
        head, told = start.fit({row: torch.from_numpy(state) for row, state in known.items()})
        # Ranks on unlike processors could differ in the last bit.
        self.network.set_head(self.rank.gathered(head)[0])
        return told

    def export(self, directory: AnyPath) -> None:
        """Writes a Hugging Face model directory, which scores elsewhere as here, and beside it what LoRA trained
        (rank 0). Collective."""
        export_adapter(self.engine, self.setup, directory)
        state = whole_state(self.engine)
        if self.rank.index == 0:
            export_scorer(self.network, self.tokenizer, directory, self.setup.chat, state)

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "reward")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "reward")
