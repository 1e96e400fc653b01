"""`voice.json`: what a voice is, in one table; its JSON schema is `voice.schema.json` beside this file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glowvox.config.audio import AudioConfig, bridge
from glowvox.config.schema import from_dict, to_dict
from glowvox.errors import ConfigError, MelError, TextError, VoiceError
from glowvox.synthesis.speech_options import SpeechOptions
from glowvox.text.tokenizer import Tokenizer

CARD_NAME = "voice.json"
FORMAT = "glowvox-voice"
FORMAT_VERSION = 1
_MAX_CARD_BYTES = 4 << 20
_NAME_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_FREE_OPTIONS = frozenset({"seed", "speaker", "language"})


@dataclass(frozen=True)
class VocoderCard:
    """What must be known of a voice's vocoder before it runs."""

    mel: AudioConfig
    """The mel contract of its input."""
    n_group: int
    """Channels of its latent; 0: it goes from mel to audio without one (any exported vocoder)."""
    receptive_field: int
    """Mel frames on each side of a frame that its samples depend on at most."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The model's configuration, for the record."""


@dataclass(frozen=True)
class VoiceCard:
    """What `voice.json` says."""

    name: str
    """Letters, digits, `-`, `_` and `.`; a voice is found by it."""
    language: str
    """Language tag of the first speaker."""
    licence: str
    """Of the voice, as an SPDX expression where there is one."""
    speakers: tuple[str, ...]
    """Names, in the order of the model's numbers."""
    mel: AudioConfig
    """The mel contract of the acoustic model."""
    n_squeeze: int
    """Mel frames that its decoder takes at once."""
    tokenizer: Mapping[str, Any]
    """The table of symbols, see `Tokenizer.to_dict`."""
    front_ends: Mapping[str, Mapping[str, str]]
    """By language tag: name and version of the text front end, see `FrontEnd.to_dict`."""
    vocoder: VocoderCard
    defaults: SpeechOptions = field(default_factory=SpeechOptions)
    """How the voice speaks where the caller does not say."""
    speaker_languages: Mapping[str, str] = field(default_factory=dict)
    """Language tags of speakers who do not speak `language`."""
    description: str = ""
    acoustic_config: Mapping[str, Any] = field(default_factory=dict)
    """The acoustic model's configuration, for the record."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Data, hours, steps, tools: plain JSON data."""
    quality: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures: plain JSON data."""

    def __post_init__(self) -> None:
        if not self.name or set(self.name) - _NAME_SIGNS or self.name.startswith(".") or len(self.name) > 100:
            raise VoiceError(f"'{self.name[:100]}' is no name for a voice: use letters, digits, '-', '_' and '.'")
        if not self.speakers or len(set(self.speakers)) != len(self.speakers):
            raise VoiceError("a voice needs speakers, each with a name of its own")
        languages = {self.language, *self.speaker_languages.values()}
        missing = sorted(languages - set(self.front_ends))
        if missing:
            raise VoiceError(f"the voice speaks {missing[0]} but names no text front end for it")
        strangers = sorted(set(self.speaker_languages) - set(self.speakers))
        if strangers:
            raise VoiceError(f"speaker_languages names '{strangers[0]}', who is no speaker of the voice")
        if self.n_squeeze < 1 or self.vocoder.n_group < 0 or self.vocoder.receptive_field < 0:
            raise VoiceError("n_squeeze must be positive, n_group and receptive_field must not be negative")
        if self.vocoder.n_group and self.vocoder.mel.hop_length % self.vocoder.n_group:
            raise VoiceError(f"the vocoder's n_group {self.vocoder.n_group} does not divide its hop length")
        check_contracts(self.mel, self.vocoder.mel)
        try:
            Tokenizer.from_dict(self.tokenizer)
        except TextError as error:
            raise VoiceError(str(error)) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `voice.json`."""
        defaults = {name: value for name, value in to_dict(self.defaults).items() if name not in _FREE_OPTIONS}
        vocoder = self.vocoder
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "name": self.name,
            "description": self.description,
            "language": self.language,
            "licence": self.licence,
            "speakers": list(self.speakers),
            "speaker_languages": dict(self.speaker_languages),
            "mel": to_dict(self.mel),
            "mel_fingerprint": self.mel.fingerprint(),
            "text": {
                "tokenizer": dict(self.tokenizer),
                "front_ends": {tag: dict(stored) for tag, stored in self.front_ends.items()},
            },
            "acoustic": {"n_squeeze": self.n_squeeze, "config": dict(self.acoustic_config)},
            "vocoder": {
                "mel": to_dict(vocoder.mel),
                "mel_fingerprint": vocoder.mel.fingerprint(),
                "n_group": vocoder.n_group,
                "receptive_field": vocoder.receptive_field,
                "config": dict(vocoder.config),
            },
            "defaults": defaults,
            "provenance": dict(self.provenance),
            "quality": dict(self.quality),
        }

    @classmethod
    def from_dict(cls, content: Any) -> "VoiceCard":
        """Return the card that `to_dict` made a table of.

        Raises:
            VoiceError: a key is missing, unknown or of the wrong type, or the parts contradict each other.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise VoiceError("not the description of a Glowvox voice")
        if content.get("format_version") != FORMAT_VERSION:
            raise VoiceError(
                f"format version {str(content.get('format_version'))[:20]}, this program reads {FORMAT_VERSION}; "
                "use a fitting release"
            )
        try:
            stored = from_dict(_Stored, content, "voice")
            mel = _contract(stored.mel, stored.mel_fingerprint, "mel")
            part = stored.vocoder
            vocoder = VocoderCard(
                _contract(part.mel, part.mel_fingerprint, "vocoder.mel"),
                part.n_group,
                part.receptive_field,
                part.config,
            )
            return cls(
                stored.name,
                stored.language,
                stored.licence,
                stored.speakers,
                mel,
                stored.acoustic.n_squeeze,
                stored.text.tokenizer,
                stored.text.front_ends,
                vocoder,
                from_dict(SpeechOptions, stored.defaults, "voice.defaults"),
                stored.speaker_languages,
                stored.description,
                stored.acoustic.config,
                stored.provenance,
                stored.quality,
            )
        except ConfigError as error:
            raise VoiceError(str(error)) from error


def check_contracts(acoustic: AudioConfig, vocoder: AudioConfig) -> tuple[float, float]:
    """Return scale and shift that turn the acoustic model's mels into the vocoder's.

    Raises:
        VoiceError: the two do not fit; the message names what differs.
    """
    try:
        return bridge(acoustic, vocoder)
    except MelError as error:
        raise VoiceError(f"the acoustic model and the vocoder do not belong together: {error}") from error


def read_voice_card(folder: Path) -> VoiceCard:
    """Return what a voice's folder says about it.

    Raises:
        VoiceError: there is no `voice.json`, or it is damaged; the message names the file.
    """
    place = folder / CARD_NAME
    try:
        if place.stat().st_size > _MAX_CARD_BYTES:
            raise VoiceError(f"{place}: more than {_MAX_CARD_BYTES:,} bytes; not the description of a voice")
        content = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise VoiceError(f"{folder}: not a voice, {CARD_NAME} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise VoiceError(f"{place}: not valid JSON; the file is damaged") from error
    try:
        return VoiceCard.from_dict(content)
    except VoiceError as error:
        raise VoiceError(f"{place}: {error}") from error


@dataclass(frozen=True)
class _Text:
    tokenizer: dict[str, Any]
    front_ends: dict[str, dict[str, str]]


@dataclass(frozen=True)
class _Acoustic:
    n_squeeze: int
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Vocoder:
    mel: AudioConfig
    mel_fingerprint: str
    n_group: int
    receptive_field: int
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stored:
    """`voice.json` as it stands, for the checking of names and types."""

    format: str
    format_version: int
    name: str
    language: str
    licence: str
    speakers: tuple[str, ...]
    mel: AudioConfig
    mel_fingerprint: str
    text: _Text
    acoustic: _Acoustic
    vocoder: _Vocoder
    description: str = ""
    speaker_languages: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)


def _contract(mel: AudioConfig, fingerprint: str, where: str) -> AudioConfig:
    if mel.fingerprint() != fingerprint:
        raise VoiceError(f"{where}: the mel contract does not have the fingerprint stored; the file was altered")
    return mel
