"""Duration control: whole mel frames for each token, as predicted, as given, or fitted into a slot of time.

All of it counts mel frames; a token of a model with blanks between the symbols is about half a phoneme.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import TextError

LONGEST_TOKEN = 2000
"""Frames of one token (23 s) above which a prediction is taken for a defect; it bounds the memory of a sentence."""

Frames = NDArray[np.int64]


def predicted_frames(
    log_duration: NDArray[np.float32], length_scale: float | NDArray[np.float32], n_squeeze: int
) -> Frames:
    """Return whole frames per token [L], rounded up: ceil(exp(log_duration) * length_scale).

    The sum is cut to a multiple of `n_squeeze`, and is at least that (Glow-TTS, section 3.3, as published).

    Args:
        log_duration: [L], log frames.
        length_scale: a factor, or one for each token [L]; 2 speaks half as fast.
        n_squeeze: frames in a step of the decoder.
    """
    scaled = _scaled(log_duration, length_scale)
    frames = np.clip(np.ceil(scaled), 0, LONGEST_TOKEN).astype(np.int64)
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


def fitted_frames(weights: NDArray[np.floating] | Frames, total: int) -> Frames:
    """Share `total` frames among tokens in proportion to their weights, at least one for each.

    Rounded by the largest remainder: no token is a whole frame away from its share, and the sum is exact.

    Args:
        weights: [L], not negative.
        total: frames in all, at least L.

    Raises:
        TextError: there are fewer frames than tokens.
    """
    count = len(weights)
    if total < count:
        raise TextError(f"{total} frames are too few for {count} tokens, which need at least one each")
    sizes = np.maximum(np.asarray(weights, np.float64), 1e-9)
    frames = np.ones(count, np.int64)
    free = np.ones(count, np.bool_)
    while True:
        share = sizes[free] / sizes[free].sum() * (total - (count - free.sum()))
        small = share < 1
        if not small.any():
            break
        free[np.flatnonzero(free)[small]] = False
    whole = np.floor(share).astype(np.int64)
    missing = int(total - (count - free.sum()) - whole.sum())
    whole[np.argsort(whole - share, kind="stable")[:missing]] += 1
    frames[free] = whole
    return frames


def frames_of_words(
    predicted: Frames,
    word_of_token: Sequence[int],
    seconds: Sequence[float | None],
    frame_rate: float,
    names: Sequence[str],
) -> Frames:
    """Return durations in which words last as long as wished, their tokens in proportion to the prediction.

    Args:
        predicted: [L] frames per token.
        word_of_token: [L], index of the word that a token belongs to, -1 for none.
        seconds: one for each word; None: as predicted.
        frame_rate: frames per second.
        names: the words, for messages.

    Raises:
        TextError: a duration is no positive number, or too short or too long for its word; the message names it.
    """
    frames = predicted.copy()
    owner = np.asarray(word_of_token)
    for word, wished in enumerate(seconds):
        if wished is None:
            continue
        tokens = np.flatnonzero(owner == word)
        if not np.isfinite(wished) or not len(tokens) <= round(wished * frame_rate) <= LONGEST_TOKEN * len(tokens):
            raise TextError(
                f"the word '{names[word]}' cannot last {wished} s: it takes {len(tokens) / frame_rate:.3f} s at least"
                f" and {LONGEST_TOKEN * len(tokens) / frame_rate:.0f} s at most"
            )
        frames[tokens] = fitted_frames(predicted[tokens], round(wished * frame_rate))
    return frames


def shared_slot(counts: Sequence[int], tokens: Sequence[int], total: int) -> list[int]:
    """Share `total` frames among sentences in proportion to their predicted frames, at least one frame per token.

    Args:
        counts: predicted frames of each sentence.
        tokens: tokens of each sentence.
        total: frames in all.

    Raises:
        TextError: too few frames for the tokens, or more than tokens may last.
    """
    least = sum(tokens)
    if not least <= total <= LONGEST_TOKEN * least:
        raise TextError(f"{total} frames do not fit {least} tokens")
    extra = np.asarray(counts, np.float64)
    # Every sentence is given its least; the rest is shared by what it wants beyond that.
    beyond = np.maximum(extra - tokens, 0.0) + 1e-6 * extra
    ideal = beyond / beyond.sum() * (total - least)
    whole = np.floor(ideal).astype(np.int64)
    missing = int(total - least - whole.sum())
    whole[np.argsort(whole - ideal, kind="stable")[:missing]] += 1
    return [int(more) + own for more, own in zip(whole, tokens, strict=True)]


def _scaled(log_duration: NDArray[np.float32], length_scale: float | NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.exp(log_duration) * np.asarray(length_scale, np.float32)
