"""From the parts of a script to audio: one sentence after the other as a stream, or many texts in batches.

Each sentence is spoken by itself, its samples a function of its words, the options and its place in the text; between
sentences is silence. So a stream, a whole and a batch are the same samples.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedWord
from glowvox.engines.machine import usable_cores
from glowvox.synthesis.batch_vocoding import vocode_batch
from glowvox.synthesis.fade import EdgeFade
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.plan import Part
from glowvox.synthesis.sentence_mels import MelMaker, Request, SentenceMel
from glowvox.synthesis.spoken_times import Clock, timed_marks, timed_words
from glowvox.synthesis.timing import Frames
from glowvox.synthesis.vocoder import Vocoder
from glowvox.synthesis.voice_card import check_contracts

_FIRST_SECONDS = 0.25
"""Speech in the first chunk of a stream."""
_BATCH_TOKENS = 4000
_BATCH_FRAMES = 8000
Samples = NDArray[np.float32]


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
        self._mels = mels
        self._vocoder = vocoder
        self._scale, self._shift = check_contracts(mels.engine.audio, vocoder.engine.audio)
        self._audio = vocoder.engine.audio

    @property
    def first_chunk(self) -> int:
        """Mel frames in the first chunk of a stream: so many that the next one, with its context, is ready in time."""
        context = self._vocoder.engine.receptive_field
        return max(1, round(_FIRST_SECONDS * self._audio.frame_rate), -(-context // 4))

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
                frames, blocks = (None, iter(())) if part.request is None else self._spoken(part, first_chunk)
                for piece in self._pieces(part, frames, blocks, position, last=last):
                    position += len(piece.samples)
                    yield piece

        return _chunks(spoken(), total, self._audio.sample_rate)

    def together(self, texts: Sequence[Sequence[Part]], first_chunk: int | None = None) -> list[list[AudioChunk]]:
        """Return the chunks of several texts, computed in batches.

        Args:
            texts: their parts.
            first_chunk: see `stream`, in whose pieces they are then computed, since what is cut elsewhere is rounded
                otherwise. None: those of the whole.

        Raises:
            TextError, VoiceError, EngineError: see `MelMaker` and `Vocoder`.
        """
        parts = [part for text in texts for part in text if part.request is not None]
        spoken = self._in_batches(parts, first_chunk)
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

    def _made(self, parts: Sequence[Part]) -> list[SentenceMel]:
        requests = [_request(part) for part in parts]
        statistics = self._mels.statistics(requests)
        frames = [
            known.frames if part.frames is None else part.frames for part, known in zip(parts, statistics, strict=True)
        ]
        lengths = [int(np.sum(row)) for row in frames]
        made: dict[int, SentenceMel] = {}
        order = sorted(range(len(parts)), key=lambda place: lengths[place])
        for group in _groups(order, lengths, _BATCH_FRAMES):
            chosen = [[row[place] for place in group] for row in (requests, statistics, frames)]
            made.update(zip(group, self._mels.mels(*chosen), strict=True))  # type: ignore[arg-type]
        return [made[place] for place in range(len(parts))]

    def _spoken(self, part: Part, first_chunk: int | None) -> tuple[Frames, Iterator[Samples]]:
        """Return the frames of a sentence's tokens, and its samples as they are asked for."""
        request = _request(part)
        stream = self._vocoder.stream(_options(request), first_chunk=first_chunk)
        [known] = self._mels.statistics([request])
        if first_chunk is None:
            [mel] = self._mels.mels([request], [known], [part.frames])
            return mel.frames, stream.speak([self._bridged(mel.mel)])
        frames, mels = self._mels.mel_pieces(request, known, part.frames, first=stream.next_frames)
        return frames, stream.speak(map(self._bridged, mels))

    def _in_batches(self, parts: Sequence[Part], first_chunk: int | None) -> Iterator[tuple[Frames, Samples]]:
        """Yield the frames of the tokens and the samples of sentences, in their order."""
        order = sorted(range(len(parts)), key=lambda place: len(_request(parts[place]).context))
        mels: dict[int, SentenceMel] = {}
        for group in _groups(order, [len(_request(part).context) for part in parts], _BATCH_TOKENS):
            mels.update(zip(group, self._made([parts[place] for place in group]), strict=True))
        made = [mels[place] for place in range(len(parts))]
        if first_chunk is None:
            wishes = [_options(_request(part)) for part in parts]
            samples = vocode_batch(self._vocoder, [self._bridged(mel.mel) for mel in made], wishes)
        else:
            with ThreadPoolExecutor(usable_cores() if self._vocoder.engine.parallel else 1) as threads:
                samples = list(threads.map(lambda part, mel: self._as_streamed(part, mel, first_chunk), parts, made))
        yield from zip((mel.frames for mel in made), samples, strict=True)

    def _as_streamed(self, part: Part, mel: SentenceMel, first_chunk: int) -> Samples:
        """Return the samples of a sentence, computed in the pieces of `stream`."""
        if self._mels.in_windows(mel.mel.shape[1]):
            return np.concatenate(list(self._spoken(part, first_chunk)[1]))
        stream = self._vocoder.stream(_options(_request(part)), first_chunk=first_chunk)
        return np.concatenate(list(stream.speak([self._bridged(mel.mel)])))

    def _bridged(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        if (self._scale, self._shift) == (1.0, 0.0):
            return mel
        return (mel * self._scale + self._shift).astype(np.float32)

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


def _groups(order: Sequence[int], sizes: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield consecutive places whose padded size does not exceed a limit, at least one at a time."""
    group: list[int] = []
    for place in order:
        if group and sizes[place] * (len(group) + 1) > limit:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _options(request: Request) -> VocoderOptions:
    wished = request.options
    return VocoderOptions(sigma=wished.sigma, denoise=wished.denoise, refine=wished.refine, seed=request.seed)


def _request(part: Part) -> Request:
    assert part.request is not None
    return part.request
