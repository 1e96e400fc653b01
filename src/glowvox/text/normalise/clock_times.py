"""English times: of the clock, with and without seconds and zones, and what is measured by a stopwatch."""

import re

from glowvox.text.normalise.dates import MONTHS
from glowvox.text.normalise.numbers import cardinal, digits, ordinal, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

_HALF = r"(?P<half>[aApP]\.?\s?[mM]\b\.?)"
_ZONES = "UTC|GMT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|CET|CEST|BST"


def _letters(text: str | None) -> list[str | SpokenWord]:
    return [SpokenWord(letter.upper(), letter=True) for letter in text or "" if letter.isalpha()]


def _clock(hour: str, minute: str | None, *, twelve: bool, military: bool = False) -> list[str | SpokenWord] | None:
    number = int(hour)
    if number > 24 or (minute is not None and int(minute) > 59):
        return None
    words: list[str | SpokenWord] = [
        f"oh {cardinal(str(number))}"
        if hour[0] == "0" and len(hour) == 2 and not twelve and number and (military or minute != "00")
        else cardinal(str(number))
    ]
    if minute is None:
        return words
    if minute == "00":
        if not twelve:
            words.append("hundred" if military and (number > 12 or hour[0] == "0") else "o'clock")
        return words
    words.append(f"oh {digits(minute[1])}" if minute[0] == "0" else cardinal(minute))
    return words


_OFFSET = r"(?:\s?(?P<zulu>[Zz])|(?P<sign>[-+−])(?P<ahead>0\d|1[0-4])(?::?(?P<part>[0-5]\d))?)"


def _offset(match: re.Match[str]) -> list[str | SpokenWord]:
    """Read the zone of 10:30Z and 10:30+02:00, as far as one is written."""
    if match["zulu"] or (match["ahead"] and int(match["ahead"]) == 0 and match["part"] in (None, "00")):
        return _letters("UTC")
    if not match["ahead"]:
        return []
    words = ["plus" if match["sign"] == "+" else "minus", *_counted(int(match["ahead"]), "hour")]
    return [*words, *(_counted(int(match["part"]), "minute") if match["part"] not in (None, "00") else [])]


def _counted(value: int, unit: str) -> list[str]:
    return [f"{cardinal(str(value))} {unit}{'' if value == 1 else 's'}"]


def _seconds(whole: str, fraction: str | None) -> str:
    """Read seconds with all their decimals: 03.50."""
    plain = str(int(whole))
    if fraction is None:
        return f"{cardinal(plain)} second{'' if plain == '1' else 's'}"
    return f"{cardinal(plain)} point {digits(fraction)} seconds"


