"""What every stage works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from actors.cluster.group import RoleGroup
from actors.pipeline.runtime import Runtime
from actors.roles.reward import Reward
from rewardranker.config.schema import Config, OptimConfig
from rewardranker.judge import judge_fingerprint
from rewardranker.models.encoding import same_tokens
from rewardranker.models.loading import load_tokenizer
from rewardranker.paths import AnyPath
from rewardranker.problems.io import read_problems
from rewardranker.problems.types import Problem, Split
from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory, Stage
from rewardranker.runs.unfinished import left_in
from rewardranker.training.setup import NetworkSetup


class LastStage(Exception):
    """The stage that was asked for as the last one is complete."""


@dataclass
class Context:
    """One run.

    Attributes:
        data: directory of the finished data stage.
        until: name of the last stage to run; empty for all of them.
    """

    config: Config
    run: RunDirectory
    runtime: Runtime
    console: Console
    data: Path
    until: str = ""

    def stage(
        self,
        name: str,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Path],
        work: Callable[[Stage], None],
    ) -> Path:
        """:meth:`RunDirectory.stage`; when workers are lost, ``work`` is called again and finds its checkpoints."""

        def persist(stage: Stage) -> None:
            self.runtime.retrying(name, lambda: work(stage), lambda: left_in(stage.path), stage.restarted)
            Checkpoints(stage.path / "checkpoints", self.console.warn).clear()
            self.runtime.free_roles()

        path = self.run.stage(name, settings, inputs, persist)
        if name == self.until:
            raise LastStage
        return path

    @cached_property
    def problems(self) -> dict[str, Problem]:
        return {p.id: p for p in read_problems(self.data / "problems.jsonl")}

    def split(self, split: Split) -> list[Problem]:
        """Problems of one split, in the order of the data stage."""
        return [p for p in self.problems.values() if p.split == split]

    @property
    def base_model(self) -> str:
        """The generator before SFT."""
        return self.config.model.path or str(self.data / "model")

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return load_tokenizer(self.base_model)

    @property
    def reward_base(self) -> str:
        """What reward models start from: a model of its own, or the generator before SFT, which reads alike."""
        return self.config.reward.backbone or self.base_model

    @cached_property
    def reward_tokenizer(self) -> PreTrainedTokenizerBase:
        return load_tokenizer(self.reward_base)

    @property
    def one_vocabulary(self) -> bool:
        """Whether reward models cut texts into the policy's tokens."""
        return self.reward_base == self.base_model or same_tokens(self.tokenizer, self.reward_tokenizer)

    def setup(
        self,
        model_path: AnyPath,
        microbatch_tokens: int,
        optim: OptimConfig | None = None,
        total_steps: int = 0,
        trains: str = "",
    ) -> NetworkSetup:
        """How a role loads ``model_path``.

        Args:
            trains: one of :data:`rewardranker.config.schema.LORA_ROLES`; of what does not train, nothing.
        """
        model = self.config.model
        return NetworkSetup(
            model_path=str(model_path),
            tokenizer_path=self.base_model,
            engine=self.config.engine,
            microbatch_tokens=microbatch_tokens,
            dtype=model.dtype,
            attention=model.attn_implementation,
            optim=optim,
            total_steps=total_steps,
            seed=self.config.run.seed,
            chat=model.chat,
            lora=self.config.engine.lora.of(trains) if trains else None,
        )

    def reward_start(self, sft: Path) -> Path:
        """What a reward model that starts anew is trained from; one on the hub is a path that is not there."""
        return Path(self.config.reward.backbone) if self.config.reward.backbone else sft

    def as_reward(self, setup: NetworkSetup) -> NetworkSetup:
        """The setup of a reward model, which reads with a tokenizer of its own."""
        chat, shape = self.config.reward_chat, self.config.reward.shape
        return replace(setup, tokenizer_path=self.reward_base, chat=chat, shape=shape)

    def judges(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Who judges, by language: a stage whose programs could get other verdicts is another stage."""
        languages = sorted({problem.language for problem in problems})
        return {language: judge_fingerprint(language, self.config.judge.remote_url) for language in languages}

    def reward_role(self, model_path: AnyPath) -> RoleGroup[Reward]:
        """A frozen reward model, ready to score."""
        setup = self.as_reward(self.setup(model_path, self.config.reward.microbatch_tokens))
        return self.runtime.role("reward", Reward, setup)

    def adapted(self, *trains: str) -> dict[str, Any]:
        """For :meth:`settings`: how those of :data:`rewardranker.config.schema.LORA_ROLES` train; nothing where LoRA
        trains none of them."""
        found = {role: asdict(lora) for role in trains if (lora := self.config.engine.lora.of(role))}
        return {"lora": found} if found else {}

    def settings(self, *sections: str, **more: Any) -> Mapping[str, Any]:
        """The config sections that a stage depends on, and what all stages depend on."""
        config = asdict(self.config)
        del config["engine"]["lora"]  # what trains so depends on it, and nothing else
        for section in ("sft", "reward", "ppo"):
            del config[section]["checkpoint_every"]
        common = {
            "seed": self.config.run.seed,
            "model": config["model"],
            "engine": config["engine"],
            "rollout_engine": self.config.rollout.engine,
        }
        return {**common, **{name: config[name] for name in sections}, **more}
