"""German dates and times: days, months, years, decades, clock times, weekdays."""

import re

from glowvox.text.normalise.german_ordinals import inflected
from glowvox.text.normalise.numbers import cardinal, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
_MONTH = "|".join(MONTHS)
_SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September", "Mrz": "März"}
_SHORT = "Jan|Feb|Mär|Mrz|Apr|Jun|Jul|Aug|Sept|Sep|Okt|Nov|Dez"
_NAMED_MONTH = rf"(?P<month>(?i:{_MONTH}|(?:{_SHORT})\b\.?))"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_WEEKDAYS = {
    "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag", "Sa": "Samstag",
    "So": "Sonntag",
}  # fmt: skip


def _month(text: str) -> str:
    short = text.rstrip(".").capitalize()
    return short if short in MONTHS else _SHORT_MONTHS[short[:4] if short.startswith("Sept") else short[:3]]


@rule(
    rf"(?P<day>{_DAY})\.\s?(?:(?P<number>1[0-2]|0?[1-9])\.|{_NAMED_MONTH})(?:\s?(?P<year>\d{{4}}|\d\d(?![\d:.])))?(?!\w)",
    "d",
)
def date(match: re.Match[str], context: Context) -> Reading:
    """Read 5.12.2024 and 3. Oktober 1990."""
    before = match.string[: match.start()]
    words = [inflected(match["day"].lstrip("0"), context, before=before)]
    words.append(
        inflected(match["number"].lstrip("0"), context, before=before) if match["number"] else _month(match["month"])
    )
    if match["year"]:
        words.append(year(match["year"], "de") if len(match["year"]) == 4 else cardinal(match["year"], "de"))
    return words


@rule(
    rf"(?P<a>{_DAY})\.(?:\s?(?P<am>{_MONTH}))?\s?(?P<sign>[-–/]|bis|und)\s?(?P<b>{_DAY})\.\s?"
    rf"(?:(?P<number>1[0-2]|0?[1-9])\.|(?P<month>(?i:{_MONTH})))(?:\s?(?P<year>\d{{4}}))?(?!\w)",
    "d",
)
def date_range(match: re.Match[str], context: Context) -> Reading:
    """Read 5.-10. Mai: fünfter bis zehnter Mai."""
    before = match.string[: match.start()]
    between = {"-": "bis", "–": "bis", "/": ","}.get(match["sign"], match["sign"])
    words = [
        inflected(match["a"].lstrip("0"), context, before=before),
        *([match["am"]] if match["am"] else []),
        between,
    ]
    words.append(inflected(match["b"].lstrip("0"), context, before=before))
    words.append(
        inflected(match["number"].lstrip("0"), context, before=before)
        if match["number"]
        else match["month"].capitalize()
    )
    return [*words, *([year(match["year"], "de")] if match["year"] else [])]


@rule(r"(?P<day>0[1-9]|[12]\d|3[01])\.(?P<month>0[1-9]|1[0-2])(?![\w:%]|[.,]\d|\s?(?:Uhr|€|[A-Za-z]{1,3}\b))", "d")
def short_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read 02.03: zweiter dritter."""
    before = match.string[: match.start()]
    if match["day"][0] != "0" and match["month"][0] != "0":
        return None
    return [
        inflected(match["day"].lstrip("0"), context, before=before),
        inflected(match["month"].lstrip("0"), context, before=before),
    ]


@rule(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01]))?(?![\w-])", "d")
def iso_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2024-12-05 and 2003-03."""
    before = match.string[: match.start()]
    month = MONTHS[int(match["month"]) - 1]
    if match["day"]:
        return [inflected(match["day"].lstrip("0"), context, before=before), month, year(match["year"], "de")]
    return [month, year(match["year"], "de")] if int(match["month"]) <= int(match["year"][2:]) else None


@rule(r"(?P<month>0[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\w/]|[.,]\d)", "d")
def month_of_year(match: re.Match[str], context: Context) -> Reading:
    """Read 08/2024: August zwei tausend vier und zwanzig."""
    return [MONTHS[int(match["month"]) - 1], year(match["year"], "de")]


_ZONE = "MEZ|MESZ|UTC|GMT|CET|CEST"


