"""Loading networks and tokenizers from model directories or the hub, and checking that all of them was there.

A ``require_*`` function reads headers only, and holds as much of a model as it can against what the network needs;
the ``load_*`` function of the same name goes through the same check first.
"""

from __future__ import annotations

import functools
import logging
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import GENERATION_CONFIG_NAME

from rewardranker.config.schema import ScorerShape
from rewardranker.errors import UserError
from rewardranker.models.architectures import (
    SCORER_SUFFIX,
    ModelClass,
    check_attention,
    check_sampled,
    policy_class,
    scorer_class,
    scorer_config,
)
from rewardranker.models.behaviour import check_causal, check_head
from rewardranker.models.checking import check_found, check_tensors, not_joined, quietly
from rewardranker.models.checkpoint import MEAN, read_shapes, read_tensors, refuse_adapter, wrappers
from rewardranker.models.recomputing import check_recomputable
from rewardranker.models.scoring import PolicyNetwork, ScorerNetwork
from rewardranker.paths import AnyPath

_LOG = logging.getLogger(__name__)

#: All layers, read at the last token.
WHOLE = ScorerShape()

#: What a model directory consists of; a repository may hold the same weights in other formats beside it.
_MODEL_FILES = ["*.json", "*.jinja", "*.model", "vocab.txt", "merges.txt", "model*.safetensors"]


def require_model(path: AnyPath, setting: str = "model.path") -> None:
    """Raises :class:`UserError`, naming ``setting``, when ``path`` looks like a directory and holds no model.

    ``owner/name`` that is not a directory is taken for a hub name.
    """
    path = str(path)
    directory = Path(path)
    if directory.is_dir():
        refuse_adapter(directory, setting)
        if not (directory / "config.json").is_file():
            raise UserError(f"{setting}={path}: the directory holds no config.json, so it is no saved model")
    elif path.startswith((".", "/", "~")) or path.count("/") != 1:
        raise UserError(
            f"{setting}={path}: no such directory; give a directory written by save_pretrained or a hub name "
            "of the form owner/name"
        )


def require_policy(path: AnyPath, setting: str = "model.path", sampled: bool = False) -> None:
    """Raises :class:`UserError`, naming ``setting``, unless ``path`` holds a whole causal language model.

    Of one on the hub only the config is looked at, and nothing where the hub cannot be reached.

    Args:
        sampled: the transformers engine will sample from it.
    """
    path = str(path)
    require_model(path, setting)
    if (config := config_if_reached(path, setting)) is not None:
        network = policy_class(config, f"{setting}={path}")
        if sampled:
            check_sampled(network, config, f"{setting}={path}")
        _check(path, network, config, None, setting)


def require_start(path: AnyPath, setting: str, shape: ScorerShape = WHOLE) -> None:
    """Raises :class:`UserError`, naming ``setting``, unless a scorer can be trained from ``path``: a language model,
    which gets a head and that shape, or a scorer, which has them. The hub as in :func:`require_policy`."""
    path = str(path)
    require_model(path, setting)
    if (config := config_if_reached(path, setting)) is not None:
        shaped = _start_config(path, config, setting, shape)
        network = scorer_class(shaped, f"{setting}={path}")
        _check(path, network, shaped, config, setting)


def require_computes(path: AnyPath, setting: str, attention: str, recomputed: bool = False) -> None:
    """Raises :class:`UserError`, naming ``setting``, for a network that cannot attend so. The hub as in
    :func:`require_policy`.

    Args:
        recomputed: its layers will be checkpointed, which not every network can either.
    """
    path = str(path)
    if (config := config_if_reached(path, setting)) is not None:
        network = policy_class(config, f"{setting}={path}")
        check_attention(network, attention, f"{setting}={path}")
        if recomputed:
            check_recomputable(network, f"{setting}={path}")


