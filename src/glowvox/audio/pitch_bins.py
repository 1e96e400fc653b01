"""Pitch as a distribution over bins of log frequency: what a network predicts, and how it is read.

After CREPE (arXiv 1802.06182, section 2.2): the pitch is the average of the bins around the likeliest one. One more
channel is the log odds of voicing.
"""

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.harmonic_source import HIGHEST_HZ, LOWEST_HZ

BINS = 96
CHANNELS = BINS + 1
"""Logits of the bins, then the log odds of voicing."""
LOG_CENTRES: NDArray[np.float64] = np.linspace(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), BINS)
_WIDTH = float(LOG_CENTRES[1] - LOG_CENTRES[0])
_AROUND = 4
"""Bins on each side of the likeliest one that are averaged."""


def read_pitch(logits: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pitch in Hz and the voicing from 0 to 1, both `[..., T]`, from logits `[..., CHANNELS, T]`."""
    bins = np.moveaxis(np.asarray(logits[..., :BINS, :], np.float64), -2, -1)
    odds = np.clip(np.asarray(logits[..., BINS, :], np.float64), -50.0, 50.0)
    peak = bins.argmax(-1)
    places = np.clip(peak[..., None] + np.arange(-_AROUND, _AROUND + 1), 0, BINS - 1)
    near = np.take_along_axis(bins, places, -1)
    weights = np.exp(near - near.max(-1, keepdims=True))
    log_pitch = (weights * LOG_CENTRES[places]).sum(-1) / weights.sum(-1)
    return np.exp(log_pitch), 1.0 / (1.0 + np.exp(-odds))


def target_bins(frequency: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the bins `[..., BINS, T]` shall hold for a pitch `[..., T]` in Hz, NaN where unvoiced; and voicing.

    A voiced frame has a normal distribution one bin wide around its pitch; an unvoiced one nothing.
    """
    voiced = np.isfinite(frequency)
    log_pitch = np.log(np.where(voiced, np.clip(frequency, LOWEST_HZ, HIGHEST_HZ), LOWEST_HZ))
    distance = (log_pitch[..., None, :] - LOG_CENTRES[:, None]) / _WIDTH
    weights = np.exp(-0.5 * distance**2)
    weights *= voiced[..., None, :] / weights.sum(-2, keepdims=True)
    return weights.astype(np.float32), voiced.astype(np.float32)
