"""English quantities: ordinals, fractions, percentages, ranges, plain numbers, units of measure, money."""

import re

from glowvox.text.normalise.identifiers import split_identifier
from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal, pairs, plural, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

# Possessive: a number that something unknown follows is not cut in two.
NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)|[1-9]\d{0,2}(?:[ ]\d{3}){2,}+(?![\d,]|-\d)"
    r"|[1-9]\d{0,2}[ ]000(?![\d,]|[ -]\d)|\d++)(?:\.\d++)?|(?<!\w)\.\d++"
)
# A hyphen after a letter, a digit or a closing bracket is no sign.
_SIGN = r"(?:(?<![\w)\]%.°])[-+−])?"
_VULGAR = {
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


@rule(rf"(?P<sign>{_SIGN})(?P<a>{NUMBER})(?:\s?%?\s?[-–]\s?(?P<b>{NUMBER}))?\s?(?P<kind>%|‰|percent\b)(?!\w)", "do")
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
    if not match["whole"] and not match["gap"] and _RATED.match(match.string, match.end()):
        return [cardinal(match["a"]), "out of", cardinal(match["b"])]
    if match.group() == "24/7":
        return ["twenty four seven"]
    if match["a"] == match["b"] and match["a"] in ("50", "20"):
        return [f"{cardinal(match['a'])} {cardinal(match['b'])}"]
    if match.group() == "9/11":
        return ["nine eleven"]
    if match["whole"] and int(match["a"]) >= int(match["b"]) > 100:
        return None
    if match["gap"] and match["whole"]:
        return None
    if re.match(r"\s*=", match.string[match.end() :]) and not match["whole"]:
        return [cardinal(match["a"]), "divided by", cardinal(match["b"])]
    if not match["whole"] and int(match["a"]) > int(match["b"]) >= 10:
        return [cardinal(match["a"]), "over", cardinal(match["b"])]
    part = fraction(match["a"], match["b"])
    if match["whole"]:
        return [cardinal(match["whole"]), "and", _with_article(part)]
    return [part]


_RATED = re.compile(
    r"\s(?:stars?|people|points?|students|users|customers|patients|doctors|dentists|kids|children|women|men|adults|cases|tests"
    r"|times|votes|ratings?|reviews|countries|states|passed|failed)\b"
)


@rule(r"(?P<a>\d\.\d)/(?P<b>5|10)(?!\w|[.,]\d|/)", "d")
def rating(match: re.Match[str], context: Context) -> Reading:
    """Read 4.5/5: four point five out of five."""
    return [number(match["a"]), "out of", cardinal(match["b"])]


@rule(r"(?P<n>\d{1,3})[ -]?(?:yo|y/o|y\.o\.)(?!\w)", "d")
def age(match: re.Match[str], context: Context) -> Reading:
    """Read 10yo: ten year old."""
    return [cardinal(match["n"]), "year old"]


@rule(r"(?P<n>\d)\*(?=[\s-](?:hotels?|ratings?|reviews?|rated|resorts?|service|general))", "d")
def stars(match: re.Match[str], context: Context) -> Reading:
    """Read 5* hotel."""
    return [cardinal(match["n"]), "star"]


def _with_article(part: str) -> str:
    return "a" + part.removeprefix("one") if part.startswith("one ") and " over " not in part else part


@rule(rf"(?:(?P<n>\d{{1,9}})\s?)?(?P<part>[{''.join(_VULGAR)}])", "do")
def vulgar(match: re.Match[str], context: Context) -> Reading:
    """Read ½ and 2½."""
    part = _VULGAR[match["part"]]
    if match["n"]:
        return [cardinal(match["n"]), "and", _with_article(part)]
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
    rf"(?<![^\W\d]-)(?P<a>{NUMBER})(?P<sign>\s?[-–−]\s?)(?P<b>{NUMBER})(?:(?P<equals>\s*=)|(?![\w%]|[-–]\w|[.,]\d))",
    "d",
)
def span(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10-20: ten to twenty; before an equals sign, or falling with blanks around the hyphen, a subtraction."""
    a, b = match["a"].replace(",", "").replace(" ", ""), match["b"].replace(",", "").replace(" ", "")
    if match.group() in ("50-50", "20-20", "50–50"):
        return [number(a), number(b)]
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


@rule(rf"(?<![\w)\]%])(?P<sign>[+-])(?P<n>{NUMBER})(?!\w)", "o")
def signed(match: re.Match[str], context: Context) -> Reading:
    """Read -5: minus five."""
    return [number(match.group())]


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


_NAMED_MODEL = re.compile(r"(?:[A-Za-z]*[a-z][A-Z]\w*|Galaxy|Nexus|Pixel|Model|Series|Kindle|Lumia|Xperia|Redmi)$")


@rule(
    r"(?P<n>\d{1,3}(?:,\d{3})++|\d++(?:\.\d++)?|(?<!\w)\.\d++)(?P<tail>[^\W\d_]+|(?<=\d)[pi](?:24|25|30|48|50|60|120))(?!\w)",
    "do",
)
def number_with_letters(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1080p, 12a, 99p, 80proof, 747s, 5s: the number, then the letters."""
    text, tail = match["n"], match["tail"]
    spoken = pairs(text) if _RESOLUTION.match(match.group()) else number(text)
    if tail == "s":
        if _NAMED_MODEL.search(context.previous) and len(text) <= 2:
            return [spoken, SpokenWord("S", letter=True)]
        return [plural(spoken)]
    return [spoken, *split_identifier(tail, context)]


@rule(r"\d{1,3}(?:_\d{3})+(?!\w)|[1-9]\d{0,2}(?:'\d{3})+(?!\w)", "d")
def underscored(match: re.Match[str], context: Context) -> Reading:
    """Read 1_000_000, as programs write it, and 1'000'000, as the Swiss do."""
    return [number(re.sub("[_']", ",", match.group()))]


@rule(rf"(?P<n>{NUMBER})(?P<s>'?s)?(?![^\W\d])", "do")
def plain(match: re.Match[str], context: Context) -> Reading:
    """Read any other number; that of the emergency call by its digits."""
    if match.group() == "911":
        return [digits("911")]
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
    ordinal_number, percentage, rating, age, stars, slashed, vulgar, power, exponent, scientific,
    ratio, scaled, number_with_letters,
    serial_number,
    groups, span, to_between, operator, signed,
    numbered, approximate, underscored, plain,
)  # fmt: skip
LAST_QUANTITY_RULES = (leftover_digits,)


