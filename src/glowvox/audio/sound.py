"""What the voices give: audio with its words, and the same in chunks."""

import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import write_audio
from glowvox.audio.writer import ClippingReport


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


@dataclass(frozen=True)
class TimedMark:
    """A named place of an SSML document and when it is reached."""

    name: str
    time: float
    """Seconds from the beginning of the audio."""


@dataclass(frozen=True, eq=False)
class Audio:
    """Speech."""

    samples: NDArray[np.float32]
    """[S], -1 to 1."""
    sample_rate: int
    """Samples per second."""
    words: tuple[TimedWord, ...] = ()
    """The words in the order spoken; empty where they are not known."""
    marks: tuple[TimedMark, ...] = ()
    """The marks of the SSML document, in order."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def save(
        self, destination: str | os.PathLike[str] | BinaryIO, *, format: str | None = None, subtype: str | None = None
    ) -> ClippingReport:
        """Write a sound file; the file name decides the format (.wav, .flac, .ogg, .mp3).

        Args:
            destination: a path, or a binary file object, which needs `format`.
            format: "wav", "flac", "ogg" (Opus) or "mp3"; None: by the file name.
            subtype: the sample format ("PCM_16", "PCM_24", "FLOAT"); None: 16 bits where there is a choice.

        Raises:
            AudioError: the samples or the destination cannot be written.
        """
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
    """Whether no chunk follows. Where the text came in pieces, the last chunk may hold no samples."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate
