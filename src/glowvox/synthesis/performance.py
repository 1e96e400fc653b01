"""From the parts of a script to audio: one sentence after the other as a stream, or many texts in batches.

Each sentence is spoken by itself, its samples a function of its words, the options and its place in the text; between
sentences is silence. So a stream, a whole and a batch are the same samples.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedWord
from glowvox.synthesis.fade import EdgeFade
from glowvox.synthesis.plan import Part
from glowvox.synthesis.sentence_batches import spoken_together
from glowvox.synthesis.sentence_mels import MelMaker
from glowvox.synthesis.sentence_speech import Samples, SentenceSpeech
from glowvox.synthesis.spoken_times import Clock, timed_marks, timed_words
from glowvox.synthesis.timing import Frames
from glowvox.synthesis.vocoder import Vocoder

_FIRST_SECONDS = 0.25
"""Speech in the first chunk of a stream."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """Samples, and the words and marks of the sentence that begins with them."""

    samples: Samples
    words: tuple[TimedWord, ...] = ()
    marks: tuple[TimedMark, ...] = ()
    last: bool = False


class Performance:
    """An acoustic model and a vocoder together."""

    def __init__(self, mels: MelMaker, vocoder: Vocoder) -> None:
        """Take both.

        Raises:
            VoiceError: their mel contracts do not fit, and no exact conversion exists.
        """
        self._sentences = SentenceSpeech(mels, vocoder)
        self._audio = vocoder.engine.audio
        self._context = vocoder.engine.receptive_field

    @property
    def first_chunk(self) -> int:
        """Mel frames in the first chunk of a stream: so many that the next one, with its context, is ready in time."""
        return max(1, round(_FIRST_SECONDS * self._audio.frame_rate), -(-self._context // 4))

    def stream(
        self, parts: Iterable[Part], total: int | None, *, first_chunk: int | None, whole_text: bool = True
    ) -> Iterator[AudioChunk]:
        """Yield the audio of parts as it becomes ready.

        Args:
            parts: what is to be spoken.
            total: samples that all of it shall have; None: as many as it has.
            first_chunk: mel frames spoken at first in a sentence, more in each chunk after; None: whole sentences.
            whole_text: whether the next part is known without waiting for somebody to write it.

        Raises:
            TextError, VoiceError, EngineError: see `MelMaker` and `Vocoder`.
        """

        def spoken() -> Iterator[_Piece]:
            position = 0
            for part, last in _with_last(parts, whole_text=whole_text):
                frames, blocks = (None, iter(())) if part.request is None else self._sentences.stream(part, first_chunk)
                for piece in self._pieces(part, frames, blocks, position, last=last):
                    position += len(piece.samples)
                    yield piece

        return _chunks(spoken(), total, self._audio.sample_rate)

    def together(self, texts: Sequence[Sequence[Part]]) -> list[list[AudioChunk]]:
        """Return the chunks of several texts, computed in batches.

        Args:
            texts: their parts.

        Raises:
            TextError, VoiceError, EngineError: see `MelMaker` and `Vocoder`.
        """
        parts = [part for text in texts for part in text if part.request is not None]
        spoken = spoken_together(self._sentences, parts)
        result = []
        for text in texts:
            position, pieces = 0, []
            for part in text:
                frames, samples = (None, None) if part.request is None else next(spoken)
                blocks = iter(()) if samples is None else iter([samples])
                for piece in self._pieces(part, frames, blocks, position, last=part is text[-1]):
                    position += len(piece.samples)
                    pieces.append(piece)
            result.append(list(_chunks(iter(pieces), None, self._audio.sample_rate)))
        return result

    def _pieces(
        self, part: Part, frames: Frames | None, blocks: Iterator[Samples], position: int, *, last: bool
    ) -> Iterator[_Piece]:
        """Yield the silence before a sentence and its samples, faded at both ends."""
        rate = self._audio.sample_rate
        silence = np.zeros(round(part.line.pause_before * rate), np.float32)
        if part.request is None or frames is None:
            marks = tuple(TimedMark(mark.name, (position + len(silence)) / rate) for mark in part.line.sentence.marks)
            yield _Piece(silence, marks=marks, last=last)
            return
        clock = Clock((position + len(silence)) / rate, self._audio.frame_rate)
        told = (part.request.sentence, part.request.tokens, frames, clock)
        yield _Piece(silence, timed_words(*told), tuple(timed_marks(*told)))
        fade = EdgeFade(rate)
        for block in blocks:
            yield _Piece(fade.push(block))
        yield _Piece(fade.finish(), last=last)


def joined(chunks: Iterable[AudioChunk]) -> Audio:
    """Return the audio that chunks, one at least, are the pieces of; its samples are never in memory twice."""
    samples, length, rate = np.empty(0, np.float32), 0, 0
    words: list[TimedWord] = []
    marks: list[TimedMark] = []
    for chunk in chunks:
        end, rate = length + len(chunk.samples), chunk.sample_rate
        if end > len(samples):
            samples.resize(end + end // 8, refcheck=False)  # in place wherever the system can
        samples[length:end] = chunk.samples
        words.extend(chunk.words)
        marks.extend(chunk.marks)
        length = end
    samples.resize(length, refcheck=False)
    return Audio(samples, rate, tuple(words), tuple(marks))


def _chunks(pieces: Iterator[_Piece], total: int | None, rate: int) -> Iterator[AudioChunk]:
    """Give each chunk the words that begin in it, and the whole the length wished."""
    position = 0
    words: list[TimedWord] = []
    marks: list[TimedMark] = []
    ended = False
    for piece in pieces:
        words.extend(piece.words)
        marks.extend(piece.marks)
        samples, ended = piece.samples, piece.last
        if ended and total is not None:
            samples = samples[: max(0, total - position)]
            samples = np.pad(samples, (0, max(0, total - position - len(samples))))
        if not len(samples) and not ended:
            continue
        end = np.inf if ended else (position + len(samples)) / rate
        begun = tuple(word for word in words if word.start < end)
        reached = tuple(mark for mark in marks if mark.time < end)
        del words[: len(begun)], marks[: len(reached)]
        yield AudioChunk(samples, rate, position / rate, begun, reached, ended)
        position += len(samples)
    if not ended:
        yield AudioChunk(np.empty(0, np.float32), rate, position / rate, tuple(words), tuple(marks), last=True)


def _with_last(parts: Iterable[Part], *, whole_text: bool) -> Iterator[tuple[Part, bool]]:
    """Yield parts and whether each is the last one; of a text still being written nobody knows."""
    waiting: Part | None = None
    for part in parts:
        if not whole_text:
            yield part, False
            continue
        if waiting is not None:
            yield waiting, False
        waiting = part
    if waiting is not None:
        yield waiting, True
