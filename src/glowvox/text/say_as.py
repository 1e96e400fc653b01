"""SSML's `say-as`: text whose kind the author names."""

import re

from glowvox.errors import TextError
from glowvox.text.normalise import Normaliser, Spoken
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
_BY_NORMALISER = ("time", "currency", "unit", "fraction", "telephone", "date")


def _words(text: str) -> list[Spoken]:
    return [Spoken(word) for word in text.split()]


def _characters(text: str, language: str) -> list[Spoken]:
    spoken: list[Spoken] = []
    for character in text:
        if character.isdecimal():
            spoken.extend(_words(digits(character, language)))
        elif character.isalpha():
            spoken.append(Spoken(character.upper() if len(character.upper()) == 1 else character, letter=True))
    return spoken


def _date(text: str, order: str) -> list[Spoken]:
    """Read a date whose order of day, month and year is given."""
    numbers = re.findall(r"\d+", text)
    if len(numbers) != len(order) or not set(order) <= set("dmy"):
        raise TextError(f"say-as date {text!r} does not have the format {order!r}")
    value = dict(zip(order, numbers, strict=True))
    if not 1 <= int(value.get("m", "1")) <= 12 or not 1 <= int(value.get("d", "1")) <= 31:
        raise TextError(f"say-as date {text!r} is no date of the format {order!r}")
    spoken = MONTHS[int(value["m"]) - 1] if "m" in value else ""
    if "d" in value:
        spoken += " " + ordinal(value["d"])
    if "y" in value:
        spoken += " " + year(value["y"].zfill(2))
    return _words(spoken)


def say_as(
    text: str, kind: str, form: str, language: str, normalise: Normaliser, warnings: list[str]
) -> tuple[Spoken, ...]:
    """Return the words of a text of a given kind.

    Args:
        text: What stands inside the element.
        kind: One of `KINDS`.
        form: The attribute `format` (the order of a date: mdy, dmy, ymd, md, ...), or empty.
        language: Language tag.
        normalise: Reads the kinds that look after themselves (time, currency, ...).
        warnings: Lines are added for what is left out.

    Raises:
        TextError: The kind is unknown, or the text is not of that kind.
    """
    short = language.split("-")[0]
    if kind not in KINDS:
        raise TextError(f"say-as interpret-as {kind!r} is not supported: use {', '.join(KINDS)}")
    if kind in ("characters", "spell-out"):
        return tuple(_characters(text, short))
    if kind == "date" and form and short == "en":
        return tuple(_date(text, form))
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