def require_scorer(path: AnyPath, setting: str) -> None:
    """Raises :class:`UserError`, naming ``setting``, unless ``path`` holds a whole network with a trained head.

    Anything else would load too, with a head drawn at random, and rank.
    """
    path = str(path)
    require_model(path, setting)
    config = _config(path, setting)
    built = config.architectures or []
    if not any(name.endswith(SCORER_SUFFIX) for name in built):
        raise UserError(
            f"{setting}={path} is no reward model: it holds a {', '.join(built) or 'network of unknown kind'}, and a "
            "head drawn at random would rank; give the hf directory of a reward stage"
        )
    if config.num_labels != 1:
        raise UserError(f"{setting}={path} is no reward model: it gives {config.num_labels} numbers, a score is one")
    _check(path, scorer_class(config, f"{setting}={path}"), config, None, setting)


def _config(path: str, setting: str) -> PreTrainedConfig:
    try:
        return AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:  # not on the hub, or not to be reached; or of an unknown kind
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{setting}={path}: its config.json could not be read: {reason}") from error


def config_if_reached(path: str, setting: str) -> PreTrainedConfig | None:
    """A model's configuration; ``None`` for one on the hub, where that cannot be reached."""
    try:
        return _config(path, setting)
    except UserError:
        if Path(path).is_dir():
            raise
        return None


def _start_config(path: str, config: PreTrainedConfig, setting: str, shape: ScorerShape) -> PreTrainedConfig:
    """The config of a scorer to be: its head gives one number, whatever a language model's config says of labels."""
    if not any(name.endswith(SCORER_SUFFIX) for name in config.architectures or []):
        config = scorer_config(config, shape, f"{setting}={path}")
        config.num_labels = 1
    if config.num_labels != 1:
        raise UserError(
            f"{setting}={path}: its head gives {config.num_labels} numbers, and a score is one; start from a "
            "language model, or from a reward model"
        )
    return config


def _check(
    path: str, network: ModelClass, config: PreTrainedConfig, begun: PreTrainedConfig | None, setting: str
) -> None:
    if Path(path).is_dir():
        check_tensors(Path(path), network, config, begun, setting)


def model_name(path: AnyPath) -> str:
    """A model's name for people: of its directory, or of the stage whose ``hf`` directory it is."""
    place = Path(path)
    return place.absolute().parent.name if place.name == "hf" else place.name


def model_directory(path: AnyPath) -> Path:
    """A model's files on this machine; one on the hub is downloaded where it was not before.

    Raises:
        UserError: the hub has no such model, or cannot be reached.
    """
    directory = Path(path)
    if directory.is_dir():
        return directory
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(path), allow_patterns=_MODEL_FILES))
    except Exception as error:  # offline, not found, no permission: no common base class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"model {path} could not be fetched from the hub: {reason}") from error


def copy_model(path: AnyPath, directory: AnyPath) -> None:
    """All files of a model's directory, its tokenizer's among them, byte for byte; again where a copy was cut off.

    Raises:
        UserError: see :func:`model_directory`.
    """
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for file in model_directory(path).iterdir():
        if file.is_file():
            shutil.copyfile(file, target / file.name)


def load_tokenizer(path: AnyPath) -> PreTrainedTokenizerBase:
    """A tokenizer that has an EOS token.

    Raises:
        UserError: there is no tokenizer, or it has none, so responses could never end.
    """
    path = str(path)
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:  # no files of one, damaged ones, not on the hub
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{path} holds no tokenizer that can be loaded ({reason}); save it beside the model with save_pretrained"
        ) from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer of {path} has no EOS token: responses could never end")
    return tokenizer


def load_policy(path: AnyPath, dtype: str, attention: str, device: str, trained: bool = False) -> PolicyNetwork:
    """A causal language model in evaluation mode, which keeps dropout off; gradients still flow.

    Args:
        trained: with ``bfloat16``, keep the weights in fp32 and compute in bf16: an optimiser's small steps
            would be rounded away.

    Raises:
        UserError: no such model, or not all of it.
    """
    path = str(path)
    require_model(path, "model")
    config = _config(path, "model")
    network = policy_class(config, f"model={path}")
    _check_attention(network, attention, device, f"model={path}")
    model = _load(path, network, config, None, _arguments(dtype, attention, trained))
    loaded = PolicyNetwork(model, autocast=trained and dtype == "bfloat16").to(device)
    check_causal(loaded.model, path)
    check_head(loaded.model, path)
    return loaded


