"""`say-as` of SSML: a text of a given kind in words, in the dialects of the clouds' voices too."""

import re

from glowvox.errors import TextError
from glowvox.text.normalise import Normaliser, SpokenWord
from glowvox.text.normalise.dates import MONTHS
from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal, year

KINDS = (
    "characters",
    "spell-out",
    "cardinal",
    "number",
    "ordinal",
    "digits",
    "telephone",
    "date",
    "time",
    "currency",
    "unit",
    "fraction",
)
_BY_NORMALISER = ("time", "currency", "unit", "fraction", "telephone", "date", "text")
# What other systems call a kind, or read as running text; a bleep is not spoken.
_OTHER_NAMES = {
    "verbatim": "verbatim", "letters": "characters", "spell": "characters", "alphanumeric": "characters",
    "number_digit": "digits", "digit": "digits", "number_cardinal": "cardinal", "number_ordinal": "ordinal",
    "phone": "telephone", "money": "currency", "duration": "duration", "address": "text", "name": "text",
    "net": "text", "acronym": "characters", "measure": "unit", "decimal": "number", "expletive": "bleep",
    "bleep": "bleep", "interjection": "text", "vxml:date": "date", "vxml:digits": "digits", "vxml:currency":
    "currency", "vxml:number": "number", "vxml:phone": "telephone", "vxml:time": "time", "letters-and-digits":
    "characters", "vxml:boolean": "boolean",
}  # fmt: skip
_SIGN_BY_SIGN = ("characters", "spell-out", "digits", "verbatim", "letters", "spell", "alphanumeric", "number_digit")
_GERMAN_DATE = {"dmy": "{d}.{m}.{y}", "dm": "{d}.{m}.", "my": "{m}.{y}", "y": "{y}"}
_WIDTHS = {"y": 4, "m": 2, "d": 2}


def is_read_sign_by_sign(kind: str) -> bool:
    """Return whether a text of a kind may be cut anywhere."""
    return kind in _SIGN_BY_SIGN


def _words(text: str) -> list[SpokenWord]:
    return [SpokenWord(word) for word in text.split()]


def _characters(text: str, language: str) -> list[SpokenWord]:
    spoken: list[SpokenWord] = []
    for character in text:
        if character.isdecimal():
            spoken.extend(_words(digits(character, language)))
        elif character.isalpha():
            spoken.append(SpokenWord(character.upper() if len(character.upper()) == 1 else character, letter=True))
    return spoken


_SIGNS = {
    "-": ("dash", "Strich"),
    "_": ("underscore", "Unterstrich"),
    ".": ("dot", "Punkt"),
    ",": ("comma", "Komma"),
    ":": ("colon", "Doppelpunkt"),
    ";": ("semicolon", "Strichpunkt"),
    "/": ("slash", "Schrägstrich"),
    "\\": ("backslash", "Backslash"),
    "!": ("exclamation point", "Ausrufezeichen"),
    "?": ("question mark", "Fragezeichen"),
    "'": ("apostrophe", "Apostroph"),
    '"': ("quote", "Anführungszeichen"),
    "(": ("open parenthesis", "Klammer auf"),
    ")": ("close parenthesis", "Klammer zu"),
    "*": ("star", "Stern"),
    "#": ("hash", "Raute"),
    "|": ("bar", "Strich"),
    "^": ("caret", "Zirkumflex"),
    "~": ("tilde", "Tilde"),
    "<": ("less than", "kleiner als"),
    ">": ("greater than", "größer als"),
    "[": ("open bracket", "Klammer auf"),
    "]": ("close bracket", "Klammer zu"),
}


def _verbatim(text: str, language: str, normalise: Normaliser, warnings: list[str]) -> list[SpokenWord]:
    """Read letters, digits and signs one by one."""
    spoken: list[SpokenWord] = []
    for character in text:
        one = _characters(character, language)
        if character in _SIGNS:
            one = _words(_SIGNS[character][language == "de"])
        elif not one and not character.isspace():
            one = [word for piece in normalise(f" {character} ", {}, warnings) for word in piece.words]
            if not one:
                warnings.append(f"left out {character!r}: it has no name")
        spoken.extend(one)
    return spoken


def _date_parts(text: str, form: str, *, strict: bool) -> dict[str, str]:
    """Return day, month and year of a date whose order is given: mdy, ymd, or yyyymmdd with as many digits."""
    order = re.sub(r"[^dmy]", "", form.lower()) if not strict else form
    order = re.sub(r"(.)\1+", r"\1", order) if not strict else order
    numbers = re.findall(r"\d+", text)
    if not strict and len(numbers) == 1 and len(order) > 1:
        numbers, place = [], 0
        run = re.sub(r"\D", "", text)
        short = len(run) == sum(_WIDTHS[sign] for sign in order) - 2
        for sign in order:
            width = 2 if short else _WIDTHS[sign]
            numbers.append(run[place : place + width])
            place += width
        if place != len(run):
            numbers = []
    if (
        not order
        or len(numbers) != len(order)
        or not set(order) <= set("dmy")
        or (not strict and len(set(order)) < len(order))
    ):
        raise TextError(f"say-as date {text!r} does not have the format {form!r}")
    value = dict(zip(order, numbers, strict=True))
    if not 1 <= int(value.get("m", "1")) <= 12 or not 1 <= int(value.get("d", "1")) <= 31:
        raise TextError(f"say-as date {text!r} is no date of the format {form!r}")
    return value


def _date(value: dict[str, str]) -> list[SpokenWord]:
    spoken = MONTHS[int(value["m"]) - 1] if "m" in value else ""
    if "d" in value:
        spoken += " " + ordinal(value["d"])
    if "y" in value:
        spoken += " " + year(value["y"].zfill(2))
    return _words(spoken)


