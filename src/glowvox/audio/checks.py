"""Input checks of samples and sample rates."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError, one_line

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000
"""Sample rates in Hz outside of which a file's header is taken to be wrong; a rate of 1 Hz would ask for gigabytes."""


def checked_samples(samples: Any, *, max_rank: int = 1) -> NDArray[np.floating]:
    """Return `samples` as a float array (float64 stays, anything else becomes float32), checked.

    Args:
        samples: real numbers, [S] or, with `max_rank` 2, [B, S].
        max_rank: the highest rank accepted.

    Raises:
        AudioError: not real numbers, the wrong rank, no samples, or NaN or infinite samples.
    """
    try:
        array = np.asarray(samples)
    except ValueError as error:  # lists of different lengths
        raise AudioError(f"samples must be one row of floating-point numbers in -1..1 ({one_line(error)})") from error
    if array.dtype.kind not in "f":
        raise AudioError(f"samples must be floating-point numbers in -1..1, got {array.dtype}; scale integers first")
    if not 1 <= array.ndim <= max_rank:
        shapes = "[S] (mono)" if max_rank == 1 else "[S] or [B, S]"
        raise AudioError(f"samples must have the shape {shapes}, got {list(array.shape)}")
    if array.size == 0:
        raise AudioError("the audio has no samples")
    if array.dtype != np.float64:
        array = array.astype(np.float32, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        raise AudioError(f"{np.count_nonzero(~finite)} samples are NaN or infinite, the first at {place}")
    return array


def checked_rate(sample_rate: Any, what: str = "sample rate") -> int:
    """Return a sample rate in Hz as an int.

    Raises:
        AudioError: not a whole number, or outside 1 kHz to 768 kHz.
    """
    whole = isinstance(sample_rate, int | float | np.integer | np.floating) and sample_rate % 1 == 0
    if isinstance(sample_rate, bool) or not whole:  # NaN and infinity have no remainder of 0
        raise AudioError(f"the {what} must be a whole number of Hz, got {sample_rate!r}")
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise AudioError(f"the {what} must lie between {LOWEST_RATE} and {HIGHEST_RATE} Hz, got {sample_rate}")
    return int(sample_rate)
