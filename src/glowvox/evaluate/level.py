"""One level for what is compared, so that no system wins by being louder."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.errors import AudioError


def match_level(reference: ArrayLike, estimate: ArrayLike) -> tuple[NDArray[np.float32], float]:
    """Scale a signal to the root mean square of the original.

    Args:
        reference: the original `[S]`.
        estimate: the signal to scale `[S']`.

    Returns:
        The scaled signal `[S']` and the gain in dB. A gain far from zero is a fault of its own: report it.

    Raises:
        AudioError: one of them is silent or not finite.
    """
    original, signal = np.asarray(reference, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    levels = [float(np.sqrt(np.mean(part**2))) if part.size else 0.0 for part in (original, signal)]
    if not all(np.isfinite(level) and level > 0.0 for level in levels):
        raise AudioError("cannot match the level of a signal that is silent or not finite")
    gain = levels[0] / levels[1]
    return (gain * signal).astype(np.float32), float(20.0 * np.log10(gain))
