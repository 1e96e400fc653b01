"""Playback: speech on the sound card while the rest of it is computed, until it ends or somebody stops it."""

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable
from typing import final

from glowvox.audio.sound import AudioChunk, Player, player
from glowvox.errors import ConfigError

_CHUNKS_AHEAD = 256
_LOOK_SECONDS = 0.05


@final
class Playback:
    """One playback, which another thread may stop."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._speaking: Player | None = None

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Be silent at once, also where it has not begun; `play` then returns."""
        self._stopped.set()
        if self._speaking is not None:
            self._speaking.stop()

    def play(self, chunks: Iterable[AudioChunk], sample_rate: int) -> float:
        """Play speech from its first chunk on, and return when it was heard or stopped.

        Args:
            chunks: as a voice streams them; no more are taken after it was stopped.
            sample_rate: of the chunks, in Hz.

        Returns:
            The seconds of sound that were handed to the sound card.

        Raises:
            ConfigError: it was played already.
            MissingExtraError: the package miniaudio is not installed.
            AudioError: there is no sound card, or it cannot be opened.
        """
        if self._speaking is not None:
            raise ConfigError("a playback plays once")
        seconds = 0.0
        with player(sample_rate) as self._speaking, contextlib.closing(computed_beside(chunks)) as ready:
            if self.stopped:  # before there was anybody to tell
                self._speaking.stop()
            for chunk in ready:
                if self.stopped:
                    break
                self._speaking.push(chunk.samples)
                seconds += chunk.duration
        return seconds


def computed_beside(chunks: Iterable[AudioChunk]) -> Generator[AudioChunk, None, None]:
    """Yield chunks that a thread computes, so that the one that waits for them can be interrupted at any time.

    Args:
        chunks: taken from beginning to end in the thread; no more are once the iterator is closed.
    """
    ready: queue.Queue[AudioChunk | BaseException | None] = queue.Queue(_CHUNKS_AHEAD)
    left = threading.Event()

    def give(item: AudioChunk | BaseException | None) -> None:
        while not left.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=_LOOK_SECONDS)
                return

    def compute() -> None:
        try:
            for chunk in chunks:
                give(chunk)
                if left.is_set():
                    return
            give(None)
        except BaseException as error:  # whatever it is, it is the reader's
            give(error)

    # The reader that leaves does not wait for its end; the process does, for the chunk at work, before it ends.
    threading.Thread(target=compute, name="speech").start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
