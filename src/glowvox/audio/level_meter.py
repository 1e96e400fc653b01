"""The level of speech that arrives in pieces, so that a long recording need not be in memory to be measured."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.loudness import FRAME_SECONDS, HOP_SECONDS, frame_levels, gated_level, loudness_gain


class LevelMeter:
    """Measures samples piece by piece; the result is that of `active_speech_level` for the whole."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = checked_rate(sample_rate)
        self.n_samples = 0
        """Samples [S] so far."""
        self.peak = 0.0
        """The largest absolute sample so far."""
        self._frame = max(1, round(FRAME_SECONDS * self.sample_rate))
        self._hop = max(1, round(HOP_SECONDS * self.sample_rate))
        self._waiting = np.empty(0, np.float32)
        self._levels: list[NDArray[np.float64]] = []

    def push(self, samples: Any) -> None:
        """Take samples [S]; none is allowed.

        Raises:
            AudioError: the samples are not finite mono samples.
        """
        if not np.size(samples):
            return
        signal = checked_samples(samples)
        self.n_samples += len(signal)
        self.peak = max(self.peak, float(np.abs(signal).max()))
        self._waiting = np.concatenate([self._waiting, signal])
        # One whole frame always waits: the last one is measured with what is left after it.
        ready = (len(self._waiting) - self._frame) // self._hop
        if ready > 0:
            end = (ready - 1) * self._hop + self._frame
            self._levels.append(frame_levels(self._waiting[:end], self.sample_rate))
            self._waiting = self._waiting[ready * self._hop :]

    def level(self) -> float:
        """Return the active speech level so far, in dB relative to a mean square of 1; silence is -inf."""
        last = [frame_levels(self._waiting, self.sample_rate)] if self._waiting.size else []
        return gated_level(np.concatenate([*self._levels, *last, np.empty(0)]))

    def gain(self, target_db: float) -> float:
        """Return the factor with which `normalise_loudness` would multiply the samples so far; 1 for silence."""
        return loudness_gain(self.level(), self.peak, target_db)
