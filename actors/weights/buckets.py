"""The layout of weights on their way from the trainer to a rollout engine, shared by both sides.

Tensors travel in buckets of raw bytes, back to back, in the order announced. A bucket holds whole tensors:
as many as fit its size limit, and at least one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from rewardranker.generation.types import TensorMeta

#: Checksums are compared of so many tensors, and made of about so many bytes of each.
SAMPLED_TENSORS, SAMPLED_BYTES = 8, 2**18


def byte_size(metas: Iterable[TensorMeta]) -> int:
    """How many bytes the announced tensors take together."""
    return sum(math.prod(shape) * _dtype(dtype).itemsize for _, dtype, shape in metas)


def split(metas: Iterable[TensorMeta], limit_bytes: int) -> Iterator[list[TensorMeta]]:
    """Cuts the announced tensors into buckets; both sides cut with this and so agree."""
    bucket: list[TensorMeta] = []
    size = 0
    for meta in metas:
        if bucket and size + byte_size([meta]) > limit_bytes:
            yield bucket
            bucket, size = [], 0
        bucket.append(meta)
        size += byte_size([meta])
    if bucket:
        yield bucket


def meta_of(name: str, tensor: Tensor) -> TensorMeta:
    """What is announced about a tensor."""
    return name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)


def check_metas(announced: Iterable[TensorMeta], expected: Iterable[TensorMeta]) -> None:
    """Raises ``ValueError`` naming the tensors that only one side has, or has in another shape.

    Their types may differ: receivers convert.
    """
    sent = {name: shape for name, _, shape in announced}
    own = {name: shape for name, _, shape in expected}
    differing = {n: f"{sent[n]} sent, {own[n]} here" for n in sent.keys() & own.keys() if sent[n] != own[n]}
    if sent != own:
        raise ValueError(
            "the trainer's tensors are not those of the rollout's model: "
            f"missing {sorted(own.keys() - sent.keys())}, unexpected {sorted(sent.keys() - own.keys())}, "
            f"of other shapes {differing}; both must be loaded from the same model directory"
        )


def sampled(metas: Sequence[TensorMeta]) -> list[str]:
    """The tensors of which both sides make checksums: spread evenly, the first and the last among them."""
    count = min(SAMPLED_TENSORS, len(metas))
    return [metas[k * (len(metas) - 1) // max(1, count - 1)][0] for k in range(count)]


def checksum(tensor: Tensor) -> int:
    """CRC-32 of bytes that are spread over the whole tensor."""
    raw = tensor.detach().contiguous().view(-1).view(torch.uint8)
    # An odd stride meets every byte of a number in turn; an even one could see exponents alone.
    return zlib.crc32(raw[:: len(raw) // SAMPLED_BYTES | 1].contiguous().cpu().numpy().tobytes())


def held_checksums(
    metas: Sequence[TensorMeta], held: Mapping[str, Tensor], came: Mapping[str, int] | None = None
) -> dict[str, int]:
    """A receiver's checksums of the tensors that :func:`sampled` names.

    Args:
        held: what the engine computes with, by name; one of another type or shape than announced is not compared.
        came: checksums of tensors as they arrived (:attr:`Unpacker.came`), for those that are held in another form.
    """
    found = dict(came or {})
    names = set(sampled(metas))
    for meta in metas:
        name = meta[0]
        if name in names and name in held and meta_of(name, held[name]) == meta:
            found[name] = checksum(held[name])
    return found


def differing(sent: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Names of the tensors that a receiver holds otherwise than they were sent, or does not have."""
    return sorted(name for name in sent if found.get(name) != sent[name])


class Unpacker:
    """Takes announced tensors out of the buckets that arrive.

    Attributes:
        came: checksums of those of ``sample`` that have.
    """

    def __init__(self, metas: list[TensorMeta], sample: Collection[str] = ()) -> None:
        self.metas, self._sample = metas, sample
        self.came: dict[str, int] = {}
        self._next = 0

    def take(self, bucket: Tensor) -> list[tuple[str, Tensor]]:
        """The next tensors, as views of ``bucket`` where alignment allows.

        Args:
            bucket: ``uint8 [n]``.

        Raises:
            ValueError: ``n`` is not the size of the next tensors as they were announced.
        """
        tensors: list[tuple[str, Tensor]] = []
        offset = 0
        while offset < len(bucket) and self._next < len(self.metas):
            name, dtype, shape = meta = self.metas[self._next]
            size = byte_size([meta])
            if offset + size > len(bucket):
                break
            tensors.append((name, _view(bucket, offset, size, _dtype(dtype)).view(shape)))
            if name in self._sample:
                self.came[name] = checksum(tensors[-1][1])
            offset += size
            self._next += 1
        if offset != len(bucket):
            raise ValueError(
                f"a bucket of {len(bucket)} bytes holds {offset} bytes of announced tensors; it must end "
                f"where a tensor ends ({self._next} of {len(self.metas)} tensors received)"
            )
        return tensors

    def finish(self) -> None:
        """Raises ``ValueError`` when an announced tensor has not come."""
        if self._next < len(self.metas):
            late = [name for name, _, _ in self.metas[self._next :]]
            raise ValueError(f"the update ended before {len(late)} announced tensors had come: {late}")


def _dtype(name: str) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _view(bucket: Tensor, offset: int, size: int, dtype: torch.dtype) -> Tensor:
    piece = bucket[offset : offset + size]
    # A tensor of wide numbers after one of narrow ones can start at an odd place.
    return (piece if offset % dtype.itemsize == 0 else piece.clone()).view(dtype)
