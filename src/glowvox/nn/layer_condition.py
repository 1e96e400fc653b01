"""What is added before the gate of a layer `[R, 2H]`, biases included: for all rows, or made as rows need it."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional as F


class LayerCondition(Protocol):
    """The condition of one layer."""

    def whole(self) -> Tensor:
        """Return all rows, which must not be changed."""

    def block(self, begin: int, end: int) -> Tensor:
        """Return the rows from `begin` to `end`, the caller's to overwrite."""


class Known:
    """Rows that are there already: in training those of all layers come from one product."""

    def __init__(self, rows: Tensor) -> None:
        self._rows = rows

    def whole(self) -> Tensor:
        """See `LayerCondition`."""
        return self._rows

    def block(self, begin: int, end: int) -> Tensor:
        """See `LayerCondition`."""
        return self._rows[begin:end].clone()


class Projected:
    """A projection of rows `[R, C]`: where nothing is kept, what is made for a block never leaves the cache."""

    def __init__(self, rows: Tensor, weight: Tensor, bias: Tensor) -> None:
        self._rows, self._weight, self._bias = rows, weight, bias

    def whole(self) -> Tensor:
        """See `LayerCondition`."""
        return F.linear(self._rows, self._weight, self._bias)

    def block(self, begin: int, end: int) -> Tensor:
        """See `LayerCondition`."""
        return F.linear(self._rows[begin:end], self._weight, self._bias)
