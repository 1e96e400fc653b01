"""English quantities: ordinals, fractions, percentages, ranges, signs, plain numbers."""

import re

from glowvox.text.normalise.identifiers import split_identifier
from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal, pairs, plural
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

# Possessive: a number that something unknown follows is not cut in two.
NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)|[1-9]\d{0,2}(?:[ ]\d{3}){2,}+(?![\d,]|-\d)"
    r"|[1-9]\d{0,2}[ ]000(?![\d,]|[ -]\d)|\d++)(?:\.\d++)?|(?<!\w)\.\d++"
)
LONG_MINUS = (
    r"(?<!\d\s)–(?![^\n–]*\w–\s)"
    r"(?!\d{1,2}(?::\d\d)?\s?(?:[aApP]\.?[mM]|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"
)
"""The dash that some write for a minus: right before a number, where it opens no remark and is no range."""
# A hyphen after a letter, a digit or a closing bracket is no sign.
_SIGN = rf"(?:(?<![\w)\]%.°])(?:[-+−]|{LONG_MINUS}))?"
VULGAR = {
    "½": "one half", "⅓": "one third", "⅔": "two thirds", "¼": "one quarter", "¾": "three quarters",
    "⅕": "one fifth", "⅖": "two fifths",
    "⅗": "three fifths", "⅘": "four fifths", "⅙": "one sixth", "⅚": "five sixths", "⅛": "one eighth",
    "⅜": "three eighths",
    "⅝": "five eighths", "⅞": "seven eighths",
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}


def fraction(upper: str, lower: str) -> str:
    """Return a fraction in words: three quarters, two hundred over three hundred."""
    top, bottom = int(upper), int(lower)
    if bottom < 2 or bottom > 100:
        return f"{cardinal(upper)} over {cardinal(lower)}"
    part = {2: "half", 4: "quarter"}.get(bottom, ordinal(lower))
    if top != 1:
        part = "halves" if bottom == 2 else part + "s"
    return f"{cardinal(upper)} {part}"


@rule(
    r"(?P<n>\d{1,3}(?:,\d{3})+|\d{1,15})(?:-?(?P<th>(?i:st|nd|rd|th))(?P<s>s)?(?!\w)|\s(?P<apart>st|nd|rd|th)(?=\s[a-z]))",
    "d",
)
def ordinal_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read 21st; what is no ordinal (11st) is read as it is written."""
    digit = match["n"][-1] if match["n"].replace(",", "").replace(" ", "")[-2:-1] != "1" else ""
    if (match["th"] or match["apart"]).lower() != {"1": "st", "2": "nd", "3": "rd"}.get(digit, "th"):
        return None
    return [ordinal(match["n"]) + (match["s"] or "")]


@rule(rf"(?P<sign>{_SIGN})(?P<a>{NUMBER})(?:\s?%?\s?[-–~]\s?(?P<b>{NUMBER}))?\s?(?P<kind>%|‰|percent\b)(?!\w)", "do")
def percentage(match: re.Match[str], context: Context) -> Reading:
    """Read 5% and 5-10%."""
    words = [number(match["sign"] + match["a"])]
    if match["b"]:
        words.extend(["to", number(match["b"])])
    return [*words, "per mille" if match["kind"] == "‰" else "percent"]


@rule(
    r"(?:(?P<whole>\d{1,6})(?:\s|-))?(?P<a>\d{1,6})(?P<gap>\s?)/(?P=gap)(?P<b>\d{1,6})(?i:ths|th|rds|rd|nds|nd)?(?!\w|/\d|[.,]\d)",
    "d",
)
def slashed(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3/4, 2 1/2, and 24/7."""
    if not match["whole"] and not match["gap"]:
        if _is_time_signature(match, context):
            return [cardinal(match["a"]), cardinal(match["b"])]
        if _is_score(match):
            return [cardinal(match["a"]), "out of", cardinal(match["b"])]
    if not match["whole"] and not match["gap"] and _RATED.match(match.string, match.end()):
        return [cardinal(match["a"]), "out of", cardinal(match["b"])]
    if match.group() == "24/7":
        return ["twenty four seven"]
    if match["a"] == match["b"] and match["a"] in ("50", "20"):
        return [f"{cardinal(match['a'])} {cardinal(match['b'])}"]
    if match.group() in ("9/11", "7/11") and not re.match(r"\sof\b", match.string[match.end() :]):
        return [f"{cardinal(match['a'])} {cardinal(match['b'])}"]
    if match["whole"] and int(match["a"]) >= int(match["b"]) > 100:
        return None
    if match["gap"] and match["whole"]:
        return None
    if re.match(r"\s*=", match.string[match.end() :]) and not match["whole"]:
        return [cardinal(match["a"]), "divided by", cardinal(match["b"])]
    if not match["whole"] and int(match["a"]) > int(match["b"]) >= 10:
        return [cardinal(match["a"]), "over", cardinal(match["b"])]
    part = fraction(match["a"], match["b"])
    if (
        match["a"] == "1"
        and int(match["b"]) > 100
        and re.match(r"\s(?:of\sa\s)?sec(?:ond)?s?\b", match.string[match.end() :])
    ):
        part = f"one {ordinal(match['b'])}"
    if match["whole"]:
        return [cardinal(match["whole"]), "and", with_article(part)]
    return [part]


