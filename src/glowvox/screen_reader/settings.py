"""Speech settings as speech-dispatcher sends them before each message, and what they mean for a voice."""

import re
from dataclasses import dataclass, replace

from glowvox.errors import ConfigError

PUNCTUATION = ("none", "some", "most", "all")
CAPITALS = ("none", "spell", "icon")
SLOWEST_SPEED = 0.4
FASTEST_SPEED = 4.0
"""Speeds of the rates -100 and 100."""
_SEMITONES = 12.0
"""Of the pitches -100 and 100."""


@dataclass(frozen=True)
class Settings:
    """Settings of a message, in the units of speech-dispatcher: numbers go from -100 to 100."""

    rate: int = 0
    pitch: int = 0
    pitch_range: int = 0
    volume: int = 100
    punctuation: str = "none"
    """Of `PUNCTUATION`: which signs are read by their names."""
    spelling: bool = False
    """Whether texts are read letter by letter."""
    capitals: str = "none"
    """Of `CAPITALS`: how capital letters are told."""
    voice_type: str = ""
    """male1 to child_female; empty: none."""
    language: str = ""
    """Language tag; empty: the voice's own."""
    voice: str = ""
    """Name of a voice, as listed; empty: one that speaks the language."""

    def with_line(self, name: str, value: str) -> "Settings":
        """Return the settings with one of them as the server wrote it; what is unknown changes nothing.

        Raises:
            ConfigError: no such value.
        """
        value = "" if value == "NULL" else value
        if name in ("rate", "pitch", "pitch_range", "volume"):
            return replace(self, **{name: _number(name, value)})  # type: ignore[arg-type]
        if name == "punctuation_mode":
            return replace(self, punctuation=_one_of(name, value, PUNCTUATION))
        if name == "cap_let_recogn":
            return replace(self, capitals=_one_of(name, value, CAPITALS))
        if name == "spelling_mode":
            return replace(self, spelling=_one_of(name, value, ("off", "on")) == "on")
        if name == "voice":
            return replace(self, voice_type=value.lower()[:40])
        if name == "language":
            return replace(self, language=value.lower().replace("_", "-")[:40])
        if name == "synthesis_voice":
            return replace(self, voice=value)
        return self

    @property
    def speed(self) -> float:
        """How many times as fast as the voice's own speed."""
        limit = FASTEST_SPEED if self.rate > 0 else 1 / SLOWEST_SPEED
        return float(limit ** (self.rate / 100))

    @property
    def semitones(self) -> float:
        """By which the pitch is raised."""
        return _SEMITONES * self.pitch / 100

    @property
    def spread(self) -> float:
        """Factor on the width of the pitch contour."""
        return 1.0 + self.pitch_range / 100

    @property
    def gain(self) -> float:
        """Factor on the samples: 100 is the voice as it is, -100 is silent."""
        return (self.volume + 100) / 200


def _number(name: str, value: str) -> int:
    if re.fullmatch("[-+]?[0-9]{1,3}", value.strip()) is None or abs(int(value)) > 100:
        raise ConfigError(f"{name} is a whole number from -100 to 100, got {value[:40]!r}")
    return int(value)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value.lower() not in known:
        raise ConfigError(f"{name} is one of {', '.join(known)}, got {value[:40]!r}")
    return value.lower()
