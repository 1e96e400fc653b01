"""The alignment search as the paper writes it (arXiv 2005.11129, algorithm 1): slow, and the truth for the others."""

import numpy as np
from numpy.typing import NDArray


def search_reference(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item, one cell after the other.

    Q[l, t] = max(Q[l, t-1], Q[l-1, t-1]) + log_likelihood[t, l]; a tie stays on the token.

    Args:
        log_likelihood: [B, T, L], nats of frame t under token l.
        token_lengths: [B], each at least 1 and no larger than its mel length.
        mel_lengths: [B].

    Returns:
        The token of each frame, [B, T]; frames of padding hold the last token.
    """
    n_items, n_frames, n_tokens = log_likelihood.shape
    frame_tokens = np.empty((n_items, n_frames), np.int64)
    for item in range(n_items):
        last = int(token_lengths[item]) - 1
        end = int(mel_lengths[item])
        score = np.full((end, n_tokens), -np.inf, log_likelihood.dtype)
        score[0, 0] = log_likelihood[item, 0, 0]
        for t in range(1, end):
            for token in range(min(last, t) + 1):
                stay = score[t - 1, token]
                advance = score[t - 1, token - 1] if token > 0 else -np.inf
                score[t, token] = max(stay, advance) + log_likelihood[item, t, token]
        token = last
        frame_tokens[item, end - 1 :] = token
        for t in range(end - 1, 0, -1):
            if token > 0 and (token == t or score[t - 1, token] < score[t - 1, token - 1]):
                token -= 1
            frame_tokens[item, t - 1] = token
    return frame_tokens
