"""Mel-cepstral distortion (MCD): the distance of two spectral envelopes in decibels.

The definition, because many are in use: the cepstra are those of the natural log-mel under an orthonormal DCT-II;
c1 to c13 count, c0 (the level) does not; and per pair of frames

    MCD = 10 / ln 10 * sqrt(2 * sum_{k=1..13} (c_k - c'_k)^2)    [dB]

(R. Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993), averaged over frames.
Figures are comparable only with figures of the same definition and the same mel contract: counting c0 to c12 instead,
as some do, gives 0.3 to 0.5 dB more for the same speech.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.errors import MelError
from glowvox.evaluate.mel_distance import comparable_mels

_DECIBELS = 10.0 / np.log(10.0) * np.sqrt(2.0)
_LARGEST_TABLE = 50_000_000
"""Cells of the warping table; 50 million are 400 MB, two sentences of 80 seconds at 86 frames per second."""


def mel_cepstra(log_mel: ArrayLike, order: int = 13, first: int = 1) -> NDArray[np.float64]:
    """Return `order` cepstra `[order, T]` from c`first` on of a natural log-mel `[M, T]`, by the orthonormal DCT-II.

    Raises:
        MelError: the mel is no `[M, T]` array or has too few bins for the order.
    """
    mel = np.asarray(log_mel, dtype=np.float64)
    if mel.ndim != 2 or not (order >= 1 and first >= 0 and first + order <= mel.shape[0]):
        raise MelError(f"cannot take {order} cepstra of a mel of shape {mel.shape}: need [bins, frames] with more bins")
    bins = mel.shape[0]
    numbers = np.arange(first, first + order)
    angles = np.pi / bins * np.outer(numbers, np.arange(bins) + 0.5)
    scale = np.where(numbers == 0, np.sqrt(1.0 / bins), np.sqrt(2.0 / bins))
    return scale[:, None] * np.cos(angles) @ mel


def mel_cepstral_distortion(
    reference: ArrayLike,
    estimate: ArrayLike,
    *,
    order: int = 13,
    first: int = 1,
    align: Literal["frames", "dtw"] = "frames",
) -> float:
    """Return the mel-cepstral distortion of two natural log-mels in dB.

    Args:
        reference: `[M, T]`.
        estimate: `[M, T']` of the same mel contract.
        order: number of cepstra.
        first: number of the first of them; 0 counts the level, as some definitions do.
        align: `frames` compares frame t with frame t (copy synthesis; the lengths must agree); `dtw` warps time first
            (steps of one frame in either or both) and averages over the steps of the cheapest path.

    Raises:
        MelError: the mels cannot be compared, or are too long to warp.
    """
    pair = comparable_mels(reference, estimate)
    ours, theirs = (mel_cepstra(mel, order, first) for mel in pair)
    if align == "frames":
        if ours.shape != theirs.shape:
            raise MelError(
                f"cannot compare {ours.shape[1]} with {theirs.shape[1]} frames one to one: "
                "cut them to the same length or align them by 'dtw'"
            )
        return float(_DECIBELS * np.mean(np.sqrt(np.sum((ours - theirs) ** 2, axis=0))))
    return float(_DECIBELS * _warped_mean(ours, theirs))


def _warped_mean(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Mean distance along the cheapest monotonic path through the table of frame distances."""
    if first.shape[1] * second.shape[1] > _LARGEST_TABLE:
        raise MelError(
            f"{first.shape[1]} x {second.shape[1]} frames are too many to warp: compare one sentence at a time"
        )
    squares = np.sum(first**2, axis=0)[:, None] + np.sum(second**2, axis=0)[None, :] - 2.0 * first.T @ second
    distance = np.sqrt(np.maximum(squares, 0.0))
    return float(np.mean([distance[step] for step in warping_path(distance)]))


def warping_path(distance: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the cheapest path through a table of distances `[T, T']`, from the first to the last corner.

    Dynamic time warping with the steps (1, 0), (0, 1) and (1, 1), all of weight one. The table is filled along its
    anti-diagonals, whose cells do not depend on each other.
    """
    rows, columns = distance.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        column = diagonal - row
        best = np.minimum(np.minimum(total[row, column + 1], total[row + 1, column]), total[row, column])
        total[row + 1, column + 1] = distance[row, column] + best
    path = [(rows - 1, columns - 1)]
    while path[-1] != (0, 0):
        i, j = path[-1]
        options = ((total[i, j], (i - 1, j - 1)), (total[i, j + 1], (i - 1, j)), (total[i + 1, j], (i, j - 1)))
        path.append(min(options)[1])
    return path[::-1]
