"""The text side of a voice: the front ends it was trained with, its speakers, and scripts made of texts."""

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from glowvox.errors import VoiceError
from glowvox.synthesis.plan import Part
from glowvox.synthesis.script import Warn, pieces_of, plain_lines, ssml_lines
from glowvox.synthesis.sentence_mels import MelMaker, Request
from glowvox.synthesis.speech_options import SpeechOptions
from glowvox.synthesis.voice_card import VoiceCard
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.lexicon import UserLexicon, load_lexicon
from glowvox.text.utterance import Sentence

Lexicon = UserLexicon | str | os.PathLike[str]


class VoiceText:
    """Makes scripts. Front ends are loaded when they are first needed."""

    def __init__(self, card: VoiceCard, mels: MelMaker) -> None:
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
