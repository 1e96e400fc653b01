"""English street addresses: house numbers, directions, kinds of street, states and ZIP codes."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, ordinal, pairs
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

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
# Words and titles as well: a town goes before them where they are states.
_DOUBTFUL_STATES = frozenset(("OK", "HI", "OH", "ME", "IN", "OR", "MD", "ID", "AL", "MS", "DC"))
_ZIP_CODES = {
    "AL": "350-369", "AR": "716-729", "CO": "800-816", "CT": "060-069", "DC": "200-205", "DE": "197-199",
    "HI": "967-968", "ID": "832-838", "IN": "460-479", "LA": "700-714", "MA": "010-027", "MD": "206-219",
    "ME": "039-049", "MS": "386-397", "MT": "590-599", "OH": "430-459", "OK": "730-749", "OR": "970-979",
    "PA": "150-196", "VA": "201-246",
}  # fmt: skip
"""The first three digits of the ZIP codes of states whose letters mean something else as well."""
_STATES_AND_WORDS = ("OK", "HI", "OH", "ME", "IN", "OR", "ID")
_NO_TOWNS = word_set(
    "the a an this that these those my your his her its our their every each any no some and or but if so well oh yes "
    "ok okay hi hello now then please sorry"
)
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
    r"(?P<kind>(?:[Aa]ve|[Bb]lvd|[Rr]d|[Ll]n|[Hh]wy|[Pp]kwy|[Cc]t|[Ee]xpy|[Ff]wy|St|Dr|Pl|Cir|Ter|Sq|Tpke|Hts)\b\.?)(?P<whole>(?!))?(?![\w']|\.[A-Z][a-z])",
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
    """Read CA 95051: California nine five zero five one; not the ID and OK of other numbers."""
    if match["state"] not in _STATES or not _is_surely_state(match):
        return None
    words = [_STATES[match["state"]], *([","] if match["comma"] else []), digits(match["zip"])]
    return [*words, *([",", digits(match["more"])] if match["more"] else [])]


def _is_surely_state(match: re.Match[str]) -> bool:
    """Say whether a town goes before a state that may be a word or initials; without a comma its ZIP codes must fit."""
    zips = _ZIP_CODES.get(match["state"])
    if zips is None:
        return True
    first, last = zips.split("-")
    fits = first <= match["zip"][:3] <= last
    if not match.string[: match.start()].strip():
        return fits and match["state"] not in _STATES_AND_WORDS
    town = re.search(r"(?P<town>[A-Z][\w.'-]+)(?P<comma>,)?\s+$", match.string[: match.start()])
    if town is None or town["town"].lower() in _NO_TOWNS:
        return False
    # Customer ID 83512: so common that only a comma makes it a state.
    return town["comma"] is not None or (fits and match["state"] != "ID")


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
    """Read ZIP code 95051 and ID 48392 digit by digit."""
    if (
        re.search(
            r"\b(?:[Zz][Ii][Pp]|[Zz]ip [Cc]ode|ZIP code|postal code|postcode|ID(?:\snumber)?)(?:\sis)?:?\s$",
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


_SIDES = (
    "side|end|coast|shore|bank|wing|entrance|exit|wall|face|slope|gate|edge|corner|tower|border|half|part|wind|fork|rim"
)
_SHORT = "St|Ave|Blvd|Rd|Ln|Dr|Ct|Pl|Hwy|Pkwy"
_PLACES = {
    "N": "korea korean koreans ireland irish africa african america american carolina dakota macedonia vietnam "
    "vietnamese yemen cyprus atlantic pacific yorkshire pole sea europe european",
    "S": "korea korean koreans africa african africans america american carolina dakota sudan sudanese vietnam yemen "
    "wales yorkshire pole pacific atlantic asia europe european",
    "E": "germany german timor africa african asia jerusalem anglia sussex berlin midlands europe european",
    "W": "virginia virginian germany german africa african bank indies sussex berlin midlands yorkshire hollywood "
    "europe european",
}
_PLACE_NAMES = {letter: word_set(names) for letter, names in _PLACES.items()}


@rule(
    rf"(?P<d>NE|NW|SE|SW|[NSEW])(?P<dot>\.)?(?=(?:(?<=\.)\s?|\s)(?:"
    rf"(?P<street>(?P<number>\d{{1,3}}(?:st|nd|rd|th))?(?:(?<=\w)|[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)\s(?:{_WHOLE}|{_SHORT})\b)"
    rf"|(?P<side>(?:{_SIDES})\b)|(?P<place>[A-Z][A-Za-z]+)\b))",
    "u",
)
def compass(match: re.Match[str], context: Context) -> Reading | None:
    """Read N. Korea, E. 42nd St. and the N. side; not the initial of a name."""
    if re.search(r"(?:\b[A-Z]\.?|\b(?:[Mm]r|[Mm]rs|[Mm]s|[Dd]r)\.?|['’])\s?$", match.string[: match.start()]):
        return None
    direction, dotted = _DIRECTIONS[match["d"]], match["dot"] is not None
    if match["street"] is not None:
        return [direction] if dotted or match["number"] is not None else None
    if match["side"] is not None:
        return [direction.lower()] if dotted or context.previous.lower() in ("the", "its", "this", "that") else None
    # Model S America: without a full stop it may belong to the name before.
    sure = dotted or not context.previous[:1].isupper()
    place = match["place"].lower()
    if not sure or place not in _PLACE_NAMES.get(match["d"], ()):
        return None
    return [f"{direction}ern" if place in ("ireland", "irish", "europe", "european") else direction]


@rule(r"(?P<d>NE|NW|SE|SW|[NSEW])\b\.?(?=\sof\s)", "u")
def bearing(match: re.Match[str], context: Context) -> Reading | None:
    """Read the N of five miles N of town."""
    before = context.previous.lower().rstrip(".").rpartition(" ")[2]
    return [_DIRECTIONS[match["d"]].lower()] if before in _LENGTHS_BEFORE else None


_LENGTHS_BEFORE = word_set("mile miles mi km kilometers kilometer kilometres feet foot meters metres yards just due")

ADDRESS_RULES = (room, street_address, compass, bearing, kind_of_street, state_and_zip, state, zip_code)
