"""AAC, which libsndfile does not write: FFmpeg's encoder, through PyAV (extra `aac`)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import MissingExtraError
from glowvox.synthesis.growing_file import GrowingFile

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_BITS_PER_SECOND = 64_000


class AacFile:
    """16-bit mono samples into an ADTS stream, which has no header and can be cut anywhere.

    Raises:
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self, target: GrowingFile, sample_rate: int) -> None:
        try:
            import av
        except ModuleNotFoundError as error:
            raise MissingExtraError("av", "aac", "speech as AAC") from error
        self._av = av
        self._rate = sample_rate
        self._position = 0
        self._container: Any = av.open(target, "w", format="adts")
        self._stream = self._container.add_stream("aac", rate=sample_rate, layout="mono", bit_rate=_BITS_PER_SECOND)

    def write(self, numbers: NDArray[np.generic]) -> None:
        """Append samples [S]."""
        if not len(numbers):
            return
        frame = self._av.AudioFrame.from_ndarray(np.asarray(numbers[None], np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._position
        self._position += len(numbers)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds; a second call does nothing."""
        if self._container is not None:
            container, self._container = self._container, None
            if self._position:
                container.mux(self._stream.encode(None))
            container.close()
