"""What has to be known to load a network and to train it: one small, picklable description."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rewardranker.config.schema import EngineConfig, LoraConfig, OptimConfig, ScorerShape
from rewardranker.models.adapters import DIRECTORY, Written
from rewardranker.paths import AnyPath
from rewardranker.training.objectives import Objective


@dataclass(frozen=True)
class NetworkSetup:
    """Where a network's weights come from and how it computes.

    ``optim`` ``None`` makes it a frozen one. ``total_steps`` are optimiser updates, for the schedule. ``seed``: of a
    head that is drawn. ``chat``: prompts are what a user says. ``objective``: of a scorer that learns to rank.
    ``drawn_head``: a scorer that has none may get one that is drawn. ``shape``: of a scorer that is made of a
    language model. ``lora``: its own part of ``engine.lora``; ``None`` where all of its weights train, or none.
    ``adapter``: where what LoRA once made of ``model_path`` lies, with which it begins, its head too. ``corpus``:
    what it learns from, where its minibatches are places in a :class:`rewardranker.training.corpus.Corpus` and not
    examples.
    """

    model_path: AnyPath
    tokenizer_path: AnyPath
    engine: EngineConfig
    microbatch_tokens: int
    dtype: str = "float32"
    attention: str = "auto"
    optim: OptimConfig | None = None
    total_steps: int = 0
    seed: int = 0
    chat: bool = False
    objective: Objective[Any] | None = None
    lora: LoraConfig | None = None
    drawn_head: bool = False
    shape: ScorerShape = ScorerShape()
    adapter: AnyPath = ""
    corpus: tuple[AnyPath, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether an optimiser moves the network's own weights, which therefore are fp32."""
        return self.optim is not None and self.lora is None

    def on(self, backbone: AnyPath) -> NetworkSetup:
        """The same network as additions to ``backbone``, where LoRA made it of that; else as it is.

        Networks of one backbone can share its frozen weights. One that trains begins with the additions where its own
        are to be of the same shape.
        """
        directory = Path(self.model_path).parent / DIRECTORY
        written = Written.read(directory)
        if written is None or Path(written.base).resolve() != Path(backbone).resolve():
            return self
        if self.optim and not (self.lora and written.fits(self.lora)):
            return self
        return replace(self, model_path=backbone, drawn_head=True, adapter=str(directory))
