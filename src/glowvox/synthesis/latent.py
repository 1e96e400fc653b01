"""The latent of a sentence: the text's statistics spread over frames, plus noise of its own place."""

import numpy as np
from numpy.typing import NDArray

_WORD = 2**63


def position_noise(seed: int, channels: int, frames: int) -> NDArray[np.float32]:
    """Return standard normal noise [C, T], float32.

    Frame t is the t-th row of `channels` numbers that a Philox generator gives: a longer sentence begins with the same
    noise as a shorter one, and every engine has the same.
    """
    return np.random.Generator(np.random.Philox(seed)).standard_normal((frames, channels), np.float32).T


def sentence_seed(seed: int, place: int) -> int:
    """Return the seed of the sentence that begins at character `place` of its text; at 0 it is the seed itself."""
    if place == 0:
        return seed
    words = np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(2, np.uint32)
    return ((int(words[0]) << 32) | int(words[1])) % _WORD


def sentence_latent(
    mean: NDArray[np.float32],
    log_std: NDArray[np.float32],
    frames: NDArray[np.int64],
    *,
    temperature: float,
    seed: int,
) -> NDArray[np.float32]:
    """Return the latent [M, T] that the decoder turns into a mel (Glow-TTS, figure 1b).

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