def load_scorer(
    path: AnyPath,
    dtype: str,
    attention: str,
    device: str,
    seed: int | None,
    trained: bool = False,
    shape: ScorerShape = WHOLE,
) -> ScorerNetwork:
    """A decoder with a scalar head.

    Args:
        seed: where ``path`` holds a language model, its head is drawn from this; ``None`` asks for a trained scorer.
        trained: as in :func:`load_policy`.
        shape: of what is made of a language model; a trained scorer has its own.

    Raises:
        UserError: no such model, or not all of it; without ``seed``, also one that has no trained head.
    """
    path = str(path)
    if seed is None:
        require_scorer(path, "model")
    else:
        require_model(path, "model")
    begun = _config(path, "model")
    config = _start_config(path, begun, "model", shape)
    network = scorer_class(config, f"model={path}")
    _check_attention(network, attention, device, f"model={path}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        arguments = _arguments(dtype, attention, trained)
        model = _load(path, network, config, None if seed is None else begun, arguments)
    loaded = ScorerNetwork(model, autocast=trained and dtype == "bfloat16").to(device)
    check_causal(loaded.model, path)
    return loaded


def _load(
    path: str,
    network: ModelClass,
    config: PreTrainedConfig,
    begun: PreTrainedConfig | None,
    arguments: dict[str, Any],
) -> PreTrainedModel:
    source: str | None = path
    if Path(path).is_dir():
        check_tensors(Path(path), network, config, begun, "model")
        put_before = wrappers(read_shapes(Path(path), "model"))
        if put_before:
            if put_before != [MEAN]:
                say_once(f"model={path}: tensors have {put_before[0]} in their names; read without that")
            source, arguments["state_dict"] = None, dict(read_tensors(Path(path), "model"))
    try:
        with quietly():
            model, found = network.from_pretrained(
                source, config=config, ignore_mismatched_sizes=True, output_loading_info=True, **arguments
            )
    except (OSError, ValueError) as error:  # the hub's, or an attention that this class does not have
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"model={path} could not be loaded: {reason}") from error
    except RuntimeError as error:
        raise not_joined(network, f"model={path}", error) from error
    check_found(found, network, config, begun, f"model={path}")
    if source is None and (Path(path) / GENERATION_CONFIG_NAME).exists():
        model.generation_config = GenerationConfig.from_pretrained(path)
    model.eval()
    return model


def _check_attention(network: ModelClass, attention: str, device: str, name: str) -> None:
    """Raises :class:`UserError` for an attention that the network, or this process, does not have."""
    check_attention(network, attention, name)
    if attention != "flash_attention_2":
        return
    asked, instead = f"{name}: model.attn_implementation={attention}", "or set model.attn_implementation=sdpa"
    if not device.startswith("cuda"):
        raise UserError(f"{asked} computes on GPUs alone, and this process has {device}; give it a GPU, {instead}")
    # transformers would fetch what the second of these asks for from the hub.
    if not any(map(find_spec, ("flash_attn", "kernels"))):
        raise UserError(f"{asked} needs the package flash-attn, which is not installed here; install it, {instead}")


def _arguments(dtype: str, attention: str, trained: bool) -> dict[str, Any]:
    weights = "float32" if trained else dtype
    arguments: dict[str, Any] = {"dtype": {"float32": torch.float32, "bfloat16": torch.bfloat16}[weights]}
    if attention != "auto":
        arguments["attn_implementation"] = attention
    return arguments


@functools.cache
def say_once(message: str) -> None:
    """A warning on stderr, once a process however often it is true."""
    _LOG.warning(message)
