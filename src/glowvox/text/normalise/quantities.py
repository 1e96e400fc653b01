"""English quantities: ordinals, fractions, percentages, ranges, plain numbers, units of measure, money."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_VULGAR = {
    "½": "one half", "⅓": "one third", "⅔": "two thirds", "¼": "one quarter", "¾": "three quarters",
    "⅕": "one fifth", "⅖": "two fifths",
    "⅗": "three fifths", "⅘": "four fifths", "⅙": "one sixth", "⅚": "five sixths", "⅛": "one eighth",
    "⅜": "three eighths",
    "⅝": "five eighths", "⅞": "seven eighths",
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}


def fraction(upper: str, lower: str) -> str | None:
    """Return a fraction in words: three quarters; None where it is none (a date, a zero)."""
    top, bottom = int(upper), int(lower)
    if bottom < 2 or bottom > 100:
        return f"{cardinal(upper)} over {cardinal(lower)}"
    part = {2: "half", 4: "quarter"}.get(bottom, ordinal(lower))
    if top != 1:
        part = "halves" if bottom == 2 else part + "s"
    return f"{cardinal(upper)} {part}"


@rule(r"(?P<n>\d{1,3}(?:,\d{3})+|\d{1,15})(?:-?)(?P<th>st|nd|rd|th)(?P<s>s)?(?!\w)", "d")
def ordinal_number(match: re.Match[str], context: Context) -> Reading:
    """Read 21st."""
    return [ordinal(match["n"]) + (match["s"] or "")]


@rule(rf"(?P<sign>[-+−]?)(?P<a>{NUMBER})(?:\s?[-–]\s?(?P<b>{NUMBER}))?\s?(?P<kind>%|‰|percent\b)(?!\w)", "do")
def percentage(match: re.Match[str], context: Context) -> Reading:
    """Read 5% and 5-10%."""
    words = [number(match["sign"] + match["a"])]
    if match["b"]:
        words.extend(["to", number(match["b"])])
    return [*words, "per mille" if match["kind"] == "‰" else "percent"]


@rule(r"(?:(?P<whole>\d{1,6})(?:\s|-))?(?P<a>\d{1,3})/(?P<b>\d{1,4})(?P<th>ths|th|rds|nds)?(?!\w|/\d|[.,]\d)", "d")
def slashed(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3/4, 2 1/2, and 24/7."""
    if match.group() == "24/7":
        return ["twenty four seven"]
    if match["a"] == match["b"] == "50":
        return ["fifty fifty"]
    if match.group() == "9/11":
        return ["nine eleven"]
    if match["whole"] and int(match["a"]) >= int(match["b"]):
        return None
    part = fraction(match["a"], match["b"])
    if part is None:
        return None
    if match["whole"]:
        part = "a" + part.removeprefix("one") if part.startswith("one ") else part
        return [cardinal(match["whole"]), "and", part]
    return [part]


@rule(rf"(?:(?P<n>\d{{1,9}})\s?)?(?P<part>[{''.join(_VULGAR)}])", "do")
def vulgar(match: re.Match[str], context: Context) -> Reading:
    """Read ½ and 2½."""
    part = _VULGAR[match["part"]]
    if match["n"]:
        return [cardinal(match["n"]), "and", "a" + part.removeprefix("one") if part.startswith("one ") else part]
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


@rule(r"(?P<n>[-+]?\d+(?:\.\d+)?)[eE](?P<p>[-+]?\d{1,3})(?!\w)", "do")
def scientific(match: re.Match[str], context: Context) -> Reading:
    """Read 1.5e-3."""
    return [number(match["n"]), "times ten to the", number(match["p"].replace("+", ""))]


@rule(r"(?P<n>\d+(?:\.\d+)?)(?P<scale>k|K|M|bn|B)(?!\w)", "d")
def scaled(match: re.Match[str], context: Context) -> Reading:
    """Read 10k: ten thousand; 4K is the name of a screen's size."""
    if match["scale"] == "K" and match["n"] in ("2", "4", "8"):
        return [cardinal(match["n"]), SpokenWord("K", letter=True)]
    if match["scale"] == "B" and "." not in match["n"]:
        # A flat, a size, a house number: 221B.
        return [cardinal(match["n"]), SpokenWord("B", letter=True)]
    return [number(match["n"]), _SCALES[match["scale"].lower()]]


