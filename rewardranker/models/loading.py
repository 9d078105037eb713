"""Loading networks and tokenizers from model directories or the hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from rewardranker.errors import UserError
from rewardranker.models.scoring import PolicyNetwork, ScorerNetwork

#: What a model directory consists of; a repository may hold the same weights in other formats beside it.
_MODEL_FILES = ["*.json", "model*.safetensors"]


def require_model(path: str, setting: str = "model.path") -> None:
    """Raises :class:`UserError`, naming ``setting``, when ``path`` looks like a directory and holds no model.

    ``owner/name`` that is not a directory is taken for a hub name.
    """
    directory = Path(path)
    if directory.is_dir():
        if not (directory / "config.json").is_file():
            raise UserError(f"{setting}={path}: the directory holds no config.json, so it is no saved model")
    elif path.startswith((".", "/", "~")) or path.count("/") != 1:
        raise UserError(
            f"{setting}={path}: no such directory; give a directory written by save_pretrained or a hub name "
            "of the form owner/name"
        )


def require_scorer(path: str, setting: str) -> None:
    """Raises :class:`UserError`, naming ``setting``, unless ``path`` holds a network with a trained scalar head.

    Anything else would load too, with a head drawn at random, and rank.
    """
    require_model(path, setting)
    try:
        config = AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:  # not on the hub, or not to be reached; or of an unknown kind
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{setting}={path}: its config.json could not be read: {reason}") from error
    built = config.architectures or []
    if not any(name.endswith("ForSequenceClassification") for name in built):
        raise UserError(
            f"{setting}={path} is no reward model: it holds a {', '.join(built) or 'network of unknown kind'}, and a "
            "head drawn at random would rank; give the hf directory of a reward stage"
        )
    if config.num_labels != 1:
        raise UserError(f"{setting}={path} is no reward model: it gives {config.num_labels} numbers, a score is one")


def model_name(path: str) -> str:
    """A model's name for people: of its directory, or of the stage whose ``hf`` directory it is."""
    place = Path(path)
    return place.absolute().parent.name if place.name == "hf" else place.name


def model_directory(path: str) -> Path:
    """A model's files on this machine; one on the hub is downloaded where it was not before.

    Raises:
        UserError: the hub has no such model, or cannot be reached.
    """
    directory = Path(path)
    if directory.is_dir():
        return directory
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(path, allow_patterns=_MODEL_FILES))
    except Exception as error:  # offline, not found, no permission: no common base class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"model {path} could not be fetched from the hub: {reason}") from error


def load_tokenizer(path: str) -> PreTrainedTokenizerBase:
    """A tokenizer that has an EOS token.

    Raises:
        UserError: it has none, so responses could never end.
    """
    tokenizer = AutoTokenizer.from_pretrained(path)
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer of {path} has no EOS token: responses could never end")
    return tokenizer


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id to fill padding with; EOS where the tokenizer has no other (masks come from lengths)."""
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def load_policy(path: str, dtype: str, attention: str, device: str, trained: bool = False) -> PolicyNetwork:
    """A causal language model in evaluation mode, which keeps dropout off; gradients still flow.

    Args:
        trained: with ``bfloat16``, keep the weights in fp32 and compute in bf16: an optimiser's small steps
            would be rounded away.
    """
    model = AutoModelForCausalLM.from_pretrained(path, **_arguments(dtype, attention, trained))
    return PolicyNetwork(model.eval(), autocast=trained and dtype == "bfloat16").to(device)


def load_scorer(
    path: str, dtype: str, attention: str, device: str, seed: int, trained: bool = False
) -> ScorerNetwork:
    """A backbone with a scalar head: trained where ``path`` holds a scorer, else drawn from ``seed``.

    ``trained`` as in :func:`load_policy`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(
            path, num_labels=1, **_arguments(dtype, attention, trained)
        )
    return ScorerNetwork(model.eval(), autocast=trained and dtype == "bfloat16").to(device)


def _arguments(dtype: str, attention: str, trained: bool) -> dict[str, Any]:
    weights = "float32" if trained else dtype
    arguments: dict[str, Any] = {"dtype": {"float32": torch.float32, "bfloat16": torch.bfloat16}[weights]}
    if attention != "auto":
        arguments["attn_implementation"] = attention
    return arguments


def quiet_transformers() -> None:
    """No progress bars for loading, no advisory warnings: a run prints its own lines."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