_RATED = re.compile(
    r"\s(?:stars?|people|points?|students|users|customers|patients|doctors|dentists|kids|children|women|men|adults|cases|tests"
    r"|times|votes|ratings?|reviews|countries|states|passed|failed)\b"
)


_MUSIC = re.compile(
    r"[\s-](?:time|meter|metre|signatures?|rhythms?|grooves?|feel|beats?|waltz(?:es)?|march(?:es)?|shuffles?|swing)\b"
)


def _is_time_signature(match: re.Match[str], context: Context) -> bool:
    """Say whether two numbers with a slash are the time of music: a waltz in 3/4 time, played in 6/8."""
    if match["a"] not in ("2", "3", "4", "5", "6", "7", "8", "9", "11", "12") or match["b"] not in (
        "2",
        "4",
        "8",
        "16",
    ):
        return False
    before, following = match.string[: match.start()], match.string[match.end() :]
    if _MUSIC.match(following) or (match["a"] == match["b"] and re.match(r"\s(?:bars?|measures?)\b", following)):
        return True
    ends = re.match(r"\s*$|[.,;:!?)](?:\s|$)|\s(?:and|with|but|throughout)\b", following)
    if re.search(r"\b(?:cut|split|divided?|filled)\s(?:\w+\s)?in\s$", before):
        return False
    counted = context.previous.lower() == "in" or re.search(r"\bin\s\d{1,2}/\d{1,2},?\s(?:and|or)\s$", before)
    return bool(counted) and match["b"] != "16" and ends is not None


_GRADED = re.compile(
    r"\b(?:scor(?:es?|ed|ing)|rat(?:es?|ed|ing)|gives?|gave|given|giving|got|gets?|received?|awarded|earned|solid|perfect|grade"
    r"|marks?|verdict|overall)(?:\s(?:it|this|that|them|him|her|me|us|you|of|was|is|at))?(?:\san?)?(?:\s(?:solid|perfect|strong|full))?:?\s$",
    re.IGNORECASE,
)
_A_PART = re.compile(
    r"(?i:ths|th|rds|rd|nds|nd)|\s(?:of\b|an?\s(?:mile|inch|second)|full\b|empty\b|miles?\b|inch(?:es)?\b|cups?\b|seconds?\b"
    r"|meters?\b|scale\b)|\s?[-+*=×÷]|[\s-]inch\b"
)


def _is_score(match: re.Match[str]) -> bool:
    """Say whether two numbers with a slash are so many points out of all: 9/10, 10/10, scored 45/50."""
    top, bottom = int(match["a"]), int(match["b"])
    before, following = match.string[: match.start()], match.string[match.end() :]
    if top > bottom or match.group()[-1].isalpha() or _A_PART.match(following) or re.search(r"[+*=×÷-]\s?$", before):
        return False
    graded = _GRADED.search(before) is not None
    if top == bottom:
        return (graded or bottom not in (20, 50)) and 1 < bottom <= 1000
    if bottom in (10, 100):
        return top > 1 or graded
    return graded and bottom >= 5 and (bottom % 5 == 0 or bottom > 12)


