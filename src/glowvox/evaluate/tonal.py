"""Tonal energy at multiples of rate / group: the whistle that a flow over groups of samples can leave.

A WaveGlow squeezes G samples into the channels of one position; what it then does differently to each channel repeats
every G samples and sounds as steady tones at multiples of rate / G. They stand out as single lines above their
neighbours in a long analysis whose bins fall exactly on those frequencies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.errors import AudioError

_GAP = 3
"""First neighbouring bin that the main lobe of the Hann window (two bins to each side) does not reach."""


@dataclass(frozen=True)
class TonalEnergy:
    """How far lines stand above their neighbours, in dB (0: no line; noise and speech lie near 0)."""

    frequencies: tuple[float, ...]
    """The multiples of rate / group in Hz, below half the rate."""
    excess: tuple[float, ...]
    """Level of each line relative to the bins beside it, on the side where they are louder, in dB."""

    @property
    def mean(self) -> float:
        """Mean excess over the lines in dB."""
        return float(np.mean(self.excess))

    @property
    def worst(self) -> float:
        """Largest excess of one line in dB."""
        return float(np.max(self.excess))


def tonal_energy(samples: ArrayLike, sample_rate: int, group: int) -> TonalEnergy:
    """Return the excess of the lines at multiples of `sample_rate / group` over the bins beside them.

    Frames of `32 * group` samples (at least 2048) under a Hann window, half overlapping: every line falls on a bin. The
    level of a bin is its mean over the frames in dB, so that a steady tone counts in pauses as in loud speech; the
    neighbours are the bins 3 to 12 away (fewer where the next line is near), on the louder of both sides. Frames of
    digital silence are left out.

    Args:
        samples: `[S]`, at least one frame long.
        sample_rate: in Hz.
        group: samples in a group, at least 3 (the hop length for a lapped flow).

    Raises:
        AudioError: too short, silent, not finite, or an impossible group.
    """
    signal = np.asarray(samples, dtype=np.float64)
    if signal.ndim != 1 or not np.isfinite(signal).all():
        raise AudioError(f"expected finite samples [S], got shape {signal.shape}")
    if group < 3 or sample_rate <= 0:
        # A group of two has its only line at half the rate, which has neighbours on one side only.
        raise AudioError(f"tonal energy needs a group of at least 3 and a positive rate, got {group} and {sample_rate}")
    spacing = max(32, -(-2048 // group))
    size = spacing * group
    if signal.size < size:
        raise AudioError(
            f"tonal energy at multiples of rate/{group} needs {size} samples "
            f"({size / sample_rate:.2f} s), got {signal.size}"
        )
    levels = _mean_levels(signal, size)
    lines = np.arange(1, (group + 1) // 2) * spacing
    reach = min(12, spacing // 2 - _GAP)
    offsets = np.arange(_GAP, reach + 1)
    below, above = (levels[lines[:, None] + side * offsets].mean(axis=1) for side in (-1, 1))
    # Over the louder side: the edge of a band (a mel's highest frequency) is no tone.
    excess = levels[lines] - np.maximum(below, above)
    return TonalEnergy(
        frequencies=tuple(float(line) * sample_rate / size for line in lines), excess=tuple(map(float, excess))
    )


def _mean_levels(signal: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    total, frames = np.zeros(size // 2 + 1), 0
    for start in range(0, signal.size - size + 1, size // 2):
        frame = signal[start : start + size]
        power = np.abs(np.fft.rfft(window * (frame - frame.mean()))) ** 2
        if power.max() > 0.0:
            total += 10.0 * np.log10(np.maximum(power, 1e-12 * power.max()))
            frames += 1
    if not frames:
        raise AudioError("tonal energy is not defined for a silent signal")
    return total / frames
