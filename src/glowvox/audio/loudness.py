"""Speech level and loudness normalisation (after ITU-T P.56), and trimming of silence."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.errors import AudioError

FRAME_SECONDS = 0.025
HOP_SECONDS = 0.010
SILENCE_DB = -70.0
"""A frame below this, relative to a mean square of 1, is silent whatever the rest is."""
_MARGIN_DB = 15.9
_SHORTEST_SPEECH_FRAMES = 4
"""Louder stretches of fewer frames (10 ms apart) are clicks."""


def active_speech_level(samples: Any, sample_rate: int) -> float:
    """Return the level of the speech itself, without its pauses, in dB relative to a mean square of 1.

    The mean power of the frames above a gate that lies 15.9 dB below that mean, as ITU-T P.56 defines the active level,
    found by iteration from the frames above -70 dB (the absolute gate of ITU-R BS.1770). Silence is -inf.

    Raises:
        AudioError: the samples are not finite mono samples.
    """
    return gated_level(frame_levels(checked_samples(samples), checked_rate(sample_rate)))


def normalise_loudness(
    samples: Any, sample_rate: int, target_db: float = -26.0, *, peak: float = 0.98
) -> tuple[NDArray[np.float32], float]:
    """Return the samples [S] at an active speech level of `target_db`, float32, and the factor they were multiplied by.

    Less gain is taken where a sample would exceed `peak`; silence is left alone (factor 1).

    Raises:
        AudioError: the samples are not finite mono samples, or a parameter is out of range.
    """
    if not target_db <= 0 or not np.isfinite(target_db) or not 0 < peak <= 1:
        raise AudioError(f"loudness needs a target of at most 0 dB and a peak within 0..1, got {target_db} and {peak}")
    signal = checked_samples(samples)
    level = active_speech_level(signal, sample_rate)
    gain = loudness_gain(level, float(np.abs(signal).max()), target_db, peak=peak)
    return np.clip(signal * gain, -peak, peak).astype(np.float32), gain


def trim_silence(
    samples: Any, sample_rate: int, *, threshold_db: float = 40.0, padding_seconds: float = 0.1
) -> tuple[int, int]:
    """Find where speech begins and ends: return `(start, end)`, from the first sound to the last, some silence kept.

    Args:
        samples: mono.
        sample_rate: in Hz.
        threshold_db: how far below the loudest 25 ms a frame may be and still count as sound.
        padding_seconds: kept before and after, where there is so much.

    Returns:
        Sample indices; (0, 0) where there is no sound at all.

    Raises:
        AudioError: the samples are not finite mono samples, or a parameter is negative.
    """
    if threshold_db <= 0 or padding_seconds < 0:
        raise AudioError(f"trimming needs a threshold above 0 dB and no negative padding, got {threshold_db} dB")
    sample_rate = checked_rate(sample_rate)
    signal = checked_samples(samples)
    levels = frame_levels(signal, sample_rate)
    shortest = min(_SHORTEST_SPEECH_FRAMES, len(levels))
    # The loudest stretch, not the loudest frame: a click may be louder than the speech.
    loudest = float(np.lib.stride_tricks.sliding_window_view(levels, shortest).min(axis=1).max())
    sounding = levels > max(SILENCE_DB, loudest - threshold_db)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sounding.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    speech = ends - starts >= shortest
    if not speech.any():
        return 0, 0
    hop, frame = max(1, round(HOP_SECONDS * sample_rate)), round(FRAME_SECONDS * sample_rate)
    padding = round(padding_seconds * sample_rate)
    start = max(0, int(starts[speech][0]) * hop - padding)
    end = min(len(signal), (int(ends[speech][-1]) - 1) * hop + frame + padding)
    return start, end


class LevelMeter:
    """Active speech level of samples that arrive in pieces: that of `active_speech_level` for the whole."""

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


def frame_levels(samples: NDArray[np.floating], sample_rate: int) -> NDArray[np.float64]:
    """Return the mean power in dB of 25 ms frames, 10 ms apart, [frames]; 0 dB is a mean square of 1.

    The last frame holds what is left, counted by its own length; digital silence is -200 dB.
    """
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    hop = max(1, round(HOP_SECONDS * sample_rate))
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, max(1, len(samples) - frame + hop), hop)
    ends = np.minimum(starts + frame, len(samples))
    result: NDArray[np.float64] = 10.0 * np.log10(np.maximum((energy[ends] - energy[starts]) / (ends - starts), 1e-20))
    return result


def gated_level(levels: NDArray[np.float64]) -> float:
    """Return the active level of speech whose frames have the `levels` [frames] in dB; see `active_speech_level`."""
    active = levels[levels > SILENCE_DB]
    if not active.size:
        return -np.inf
    while True:
        mean = float(10.0 * np.log10(np.mean(10.0 ** (active / 10.0))))
        louder = active[active > mean - _MARGIN_DB]
        if louder.size == active.size:
            return mean
        active = louder


def loudness_gain(level: float, loudest: float, target_db: float, *, peak: float = 0.98) -> float:
    """Return the factor that brings speech to `target_db`, or its loudest sample to `peak` if that is less.

    Args:
        level: active speech level in dB; that of silence, -inf, gives a factor of 1.
        loudest: the largest absolute sample.
        target_db: active speech level wanted, in dB.
        peak: the largest absolute sample allowed.
    """
    if not np.isfinite(level):
        return 1.0
    return min(float(10.0 ** ((target_db - level) / 20.0)), peak / loudest)