@rule(
    rf"[Tt]?(?P<hour>\d{{1,2}}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?{_OFFSET}?(?:\s?{_HALF})?(?![\w:])",
    "ld",
)
def clock_seconds(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10:30:15, 1:02:03.5 and T10:30:00+02:00."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if minute > 59 or second > 59:
        return None
    words = []
    for value, unit in ((hour, "hour"), (minute, "minute")):
        if value or (hour and not (minute and second)):
            words.extend(_counted(value, unit))
    if second or match["fraction"] or not words or (hour and not (minute and second)):
        words.append(_seconds(match["second"], match["fraction"]))
    return [*words, *_offset(match), *_letters(match["half"])]


@rule(r"(?P<minute>\d{1,2}):(?P<second>[0-5]\d)\.(?P<fraction>\d{1,3})(?!\w|[.,:/]\d|\s?[aApP]\.?[mM])", "d")
def lap_time(match: re.Match[str], context: Context) -> Reading:
    """Read 1:23.456: minutes, seconds and parts of one."""
    minute = int(match["minute"])
    return [*(_counted(minute, "minute") if minute else []), _seconds(match["second"], match["fraction"])]


@rule(
    rf"(?:(?P<after>(?<=\d)[Tt])|[Tt])?(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?:{_OFFSET})?(?![\w:]|[.,]\d)", "ld"
)
def clock_with_offset(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2023-05-06T10:30, 14:00Z and 10:30+02:00; what has neither letter nor offset is a plain time."""
    written = match.group()
    letter = written[0] in "Tt"
    zone = match["zulu"] or match["ahead"]
    if not zone and not match["after"]:
        return None
    if match["sign"] and match["sign"] != "+" and not letter:
        # 10:30-11:00: to, not minus.
        return None
    words = _clock(match["hour"], match["minute"], twelve=False, military=zone is not None)
    return words and [*words, *_offset(match)]


@rule(
    r"(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])T(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)"
    r"(?P<second>[0-5]\d)?(?P<zulu>Z)?(?!\w)",
    "d",
)
def compact_date_and_time(match: re.Match[str], context: Context) -> Reading:
    """Read 20240115T103000Z."""
    words: list[str | SpokenWord] = [MONTHS[int(match["month"]) - 1], ordinal(match["day"]), year(match["year"])]
    words.extend(_clock(match["hour"], match["minute"], twelve=False, military=match["zulu"] is not None) or [])
    if match["second"] and match["second"] != "00":
        words.extend(["and", _seconds(match["second"], None)])
    return [*words, *(_letters("UTC") if match["zulu"] else [])]


@rule(
    r"(?P<name>UTC|GMT)(?P<sign>[-+–−±])(?P<hour>\d{1,2})(?::?(?P<part>[0-5]\d))?(?!\w|[:.]\d|[-–]\d)",
    "u",
)
def zone_name(match: re.Match[str], context: Context) -> Reading:
    """Read UTC+2 and GMT-05:00."""
    sign = {"+": "plus", "±": "plus or minus"}.get(match["sign"], "minus")
    part = [cardinal(match["part"])] if match["part"] not in (None, "00") else []
    return [*_letters(match["name"]), sign, cardinal(str(int(match["hour"]))), *part]


@rule(rf"(?P<hour>\d{{1,2}})[:.h](?P<minute>[0-5]\d)\s?{_HALF}(?:\s?(?P<zone>(?i:{_ZONES}))\b)?", "d")
def clock_half(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3:45 pm."""
    words = _clock(match["hour"], match["minute"], twelve=True)
    return words and [*words, *_letters(match["half"]), *_letters(match["zone"])]


@rule(rf"(?P<hour>1[0-2]|0?[1-9])\s?{_HALF}(?:\s?(?P<zone>(?i:{_ZONES}))\b)?", "d")
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


@rule(
    rf"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?:\s?(?P<hrs>hrs|hours|h)\b)?(?:\s?(?P<zone>{_ZONES})\b)?(?P<about>ish)?(?![\w:]|,\d{{3}})",
    "d",
)
def clock(match: re.Match[str], context: Context) -> Reading | None:
    """Read 15:30."""
    words = _clock(
        match["hour"], match["minute"], twelve=False, military=match["zone"] is not None or bool(match["hrs"])
    )
    about = ["ish"] if match["about"] else []
    return words and [*words, *(["hours"] if match["hrs"] else []), *_letters(match["zone"]), *about]


_TIME_OF_DAY = r"(?:\d{1,2}:\d\d|\d{1,2}\s?[aApP]\.?\s?[mM]\b|(?i:noon|midnight|midday)\b)"
_TIMES_BEFORE = re.compile(r"\d{1,2}:\d\d.*|\d{1,2}(?:\.\d\d)?\s?[ap]\.?\s?m\.?|noon|midnight|midday", re.IGNORECASE)


@rule(rf"[-–]\s?(?={_TIME_OF_DAY})", "o")
def until(match: re.Match[str], context: Context) -> Reading | None:
    """Read the dash of 10:00-12:00, 9am-noon and midnight–4am."""
    return ["to"] if _TIMES_BEFORE.fullmatch(context.previous) else None


_TIME_BEFORE = re.compile(r"(?i:at|by|from|to|until|till|since|before|after|around|about|between)")
_TIMES_JOINED = re.compile(r"\b(?i:at|from|between)\s\d{4}\s(?:and|or)\s$")


def _four_digits(text: str) -> list[str | SpokenWord]:
    """Return a time of four digits: oh nine hundred, fourteen thirty, oh eight oh five."""
    hour, minute = text[:2], text[2:]
    words: list[str | SpokenWord] = [f"oh {digits(hour[1])}" if hour[0] == "0" else cardinal(hour)]
    if minute == "00":
        return [*words, "hundred"]
    return [*words, f"oh {digits(minute[1])}" if minute[0] == "0" else cardinal(minute)]


@rule(
    r"(?P<time>(?:[01]\d|2[0-4])[0-5]\d)(?:\s?[-–]\s?(?P<last>(?:[01]\d|2[0-4])[0-5]\d))?"
    r"(?:(?P<zulu>Z)|\s?(?P<hours>hrs?|h|(?<=\d)\shours|hours))?(?![\w%:/]|[.,]\d|[-–]\w|'s)",
    "d",
)
def military(match: re.Match[str], context: Context) -> Reading | None:
    """Read 0800 hours, 1430 hrs, at 0900 and 0800-1700."""
    text, last, hours = match["time"], match["last"], match["hours"]
    early = text[0] == "0" and (last or text != "0000")
    joined = _TIMES_JOINED.search(match.string[: match.start()])
    asked = joined is not None or _TIME_BEFORE.fullmatch(context.previous) is not None
    sure = match["zulu"] or (hours in ("hr", "hrs"))
    if hours and hours.strip() == "hours" and text[0] != "0":
        # So many hours.
        return None
    if hours == "h" and not (asked or early or text[2:] != "00"):
        return None
    if not hours and not sure and not (early and (asked or last)):
        return None
    words = _four_digits(text)
    if last:
        words.extend(["to", *_four_digits(last)])
    if match["zulu"]:
        return [*words, SpokenWord("Z", letter=True)]
    return [*words, *(["hours"] if hours else [])]


TIME_RULES = (
    military, until, half_range, compact_date_and_time, clock_seconds, clock_half, hour_half, lap_time,
    clock_with_offset, clock, zone_name,
)  # fmt: skip
