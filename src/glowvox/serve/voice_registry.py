"""Voice registry: the voices of a server, found by name and by nothing else."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glowvox.errors import ConfigError, VoiceError
from glowvox.serve.refusal import Refusal
from glowvox.serve.served_voice import ServedVoice
from glowvox.synthesis.voice import Voice

MODEL = "glowvox"
OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Models that clients written for OpenAI ask for; they mean ours."""
_DATED = re.compile(r"-\d{4}(-\d\d-\d\d)?")
"""What follows the name of a model's dated version: `tts-1-1106`, `gpt-4o-mini-tts-2025-12-15`."""
OPENAI_VOICES = frozenset(
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"]
)
"""Voices that such clients ask for; they mean the default voice, unless a voice of ours has the name."""
DEFAULT = "default"


@dataclass(frozen=True)
class Selection:
    """The selected voice, and which of its speakers."""

    voice: ServedVoice
    speaker: str | None


class VoiceRegistry:
    """Voices by name; the first one is the default.

    Args:
        voices: the voices.
        aliases: other names, each with the voice that it means ("kathleen", or "vctk/p225" for a speaker).

    Raises:
        VoiceError: there is no voice, or two have one name.
        ConfigError: an alias means a voice or speaker that is not there.
    """

    def __init__(self, voices: Iterable[Voice | ServedVoice], aliases: Mapping[str, str] | None = None) -> None:
        self._voices: dict[str, ServedVoice] = {}
        for voice in map(_served, voices):
            if voice.name in self._voices:
                raise VoiceError(f"two voices are called '{voice.name}'; a server finds them by name")
            self._voices[voice.name] = voice
        if not self._voices:
            raise VoiceError("a server needs a voice")
        self.default = next(iter(self._voices.values()))
        """The voice that speaks where none is named."""
        self._aliases: dict[str, str] = {}
        for alias, name in (aliases or {}).items():
            try:
                self.find(name)
            except Refusal as error:
                raise ConfigError(f"the alias '{alias[:100]}' cannot be used: {error.message}") from error
        self._aliases = {alias.lower(): name for alias, name in (aliases or {}).items()}

    def __iter__(self) -> Iterator[ServedVoice]:
        return iter(self._voices.values())

    def release(self, seconds: float) -> list[str]:
        """Let go of the voices that nobody has used for so long, but for the default; return their names."""
        return [voice.name for voice in self if voice is not self.default and voice.release(seconds)]

    def find(self, name: str | None, speaker: str | None = None) -> Selection:
        """Return the voice of a name: "kathleen", or "vctk/p225" for one of its speakers; an alias counts first.

        Raises:
            Refusal: there is no such voice or speaker.
        """
        voice, param = self.default, "speaker"
        if name and (meant := self._aliases.get(name.lower())) is not None:
            own, _, aliased = meant.partition("/")
            name, speaker = (meant, speaker) if meant in self._voices else (own, speaker or aliased or None)
        if name and name != DEFAULT:
            first, _, second = name.partition("/")
            if name in self._voices:
                voice = self._voices[name]
            elif second and first in self._voices:
                voice, speaker, param = self._voices[first], second, "voice"
            elif name.lower() not in OPENAI_VOICES:
                known = ", ".join(self._voices)
                raise Refusal(
                    404, f"there is no voice '{name[:100]}'; there are {known}", param="voice", code="voice_not_found"
                )
        if speaker is not None and speaker not in voice.speakers:
            known = ", ".join(voice.speakers[:20])
            raise Refusal(
                404,
                f"the voice {voice.name} has no speaker '{speaker[:100]}'; it has {known}",
                param=param,
                code="voice_not_found",
            )
        return Selection(voice, speaker)

    def check_model(self, name: str) -> None:
        """Accept the names of models that mean ours, dated versions too.

        Raises:
            Refusal: it is none of them.
        """
        known = (MODEL, *OPENAI_MODELS)
        wanted = name.lower()
        if wanted not in known and not any(_DATED.fullmatch(wanted.removeprefix(model)) for model in known):
            raise Refusal(
                404, f"there is no model '{name[:100]}'; the model is '{MODEL}'", param="model", code="model_not_found"
            )

    def names(self) -> list[str]:
        """Return every name by which a voice can be asked for, those of speakers as NAME/SPEAKER."""
        speakers = [f"{voice.name}/{name}" for voice in self if len(voice.speakers) > 1 for name in voice.speakers]
        return [*self._voices, *speakers, *self._aliases]

    def listing(self) -> list[dict[str, Any]]:
        """Return what clients may know of the voices."""
        return [
            {
                "id": voice.name,
                "name": voice.name,
                "language": voice.card.language,
                "languages": list(voice.card.front_ends),
                "speakers": list(voice.speakers),
                "sample_rate": voice.sample_rate,
                "licence": voice.card.licence,
                "description": voice.card.description,
                "melody": voice.has_melody,
                "default": voice is self.default,
            }
            for voice in self
        ]


def _served(voice: Voice | ServedVoice) -> ServedVoice:
    return ServedVoice.kept(voice) if isinstance(voice, Voice) else voice
