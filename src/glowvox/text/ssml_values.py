"""Values of SSML attributes: lengths of breaks and rates of speech."""

import re
from collections.abc import Mapping

from glowvox.errors import TextError

MAX_SILENCE = 60.0
"""Seconds of the longest break."""
SLOWEST, FASTEST = 0.25, 4.0
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(ms|s)")
_FACTOR = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)(%?)")
_CHANGE = re.compile(r"([+-]\d{1,6}(?:\.\d{1,9})?)%")


def break_seconds(attributes: Mapping[str, str]) -> float:
    """Return the length of a `break` in seconds.

    Raises:
        TextError: Time or strength are none, or the break is too long.
    """
    time, strength = attributes.get("time"), attributes.get("strength", "medium")
    if strength not in _STRENGTHS:
        raise TextError(f"<break> strength {strength!r}: use {', '.join(_STRENGTHS)}")
    if time is None:
        return _STRENGTHS[strength]
    match = _TIME.fullmatch(time.strip())
    if match is None:
        raise TextError(f"<break> time {time!r}: write it as 500ms or 1.5s")
    seconds = float(match.group(1)) / (1000.0 if match.group(2) == "ms" else 1.0)
    if seconds > MAX_SILENCE:
        raise TextError(f"<break> of {seconds:g} s: at most {MAX_SILENCE:g} s")
    return seconds


def prosody_rate(attributes: Mapping[str, str], outer: float) -> float:
    """Return the rate inside a `prosody` element.

    Args:
        attributes: Those of the element.
        outer: The rate around it, which the element's own rate changes.

    Raises:
        TextError: The rate is none, or too slow or fast.
    """
    rate = (attributes.get("rate") or "").strip()
    if not rate:
        raise TextError("<prosody> needs a rate; pitch, contour, range, duration and volume are not supported")
    if rate in _RATES:
        factor = _RATES[rate]
    elif match := _FACTOR.fullmatch(rate):
        factor = float(match.group(1)) / (100.0 if match.group(2) else 1.0)
    elif match := _CHANGE.fullmatch(rate):
        factor = 1.0 + float(match.group(1)) / 100.0
    else:
        raise TextError(f"<prosody> rate {rate!r}: use {', '.join(_RATES)}, 80%, +20% or a factor such as 1.2")
    if not SLOWEST <= factor * outer <= FASTEST:
        limits = f"between {SLOWEST:g} and {FASTEST:g}"
        raise TextError(f"<prosody> rate {rate!r} makes {factor * outer:g}: it must lie {limits}")
    return factor * outer