@rule(
    r"(?P<hour>[01]?\d|2[0-4])[:.](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?P<clock>\s?(?:Uhr|h)\b)?"
    rf"(?:\s?(?P<zone>{_ZONE})\b)?(?![\w:]|\.\d)",
    "d",
)
def clock(match: re.Match[str], context: Context) -> Reading | None:
    """Read 15:30 Uhr."""
    if "." in match.group() and not match["clock"]:
        return None
    if _COMPARED.fullmatch(context.previous) or (match["hour"][0] != "0" and int(match["minute"]) <= 10
                                                 and match.string[match.end() :].startswith(("-Sieg", "-Nied"))):  # fmt: skip  # noqa: E501
        return None
    hour = "ein" if int(match["hour"]) == 1 else cardinal(str(int(match["hour"])), "de")
    minute = int(match["minute"])
    words: list[str | SpokenWord] = [hour, "Uhr", *([cardinal(str(minute), "de")] if minute else [])]
    if match["second"] and int(match["second"]):
        words.extend(["und", cardinal(str(int(match["second"])), "de"), "Sekunden"])
    return [*words, *(SpokenWord(letter, letter=True) for letter in match["zone"] or "")]


_COMPARED = re.compile(
    r"(?:Verhältnis|Maßstab|endete|gewann|gewannen|siegte|siegten|verlor|verloren|Ergebnis|Endstand|Stand|führte|steht"
    r"|Mischung|Quote)(?:\s?von)?:?"
)


@rule(r"(?P<hour>[01]?\d|2[0-4])\sUhr(?!\w)", "d")
def hour(match: re.Match[str], context: Context) -> Reading:
    """Read 1 Uhr."""
    return ["ein" if int(match["hour"]) == 1 else cardinal(str(int(match["hour"])), "de"), "Uhr"]


@rule(r"\s?[-–]\s?(?=\d{1,2}[:.]\d\d|\d{1,2}\.\d{1,2}\.)", "o")
def until(match: re.Match[str], context: Context) -> Reading | None:
    """Read the dash of 9:00-17:00 Uhr."""
    known = r"\d{1,2}[:.]\d\d(?:\s?Uhr|\s?h)?|\d{1,2}\.\s?\d{1,2}\.(?:\d{2,4})?"
    return ["bis"] if re.fullmatch(known, context.previous) else None


@rule(r"(?P<a>\d{4})\s?[-–/]\s?(?:(?P<b>\d{4}|\d\d)(?!\w|[.,]\d)|(?P<now>heute)\b)", "d")
def year_range(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1914-1918 and 1990-heute."""
    if match["now"]:
        return [year(match["a"], "de"), "bis", "heute"]
    if len(match["b"]) == 4 and match["b"] < match["a"]:
        # The number of a bill: 2024-0012.
        return None
    last = year(match["b"], "de") if len(match["b"]) == 4 else cardinal(match["b"], "de")
    return [year(match["a"], "de"), "bis", last]


@rule(r"(?P<n>\d{1,3}(?:\.\d{3})+|\d{1,7})-?(?P<end>ern?|ers)(?!\w)", "d")
def decade(match: re.Match[str], context: Context) -> Reading:
    """Read 1990er, 80er, den 30ern, 2er-Team and 100er-Pack."""
    text = match["n"]
    if re.fullmatch(r"1[1-9]\d\d|20\d0", text):
        return [year(text, "de") + match["end"]]
    spoken = cardinal(text, "de")
    # Hunderter, Tausender: nobody counts one of them.
    return [(spoken.removeprefix("ein ") if text.replace(".", "") in ("100", "1000") else spoken) + match["end"]]


@rule(r"[-–](?=\d{2,4}er)", "o")
def until_decade(match: re.Match[str], context: Context) -> Reading | None:
    """Read the hyphen of 20er-30er."""
    return ["bis"] if re.fullmatch(r"\d{2,4}er", context.previous) else None


@rule(r"1[1-9]\d\d(?!\w|[.,:]\d)", "d")
def plain_year(match: re.Match[str], context: Context) -> Reading:
    """Read 1989 as a year."""
    return [year(match.group(), "de")]


@rule(rf"(?P<month>{_SHORT})(?:\.(?=\s|$|[,;:)/–-])|(?=\s(?:19|20)\d\d(?!\w)))", "u")
def short_month(match: re.Match[str], context: Context) -> Reading:
    """Read a month written short, alone."""
    ends = ["."] if match.group().endswith(".") and not match.string[match.end() :].strip() else []
    return [_month(match["month"]), *ends]


_WEEKDAY = "|".join(_WEEKDAYS)


@rule(
    rf"(?P<day>{_WEEKDAY})\b\.?(?:(?P<sign>\s?[-–]\s?|\sbis\s|,\s|/|\sund\s|\su\.\s)(?P<last>{_WEEKDAY})\b\.?(?!\s[A-ZÄÖÜ])"
    r"|(?=,?\s(?:\d{1,2}\.(?:\s?\d|\s[A-ZÄ])|\d{1,2}:\d|\d{1,2}\s?[-–]\s?\d|ab\s\d|\d{1,2}(?:\.\d\d)?\s?(?:Uhr|h)\b)))",
    "u",
)
def weekday(match: re.Match[str], context: Context) -> Reading | None:
    """Read Mo-Fr and Mo., 5. Mai."""
    if not match["last"]:
        return [_WEEKDAYS[match["day"]]]
    sign = match["sign"].strip()
    between = {"-": "bis", "–": "bis", "/": ",", "und": "und", "u.": "und", ",": ","}.get(sign, sign)
    ends = ["."] if match.group().endswith(".") and not match.string[match.end() :].strip() else []
    return [_WEEKDAYS[match["day"]], between, _WEEKDAYS[match["last"]], *ends]


_DAY_BEFORE = re.compile(
    r"(?:(?i:\b(?:am|bis|ab|seit|vom|zum|jeden|jeder|nächsten|kommenden|letzten|vergangenen|diesen|dieser"
    r"|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?))"
    r"|(?:^|\W)(?:Mo|Di|Mi|Do|Fr|Sa|So)\.?(?:,|\sund|\soder|\su\.|/))\s$"
)


@rule(rf"(?P<day>{_WEEKDAY})(?P<stop>\.)?(?!\w)", "u")
def weekday_alone(match: re.Match[str], context: Context) -> Reading | None:
    """Read am Fr., jeden Mo. and am Mi um 8: a word such as am says that a day follows."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    if not _DAY_BEFORE.search(before) or (
        match["day"] == "So" and not match["stop"] and not re.search(r"(?:\b[Aa]m|,)\s$", before)
    ):
        return None
    return [_WEEKDAYS[match["day"]], *(["."] if match["stop"] and not following.strip() else [])]


