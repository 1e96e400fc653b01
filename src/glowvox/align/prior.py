"""The prior of Glow-TTS (arXiv 2005.11129, figure 1b): durations in whole frames, and the latent of a sentence.

One definition for the model in PyTorch and for every engine; all of it counts mel frames. A token of a model with
blanks between the symbols is about half a phoneme.
"""

import numpy as np
from numpy.typing import NDArray

LONGEST_TOKEN = 2000
"""Frames of one token (23 s) above which a prediction is taken for a defect; it bounds the memory of a sentence."""

Frames = NDArray[np.int64]
"""Whole frames of each token."""


def predicted_frames(
    log_duration: NDArray[np.floating], length_scale: float | NDArray[np.floating], n_squeeze: int
) -> Frames:
    """Return whole frames per token [L], rounded up: ceil(exp(log_duration) * length_scale).

    The sum is cut to a multiple of `n_squeeze`, and is at least that (section 3.3, as published).

    Args:
        log_duration: [L], log frames.
        length_scale: a factor, or one for each token [L]; 2 speaks half as fast.
        n_squeeze: frames in a step of the decoder.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.ceil(np.exp(log_duration) * np.asarray(length_scale, log_duration.dtype))
    frames = np.clip(np.where(np.isnan(scaled), 1, scaled), 0, LONGEST_TOKEN).astype(np.int64)
    ends = np.cumsum(frames)
    total = max(int(ends[-1]) // n_squeeze * n_squeeze, n_squeeze)
    kept = np.diff(np.minimum(ends, total), prepend=0)
    kept[-1] += total - kept.sum()
    return kept


def filled_frames(frames: Frames, n_squeeze: int) -> Frames:
    """Return durations [L] whose sum is rounded up to a multiple of `n_squeeze`, the last token growing."""
    filled = frames.copy()
    filled[-1] += -int(frames.sum()) % n_squeeze
    return filled


def position_noise(seed: int, channels: int, frames: int) -> NDArray[np.float32]:
    """Return the standard normal noise of a sentence, [C, T].

    Frame t is the t-th row of `channels` numbers that a Philox generator gives: a longer sentence begins with the same
    noise as a shorter one, and every item of a batch, and every engine, has the same.
    """
    return np.random.Generator(np.random.Philox(seed)).standard_normal((frames, channels), np.float32).T


def sentence_latent(
    mean: NDArray[np.float32], log_std: NDArray[np.float32], frames: Frames, *, temperature: float, seed: int
) -> NDArray[np.float32]:
    """Return the latent [M, T] that the decoder turns into a mel.

    Args:
        mean: [M, L], of each token.
        log_std: [M, L].
        frames: [L], how long each token lasts; they sum to T.
        temperature: standard deviation of the noise, relative to the prior's.
        seed: of the noise.
    """
    latent = np.repeat(mean, frames, axis=1)
    if temperature:
        scale = np.float32(temperature) * np.exp(np.repeat(log_std, frames, axis=1))
        latent = latent + position_noise(seed, *latent.shape) * scale
    return np.ascontiguousarray(latent)
