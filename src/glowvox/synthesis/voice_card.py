"""`voice.json`: what a voice is, in one table; its JSON schema is `voice.schema.json` beside this file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glowvox.config.audio import AudioConfig, bridge
from glowvox.config.schema import from_dict, to_dict
from glowvox.errors import ConfigError, MelError, TextError, VoiceError
from glowvox.synthesis.options import SpeechOptions
from glowvox.text.front_end import understood_versions, version_number
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
    model_speakers: tuple[str, ...] = ()
    """Names of all the model's speakers, in the order of its numbers, where the voice offers some; empty: all."""
    shares: str = ""
    """Name of the folder beside the voice's own whose graphs and models it speaks with; empty: it has its own."""

    def __repr__(self) -> str:
        return f"VoiceCard({self.name!r}, {self.language}, {self.licence}, speakers: {', '.join(self.speakers[:8])})"

    def __post_init__(self) -> None:
        if not self.name or set(self.name) - _NAME_SIGNS or self.name.startswith(".") or len(self.name) > 100:
            raise VoiceError(f"{self.name[:100]!r} is no name for a voice: use letters, digits, '-', '_' and '.'")
        if not self.speakers or len(set(self.speakers)) != len(self.speakers):
            raise VoiceError("a voice needs speakers, each with a name of its own")
        if self.model_speakers and not set(self.speakers) <= set(self.model_speakers):
            raise VoiceError("model_speakers does not name every speaker of the voice")
        if self.shares and (set(self.shares) - _NAME_SIGNS or self.shares.startswith(".") or len(self.shares) > 100):
            raise VoiceError(f"shares: '{self.shares[:100]}' is no name of a voice's folder")
        languages = {self.language, *self.speaker_languages.values()}
        missing = sorted(languages - set(self.front_ends))
        if missing:
            raise VoiceError(f"the voice speaks {missing[0][:40]!r} but names no text front end for it")
        strangers = sorted(set(self.speaker_languages) - set(self.speakers))
        if strangers:
            raise VoiceError(f"speaker_languages names {strangers[0][:100]!r}, who is no speaker of the voice")
        if self.n_squeeze < 1 or self.vocoder.n_group < 0 or self.vocoder.receptive_field < 0:
            raise VoiceError("n_squeeze must be positive, n_group and receptive_field must not be negative")
        if self.vocoder.n_group and self.vocoder.mel.hop_length % self.vocoder.n_group:
            raise VoiceError(f"the vocoder's n_group {self.vocoder.n_group} does not divide its hop length")
        check_contracts(self.mel, self.vocoder.mel)
        try:
            Tokenizer.from_dict(self.tokenizer)
        except TextError as error:
            raise VoiceError(str(error)) from error

    @property
    def sample_rate(self) -> int:
        """Samples per second of what the voice says."""
        return self.vocoder.mel.sample_rate

    @property
    def numbered_speakers(self) -> tuple[str, ...]:
        """Names of the model's speakers in the order of its numbers, whether the voice offers them or not."""
        return self.model_speakers or self.speakers

    @property
    def teachers(self) -> list[dict[str, Any]]:
        """The systems whose speech the voice learned from, each with `teacher`, `version`, `licence` and `voices`."""
        return self.teachers_of("acoustic", "vocoder")

    def teachers_of(self, *parts: str) -> list[dict[str, Any]]:
        """Return the systems whose speech these models ("acoustic", "vocoder") learned from."""
        found: list[dict[str, Any]] = []
        for part in parts:
            known = self.provenance.get(part)
            listed = known.get("teachers") if isinstance(known, Mapping) else None
            for teacher in listed if isinstance(listed, list) else ():
                if isinstance(teacher, dict) and teacher not in found:
                    found.append(teacher)
        return found

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
            **({"model_speakers": list(self.model_speakers)} if self.model_speakers else {}),
            **({"shares": self.shares} if self.shares else {}),
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
                f"format version {content.get('format_version')!r:.20}, this program reads {FORMAT_VERSION}; "
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
                stored.model_speakers,
                stored.shares,
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


