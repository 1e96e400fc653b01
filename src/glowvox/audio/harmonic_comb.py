"""Where the harmonics of a pitch lie on the mel scale: what an acoustic model is told of a melody.

The spectrum of a voiced sound repeats every f0 Hz; over the mel bins it looks like cos(2 pi f / f0), f being the centre
of a bin. A bin that is wider than a harmonic sees less of it: a triangle of half width w lets sinc(w / f0) ** 2 of the
cosine through. Given this, a network need not learn from one number per frame where eighty bins have their peaks.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import mel_edges
from glowvox.config.audio import AudioConfig

REFERENCE_HZ = 180.0
"""The pitch whose logarithm is taken as zero."""
LOG_PITCH_STD = 0.25
"""What the logarithm of a pitch is divided by: about its standard deviation in one speaker's reading."""
_BELOW_HZ = 3000.0
"""Mel bins above it are too wide to tell the harmonics of a voice apart."""


def comb_channels(config: AudioConfig) -> int:
    """Return the number of channels K of `harmonic_comb`."""
    return 2 + len(_bins(config)[0])


def harmonic_comb(pitch: NDArray[np.floating], config: AudioConfig) -> NDArray[np.float32]:
    """Return what a network is told of a pitch contour: `[..., K, T]`.

    The channels are voicing (0 or 1), log pitch, and the cosine of every mel bin below 3 kHz; unvoiced frames are zero.

    Args:
        pitch: Hz, `[..., T]`, 0 where unvoiced.
        config: the mel contract.
    """
    centres, widths = _bins(config)
    voiced = np.asarray(pitch) > 0
    hertz = np.where(voiced, pitch, REFERENCE_HZ)[..., None, :]
    cosine = np.cos(2 * np.pi * centres[:, None] / hertz) * np.sinc(widths[:, None] / hertz) ** 2
    height = np.log(hertz / REFERENCE_HZ) / LOG_PITCH_STD
    channels = np.concatenate([np.ones_like(height), height, cosine], -2) * voiced[..., None, :]
    return channels.astype(np.float32)


@functools.lru_cache
def _bins(config: AudioConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and half width in Hz of the mel bins below `_BELOW_HZ`."""
    edges = mel_edges(config)
    centres, widths = edges[1:-1], (edges[2:] - edges[:-2]) / 2
    below = centres < _BELOW_HZ
    return centres[below], widths[below]
