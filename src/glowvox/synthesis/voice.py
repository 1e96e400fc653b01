"""A voice: text in, speech out, whole or as a stream, with the times of its words."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import Frames
from glowvox.audio.sound import Audio, AudioChunk
from glowvox.engines.base import AcousticEngine, VocoderEngine
from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.synthesis.duration_control import measured, with_durations
from glowvox.synthesis.options import DurationControl, OptionOverrides, SpeechOptions
from glowvox.synthesis.script import Part, Warn, pieces_of, plain_lines, ssml_lines
from glowvox.synthesis.sentence_mels import MelSynthesizer, Request
from glowvox.synthesis.synthesizer import Synthesizer, TextPool, joined
from glowvox.synthesis.vocoder import Vocoder
from glowvox.synthesis.voice_card import VoiceCard
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.lexicon import UserLexicon, load_lexicon
from glowvox.text.tokenizer import Tokenizer
from glowvox.text.utterance import Sentence

Lexicon = UserLexicon | str | os.PathLike[str]


class VoiceFrontEnd:
    """Text front ends of a voice, those it was trained with, loaded when first needed; makes scripts of texts."""

    def __init__(self, card: VoiceCard, mels: MelSynthesizer) -> None:
        self._card = card
        self._mels = mels
        self._front_ends: dict[str, FrontEnd] = {}
        self._lock = threading.Lock()

    def settled(self, options: SpeechOptions) -> SpeechOptions:
        """Return options in which the language is set, and the speaker one that there is.

        Raises:
            VoiceError: no such speaker or language.
        """
        card = self._card
        self._speaker_number(options.speaker)
        language = options.language or card.speaker_languages.get(options.speaker or card.speakers[0], card.language)
        if language not in card.front_ends:
            spoken = ", ".join(card.front_ends)
            raise VoiceError(f"the voice {card.name} does not speak '{language[:40]}'; it speaks {spoken}")
        return replace(options, language=language)

    def parts(
        self,
        text: str | Iterable[str],
        lexicon: Lexicon | None,
        options: SpeechOptions,
        on_warning: Warn | None,
        *,
        ssml: bool = False,
    ) -> Iterator[Part]:
        """Return the script of a text; a lexicon or front end that cannot be had is refused at once.

        Raises:
            TextError, VoiceError: see `Voice.say`.
        """
        front_end = self.front_end(options.language or self._card.language, lexicon)
        warn = on_warning or logging.getLogger("glowvox").warning
        pieces = pieces_of(text)
        if ssml:
            lines = ssml_lines("".join(pieces), front_end, options, warn)
        else:
            lines = plain_lines(pieces, front_end, options, warn)
        return (Part(line, self._request(line.sentence, options)) for line in lines)

    def front_end(self, language: str, lexicon: Lexicon | None = None) -> FrontEnd:
        """Return the text front end of a language, the one that the voice was trained with.

        Raises:
            TextError: it is not installed, or has another version; or the lexicon cannot be read.
        """
        stored = self._card.front_ends[language]
        if lexicon is not None:
            own = lexicon if isinstance(lexicon, UserLexicon) else load_lexicon(os.fspath(lexicon))
            return _front_end(stored, language, own)
        with self._lock:
            if language not in self._front_ends:
                self._front_ends[language] = _front_end(stored, language, None)
            return self._front_ends[language]

    def _request(self, sentence: Sentence, options: SpeechOptions) -> Request | None:
        if not sentence.items:
            return None
        named = None if sentence.voice == self._card.name else sentence.voice
        return self._mels.request(sentence, self._speaker_number(named or options.speaker), options)

    def _speaker_number(self, name: str | None) -> int | None:
        card = self._card
        if name is not None and name not in card.speakers:
            raise VoiceError(f"the voice {card.name} has no speaker '{name[:100]}'; it has {', '.join(card.speakers)}")
        return None if len(card.speakers) == 1 else card.speakers.index(name or card.speakers[0])


def _front_end(stored: Mapping[str, str], language: str, lexicon: UserLexicon | None) -> FrontEnd:
    back_end = str(stored.get("name", "")).split("/")[0]
    front_end = load_front_end(language, lexicon=lexicon, back_end=back_end)
    front_end.check_front_end(stored)
    return front_end


OpenEngines = Callable[[], tuple[AcousticEngine, VocoderEngine]]


class Voice:
    """Speaks. Calls may come from several threads at once; nothing is kept between them but what was loaded."""

    def __init__(
        self,
        card: VoiceCard,
        acoustic: AcousticEngine,
        vocoder: VocoderEngine,
        *,
        alone: OpenEngines | None = None,
        threads: int | None = None,
    ) -> None:
        """Put a voice together; `load_voice` finds the parts.

        Args:
            card: what the voice is.
            acoustic: from tokens to mels.
            vocoder: from mels to samples.
            alone: opens both once more, for one thread; None: they cannot be opened again.
            threads: that many texts may be spoken on; None: one for each core.

        Raises:
            VoiceError, TextError: the parts do not belong together.
        """
        self.card = card
        self._mels = MelSynthesizer(acoustic, Tokenizer.from_dict(card.tokenizer))
        self._synthesizer = Synthesizer(self._mels, Vocoder(vocoder))
        self._text = VoiceFrontEnd(card, self._mels)
        self._parallel = vocoder.parallel
        own = None if alone is None else partial(self._single_threaded, alone)
        self._pool = TextPool(self._synthesizer, own, threads if vocoder.parallel else 1)

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
            text: any text; `[[ phonemes ]]` in it are spoken as they stand.
            ssml: whether it is an SSML document.
            lexicon: the user's own pronunciations, or the file that holds them.
            slot: seconds that the whole shall take, pauses included.
            word_durations: seconds for each word as written (those of `Audio.words`); None: as the voice speaks it.
            token_durations: frames for each token of each sentence, as `durations` gives them.
            on_warning: told of every word or sign that was guessed, replaced or left out; None: they are logged.
            **overrides: speed, temperature, sigma, denoise, sentence_pause, paragraph_pause, seed, speaker, language;
                see `SpeechOptions`. What is absent is as the voice has it.

        Raises:
            TextError: there is nothing to say, or the durations do not fit the text.
            ConfigError: an option is out of range.
            VoiceError: no such speaker or language.
            EngineError: the engine failed.

        Example:
            >>> audio = glowvox.load_voice().say("Hello, world.", speed=0.9)  # doctest: +SKIP
        """
        options = self.options(**overrides)
        control = DurationControl(slot, word_durations, token_durations)
        parts = self._text.parts(text, lexicon, options, on_warning, ssml=ssml)
        if not control.empty:
            parts = with_durations(parts, control, self._mels)
        return joined(self._pool.stream(parts, control.samples(self.sample_rate), first_chunk=None))

    def stream(
        self,
        text: str | Iterable[str],
        *,
        early: bool = True,
        ssml: bool = False,
        lexicon: Lexicon | None = None,
        slot: float | None = None,
        word_durations: Sequence[float | None] | None = None,
        token_durations: Sequence[NDArray[np.int64]] | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Iterator[AudioChunk]:
        """Speak a text while it is computed, or even written: the samples of `say`, as they become ready.

        Text in pieces is cut into sentences as the whole text would be, and each is spoken as soon as it is complete.
        Memory does not grow with the text, except where durations are asked for, which need it whole.

        Args:
            text: a text, or an iterator of pieces of text, cut anywhere.
            early: whether the first samples of a sentence shall be ready early; if not, less is computed in all.
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
        options = self.options(**overrides)
        control = DurationControl(slot, word_durations, token_durations)
        parts = self._text.parts(text, lexicon, options, on_warning, ssml=ssml)
        if not control.empty:
            parts = with_durations(parts, control, self._mels)
        first_chunk = self._synthesizer.first_chunk if early else None
        whole = isinstance(text, str) or not control.empty
        total = control.samples(self.sample_rate)
        return self._pool.stream(parts, total, first_chunk=first_chunk, whole_text=whole)

    def say_many(
        self,
        texts: Iterable[str],
        *,
        batch_size: int = 16,
        lexicon: Lexicon | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Iterator[Audio]:
        """Speak many texts, several at a time; each sounds as `say` alone would have it.

        Args:
            texts: plain texts; as many as `batch_size` are in memory at once.
            batch_size: how many texts are computed together. With fewer texts than that, nothing is opened for them.
            lexicon: see `say`.
            on_warning: see `say`.
            **overrides: see `say`.

        Yields:
            The audio of each text, in order.

        Raises:
            GlowvoxError: see `say`; a text that cannot be spoken is named by its number.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
        options = self.options(**overrides)
        return self._many(iter(texts), batch_size, lexicon, options, on_warning)

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
        options = self.options(**overrides)
        parts = self._text.parts(text, lexicon, options, on_warning, ssml=ssml)
        statistics = (measured(part, self._mels) for part in parts)
        return [known.frames for known in statistics if known is not None]

    def options(self, **overrides: Unpack[OptionOverrides]) -> SpeechOptions:
        """Return the voice's options with overrides in place of some.

        Raises:
            ConfigError: an option is unknown or out of range.
            VoiceError: no such speaker or language.
        """
        known = SpeechOptions.__dataclass_fields__
        unknown = sorted(set(overrides) - set(known))
        if unknown:
            raise ConfigError(f"a voice has no option '{unknown[0]}'; there are {', '.join(known)}")
        return self._text.settled(replace(self.card.defaults, **overrides))

    def _many(
        self,
        texts: Iterator[str],
        size: int,
        lexicon: Lexicon | None,
        options: SpeechOptions,
        on_warning: Warn | None,
    ) -> Iterator[Audio]:
        scripts = self._scripts(texts, lexicon, options, on_warning)
        group = list(islice(scripts, size))
        if self._parallel:
            yield from self._pool.spoken(chain(group, scripts), ahead=size, many=len(group) == size > 1)
            return
        while group:
            yield from map(joined, self._synthesizer.together(group))
            group = list(islice(scripts, size))

    def _scripts(
        self, texts: Iterator[str], lexicon: Lexicon | None, options: SpeechOptions, on_warning: Warn | None
    ) -> Iterator[list[Part]]:
        for number, text in enumerate(texts, 1):
            try:
                yield list(self._text.parts(text, lexicon, options, on_warning))
            except TextError as error:
                raise TextError(f"text {number}: {error}") from error

    def _single_threaded(self, alone: OpenEngines) -> Synthesizer:
        acoustic, vocoder = alone()
        return Synthesizer(MelSynthesizer(acoustic, self._mels.tokenizer), Vocoder(vocoder))
