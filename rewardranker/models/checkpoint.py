"""What a model directory holds, from the headers of its files: names and shapes of tensors, no weights."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rewardranker.errors import UserError

#: Before the name of a head in files, where a program's score is the mean over its tokens: a library that would read
#: it at the last one finds no head.
MEAN = "mean."

#: What wrappers put into names when a state is saved through them: data parallelism and peft before every name,
#: torch.compile, FSDP and gradient checkpointing before those of the part that they wrap. And :data:`MEAN`.
_WRAPPED = re.compile(
    r"^(?:module\.|_orig_mod\.|base_model\.model\.)++|^mean\.(?=score\.)|"
    r"(?<=\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.|^_fsdp_wrapped_module\."
)

#: In the order in which ``from_pretrained`` looks for them.
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")

_ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")


def refuse_adapter(directory: Path, setting: str) -> None:
    """Raises :class:`UserError` where an adapter (LoRA) lies in ``directory``: it would be left out of the network.

    Weights beside an adapter are refused too, for they may hold it already, and nothing tells.
    """
    found = [name for name in _ADAPTER if (directory / name).exists()]
    deeper = [str(path.relative_to(directory)) for name in _ADAPTER for path in sorted(directory.glob(f"*/{name}"))]
    if not found and not deeper:
        return
    holds = ", ".join(found or deeper)
    if any((directory / name).exists() for name in _WEIGHTS):
        raise UserError(
            f"{setting}={directory}: holds weights and an adapter ({holds}) beside them, and nothing says whether "
            "the weights contain it already; remove the adapter's files if they do, or merge it (peft: "
            "merge_and_unload()) and save the merged model into a directory of its own"
        )
    raise UserError(
        f"{setting}={directory}: holds an adapter ({holds}) and no network{_base_of(directory)}; merge it into its "
        "base (peft: PeftModel.from_pretrained(base, directory).merge_and_unload()), save the merged model with "
        "save_pretrained, its tokenizer too, and give that directory"
    )


def _base_of(directory: Path) -> str:
    try:
        base = json.loads((directory / _ADAPTER[0]).read_text()).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError):
        return ""
    return f" (its base is {base})" if base else ""


def plain_name(name: str) -> str:
    """A tensor's name without what wrappers put into it."""
    while (plain := _WRAPPED.sub("", name)) != name:
        name = plain
    return plain


def wrappers(names: Mapping[str, object]) -> list[str]:
    """What was put into names, each once."""
    return list(dict.fromkeys(found for name in names for found in _WRAPPED.findall(name)))


def read_shapes(directory: Path, setting: str) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors by the names in the files; no weights are read.

    Raises:
        UserError: no weights, a file that an index names is not there, or one that is damaged.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in weight_files(directory, setting):
        try:
            if file.suffix == ".safetensors":
                with safe_open(file, framework="pt") as opened:
                    names = opened.keys()
                    shapes |= {name: tuple(opened.get_slice(name).get_shape()) for name in names}
            else:
                state = torch.load(file, map_location="meta", weights_only=True, mmap=True)
                shapes |= {name: tuple(tensor.shape) for name, tensor in state.items()}
        except (SafetensorError, RuntimeError, OSError, ValueError, AttributeError, EOFError) as error:
            raise _damaged(file, setting, error) from error
    plain = Counter(plain_name(name) for name in shapes)
    twice = sorted(name for name, count in plain.items() if count > 1)
    if twice:
        raise UserError(
            f"{setting}={directory}: {twice[0]} is there {plain[twice[0]]} times, under names with and without a "
            "wrapper's prefix; save the model again"
        )
    return shapes


def read_tensors(directory: Path, setting: str) -> Iterator[tuple[str, Tensor]]:
    """All tensors by their plain names, in the order of the files. Raises as :func:`read_shapes` does."""
    for file in weight_files(directory, setting):
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118 (not a mapping)
                    yield plain_name(name), opened.get_tensor(name)
        else:
            for name, tensor in torch.load(file, map_location="cpu", weights_only=True, mmap=True).items():
                yield plain_name(name), tensor


def weight_files(directory: Path, setting: str) -> list[Path]:
    """The files with the weights, as ``from_pretrained`` would choose them. Raises as :func:`read_shapes` does."""
    found = next((directory / name for name in _WEIGHTS if (directory / name).exists()), None)
    if found is None:
        raise UserError(
            f"{setting}={directory}: holds no weights ({', '.join(_WEIGHTS)}); give a directory written by "
            "save_pretrained"
        )
    if found.suffix != ".json":
        return [found]
    try:
        named = sorted(set(json.loads(found.read_text())["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise _damaged(found, setting, error) from error
    lost = [name for name in named if not (directory / name).exists()]
    if lost:
        raise UserError(
            f"{setting}={directory}: {found.name} names {len(named)} files, and {', '.join(lost)} is not there; copy "
            "the whole directory again"
        )
    return [directory / name for name in named]


def _damaged(file: Path, setting: str, error: Exception) -> UserError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"{setting}={file.parent}: {file.name} is damaged ({reason}); copy or save it again")
