"""Tensors of a foreign checkpoint: where their numbers lie in the file, checked, and read only when asked for.

A checkpoint with its optimiser may be ten times the model; only the tensors somebody wants are read. Everything is
NumPy, so that no native code of a deep-learning library sees a foreign file and a mel in a `.pt` needs no PyTorch.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from glowvox.errors import CheckpointError

_MAX_DIMENSIONS = 16
_MAX_NUMBER = 1 << 48  # keeps every byte offset within 64 bits, whatever the type

STORAGE_TYPES: dict[str, str] = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bf16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",  # a file may hold bytes other than 0 and 1, which NumPy's bool does not expect
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
}
"""The number type of each of torch's storage classes, as NumPy writes it (`bf16` apart, which NumPy lacks)."""


class StorageFile(ABC):
    """The open file that storages are read from; it keeps an account of what has been read."""

    def __init__(self, file_size: int) -> None:
        # Views of one storage may be read several times, and 16-bit values grow when converted; but a file that
        # makes us copy more than a few times its own size is an attack.
        self._copy_budget = 4 * file_size + (1 << 26)

    @abstractmethod
    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the file does not hold this storage in this size.
        """

    @abstractmethod
    def check(self, key: str, n_bytes: int) -> None:
        """Check, without reading it, that a storage is there in the size claimed.

        Raises:
            CheckpointError: it is not.
        """

    @property
    @abstractmethod
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""

    def charge(self, n_bytes: int) -> None:
        """Account for `n_bytes` to be copied.

        Raises:
            CheckpointError: more than the file can honestly need.
        """
        self._copy_budget -= n_bytes
        if self._copy_budget < 0:
            raise CheckpointError("its tensors unfold to many times the size of the file; it was not loaded")


@final
@dataclass(frozen=True, eq=False)
class Storage:
    """A run of numbers in the file."""

    file: StorageFile
    key: str
    number_type: str
    size: int

    @property
    def item_size(self) -> int:
        """Bytes of one number."""
        return 2 if self.number_type == "bf16" else np.dtype(self.number_type).itemsize


@final
@dataclass(frozen=True, eq=False)
class LazyTensor:
    """A tensor that has been checked against its storage but not read."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def n_elements(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)

    def read(self) -> np.ndarray:
        """Return the values as a new contiguous array in the machine's byte order (bfloat16 becomes float32).

        Raises:
            CheckpointError: the file is damaged, or unfolds to far more than its size.
        """
        storage = self.storage
        storage.file.charge(self.n_elements * max(storage.item_size, 4))
        raw = storage.file.raw(storage.key, storage.size * storage.item_size)
        order = storage.file.byte_order
        is_bfloat = storage.number_type == "bf16"
        numbers = raw.view(np.dtype("u2" if is_bfloat else storage.number_type).newbyteorder(order))
        strides = tuple(step * storage.item_size for step in self.stride)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)
        if is_bfloat:
            return (view.astype("u4") << 16).view("f4")
        return view.astype(view.dtype.newbyteorder("="), order="C")


def lazy_tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> LazyTensor:
    """Return the tensor a pickle describes, after checking that all of it lies inside its storage.

    Raises:
        CheckpointError: not a storage, or a shape, stride or offset outside of it.
    """
    if not isinstance(storage, Storage):
        raise CheckpointError("a tensor is built on something that is not a storage; the file is damaged or hostile")
    if not isinstance(shape, tuple) or not isinstance(stride, tuple) or len(shape) != len(stride):
        raise CheckpointError("a tensor's shape and stride do not fit; the file is damaged or hostile")
    if len(shape) > _MAX_DIMENSIONS or any(
        type(number) is not int or not 0 <= number < _MAX_NUMBER for number in (offset, *shape, *stride)
    ):
        raise CheckpointError("a tensor has an impossible shape, stride or offset; the file is damaged or hostile")
    n_elements = math.prod(shape)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) if n_elements else 0
    if n_elements > storage.size or (n_elements and last >= storage.size) or offset > storage.size:
        raise CheckpointError(
            f"a tensor claims {printable_count(max(n_elements, last + 1))} values where its storage holds "
            f"{printable_count(storage.size)}; the file is damaged or hostile"
        )
    return LazyTensor(storage, offset, shape, stride)


def printable_count(number: int) -> str:
    """Return a count for a message; counts of a hostile file can have hundreds of digits."""
    return f"{number:,}" if number < 1 << 63 else "more than 2^63"
