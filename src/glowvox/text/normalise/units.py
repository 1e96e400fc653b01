"""Units of measure after a number, in English."""

import re

from glowvox.text.normalise.numbers import cardinal, number
from glowvox.text.normalise.scanner import Context, Reading, rule

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


RULES = (height, measure, dimensions, times, by)
