"""Is everything that a network needs in the files, and nothing that it does not know? Without reading a weight.

transformers loads names and shapes on the meta device, renames and joins tensors as it would when loading, and says
what was left: so ``--dry-run`` and loading go through the same check, and both through transformers' own rules.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig
from transformers.utils import logging

from rewardranker.errors import UserError
from rewardranker.models.architectures import SCORER_SUFFIX, ModelClass, empty, policy_class, saved_names
from rewardranker.models.checkpoint import plain_name, read_shapes

#: Constants that older versions of transformers saved with the weights, and newer ones compute.
_CONSTANTS = re.compile(r"(^|\.)(inv_freq|masked_bias|position_ids)$")

#: The names of the tensors of a scorer's head.
HEAD = "score.weight"


def check_tensors(
    directory: Path, network: ModelClass, config: PreTrainedConfig, begun: PreTrainedConfig | None, setting: str
) -> None:
    """Holds the headers of the files in ``directory`` against ``network``.

    Args:
        begun: the language model's whose files these may be, of whose decoder a scorer is made, with a head that is
            drawn; ``None`` where they have to be the network's own.

    Raises:
        UserError: files are lost or damaged, or tensors are missing, not known, or of another shape; names them.
    """
    shapes = read_shapes(directory, setting)
    if getattr(config, "quantization_config", None):
        return  # names and shapes are the quantizer's; loading says what it found
    state = {plain_name(name): torch.empty(shape, device="meta") for name, shape in shapes.items()}
    try:
        with quietly():
            _, found = network.from_pretrained(
                None,
                config=config,
                state_dict=state,
                device_map={"": "meta"},
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except RuntimeError as error:  # tensors that belong together, such as a layer's experts, are not all there
        raise not_joined(network, f"{setting}={directory}", error) from error
    check_found(found, network, config, begun, f"{setting}={directory}")


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' own report of what is missing: it is an error here, or a head to be drawn."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def check_found(
    found: Mapping[str, Any], network: ModelClass, config: PreTrainedConfig, begun: PreTrainedConfig | None, name: str
) -> None:
    """Raises :class:`UserError` for what ``output_loading_info`` of ``from_pretrained`` tells, unless all is well."""
    missing, unknown = set(found["missing_keys"]), set(found["unexpected_keys"])
    unknown = {tensor for tensor in unknown if not _CONSTANTS.search(tensor)}
    shaped = {tensor: (tuple(have), tuple(need)) for tensor, have, need in found["mismatched_keys"]}
    built = ", ".join(config.architectures or []) or "a network of unknown kind"
    if begun is not None and not built.endswith(SCORER_SUFFIX) and HEAD in missing:
        missing.discard(HEAD)
        unknown -= saved_names(empty(policy_class(begun, name), begun))
    complaints = [
        *([f"{_count(missing)} not there: {_names(missing)}"] if missing else []),
        *([f"{_count(unknown)} not known to it: {_names(unknown)}"] if unknown else []),
        *([f"{_count(shaped)} of another shape: {_shapes(shaped)}"] if shaped else []),
        *map(str, found["error_msgs"]),
    ]
    if complaints:
        raise UserError(
            f"{name}: not what a {network.__name__} is made of (config.json says {built}): {'; '.join(complaints)}. "
            "What is not there would be drawn at random; give a directory that save_pretrained wrote from the whole "
            "network"
        )


def not_joined(network: ModelClass, name: str, error: Exception) -> UserError:
    """The error for weights of which transformers could not make the network's tensors."""
    reason = " ".join(str(error).split())[:300]
    return UserError(
        f"{name}: the tensors of a {network.__name__} could not be made of those in the files, of which some are "
        f"missing or of another shape ({reason}); copy or save the model again"
    )


def _count(tensors: Collection[str]) -> str:
    return f"{len(tensors):,} tensor{'s' * (len(tensors) > 1)}"


def _names(tensors: Collection[str], limit: int = 6) -> str:
    names = sorted(tensors)
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")


def _shapes(tensors: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]], limit: int = 4) -> str:
    texts = [f"{name} is {list(have)}, needed {list(need)}" for name, (have, need) in sorted(tensors.items())]
    return ", ".join(texts[:limit]) + (", ..." if len(texts) > limit else "")