# Case matters: Mb is megabit, MB megabyte.
UNITS: dict[str, tuple[str, str]] = {
    symbol: (one, many or one + "s")
    for symbol, one, many in (
        ("km", "kilometer", ""), ("m", "meter", ""), ("cm", "centimeter", ""), ("mm", "millimeter", ""), ("nm",
        "nanometer", ""), ("dm", "decimeter", ""), ("dl", "deciliter", ""), ("dL", "deciliter", ""),
        ("µm", "micrometer", ""), ("μm", "micrometer", ""), ("mi", "mile", ""), ("yd", "yard", ""), ("ft", "foot",
        "feet"),
        ("in", "inch", "inches"), ("kg", "kilogram", ""), ("g", "gram", ""), ("mg", "milligram", ""), ("µg",
        "microgram", ""),
        ("μg", "microgram", ""), ("lb", "pound", ""), ("lbs", "pound", ""), ("qt", "quart", ""), ("qts", "quart", ""),
        ("pt", "pint", ""), ("pts", "point", ""),
        ("kts", "knot", ""), ("doz", "dozen", "dozen"), ("mo", "month", ""),
        ("mos", "month", ""), ("Gbit", "gigabit", ""), ("Mbit", "megabit", ""),
        ("kbit", "kilobit", ""), ("kgs", "kilogram", ""), ("kms", "kilometer", ""),
        ("cms", "centimeter", ""), ("gms", "gram", ""), ("tsp", "teaspoon", ""), ("tbsp", "tablespoon", ""),
        ("kmh", "kilometer per hour", "kilometers per hour"), ("kmph", "kilometer per hour", "kilometers per hour"),
        ("yds", "yard", ""), ("nmi", "nautical mile", ""), ("mpg", "mile per gallon", "miles per gallon"),
        ("ppm", "part per million", "parts per million"), ("mmHg", "millimeter of mercury", "millimeters of mercury"),
        ("MJ", "megajoule", ""), ("µL", "microliter", ""), ("μL", "microliter", ""), ("kN", "kilonewton", ""),
        ("lux", "lux", "lux"), ("Nm", "newton meter", ""), ("Wh", "watt hour", ""), ("GWh", "gigawatt hour", ""),
        ("ha", "hectare", ""), ("Mbit/s", "megabit per second", "megabits per second"),
        ("hp", "horsepower", "horsepower"),
        ("kcal", "kilocalorie", ""), ("cm³", "cubic centimeter", ""), ("THz", "terahertz", "terahertz"),
        ("oz", "ounce", ""), ("t", "ton", ""),
        ("l", "liter", ""),
        ("L", "liter", ""), ("ml", "milliliter", ""), ("mL", "milliliter", ""), ("cl", "centiliter", ""), ("gal",
        "gallon", ""),
        ("s", "second", ""), ("sec", "second", ""), ("secs", "second", ""), ("ms", "millisecond", ""), ("µs",
        "microsecond", ""),
        ("μs", "microsecond", ""), ("ns", "nanosecond", ""), ("min", "minute", ""), ("mins", "minute", ""), ("h",
        "hour", ""),
        ("hr", "hour", ""), ("hrs", "hour", ""), ("yr", "year", ""), ("yrs", "year", ""), ("wk", "week", ""),
        ("wks", "week", ""),
        ("cc", "C C", "C C"), ("sq ft", "square foot", "square feet"), ("sq m", "square meter", ""),
        ("sq km", "square kilometer", ""), ("sq mi", "square mile", ""), ("cu ft", "cubic foot", "cubic feet"),
        ("fl oz", "fluid ounce", ""), ("lbf", "pound force", "pounds force"),
        ("Hz", "hertz", "hertz"), ("kHz", "kilohertz", "kilohertz"), ("MHz", "megahertz", "megahertz"),
        ("GHz", "gigahertz", "gigahertz"), ("W", "watt", ""), ("kW", "kilowatt", ""), ("MW", "megawatt", ""),
        ("GW", "gigawatt", ""),
        ("kWh", "kilowatt hour", ""), ("MWh", "megawatt hour", ""), ("V", "volt", ""), ("kV", "kilovolt", ""),
        ("mV", "millivolt", ""), ("MV", "megavolt", ""), ("mW", "milliwatt", ""), ("MHz", "megahertz", "megahertz"),
        ("mA", "milliamp", ""), ("mAh", "milliamp hour", ""), ("Ω", "ohm", ""), ("kΩ", "kiloohm",
        ""),
        ("J", "joule", ""), ("kJ", "kilojoule", ""), ("N", "newton", ""), ("Pa", "pascal", ""), ("kPa",
        "kilopascal", ""),
        ("hPa", "hectopascal", ""), ("bar", "bar", ""), ("psi", "P S I", "P S I"), ("cal", "calorie", ""), ("kcal",
        "kilocalorie", ""),
        ("kB", "kilobyte", ""), ("KB", "kilobyte", ""), ("MB", "megabyte", ""), ("GB",
        "gigabyte", ""),
        ("TB", "terabyte", ""), ("PB", "petabyte", ""), ("KiB", "kibibyte", ""), ("MiB", "mebibyte", ""), ("GiB",
        "gibibyte", ""),
        ("kb", "kilobit", ""), ("Mb", "megabit", ""), ("Gb", "gigabit", ""), ("Kbps", "kilobit per second",
        "kilobits per second"), ("Tbps", "terabit per second", "terabits per second"),
        ("MB/s", "megabyte per second", "megabytes per second"), ("GB/s", "gigabyte per second",
        "gigabytes per second"),
        ("kbps", "kilobit per second",
        "kilobits per second"),
        ("Mbps", "megabit per second", "megabits per second"), ("Gbps", "gigabit per second", "gigabits per second"),
        ("dB", "decibel", ""), ("fps", "frame per second", "frames per second"), ("rpm", "R P M", "R P M"),
        ("RPM", "R P M", "R P M"), ("dpi", "D P I", "D P I"), ("bpm", "beat per minute", "beats per minute"),
        ("mph", "mile per hour", "miles per hour"), ("kph", "kilometer per hour", "kilometers per hour"),
        ("ha", "hectare", ""), ("mol", "mole", ""), ("px", "pixel", ""), ("MP", "megapixel", ""), ("K", "kelvin",
        "kelvin"),
        ("atm", "atmosphere", ""), ("Sv", "sievert", ""), ("mSv", "millisievert", ""), ("µSv", "microsievert", ""),
        ("μSv", "microsievert", ""), ("Gy", "gray", ""), ("Bq", "becquerel", ""), ("MPa", "megapascal", ""),
        ("GPa", "gigapascal", ""), ("eV", "electron volt", ""), ("keV", "kilo electron volt", ""),
        ("MeV", "mega electron volt", ""), ("GeV", "giga electron volt", ""), ("TeV", "tera electron volt", ""),
        ("lm", "lumen", ""), ("lx", "lux", "lux"), ("cd", "candela", ""), ("kgf", "kilogram force", "kilograms force"),
        ("amu", "atomic mass unit", ""), ("AU", "astronomical unit", ""), ("mcg", "microgram", ""),
        ("gpm", "gallon per minute", "gallons per minute"), ("GJ", "gigajoule", ""), ("TJ", "terajoule", ""),
        ("ng", "nanogram", ""), ("pg", "picogram", ""), ("kt", "kiloton", ""), ("kn", "knot", ""),
        ("mmol", "millimole", ""), ("ppb", "part per billion", "parts per billion"), ("rad", "radian", ""),
        ("mrad", "milliradian", ""), ("TWh", "terawatt hour", ""), ("TW", "terawatt", ""), ("Ah", "amp hour", ""),
        ("kVA", "kilovolt amp", ""), ("pm", "picometer", ""), ("kr", "krone", "kroner"),
        ("°", "degree", ""), ("°C", "degree Celsius", "degrees Celsius"), ("°F", "degree Fahrenheit",
        "degrees Fahrenheit"),
        ("℃", "degree Celsius", "degrees Celsius"), ("℉", "degree Fahrenheit", "degrees Fahrenheit"),
        ("º", "degree", ""), ("ºC", "degree Celsius", "degrees Celsius"), ("ºF", "degree Fahrenheit",
        "degrees Fahrenheit"),
    )
}  # fmt: skip
PER = {
    "s": "second", "h": "hour", "hr": "hour", "min": "minute", "m": "meter", "m²": "square meter",
    "m2": "square meter",
    "m³": "cubic meter", "m3": "cubic meter", "km": "kilometer", "kg": "kilogram", "l": "liter", "L": "liter",
    "ml": "milliliter",
    "day": "day", "week": "week", "month": "month", "year": "year", "person": "person", "night": "night", "mo": "month",
    "wk": "week", "yr": "year", "lb": "pound", "oz": "ounce", "sec": "second", "hour": "hour", "minute": "minute",
    "gal": "gallon", "s²": "second squared",
    "cm³": "cubic centimeter",
    "dL": "deciliter", "cm": "centimeter", "cm²": "square centimeter", "mol": "mole", "K": "kelvin",
}  # fmt: skip
_POWERS = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}
_NUMBER = rf"(?P<n>(?:(?<![\w)\]%.°\"'])[-+−])?(?:{NUMBER}))"
_MAGNITUDE = r"(?:\s(?P<scale>hundred|thousand|million|billion|trillion)(?=\s))?"
# What people write in the wrong case, where only one unit can be meant: 100ML, 12KG, 3 mbps.
_FOLDED = {symbol.lower(): symbol for symbol in reversed(UNITS) if len(symbol) > 1} | {
    "mb": "MB", "gb": "GB", "kb": "KB", "mw": "mW", "mv": "mV", "mhz": "MHz", "mbps": "Mbps", "gbps": "Gbps", "l": "l",
    "v": "V", "w": "W",
}  # fmt: skip
_NOT_FOLDED = {
    "qt",
    "pt",
    "pts",
    "doz",
    "mo",
    "mos",
    "lux",
    "hp",
    "nmi",
    "in",
    "mi",
    "ma",
    "pa",
    "ms",
    "ns",
    "ha",
    "mol",
    "mp",
    "pb",
    "min",
    "bar",
    "cal",
    "t",
    "nm",
    "pm",
    "rad",
    "cd",
    "ng",
    "pg",
    "lm",
    "lx",
    "au",
    "ah",
    "gy",
    "sv",
    "bq",
    "ev",
    "tw",
    "gj",
    "tj",
    "kt",
    "kn",
    "kr",
}
_ANY_CASE = "|".join(re.escape(symbol) for symbol in sorted(_FOLDED, key=len, reverse=True))
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
_SYMBOL = f"(?:{_SYMBOL}|(?i:{_ANY_CASE}))"
_PER_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(PER, key=len, reverse=True))
# Symbols that are also words or letters need a number right before them or a sure sign after.
_DOUBTFUL = {"pm", "in", "K", "t", "h", "L", "l", "m", "N", "J", "V", "W", "g", "s"}


