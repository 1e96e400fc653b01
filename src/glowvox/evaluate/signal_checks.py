"""Checks that need no original: silence, clipping, level and values that are not numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.mel import stft
from glowvox.errors import AudioError

_FRAME_SECONDS = 0.02
_FULL_SCALE = 32767 / 32768
"""The largest sample that 16 bits hold; at or above it a sample counts as clipped."""


@dataclass(frozen=True)
class SignalCheck:
    """What a signal's samples say about themselves. Levels are in dB relative to full scale."""

    samples: int
    duration: float
    """Seconds."""
    not_finite: int
    """Samples that are NaN or infinite (left out of all other figures)."""
    peak_db: float
    """Largest magnitude."""
    dc: float
    """Mean, full scale 1."""
    clipped: int
    """Samples at or above full scale."""
    leading_silence: float
    """Seconds before the first frame above the silence threshold; the whole duration when there is none."""
    trailing_silence: float
    """Seconds after the last frame above the silence threshold; the whole duration when there is none."""
    longest_pause: float
    """Seconds of the longest silence between two frames that are not silent."""

    @property
    def silent(self) -> bool:
        """Whether no frame rises above the silence threshold."""
        return self.leading_silence >= self.duration

    def problems(self, *, longest_pause: float = 1.5, clipped_share: float = 1e-4) -> list[str]:
        """Return what a listener would complain about, one short sentence each; empty when all is well.

        Args:
            longest_pause: seconds of silence within speech that are still acceptable.
            clipped_share: share of the samples that may reach full scale.
        """
        found = []
        if self.not_finite:
            found.append(f"{self.not_finite} samples are not finite")
        if self.silent:
            found.append("silent throughout")
            return found
        if self.clipped > clipped_share * self.samples:
            found.append(f"{self.clipped} samples reach full scale ({self.clipped / self.duration:.0f} per second)")
        if self.longest_pause > longest_pause:
            found.append(f"a silence of {self.longest_pause:.1f} s within speech")
        if abs(self.dc) > 0.01:
            found.append(f"an offset of {self.dc:+.3f} of full scale")
        return found


def check_signal(samples: ArrayLike, sample_rate: int, *, silence_db: float = -60.0) -> SignalCheck:
    """Measure level, clipping and silence of a signal.

    Args:
        samples: `[S]`, full scale 1.
        sample_rate: in Hz.
        silence_db: frames of 20 ms whose root mean square lies below this level (re full scale) count as silent.

    Raises:
        AudioError: no samples, more than one channel, or an impossible rate.
    """
    signal = np.asarray(samples, dtype=np.float64)
    if signal.ndim != 1 or signal.size == 0 or sample_rate <= 0:
        raise AudioError(f"expected samples [S] at a positive rate, got shape {signal.shape} at {sample_rate} Hz")
    finite = np.isfinite(signal)
    clean = np.where(finite, signal, 0.0)
    duration = signal.size / sample_rate
    frame = max(1, round(_FRAME_SECONDS * sample_rate))
    starts = np.arange(0, signal.size, frame)
    lengths = np.minimum(frame, signal.size - starts)
    power = np.add.reduceat(clean**2, starts) / lengths
    loud = np.flatnonzero(power > 10.0 ** (silence_db / 10.0))
    if loud.size:
        leading = starts[loud[0]] / sample_rate
        trailing = (signal.size - min(signal.size, starts[loud[-1]] + frame)) / sample_rate
        pause = (np.max(np.diff(loud), initial=1) - 1) * frame / sample_rate
    else:
        leading, trailing, pause = duration, duration, 0.0
    magnitude = np.abs(clean)
    return SignalCheck(
        samples=signal.size,
        duration=duration,
        not_finite=int(np.sum(~finite)),
        peak_db=_decibels(float(np.max(magnitude))),
        dc=float(np.mean(clean)),
        clipped=int(np.sum(magnitude >= _FULL_SCALE)),
        leading_silence=float(leading),
        trailing_silence=float(trailing),
        longest_pause=float(pause),
    )


def _decibels(amplitude: float) -> float:
    return float(20.0 * np.log10(max(amplitude, 1e-10)))


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

    A WaveGlow squeezes G samples into the channels of one position; what it then does differently to each channel
    repeats every G samples and sounds as steady tones at multiples of rate / G. They stand out as single lines above
    their neighbours in a long analysis whose bins fall exactly on those frequencies.

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
    result: NDArray[np.float64] = np.mean(np.abs(spectrum) ** 2, axis=1)
    return result
