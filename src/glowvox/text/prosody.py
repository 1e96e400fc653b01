"""Prosody, emphasis and breaks of SSML in their units: rate, pitch, volume, time and strength."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

MAX_SILENCE = 60.0
"""Seconds of the longest break."""
SLOWEST, FASTEST = 0.25, 4.0
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(ms|s)")
_LOOSE_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(ms|milliseconds?|s|secs?|seconds?)", re.IGNORECASE)
_FACTOR = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)(%?)")
_CHANGE = re.compile(r"([+-]\d{1,6}(?:\.\d{1,9})?)%")

MOST_SEMITONES = 12.0
MIDDLE_HZ = 180.0
"""From which a pitch in Hz is counted: nobody knows the voice's own while a document is read."""
LOUDEST = 4.0
_PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}
_PITCH = re.compile(r"(?P<value>[+-]?\d{1,6}(?:\.\d{1,9})?|[+-]?\.\d{1,9})\s*(?P<unit>%|hz|khz|st)", re.IGNORECASE)
_VOLUMES = {"silent": 0.0, "x-soft": 0.25, "soft": 0.5, "medium": 1.0, "default": 1.0, "loud": 1.5, "x-loud": 2.0}
_VOLUME = re.compile(r"(?P<value>[+-]?\d{1,6}(?:\.\d{1,9})?|[+-]?\.\d{1,9})\s*(?P<unit>%|db)?", re.IGNORECASE)

Note = Callable[[str], None]
"""Told of what is not read as it is written; where nothing may be passed over, it raises."""


@dataclass(frozen=True)
class Prosody:
    """How words are spoken, beside how the voice speaks them."""

    rate: float = 1.0
    pitch: float = 0.0
    """Semitones by which they are raised."""
    volume: float = 1.0
    """Factor on the samples."""


_EMPHASES = {
    "strong": Prosody(0.85, 2.0, 1.25),
    "moderate": Prosody(0.92, 1.0, 1.1),
    "none": Prosody(),
    "reduced": Prosody(1.1, -1.0, 0.8),
}


def break_seconds(attributes: Mapping[str, str], note: Note, *, strict: bool = False) -> float:
    """Return the length of a `break` in seconds.

    Args:
        attributes: Those of the element.
        note: Told of a time or a strength that is none, or a break that is too long.
        strict: Whether the time must be written as SSML has it.
    """
    time, strength = attributes.get("time"), attributes.get("strength", "medium")
    if strength not in _STRENGTHS:
        note(f"<break> strength {strength!r}: use {', '.join(_STRENGTHS)}")
        strength = "medium"
    if time is None:
        return _STRENGTHS[strength]
    match = (_TIME if strict else _LOOSE_TIME).fullmatch(time.strip())
    if match is None:
        note(f"<break> time {time!r}: write it as 500ms or 1.5s")
        return _STRENGTHS[strength]
    seconds = float(match.group(1)) / (1000.0 if match.group(2).lower().startswith("m") else 1.0)
    if seconds > MAX_SILENCE:
        note(f"<break> of {seconds:g} s: at most {MAX_SILENCE:g} s")
        return MAX_SILENCE
    return seconds


def prosody(attributes: Mapping[str, str], outer: Prosody, note: Note, *, strict: bool = False) -> Prosody:
    """Return how words inside a `prosody` element are spoken.

    Args:
        attributes: Those of the element.
        outer: What holds around it, which the element changes.
        note: Told of a value that is none, or out of bounds.
        strict: Whether only a rate is read.
    """
    if strict and not (attributes.get("rate") or "").strip():
        note("<prosody> needs a rate; pitch, contour, range, duration and volume are not supported")
    result = outer
    if (attributes.get("rate") or "").strip():
        result = replace(result, rate=_rate(attributes["rate"].strip(), outer.rate, note, strict=strict))
    if (attributes.get("pitch") or "").strip():
        result = replace(result, pitch=_pitch(attributes["pitch"].strip(), outer.pitch, note))
    if (attributes.get("volume") or "").strip():
        result = replace(result, volume=_volume(attributes["volume"].strip(), outer.volume, note))
    return result


