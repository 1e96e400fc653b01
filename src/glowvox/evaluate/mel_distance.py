"""The distance between two log-mel spectrograms, frame against frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.errors import MelError


@dataclass(frozen=True)
class MelDistance:
    """How far one log-mel lies from another, in the unit of the logarithm (nats for the natural one)."""

    l1: float
    """Mean absolute difference over all bins and frames."""
    l2: float
    """Root of the mean squared difference over all bins and frames."""


def log_mel_distance(reference: ArrayLike, estimate: ArrayLike) -> MelDistance:
    """Return the mean absolute and the root-mean-square difference of two log-mels.

    Args:
        reference: `[M, T]`, logarithmic, without normalisation.
        estimate: `[M, T]`, of the same contract.

    Raises:
        MelError: the shapes differ, nothing is there to compare, or a value is not finite.
    """
    first, second = comparable_mels(reference, estimate)
    if first.shape != second.shape:
        raise MelError(
            f"cannot compare mels of {first.shape[1]} and {second.shape[1]} frames one to one: "
            "cut them to the same length or use a distance that warps time"
        )
    difference = first - second
    return MelDistance(l1=float(np.mean(np.abs(difference))), l2=float(np.sqrt(np.mean(difference**2))))


def comparable_mels(reference: ArrayLike, estimate: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two mels `[M, T]` in float64 after checking that their bins can be compared (frames may differ).

    Raises:
        MelError: not two-dimensional, empty, not finite, or different numbers of bins.
    """
    pair = []
    for name, mel in (("reference", reference), ("estimate", estimate)):
        array = np.asarray(mel, dtype=np.float64)
        if array.ndim != 2 or array.size == 0:
            raise MelError(f"the {name} mel has shape {array.shape}: expected [bins, frames], both at least 1")
        if not np.isfinite(array).all():
            raise MelError(f"the {name} mel holds values that are not finite (NaN or infinity)")
        pair.append(array)
    if pair[0].shape[0] != pair[1].shape[0]:
        raise MelError(f"the mels have {pair[0].shape[0]} and {pair[1].shape[0]} bins: compare mels of one contract")
    return pair[0], pair[1]
