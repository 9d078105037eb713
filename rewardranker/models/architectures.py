"""Which network class a configuration asks for, and whether it is one that this project can train and read.

Taken are decoders: whatever transformers has a causal language model for. A scorer is transformers' own class for
sequence classification where that is the same decoder with one linear head called ``score`` and no bias; where there
is none such, the head is put on the decoder here, by transformers' own mixin. Such a scorer trains, ranks and loads
here, and nothing else knows its class.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import nn
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    DynamicCache,
    PreTrainedConfig,
)
from transformers.core_model_loading import revert_weight_conversion
from transformers.modeling_layers import GenericForSequenceClassification
from transformers.modeling_utils import PreTrainedModel

from rewardranker.config.schema import POOLINGS, ScorerShape
from rewardranker.errors import UserError

#: A subclass of PreTrainedModel, whose ``from_pretrained`` has two return types.
ModelClass = type[Any]

#: What the classes of scorers are called, transformers' and ours.
SCORER_SUFFIX = "ForSequenceClassification"

#: In a scorer's configuration, where its number is read, unless at the last token.
_POOLING = "score_pooling"


def policy_class(config: PreTrainedConfig, name: str) -> ModelClass:
    """The causal language model of ``config``.

    Args:
        name: the setting and the model's place, for messages.

    Raises:
        UserError: it is none: an encoder, an encoder with a decoder, or of a kind without such a class.
    """
    kind = config.model_type
    if config.is_encoder_decoder:
        raise UserError(
            f"{name}: {kind} is an encoder with a decoder; only decoders (causal language models) are taken"
        )
    # Some decoders have a flag that says they are none; what has a masked language model can be either.
    if type(config) in MODEL_FOR_MASKED_LM_MAPPING and not vars(config).get("is_decoder", False):
        raise UserError(f"{name}: {kind} is an encoder, which sees what follows; only decoders are taken")
    found = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if found is None:
        raise UserError(f"{name}: transformers has no causal language model of the kind {kind}; take another model")
    return _one(found, config)


def scorer_class(config: PreTrainedConfig, name: str) -> ModelClass:
    """The decoder of ``config`` with one linear head called ``score``.

    Raises:
        UserError: as :func:`policy_class` does, and for a decoder that cannot be had alone.
    """
    causal = policy_class(config, name)
    theirs = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(config), None)
    tensors = set(empty(causal, config).state_dict())
    for scorer in ([_one(theirs, config)] if theirs is not None else []) + [_with_head(causal)]:
        if _is_decoder_with_score(empty(scorer, config), tensors):
            return scorer
    raise UserError(
        f"{name}: the decoder of a {causal.__name__} cannot be had without its language model's head, so that it "
        "gives no scorer; take another model"
    )


def check_sampled(network: ModelClass, config: PreTrainedConfig, name: str) -> None:
    """Raises :class:`UserError` for a language model that the transformers engine cannot sample from: one without
    keys and values of which rows could be taken out, such as a state-space model."""
    cached = "past_key_values" in inspect.signature(network.forward).parameters
    layers = DynamicCache(config=config.get_text_config(decoder=True)).layers if cached else []
    if not cached or not all(hasattr(layer, "batch_select_indices") for layer in layers):
        raise UserError(
            f"{name}: a {network.__name__} keeps no cache of keys and values alone, so that "
            "rollout.engine=transformers cannot sample from it; set rollout.engine=vllm, or take another model"
        )


def check_attention(network: ModelClass, attention: str, name: str) -> None:
    """Raises :class:`UserError` for an attention that transformers does not have for the architecture."""
    able = {"eager": True, "sdpa": network._supports_sdpa, "flash_attention_2": network._supports_flash_attn}
    if not able.get(attention, True):
        others = " or ".join(one for one, can in able.items() if can)
        raise UserError(
            f"{name}: model.attn_implementation={attention} cannot work with a {network.__name__}, which attends by "
            f"{others}; set that, or auto"
        )


def why_nowhere_else(scorer: ModelClass, config: PreTrainedConfig) -> str:
    """Why an exported scorer does not load without this project; empty where it does."""
    if pooling_of(config) != POOLINGS[0]:
        return "its score is the mean over a program's tokens, which transformers' classes do not read"
    if not scorer.__module__.startswith("transformers.models."):
        return f"transformers has no {scorer.__name__}"
    return ""


def pooling_of(config: PreTrainedConfig) -> str:
    """Of :data:`rewardranker.config.schema.POOLINGS`, the one that a scorer was made with."""
    return str(getattr(config, _POOLING, POOLINGS[0]))


def scorer_config(config: PreTrainedConfig, shape: ScorerShape, name: str) -> PreTrainedConfig:
    """The configuration of the scorer of that shape that is made of a language model.

    Raises:
        UserError: more layers than there are.
    """
    there = config.get_text_config().num_hidden_layers
    if shape.layers > there:
        raise UserError(f"{name}: {shape.layers} layers are asked for, and it has {there}; 0 takes all of them")
    made = with_layers(config, shape.layers or there)
    if shape.pooling != POOLINGS[0]:
        setattr(made, _POOLING, shape.pooling)
    return made


def with_layers(config: PreTrainedConfig, count: int) -> PreTrainedConfig:
    """The configuration of the same network with its first ``count`` layers alone."""
    fewer = copy.deepcopy(config)
    text = fewer.get_text_config()
    layers = text.num_hidden_layers
    for name, value in list(vars(text).items()):
        if isinstance(value, list) and len(value) == layers:  # one entry a layer
            setattr(text, name, value[:count])
    text.num_hidden_layers = count
    return fewer


def empty(network: ModelClass, config: PreTrainedConfig) -> PreTrainedModel:
    """The network without weights, on the meta device."""
    with torch.device("meta"):
        made: PreTrainedModel = network(config)
        return made


def takes_positions(model: nn.Module) -> bool:
    """Whether a decoder is told positions; those that are not count from the first token, padded or not."""
    return "position_ids" in inspect.signature(model.forward).parameters


def _one(found: Any, config: PreTrainedConfig) -> ModelClass:
    """Of a family's classes, where it has several, the one that the model was built with."""
    if not isinstance(found, tuple):
        return found
    built = config.architectures or []
    return next((one for one in found if one.__name__ in built), found[0])


def _is_decoder_with_score(network: PreTrainedModel, tensors: set[str]) -> bool:
    """``tensors``: of the language model, whose decoder it has to be."""
    head = getattr(network, "score", None)
    own = {name for name in network.state_dict() if not name.startswith("score.")}
    return isinstance(head, nn.Linear) and head.bias is None and network.base_model is not network and own <= tensors


def saved_names(network: PreTrainedModel) -> set[str]:
    """What the tensors of a network are called in its files, which may be older names, and in itself."""
    state = network.state_dict()
    return {*state, *revert_weight_conversion(network, dict(state))}


def _with_head(causal: ModelClass) -> ModelClass:
    base: ModelClass = next(c for c in causal.__mro__ if PreTrainedModel in c.__bases__)
    name = base.__name__.removesuffix("PreTrainedModel") + SCORER_SUFFIX
    # The mixin comes first and has a prefix of its own; the decoder's tensors are named by the family's.
    body = {"base_model_prefix": base.base_model_prefix, "__module__": __name__}
    return type(name, (GenericForSequenceClassification, base), body)
