"""English street addresses: house numbers, directions, kinds of street, states and ZIP codes."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, ordinal, pairs
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

_STREETS = {
    "st": "Street", "ave": "Avenue", "av": "Avenue", "blvd": "Boulevard", "rd": "Road", "ln": "Lane", "dr": "Drive",
    "ct": "Court", "pl": "Place", "expy": "Expressway", "expwy": "Expressway", "hwy": "Highway", "pkwy": "Parkway",
    "fwy": "Freeway", "sq": "Square", "ter": "Terrace", "terr": "Terrace", "cir": "Circle", "trl": "Trail",
    "tpke": "Turnpike", "aly": "Alley", "plz": "Plaza", "xing": "Crossing", "hts": "Heights",
}  # fmt: skip
_WHOLE = "Street|Avenue|Boulevard|Road|Lane|Drive|Court|Place|Highway|Parkway|Square|Terrace|Circle|Way|Plaza|Alley"
_DIRECTIONS = {
    "N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "NW": "Northwest", "SE": "Southeast",
    "SW": "Southwest",
}  # fmt: skip
_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "D C", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine",
    "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi",
    "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey",
    "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma",
    "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota",
    "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington",
    "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
# Words and titles as well: a state only where a ZIP code follows.
_DOUBTFUL_STATES = frozenset(("OK", "HI", "OH", "ME", "IN", "OR", "MD", "ID", "AL", "MS", "DC"))
_KIND = rf"(?:(?P<kind>(?:{'|'.join(key.title() for key in _STREETS)}|{'|'.join(_STREETS)})\b\.?)|(?P<whole>(?:{_WHOLE})\b))"  # fmt: skip  # noqa: E501
_DIRECTION = r"(?P<from>NE|NW|SE|SW|[NSEW])\b\.?\s"


def _house(text: str, *, sure: bool) -> str:
    """Return a house number: four digits in pairs, five one by one, three in pairs where it is surely one."""
    if len(text) == 5:
        return digits(text)
    return pairs(text) if len(text) == 4 or (sure and len(text) == 3) else cardinal(text)


def _kind_of_street(match: re.Match[str]) -> list[str]:
    """Return the kind of street as a word; a full stop that ends the text stays one."""
    if match["whole"]:
        return [match["whole"]]
    following = match.string[match.end() :].strip()
    street = _STREETS[match["kind"].rstrip(".").lower()].lower()
    return [street, *(["."] if match["kind"].endswith(".") and not following else [])]


@rule(
    rf"(?P<house>\d{{1,5}})(?P<part>[A-Za-z])?\s(?:{_DIRECTION})?(?:(?P<n>\d{{1,3}})(?i:st|nd|rd|th)|(?P<name>(?:(?:St|Mt|Ft)\.?\s)?[A-Z][\w'-]*[a-z](?:\s[A-Z][\w'-]+){{0,3}}?))"
    rf"\s{_KIND}(?!\w)(?P<end>\.?\s(?:NE|NW|SE|SW|[NSEW])\b)?(?=(?P<comma>\.?,\s?[A-Z\d])?)",
    "d",
)
def street_address(match: re.Match[str], context: Context) -> Reading | None:
    """Read 708 N 1st St: seven oh eight North first Street."""
    # 5 Main St John: a saint; 2 Ask Dr Miller: a doctor.
    bare = match["kind"] in ("St", "Dr") and not match["n"] and not match["from"]
    if bare and re.match(r"\s(?!Apt|Ste|Unit|Suite|Rm|Room|Fl|Floor|Bldg|And)[A-Z][a-z]", match.string[match.end() :]):
        return None
    words: list[str | SpokenWord] = [
        _house(match["house"], sure=bool(match["from"] or match["comma"] or match["part"]))
    ]
    if match["part"]:
        words.append(SpokenWord(match["part"].upper(), letter=True))
    if match["from"]:
        words.append(_DIRECTIONS[match["from"]])
    words.extend(
        [ordinal(match["n"])]
        if match["n"]
        else re.sub(
            r"^(?:St|Mt|Ft)\b\.?", lambda short: _MOUNTS[short.group()[:2]], match["name"].replace("-", " ")
        ).split()
    )
    words.extend(_kind_of_street(match))
    if match["end"]:
        words.append(_DIRECTIONS[match["end"].strip(". ")])
    return words


@rule(
    r"(?P<kind>(?:[Aa]ve|[Bb]lvd|[Rr]d|[Ll]n|[Hh]wy|[Pp]kwy|[Cc]t|[Ee]xpy|[Ff]wy|St|Dr|Pl|Cir|Ter|Sq|Tpke|Hts)\b\.?)(?P<whole>(?!))?(?![\w'])",
    "l",
)
def kind_of_street(match: re.Match[str], context: Context) -> Reading | None:
    """Read Ave and Ct after the name of a street, Dr at its end: Rodeo Dr in L A."""
    before = match.string[: match.start()]
    named = re.search(r"(?:[A-Z][\w']*[a-z]|\d(?:st|nd|rd|th))\s$", before)
    if named is None and match["kind"].rstrip(".").lower() not in ("hwy", "expy", "pkwy", "blvd", "fwy", "tpke"):
        return None
    short, following = match["kind"].rstrip(".").lower(), match.string[match.end() :]
    # A doctor stands before a name, a drive after one.
    elsewhere = re.match(r"\s[A-Z]", following) or re.search(
        r"\b(?:Dear|The|A|My|Our|Your|His|Her|Call|Ask|See|And|To)\s$", before
    )
    if short in ("dr", "pl", "ter", "sq", "ct", "cir") and elsewhere:
        return None
    if short == "st" and (match["kind"].endswith(".") or re.match(r"\s[A-Z]", following)):
        return None
    if short in ("ave", "blvd", "rd", "ln", "hwy", "pkwy") and match["kind"].endswith("."):
        return None
    return _kind_of_street(match)


@rule(r"(?P<state>[A-Z]{2})(?P<comma>,)?\s(?P<zip>\d{5})(?:-(?P<more>\d{4}))?(?![\w-]|[.,]\d)", "u")
def state_and_zip(match: re.Match[str], context: Context) -> Reading | None:
    """Read CA 95051: California nine five zero five one."""
    if match["state"] not in _STATES:
        return None
    words = [_STATES[match["state"]], *([","] if match["comma"] else []), digits(match["zip"])]
    return [*words, *([",", digits(match["more"])] if match["more"] else [])]


@rule(r"(?P<state>[A-Z]{2})(?![\w'&-]|\.\w)", "u")
def state(match: re.Match[str], context: Context) -> Reading | None:
    """Read City, NY: New York."""
    if match["state"] not in _STATES or match["state"] in _DOUBTFUL_STATES or context.shouting:
        return None
    if re.search(r"[A-Z][a-z]+,\s$", match.string[: match.start()]) is None:
        return None
    return [_STATES[match["state"]]]


@rule(r"(?P<zip>\d{5})(?:-(?P<more>\d{4}))?(?![\w-]|[.,]\d)", "d")
def zip_code(match: re.Match[str], context: Context) -> Reading | None:
    """Read ZIP code 95051 digit by digit."""
    if (
        re.search(
            r"\b(?:[Zz][Ii][Pp]|[Zz]ip [Cc]ode|ZIP code|postal code|postcode)(?:\sis)?:?\s$",
            match.string[: match.start()],
        )
        is None
    ):
        return None
    return [digits(match["zip"]), *([",", digits(match["more"])] if match["more"] else [])]


_MOUNTS = {"St": "saint", "Mt": "mount", "Ft": "fort"}
_ROOMS = {
    "apt": "apartment", "ste": "suite", "rm": "room", "bldg": "building", "fl": "floor", "rte": "route", "rt": "route",
}  # fmt: skip


@rule(
    r"(?P<word>(?:Apt|Ste|Rm|Bldg|Rte|Rt|Fl|APT|STE|RTE)\b)\.?(?=\s\#?\d)|(?<=\d(?:st|nd|rd|th)\s)(?P<floor>Fl)\b\.?",
    "u",
)
def room(match: re.Match[str], context: Context) -> Reading:
    """Read Apt 4, Rte 66 and 3rd Fl."""
    return [_ROOMS[(match["word"] or match["floor"]).lower()]]


ADDRESS_RULES = (room, street_address, kind_of_street, state_and_zip, state, zip_code)
