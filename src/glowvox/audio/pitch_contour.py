"""Pitch by token and pitch by frame: a contour is drawn through the pitch of each token, and read back from it."""

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.harmonic_comb import LOG_PITCH_STD, REFERENCE_HZ
from glowvox.audio.harmonic_source import HIGHEST_HZ, LOWEST_HZ


def token_melody(
    pitch: NDArray[np.floating], frames: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each token's mean log pitch and the share of its frames that are voiced, both `[L]`.

    Across unvoiced frames the logarithm of the pitch is interpolated, so that every token has one. It is relative to
    `REFERENCE_HZ`, in units of `LOG_PITCH_STD`.

    Args:
        pitch: Hz `[T]`, 0 where unvoiced.
        frames: of each token `[L]`; they sum to T or less. A token without frames has the pitch at its place.
    """
    voiced = np.asarray(pitch) > 0
    places = np.arange(len(pitch))
    height = np.zeros(len(pitch))
    if voiced.any():
        known = np.log(np.asarray(pitch, np.float64)[voiced] / REFERENCE_HZ) / LOG_PITCH_STD
        height = np.interp(places, places[voiced], known)
    ends = np.cumsum(frames)
    starts = ends - frames
    count = np.maximum(frames, 1)
    sums = np.concatenate([[0.0], np.cumsum(height)])
    shares = np.concatenate([[0.0], np.cumsum(voiced)])
    nearest = height[np.minimum(starts, len(pitch) - 1)]
    mean = np.where(frames > 0, (sums[ends] - sums[starts]) / count, nearest)
    return mean.astype(np.float32), ((shares[ends] - shares[starts]) / count).astype(np.float32)


def pitch_contour(
    height: NDArray[np.floating], voicing: NDArray[np.floating], frames: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the pitch in Hz `[T]`, 0 where unvoiced: straight lines between the middles of the tokens.

    Args:
        height: log pitch of each token `[L]`, as `token_melody` has it.
        voicing: log odds of each token being voiced, `[L]`; a frame is voiced where their interpolation is positive.
        frames: of each token `[L]`; T is their sum. Tokens without frames have no say.
    """
    heard = frames > 0
    ends = np.cumsum(frames)
    middles = (ends - frames / 2)[heard]
    places = np.arange(int(ends[-1]) if len(ends) else 0) + 0.5
    if not len(middles):
        return np.zeros(0)
    line = np.interp(places, middles, np.asarray(height, np.float64)[heard])
    odds = np.interp(places, middles, np.clip(np.asarray(voicing, np.float64)[heard], -4.0, 4.0))
    pitch = np.clip(REFERENCE_HZ * np.exp(LOG_PITCH_STD * line), LOWEST_HZ, HIGHEST_HZ)
    return np.where(odds > 0, pitch, 0.0)


def varied(
    height: NDArray[np.floating],
    voicing: NDArray[np.floating],
    frames: NDArray[np.integer],
    *,
    shift: float = 0.0,
    spread: float = 1.0,
) -> NDArray[np.float32]:
    """Return another melody `[L]`: raised, and wider or narrower about its mean over the voiced frames.

    Args:
        height: log pitch of each token `[L]`, as `token_melody` has it.
        voicing: log odds of each token being voiced, `[L]`.
        frames: of each token `[L]`.
        shift: semitones.
        spread: factor on the distance from the mean.
    """
    weights = frames * (voicing > 0)
    mean = float((height * weights).sum() / max(int(weights.sum()), 1))
    return (mean + spread * (height - mean) + shift * np.log(2) / 12 / LOG_PITCH_STD).astype(np.float32)
