"""Finding where the speech of a recording begins and ends."""

from typing import Any

import numpy as np

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.loudness import FRAME_SECONDS, HOP_SECONDS, SILENCE_DB, frame_levels
from glowvox.errors import AudioError

_SHORTEST_SPEECH_FRAMES = 4
"""Louder stretches of fewer frames (10 ms apart) are clicks."""


def trim_silence(
    samples: Any, sample_rate: int, *, threshold_db: float = 40.0, padding_seconds: float = 0.1
) -> tuple[int, int]:
    """Return `(start, end)`, the slice of samples [S] from the first sound to the last, with some silence kept.

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