@rule(r"\d{1,7}(?:-\d{1,7}){2,}(?!\w|-)", "d")
def groups(match: re.Match[str], context: Context) -> Reading:
    """Read groups of digits, as in the number of a book, digit by digit."""
    words: list[str | SpokenWord] = []
    for place, group in enumerate(match.group().split("-")):
        words.extend([*([","] if place else []), digits(group)])
    return words


@rule(r"(?P<a>\d{1,4}):(?P<b>\d{1,4})(?!\w|:\d)", "d")
def ratio(match: re.Match[str], context: Context) -> Reading:
    """Read 16:9."""
    return [cardinal(match["a"]), "to", cardinal(match["b"])]


@rule(rf"(?P<a>{NUMBER})\s?[-–]\s?(?P<b>{NUMBER})(?![\w%]|[-–]\w|[.,]\d)", "d")
def span(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10-20: ten to twenty. With blanks around the hyphen it is a subtraction."""
    if " - " in match.group():
        return [number(match["a"]), "minus", number(match["b"])]
    return [number(match["a"]), "to", number(match["b"])]


@rule(rf"(?<!\w)(?P<sign>[+-])(?P<n>{NUMBER})(?!\w)", "o")
def signed(match: re.Match[str], context: Context) -> Reading:
    """Read -5: minus five."""
    return [number(match.group())]


@rule(rf"(?P<n>{NUMBER})(?P<s>'?s)?(?![^\W\d])", "do")
def plain(match: re.Match[str], context: Context) -> Reading:
    """Read any other number; that of the emergency call by its digits."""
    if match.group() == "911":
        return [digits("911")]
    spoken = number(match["n"])
    return [spoken + ("'s" if match["s"] else "")]


@rule(r"\d+", "d")
def leftover_digits(match: re.Match[str], context: Context) -> Reading:
    """Read digits that stand in a row of something unknown."""
    return [cardinal(match.group()) if len(match.group()) <= 4 else digits(match.group())]


@rule(r"[#№]\s?(?P<n>\d{1,9})(?!\w)", "o")
def numbered(match: re.Match[str], context: Context) -> Reading:
    """Read #5: number five."""
    return ["number", cardinal(match["n"])]


@rule(r"(?P<sign>[~≈<>≤≥])\s?(?=\d)", "o")
def approximate(match: re.Match[str], context: Context) -> Reading:
    """Read the sign in ~5 and <10."""
    names = {"~": "about", "≈": "about", "<": "less than", ">": "more than", "≤": "at most", "≥": "at least"}
    return [names[match["sign"]]]


QUANTITY_RULES = (
    ordinal_number, percentage, slashed, vulgar, power, scientific, ratio, scaled, groups, span, signed, numbered,
    approximate, plain,
)  # fmt: skip
LAST_QUANTITY_RULES = (leftover_digits,)


# Case matters: Mb is megabit, MB megabyte.
_UNITS: dict[str, tuple[str, str]] = {
    symbol: (one, many or one + "s")
    for symbol, one, many in (
        ("km", "kilometer", ""), ("m", "meter", ""), ("cm", "centimeter", ""), ("mm", "millimeter", ""), ("nm",
        "nanometer", ""),
        ("µm", "micrometer", ""), ("μm", "micrometer", ""), ("mi", "mile", ""), ("yd", "yard", ""), ("ft", "foot",
        "feet"),
        ("in", "inch", "inches"), ("kg", "kilogram", ""), ("g", "gram", ""), ("mg", "milligram", ""), ("µg",
        "microgram", ""),
        ("μg", "microgram", ""), ("lb", "pound", ""), ("lbs", "pound", ""), ("oz", "ounce", ""), ("t", "ton", ""),
        ("l", "liter", ""),
        ("L", "liter", ""), ("ml", "milliliter", ""), ("mL", "milliliter", ""), ("cl", "centiliter", ""), ("gal",
        "gallon", ""),
        ("s", "second", ""), ("sec", "second", ""), ("secs", "second", ""), ("ms", "millisecond", ""), ("µs",
        "microsecond", ""),
        ("μs", "microsecond", ""), ("ns", "nanosecond", ""), ("min", "minute", ""), ("mins", "minute", ""), ("h",
        "hour", ""),
        ("hr", "hour", ""), ("hrs", "hour", ""), ("yr", "year", ""), ("yrs", "year", ""), ("wk", "week", ""),
        ("wks", "week", ""),
        ("Hz", "hertz", "hertz"), ("kHz", "kilohertz", "kilohertz"), ("MHz", "megahertz", "megahertz"),
        ("GHz", "gigahertz", "gigahertz"), ("W", "watt", ""), ("kW", "kilowatt", ""), ("MW", "megawatt", ""),
        ("GW", "gigawatt", ""),
        ("kWh", "kilowatt hour", ""), ("MWh", "megawatt hour", ""), ("V", "volt", ""), ("kV", "kilovolt", ""),
        ("mV", "millivolt", ""),
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
        ("kb", "kilobit", ""), ("Mb", "megabit", ""), ("Gb", "gigabit", ""), ("kbps", "kilobit per second",
        "kilobits per second"),
        ("Mbps", "megabit per second", "megabits per second"), ("Gbps", "gigabit per second", "gigabits per second"),
        ("dB", "decibel", ""), ("fps", "frame per second", "frames per second"), ("rpm", "R P M", "R P M"),
        ("RPM", "R P M", "R P M"), ("dpi", "D P I", "D P I"), ("bpm", "beat per minute", "beats per minute"),
        ("mph", "mile per hour", "miles per hour"), ("kph", "kilometer per hour", "kilometers per hour"),
        ("ha", "hectare", ""), ("mol", "mole", ""), ("px", "pixel", ""), ("MP", "megapixel", ""), ("K", "kelvin",
        "kelvin"),
        ("°", "degree", ""), ("°C", "degree Celsius", "degrees Celsius"), ("°F", "degree Fahrenheit",
        "degrees Fahrenheit"),
        ("℃", "degree Celsius", "degrees Celsius"), ("℉", "degree Fahrenheit", "degrees Fahrenheit"),
        ("º", "degree", ""), ("ºC", "degree Celsius", "degrees Celsius"), ("ºF", "degree Fahrenheit",
        "degrees Fahrenheit"),
    )
}  # fmt: skip
_PER = {
    "s": "second", "h": "hour", "hr": "hour", "min": "minute", "m": "meter", "m²": "square meter",
    "m2": "square meter",
    "m³": "cubic meter", "m3": "cubic meter", "km": "kilometer", "kg": "kilogram", "l": "liter", "L": "liter",
    "ml": "milliliter",
    "day": "day", "week": "week", "month": "month", "year": "year", "gal": "gallon", "s²": "second squared",
    "cm³": "cubic centimeter",
    "dL": "deciliter", "cm": "centimeter", "cm²": "square centimeter", "mol": "mole", "K": "kelvin",
}  # fmt: skip
_POWERS = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}
_NUMBER = r"(?P<n>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+)"
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(_UNITS, key=len, reverse=True))
_PER_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(_PER, key=len, reverse=True))
# Symbols that are also words or letters need a number right before them or a sure sign after.
_DOUBTFUL = {"in", "K", "t", "h", "L", "l", "m", "N", "J", "V", "W", "g", "s"}


