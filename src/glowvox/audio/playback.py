"""The sound card: samples are handed over as they become ready and played without gaps, as far as they keep up."""

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.encoding import quantise
from glowvox.errors import AudioError, MissingExtraError

_BUFFER_MILLISECONDS = 100
_PIECES_AHEAD = 64
"""Pieces that wait to be played at most; computing goes on when there is room again."""


class Player:
    """Plays what is pushed; made by `player`."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[NDArray[np.float32] | None] = queue.Queue(_PIECES_AHEAD)
        self._finished = threading.Event()

    def push(self, samples: NDArray[np.float32]) -> None:
        """Play samples [S] after those pushed before; waits where many are ahead already."""
        if samples.size:
            self._pieces.put(np.clip(samples, -1.0, 1.0))

    def finish(self) -> None:
        """Wait until everything was played."""
        self._pieces.put(None)
        self._finished.wait()

    def frames(self) -> Generator[bytes, int, None]:
        """Yield as many 16-bit samples as the sound card asks for; silence where the next ones are not ready."""
        waiting = np.empty(0, np.float32)
        ended = False
        wanted = yield b""
        while not (ended and not len(waiting)):
            while len(waiting) < wanted and not ended:
                try:
                    piece = self._pieces.get_nowait()
                except queue.Empty:
                    break
                ended = piece is None
                waiting = waiting if piece is None else np.concatenate([waiting, piece])
            played, waiting = waiting[:wanted], waiting[wanted:]
            wanted = yield quantise(np.pad(played, (0, wanted - len(played))), "PCM_16").tobytes()
        self._finished.set()
        while True:
            wanted = yield bytes(2 * wanted)


@contextlib.contextmanager
def player(sample_rate: int) -> Iterator[Player]:
    """Open the sound card; at the end of the block, what was pushed has been played.

    Args:
        sample_rate: of the samples to come, in Hz.

    Raises:
        MissingExtraError: the package miniaudio is not installed.
        AudioError: there is no sound card, or it cannot be opened.
    """
    try:
        import miniaudio
    except ModuleNotFoundError as error:
        raise MissingExtraError("miniaudio", "play", "playing on the sound card (or give -o FILE)") from error
    speaking = Player()
    frames: Any = speaking.frames()
    next(frames)
    try:
        device = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=1,
            sample_rate=sample_rate,
            buffersize_msec=_BUFFER_MILLISECONDS,
        )
    except miniaudio.MiniaudioError as error:
        raise AudioError(f"the sound card cannot be opened ({error}); give -o FILE to write a file") from error
    with contextlib.closing(device):
        device.start(frames)
        yield speaking
        speaking.finish()