def _no_number(name: str) -> None:
    """Refuse NaN and Infinity, which Python's reader takes and JSON does not have."""
    raise ValueError(f"{name} is no number of JSON")


def read_voice_card(folder: Path) -> VoiceCard:
    """Return what a voice's folder says about it.

    Raises:
        VoiceError: there is no `voice.json`, or it is damaged; the message names the file.
    """
    place = folder / CARD_NAME
    try:
        if place.stat().st_size > _MAX_CARD_BYTES:
            raise VoiceError(f"{place}: more than {_MAX_CARD_BYTES:,} bytes; not the description of a voice")
        content = json.loads(place.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
        json.dumps(content, ensure_ascii=False).encode()  # half a character, escaped, can neither be shown nor written
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
    model_speakers: tuple[str, ...] = ()
    shares: str = ""


def _contract(mel: AudioConfig, fingerprint: str, where: str) -> AudioConfig:
    if mel.fingerprint() != fingerprint:
        raise VoiceError(f"{where}: the mel contract does not have the fingerprint stored; the file was altered")
    return mel


README_NAME = "README.md"
_SUBJECTS = {
    "vocoder": "Copy synthesis: recordings spoken again by the vocoder",
    "voice": "Text to speech: sentences spoken by the voice, beside recordings of them",
}
_HIGHER = frozenset(("distillmos", "dnsmos", "p808", "pesq", "stoi"))
_NEITHER = frozenset(("f0_median", "f0_range"))
"""Figures that say what a voice is like, not how good it is."""
_MEASURES = {
    "distillmos": ("DistillMOS, a predicted opinion score", 2),
    "dnsmos": ("DNSMOS overall", 2),
    "p808": ("DNSMOS P.808", 2),
    "wer": ("word error rate, %", 1),
    "cer": ("character error rate, %", 1),
    "skips": ("sentences with skipped or repeated words, %", 1),
    "pesq": ("PESQ, wide band", 2),
    "stoi": ("STOI", 3),
    "mcd": ("mel-cepstral distortion, dB", 2),
    "mcd_dtw": ("mel-cepstral distortion along the best warping, dB", 2),
    "mel_l1": ("log-mel distance, nats", 3),
    "duration_error": ("difference of the speech's length, %", 1),
    "f0_median": ("median pitch, Hz", 0),
    "f0_range": ("pitch range, semitones", 1),
    "faults": ("sentences with faults of the signal, %", 1),
    "bits_per_dim": ("bits per sample (16-bit)", 2),
    "rtf": ("real-time factor", 3),
    "first_audio_ms": ("time to first audio, ms", 0),
}
"""Labels and digits of the figures that a reader wants first; `voice.json` has all of them."""

_TOLD = ("temperature", "sigma", "postfilter", "speed", "pitch_range")


def voice_readme(card: VoiceCard) -> str:
    """Return the model card of a voice in Markdown, its file `README.md`, with the head that model hosts read.

    Nothing stands there that `voice.json` does not say; what was not measured is said to be unknown.
    """
    head = [
        "---",
        f"language: {json.dumps(_plain(card.language))}",
        f"license: {json.dumps(_plain(card.licence).lower())}",
        "library_name: glowvox",
        "pipeline_tag: text-to-speech",
        "---",
        "",
    ]
    return "\n".join(head) + voice_text(card)


def voice_text(card: VoiceCard, called: str = "") -> str:
    """Return the card without a head, as `glowvox voices NAME` prints it.

    Args:
        card: what the voice says about itself.
        called: how it is named to be spoken with; by default its own name, which finds it where it is installed.
    """
    lines = [f"# {card.name}", ""]
    if card.description:
        lines += [_plain(card.description), ""]
    lines += _table(["", ""], _facts(card))
    lines += ["", "## Measured", ""]
    measured = list(_measured(card))
    lines += measured or ["Nothing of this voice has been measured.", ""]
    lines += ["## Known weaknesses", ""]
    weaknesses = card.provenance.get("weaknesses")
    known = [_plain(str(one)) for one in weaknesses] if isinstance(weaknesses, list) else []
    lines += [f"- {one}" for one in known] or ["None were stated."]
    lines += ["", "## Use", "", "```sh", f'glowvox say "Hello." --voice {called or card.name} -o hello.wav', "```", ""]
    return "\n".join(lines)


def _facts(card: VoiceCard) -> list[list[str]]:
    languages = ", ".join(sorted({card.language, *card.speaker_languages.values()}))
    defaults = card.defaults
    return [
        ["Language", _cell(languages)],
        ["Speakers" if len(card.speakers) > 1 else "Speaker", _cell(", ".join(card.speakers))],
        ["Text front end", _cell("; ".join(_front_end(*one) for one in sorted(card.front_ends.items())))],
        ["Licence", _cell(card.licence)],
        ["Recordings", _cell(str(card.provenance.get("data") or "not stated"))],
        *([["Taught by", _cell("; ".join(map(_teacher, card.teachers)))]] if card.teachers else []),
        ["Acoustic model", _training(card, "acoustic")],
        ["Vocoder", _training(card, "vocoder")],
        ["Sound", f"{card.sample_rate:,} Hz, from {card.vocoder.mel.n_mels} mel bins"],
        ["Speaks with", ", ".join(f"{name.replace('_', ' ')} {getattr(defaults, name):g}" for name in _TOLD)],
    ]


def _front_end(language: str, stored: Mapping[str, str]) -> str:
    *others, last = map(str, understood_versions(stored))
    understood = f"{', '.join(others)} and {last}" if others else last
    return f"{language}: made with version {version_number(stored)}, understands {understood}"


def _teacher(teacher: Mapping[str, Any]) -> str:
    voices = teacher.get("voices")
    named = f" ({', '.join(map(str, voices))})" if isinstance(voices, list) else ""
    return f"{teacher.get('teacher')} {teacher.get('version')}{named}, {teacher.get('licence')}"


def _training(card: VoiceCard, part: str) -> str:
    known = card.provenance.get(part)
    known = known if isinstance(known, dict) else {}
    steps, hours = known.get("steps"), known.get("hours")
    told = [f"{hours:.2f} hours of speech"] if _is_number(hours) else []
    told += [f"{steps:,} training steps"] if _is_number(steps) else []
    return ", ".join(told) or "training not stated"


def _measured(card: VoiceCard) -> Iterator[str]:
    """Yield a table for each report, systems as columns, and how it was done."""
    for subject, title in _SUBJECTS.items():
        report = card.quality.get(subject)
        systems = report.get("systems") if isinstance(report, dict) else None
        if not isinstance(report, dict) or not isinstance(systems, dict):
            continue
        columns = {str(name): figures for name, figures in systems.items() if isinstance(figures, dict)}
        rows = [
            [label, *(_figure(figures.get(key), digits) for figures in columns.values())]
            for key, (label, digits) in _MEASURES.items()
            if any(_is_number(figures.get(key)) for figures in columns.values())
        ]
        if rows:
            shown = [key for key in _MEASURES if any(_is_number(figures.get(key)) for figures in columns.values())]
            yield from [f"{title}.", "", *_table(["", *map(_cell, columns)], rows), "", *_ways(shown)]
            yield from _settings(report.get("settings"))


def _ways(keys: list[str]) -> list[str]:
    """Return which of the measures shown are better when they are higher, and which when they are lower."""
    higher = [_MEASURES[key][0].partition(",")[0] for key in keys if key in _HIGHER]
    lower = [_MEASURES[key][0].partition(",")[0] for key in keys if key not in _HIGHER and key not in _NEITHER]
    told = [f"{way} is better: {', '.join(names)}." for way, names in (("Higher", higher), ("Lower", lower)) if names]
    return [" ".join(told), ""] if told else []


def _settings(settings: Any) -> Iterator[str]:
    if isinstance(settings, Mapping) and settings:
        told = "; ".join(f"{_plain(str(name))}: {_plain(str(value))}" for name, value in settings.items())
        yield from [f"How: {told}.", ""]


def _figure(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if _is_number(value) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Return a text on one line without control characters: voices come from strangers, and cards go to terminals."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