def _unit(symbol: str, power: str | None, amount: str) -> str:
    one, many = _UNITS[symbol]
    name = one if amount.lstrip("+-") == "1" else many
    return f"{_POWERS[power]} {name}" if power else name


@rule(
    rf"{_NUMBER}(?:\s?[-–x×]\s?(?P<last>\d+(?:\.\d+)?))?(?P<gap>[\s-]?)(?P<unit>{_SYMBOL})(?P<power>[²³]|(?<=m)[23])?"
    rf"(?:/(?P<per>{_PER_SYMBOL}))?(?![\w²³/]|-\w|'\w)",
    "do",
)
def measure(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 km, 20°C, 3.5 GHz, 60 km/h, 10 m², 5-10 kg."""
    symbol, gap = match["unit"], match["gap"]
    if not match["power"] and not match["per"] and not _surely_unit(symbol, gap, match):
        return None
    if symbol == "s" and not gap and re.fullmatch(r"\d*0", match["n"]):
        return None
    words = [number(match["n"])]
    if match["last"]:
        words.extend(["by" if re.search(r"[x×]", match.group()) else "to", number(match["last"])])
    # A hyphen makes an adjective: a 5-km run is a five kilometer run.
    words.append(_unit(symbol, match["power"], "1" if gap == "-" else match["last"] or match["n"]))
    if match["per"]:
        words.append(f"per {_PER[match['per']]}")
    return words


def _surely_unit(symbol: str, gap: str, match: re.Match[str]) -> bool:
    """Say whether a symbol that is also a word or a letter stands for a unit here."""
    if symbol == "K":
        return gap.isspace()
    if symbol not in _DOUBTFUL or not gap:
        return True
    if symbol == "in":
        return gap.isspace() and re.match(r"\.|\s*$|\s[x×]\s", match.string[match.end() :]) is not None
    return gap.isspace()


@rule(r"(?P<feet>\d{1,2})'\s?(?:(?P<inches>\d{1,2})(?:\"|''))?(?!\w)", "d")
def height(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5'11": five feet eleven inches."""
    if match["inches"] is None:
        return None
    words = [cardinal(match["feet"]), "foot" if match["feet"] == "1" else "feet"]
    return [*words, cardinal(match["inches"]), "inch" if match["inches"] == "1" else "inches"]


@rule(r"(?P<a>\d+(?:\.\d+)?)(?:\s?x\s?|×)(?P<b>\d+(?:\.\d+)?)(?:(?:\s?x\s?|×)(?P<c>\d+(?:\.\d+)?))?(?!\w)", "d")
def dimensions(match: re.Match[str], context: Context) -> Reading:
    """Read 1920x1080: by."""
    parts = [number(part) for part in (match["a"], match["b"], match["c"]) if part]
    return [" by ".join(parts)]


@rule(r"(?P<n>\d+(?:\.\d+)?)[x×](?![\w])", "d")
def times(match: re.Match[str], context: Context) -> Reading:
    """Read 10x: ten times."""
    return [number(match["n"]), "times"]


@rule(r"[x×](?=\s\d)", "lo")
def by(match: re.Match[str], context: Context) -> Reading | None:
    """Read the x between two measures: 10 cm x 5 cm."""
    return ["by"] if re.fullmatch(r"\d.*[a-z\"']", context.previous) else None


UNIT_RULES = (height, measure, dimensions, times, by)


# Sign or code: one, many, one of the small change, many of it.
_DOLLAR = ("dollar", "dollars", "cent", "cents")
_CURRENCIES: dict[str, tuple[str, str, str, str]] = {
    "$": _DOLLAR, "US$": ("U.S. dollar", "U.S. dollars", "cent", "cents"), "USD": ("U.S. dollar", "U.S. dollars",
    "cent", "cents"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent", "cents"), "CAD": ("Canadian dollar", "Canadian dollars",
    "cent", "cents"),
    "A$": ("Australian dollar", "Australian dollars", "cent", "cents"), "AUD": ("Australian dollar",
    "Australian dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"), "EUR": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "GBP": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"), "JPY": ("yen", "yen", "sen", "sen"), "CNY": ("yuan", "yuan", "fen", "fen"),
    "RMB": ("yuan", "yuan", "fen", "fen"), "₹": ("rupee", "rupees", "paisa", "paise"), "INR": ("rupee", "rupees",
    "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"), "RUB": ("ruble", "rubles", "kopek", "kopeks"),
    "₩": ("won", "won", "jeon", "jeon"), "KRW": ("won", "won", "jeon", "jeon"), "₪": ("shekel", "shekels", "agora",
    "agorot"),
    "₺": ("lira", "lira", "kurush", "kurush"), "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": ("Swedish krona", "Swedish kronor", "ore", "ore"), "NOK": ("Norwegian krone", "Norwegian kroner", "ore",
    "ore"),
    "DKK": ("Danish krone", "Danish kroner", "ore", "ore"), "฿": ("baht", "baht", "satang", "satang"),
    "₫": ("dong", "dong", "dong", "dong"), "₿": ("bitcoin", "bitcoins", "satoshi", "satoshis"), "BTC": ("bitcoin",
    "bitcoins", "satoshi", "satoshis"),
    "₴": ("hryvnia", "hryvnias", "kopek", "kopeks"), "₱": ("peso", "pesos", "centavo", "centavos"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"), "PLN": ("zloty", "zlotys", "grosz", "groszy"),
}  # fmt: skip
_SIGN = r"(?:US\$|C\$|A\$|[$€£¥₹₽₩₪₺฿₫₿₴₱])"
_CODE = r"(?:USD|CAD|AUD|EUR|GBP|JPY|CNY|RMB|INR|RUB|KRW|CHF|SEK|NOK|DKK|BTC|MXN|PLN)"
_AMOUNT = r"(?P<amount>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_MONEY_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "bn": "billion", "b": "billion",
    "tn": "trillion", "t": "trillion",
}  # fmt: skip
_SCALE = r"(?:\s?(?P<scale>thousand|million|billion|trillion|hundred|(?:[kKmMbBtT]|[mMbBtT]n|mm)(?!\w)))?"


def _scale(text: str | None) -> str:
    return "" if text is None else " " + _MONEY_SCALES.get(text.lower(), text)


def speak_money(amount: str, currency: str, scale: str | None = None, sign: str = "") -> list[str]:
    """Return an amount in words.

    Args:
        amount: The number as written, `1,234.50`.
        currency: A sign or a code.
        scale: A word such as million, or its letter.
        sign: A minus sign, or nothing.
    """
    one, many, small_one, small_many = (_spaced(name) for name in _CURRENCIES[currency])
    plain = amount.replace(",", "")
    words = ["minus"] if sign else []
    whole, _, decimals = plain.partition(".")
    if scale or len(decimals) not in (0, 2):
        return [*words, number(plain) + _scale(scale), one if plain == "1" and not scale else many]
    change = int(decimals or 0)
    if int(whole or 0) or not change:
        words.extend([cardinal(whole or "0"), one if int(whole or 0) == 1 else many])
        if change:
            words.append("and")
    if change:
        words.extend([cardinal(str(change)), small_one if change == 1 else small_many])
    return words


def _spaced(name: str) -> str:
    return name.replace("U.S.", "U S")


@rule(rf"(?P<minus>[-–]?)(?P<sign>{_SIGN}|{_CODE}\s?)(?P<minus2>[-–]?)\s?{_AMOUNT}\s?[-–]\s?{_SIGN}?(?P<last>\d+(?:,\d{{3}})*(?:\.\d+)?){_SCALE}(?!\w|[.,]\d)", "lo")  # fmt: skip  # noqa: E501
def money_range(match: re.Match[str], context: Context) -> Reading | None:
    """Read $5-10 and $1.5-2 million."""
    if match["minus"] or match["minus2"]:
        return None
    currency = match["sign"].strip()
    if not match["scale"] and "." in match["amount"] + match["last"]:
        return [*speak_money(match["amount"], currency), "to", *speak_money(match["last"], currency)]
    return [number(match["amount"].replace(",", "")), "to", *speak_money(match["last"], currency, match["scale"])]


@rule(rf"(?P<minus>[-–]?)(?P<sign>{_SIGN}|{_CODE}\s?)(?P<minus2>[-–]?)\s?{_AMOUNT}{_SCALE}(?P<per>\s?/\s?(?:hr|h|hour|mo|month|yr|year|day|week|wk|kg|lb|night)\b)?(?P<adjective>-(?:a|per)-[A-Za-z]+(?!\w))?(?![^\W_]|[.,]\d)", "lo")  # fmt: skip  # noqa: E501
def sign_first(match: re.Match[str], context: Context) -> Reading:
    """Read $3.50, USD 20, €5 million."""
    words = speak_money(match["amount"], match["sign"].strip(), match["scale"], match["minus"] or match["minus2"])
    if match["per"]:
        unit = match["per"].strip(" /")
        short = {"hr": "hour", "h": "hour", "mo": "month", "yr": "year", "wk": "week", "kg": "kilogram", "lb": "pound"}
        words.extend(["per", short.get(unit, unit)])
    return [*words, *([match["adjective"].replace("-", " ")] if match["adjective"] else [])]


@rule(rf"(?P<minus>[-–]?){_AMOUNT}{_SCALE}\s?(?P<sign>[€£¥₹₽₩₪₺฿₫₿₴₱]|{_CODE}\b|\$(?!\d))", "do")
def sign_last(match: re.Match[str], context: Context) -> Reading:
    """Read 20 € and 5 USD."""
    return speak_money(match["amount"], match["sign"], match["scale"], match["minus"])


@rule(r"(?P<n>\d{1,3})\s?(?P<sign>[¢])", "d")
def cents(match: re.Match[str], context: Context) -> Reading:
    """Read 50¢."""
    return [cardinal(match["n"]), "cent" if match["n"] == "1" else "cents"]


MONEY_RULES = (money_range, sign_first, sign_last, cents)
