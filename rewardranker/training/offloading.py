"""Memory of a device, given back while others compute there: what lay in it waits in the host's memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor


class Offloaded:
    """Storages of tensors that are empty for now, and what is to be in them again.

    Storages are emptied and filled, never replaced: whoever holds a tensor or a view of it, a library's flat buffers
    included, finds the same numbers in it afterwards. Tensors that lie elsewhere stay as they are, and so do those
    that are parts of a file (only on CPU). A storage that another object of this class has emptied is left to it.
    """

    def __init__(self, device: str) -> None:
        self._device = torch.device(device).type
        self._away: list[tuple[torch.UntypedStorage, int, Tensor | None]] = []
        self._emptied = False

    @torch.no_grad()
    def empty(self, tensors: Iterable[Tensor], keep: bool = True) -> None:
        """Empties the tensors' storages; their numbers are lost unless they are to be kept."""
        self._emptied = True
        found = {storage.data_ptr(): storage for tensor in tensors if (storage := self._storage(tensor))}
        for storage in found.values():
            self._away.append((storage, storage.nbytes(), _copied(storage) if keep else None))
        if self._device == "cuda":
            torch.cuda.synchronize()
        for storage in found.values():
            storage.resize_(0)
        self._release()

    @torch.no_grad()
    def fill(self) -> None:
        """Gives all storages their memory again, and their numbers where these were kept."""
        for storage, size, numbers in self._away:
            storage.resize_(size)
            if numbers is not None:
                _bytes(storage).copy_(numbers, non_blocking=True)
        if self._device == "cuda":
            torch.cuda.synchronize()
        self._away.clear()
        self._emptied = False

    def require_none(self, what: str) -> None:
        """Raises ``RuntimeError`` after :meth:`empty`: to compute would be to read what is not there."""
        if self._emptied:
            raise RuntimeError(f"{what} is offloaded: reload it before it computes")

    def _storage(self, tensor: Tensor) -> torch.UntypedStorage | None:
        """Where the tensor's numbers lie on the device, if they do, in memory that can be given back."""
        local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
        if local.device.type != self._device or not local.untyped_storage().nbytes():
            return None
        # A part of a file is not torch's to give back, nor ours to move: kernels for CPUs round by where numbers lie.
        return local.untyped_storage() if local.untyped_storage().resizable() else None

    def _release(self) -> None:
        """Torch keeps from other processes what it once had of a device."""
        if self._device == "cuda":
            torch.cuda.empty_cache()


def tensors_of(network: nn.Module) -> Iterator[Tensor]:
    """A network's parameters and buffers."""
    yield from network.parameters()
    yield from network.buffers()


def _bytes(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)


def _copied(storage: torch.UntypedStorage) -> Tensor:
    numbers = torch.empty(storage.nbytes(), dtype=torch.uint8, pin_memory=storage.device.type == "cuda")
    return numbers.copy_(_bytes(storage), non_blocking=True)