@rule(r"(?P<a>\d\.\d)/(?P<b>5|10)(?!\w|[.,]\d|/)", "d")
def rating(match: re.Match[str], context: Context) -> Reading:
    """Read 4.5/5: four point five out of five."""
    return [number(match["a"]), "out of", cardinal(match["b"])]


_FIREARMS = (
    r"(?=[\s-]?(?:cal(?:iber|ibre)?s?\b|Magnums?\b|magnums?\b|ACP\b|Special\b|rifles?\b|pistols?\b|revolvers?\b|handguns?\b|rounds?\b"
    r"|bullets?\b|ammo\b|ammunition\b|Colt\b|Winchester\b|Remington\b|Smith\b|LR\b|WMR\b|BMG\b|guns?\b|shells?\b|cartridges?\b))"
)


@rule(
    rf"(?<![\w.])\.(?P<n>\d{{2,3}}){_FIREARMS}|(?<![\w.])\.(?P<alone>22|25|32|38|44|45|50|357|380)(?=[,;!?]|\.?\s*$|\s(?:and|in|from|at|on)\s)",
    "o",
)
def caliber(match: re.Match[str], context: Context) -> Reading | None:
    """Read .45 caliber and a .22 rifle: the number of a weapon has no point."""
    text = match["n"] or match["alone"]
    if match["alone"] and context.previous.lower() not in ("a", "his", "her", "my", "their"):
        return None
    if text[0] == "0":
        return None
    return [pairs(text) if len(text) == 3 else cardinal(text)]


@rule(r"(?P<n>\d{1,3})[ -]?(?:yo|y/o|y\.o\.)(?!\w)", "d")
def age(match: re.Match[str], context: Context) -> Reading:
    """Read 10yo: ten year old."""
    return [cardinal(match["n"]), "year old"]


@rule(r"(?P<n>\d)\*(?=[\s-](?:hotels?|ratings?|reviews?|rated|resorts?|service|general))", "d")
def stars(match: re.Match[str], context: Context) -> Reading:
    """Read 5* hotel."""
    return [cardinal(match["n"]), "star"]


def with_article(part: str) -> str:
    """Return a fraction as it is said after a whole number: two and a half."""
    return "a" + part.removeprefix("one") if part.startswith("one ") and " over " not in part else part


@rule(rf"(?:(?P<n>\d{{1,9}})\s?)?(?P<part>[{''.join(VULGAR)}])", "do")
def vulgar(match: re.Match[str], context: Context) -> Reading:
    """Read ½ and 2½."""
    part = VULGAR[match["part"]]
    if match["n"]:
        return [cardinal(match["n"]), "and", with_article(part)]
    return [part]


@rule(r"(?P<n>\d+(?:\.\d+)?)\s?(?:\^|\*\*)\s?(?P<p>-?\d{1,4})(?!\w)|(?P<m>\d+(?:\.\d+)?)(?P<q>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+)", "d")
def power(match: re.Match[str], context: Context) -> Reading:
    """Read 10^6 and 10⁶."""
    base, exponent = (match["n"], match["p"]) if match["n"] else (match["m"], match["q"].translate(_SUPERSCRIPT))
    if exponent == "2":
        return [number(base), "squared"]
    if exponent == "3":
        return [number(base), "cubed"]
    return [number(base), "to the power of", number(exponent) if exponent.strip("+-") else "plus"]


@rule(r"\^\s?\{?(?P<p>-?\d{1,4}|(?P<letter>[a-zA-Z]))\}?(?!\w)", "o")
def exponent(match: re.Match[str], context: Context) -> Reading | None:
    """Read the exponent of x^2."""
    if not match.string[: match.start()][-1:].isalnum():
        return None
    if match["letter"]:
        return ["to the power of", SpokenWord(match["letter"].upper(), letter=True)]
    return [{"2": "squared", "3": "cubed"}.get(match["p"], f"to the power of {number(match['p'])}")]


@rule(r"(?P<n>[-+]?\d+(?:\.\d+)?)[eE](?P<p>[-+]?\d{1,3})(?!\w)", "do")
def scientific(match: re.Match[str], context: Context) -> Reading:
    """Read 1.5e-3."""
    return [number(match["n"]), "times ten to the", number(match["p"].replace("+", ""))]


