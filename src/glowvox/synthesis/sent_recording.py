"""A recording that somebody sent: read from memory, and no longer than it may be."""

import io

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import audio_blocks
from glowvox.errors import AudioError


def read_recording(content: bytes, longest: float) -> tuple[NDArray[np.float32], int]:
    """Return the samples [S] of a sound file as mono, and their rate in Hz.

    What a few bytes unpack to is not believed: reading ends where the recording becomes too long.

    Args:
        content: the file, in any format that libsndfile reads.
        longest: seconds.

    Raises:
        AudioError: it is not a sound file, empty, damaged or too long.
    """
    blocks, length = [], 0
    with audio_blocks(io.BytesIO(content)) as (rate, found):
        for block in found:
            blocks.append(block)
            length += len(block)
            if length > longest * rate:
                raise AudioError(f"the recording is longer than the {longest:g} s that it may have")
    if not length:
        raise AudioError("the recording holds no samples")
    return np.concatenate(blocks), rate
