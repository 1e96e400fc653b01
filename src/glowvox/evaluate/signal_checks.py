"""Checks that need no original: silence, clipping, level and values that are not numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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
    rms_db: float
    """Root of the mean square."""
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
        rms_db=_decibels(float(np.sqrt(np.mean(clean**2)))),
        dc=float(np.mean(clean)),
        clipped=int(np.sum(magnitude >= _FULL_SCALE)),
        leading_silence=float(leading),
        trailing_silence=float(trailing),
        longest_pause=float(pause),
    )


def _decibels(amplitude: float) -> float:
    return float(20.0 * np.log10(max(amplitude, 1e-10)))