def emphasis(attributes: Mapping[str, str], outer: Prosody, note: Note) -> Prosody:
    """Return how emphasised words are spoken: slower, higher and louder, or the reverse.

    Args:
        attributes: Those of the element.
        outer: What holds around it.
        note: Told of a level that is none.
    """
    level = attributes.get("level", "moderate")
    if level not in _EMPHASES:
        note(f"<emphasis> level {level!r}: use {', '.join(_EMPHASES)}")
        level = "moderate"
    own = _EMPHASES[level]
    return Prosody(
        min(max(outer.rate * own.rate, SLOWEST), FASTEST),
        min(max(outer.pitch + own.pitch, -MOST_SEMITONES), MOST_SEMITONES),
        min(outer.volume * own.volume, LOUDEST),
    )


def _rate(rate: str, outer: float, note: Note, *, strict: bool) -> float:
    named = rate if strict else rate.lower()
    if named in _RATES:
        factor = _RATES[named]
    elif match := _FACTOR.fullmatch(rate):
        factor = float(match.group(1)) / (100.0 if match.group(2) else 1.0)
    elif match := _CHANGE.fullmatch(rate):
        factor = 1.0 + float(match.group(1)) / 100.0
    elif not strict and re.fullmatch(r"[+-]\d(?:\.\d{1,9})?", rate):
        factor = 1.0 + float(rate)
    else:
        note(f"<prosody> rate {rate!r}: use {', '.join(_RATES)}, 80%, +20% or a factor such as 1.2")
        return outer
    made = factor * outer
    if not SLOWEST <= made <= FASTEST:
        note(f"<prosody> rate {rate!r} makes {made:g}: it must lie between {SLOWEST:g} and {FASTEST:g}")
    return min(max(made, SLOWEST), FASTEST)


def _pitch(pitch: str, outer: float, note: Note) -> float:
    match = _PITCH.fullmatch(pitch)
    if pitch.lower() in _PITCHES:
        made = outer + _PITCHES[pitch.lower()]
    elif match is None:
        note(f"<prosody> pitch {pitch!r}: use {', '.join(_PITCHES)}, +2st, +10% or +20Hz")
        return outer
    else:
        value, unit = float(match["value"]), match["unit"].lower()
        relative = match["value"][0] in "+-"
        if unit == "st":
            made = outer + value
        elif unit == "%":
            made = outer + _semitones(1.0 + value / 100.0 if relative else value / 100.0)
        else:
            hertz = value * (1000.0 if unit == "khz" else 1.0)
            made = outer + _semitones(1.0 + hertz / MIDDLE_HZ) if relative else _semitones(hertz / MIDDLE_HZ)
    if abs(made) > MOST_SEMITONES:
        note(f"<prosody> pitch {pitch!r} is more than {MOST_SEMITONES:g} semitones away")
    return min(max(made, -MOST_SEMITONES), MOST_SEMITONES)


def _semitones(factor: float) -> float:
    return 12.0 * math.log2(factor) if factor > 0.0 else -math.inf


def _volume(volume: str, outer: float, note: Note) -> float:
    match = _VOLUME.fullmatch(volume)
    if volume.lower() in _VOLUMES:
        made = outer * _VOLUMES[volume.lower()]
    elif match is None:
        note(f"<prosody> volume {volume!r}: use {', '.join(_VOLUMES)}, +6dB, -20% or 0 to 100")
        return outer
    else:
        value, unit = float(match["value"]), (match["unit"] or "").lower()
        if unit == "db":
            made = outer * 10.0 ** (min(value, 60.0) / 20.0)
        elif match["value"][0] in "+-":
            made = outer * max(0.0, 1.0 + value / 100.0)
        else:
            # 100 is as loud as a voice speaks, wherever numbers are taken.
            made = outer * value / 100.0
    if made > LOUDEST:
        note(f"<prosody> volume {volume!r} makes speech {made:.3g} times as loud: at most {LOUDEST:g}")
    return min(made, LOUDEST)
