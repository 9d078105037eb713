"""What was loaded is what the network needs: nothing is drawn at random in silence, nothing is left out."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from networks_made import CONFIGS, causal, renamed, rewrite, without
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertGenerationConfig,
    RobertaConfig,
    T5Config,
    XLNetConfig,
    XLNetLMHeadModel,
)

from actors.rollout.worker import checkpoint_tensors
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.loading import (
    load_policy,
    load_scorer,
    require_policy,
    require_scorer,
    require_start,
    say_once,
)

Change = Callable[[dict[str, Tensor]], dict[str, Tensor]]
ROWS = [TokenSequence((2, 3, 4), (5, 6, 1)), TokenSequence((7,), (8, 9, 10, 11, 1))]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(causal("llama", tmp_path_factory.mktemp("base") / "model"))


@pytest.fixture(scope="module")
def scorer(base: Path) -> Path:
    directory = base.parent / "scorer"
    load_scorer(str(base), "float32", "auto", "cpu", seed=3).model.save_pretrained(directory)
    return directory


def copied(directory: Path, to: Path) -> Path:
    shutil.copytree(directory, to)
    return to


def scores(directory: Path) -> list[float]:
    with torch.no_grad():
        return list(load_scorer(str(directory), "float32", "auto", "cpu", None)(collate(ROWS)).tolist())


def refused(directory: Path, message: str) -> None:
    """Before loading and when loading, with the same words."""
    for load in (
        lambda: require_scorer(str(directory), "model"),
        lambda: load_scorer(str(directory), "float32", "auto", "cpu", None),
    ):
        with pytest.raises(UserError, match=message):
            load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("score."), r"1 tensor not there: score\.weight"),
        (renamed("score.", "classifier."), r"not there: score\.weight; 1 tensor not known to it: classifier\.weight"),
        (renamed("score.", "v_head.summary."), r"not known to it: v_head\.summary\.weight"),
        (without("layers.1.self_attn"), r"4 tensors not there: model\.layers\.1\.self_attn\.k_proj\.weight"),
        (without("model.norm"), r"not there: model\.norm\.weight"),
        (without("embed_tokens"), r"not there: model\.embed_tokens\.weight"),
        (lambda ts: ts | {"model.layers.2.norm.weight": torch.zeros(32)}, r"not known to it: model\.layers\.2\.norm"),
        (lambda ts: ts | {"score.weight": torch.zeros(2, 32)}, r"score\.weight is \[2, 32\], needed \[1, 32\]"),
        (lambda ts: ts | {"model.norm.weight": torch.zeros(24)}, r"model\.norm\.weight is \[24\], needed \[32\]"),
        (renamed("model.", "transformer."), r"20 tensors not there: .* 20 tensors not known"),
    ],
)  # fmt: skip
def test_a_scorer_that_is_not_whole_is_refused(scorer: Path, tmp_path: Path, change: Change, message: str) -> None:
    directory = copied(scorer, tmp_path / "m")
    rewrite(directory, change)
    refused(directory, message)


def test_a_training_start_may_lack_the_head_and_nothing_else(base: Path, tmp_path: Path) -> None:
    require_start(str(base), "--model")
    drawn = load_scorer(str(base), "float32", "auto", "cpu", seed=5).model.score.weight
    assert torch.equal(drawn, load_scorer(str(base), "float32", "auto", "cpu", seed=5).model.score.weight)
    refused(base, "is no reward model: it holds a LlamaForCausalLM")
    directory = copied(base, tmp_path / "m")
    rewrite(directory, without("layers.0.mlp.up_proj"))
    for load in (
        lambda: require_start(str(directory), "model"),
        lambda: load_scorer(str(directory), "float32", "auto", "cpu", seed=5),
        lambda: require_policy(str(directory), "model"),
        lambda: load_policy(str(directory), "float32", "auto", "cpu"),
    ):
        with pytest.raises(UserError, match=r"1 tensor not there: model\.layers\.0\.mlp\.up_proj\.weight"):
            load()


def test_a_scorer_without_its_head_is_no_training_start(scorer: Path, tmp_path: Path) -> None:
    directory = copied(scorer, tmp_path / "m")
    rewrite(directory, renamed("score.", "head."))
    with pytest.raises(UserError, match=r"not there: score\.weight; 1 tensor not known to it: head\.weight"):
        load_scorer(str(directory), "float32", "auto", "cpu", seed=5)


def test_a_scorer_is_no_language_model(scorer: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"LlamaForCausalLM is made of \(config.json says LlamaForSequenceClass.*score\.weight"
    ):
        require_policy(str(scorer))
    with pytest.raises(UserError, match=r"not there: lm_head\.weight"):
        load_policy(str(scorer), "float32", "auto", "cpu")


def test_tied_embeddings_are_not_missing(tmp_path: Path) -> None:
    directory = causal("llama_tied", tmp_path / "m")
    assert "lm_head.weight" not in load_file(tmp_path / "m" / "model.safetensors")
    require_policy(directory)
    model = load_policy(directory, "float32", "auto", "cpu").model
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_constants_of_older_versions_are_not_unknown(base: Path, tmp_path: Path) -> None:
    """The constant that the network computes is the one that counts."""
    directory = copied(base, tmp_path / "m")
    rewrite(directory, lambda ts: ts | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(4)})
    expected, found = (load_policy(str(path), "float32", "auto", "cpu").model for path in (base, directory))
    ids = torch.tensor([[3, 5, 7, 9]])
    torch.testing.assert_close(found(ids).logits, expected(ids).logits, rtol=0, atol=0)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "base_model.model.", "module._orig_mod."])
def test_wrappers_prefixes_are_mapped_and_said(
    scorer: Path, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    directory = copied(scorer, tmp_path / "m")
    rewrite(directory, renamed("", prefix))
    say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert scores(directory) == pytest.approx(scores(scorer), abs=1e-6)
        scores(directory)
    said = [record.message for record in caplog.records if prefix in record.message]
    assert said == [f"model={directory}: tensors have {prefix} in their names; read without that"]
    load_scorer(str(directory), "float32", "auto", "cpu", None).model.save_pretrained(tmp_path / "again")
    assert set(load_file(tmp_path / "again" / "model.safetensors")) == set(load_file(scorer / "model.safetensors"))


def test_a_wrapper_within_names_and_a_tensor_twice(scorer: Path, tmp_path: Path) -> None:
    for number, (start, to) in enumerate(
        [
            ("model.", "model._orig_mod."),
            ("model.layers.0.", "model.layers.0._checkpoint_wrapped_module."),
            ("", "_fsdp_wrapped_module._orig_mod."),
        ]
    ):
        directory = copied(scorer, tmp_path / str(number))
        rewrite(directory, renamed(start, to))
        assert scores(directory) == pytest.approx(scores(scorer), abs=1e-6)
    directory = copied(scorer, tmp_path / "twice")
    rewrite(directory, lambda ts: ts | {"module.score.weight": torch.zeros(1, 32)})
    refused(directory, r"score\.weight is there 2 times, under names with and without a wrapper's prefix")


def test_a_head_of_several_numbers_is_no_scorer_and_no_start(base: Path, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3)
    model.save_pretrained(tmp_path / "three")
    refused(tmp_path / "three", "gives 3 numbers, a score is one")
    for load in (
        lambda: require_start(str(tmp_path / "three"), "model"),
        lambda: load_scorer(str(tmp_path / "three"), "float32", "auto", "cpu", seed=0),
    ):
        with pytest.raises(UserError, match="its head gives 3 numbers, and a score is one"):
            load()


def test_lost_and_damaged_files(scorer: Path, tmp_path: Path) -> None:
    sharded = tmp_path / "sharded"
    model = load_scorer(str(scorer), "float32", "auto", "cpu", None).model
    model.save_pretrained(sharded, max_shard_size="8KB")
    shards = sorted(sharded.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert scores(sharded) == pytest.approx(scores(scorer), abs=1e-6)
    lost = copied(sharded, tmp_path / "lost")
    (lost / shards[1].name).unlink()
    refused(lost, rf"names {len(shards)} files, and {shards[1].name} is not there")
    for where, file in ((sharded, shards[0].name), (scorer, "model.safetensors")):
        cut = copied(where, tmp_path / f"cut-{where.name}")
        whole = (cut / file).read_bytes()
        (cut / file).write_bytes(whole[: len(whole) - 9])
        refused(cut, f"{file} is damaged")
    swapped = copied(sharded, tmp_path / "swapped")  # a shard under another one's name
    shutil.copy(shards[0], swapped / shards[1].name)
    refused(swapped, "not there")
    empty = copied(scorer, tmp_path / "empty")
    (empty / "model.safetensors").unlink()
    refused(empty, "holds no weights")


def test_old_files_of_torch_are_checked_alike(scorer: Path, tmp_path: Path) -> None:
    directory = copied(scorer, tmp_path / "m")
    tensors = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").unlink()
    torch.save({f"module.{name}": tensor for name, tensor in tensors.items()}, directory / "pytorch_model.bin")
    assert scores(directory) == pytest.approx(scores(scorer), abs=1e-6)
    torch.save(without("score")(tensors), directory / "pytorch_model.bin")
    refused(directory, r"not there: score\.weight")
    (directory / "pytorch_model.bin").write_bytes(b"PK")
    refused(directory, "pytorch_model.bin is damaged")


def test_a_lost_expert_is_missed(tmp_path: Path) -> None:
    directory = tmp_path / "m"
    require_policy(causal("mixtral", directory))
    rewrite(directory, without("layers.1.block_sparse_moe.experts.2.w1"))
    for load in (
        lambda: require_policy(str(directory)),
        lambda: load_policy(str(directory), "float32", "auto", "cpu"),
    ):
        with pytest.raises(
            UserError, match="tensors of a MixtralForCausalLM could not be made of those in the files"
        ):
            load()


@pytest.mark.parametrize("weights", [False, True])
def test_adapters_are_refused_by_name(scorer: Path, tmp_path: Path, weights: bool) -> None:
    directory = copied(scorer, tmp_path / "m")
    if weights:
        (directory / "lora").mkdir()
        (directory / "lora" / "adapter_config.json").write_text("{}")
        refused(directory, r"holds weights and an adapter \(lora/adapter_config\.json\) beside them")
    (directory / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    if weights:
        refused(directory, r"holds weights and an adapter \(adapter_config\.json\) beside them")
        return
    (directory / "model.safetensors").rename(directory / "adapter_model.safetensors")
    (directory / "config.json").unlink()
    refused(directory, r"holds an adapter \(adapter_config.json, adapter_model.*\(its base is owner/base\); merge it")


#: The others are loaded by the tests of packing as well.
UNUSUAL = ("codegen", "gptj", "bloom", "mamba", "granite", "cohere")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in UNUSUAL else [pytest.mark.slow]) for name in CONFIGS]
)
def test_architectures_that_are_taken(name: str, tmp_path: Path) -> None:
    """As language model and as scorer: everything that was saved comes back, with nothing more and nothing less."""
    directory = causal(name, tmp_path / "m")
    require_policy(directory)
    load_policy(directory, "float32", "auto", "cpu")
    require_start(directory, "model")
    made = load_scorer(directory, "float32", "auto", "cpu", seed=3)
    made.model.save_pretrained(tmp_path / "scorer")
    with torch.no_grad():
        assert scores(tmp_path / "scorer") == pytest.approx(made(collate(ROWS)).tolist(), abs=1e-6)
    rewrite(tmp_path / "scorer", without("score."))
    refused(tmp_path / "scorer", r"not there: score\.weight")


def test_architectures_that_are_not_taken(tmp_path: Path) -> None:
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    bidirectional = {
        "roberta": (RobertaConfig(**sizes, intermediate_size=48), "roberta is an encoder, which sees what follows"),
        "t5": (T5Config(vocab_size=64, d_model=32, d_kv=8, num_layers=1, num_heads=2, d_ff=48), "with a decoder"),
    }
    for name, (config, message) in bidirectional.items():
        AutoModel.from_config(config).save_pretrained(tmp_path / name)
        for require in (require_policy, require_start):
            with pytest.raises(UserError, match=message):
                require(str(tmp_path / name), "model.path")
    decoder = RobertaConfig(**sizes, intermediate_size=48, is_decoder=True)
    AutoModel.from_config(decoder).save_pretrained(tmp_path / "decoder")
    with pytest.raises(UserError, match="decoder of a RobertaForCausalLM cannot be had without"):
        require_start(str(tmp_path / "decoder"), "model.path")
    # What only its behaviour tells is refused when it is loaded, before anything is trained.
    XLNetLMHeadModel(XLNetConfig(vocab_size=64, d_model=32, n_layer=1, n_head=2, d_inner=48)).save_pretrained(
        tmp_path / "xlnet"
    )
    with pytest.raises(UserError, match="lets a token see those that follow it"):
        load_policy(str(tmp_path / "xlnet"), "float32", "auto", "cpu")
    assert BertGenerationConfig().is_decoder is False  # as some that are decoders say too, so it is asked itself


@pytest.mark.parametrize("name", ["mamba", "rwkv", "lfm2"])
def test_what_cannot_be_sampled_from_is_refused_beforehand(name: str, tmp_path: Path) -> None:
    directory = causal(name, tmp_path / "m")
    with pytest.raises(UserError, match="keeps no cache of keys and values alone"):
        require_policy(directory, sampled=True)


@pytest.mark.parametrize("name", ["llama_tied", "gpt2", "gpt_neo", "gpt_neox", "mixtral", "bloom"])
def test_engines_are_sent_what_the_trainer_would_send(name: str, tmp_path: Path) -> None:
    """Whatever the files call it: older names, experts one by one, a wrapper's prefix."""
    directory = causal(name, tmp_path / "m")
    expected = dict(load_policy(directory, "float32", "auto", "cpu").model.named_parameters())
    rewrite(tmp_path / "m", renamed("", "module."))
    sent = dict(checkpoint_tensors(directory))
    assert set(sent) == set(expected)
    assert all(torch.equal(sent[key], expected[key]) for key in sent)
