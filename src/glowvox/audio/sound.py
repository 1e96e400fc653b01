"""Audio with word timings, whole and in chunks, and playback on the sound card."""

import contextlib
import os
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError, MissingExtraError, counted

if TYPE_CHECKING:
    from glowvox.audio.files import ClippingReport


@dataclass(frozen=True)
class TimedPhoneme:
    """A phoneme and when it is spoken."""

    text: str
    """The phone in IPA, a stressed vowel with its stress mark."""
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds from the beginning of the audio."""


@dataclass(frozen=True)
class TimedWord:
    """A word and when it is spoken."""

    text: str
    """The word as it was written."""
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds from the beginning of the audio."""
    phonemes: tuple[TimedPhoneme, ...] = ()
    """Its phonemes in the order spoken; empty where they are not known."""
    before: str = ""
    """What is written before it in its sentence and belongs to no word: an opening quotation mark."""
    after: str = " "
    """What is written between it and the next word: punctuation and blanks."""
    ends_sentence: bool = False
    """Whether the sentence ends with it."""

    def __repr__(self) -> str:
        phonemes = "".join(phoneme.text for phoneme in self.phonemes)
        return f"TimedWord({self.text!r}, {self.start:.3f}-{self.end:.3f} s{f', {phonemes}' if phonemes else ''})"


@dataclass(frozen=True)
class TimedMark:
    """A named place of an SSML document and when it is reached."""

    name: str
    time: float
    """Seconds from the beginning of the audio."""


@dataclass(frozen=True, eq=False)
class Audio:
    """Synthesized audio: samples with the times of their words."""

    samples: NDArray[np.float32]
    """[S], -1 to 1."""
    sample_rate: int
    """Samples per second."""
    words: tuple[TimedWord, ...] = ()
    """The words in the order spoken; empty where they are not known."""
    marks: tuple[TimedMark, ...] = ()
    """The marks of the SSML document, in order."""

    def __repr__(self) -> str:
        return f"Audio({self.duration:.2f} s, {self.sample_rate} Hz, {counted(len(self.words), 'word')})"

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def play(self) -> None:
        """Play it on the sound card, and wait until it has been heard.

        Raises:
            MissingExtraError: the package miniaudio is not installed (extra `play`).
            AudioError: there is no sound card, or it cannot be opened.
        """
        with player(self.sample_rate) as speaking:
            for start in range(0, len(self.samples), self.sample_rate):
                speaking.push(self.samples[start : start + self.sample_rate])

    def save(
        self, destination: str | os.PathLike[str] | BinaryIO, *, format: str | None = None, subtype: str | None = None
    ) -> "ClippingReport":
        """Write a sound file; the file name decides the format (.wav, .flac, .ogg, .mp3).

        Args:
            destination: a path, or a binary file object, which needs `format`.
            format: "wav", "flac", "ogg" (Opus) or "mp3"; None: by the file name.
            subtype: the sample format ("PCM_16", "PCM_24", "FLOAT"); None: 16 bits where there is a choice.

        Raises:
            AudioError: the samples or the destination cannot be written.
        """
        from glowvox.audio.files import write_audio  # libsndfile is not waited for by who never writes a file

        return write_audio(destination, self.samples, self.sample_rate, format=format, subtype=subtype)


@dataclass(frozen=True, eq=False)
class AudioChunk:
    """A piece of speech as it became ready; joined, the chunks are the samples of the whole."""

    samples: NDArray[np.float32]
    """[S], -1 to 1."""
    sample_rate: int
    """Samples per second."""
    start: float = 0.0
    """Seconds of audio before this chunk."""
    words: tuple[TimedWord, ...] = ()
    """The words that begin in this chunk; their times count from the beginning of the whole."""
    marks: tuple[TimedMark, ...] = ()
    """The marks of the SSML document that are reached in this chunk."""
    last: bool = False
    """Whether no chunk follows."""

    def __repr__(self) -> str:
        end = ", last" if self.last else ""
        words = counted(len(self.words), "word")
        return f"AudioChunk({self.duration:.2f} s from {self.start:.2f} s, {self.sample_rate} Hz, {words}{end})"

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate


_BUFFER_MILLISECONDS = 100
_PIECES_AHEAD = 64
"""Pieces that wait to be played at most; computing goes on when there is room again."""


_ROOM_SECONDS = 0.05
"""How often it is looked whether there is room, or an end to it."""


class Player:
    """Audio player: what is pushed is played without gaps, as far as it comes in time; made by `player`."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[NDArray[np.float32] | None] = queue.Queue(_PIECES_AHEAD)
        self._finished = threading.Event()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Be silent at once, and for good; any thread may call it, while others push or wait."""
        self._stopped.set()
        self._finished.set()

    def push(self, samples: NDArray[np.float32]) -> None:
        """Play samples [S] after those pushed before; waits where many are ahead already."""
        if samples.size:
            self._put(np.clip(samples, -1.0, 1.0))

    def finish(self) -> None:
        """Wait until everything was played."""
        self._put(None)
        self._finished.wait()

    def _put(self, piece: NDArray[np.float32] | None) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._pieces.put(piece, timeout=_ROOM_SECONDS)
                return

    def frames(self) -> Generator[bytes, int, None]:
        """Yield as many 16-bit samples as the sound card asks for; silence where the next ones are not ready."""
        from glowvox.audio.files import quantise

        waiting = np.empty(0, np.float32)
        ended = False
        wanted = yield b""
        while not (self._stopped.is_set() or (ended and not len(waiting))):
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
        raise MissingExtraError(
            "miniaudio", "play", "playing on the sound card (a file needs nothing: Audio.save, say -o FILE)"
        ) from error
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
