"""The most likely monotonic path of one utterance (Glow-TTS, section 3.1) in little memory, for long recordings.

The scores are computed in blocks of frames and forgotten; of the decisions one bit per cell is kept. Ten minutes of
speech take about 100 MB, where the matrix itself would take 3 GB.
"""

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError

MOST_CELLS = 16_000_000_000
"""Frames times tokens above which a recording is refused: two gigabytes of decisions, some forty minutes."""
_BLOCK = 256
_LOG_TWO_PI = float(np.log(2.0 * np.pi))


def most_likely_frames(
    latent: NDArray[np.float32], mean: NDArray[np.float32], log_std: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return how many frames each token lasts on the most likely path, at least one, `[L]`; they sum to T.

    Args:
        latent: [M, T].
        mean: [M, L], of the latent under each token.
        log_std: [M, L].

    Raises:
        AudioError: there are fewer frames than tokens, or so many of both that they cannot be searched.
    """
    n_tokens, n_frames = mean.shape[1], latent.shape[1]
    if n_frames < n_tokens:
        raise AudioError(
            f"{n_frames} mel frames cannot cover {n_tokens} tokens: the text is too long for the recording"
        )
    if n_frames * n_tokens > MOST_CELLS:
        raise AudioError(f"{n_frames} mel frames and {n_tokens} tokens are too many to be aligned at once; cut them")
    return _walk_back(_decisions(latent, mean, log_std), n_tokens)


def path_nats(
    latent: NDArray[np.float32],
    mean: NDArray[np.float32],
    log_std: NDArray[np.float32],
    frames: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return log N(latent; mean, std) of each frame under the token that it belongs to, `[T]` nats.

    Args:
        latent: [M, T].
        mean: [M, L].
        log_std: [M, L].
        frames: [L], which sum to T.
    """
    scale = np.repeat(log_std, frames, axis=1).astype(np.float64)
    distance = (latent - np.repeat(mean, frames, axis=1)) * np.exp(-scale)
    return np.asarray(-(0.5 * distance**2 + scale).sum(0) - 0.5 * _LOG_TWO_PI * len(latent))


def _decisions(
    latent: NDArray[np.float32], mean: NDArray[np.float32], log_std: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return a bit for each frame and token: whether the best path to it comes from the token before."""
    n_tokens, n_frames = mean.shape[1], latent.shape[1]
    precision = np.exp(-2.0 * log_std)
    weighted = mean * precision
    # What is the same for all tokens of a frame is left out, unless the deviations differ.
    per_token = -(log_std + 0.5 * mean**2 * precision).sum(0)
    even = bool((log_std == log_std[:, :1]).all())
    bits = np.empty((n_frames, -(-n_tokens // 8)), np.uint8)
    score = np.full(n_tokens, -np.inf)
    score[0] = 0.0
    before = np.full(n_tokens, -np.inf)
    for start in range(0, n_frames, _BLOCK):
        frames = latent[:, start : start + _BLOCK].T
        scores = (frames @ weighted + per_token).astype(np.float64)
        if not even:
            scores -= 0.5 * (frames**2 @ precision)
        for t, row in enumerate(scores, start):
            if t:
                before[1:] = score[:-1]
                bits[t] = np.packbits(score < before)
                np.maximum(score, before, out=score)
            score += row
    return bits


def _walk_back(bits: NDArray[np.uint8], n_tokens: int) -> NDArray[np.int64]:
    frames = np.zeros(n_tokens, np.int64)
    token = n_tokens - 1
    for t in range(len(bits) - 1, 0, -1):
        frames[token] += 1
        # A token equal to its frame number can only have been reached by advancing at every frame.
        if token and (token == t or bits[t, token >> 3] >> (7 - (token & 7)) & 1):
            token -= 1
    frames[token] += 1
    return frames
