"""English times of day and durations."""

import re

from glowvox.text.normalise.numbers import cardinal, digits
from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule

_HALF = r"(?P<half>[aApP]\.?\s?[mM]\b\.?)"
_ZONES = "UTC|GMT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|CET|CEST|BST"


def _letters(text: str | None) -> list[str | Spoken]:
    return [Spoken(letter.upper(), letter=True) for letter in text or "" if letter.isalpha()]


def _clock(hour: str, minute: str | None, *, twelve: bool) -> list[str | Spoken] | None:
    number = int(hour)
    if number > 24 or (minute is not None and int(minute) > 59):
        return None
    words: list[str | Spoken] = [
        f"oh {cardinal(str(number))}"
        if hour[0] == "0" and len(hour) == 2 and not twelve and number
        else cardinal(str(number))
    ]
    if minute is None:
        return words
    if minute == "00":
        if not twelve:
            words.append("hundred" if number > 12 or hour[0] == "0" else "o'clock")
        return words
    words.append(f"oh {digits(minute[1])}" if minute[0] == "0" else cardinal(minute))
    return words


@rule(rf"T?(?P<hour>\d{{1,2}}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,]\d+)?(?:Z\b)?(?:\s?{_HALF})?(?![\w:])", "ld")
def clock_seconds(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10:30:15."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if minute > 59 or second > 59:
        return None
    words = []
    for value, unit in ((hour, "hour"), (minute, "minute"), (second, "second")):
        if value:
            words.append(f"{cardinal(str(value))} {unit}{'' if value == 1 else 's'}")
    return [*(words or ["zero seconds"]), *_letters(match["half"])]


@rule(rf"(?P<hour>\d{{1,2}})[:.h](?P<minute>[0-5]\d)\s?{_HALF}(?:\s(?P<zone>{_ZONES})\b)?", "d")
def clock_half(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3:45 pm."""
    words = _clock(match["hour"], match["minute"], twelve=True)
    return words and [*words, *_letters(match["half"]), *_letters(match["zone"])]


@rule(rf"(?P<hour>1[0-2]|0?[1-9])\s?{_HALF}(?:\s(?P<zone>{_ZONES})\b)?", "d")
def hour_half(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3 p.m."""
    if re.match(r"[aA]\s[mM]$", match["half"]):
        return None
    words = _clock(match["hour"], None, twelve=True)
    return words and [*words, *_letters(match["half"]), *_letters(match["zone"])]


@rule(
    rf"(?P<hour>1[0-2]|[1-9])(?::(?P<minute>[0-5]\d))?(?P<early>\s?[aApP]\.?[mM]\.?)?\s?[-–]\s?"
    rf"(?P<last>1[0-2]|[1-9])(?::(?P<to>[0-5]\d))?\s?{_HALF}",
    "d",
)
def half_range(match: re.Match[str], context: Context) -> Reading | None:
    """Read 9-11 am."""
    first = _clock(match["hour"], match["minute"], twelve=True)
    last = _clock(match["last"], match["to"], twelve=True)
    return first and last and [*first, *_letters(match["early"]), "to", *last, *_letters(match["half"])]


@rule(rf"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?:\s?(?P<hrs>hrs|h)\b)?(?:\s(?P<zone>{_ZONES})\b)?(?![\w:])", "d")
def clock(match: re.Match[str], context: Context) -> Reading | None:
    """Read 15:30."""
    words = _clock(match["hour"], match["minute"], twelve=False)
    return words and [*words, *(["hours"] if match["hrs"] else []), *_letters(match["zone"])]


@rule(r"[-–]\s?(?=\d{1,2}:\d\d)", "o")
def until(match: re.Match[str], context: Context) -> Reading | None:
    """Read the dash of 10:00-12:00."""
    return ["to"] if re.fullmatch(r"\d{1,2}:\d\d.*", context.previous) else None


RULES = (until, half_range, clock_seconds, clock_half, hour_half, clock)
