"""YIN: the fundamental frequency of a recording.

After A. de Cheveigne and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", 2002: the
cumulative mean normalised difference function, an absolute threshold, parabolic interpolation (their steps 2 to 5).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.checks import checked_samples
from glowvox.errors import AudioError


@dataclass(frozen=True)
class PitchTrack:
    """Fundamental frequency over time."""

    times: NDArray[np.float64]
    """Centre of each frame in seconds, `[T]`."""
    frequency: NDArray[np.float64]
    """Hz, NaN where the frame is not voiced, `[T]`."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Whether each frame is voiced, `[T]`."""
        return ~np.isnan(self.frequency)

    def span(self) -> tuple[float, float, float] | None:
        """Return the 5th, 50th and 95th percentile in Hz, or None when no frame is voiced."""
        voiced = self.frequency[self.voiced]
        if not voiced.size:
            return None
        low, middle, high = np.percentile(voiced, [5, 50, 95])
        return float(low), float(middle), float(high)


def track_pitch(
    samples: ArrayLike,
    sample_rate: int,
    *,
    hop_length: int = 256,
    f_min: float = 60.0,
    f_max: float = 500.0,
    threshold: float = 0.2,
) -> PitchTrack:
    """Estimate the fundamental frequency of speech.

    Args:
        samples: `[S]`; frame t is centred on sample `t * hop_length`.
        sample_rate: in Hz.
        hop_length: samples between frames.
        f_min: lowest frequency in Hz; a frame integrates over one of its periods.
        f_max: highest frequency in Hz.
        threshold: of the normalised difference, below which a frame counts as voiced (0.1 strict, 0.3 lenient).

    Returns:
        One frequency for each of the `S // hop_length + 1` frames.

    Raises:
        AudioError: not finite, or a range that does not fit the rate.
    """
    signal = checked_samples(np.asarray(samples, dtype=np.float64))
    if not 0 < f_min < f_max <= sample_rate / 4 or hop_length < 1:
        raise AudioError(f"no pitch between {f_min} and {f_max} Hz at {sample_rate} Hz and hop {hop_length}")
    longest = int(np.ceil(sample_rate / f_min)) + 1
    shortest = int(np.floor(sample_rate / f_max))
    frames = signal.size // hop_length + 1
    padded = np.pad(signal, (longest, 2 * longest))
    frequency = np.full(frames, np.nan)
    silence = 1e-6 * max(float(np.mean(signal**2)), 1e-12)
    # A few hundred frames at a time bound the memory for long recordings.
    for first in range(0, frames, 256):
        starts = np.arange(first, min(frames, first + 256)) * hop_length
        block = padded[starts[:, None] + np.arange(2 * longest)]
        difference = _normalised_difference(block, longest)
        for row, curve in enumerate(difference):
            if np.mean(block[row] ** 2) > silence:
                period = _first_dip(curve, shortest, threshold)
                if period is not None:
                    frequency[first + row] = sample_rate / period
    return PitchTrack(times=np.arange(frames) * hop_length / sample_rate, frequency=frequency)


def _normalised_difference(block: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Cumulative mean normalised difference d'(lag), lag = 0..longest-1, of frames `[F, 2 * longest]` (eq. 6, 8)."""
    size = 1 << int(3 * longest - 1).bit_length()
    spectrum = np.fft.rfft(block, size)
    head = np.fft.rfft(block[:, :longest], size)
    correlation = np.fft.irfft(spectrum * np.conj(head), size)[:, :longest]
    energy = np.concatenate([np.zeros((len(block), 1)), np.cumsum(block**2, axis=1)], axis=1)
    moving = energy[:, longest : 2 * longest] - energy[:, :longest]
    difference = np.maximum(moving[:, :1] + moving - 2.0 * correlation, 0.0)
    running = np.cumsum(difference[:, 1:], axis=1)
    lags = np.arange(1, longest)
    normalised = difference[:, 1:] * lags / np.maximum(running, 1e-20)
    return np.concatenate([np.ones((len(block), 1)), normalised], axis=1)


def _first_dip(curve: NDArray[np.float64], shortest: int, threshold: float) -> float | None:
    """Return the period in samples at the first local minimum below the threshold, interpolated, or None."""
    below = np.flatnonzero(curve[shortest:-1] < threshold)
    if not below.size:
        return None
    lag = shortest + int(below[0])
    while lag + 1 < curve.size - 1 and curve[lag + 1] < curve[lag]:
        lag += 1
    left, middle, right = curve[lag - 1], curve[lag], curve[lag + 1]
    curvature = left - 2.0 * middle + right
    return lag + (0.5 * (left - right) / curvature if curvature > 0 else 0.0)
