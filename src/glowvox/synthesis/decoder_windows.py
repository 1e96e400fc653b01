"""A long sentence through the acoustic model's decoder in windows, so that its first frames are there early.

The decoder of Glow-TTS sees a bounded number of frames on each side of a frame (dilated convolutions, and products
within a frame; nothing goes over the whole sentence). So each window is computed with that many frames around it, which
are thrown away, and the windows, joined, are what one call gives.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.acoustic import AcousticEngine

GROWTH = 4
"""A window has that many times the frames of the one before: the context is computed again a few times only."""
LONGEST_WINDOW = 4096
"""Mel frames of a window at most, without its context."""
LONG = 8
"""A sentence of so many receptive fields is worth windows: what is computed twice is then a small part of the whole."""


def worth_windows(frames: int, receptive_field: int | None) -> bool:
    """Return whether a sentence is so long that its first window is there much earlier than the whole.

    Args:
        frames: of its mel.
        receptive_field: of the decoder, in mel frames on each side; None: not known, so windows are not possible.
    """
    return bool(receptive_field) and frames > LONG * (receptive_field or 0)


def decode_in_windows(
    engine: AcousticEngine,
    latent: NDArray[np.float32],
    *,
    receptive_field: int,
    first: int,
    speaker: int | None = None,
    comb: NDArray[np.float32] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the mel [M, T] of a sentence in pieces [M, t], each as soon as it is asked for.

    Args:
        engine: the acoustic model.
        latent: [M, T], T a multiple of `engine.n_squeeze`.
        receptive_field: mel frames on each side of a frame that its mel depends on.
        first: frames of the first piece at least; each one after is four times as long as the one before.
        speaker: number of the speaker; None with one speaker.
        comb: [K, T], see `AcousticEngine.decode`.

    Raises:
        EngineError, VoiceError: see `AcousticEngine.decode`.
    """
    step, total = engine.n_squeeze, latent.shape[1]
    context = _rounded_up(receptive_field, step)
    speakers = None if speaker is None else np.array([speaker], np.int64)
    place, size = 0, _rounded_up(max(1, first), step)
    while place < total:
        end = place + min(size, LONGEST_WINDOW - LONGEST_WINDOW % step)
        if total - end < context:  # so short a rest would cost more context than it has frames
            end = total
        begin, until = max(0, place - context), min(total, end + context)
        mel = engine.decode(
            latent[None, :, begin:until],
            np.array([until - begin], np.int64),
            speakers,
            None if comb is None else comb[None, :, begin:until],
        )
        yield mel[0, :, place - begin : end - begin]
        place, size = end, GROWTH * size


def _rounded_up(frames: int, step: int) -> int:
    return -(-frames // step) * step