@rule(r"(?P<n>\d+(?:\.\d+)?)(?P<scale>k|K|M|bn|B)(?!\w)", "d")
def scaled(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10k: ten thousand; 4K is the name of a screen's size."""
    if re.search(r"\w-$", match.string[: match.start()]):
        return None
    race = re.match(r"\s(?:runs?|races?|walk|marathon|resolution|monitor|video|display)\b", match.string[match.end() :])
    if match["scale"] in "kK" and (race or (match["scale"] == "K" and match["n"] in ("2", "4", "8"))):
        return [cardinal(match["n"]), SpokenWord("K", letter=True)]
    if match["scale"] == "B" and "." not in match["n"]:
        # A flat, a size, a house number: 221B.
        return [cardinal(match["n"]), SpokenWord("B", letter=True)]
    return [number(match["n"]), _SCALES[match["scale"].lower()]]


@rule(r"(?<=[/-])\d{5,}(?![\w.,]\d|\w)|\d{5,}(?=-[^\W\d_])", "d")
def serial_number(match: re.Match[str], context: Context) -> Reading:
    """Read the long part of a serial number digit by digit."""
    return [digits(match.group(), context.language)]


@rule(r"\d{1,7}(?:-\d{1,7}){2,}(?!\w|-)", "d")
def groups(match: re.Match[str], context: Context) -> Reading:
    """Read groups of digits, as in the number of a book, digit by digit."""
    words: list[str | SpokenWord] = []
    for place, group in enumerate(match.group().split("-")):
        words.extend([*([","] if place else []), digits(group, context.language)])
    return words


@rule(r"(?P<a>\d{1,4}):(?P<b>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,4})(?:[-–](?P<c>\d{1,3}))?(?!\w|:\d)", "d")
def ratio(match: re.Match[str], context: Context) -> Reading | None:
    """Read 16:9, and the verses of Genesis 1:1-3."""
    if match["c"]:
        if not re.fullmatch(r"[A-Z][a-z]+\.?", context.previous) or int(match["c"]) <= int(match["b"]):
            return None
        return [cardinal(match["a"]), cardinal(match["b"]), "to", cardinal(match["c"])]
    return [cardinal(match["a"]), "to", cardinal(match["b"])]


def _plausible_range(first: str, last: str) -> bool:
    """Say whether two numbers with a hyphen between them are a range, or a name such as 978-0 or 1-8090."""
    longer = len(last) - len(first)
    if "." in first + last:
        return True
    return not (longer <= -2 or (longer >= 3 and not last.endswith("00")))


@rule(
    rf"(?<![^\W\d]-)(?P<a>{NUMBER})(?P<sign>\s?[-–−]\s?|~|\s~\s)(?P<b>{NUMBER})(?:(?P<equals>\s*=)|(?![\w%]|[-–]\w|[.,]\d))",
    "d",
)
def span(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10-20: ten to twenty; before an equals sign, or falling with blanks around the hyphen, a subtraction."""
    a, b = match["a"].replace(",", "").replace(" ", ""), match["b"].replace(",", "").replace(" ", "")
    if match.group() in ("50-50", "20-20", "50–50"):
        return [number(a), number(b)]
    if "~" in match["sign"]:
        return None if match["equals"] else [number(match["a"]), "to", number(match["b"])]
    if match["equals"]:
        return [number(a), "minus", number(b), "equals"]
    spaced = match["sign"][0] == match["sign"][-1] == " "
    if spaced and float(a) >= float(b):
        return [number(match["a"]), "minus", number(match["b"])]
    if not _plausible_range(a, b) or (spaced and float(b) > 200 * float(a)):
        return [number(match["a"]), *(["—"] if spaced else []), number(match["b"])]
    return [number(match["a"]), "to", number(match["b"])]


@rule(r"[-–](?=[$€£¥']?\d)|[-–](?=(?:present|now|today)\b)", "o")
def to_between(match: re.Match[str], context: Context) -> Reading | None:
    """Read the hyphen between two quantities of the same kind: 1960s-80s, 2%-10%, 5km-10km, 1990-present."""
    before, after = context.previous, match.string[match.end() :]
    if not match.string[: match.start()].endswith(before) or not re.match(r"[$€£¥']?\d", before):
        return None
    if not after[0].isdigit() and after[0] not in "$€£¥'":
        return ["to"] if re.fullmatch(r"\d{4}s?", before) else None
    tail = re.match(r"[$€£¥']?\d[\d.,]*([%°]?[A-Za-z]*)", after)
    own = re.search(r"([%°]?[A-Za-z]*)$", before)
    same = tail is not None and own is not None and (tail[1] == own[1] != "" or before[0] == after[0] in "$€£¥")
    ordinals = ("st", "nd", "rd", "th")
    same = same or (before[0] == after[0] == "'")
    same = same or (tail is not None and own is not None and tail[1] in ordinals and own[1] in ordinals)
    return ["to"] if same else None


_OPERATORS = {"en": ("minus", "times"), "de": ("minus", "mal")}


@rule(r"[-−](?=\s?(?:\d|[a-z](?!\w)))|[*](?=\s?(?:\d|[a-z](?!\w)))", "o")
def operator(match: re.Match[str], context: Context) -> Reading | None:
    """Read the minus and the asterisk of a formula: 2x - 1, 3*4, a*b."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    spaced = before.endswith(" ") and after.startswith(" ")
    if before.endswith(" ") != after.startswith(" "):
        return None
    term = re.search(r"(?:^|[^\w'.])(\d*[a-z]|\d+(?:\.\d+)?)[)]?$", before.rstrip())
    if term is None:
        return None
    minus, product = _OPERATORS[context.language]
    if match.group() == "*":
        return [product]
    algebra = term[1][-1].isalpha() and (term[1][0].isdigit() or "=" in match.string or re.match(r"\s?\d", after))
    if spaced and algebra and term[1] not in ("a", "i"):
        return [minus]
    if not spaced and re.search(r"[xyznk]$", term[1]) and (len(term[1]) > 1 or "=" in match.string):
        return [minus]
    return None


@rule(rf"(?<![\w)\]%])(?P<sign>[+-]|{LONG_MINUS})(?P<n>{NUMBER})(?!\w)", "o")
def signed(match: re.Match[str], context: Context) -> Reading:
    """Read -5: minus five."""
    return [number(match.group())]


@rule(r"\+\s?/\s?[-–−]|\+-(?=\s?[\d.])|(?i:plus/minus)(?!\w)|-/\+", "lo")
def plus_or_minus(match: re.Match[str], context: Context) -> Reading:
    """Read +/- as ± is read."""
    return ["minus or plus" if match.group()[0] == "-" else "plus or minus"]


_RESOLUTION = re.compile(r"(?:144|240|360|480|540|576|720|1080|1440|2160|4320)(?=[pi](?![^\W\d]))")
_CIRCLE = {
    "en": ("degrees", "minutes", "seconds", {"N": "north", "S": "south", "E": "east", "W": "west"}),
    "de": ("Grad", "Minuten", "Sekunden", {"N": "Nord", "S": "Süd", "E": "Ost", "O": "Ost", "W": "West"}),
}  # fmt: skip


@rule(
    r"(?P<d>\d{1,3})°\s?(?P<m>\d{1,2})[′']\s?(?:(?P<s>\d{1,2}(?:\.\d+)?)[″\"])?(?:\s?(?P<to>[NSEWO])(?!\w))?"
    r"|(?P<n>\d{1,3}[.,]\d{2,8})°\s?(?P<at>[NSEWO])(?!\w)",
    "d",
)
def coordinates(match: re.Match[str], context: Context) -> Reading:
    """Read 40°42′46″N and 40.7128° N."""
    degrees, minutes, seconds, names = _CIRCLE[context.language]
    language, mark = context.language, "." if context.language == "en" else ","
    if match["n"]:
        return [number(re.sub("[.,]", mark, match["n"]), language), degrees, names.get(match["at"], "")]
    words = [cardinal(match["d"], language), degrees, cardinal(str(int(match["m"])), language), minutes]
    if match["s"]:
        words.extend([number(match["s"].replace(".", mark), language), seconds])
    return [*words, *([names.get(match["to"], "")] if match["to"] else [])]


NAMED_MODEL = re.compile(r"(?:[A-Za-z]*[a-z][A-Z]\w*|Galaxy|Nexus|Pixel|Model|Series|Kindle|Lumia|Xperia|Redmi)$")


@rule(
    r"(?P<n>\d{1,3}(?:,\d{3})++|\d++(?:\.\d++)?|(?<!\w)\.\d++)(?P<tail>[^\W\d_]+|(?<=\d)[pi](?:24|25|30|48|50|60|120))(?!\w)",
    "do",
)
def number_with_letters(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1080p, 12a, 99p, 80proof, 747s, 5s: the number, then the letters."""
    text, tail = match["n"], match["tail"]
    spoken = pairs(text) if _RESOLUTION.match(match.group()) else number(text)
    if tail == "s":
        if NAMED_MODEL.search(context.previous) and len(text) <= 2:
            return [spoken, SpokenWord("S", letter=True)]
        return [plural(spoken)]
    return [spoken, *split_identifier(tail, context)]


@rule(r"\d{1,3}(?:_\d{3})+(?!\w)|[1-9]\d{0,2}(?:'\d{3})+(?!\w)", "d")
def underscored(match: re.Match[str], context: Context) -> Reading:
    """Read 1_000_000, as programs write it, and 1'000'000, as the Swiss do."""
    return [number(re.sub("[_']", ",", match.group()))]


_SHORT_NUMBERS = word_set("999 112 111 000 101 110 113 118 119 211 311 411 511 611 711 811 988 1177 116117")
_CALLERS = re.compile(r"\s(?:calls?|callers?|operators?|dispatch(?:ers?)?|emergency|hotline)\b")


def _is_dialled(match: re.Match[str], context: Context) -> bool:
    """Say whether a number is called on the telephone: dial 999, call 112, a 999 call; not 999 people."""
    text, before = match.group(), context.previous.lower()
    if not text.isdecimal():
        return False
    if re.fullmatch(r"dial(?:l?ed|l?ing|s)?", before):
        return len(text) > 1
    if text not in _SHORT_NUMBERS:
        return False
    following = match.string[match.end() :]
    if re.fullmatch(r"call(?:ed|ing|s)?|ring|rang|phon(?:e|ed|ing)|text(?:ed|ing)?", before):
        return re.match(r"\s(?:[a-z]+s|people|men|women|children|more)\b", following) is None
    return text in ("999", "112") and _CALLERS.match(following) is not None


@rule(rf"(?P<n>{NUMBER})(?P<s>'?s)?(?![^\W\d])", "do")
def plain(match: re.Match[str], context: Context) -> Reading:
    """Read any other number; that of an emergency call by its digits."""
    if match.group() == "911" or _is_dialled(match, context):
        return [digits(match["n"])]
    spoken = number(match["n"])
    if match["n"][0] == "." and (len(match["n"]) > 3 or re.match(r"\s[mbtr]+illion\b", match.string[match.end() :])):
        # Read as it is written; only a short decimal needs its zero to be understood.
        spoken = spoken.removeprefix("zero ")
    return [spoken + ("'s" if match["s"] else "")]


@rule(r"\d+", "d")
def leftover_digits(match: re.Match[str], context: Context) -> Reading:
    """Read digits that stand in a row of something unknown."""
    return [cardinal(match.group()) if len(match.group()) <= 4 else digits(match.group())]


@rule(r"[#№]\s?(?P<n>\d{1,9})(?!\w)", "o")
def numbered(match: re.Match[str], context: Context) -> Reading:
    """Read #5: number five."""
    called = context.previous.lower() in ("number", "no", "no.", "unit")
    return [*([] if called else ["number"]), cardinal(match["n"])]


@rule(r"(?P<sign>[~≈<>≤≥])\s?(?=\d)", "o")
def approximate(match: re.Match[str], context: Context) -> Reading:
    """Read the sign in ~5 and <10."""
    names = {"~": "about", "≈": "about", "<": "less than", ">": "more than", "≤": "at most", "≥": "at least"}
    return [names[match["sign"]]]


QUANTITY_RULES = (
    caliber, ordinal_number, percentage, rating, age, stars, slashed, vulgar, power, exponent, scientific,
    ratio, scaled, number_with_letters,
    serial_number,
    groups, span, to_between, plus_or_minus, operator, signed,
    numbered, approximate, underscored, plain,
)  # fmt: skip
LAST_QUANTITY_RULES = (leftover_digits,)
