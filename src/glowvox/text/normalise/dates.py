"""English dates and times: days, months, years, decades, eras, clock times, durations."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, ordinal, pairs, plural, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SHORT_MONTHS = {month[:3].lower(): month for month in MONTHS} | {"sept": "September"}
_MONTH = (
    r"(?P<month>(?i:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)(?![^\W\d_])\.?))"
)
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])"
_YEAR = r"(?P<year>1\d{3}|20\d{2}|2100)"
_WEEKDAYS = {
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
    "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip


def month_name(text: str) -> str:
    """Return the full name of a month written short or long."""
    plain = text.rstrip(".").lower()
    return SHORT_MONTHS.get(plain[:4] if plain.startswith("sept") else plain[:3], text)


def _is_month(text: str, context: Context, *, certain: bool) -> bool:
    """Say whether a word in small letters is a month, and not the verb may or march."""
    if text.lower() not in ("may", "march", "mar") or not text.islower() or certain:
        return True
    return context.previous.lower() in ("on", "by", "until", "since", "before", "after", "in", "from", "of", "the")


def _month_day(month: int, day: int, year_text: str | None) -> Reading | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    words = [MONTHS[month - 1], ordinal(str(day))]
    if year_text:
        words.append(_any_year(year_text))
    return words


def _any_year(text: str) -> str:
    if len(text) == 2:
        return f"oh {cardinal(text[1])}" if text[0] == "0" else cardinal(text)
    return year(text)


@rule(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?=[Tt]\d\d:|(?!\w))", "d")
def iso_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2024-12-05."""
    return _month_day(int(match["month"]), int(match["day"]), match["year"])


@rule(r"(?P<a>\d{1,2})(?P<sign>[-/.])(?P<b>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})(?!\w|[-/.]\d)", "d")
def slashed_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read 12/05/2024, month first as in the United States; with points, or where that cannot be, day first."""
    first, second = int(match["a"]), int(match["b"])
    if match["sign"] == "." and len(match["year"]) == 2:
        return None
    if match["sign"] != "/" and first > 12 >= second > 0:
        return ["the", ordinal(str(first)), "of", MONTHS[second - 1], _any_year(match["year"])]
    if match["sign"] == "." or first > 12:
        first, second = second, first
    return _month_day(first, second, match["year"])


@rule(r"(?P<year>1\d{3}|20\d{2})-(?P<month>0[1-9]|1[0-2])(?![\w%-]|[.,]\d)", "d")
def iso_month(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2003-03; 1911-12 may be two years."""
    if int(match["month"]) > int(match["year"][2:]):
        return None
    return [MONTHS[int(match["month"]) - 1], year(match["year"])]


@rule(r"(?P<n>[1-4])Q(?:\s?(?P<long>20\d\d)|(?P<short>\d\d))(?!\w)|(?P<half>[12])H(?P<y>\d\d)(?!\w)", "d")
def quarter(match: re.Match[str], context: Context) -> Reading:
    """Read 2Q22: the second quarter of twenty two."""
    name = "half" if match["half"] else "quarter"
    of = _any_year(match["long"] or match["short"] or match["y"])
    article = [] if context.previous.lower() == "the" else ["the"]
    return [*article, ordinal(match["half"] or match["n"]), name, "of", of]


@rule(
    rf"{_MONTH}(?P<hyphen>[\s-]){_DAY}(?i:st|nd|rd|th)?(?:\s?[-–]\s?(?P<last>[0-3]?\d(?!\d))(?i:st|nd|rd|th)?)?"
    rf"(?:(?:(?P<comma>,)?\s|,|(?<=\d)-){_YEAR}(?!-))?(?![\w%:]|[.,]\d|-\d)",
    "l",
)
def month_first(match: re.Match[str], context: Context) -> Reading | None:
    """Read December 5, 2024."""
    if not _is_month(match["month"], context, certain=match["year"] is not None or not match.string[match.end() :]):
        return None
    words = [month_name(match["month"]), ordinal(match["day"])]
    if match["last"]:
        words.extend(["to", ordinal(match["last"])])
    if match["year"]:
        words.extend([",", year(match["year"])])
    return words


