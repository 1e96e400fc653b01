"""Resident voices: those that are installed, listed for screen readers, loaded once and kept warm."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glowvox.errors import GlowvoxError
from glowvox.screen_reader.module_log import log
from glowvox.screen_reader.settings import Settings
from glowvox.synthesis.installed_voices import find_voice, installed_voices, load_voice, read_card
from glowvox.synthesis.shared_engines import SharedEngines
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import VoiceCard

_WARMING = ("Ready.", "This voice is ready to speak, whatever there is to be read.")


@dataclass(frozen=True)
class ListedVoice:
    """A speaker of a voice in one language, as screen readers list them."""

    name: str
    language: str
    """Language tag in small letters."""
    speaker: str
    path: Path

    @property
    def line(self) -> str:
        """Name, language and variant as the protocol has them."""
        base, _, region = self.language.partition("-")
        return f"{self.name}\t{base}{'-' if region else ''}{region.upper()}\tnone"


@dataclass(frozen=True, eq=False)
class ChosenVoice:
    """A loaded voice, and who of it speaks which language."""

    voice: Voice
    speaker: str
    language: str


class ResidentVoices:
    """Voices of this machine; several threads may ask at once."""

    def __init__(self, listed: Sequence[ListedVoice], load: Callable[[Path], Voice]) -> None:
        """Take what there is; nothing is loaded yet.

        Args:
            listed: speakers of voices, the default first.
            load: loads the voice of a path.
        """
        self._listed = list(listed)
        self._load = load
        self._loaded: dict[Path, Voice] = {}
        self._lock = threading.Lock()

    def listed(self, language: str = "") -> list[ListedVoice]:
        """Return the speakers of all voices, the default first; of one language or its varieties, if it is named."""
        wanted = language.lower().replace("_", "-")
        return [one for one in self._listed if not wanted or wanted in (one.language, one.language.split("-")[0])]

    def warm(self) -> Voice:
        """Load the default voice and let it speak, unheard, so that the first word need not wait.

        Raises:
            GlowvoxError: it cannot be loaded.
        """
        voice = self._voice(self._listed[0])
        for text in _WARMING:
            for _ in voice.stream(f"<speak>{text}</speak>", ssml=True):
                pass
        return voice

    def chosen(self, settings: Settings) -> ChosenVoice:
        """Return the voice that the settings ask for; where it cannot be had, one that can.

        Raises:
            GlowvoxError: not even the default voice can be loaded.
        """
        wanted = self._wanted(settings)
        try:
            return ChosenVoice(self._voice(wanted), wanted.speaker, wanted.language)
        except GlowvoxError as error:
            first = self._listed[0]
            if wanted.path == first.path:
                raise
            log().error("the voice %s cannot be loaded: %s", wanted.name, error)
            return ChosenVoice(self._voice(first), first.speaker, first.language)

    def _wanted(self, settings: Settings) -> ListedVoice:
        named = [one for one in self._listed if one.name == settings.voice]
        language = settings.language
        for among in (named, [] if named else self._listed):
            base = language.split("-")[0]
            for match in (
                [one for one in among if one.language == language],
                [one for one in among if one.language.split("-")[0] == base],
            ):
                if match:
                    # male2 and female3 are the second and third voice of a language: nobody says who is what.
                    kind = settings.voice_type[-1:]
                    number = int(kind) - 1 if kind in ("1", "2", "3") and not named else 0
                    names = list(dict.fromkeys(one.name for one in match))
                    return next(one for one in match if one.name == names[number % len(names)])
        return (named or self._listed)[0]

    def _voice(self, listed: ListedVoice) -> Voice:
        with self._lock:
            if listed.path not in self._loaded:
                self._loaded[listed.path] = self._load(listed.path)
            return self._loaded[listed.path]


def installed_resident_voices(default: str | None = None) -> ResidentVoices:
    """Return the voices that are installed here, which share what they have in common.

    Args:
        default: name or path of the voice that speaks where none is asked for; None: the package's.

    Raises:
        VoiceError: there is no such voice, or none at all.
    """
    own = find_voice(default)
    listed = listed_voices(own, read_card(own))
    for voice in installed_voices():
        if voice.path != own:
            try:
                listed += listed_voices(voice.path, voice.card())
            except GlowvoxError as error:
                log().warning("the voice %s is left out: %s", voice.name, error)
    return ResidentVoices(listed, partial(load_voice, shared=SharedEngines()))


def listed_voices(path: Path, card: VoiceCard) -> list[ListedVoice]:
    """Return the speakers of a voice, each with its own language first."""
    found = []
    for speaker in card.speakers:
        name = card.name if len(card.speakers) == 1 else f"{card.name}/{speaker}"
        own = card.speaker_languages.get(speaker, card.language)
        for language in dict.fromkeys([own, *card.front_ends]):
            found.append(ListedVoice("".join(name.split()), language, speaker, path))
    return found
