"""Reading a text for a recording of it: tokens and what the encoder expects of each, sentence after sentence."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.acoustic import AcousticEngine
from glowvox.errors import VoiceError
from glowvox.synthesis.script import Warn, pieces_of, plain_lines
from glowvox.synthesis.sentence_mels import MelMaker, Request, Statistics
from glowvox.synthesis.speech_options import SpeechOptions
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.tokenizer import Tokenizer

_SENTENCES_AT_ONCE = 16


@dataclass(frozen=True)
class TextSide:
    """How the texts of a model are read: what a voice's card or a training run's provenance says."""

    tokenizer: Mapping[str, Any]
    """See `Tokenizer.to_dict`."""
    front_ends: Mapping[str, Mapping[str, str]]
    """By language tag: see `FrontEnd.to_dict`."""
    speakers: tuple[str, ...]
    """Names, in the order of the model's numbers."""
    speaker_languages: Mapping[str, str] = field(default_factory=dict)
    """Languages of speakers who do not speak the usual one."""
    language: str | None = None
    """The usual language; None: the only one, and where there are several every text must name its own."""


class TextOptions(TypedDict, total=False):
    """How one text is read; what is absent is as the model has it. See `TextReader.read`."""

    speaker: str | None
    language: str | None
    on_warning: Warn | None


@dataclass(frozen=True, eq=False)
class ReadText:
    """A text as the acoustic model expects to hear it; L tokens in all."""

    requests: tuple[Request, ...]
    """The sentences with their tokens."""
    mean: NDArray[np.float32]
    """[M, L], of the latent under each token."""
    log_std: NDArray[np.float32]
    """[M, L]."""
    expected_frames: NDArray[np.float64]
    """[L], what the duration predictor gives each token."""
    melody: NDArray[np.float32] | None
    """[2, L], height and log odds of voicing of each token, see `EncodedText`; None where the model has no melody."""


class TextReader:
    """Reads texts for one model."""

    def __init__(self, engine: AcousticEngine, side: TextSide) -> None:
        """Take a model and its text side.

        Raises:
            TextError: the tokenizer is damaged or not the model's.
            VoiceError: the model has another number of speakers.
        """
        if len(side.speakers) != engine.n_speakers:
            raise VoiceError(f"the text side names {len(side.speakers)} speakers, the model has {engine.n_speakers}")
        self.side = side
        self._mels = MelMaker(engine, Tokenizer.from_dict(side.tokenizer))
        self._front_ends: dict[str, FrontEnd] = {}
        self._lock = threading.Lock()

    @property
    def languages(self) -> tuple[str, ...]:
        """Language tags of the texts that the model reads."""
        return tuple(self.side.front_ends)

    def speaker_number(self, speaker: str | None) -> int | None:
        """Return the number of a speaker (None: the first), None for a model with one.

        Raises:
            VoiceError: no such speaker.
        """
        names = self.side.speakers
        if speaker is not None and speaker not in names:
            raise VoiceError(f"the model has no speaker '{speaker[:100]}'; it has {', '.join(names)}")
        return None if len(names) == 1 else names.index(speaker or names[0])

    def language_of(self, speaker: str | None) -> str:
        """Return the language of a speaker (None: the first).

        Raises:
            VoiceError: the model reads several languages, and does not say which is the speaker's.
        """
        side = self.side
        own = side.speaker_languages.get(speaker or side.speakers[0], side.language)
        if own is None and len(self.languages) > 1:
            raise VoiceError(f"the model reads {', '.join(self.languages)}: name the language of the text")
        return own or self.languages[0]

    def read(
        self, text: str, *, speaker: str | None = None, language: str | None = None, on_warning: Warn | None = None
    ) -> ReadText:
        """Return what the model expects of a text.

        Args:
            text: all of what is said.
            speaker: by whom; None: the model's first.
            language: of the text; None: the speaker's.
            on_warning: told of every word or sign that was guessed, replaced or left out; None: they are logged.

        Raises:
            TextError: the text holds no word.
            VoiceError: no such speaker or language.
        """
        number = self.speaker_number(speaker)
        tag = language or self.language_of(speaker)
        if tag not in self.side.front_ends:
            raise VoiceError(f"the model does not read '{tag[:40]}'; it reads {', '.join(self.languages)}")
        options = SpeechOptions(language=tag, speaker=speaker)
        warn = on_warning or logging.getLogger("glowvox").warning
        lines = plain_lines(pieces_of(text), self._front_end(tag), options, warn)
        requests = [self._mels.request(line.sentence, number, options) for line in lines if line.sentence.items]
        known = self._statistics(requests)
        melodies = [one.melody for one in known if one.melody is not None]
        return ReadText(
            requests=tuple(requests),
            mean=np.concatenate([one.mean for one in known], axis=1),
            log_std=np.concatenate([one.log_std for one in known], axis=1),
            expected_frames=np.concatenate([one.weights for one in known]).astype(np.float64),
            melody=np.concatenate(melodies, axis=1) if melodies else None,
        )

    def _front_end(self, language: str) -> FrontEnd:
        with self._lock:
            if language not in self._front_ends:
                stored = self.side.front_ends[language]
                front_end = load_front_end(language, back_end=str(stored.get("name", "")).split("/")[0])
                front_end.check_front_end(stored)
                self._front_ends[language] = front_end
            return self._front_ends[language]

    def _statistics(self, requests: Sequence[Request]) -> list[Statistics]:
        found: list[Statistics] = []
        for start in range(0, len(requests), _SENTENCES_AT_ONCE):
            found.extend(self._mels.statistics(requests[start : start + _SENTENCES_AT_ONCE]))
        return found
