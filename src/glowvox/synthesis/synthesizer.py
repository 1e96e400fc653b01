"""Synthesizer: from the parts of a script to audio, one sentence after the other as a stream, or many texts in batches.

Each sentence is spoken by itself, its samples a function of its words, the options and its place in the text; between
sentences is silence. So a stream, a whole and a batch are the same samples.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import Frames
from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedWord
from glowvox.engines.machine import checked_threads
from glowvox.errors import GlowvoxError
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.script import Part
from glowvox.synthesis.sentence_mels import Clock, MelSynthesizer, Request, SentenceMel, timed_marks, timed_words
from glowvox.synthesis.vocoder import Vocoder, vocode_batch
from glowvox.synthesis.voice_card import check_contracts

Samples = NDArray[np.float32]


class SentenceSynthesizer:
    """Text to speech for one sentence: the mel, its values under the vocoder's contract, the vocoder."""

    def __init__(self, mels: MelSynthesizer, vocoder: Vocoder) -> None:
        """Take both.

        Raises:
            VoiceError: their mel contracts do not fit, and no exact conversion exists.
        """
        self.mels = mels
        self.vocoder = vocoder
        self._scale, self._shift = check_contracts(mels.engine.audio, vocoder.engine.audio)

    def stream(self, part: Part, first_chunk: int | None) -> tuple[Frames, Iterator[Samples]]:
        """Return the frames of a sentence's tokens [L], and its samples as they are asked for.

        Args:
            part: the sentence, no silence.
            first_chunk: mel frames spoken at first, more in each chunk after; None: the whole sentence.

        Raises:
            TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
        """
        request = request_of(part)
        stream = self.vocoder.stream(options_of(request), first_chunk=first_chunk)
        [known] = self.mels.statistics([request])
        if first_chunk is None:
            [mel] = self.mels.mels([request], [known], [part.frames])
            return mel.frames, stream.speak([self.bridged(mel.mel)])
        frames, mels = self.mels.mel_pieces(request, known, part.frames, first=stream.next_frames)
        return frames, stream.speak(map(self.bridged, mels))

    def bridged(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a mel [M, T] of the acoustic model under the vocoder's contract."""
        if (self._scale, self._shift) == (1.0, 0.0):
            return mel
        return (mel * self._scale + self._shift).astype(np.float32)


def options_of(request: Request) -> VocoderOptions:
    """Return what a sentence asks of the vocoder."""
    wished = request.options
    return VocoderOptions(sigma=wished.sigma, denoise=wished.denoise, refine=wished.refine, seed=request.seed)


def request_of(part: Part) -> Request:
    """Return the sentence of a part that is no silence."""
    assert part.request is not None
    return part.request


_BATCH_TOKENS = 4000
_BATCH_FRAMES = 8000


def synthesize_batch(speech: SentenceSynthesizer, parts: Sequence[Part]) -> Iterator[tuple[Frames, Samples]]:
    """Synthesize sentences in batches; yield the frames of the tokens [L] and the samples of each, in their order.

    Those of like length are encoded, and decoded, together; each comes out with the samples that it has alone.

    Args:
        speech: what speaks.
        parts: the sentences, no silence among them.

    Raises:
        TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
    """
    lengths = [len(request_of(part).context) for part in parts]
    mels: dict[int, SentenceMel] = {}
    for group in _groups(lengths, _BATCH_TOKENS):
        mels.update(zip(group, _mels(speech.mels, [parts[place] for place in group]), strict=True))
    made = [mels[place] for place in range(len(parts))]
    overrides = [options_of(request_of(part)) for part in parts]
    samples = vocode_batch(speech.vocoder, [speech.bridged(mel.mel) for mel in made], overrides)
    yield from zip((mel.frames for mel in made), samples, strict=True)


def _mels(maker: MelSynthesizer, parts: Sequence[Part]) -> list[SentenceMel]:
    requests = [request_of(part) for part in parts]
    statistics = maker.statistics(requests)
    frames = [
        known.frames if part.frames is None else part.frames for part, known in zip(parts, statistics, strict=True)
    ]
    made: dict[int, SentenceMel] = {}
    for group in _groups([int(np.sum(row)) for row in frames], _BATCH_FRAMES):
        chosen = [[row[place] for place in group] for row in (requests, statistics, frames)]
        made.update(zip(group, maker.mels(*chosen), strict=True))  # type: ignore[arg-type]
    return [made[place] for place in range(len(parts))]


def _groups(sizes: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield places in the order of their sizes, in groups whose padded size does not exceed a limit, one at least."""
    group: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):
        if group and sizes[place] * (len(group) + 1) > limit:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


FADE_SECONDS = 0.004


class EdgeFade:
    """Fade-in and fade-out of a sentence that arrives in pieces, so that it neither begins nor ends with a click.

    It is as many samples behind as a fade is long.
    """

    def __init__(self, sample_rate: int) -> None:
        length = max(1, round(FADE_SECONDS * sample_rate))
        self._ramp = np.sin(np.linspace(0, np.pi / 2, length + 2)[1:-1]).astype(np.float32) ** 2
        """Rises from zero to one, both left out."""
        self._done = 0
        self._held = np.empty(0, np.float32)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples [S], any number of them, and return those that no fade-out reaches."""
        ready = np.concatenate([self._held, self._faded_in(samples)])
        keep = min(len(ready), len(self._ramp))
        self._held = ready[len(ready) - keep :]
        return ready[: len(ready) - keep]

    def finish(self) -> NDArray[np.float32]:
        """End the audio and return what was held back, faded out."""
        held, self._held = self._held, np.empty(0, np.float32)
        return held * self._ramp[: len(held)][::-1]

    def _faded_in(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        ramp = self._ramp[self._done : self._done + len(samples)]
        self._done += len(samples)
        if not len(ramp):
            return samples
        faded = samples.copy()
        faded[: len(ramp)] *= ramp
        return faded


_FIRST_SECONDS = 0.25
"""Speech in the first chunk of a stream."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """Samples, and the words and marks of the sentence that begins with them."""

    samples: Samples
    words: tuple[TimedWord, ...] = ()
    marks: tuple[TimedMark, ...] = ()
    last: bool = False


class Synthesizer:
    """Text to speech for whole texts: an acoustic model and a vocoder together."""

    def __init__(self, mels: MelSynthesizer, vocoder: Vocoder) -> None:
        """Take both.

        Raises:
            VoiceError: their mel contracts do not fit, and no exact conversion exists.
        """
        self._sentences = SentenceSynthesizer(mels, vocoder)
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
            TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
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
            TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
        """
        parts = [part for text in texts for part in text if part.request is not None]
        spoken = synthesize_batch(self._sentences, parts)
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


class TextPool:
    """Thread pool that speaks several texts at a time, each on a core of its own.

    Two threads within one product save less than half of its time, and nothing of the work around it; two texts on
    two cores save half of everything. For that each must keep to its core, so the engines are opened once more, for
    one thread. A text that is spoken alone has all threads.
    """

    def __init__(self, shared: Synthesizer, open_alone: Callable[[], Synthesizer] | None, threads: int | None) -> None:
        """Take what speaks.

        Args:
            shared: with engines that use all threads.
            open_alone: opens engines of one thread, when many texts come for the first time; None: they stay shared.
            threads: that may be used; None: one for each core.
        """
        self._shared = shared
        self._open_alone = open_alone
        self._threads = checked_threads(threads)
        self._alone: Synthesizer | None = shared if self._threads == 1 else None
        self._opening = threading.Lock()
        self._opener: threading.Thread | None = None
        self._streams = 0
        self._counting = threading.Lock()

    def stream(
        self, parts: Iterable[Part], total: int | None, *, first_chunk: int | None, whole_text: bool = True
    ) -> Iterator[AudioChunk]:
        """Yield the audio of a text: computed on all threads, or on one where others are being spoken.

        Args and errors are those of `Synthesizer.stream`. Where the text has company for the first time, the engines of
        one thread are opened beside it, and serve the next one.
        """
        with self._counting:
            self._streams += 1
            crowded = self._streams > 1
        try:
            synthesizer = self._one_of_many() if crowded else self._shared
            yield from synthesizer.stream(parts, total, first_chunk=first_chunk, whole_text=whole_text)
        finally:
            with self._counting:
                self._streams -= 1

    def spoken(self, scripts: Iterator[Sequence[Part]], *, ahead: int, many: bool) -> Iterator[Audio]:
        """Yield the audio of texts in their order.

        Args:
            scripts: the parts of each text. Where it raises, the texts before are yielded first.
            ahead: texts in memory at once.
            many: whether there are enough of them to be worth opening engines for.

        Raises:
            TextError, VoiceError, EngineError: see `Synthesizer.stream`.
        """
        synthesizer = self._one_thread() if many else self._shared
        waiting: deque[Future[Audio]] = deque()
        failure: GlowvoxError | None = None
        threads = ThreadPoolExecutor(min(self._threads, ahead) if many else 1)
        try:
            while failure is None:
                try:
                    script = next(scripts, None)
                except GlowvoxError as error:
                    failure, script = error, None
                if script is None:
                    break
                waiting.append(threads.submit(_spoken, synthesizer, script))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
        if failure is not None:
            raise failure

    def _one_of_many(self) -> Synthesizer:
        """Return the engines of one thread if they are there; if not, open them meanwhile."""
        if self._alone is not None:
            return self._alone
        with self._counting:
            if self._opener is None:
                self._opener = threading.Thread(target=self._one_thread, name="glowvox-engines")
                self._opener.start()
        return self._shared

    def _one_thread(self) -> Synthesizer:
        with self._opening:
            if self._alone is None:
                try:
                    self._alone = self._shared if self._open_alone is None else self._open_alone()
                except (GlowvoxError, OSError):  # the voice's files may be gone by now
                    self._alone = self._shared
            return self._alone


def _spoken(synthesizer: Synthesizer, parts: Sequence[Part]) -> Audio:
    return joined(synthesizer.stream(parts, None, first_chunk=None))
