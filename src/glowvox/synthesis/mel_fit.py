"""Mels from elsewhere: taken where they have the vocoder's contract, bridged where that is exact, refused otherwise."""

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import checked_mel
from glowvox.config.audio import AudioConfig, bridge
from glowvox.errors import MelError


def fit_mel(mel: NDArray[np.floating], source: AudioConfig | None, target: AudioConfig) -> NDArray[np.float32]:
    """Return a mel [M, T] under the contract `target`.

    Args:
        mel: log-mel spectrogram [M, T].
        source: its contract; None where it is not known, which is taken for `target`.
        target: the vocoder's contract.

    Raises:
        MelError: the contracts differ in more than the logarithm, the mean and the scale, or the mel does not fit its
            own.
    """
    scale, shift = (1.0, 0.0) if source is None else bridge(source, target)
    array = checked_mel(mel, target)
    if (scale, shift) == (1.0, 0.0):
        return array.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        fitted = (array * np.float64(scale) + shift).astype(np.float32)
    if not np.isfinite(fitted).all():
        raise MelError("the mel spectrogram holds values beyond the range of float32 after its conversion")
    return fitted
