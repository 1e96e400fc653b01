"""Streaming convolutions: a signal in pieces, with what later pieces need of earlier ones as an explicit state.

A convolution sees the columns that it still needs of the pieces before, and gives a value once everything that the
value depends on is there; zeros stand beyond the true ends only. So joined pieces equal the whole, nothing is computed
twice, and a whole signal is one piece. The state is an argument and a result: modules keep nothing, and many streams
share them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, eq=False)
class Chunk:
    """Neighbouring columns of a signal.

    Attributes:
        values: `[B, C, n]`.
        begin: place of the first column in the signal.
    """

    values: Tensor
    begin: int = 0

    @property
    def end(self) -> int:
        """Place after the last column."""
        return self.begin + self.values.shape[2]

    def cut(self, begin: int, end: int) -> "Chunk":
        """Return the columns from `begin` to `end`, places in the signal."""
        if begin == self.begin and end >= self.end:
            return self
        return Chunk(self.values[:, :, begin - self.begin : end - self.begin], begin)

    def map(self, function: Callable[[Tensor], Tensor]) -> "Chunk":
        """Return what a function that keeps the columns makes of the values."""
        return Chunk(function(self.values), self.begin)


PieceState = Mapping[str, Chunk]
"""What is remembered of a signal between two pieces, by the place in the model that needs it; empty at the start."""


class Stream:
    """The state of a stream while one piece goes through a model."""

    def __init__(self, before: PieceState, *, final: bool) -> None:
        """Take what the piece before left.

        Args:
            before: `after` of the piece before; empty for the first one.
            final: whether the signal ends with this piece.
        """
        self._before = before
        self._prefix = ""
        self.final = final
        self.after: dict[str, Chunk] = {}
        """What the next piece needs."""

    def part(self, name: str) -> "Stream":
        """Return the stream as a part of the model sees it, which has names of its own."""
        part = Stream(self._before, final=self.final)
        part._prefix, part.after = f"{self._prefix}{name}.", self.after
        return part

    def arrived(self, name: str, values: Tensor) -> Chunk:
        """Return new columns `[B, C, n]` of the signal, with their place."""
        before = self._before.get(self._prefix + name)
        chunk = Chunk(values, 0 if before is None else before.end)
        self.keep(name, chunk, chunk.end)
        return chunk

    def joined(self, name: str, chunk: Chunk) -> Chunk:
        """Return the columns that were kept, and those that are new."""
        before = self._before.get(self._prefix + name)
        if before is None or before.begin == before.end:
            return chunk
        return Chunk(torch.cat([before.values, chunk.values], 2), before.begin)

    def keep(self, name: str, chunk: Chunk, begin: int) -> None:
        """Keep the columns of a chunk from `begin` on for the next piece."""
        self.after[self._prefix + name] = chunk.cut(begin, chunk.end)

    def until(self, name: str, chunk: Chunk, end: int) -> Chunk:
        """Return the columns before `end` of those that waited and those that are new; the rest waits on."""
        known = self.joined(name, chunk)
        self.keep(name, known, end)
        return known.cut(known.begin, end)

    def context(self, name: str, chunk: Chunk, left: int, right: int) -> tuple[Chunk, int, int]:
        """Return known columns, and the places from which to which values can be computed that need a context.

        Args:
            name: of the state.
            chunk: the new columns.
            left: columns on the left that a value needs, fewer at the beginning of the signal.
            right: on the right, fewer at its end.
        """
        before = self._before.get(self._prefix + name)
        known = self.joined(name, chunk)
        begin = 0 if before is None else max(0, before.end - right)
        end = known.end if self.final else max(0, known.end - right)
        self.keep(name, known, max(0, end - left))
        return known, begin, end

    def window(self, name: str, chunk: Chunk, left: int, right: int) -> Chunk:
        """Return what an unpadded convolution turns into all values that can be computed now.

        Its `begin` is that of the first value; `left` columns lie before it. Arguments are those of `context`.
        """
        known, begin, end = self.context(name, chunk, left, right)
        first, last = max(begin - left, 0), min(end + right, known.end)
        zeros = (first - (begin - left), (end + right) - last)
        values = known.cut(first, last).values
        return Chunk(F.pad(values, zeros) if any(zeros) else values, begin)

    def convolution(self, name: str, layer: nn.Conv1d, chunk: Chunk) -> Chunk:
        """Apply a convolution that keeps the length of a signal (its own padding aside)."""
        reach = layer.kernel_size[0] // 2
        window = self.window(name, chunk, reach, reach)
        return window.map(lambda values: F.conv1d(values, layer.weight, layer.bias))


def whole() -> Stream:
    """Return the stream of a signal that comes in one piece."""
    return Stream({}, final=True)
