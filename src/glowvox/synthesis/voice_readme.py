"""A voice's card for people: what `voice.json` says, as Markdown with the head that model hosts read.

Nothing stands there that `voice.json` does not say; what was not measured is said to be unknown.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from glowvox.synthesis.voice_card import VoiceCard

README_NAME = "README.md"
_SUBJECTS = {
    "vocoder": "Copy synthesis: recordings spoken again by the vocoder",
    "voice": "Text to speech: sentences spoken by the voice, beside recordings of them",
}
_MEASURES = {
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

_TOLD = ("temperature", "sigma", "speed", "pitch_range")


def voice_readme(card: VoiceCard) -> str:
    """Return the card with its head, as the file `README.md` of the voice."""
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


def voice_text(card: VoiceCard) -> str:
    """Return the card without a head, as `glowvox voices NAME` prints it."""
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
    lines += ["", "## Use", "", "```sh", f'glowvox say "Hello." --voice {card.name} -o hello.wav', "```", ""]
    return "\n".join(lines)


def _facts(card: VoiceCard) -> list[list[str]]:
    languages = ", ".join(sorted({card.language, *card.speaker_languages.values()}))
    defaults = card.defaults
    return [
        ["Language", _cell(languages)],
        ["Speakers" if len(card.speakers) > 1 else "Speaker", _cell(", ".join(card.speakers))],
        ["Licence", _cell(card.licence)],
        ["Recordings", _cell(str(card.provenance.get("data") or "not stated"))],
        ["Acoustic model", _training(card, "acoustic")],
        ["Vocoder", _training(card, "vocoder")],
        ["Sound", f"{card.vocoder.mel.sample_rate:,} Hz, from {card.vocoder.mel.n_mels} mel bins"],
        ["Speaks with", ", ".join(f"{name.replace('_', ' ')} {getattr(defaults, name):g}" for name in _TOLD)],
    ]


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
            yield from [f"{title}.", "", *_table(["", *map(_cell, columns)], rows), ""]
            yield from _settings(report.get("settings"))


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
