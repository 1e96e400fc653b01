"""What is known of the times in an audio, without its samples."""

from collections.abc import Iterable
from dataclasses import dataclass

from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedWord


@dataclass(frozen=True)
class Timeline:
    """Words and marks, and how long the audio is."""

    words: tuple[TimedWord, ...]
    marks: tuple[TimedMark, ...]
    duration: float
    """Seconds."""

    @classmethod
    def of(cls, sounds: Iterable[Audio | AudioChunk]) -> "Timeline":
        """Return the timeline of an audio, or of the chunks that it comes in."""
        words: list[TimedWord] = []
        marks: list[TimedMark] = []
        duration = 0.0
        for sound in sounds:
            words.extend(sound.words)
            marks.extend(sound.marks)
            duration += sound.duration
        return cls(tuple(words), tuple(marks), duration)