_COMPACT_DATE = re.compile(r"(?P<y>\d{4}|\?{4})(?P<m>0[1-9]|1[0-2]|\?{2})(?P<d>0[1-9]|[12]\d|3[01]|\?{2})")
_COMPACT_TIME = re.compile(r"(?P<hour>[01]\d|2[0-4])(?P<minute>[0-5]\d)(?P<half>[aph?])?")


def _without_format(text: str, kind: str) -> tuple[str, str]:
    """Return what VoiceXML writes without signs, as other texts write it: a date and its order, or a time.

    20231005 is a date, ????1005 one without a year; 0530p and 1730h are times.
    """
    date = _COMPACT_DATE.fullmatch(text.strip()) if kind == "date" else None
    if date is not None:
        known = [sign for sign in "ymd" if date[sign].isdecimal()]
        return "-".join(date[sign] for sign in known), "" if len(known) == 3 else "".join(known)
    time = _COMPACT_TIME.fullmatch(text.strip()) if kind == "time" else None
    if time is not None:
        half = {"a": " am", "p": " pm"}.get(time["half"] or "", "")
        return f"{int(time['hour'])}:{time['minute']}{half}" if half else f"{time['hour']}:{time['minute']}", ""
    return text, ""


def _german_date(value: dict[str, str]) -> str:
    """Return a date as Germans write it, which the normaliser reads."""
    form = _GERMAN_DATE.get("".join(sign for sign in "dmy" if sign in value))
    return form.format(**value) if form else ""


_UNITS = {
    "en": (("hour", "hours"), ("minute", "minutes"), ("second", "seconds")),
    "de": (("Stunde", "Stunden"), ("Minute", "Minuten"), ("Sekunde", "Sekunden")),
}


def _duration(text: str, form: str, language: str) -> list[SpokenWord]:
    """Read hours, minutes and seconds: 01:18:30."""
    numbers = re.findall(r"\d+", text)
    order = (
        form
        if set(form) <= set("hms") and len(form) == len(numbers)
        else {3: "hms", 2: "ms", 1: "s"}.get(len(numbers), "")
    )
    if not order:
        raise TextError(f"say-as duration: {text!r} is no length of time")
    names = dict(zip("hms", _UNITS[language], strict=True))
    spoken: list[SpokenWord] = []
    for sign, value in zip(order, numbers, strict=True):
        if int(value) or len(numbers) == 1:
            one = ("eine" if language == "de" else "one") if int(value) == 1 else cardinal(str(int(value)), language)
            spoken += _words(f"{one} {names[sign][int(value) != 1]}")
    return spoken


def say_as(
    text: str,
    kind: str,
    form: str,
    language: str,
    normalise: Normaliser,
    warnings: list[str],
    *,
    strict: bool = False,
) -> tuple[SpokenWord, ...]:
    """Return the words of a text of a given kind.

    Args:
        text: What stands inside the element.
        kind: One of `KINDS`, or what other systems call them.
        form: The attribute `format` (the order of a date: mdy, dmy, ymd, md, ...), or empty.
        language: Language tag.
        normalise: Reads the kinds that look after themselves (time, currency, ...).
        warnings: Lines are added for what is left out.
        strict: Whether only `KINDS` are read.

    Raises:
        TextError: The kind is unknown, or the text is not of that kind.
    """
    short = language.split("-")[0]
    if not strict:
        kind = _OTHER_NAMES.get(kind.lower(), kind.lower())
    if kind == "number" and form.lower() in ("cardinal", "ordinal", "digits", "telephone", "fraction"):
        # The format says which number it is.
        kind = form.lower()
    if kind in ("date", "time") and (not form or (kind == "time" and text.strip().isalnum())):
        text, form = _without_format(text, kind)
        if kind == "date" and re.fullmatch(r"\d{5,}", text.strip()):
            warnings.append(f"say-as date {text!r} is no date: it is read as a number")
    if kind == "boolean":
        return tuple(_words({"true": "yes", "false": "no"}.get(text.strip().lower(), text) if short == "en" else text))
    if kind == "bleep":
        return ()
    if kind == "verbatim":
        return tuple(_verbatim(text, short, normalise, warnings))
    if kind == "duration":
        return tuple(_duration(text, form.lower(), short))
    if kind not in KINDS and kind != "text":
        raise TextError(f"say-as interpret-as {kind!r} is not supported: use {', '.join(KINDS)}")
    if kind in ("characters", "spell-out"):
        return tuple(_characters(text, short))
    if kind == "date" and form and (short == "en" or not strict):
        value = _date_parts(text, form, strict=strict)
        if short == "en":
            return tuple(_date(value))
        text = _german_date(value) or text
    if kind not in _BY_NORMALISER:
        body = text.strip()
        if not re.fullmatch(r"[-+]?[\d.,\s]*\d[\d.,\s]*(?:st|nd|rd|th)?", body):
            raise TextError(f"say-as {kind}: {text!r} is no number")
        if kind == "digits":
            return tuple(_words(digits(body, short)))
        if kind == "ordinal":
            return tuple(_words(ordinal(body, short)))
        plain = re.sub(r"\s|st|nd|rd|th", "", body)
        separator = "," if short == "en" else "."
        plain = plain.replace(separator, "")
        return tuple(
            _words(number(plain, short) if re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", plain) else cardinal(plain, short))
        )
    if kind == "telephone" and re.fullmatch(r"[\d\s]+", text):
        return tuple(_words(digits(text, short)))
    return tuple(word for piece in normalise(text, {}, warnings) for word in piece.words)
