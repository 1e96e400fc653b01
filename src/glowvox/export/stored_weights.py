"""Weights that lie in a model's own file already, found again in the matrices of its graph.

A voice that can be trained further holds its models' weights, and its graphs need the same numbers in another order. A
graph may refer to a place in a file beside it (ONNX calls this external data), so the numbers are stored once: the
graph turns and scales them when it is opened.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[str, Any] = {"F16": np.float16, "F32": np.float32}
_SMALLEST = 512
"""Values; what is smaller is stored in the graph itself."""


@dataclass(frozen=True)
class StoredBlock:
    """A matrix `[K, N]` made of a tensor that lies in a file."""

    offset: int
    """Of its first byte in the file."""
    length: int
    """In bytes."""
    dtype: Any
    """float16 or float32."""
    shape: tuple[int, ...]
    """Of the tensor."""
    perm: tuple[int, ...] | None
    """How its axes are exchanged before they are joined to two; None: they are not."""
    gain: NDArray[np.float64] | None
    """Factors on the columns `[N]`; None: none."""


class StoredWeights:
    """The tensors of one safetensors file."""

    def __init__(self, file: Path, location: str) -> None:
        """Read the file.

        Args:
            file: the safetensors file.
            location: where it lies as seen from the graph, with `/` between folder and file.

        Raises:
            OSError: it cannot be read.
        """
        self.location = location
        content = file.read_bytes()
        [header] = struct.unpack_from("<Q", content)
        self._candidates: list[tuple[StoredBlock, NDArray[np.float64]]] = []
        for name, entry in json.loads(content[8 : 8 + header]).items():
            if name == "__metadata__" or entry["dtype"] not in _TYPES or len(entry["shape"]) not in (2, 3):
                continue
            dtype, shape = np.dtype(_TYPES[entry["dtype"]]), tuple(entry["shape"])
            first, last = (8 + header + end for end in entry["data_offsets"])
            values = np.frombuffer(content[first:last], dtype.newbyteorder("<")).reshape(shape).astype(np.float64)
            if values.size >= _SMALLEST:
                self._add(values, first, dtype)

    def _add(self, values: NDArray[np.float64], offset: int, dtype: np.dtype[Any]) -> None:
        perm = tuple(reversed(range(values.ndim)))
        turned = values.transpose(perm).reshape(-1, len(values))
        self._candidates.append((StoredBlock(offset, values.nbytes, dtype, values.shape, perm, None), turned))
        if values.ndim == 2:
            self._candidates.append((StoredBlock(offset, values.nbytes, dtype, values.shape, None, None), values))

    def find(self, matrix: NDArray[Any]) -> list[StoredBlock] | None:
        """Return the blocks that make a matrix `[K, N]`, one below the other; None where it is not made of such.

        A block is a tensor, or some of its rows, turned and with a factor on each column.
        """
        wanted = np.asarray(matrix, np.float64)
        if wanted.ndim != 2 or wanted.size < _SMALLEST:
            return None
        blocks: list[StoredBlock] = []
        row = 0
        while row < len(wanted):
            found = self._block(wanted[row:])
            if found is None:
                return None
            block, height = found
            blocks.append(block)
            row += height
        return blocks

    def _block(self, rest: NDArray[np.float64]) -> tuple[StoredBlock, int] | None:
        """Return a block that begins a matrix, and how many rows it fills."""
        width = rest.shape[1]
        for block, values in self._candidates:
            height, columns = values.shape
            if height > len(rest) or height < 2 or columns < width or (block.perm is None and columns != width):
                continue
            for start in range(0, columns - width + 1, width):
                gain = _gain(rest[:height], values[:, start : start + width])
                if gain is not None:
                    return _part(block, start, width, None if (gain == 1).all() else gain), height
        return None


def _part(block: StoredBlock, start: int, width: int, gain: NDArray[np.float64] | None) -> StoredBlock:
    """Return the rows of a tensor that are some columns of its turned matrix."""
    if block.perm is None:
        return StoredBlock(block.offset, _bytes(block.shape, block.dtype), block.dtype, block.shape, None, gain)
    shape = (width, *block.shape[1:])
    row_bytes = _bytes(block.shape[1:], block.dtype)
    return StoredBlock(block.offset + start * row_bytes, width * row_bytes, block.dtype, shape, block.perm, gain)


def _bytes(shape: tuple[int, ...], dtype: Any) -> int:
    return int(np.prod(shape)) * int(np.dtype(dtype).itemsize)


def _gain(wanted: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the factors of the columns that make `values` into `wanted`, both `[K, N]`; None where none do."""
    if not np.allclose(wanted[0] * values[1], wanted[1] * values[0], rtol=1e-6, atol=1e-12):
        return None
    if np.array_equal(wanted, values):
        return np.ones(values.shape[1])
    place = np.abs(values).argmax(0)[None]
    largest = np.take_along_axis(values, place, 0)[0]
    found = np.take_along_axis(wanted, place, 0)[0]
    gain = np.divide(found, largest, out=np.ones_like(found), where=largest != 0)
    return gain if gain.all() and np.allclose(values * gain, wanted, rtol=1e-9, atol=1e-15) else None
