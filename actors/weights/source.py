"""The trainer's side of a weight sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

import ray
import torch
import torch.distributed as dist
from ray import ObjectRef
from torch import Tensor

from actors.cluster.ranks import open_store
from actors.weights.buckets import byte_size, checksum, meta_of, sampled, split
from actors.weights.group import WeightGroup
from rewardranker.generation.types import TensorMeta
from rewardranker.training.engine import TrainEngine, checkpoint_parameters, checkpoint_shapes


class WeightSource:
    """Gives away a network's weights, bucket by bucket.

    Every rank calls what gives weights away, since all of them gather what is sharded; one sends.

    Args:
        parameters: makes a fresh pass over (name of the Hugging Face checkpoint, whole tensor), each time in the same
            order. A tied output embedding is not among them: receivers tie it again.
        metas: what is announced about them; not given, it is what a pass over them finds. Tensors are sent in its
            types.
        device: where the weights live: ``cpu`` or ``cuda:0``.
        sends: whether this is the rank that does.
    """

    def __init__(
        self,
        parameters: Callable[[], Iterator[tuple[str, Tensor]]],
        metas: Sequence[TensorMeta] | None = None,
        device: str = "cpu",
        sends: bool = True,
    ) -> None:
        self._parameters, self._device, self._sends = parameters, device, sends
        self._given = metas
        self._waiting: Iterator[Tensor | None] = iter(())
        self._sums: dict[str, int] = {}
        self._store: dist.TCPStore | None = None
        self._group: WeightGroup | None = None

    @classmethod
    def of(cls, engine: TrainEngine, dtype: str) -> WeightSource:
        """Of what an engine trains, sent as ``dtype``."""
        metas = [(name, dtype, shape) for name, shape in checkpoint_shapes(engine).items()]
        return cls(partial(checkpoint_parameters, engine), metas, engine.rank.device, engine.rank.index == 0)

    def metas(self) -> list[TensorMeta]:
        """What the buckets will hold, in order."""
        return self._metas

    def checksums(self) -> dict[str, int]:
        """Of the tensors that :func:`actors.weights.buckets.sampled` names, as they were packed last."""
        return self._sums

    def device(self) -> str:
        """Where the weights live: ``cpu`` or ``cuda:0``."""
        return self._device

    def begin_buckets(self, limit_bytes: int) -> int:
        """Prepares :meth:`put_bucket`; returns how many :func:`actors.weights.buckets.split` makes."""
        self._waiting = self._packed(limit_bytes, "cpu")
        return len(list(split(self._metas, limit_bytes)))

    def put_bucket(self) -> list[ObjectRef]:
        """Puts the next bucket, ``uint8 [n]``, raw bytes of whole tensors, into the object store; returns its
        reference, in a list so that it stays one.

        One at a time: the store never holds the whole model.
        """
        bucket = next(self._waiting)
        return [] if bucket is None else [ray.put(bucket.numpy())]

    def open_group(self, timeout_s: float) -> tuple[str, int]:
        """Opens the meeting point of a new weight group; returns its address and port."""
        self._group = None
        self._store = open_store(timeout_s)
        return ray.util.get_node_ip_address(), self._store.port

    def join_group(self, world: int, backend: str, timeout_s: float) -> None:
        """Becomes rank 0 of the group; returns when all have joined."""
        assert self._store is not None, "open_group comes first"
        self._group = WeightGroup(self._store, 0, world, backend, self._device, timeout_s)

    def send(self, limit_bytes: int, keep: bool = False) -> list[ObjectRef]:
        """Broadcasts all weights to the group.

        Returns:
            On the rank that sends, and only if they are to be kept: the buckets, in the object store.
        """
        assert self._group is not None or not self._sends, "join_group comes first"
        buckets = self._packed(limit_bytes, self._group.device if self._group else self._device)
        kept: list[ObjectRef] = []

        def own() -> Iterator[Tensor]:
            for bucket in buckets:
                if bucket is not None:
                    if keep:
                        kept.append(ray.put(bucket.cpu().numpy()))
                    yield bucket

        if self._group:
            self._group.send(own())
        else:
            for _ in own():  # takes part in gathering, and sends nothing
                pass
        return kept

    @cached_property
    def _metas(self) -> list[TensorMeta]:
        if self._given is not None:
            return list(self._given)
        return [meta_of(name, tensor) for name, tensor in self._parameters()]

    def _packed(self, limit_bytes: int, device: str) -> Iterator[Tensor | None]:
        """The buckets, on the rank that sends; the others take part in gathering, and hold nothing."""
        tensors, sample = self._parameters(), set(sampled(self._metas))
        self._sums = {}
        for metas in split(self._metas, limit_bytes):
            bucket = torch.empty(byte_size(metas) if self._sends else 0, dtype=torch.uint8, device=device)
            offset = 0
            for meta in metas:
                found = next(tensors)
                if self._sends:
                    raw = _raw(meta, *found)
                    bucket[offset : offset + len(raw)].copy_(raw)
                    if meta[0] in sample:
                        self._sums[meta[0]] = checksum(raw)
                    offset += len(raw)
            yield bucket if self._sends else None


def _raw(meta: TensorMeta, name: str, tensor: Tensor) -> Tensor:
    """The bytes of a tensor as it was announced, ``uint8 [n]``."""
    announced, dtype, shape = meta
    if (name, tuple(tensor.shape)) != (announced, shape):
        raise RuntimeError(f"announced {meta}, then found {meta_of(name, tensor)}")
    return tensor.detach().to(getattr(torch, dtype)).contiguous().view(-1).view(torch.uint8)
