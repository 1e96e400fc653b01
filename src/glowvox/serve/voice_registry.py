"""Voice registry: the voices of a server, loaded when it starts, found by name and by nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from glowvox.errors import VoiceError
from glowvox.serve.refusal import Refusal
from glowvox.synthesis.voice import Voice

MODEL = "glowvox"
OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Models that clients written for OpenAI ask for; they mean ours."""
OPENAI_VOICES = frozenset(
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"]
)
"""Voices that such clients ask for; they mean the default voice, unless a voice of ours has the name."""
DEFAULT = "default"


@dataclass(frozen=True)
class Selection:
    """The selected voice, and which of its speakers."""

    voice: Voice
    speaker: str | None


class VoiceRegistry:
    """Voices by name; the first one is the default."""

    def __init__(self, voices: Iterable[Voice]) -> None:
        self._voices: dict[str, Voice] = {}
        for voice in voices:
            if voice.name in self._voices:
                raise VoiceError(f"two voices are called '{voice.name}'; a server finds them by name")
            self._voices[voice.name] = voice
        if not self._voices:
            raise VoiceError("a server needs a voice")
        self.default = next(iter(self._voices.values()))
        """The voice that speaks where none is named."""

    def __iter__(self) -> Iterator[Voice]:
        return iter(self._voices.values())

    def find(self, name: str | None, speaker: str | None = None) -> Selection:
        """Return the voice of a name: "kathleen", or "vctk/p225" for one of its speakers.

        Raises:
            Refusal: there is no such voice or speaker.
        """
        voice, param = self.default, "speaker"
        if name is not None and name != DEFAULT:
            first, _, second = name.partition("/")
            if name in self._voices:
                voice = self._voices[name]
            elif second and first in self._voices:
                voice, speaker, param = self._voices[first], second, "voice"
            elif name not in OPENAI_VOICES:
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
        """Accept the names of models that mean ours.

        Raises:
            Refusal: it is none of them.
        """
        if name not in (MODEL, *OPENAI_MODELS):
            raise Refusal(
                404, f"there is no model '{name[:100]}'; the model is '{MODEL}'", param="model", code="model_not_found"
            )

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
                "default": voice is self.default,
            }
            for voice in self
        ]