def unit_name(symbol: str, *, single: bool) -> str:
    """Return the name of a unit (a symbol of `UNITS`, or one with a raised 2 or 3) for one of it, or for many."""
    if symbol in UNITS:
        return UNITS[symbol][not single]
    return f"{_POWERS[symbol[-1]]} {UNITS[symbol[:-1]][not single]}"


def _unit(symbol: str, power: str | None, amount: str) -> str:
    one, many = UNITS.get(symbol) or UNITS[_FOLDED[symbol.lower()]]
    name = one if amount.lstrip("+-") == "1" else many
    return f"{_POWERS[power]} {name}" if power else name


@rule(
    rf"{_NUMBER}(?:\s?[-–x×]\s?(?P<last>\d+(?:\.\d+)?))?{_MAGNITUDE}(?P<gap>[\s-]?)(?P<unit>{_SYMBOL})"
    rf"(?P<power>[²³]|(?<=m)[23])?(?:/(?P<per>{_PER_SYMBOL}))?(?![\w²³]|(?<!°[CF])/(?!\d)|-[^\W\d]|'\w)"
    r"(?P<stop>(?<=[a-z])\.(?=\s[a-z]|[,;:)]|\s\d{1,2}\s?(?:in|oz|min|sec)\b))?",
    "do",
)
def measure(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 km, 20°C, 3.5 GHz, 60 km/h, 10 m², 5-10 kg."""
    symbol, gap = match["unit"], match["gap"]
    if _after_hyphenated_name(match) and symbol in _DOUBTFUL:
        return None
    if symbol not in UNITS and symbol.lower() in _NOT_FOLDED and (gap or len(symbol) < 3):
        return None
    if symbol == "v" and (gap or match["n"] not in _VOLTAGES):
        return None
    if symbol == "w" and (gap or not _DEVICE.match(match.string, match.end())):
        return None
    if not match["power"] and not match["per"] and not _surely_unit(symbol, gap, match):
        return None
    if symbol == "s" and gap.isspace() and re.fullmatch(r"(?:1\d|20)\d0", match["n"]):
        return [plural(year(match["n"]))]
    if (
        symbol == "s"
        and not gap
        and (
            not _counts_seconds(match["n"], context)
            or re.search(r"\dx", match.group())
            or (match["n"] == "10" and match.string[match.end() :].startswith(" of "))
        )
    ):
        return None
    words = [number(match["n"])]
    if match["last"]:
        words.extend(["by" if re.search(r"[x×]", match.group()) else "to", number(match["last"])])
    # A hyphen makes an adjective: a 5-km run is a five kilometer run.
    if match["scale"]:
        words.append(match["scale"])
    amount = "2" if match["scale"] else match["last"] or match["n"]
    # A 65W charger, a 5 kg bag.
    noun = (
        context.previous in ("a", "an", "A", "An", "another")
        and re.match(
            r"\s(?:(?!of\b|per\b|and\b|or\b|to\b|in\b|is\b|at\b)[a-z]{3,}|(?:TV|PC|SSD|HDD|LCD|LED|OLED|USB|RAM)\b)",
            match.string[match.end() :],
        )
    ) or (not gap and _DEVICE.match(match.string, match.end()))
    words.append(_unit(symbol, match["power"], "1" if gap == "-" or noun else amount))
    if match["per"]:
        words.append(f"per {PER[match['per']]}")
    return words


# A 5V supply, a 12v battery, 100mbps lines.
_DEVICE = re.compile(
    r"\s(?:suppl(?:y|ies)|batter(?:y|ies)|adapters?|chargers?|jacks?|lines?|uplinks?|connections?|motors?|bulbs?|outlets?|rails?"
    r"|monitors?|screens?|displays?|drives?|disks?|cards?|lens(?:es)?|cables?|hoses?|pipes?|engines?|tanks?|bottles?|speakers?|SSDs?|HDDs?|TVs?"
    r"|cameras?|videos?|relays?|races?|sprints?|dash|pools?|rooms?|towers?|files?|images?|rulers?)\b"
)
_VOLTAGES = ("3", "5", "6", "9", "12", "18", "24", "36", "48", "110", "115", "120", "220", "230", "240", "400")


def _after_hyphenated_name(match: re.Match[str]) -> bool:
    """Say whether the number is the second part of a name: step-3m, but not sub-10s."""
    before = re.search(r"([^\W_]+)-$", match.string[max(0, match.start() - 24) : match.start()])
    return before is not None and before[1].lower() not in ("sub", "mid", "pre", "post", "near", "ultra", "non")


_SECONDS_BEFORE = re.compile(
    r"^(?:within|after|every|takes?|took|lasts?|lasted|wait|waits|waited|timeout|than|least|most|=|duration|delay|ttl|time"
    r"|interval|latency|limit|runtime|length|for|last|next|only|just|another|about)$"
)


def _counts_seconds(text: str, context: Context) -> bool:
    """Say whether the s after a number stands for seconds: 11.2s, 30s, not 747s, 1960s, iPhone 5s."""
    if "." in text or _SECONDS_BEFORE.search(context.previous.lower()):
        return True
    if _NAMED_MODEL.search(context.previous):
        return False
    if re.fullmatch(r"[A-Z][a-z]+", context.previous) and len(text) == 3:
        return False
    plain = text.lstrip("+-").replace(",", "").replace(" ", "")
    # Decades have been asked before: what is left of 20s to 90s counts seconds.
    return len(plain) < 3 or (len(plain) == 3 and plain[2] == "0")


def _surely_unit(symbol: str, gap: str, match: re.Match[str]) -> bool:
    """Say whether a symbol that is also a word or a letter stands for a unit here."""
    if symbol == "K":
        return gap.isspace()
    if symbol not in _DOUBTFUL or not gap:
        return True
    if symbol == "in":
        following = match.string[match.end() :]
        return gap.isspace() and (
            bool(match.groupdict().get("stop")) or re.match(r"\.|\s*$|\s[x×]\s", following) is not None
        )
    return gap.isspace()


@rule(r"(?:(?P<d>\d+)d\s?)?(?P<h>\d+)h\s?(?P<m>[0-5]?\d)(?:m|min)?(?:\s?(?P<s>[0-5]?\d)s)?(?!\w)", "d")
def hours_and_minutes(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2h30m and 1d 4h 5m."""
    return _duration((match["d"], "day"), (match["h"], "hour"), (match["m"], "minute"), (match["s"], "second"))


@rule(r"(?P<m>\d+)m(?:in)?\s?(?P<s>[0-5]?\d)s(?!\w)|(?P<d>\d+)d\s?(?P<h>\d+)h(?!\w)", "d")
def minutes_and_seconds(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5m30s."""
    return _duration((match["d"], "day"), (match["h"], "hour"), (match["m"], "minute"), (match["s"], "second"))


def _duration(*parts: tuple[str | None, str]) -> Reading:
    return [f"{number(value)} {unit}{'' if int(value) == 1 else 's'}" for value, unit in parts if value]


@rule(
    rf"(?:(?:(?P<whole>\d{{1,6}})[\s-])?(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})|(?P<n>\d{{1,6}})?\s?(?P<part>[{''.join(_VULGAR)}]))"
    rf"(?P<gap>[\s-]?)(?P<unit>{_SYMBOL})(?P<power>[²³])?(?![\w²³/]|-\w|'\w)",
    "do",
)
def fraction_of_unit(match: re.Match[str], context: Context) -> Reading | None:
    """Read 4 1/2 lbs and ½ kg."""
    symbol, gap = match["unit"], match["gap"]
    listed = symbol == "in" and re.match(r"[,;)]", match.string[match.end() :])
    if (symbol in _DOUBTFUL and not listed and not _surely_unit(symbol, gap, match)) or (
        symbol not in UNITS and symbol.lower() in _NOT_FOLDED
    ):
        return None
    if match["a"] and int(match["a"]) >= int(match["b"]):
        return None
    whole = match["whole"] or match["n"]
    part = fraction(match["a"], match["b"]) if match["a"] else _VULGAR[match["part"]]
    unit = _unit(symbol, match["power"], "2" if whole and gap != "-" else "1")
    if whole:
        return [cardinal(whole), "and", _with_article(part), unit]
    return [part, unit]


@rule(rf"(?P<n>{NUMBER})/(?P<per>{_PER_SYMBOL})(?P<power>[²³])?(?![\w²³/])", "d")
def rate(match: re.Match[str], context: Context) -> Reading | None:
    """Read 12/kg, 3/day: per."""
    if match["per"] in ("s", "m", "h", "l", "K") and len(match["n"]) < 3 and not match["power"]:
        return None
    power = f"{_POWERS[match['power']]} " if match["power"] else ""
    return [number(match["n"]), "per", power + PER[match["per"]]]


def _in_quotes(match: re.Match[str]) -> bool:
    """Say whether a quote is open: signs of inches, right after a number, are none."""
    before = re.sub(r"\d(?:\"|'')", "", match.string[: match.start()])
    return before.count('"') % 2 == 1 or before.count("''") % 2 == 1


@rule(r"(?:(?P<whole>\d{1,3})[\s-])?(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:\"|'')(?!\w)", "d")
def inch_fraction(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3/8" and 5 3/4"."""
    if _in_quotes(match) or int(match["a"]) >= int(match["b"]):
        return None
    part = fraction(match["a"], match["b"])
    return [cardinal(match["whole"]), "and", _with_article(part), "inches"] if match["whole"] else [part, "inch"]


_INCHES = re.compile(r"\s?[x×]|\s(?:pizza|screen|monitor|TV|display|pipe|wheel|[a-z]+[^s\W])\b")


@rule(rf"(?:(?P<from>{NUMBER})\s?[-–]\s?)?(?P<n>{NUMBER})(?:\"|'')(?:(?!\w)|(?=[x×]\s?\d))", "d")
def inches(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10" pizza; not a quote that closes after a number."""
    if _in_quotes(match):
        return None
    lower = [number(match["from"]), "to"] if match["from"] else []
    return [*lower, number(match["n"]), _inch_or_foot(match, "inch", "inches")]


@rule(rf"(?:(?P<from>{NUMBER})\s?[-–]\s?)?(?P<n>{NUMBER})'(?![\w'])", "d")
def feet(match: re.Match[str], context: Context) -> Reading | None:
    """Read 20' x 30'; not a quote that closes after a number."""
    before = match.string[: match.end() - 1]
    if len(re.findall(r"(?<![\w'])'(?=\w)", before)) > len(re.findall(r"(?<=[\w.,!?])'(?!\w)", before)):
        return None
    lower = [number(match["from"]), "to"] if match["from"] else []
    return [*lower, number(match["n"]), _inch_or_foot(match, "foot", "feet")]


def _inch_or_foot(match: re.Match[str], one: str, many: str) -> str:
    """Return the singular before a noun, as in a ten inch pizza, else what the number asks for."""
    following = match.string[match.end() :]
    noun = re.match(
        r"\s(?!x\b|by\b|and\b|or\b|in\b|of\b|is\b|was\b|at\b|to\b|on\b|for\b|long\b|wide\b|tall\b|high\b|deep\b|away\b)[a-z]",
        following,
    )
    return one if match["n"] == "1" or noun else many


_BEFORE_A_NOUN = re.compile(
    r"\s(?!(?:is|was|and|or|in|to|tall|with|at|but|when|by|on|for|as|high|long|wide|deep|away|above|below|of)\b)[a-z]{3,}"
)


@rule(r"(?P<feet>\d{1,2})'\s?(?:(?P<inches>\d{1,2})(?:\"|''))?(?!\w)", "d")
def height(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5'11": five feet eleven inches."""
    if match["inches"] is None:
        return None
    if _BEFORE_A_NOUN.match(match.string, match.end()):
        return [cardinal(match["feet"]), "foot", cardinal(match["inches"])]
    words = [cardinal(match["feet"]), "foot" if match["feet"] == "1" else "feet"]
    return [*words, cardinal(match["inches"]), "inch" if match["inches"] == "1" else "inches"]


@rule(r"(?P<feet>[1-9])ft\.?\s?(?P<inches>\d|1[01])(?:in)?(?!\w|[.,]\d)", "d")
def feet_and_inches(match: re.Match[str], context: Context) -> Reading:
    """Read 6ft2: six foot two."""
    return [cardinal(match["feet"]), "foot", cardinal(match["inches"])]


@rule(
    r"(?P<a>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?:\s?x\s?|×)(?P<b>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
    r"(?:(?:\s?x\s?|×)(?P<c>\d+(?:\.\d+)?))?(?P<s>s)?(?!\w)",
    "d",
)
def dimensions(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1920x1080 and 4x4s: by; before an equals sign or a power, a product."""
    following = match.string[match.end() :]
    if re.match(r"\^|[⁰-⁹²³¹⁺⁻]", following):
        return None
    parts = [number(part) for part in (match["a"], match["b"], match["c"]) if part]
    between = " times " if re.match(r"\s*=", following) else " by "
    return [plural(between.join(parts)) if match["s"] else between.join(parts)]


@rule(r"(?:(?P<from>\d+(?:\.\d+)?)\s?[-–]\s?)?(?P<n>\d+(?:\.\d+)?)(?:[x×]|(?<=\d)X(?=\s[a-z]))(?![\w])", "d")
def times(match: re.Match[str], context: Context) -> Reading:
    """Read 10x and 3-4x: three to four times."""
    if match["from"]:
        return [number(match["from"]), "to", number(match["n"]), "times"]
    if re.search(r"=\s*$", match.string[: match.start()]) or re.match(
        r"(?!-\d+(?:\.\d+)?x)\s?[-+=*/^]\s?[\w(]", match.string[match.end() :]
    ):
        return [number(match["n"]), SpokenWord("X", letter=True)]
    return [number(match["n"]), "times"]


@rule(r"[x×](?=\s?\d)", "lo")
def by(match: re.Match[str], context: Context) -> Reading | None:
    """Read the x between two measures: 10 cm x 5 cm; that of 2.5 x 10^3 is a product."""
    if re.match(r"\s?\d+(?:\^|[⁰-⁹²³¹⁺⁻])", match.string[match.end() :]) and context.previous[-1:].isdecimal():
        return ["times"]
    return (
        ["by"]
        if re.fullmatch(r"\d.*[a-z\"'”]", context.previous) and not match.string[match.start() - 1].isalpha()
        else None
    )


UNIT_RULES = (
    coordinates,
    hours_and_minutes, minutes_and_seconds, height, feet_and_inches, inch_fraction, inches, feet, fraction_of_unit,
    measure, rate, dimensions, times,
    by,
)  # fmt: skip