@rule(
    rf"{_DAY}(?P<th>(?i:st|nd|rd|th))?(?P<of>\sof)?[\s-](?:the\s)?{_MONTH}(?:(?P<comma>,)?[\s-]{_YEAR}|(?P<tight>,){_YEAR.replace('year', 'year2')})?"  # noqa: E501
    r"(?![\w]|[.,]\d)",
    "d",
)
def day_first(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 December 2024: the fifth of December, twenty twenty four."""
    certain = match["year"] or match["year2"] or match["th"] or not match.string[match.end() :].strip(" .!?")
    if not _is_month(match["month"], context, certain=bool(certain)):
        return None
    words = [
        *([] if context.previous.lower() == "the" else ["the"]),
        ordinal(match["day"]),
        "of",
        month_name(match["month"]),
    ]
    if match["comma"] or match["tight"]:
        words.append(",")
    text = match["year"] or match["year2"]
    if text:
        words.append(year(text))
    elif match["month"].endswith(".") and not match.string[match.end() :].strip():
        words.append(".")
    return words


_DAY_OF_ROW = r"(?:3[01]|[12]\d|0?[1-9])(?i:st|nd|rd|th)?"


@rule(
    rf"(?P<first>{_DAY_OF_ROW})(?P<more>(?:,\s{_DAY_OF_ROW})*)"
    rf"(?P<between>\s?[-–/]\s?|,?\s(?:to|and|or|through|until|till|&)\s)"
    rf"(?:the\s)?(?P<last>{_DAY_OF_ROW})(?:\sof)?[\s-](?:the\s)?{_MONTH}(?:(?P<comma>,)?\s{_YEAR})?(?![\w-]|[.,]\d|\s\d{{1,2}}(?![\d:]))",
    "d",
)
def days_first(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5-7 October, from 5 to 7 October, 5 and 6 October: the fifth to the seventh of October."""
    first, last = (int(match[name].rstrip("stndrhSTNDRH")) for name in ("first", "last"))
    between = match["between"].strip(" ,")
    # Small letters make may and march verbs: 5 to 7 may come.
    small = match["month"] in ("may", "march", "mar")
    if first >= last or (small and not match["year"] and match.string[match.end() :].strip(" .!?")):
        return None
    if between == "/" and last != first + 1:
        return None
    article = [] if context.previous.lower() == "the" else ["the"]
    words = [*article, ordinal(match["first"])]
    for day in re.findall(r"\d+", match["more"]):
        words.extend([",", "the", ordinal(day)])
    if match["between"].startswith(","):
        words.append(",")
    joint = {"&": "and", "and": "and", "or": "or"}.get(between, "to")
    words.extend([joint, "the", ordinal(match["last"]), "of", month_name(match["month"])])
    if match["year"]:
        words.extend([*([","] if match["comma"] else []), year(match["year"])])
    elif match["month"].endswith(".") and not match.string[match.end() :].strip():
        words.append(".")
    return words


@rule(rf"{_MONTH}(?:,?\s|-){_YEAR}(?!\w|,\d|-\d)", "l")
def month_year(match: re.Match[str], context: Context) -> Reading | None:
    """Read Dec. 2024."""
    if not _is_month(match["month"], context, certain=False) and match["month"] != "may":
        return None
    return [month_name(match["month"]), year(match["year"])]


@rule(
    r"(?:(?:Jan|Feb|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)(?=\s'\d\d(?!\w))|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.(?=\s))",
    "u",
)
def short_month(match: re.Match[str], context: Context) -> Reading:
    """Read a month written short, alone."""
    return [month_name(match.group())]


@rule(
    r"(?P<day>Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)(?:\.(?=\s[a-z])|(?:\.)?(?=,?\s(?:\d|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)))",
    "u",
)
def short_weekday(match: re.Match[str], context: Context) -> Reading:
    """Read a weekday written short before a date or a time."""
    return [_WEEKDAYS[match["day"].lower()]]


_MONTH_BEGINNING = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"


@rule(
    rf"(?P<day>(?i:mon|tues?|wed|thurs?|thu|fri|sat|sun))\.?(?=,?\s(?:\d{{1,2}}(?:st|nd|rd|th)?\s(?i:{_MONTH_BEGINNING})"
    rf"|(?i:{_MONTH_BEGINNING})[a-z]*\.?\s\d))",
    "w",
)
def small_weekday(match: re.Match[str], context: Context) -> Reading:
    """Read a weekday in small letters before a date: wed, 25 sept."""
    return [_WEEKDAYS[match["day"].lower()]]


@rule(r"(?P<month>1[0-2]|0?[1-9])/(?P<day>3[01]|[12]\d|0?[1-9])(?![\w/]|[.,]\d|\sof\b)", "d")
def short_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read on 12/25: a date after a word that a day follows."""
    if context.previous.lower() not in ("on", "by", "until", "since", "before", "due", "dated", "from"):
        return None
    return _month_day(int(match["month"]), int(match["day"]), None)


@rule(r"(?P<year>(?:1\d|20)\d0)\s?[-–]\s?(?P<last>\d0)'?s(?!\w)", "d")
def decades(match: re.Match[str], context: Context) -> Reading:
    """Read 1980-90s."""
    return [year(match["year"]), "to", plural(cardinal(match["last"]))]


@rule(r"(?P<century>'|1\d|20)(?P<decade>\d0)\s?'?s(?<!\d\ss)(?!\w)", "od")
def decade(match: re.Match[str], context: Context) -> Reading:
    """Read 1990s, '90s and 1900s."""
    spoken = "hundred" if match["decade"] == "00" else cardinal(match["decade"])
    if match["century"] == "'":
        return ["two thousands"] if match["decade"] == "00" else [plural(spoken)]
    if match["century"] == "20" and match["decade"] == "00":
        return ["two thousands"]
    return [cardinal(match["century"]), plural(spoken)]


_SECONDS_BEFORE = re.compile(
    r"(?:within|after|every|takes?|took|lasts?|lasted|wait|waits|waited|waiting|timeout|than|least|most|=|[~<>≈≤≥:]|duration"
    r"|delay|time|interval|latency|limit|for|last|next|only|just|another|sleep)",
    re.IGNORECASE,
)
_PERHAPS_SECONDS_BEFORE = re.compile(r"in|about|around|of|at|to|by|,|and|or", re.IGNORECASE)
SECONDS_AFTER = re.compile(
    r"\s(?:videos?|clips?|timeouts?|delays?|timers?|intervals?|windows?|breaks?|rests?|ads?|spots?|sprints?|later|ago|each|max"
    r"|maximum|long|recordings?|loops?|sleep|pauses?|limits?|waits?|exposures?|reads?|per|between|faster|slower|left)\b"
)


@rule(r"(?P<decade>[2-9]0)s(?!\w)", "d")
def bare_decade(match: re.Match[str], context: Context) -> Reading | None:
    """Read 80s as a decade, 30s as seconds where it is a length of time."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    young = match["decade"] < "60"
    alone = not before.strip() and not following.strip(" .,;!?")
    seconds = not before.endswith(("-", "–", "'")) and (
        _SECONDS_BEFORE.fullmatch(context.previous) is not None
        or SECONDS_AFTER.match(following) is not None
        or (young and (alone or _PERHAPS_SECONDS_BEFORE.fullmatch(context.previous) is not None))
    ) and not re.match(r"[-–/]\d0s", following)  # fmt: skip
    listed = re.search(r"[2-9]0'?s(?:,|,?\s(?:and|or|to|through))\s$", before)
    return None if seconds and not listed else [plural(cardinal(match["decade"]))]


@rule(rf"{_YEAR}(?:\s?[-–]\s?|/)(?P<last>1\d{{3}}|20\d{{2}}|\d\d)(?![\w%/]|[-.,]\d)", "d")
def year_range(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1914-1918 and 1914–18."""
    last = match["last"]
    if len(last) == 4 and int(last) < int(match["year"]):
        return None
    return [year(match["year"]), "to", _any_year(last)]


@rule(
    r"(?:(?P<before>AD|A\.D\.)\s)?(?P<year>\d{1,4})\s?(?P<era>BCE?|CE|AD|B\.C\.(?:E\.?)?|B\.C|C\.E\.?|A\.D\.?)?(?!\w|[.,]\d)",
    "ld",
)
def era(match: re.Match[str], context: Context) -> Reading | None:
    """Read 44 BC and AD 79."""
    name = (match["before"] or match["era"] or "").replace(".", "")
    if not name:
        return None
    letters = [SpokenWord(letter, letter=True) for letter in name]
    if match["before"]:
        return [*letters, year(match["year"])]
    plain = match["year"]
    # Three digits before an era are a year too: three forty, not three hundred forty.
    spoken = pairs(plain) if len(plain) == 3 and plain[1] != "0" else year(plain)
    return [
        spoken,
        *letters,
        *(["."] if match["era"].endswith(".") and not match.string[match.end() :].strip() else []),
    ]


@rule(r"'(?P<year>\d\d)(?![\w'])", "o")
def short_year(match: re.Match[str], context: Context) -> Reading:
    """Read '99."""
    return [_any_year(match["year"])]


@rule(rf"{_YEAR}(?P<s>'s)?(?![\w%]|[.,:/]\d|\s/\s\d|-(?!present|now|today)\w)", "d")
def plain_year(match: re.Match[str], context: Context) -> Reading:
    """Read four digits that look like a year as one."""
    return [year(match["year"]) + (match["s"] or "")]


_MONTH_END = re.compile(r".*(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]*\.?")
_A_DATE = re.compile(
    r"\d{1,2}(?:st|nd|rd|th)?\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s\d"
)
_DAY_NAME = "Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun"


@rule(rf"(?P<a>{_DAY_NAME})\b\.?\s?(?P<sign>[-–/])\s?(?P<b>{_DAY_NAME})\b\.?(?!\s[A-Z][a-z])", "u")
def weekdays(match: re.Match[str], context: Context) -> Reading:
    """Read Mon–Fri and Sat/Sun."""
    ends = ["."] if match.group().endswith(".") and not match.string[match.end() :].strip() else []
    between = "and" if match["sign"] == "/" else "to"
    return [_WEEKDAYS[match["a"].lower()], between, _WEEKDAYS[match["b"].lower()], *ends]


@rule(
    r"(?P<a>Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?\s?[-–]\s?(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b(?!\.?\s\d)",
    "u",
)
def months(match: re.Match[str], context: Context) -> Reading:
    """Read Jan-Mar."""
    return [month_name(match["a"]), "to", month_name(match["b"])]


@rule(r"(?P<kind>[QH])(?P<a>[1-4])\s?[-–]\s?(?P<again>[QH]?)(?P<b>[1-4])(?!\w)", "u")
def quarters(match: re.Match[str], context: Context) -> Reading:
    """Read Q1–Q3."""
    last = [SpokenWord(match["again"], letter=True)] if match["again"] else []
    return [SpokenWord(match["kind"], letter=True), cardinal(match["a"]), "to", *last, cardinal(match["b"])]


@rule(
    r"[-–]\s?(?=(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s\d|\d{1,2}(?:st|nd|rd|th)?\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))",
    "o",
)
def until_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read the hyphen of Jan 5-Feb 3, and the dash of 29 February – 3 March."""
    if match.string[: match.start()].endswith(" "):
        # A dash between blanks may open a remark: only after another date it is none.
        return ["to"] if match.group().endswith(" ") and _A_DATE.search(context.previous) else None
    return ["to"] if context.previous[-1:].isdecimal() or _MONTH_END.fullmatch(context.previous) else None


@rule(r"(?P<number>10|100|1,?000)s(?=\sof\b)", "d")
def tens_of(match: re.Match[str], context: Context) -> Reading:
    """Read 100s of people."""
    return [{"10": "tens", "100": "hundreds"}.get(match["number"], "thousands")]


DATE_RULES = (
    weekdays, months, quarters,
    until_date,
    iso_date, iso_month, slashed_date, quarter, month_first, days_first, day_first, month_year, short_month,
    short_weekday,
    small_weekday, short_date, decades, decade, bare_decade, tens_of,
    year_range, era, short_year,
)  # fmt: skip
LATE_DATE_RULES = (plain_year,)


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
