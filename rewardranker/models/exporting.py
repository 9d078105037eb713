"""Writing a scorer so that it says elsewhere what it says here.

Here a score is read at an EOS that is put behind the text. Elsewhere (transformers' classes and pipelines, vLLM) a
text goes through the tokenizer, and the last token that is not the padding token is read. So the files say all of
that: the tokenizer ends every text with EOS by itself and pads on the right with a token that no text ends with, and
the config names that token and says that the one number is no logit, to which nothing is to be applied.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from tokenizers import Tokenizer, processors
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from rewardranker.models.adapters import without_additions
from rewardranker.models.architectures import why_nowhere_else
from rewardranker.models.checking import HEAD
from rewardranker.models.checkpoint import MEAN
from rewardranker.models.encoding import opening
from rewardranker.models.limits import Limits
from rewardranker.models.loading import say_once
from rewardranker.models.scoring import ScorerNetwork
from rewardranker.paths import AnyPath

#: What a token for padding is called where the tokenizer has none to spare.
PAD = "<|pad|>"


def export_scorer(
    network: ScorerNetwork,
    tokenizer: PreTrainedTokenizerBase,
    directory: AnyPath,
    chat: bool = False,
    state: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes a whole Hugging Face model directory; neither the network nor the tokenizer is changed.

    Args:
        chat: scored texts begin with what the tokenizer's chat template makes of a problem, with which comes whatever
            the model begins with; else with what the tokenizer puts before any text.
        state: the network's tensors, where it does not hold them itself.
    """
    model = network.model
    scoring = scoring_tokenizer(tokenizer, Limits.of(model.config), chat)
    config, text = model.config, model.config.get_text_config()
    for part in (config, text):
        part.pad_token_id = scoring.pad_token_id
    config.problem_type, config.id2label, config.label2id = "regression", {0: "score"}, {"score": 0}
    # vLLM: prompt and program are one text, and nothing is put between them.
    config.use_sep_token = False
    with _room_for(model, int(scoring.pad_token_id) + 1, dict(state or model.state_dict())) as tensors:
        if network.pooling == "mean":
            tensors[MEAN + HEAD] = tensors.pop(HEAD)
        without_additions(model).save_pretrained(directory, state_dict=tensors)
    scoring.save_pretrained(directory)
    if reason := why_nowhere_else(type(model), config):
        say_once(f"{reason}: what is exported loads in RewardRanker and nowhere else")


def scoring_tokenizer(tokenizer: PreTrainedTokenizerBase, limits: Limits, chat: bool) -> PreTrainedTokenizerBase:
    """A tokenizer that makes of a text the ids that a scorer reads, as ``encode_pair`` does."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        say_once(
            f"the tokenizer ({type(tokenizer).__name__}) cannot be made to end texts with EOS by itself: elsewhere, "
            "add it to every text that is scored"
        )
        return tokenizer
    before = () if chat else opening(tokenizer)
    inner = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    first, end = tokenizer.convert_ids_to_tokens(list(before)), str(tokenizer.eos_token)
    inner.post_processor = processors.TemplateProcessing(
        single=[*first, "$A", end],
        pair=[*first, "$A", "$B:0", f"{end}:0"],
        special_tokens=list(dict(zip([*first, end], [*before, tokenizer.eos_token_id], strict=True)).items()),
    )
    inner.no_padding()
    inner.no_truncation()
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **(tokenizer.special_tokens_map | {"pad_token": _pad_token(tokenizer, limits)}),
        chat_template=tokenizer.chat_template,
        model_max_length=limits.positions or tokenizer.model_max_length,
        padding_side="right",
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
    return made


def _pad_token(tokenizer: PreTrainedTokenizerBase, limits: Limits) -> str:
    """A token that has an embedding and never ends a text: the tokenizer's own, another special one, or a new one.

    Ordinary tokens are none to choose from: made special, they would cut texts in which they stand.
    """
    known = tokenizer.get_vocab()
    for token in (tokenizer.pad_token, tokenizer.unk_token, *tokenizer.all_special_tokens):
        if token and token != tokenizer.eos_token and known.get(token, limits.tokens) < limits.tokens:
            return str(token)
    return next(name for name in (PAD, *(f"<|pad_{i}|>" for i in range(len(known) + 1))) if name not in known)


@contextlib.contextmanager
def _room_for(model: PreTrainedModel, tokens: int, state: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Tensors and config with embeddings for at least so many tokens; new ones are zero: padding says nothing."""
    text, before = model.config.get_text_config(), model.config.get_text_config().vocab_size
    if before >= tokens:
        yield state
        return
    embeddings = model.get_input_embeddings()
    [name] = [f"{name}.weight" for name, module in model.named_modules() if module is embeddings]
    old = state[name]
    text.vocab_size = tokens
    try:
        yield state | {name: torch.cat([old, old.new_zeros(tokens - len(old), old.shape[1])])}
    finally:
        text.vocab_size = before
