"""German numbers that are names: emergency calls, the references of courts, tax numbers, 08/15."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, roman_value
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

_CALLED = re.compile(
    r"(?i:notruf|notfall|rufnummer|hotline|wähl|anruf|anzurufen|\bruft?\b|\brufen\b|erreich|feuerwehr|polizei|rettungs"
    r"|\bnummer\s*$|\btel)"
)


@rule(r"(?P<n>110|112|115|911|116\s?\d{3})(?!\w|[.,:/-]\d|\s?[%€$°]|\.?\s(?:Euro|Prozent|Meter|km|m)\b)", "d")
def emergency(match: re.Match[str], context: Context) -> Reading | None:
    """Read die 112 and Notruf 110 digit by digit; not die 112 Teilnehmer."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    counted = re.match(r"\s+[A-ZÄÖÜ]", following)
    called = _CALLED.search(before) or _CALLED.match(following.lstrip())
    alone = re.search(r"\b[Dd](?:ie|er)\s$", before) and re.match(
        r"\.?\s*$|[,;:!?)]|\s(?:ist|war|wird|hat|an)\b", following
    )
    if counted or not (called or (alone and match["n"] in ("110", "112")) or match["n"] in ("116 117", "116117")):
        return None
    groups = match["n"].split()
    words: list[str | SpokenWord] = []
    for group in groups:
        words.extend([*([","] if words else []), digits(group, "de")])
    return words


@rule(
    r"(?P<senate>[IVX]{1,5}[a-z]?|\d{1,3})\s(?P<kind>(?:[A-Z]{1,4}|[A-Z][a-zA-Z]{0,2}[A-Z])(?:\s?\([A-Za-z]{1,5}\))?)\s"
    r"(?P<n>\d{1,5})/(?P<year>\d\d)(?!\w|/)",
    "ud",
)
def reference(match: re.Match[str], context: Context) -> Reading | None:
    """Read the reference of a court, I ZR 5/20: the letters are spelled, and the slash is no fraction."""
    senate = match["senate"]
    value = senate if senate.isdecimal() else str(roman_value(senate.rstrip("abcdefgh")) or "")
    if not value:
        return None
    kind = [SpokenWord(letter.upper(), letter=True) for letter in match["kind"] if letter.isalpha()]
    tail = [SpokenWord(senate[-1].upper(), letter=True)] if senate[-1].islower() else []
    return [
        cardinal(value, "de"),
        *tail,
        *kind,
        cardinal(match["n"], "de"),
        "Schrägstrich",
        cardinal(match["year"], "de"),
    ]


@rule(r"0?8/15(?!\w|/)|0815(?!\w)", "d")
def run_of_the_mill(match: re.Match[str], context: Context) -> Reading:
    """Read 08/15 as it is said of what is nothing special."""
    return ["null acht fünfzehn"]


@rule(r"(?P<land>DE|ATU|CHE)(?P<n>\d{8,9})(?!\w)", "u")
def tax_number(match: re.Match[str], context: Context) -> Reading:
    """Read DE123456789 digit by digit."""
    return [*(SpokenWord(letter, letter=True) for letter in match["land"]), digits(match["n"], "de")]


NAMED_NUMBER_RULES = (emergency, reference, run_of_the_mill, tax_number)