# After um 2 h these tell of a length of time.
_LENGTH = r"verl|verk|versch|verspä|verzög|länger|kürzer|früher|später|zu\s|vor(?!\w)|zurück|reduzier|erhöh"
_AT = re.compile(
    r"(?:(?i:\b(?:um|gegen|(?P<since>ab)|Beginn|Einlass|Start|Anstoß|Abfahrt|Ankunft):?)|[a-zäöü]zeit(?:en)?:?)\s"
    r"(?:ca\.\s|etwa\s)?$"
)
_STARTS = re.compile(r"\s(?:Einlass|Beginn|Start|Anstoß|Anpfiff|Abfahrt|Ankunft|Treffpunkt)\b")
_FROM = re.compile(r"(?P<noun>[A-ZÄÖÜ]\w*\s)?\bvon\s$|(?P<and>\bzwischen)\s$")
_TO = re.compile(
    r"\b(?:von|um|ab)\s\d{1,2}(?:[:.]\d\d)?(?:\s?h|\sUhr)?\s?(?:bis|-|–)\s?$|\bzwischen\s\d{1,2}\s?h\sund\s$"
)
_FIRST_HOUR = 6
"""No earlier hour is meant by ab 2 h."""


@rule(
    r"(?P<a>[01]?\d|2[0-4])(?:(?P<h>\s?h)?\s?(?P<sign>-|–|bis|und)\s?(?P<b>[01]?\d|2[0-4]))?\s?h(?:\s?(?P<m>[0-5]\d))?(?![\w/])",
    "d",
)
def hour_of_day(match: re.Match[str], context: Context) -> Reading | None:
    """Read um 14 h and von 8 h bis 14 h: Uhr, not hours as in 2 h and eine Dauer von 2-3 h."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    at, first, last = _AT.search(before), _FROM.search(before), _TO.search(before)
    if at is not None and (re.match(rf"\s(?:{_LENGTH})", following) or (at["since"] and int(match["a"]) < _FIRST_HOUR)):
        return None
    opened = first is not None and (
        (not first["noun"] or re.match(r"(?:Von|\w+tags)\s", first["noun"]))
        and (match["sign"] or re.match(r"\s(?:bis|und)\s\d{1,2}(?:[:.]\d\d)?\s?h\b", following))
    )
    whole_day = match["h"] and int(match["b"]) - int(match["a"]) > 2
    clock = at or opened or last or whole_day or _STARTS.match(following)
    if not clock and not (match["h"] and not match["m"]):
        return None
    spoken = ["ein" if int(text) == 1 else cardinal(str(int(text)), "de") for text in (match["a"], match["b"]) if text]
    between = " und " if match["sign"] == "und" else " bis "
    minutes = [cardinal(str(int(match["m"])), "de")] if match["m"] and int(match["m"]) else []
    return [between.join(spoken), "Uhr" if clock else "Stunden", *minutes]


DATE_RULES = (
    hour_of_day, weekday, date_range, date, short_date, iso_date, month_of_year, until, clock, hour, year_range,
    until_decade, decade, short_month,
    weekday_alone,
)  # fmt: skip
