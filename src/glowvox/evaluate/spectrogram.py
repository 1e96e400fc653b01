"""Levels over time and frequency, in decibels, for pictures."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.stft import stft

DYNAMIC_RANGE = 80.0
"""Decibels between the darkest and the brightest colour of a picture."""


def level_spectrogram(samples: ArrayLike, *, n_fft: int = 512, columns: int = 360) -> tuple[NDArray[np.float64], int]:
    """Return levels in dB (any reference) `[n_fft // 2 + 1, T]`, T at most about `columns`, and the hop in samples.

    Frames overlap by half at least as long as that gives no more than `columns`; of longer recordings the loudest
    frame of each column is kept, so that nothing short disappears.
    """
    signal = np.asarray(samples, dtype=np.float64)
    hop = max(n_fft // 8, min(n_fft // 2, signal.size // columns))
    power = np.abs(stft(signal, n_fft, hop, n_fft, pad_mode="constant")) ** 2
    together = max(1, -(-power.shape[1] // columns))
    power = np.maximum.reduceat(power, np.arange(0, power.shape[1], together), axis=1)
    return 10.0 * np.log10(np.maximum(power, 1e-12)), hop * together


def average_spectrum(samples: ArrayLike, *, n_fft: int = 2048) -> NDArray[np.float64]:
    """Return the mean power `[n_fft // 2 + 1]` over half-overlapping frames (Welch, 1967)."""
    spectrum = stft(np.asarray(samples, dtype=np.float64), n_fft, n_fft // 2, n_fft, pad_mode="constant")
    return np.mean(np.abs(spectrum) ** 2, axis=1)
