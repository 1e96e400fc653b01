"""Matrix products that the calling thread computes alone.

NumPy's BLAS shares larger products among threads of its own, which then wait actively for the next one, and take their
processors from the threads of the networks: on two cores a sentence took a third longer by that.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALONE = 2**18
"""Multiplications up to which OpenBLAS shares a product with nobody."""


def product(rows: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Return `rows [T, K] @ matrix [K, M]`, block by block, each so small that no other thread is woken for it."""
    count = max(1, _ALONE // max(1, matrix.size))
    if count >= len(rows):
        return rows @ matrix
    result = np.empty((len(rows), matrix.shape[1]), np.result_type(rows, matrix))
    for start in range(0, len(rows), count):
        np.matmul(rows[start : start + count], matrix, out=result[start : start + count])
    return result


class BandedMatrix:
    """A matrix `[K, M]` with its values near a diagonal, such as that of mel filters, cut into bands of columns.

    Only the rows in which a band has values are multiplied: of 80 mel filters over 513 bins a tenth.
    """

    def __init__(self, matrix: NDArray[np.floating], bands: int = 8) -> None:
        self.shape = matrix.shape
        self._bands: list[tuple[slice, slice, NDArray[np.floating]]] = []
        edges = np.linspace(0, matrix.shape[1], min(bands, matrix.shape[1]) + 1).round().astype(int)
        for first, last in pairwise(edges):
            rows = np.flatnonzero(matrix[:, first:last].any(1))
            if rows.size:
                within = slice(int(rows[0]), int(rows[-1]) + 1)
                columns = slice(int(first), int(last))
                self._bands.append((within, columns, np.ascontiguousarray(matrix[within, columns])))

    def __rmatmul__(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return `rows [T, K] @ self`, of the rows' type."""
        result = np.zeros((len(rows), self.shape[1]), rows.dtype)
        for within, columns, band in self._bands:
            result[:, columns] = product(rows[:, within], band)
        return result

    __array_ufunc__ = None
    """NumPy leaves `array @ self` to this class."""
