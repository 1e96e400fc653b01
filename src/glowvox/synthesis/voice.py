"""A voice: text in, speech out, whole or as a stream, with the times of its words.

Each sentence is spoken by itself, its samples a function of its words, the options and its place in the text; between
sentences is silence. So a stream, a whole and a batch are the same samples.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import Frames
from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedWord
from glowvox.engines.base import AcousticEngine, UnsoundSamplesError, VocoderEngine
from glowvox.engines.machine import checked_threads
from glowvox.errors import ConfigError, GlowvoxError, TextError, VoiceError, counted, named_kind
from glowvox.synthesis.batch import synthesize_batch, vocode_batch
from glowvox.synthesis.duration_control import measured, with_durations
from glowvox.synthesis.explanation import Explanation, explain
from glowvox.synthesis.options import (
    BY_SENTENCE,
    DurationControl,
    OptionOverrides,
    SentenceOptions,
    SpeechOptions,
    is_number,
    is_row,
    is_whole,
)
from glowvox.synthesis.script import Lexicon, Part, VoiceFrontEnd, Warn, options_of, read_lexicon
from glowvox.synthesis.sentence_mels import Clock, EdgeFade, MelSynthesizer, VolumeCurve, timed_marks, timed_words
from glowvox.synthesis.vocoder import GROWTH, Vocoder
from glowvox.synthesis.voice_card import VoiceCard, check_contracts
from glowvox.text.lexicon import UserLexicon
from glowvox.text.tokenizer import Tokenizer

FIRST_SECONDS = 0.25
"""Speech in the first chunk of a stream, unless more is wished: even a slow machine has it soon."""
_LEAST_FIRST, _MOST_FIRST = 0.05, 30.0
_MOST_TOGETHER = 4096
_HELD_SECONDS = 0.05
"""End of a sentence that waits until it is known whether another one follows, where the text is still being written:
the last chunk of a stream has samples."""

Samples = NDArray[np.float32]
OpenEngines = Callable[[], tuple[AcousticEngine, VocoderEngine]]


class Voice:
    """Text-to-speech voice. Calls may come from several threads at once; only what was loaded is kept between them."""

    def __init__(
        self,
        card: VoiceCard,
        acoustic: AcousticEngine,
        vocoder: VocoderEngine,
        *,
        alone: OpenEngines | None = None,
        threads: int | None = None,
        source: "Callable[[], Voice] | None" = None,
    ) -> None:
        """Put a voice together; `load_voice` finds the parts.

        Args:
            card: what the voice is.
            acoustic: from tokens to mels.
            vocoder: from mels to samples.
            alone: opens both once more, for one thread; None: they cannot be opened again.
            threads: that many texts may be spoken on; None: one for each core.
            source: loads the voice once more, for a pickle of it, which holds this and nothing else; None: it cannot
                be pickled.

        Raises:
            VoiceError, TextError: the parts do not belong together.
        """
        self.card = card
        self._source = source
        self._parallel = vocoder.parallel
        mels = MelSynthesizer(acoustic, Tokenizer.from_dict(card.tokenizer))
        synthesizer = Synthesizer(mels, Vocoder(vocoder))
        own = None if alone is None else partial(_single_threaded, alone, mels.tokenizer)
        pool = TextPool(synthesizer, own, threads if vocoder.parallel else 1)
        self._models: _Models | None = _Models(mels, synthesizer, VoiceFrontEnd(card, mels), pool)

    def __repr__(self) -> str:
        several = f", {counted(len(self.speakers), 'speaker')}" if len(self.speakers) > 1 else ""
        return f"Voice({self.name!r}, {self.card.language}, {self.sample_rate} Hz{several})"

    def __enter__(self) -> "Voice":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> "tuple[Callable[[], Voice], tuple[()]]":
        if self._source is None:
            raise TypeError(f"{self!r} was not made by load_voice and cannot be pickled: it has no source to load from")
        return self._source, ()

    def close(self) -> None:
        """Let go of the models and of the memory that they take; the end of a `with` block does the same.

        The voice does not speak afterwards. A stream that is being read is read to its end.
        """
        self._models = None

    @property
    def name(self) -> str:
        """The voice's name."""
        return self.card.name

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.card.vocoder.mel.sample_rate

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers; the first one speaks where none is named."""
        return self.card.speakers

    @property
    def has_melody(self) -> bool:
        """Whether its pitch can be changed."""
        return self._mels.engine.melody

    def say(
        self,
        text: str,
        *,
        ssml: bool = False,
        lexicon: Lexicon | None = None,
        slot: float | None = None,
        word_durations: Sequence[float | None] | None = None,
        token_durations: Sequence[NDArray[np.int64]] | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Audio:
        """Speak a text.

        Args:
            text: any text, one; `[[ phonemes ]]` in it are spoken as they stand. For several see `say_many`.
            ssml: whether it is an SSML document.
            lexicon: the user's own pronunciations, or the file that holds them.
            slot: seconds that the whole shall take, pauses included.
            word_durations: seconds for each word as written (those of `Audio.words`); None: as the voice speaks it.
            token_durations: frames for each token of each sentence, as `durations` gives them.
            on_warning: told of every word or sign that was guessed, replaced or left out; None: they are logged.
            **overrides: options; what is absent is as the voice has it (`voice.card.defaults`).

                - speed: speaking rate from 0.1 to 10, 2 being twice as fast; or one for each sentence, in order.
                - pitch_shift: semitones by which the pitch contour is raised, -24 to 24; or one for each sentence.
                - pitch_range: factor on the width of the contour, 0 to 4, 0 being monotonous; or one for each sentence.
                - temperature: standard deviation of the acoustic model's noise, 0 to 100; 0: the most likely mel.
                - sigma: standard deviation of the vocoder's noise, 0 to 100.
                - denoise: how many times the vocoder's bias spectrum is subtracted; 0: not at all.
                - refine: passes of mel refinement of the vocoder's output; None: as many as it is meant for.
                - postfilter: exponent of the postfilter in the last pass of refinement, 0 to 1; 0: none.
                - sentence_pause: silence after a sentence inside a paragraph, seconds.
                - paragraph_pause: silence after a paragraph, seconds.
                - pause_tags: whether `[pause:1s]` in plain text is a silence of that length.
                - markup: what the text is written in: auto, plain, markdown, html or ssml.
                - read_code: whether code in Markdown and HTML is read.
                - strict_ssml: whether SSML that other systems know and this one does not is refused.
                - context_tokens: sentences of fewer tokens are encoded beside their own repetition; 0: never.
                - seed: of all noise; the same seed gives the same samples.
                - speaker: name of one of `speakers`; None: the first.
                - language: tag of one of `card.front_ends`; None: the speaker's.

        Raises:
            TextError: there is nothing to say, or the durations do not fit the text.
            ConfigError: an option is out of range.
            VoiceError: no such speaker or language.
            EngineError: the engine failed.

        Example:
            >>> audio = glowvox.load_voice().say("Hello, world.", speed=0.9)  # doctest: +SKIP
        """
        if not isinstance(text, str):
            raise TextError(
                f"say speaks one text, got {named_kind(text)}; use say_many for several, stream for pieces of one"
            )
        options, own = self._settled(overrides)
        control = DurationControl(slot, word_durations, token_durations)
        parts = self._open.text.parts(text, lexicon, options, on_warning, ssml=ssml, own=own)
        if not control.empty:
            parts = with_durations(parts, control, self._mels)
        return joined(self._pool.stream(parts, control.samples(self.sample_rate), first_chunk=None))

    def stream(
        self,
        text: str | Iterable[str],
        *,
        early: bool = True,
        first_seconds: float = FIRST_SECONDS,
        ssml: bool = False,
        lexicon: Lexicon | None = None,
        slot: float | None = None,
        word_durations: Sequence[float | None] | None = None,
        token_durations: Sequence[NDArray[np.int64]] | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Iterator[AudioChunk]:
        """Speak a text while it is computed, or even written: the samples of `say`, as they become ready.

        No chunk is empty or only a few milliseconds long, and the last one is marked. Text in pieces is cut into
        sentences as the whole text would be, and each is spoken as soon as it is complete. Memory does not grow with
        the text, except where durations are asked for, which need it whole.

        Args:
            text: a text, or an iterator of pieces of text, cut anywhere; a list of them is a text that is known whole.
            early: whether the first samples of a sentence shall be ready early; if not, less is computed in all, and
                the sentences of a long text that is known whole are spoken side by side, one on each core.
            first_seconds: of speech in the first chunk, 0.05 to 30; with more it comes later, for less work in all.
            ssml: see `say`, like all other arguments.
            lexicon: see `say`.
            slot: see `say`.
            word_durations: see `say`.
            token_durations: see `say`.
            on_warning: see `say`.
            **overrides: see `say`.

        Raises:
            GlowvoxError: see `say`; wrong options are refused at once, the rest when the iteration comes to it.
        """
        options, own = self._settled(overrides)
        if not (is_number(first_seconds) and _LEAST_FIRST <= first_seconds <= _MOST_FIRST):
            raise ConfigError(
                f"the first chunk must have {_LEAST_FIRST} to {_MOST_FIRST:g} seconds of speech, got {first_seconds}"
            )
        control = DurationControl(slot, word_durations, token_durations)
        parts = self._open.text.parts(text, lexicon, options, on_warning, ssml=ssml, own=own)
        if not control.empty:
            parts = with_durations(parts, control, self._mels)
        first_chunk = self._synthesizer.first_chunk(first_seconds) if early else None
        whole = isinstance(text, str | list | tuple) or not control.empty
        total = control.samples(self.sample_rate)
        return self._pool.stream(parts, total, first_chunk=first_chunk, whole_text=whole)

    def say_many(
        self,
        texts: Iterable[str],
        *,
        batch_size: int = 16,
        lexicon: Lexicon | None = None,
        on_warning: Warn | None = None,
        on_error: Callable[[int, TextError], None] | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Iterator[Audio]:
        """Speak many texts, several at a time; each sounds as `say` alone would have it.

        Args:
            texts: plain texts; as many as `batch_size` are in memory at once.
            batch_size: how many texts are computed together. With fewer texts than that, nothing is opened for them.
            lexicon: see `say`.
            on_warning: see `say`.
            on_error: told of a text that cannot be spoken, and its number from 1 on, before any text after it comes;
                that text is left out. None: it is an error.
            **overrides: see `say`.

        Yields:
            The audio of each text, in order.

        Raises:
            GlowvoxError: see `say`; a text that cannot be spoken is named by its number.
        """
        if isinstance(texts, str):
            raise TextError("say_many takes several texts, got one; use say for it")
        if not isinstance(texts, Iterable) or isinstance(texts, bytes | bytearray):
            raise TextError(f"say_many takes several texts, got {named_kind(texts)}; give it a list of strings")
        if not (is_whole(batch_size) and 1 <= batch_size <= _MOST_TOGETHER):
            raise ConfigError(f"batch_size must be a whole number from 1 to {_MOST_TOGETHER}, got {batch_size}")
        options = self.options(**overrides)
        if lexicon is not None and not isinstance(lexicon, UserLexicon):
            lexicon = read_lexicon(lexicon, on_warning)
        return self._many(self._scripts(texts, lexicon, options, on_warning, on_error), batch_size)

    def durations(
        self,
        text: str,
        *,
        ssml: bool = False,
        lexicon: Lexicon | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> list[Frames]:
        """Return how many mel frames each token [L] of each sentence would last; `say` takes them back, changed.

        Args and errors are those of `say`.
        """
        if not isinstance(text, str):
            raise TextError(f"durations measures one text, got {named_kind(text)}")
        options, own = self._settled(overrides)
        parts = self._open.text.parts(text, lexicon, options, on_warning, ssml=ssml, own=own)
        statistics = (measured(part, self._mels) for part in parts)
        return [known.frames for known in statistics if known is not None]

    def explain(
        self,
        text: str,
        *,
        ssml: bool = False,
        lexicon: Lexicon | None = None,
        readings: bool = False,
        **overrides: Unpack[OptionOverrides],
    ) -> Explanation:
        """Return how the text would be read: its words, where they stand, their phonemes and where these are from.

        Args:
            text: see `say`, as all but `readings`.
            ssml: see `say`.
            lexicon: see `say`.
            readings: whether the other pronunciations of each word are looked up, too; meant for a few words.
            **overrides: see `say`.

        Raises:
            GlowvoxError: see `say`.
        """
        if not isinstance(text, str):
            raise TextError(f"explain reads one text, got {named_kind(text)}")
        options = self.options(**overrides)
        reader = self._open.text
        front_end, others = reader.front_end(lexicon, options), reader.other_front_end
        return explain(text, front_end, options, ssml=ssml, readings=readings, others=others)

    def options(self, **overrides: Unpack[OptionOverrides]) -> SpeechOptions:
        """Return the voice's options with overrides in place of some.

        Raises:
            ConfigError: an option is unknown or out of range.
            VoiceError: no such speaker or language.
        """
        _ = self._open  # a closed voice says so
        return options_of(self.card, overrides)

    def _settled(self, overrides: OptionOverrides) -> "tuple[SpeechOptions, SentenceOptions]":
        """Return the options of a text, and what each of its sentences has of its own."""
        given: dict[str, Any] = dict(overrides)
        several = [name for name in BY_SENTENCE if is_row(given.get(name))]
        own = SentenceOptions({name: given.pop(name) for name in several})
        options = self.options(**given)
        for number in range(own.count):
            own.of(number, options)  # what is out of range is refused before anything is computed
        return options, own

    def _many(self, scripts: Iterator[list[Part]], size: int) -> Iterator[Audio]:
        group = list(islice(scripts, size))
        if self._parallel:
            yield from self._pool.spoken(chain(group, scripts), ahead=size, many=len(group) == size > 1)
            return
        while group:
            yield from map(joined, self._synthesizer.batch(group))
            group = list(islice(scripts, size))

    def _scripts(
        self,
        texts: Iterable[str],
        lexicon: Lexicon | None,
        options: SpeechOptions,
        on_warning: Warn | None,
        on_error: Callable[[int, TextError], None] | None,
    ) -> Iterator[list[Part]]:
        for number, text in enumerate(texts, 1):
            try:
                if not isinstance(text, str):
                    raise TextError(f"a text is a string, got {named_kind(text)}")
                script = list(self._open.text.parts(text, lexicon, options, on_warning))
            except TextError as error:
                if on_error is None:
                    raise TextError(f"text {number}: {error}") from error
                on_error(number, error)
                continue
            yield script

    @property
    def _open(self) -> "_Models":
        """What speaks.

        Raises:
            VoiceError: the voice is closed.
        """
        if self._models is None:
            raise VoiceError(f"the voice {self.name} is closed; load it again")
        return self._models

    @property
    def _mels(self) -> MelSynthesizer:
        return self._open.mels

    @property
    def _synthesizer(self) -> "Synthesizer":
        return self._open.synthesizer

    @property
    def _pool(self) -> "TextPool":
        return self._open.pool


@dataclass(frozen=True, eq=False)
class _Models:
    """What a voice speaks with, as long as it is open."""

    mels: MelSynthesizer
    synthesizer: "Synthesizer"
    text: "VoiceFrontEnd"
    pool: "TextPool"


def _single_threaded(alone: OpenEngines, tokenizer: Tokenizer) -> "Synthesizer":
    acoustic, vocoder = alone()
    return Synthesizer(MelSynthesizer(acoustic, tokenizer), Vocoder(vocoder))


@dataclass(frozen=True, eq=False)
class _Piece:
    """Samples, and the words and marks of the sentence that begins with them."""

    samples: Samples
    words: tuple[TimedWord, ...] = ()
    marks: tuple[TimedMark, ...] = ()
    last: bool = False
    ends_part: bool = False
    """Whether the part ends with them, and the next one may not be written yet."""


class Synthesizer:
    """Text to speech for whole texts: an acoustic model and a vocoder together."""

    def __init__(self, mels: MelSynthesizer, vocoder: Vocoder) -> None:
        """Take both.

        Raises:
            VoiceError: their mel contracts do not fit, and no exact conversion exists.
        """
        self._mels = mels
        self._vocoder = vocoder
        self._scale, self._shift = check_contracts(mels.engine.audio, vocoder.engine.audio)
        self._audio = vocoder.engine.audio
        self._frame_rate = self._audio.frame_rate
        self._context = vocoder.engine.receptive_field

    def first_chunk(self, seconds: float) -> int:
        """Return the mel frames of a stream's first chunk: so many that the next one, with its context, is in time."""
        return max(1, round(seconds * self._frame_rate), -(-self._context // GROWTH))

    def stream(
        self,
        parts: Iterable[Part],
        total: int | None,
        *,
        first_chunk: int | None,
        whole_text: bool = True,
        workers: ThreadPoolExecutor | None = None,
        ahead: int = 1,
    ) -> Iterator[AudioChunk]:
        """Yield the audio of parts as it becomes ready.

        Args:
            parts: what is to be spoken.
            total: samples that all of it shall have; None: as many as it has.
            first_chunk: mel frames spoken at first, more in each chunk after; None: whole sentences. Where the text is
                known, chunks go on growing from sentence to sentence; where it is written meanwhile, every sentence
                begins with so short a one, since the listener may be waiting for it.
            whole_text: whether the next part is known without waiting for somebody to write it.
            workers: speak whole sentences side by side; None: one after the other.
            ahead: sentences in memory at once, with workers.

        Raises:
            TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
        """

        coming = first_chunk

        def sentences() -> Iterator[tuple[Part, bool, Frames | None, Iterator[Samples]]]:
            waiting: deque[tuple[Part, bool, Future[tuple[Frames | None, Iterator[Samples]]]]] = deque()
            for part, last in _with_last(parts, whole_text=whole_text):
                if workers is None:
                    yield part, last, *self._sentence(part, coming)
                    continue
                waiting.append((part, last, workers.submit(self._whole_sentence, part)))
                if len(waiting) >= ahead:
                    first, ends, done = waiting.popleft()
                    yield first, ends, *done.result()
            for part, last, done in waiting:
                yield part, last, *done.result()

        def spoken() -> Iterator[_Piece]:
            nonlocal coming
            position = 0
            for part, last, frames, blocks in sentences():
                length = 0
                for piece in self._pieces(part, frames, blocks, position, last=last):
                    length = len(piece.samples)
                    position += length
                    yield piece
                if first_chunk is not None and whole_text and frames is not None:
                    # the last chunk is heard while the next one is computed, as within a sentence
                    coming = max(first_chunk, GROWTH * (length // self._audio.hop_length))

        hold = 0 if whole_text else round(_HELD_SECONDS * self._audio.sample_rate)
        return _chunks(spoken(), total, self._audio.sample_rate, hold)

    def batch(self, texts: Sequence[Sequence[Part]]) -> list[list[AudioChunk]]:
        """Return the chunks of several texts, computed in batches.

        Args:
            texts: their parts.

        Raises:
            TextError, VoiceError, EngineError: see `MelSynthesizer` and `Vocoder`.
        """
        spoken = [part for text in texts for part in text if part.request is not None]
        requests = [part.request for part in spoken if part.request is not None]
        mels = synthesize_batch(self._mels, requests, [part.frames for part in spoken])
        bridged = [self.bridged(mel.mel) for mel in mels]
        try:
            sounds = vocode_batch(self._vocoder, bridged, [request.vocoder_options for request in requests])
        except UnsoundSamplesError as error:
            raise error.of_voice() from error
        made = iter(zip(mels, sounds, strict=True))
        result = []
        for text in texts:
            position, pieces = 0, []
            for part in text:
                frames: Frames | None = None
                blocks: Iterator[Samples] = iter(())
                if part.request is not None:
                    mel, samples = next(made)
                    frames, blocks = mel.frames, iter([samples])
                for piece in self._pieces(part, frames, blocks, position, last=part is text[-1]):
                    position += len(piece.samples)
                    pieces.append(piece)
            result.append(list(_chunks(iter(pieces), None, self._audio.sample_rate)))
        return result

    def bridged(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a mel [M, T] of the acoustic model under the vocoder's contract."""
        if (self._scale, self._shift) == (1.0, 0.0):
            return mel
        return (mel * self._scale + self._shift).astype(np.float32)

    def _whole_sentence(self, part: Part) -> tuple[Frames | None, Iterator[Samples]]:
        """Return what `_sentence` gives, with all samples computed."""
        frames, blocks = self._sentence(part, None)
        return frames, iter(list(blocks))

    def _sentence(self, part: Part, first_chunk: int | None) -> tuple[Frames | None, Iterator[Samples]]:
        """Return the frames of a sentence's tokens [L], and its samples as they are asked for; of silence, nothing."""
        request = part.request
        if request is None:
            return None, iter(())
        stream = self._vocoder.stream(request.vocoder_options, first_chunk=first_chunk)
        [known] = self._mels.statistics([request])
        if first_chunk is None:
            [mel] = self._mels.mels([request], [known], [part.frames])
            return mel.frames, _blamed(stream.speak([self.bridged(mel.mel)]))
        frames, mels = self._mels.mel_pieces(request, known, part.frames, first=stream.next_frames)
        if frames.sum() <= _FEW_CHUNKS * first_chunk:
            stream = self._vocoder.stream(request.vocoder_options)
        return frames, _blamed(stream.speak(map(self.bridged, mels)))

    def _pieces(
        self, part: Part, frames: Frames | None, blocks: Iterator[Samples], position: int, *, last: bool
    ) -> Iterator[_Piece]:
        """Yield the silence before a sentence and its samples, faded at both ends."""
        rate = self._audio.sample_rate
        silence = np.zeros(round(part.line.pause_before * rate), np.float32)
        if part.request is None or frames is None:
            marks = tuple(TimedMark(mark.name, (position + len(silence)) / rate) for mark in part.line.sentence.marks)
            yield _Piece(silence, marks=marks, last=last, ends_part=True)
            return
        clock = Clock((position + len(silence)) / rate, self._frame_rate)
        told = (part.request.sentence, part.request.tokens, frames, clock)
        words, marks = timed_words(*told), tuple(timed_marks(*told))
        fade, left = EdgeFade(rate), int(frames.sum()) * self._audio.hop_length
        volume = VolumeCurve(part.request, frames, self._audio.hop_length)
        for block in map(volume, blocks):
            left -= len(block)
            # silence and fade-out go with the samples beside them: every piece has its price for whoever hands it on
            joined = np.concatenate([silence, fade.push(block), *([] if left > 0 else [fade.finish()])])
            yield _Piece(joined, words, marks, last=last and left <= 0, ends_part=left <= 0)
            silence, words, marks = silence[:0], (), ()


def _blamed(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Pass samples on; where they cannot be, the voice is to blame, as the mel is its own."""
    try:
        yield from blocks
    except UnsoundSamplesError as error:
        raise error.of_voice() from error


_FEW_CHUNKS = 3
"""A sentence of no more first chunks is one: the vocoder looks so far ahead that it would hardly be heard earlier."""
_MANY_SENTENCES = 8
"""Of one text, worth opening engines of one thread for."""


class TextPool:
    """Thread pool that speaks several texts at a time, each on a core of its own; or the sentences of a long one.

    Two threads within one product save less than half of its time, and nothing of the work around it; two texts on
    two cores save half of everything. For that each must keep to its core, so the engines are opened once more, for
    one thread. A text that is spoken alone has all threads, and a core for each sentence where it has many.
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
            if first_chunk is None and whole_text and not crowded:
                yield from self._sentences(iter(parts), total)
            else:
                synthesizer = self._one_of_many() if crowded else self._shared
                yield from synthesizer.stream(parts, total, first_chunk=first_chunk, whole_text=whole_text)
        finally:
            with self._counting:
                self._streams -= 1

    def _sentences(self, parts: Iterator[Part], total: int | None) -> Iterator[AudioChunk]:
        """Yield whole sentences, which do not depend on each other: of a long text each on a core of its own."""
        begun = list(islice(parts, _MANY_SENTENCES))
        known = chain(begun, parts)
        alone = self._one_thread() if self._threads > 1 and len(begun) == _MANY_SENTENCES else self._shared
        if alone is self._shared:
            yield from self._shared.stream(known, total, first_chunk=None)
            return
        workers = ThreadPoolExecutor(self._threads, thread_name_prefix="glowvox-sentences")
        try:
            yield from alone.stream(known, total, first_chunk=None, workers=workers, ahead=2 * self._threads)
        finally:
            workers.shutdown(cancel_futures=True)

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


def _held(pieces: Iterator[_Piece], hold: int) -> Iterator[_Piece]:
    """Keep the end of each part back until the next one comes, or none does: the very end is then marked as that."""
    waiting = np.empty(0, np.float32)
    for piece in pieces:
        samples = np.concatenate([waiting, piece.samples]) if len(waiting) else piece.samples
        keep = min(hold, len(samples)) if piece.ends_part else 0
        waiting = samples[len(samples) - keep :]
        yield replace(piece, samples=samples[: len(samples) - keep], last=False)
    yield _Piece(waiting, last=True)


def _chunks(pieces: Iterator[_Piece], total: int | None, rate: int, hold: int = 0) -> Iterator[AudioChunk]:
    """Give each chunk the words that begin in it, and the whole the length asked for.

    Args:
        pieces: of the speech, in order.
        total: samples that all of it shall have; None: as many as it has.
        rate: samples per second.
        hold: samples that wait at the end of a part, where nobody knows which one is the last.
    """
    if hold:
        pieces = _held(pieces, hold)
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
