"""English dates: days, months, years, decades, eras."""

import re

from glowvox.text.normalise.numbers import cardinal, ordinal, pairs, plural, year
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
