"""English units of measure: their symbols, their names for one and for many, and what may stand after a slash."""

import re

from glowvox.text.normalise.scanner import word_set

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
        ("mM", "millimolar", "millimolar"), ("µM", "micromolar", "micromolar"), ("μM", "micromolar", "micromolar"),
        ("nM", "nanomolar", "nanomolar"), ("nmol", "nanomole", ""),
        ("µmol", "micromole", ""), ("μmol", "micromole", ""),
        ("mF", "millifarad", ""), ("µF", "microfarad", ""), ("μF", "microfarad", ""), ("nF", "nanofarad", ""),
        ("pF", "picofarad", ""), ("mH", "millihenry", "millihenries"), ("µH", "microhenry", "microhenries"),
        ("μH", "microhenry", "microhenries"), ("nH", "nanohenry", "nanohenries"), ("mT", "millitesla", "millitesla"),
        ("µT", "microtesla", "microtesla"), ("μT", "microtesla", "microtesla"), ("µA", "microamp", ""),
        ("μA", "microamp", ""), ("kA", "kiloamp", ""), ("µV", "microvolt", ""), ("μV", "microvolt", ""),
        ("µW", "microwatt", ""), ("μW", "microwatt", ""), ("mΩ", "milliohm", ""), ("MΩ", "megaohm", ""),
        ("µJ", "microjoule", ""), ("μJ", "microjoule", ""), ("mJ", "millijoule", ""), ("mN", "millinewton", ""),
        ("sq yd", "square yard", ""), ("sq in", "square inch", "square inches"), ("sq cm", "square centimeter", ""),
        ("sq mm", "square millimeter", ""), ("cu in", "cubic inch", "cubic inches"), ("cu yd", "cubic yard", ""),
        ("cu yds", "cubic yard", ""), ("sq yds", "square yard", ""), ("cu m", "cubic meter", ""),
        ("cu cm", "cubic centimeter", ""), ("deg C", "degree Celsius", "degrees Celsius"),
        ("deg F", "degree Fahrenheit", "degrees Fahrenheit"), ("° C", "degree Celsius", "degrees Celsius"),
        ("° F", "degree Fahrenheit", "degrees Fahrenheit"), ("deg", "degree", ""),
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
    "gal": "gallon", "s²": "second squared", "s2": "second squared", "s³": "second cubed", "s3": "second cubed",
    "cm³": "cubic centimeter", "cm3": "cubic centimeter", "mm²": "square millimeter", "mm2": "square millimeter",
    "km²": "square kilometer", "km2": "square kilometer", "cm2": "square centimeter",
    "dL": "deciliter", "dl": "deciliter", "mL": "milliliter", "µL": "microliter", "μL": "microliter",
    "cm": "centimeter", "cm²": "square centimeter", "mol": "mole", "K": "kelvin", "mm": "millimeter", "g": "gram",
    "in": "inch", "in²": "square inch", "ft": "foot", "ft²": "square foot", "ft2": "square foot",
    "ft³": "cubic foot", "ft3": "cubic foot", "sq ft": "square foot", "sq in": "square inch", "sq m": "square meter",
    "mi": "mile", "ha": "hectare", "acre": "acre", "mile": "mile", "second": "second",
    "d": "day", "hrs": "hour",
}  # fmt: skip
POWERS = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}
# What people write in the wrong case, where only one unit can be meant: 100ML, 12KG, 3 mbps.
_FOLDED = {symbol.lower(): symbol for symbol in reversed(UNITS) if len(symbol) > 1} | {
    "mb": "MB", "gb": "GB", "kb": "KB", "mw": "mW", "mv": "mV", "mhz": "MHz", "mbps": "Mbps", "gbps": "Gbps", "l": "l",
    "v": "V", "w": "W",
}  # fmt: skip
NOT_FOLDED = word_set(
    "qt pt pts doz mo mos lux hp nmi in mi ma pa ms ns ha mol mp pb min bar cal t nm pm rad cd ng pg lm lx au ah gy sv "
    "bq ev tw gj tj kt kn kr dm nf pf mh nh mt"
)
# In capitals these are other words: a 3.5 GPA, 40 HR, 14 SEC titles, 3 CMS platforms, 5 DM, 5 ML models.
_WORDS_IN_CAPITALS = word_set("GPA HR SEC CMS GMS ML")
_HOURS = ("12", "24", "36", "48", "72")
_LEARNING = re.compile(
    r"\s(?:models?|engineers?|algorithms?|projects?|librar|systems?|pipelines?|teams?|methods?|papers?)"
)
# Abbreviations of two words are written in many ways: sq. ft., sq.ft., sq-ft, sqft.
_TWO_WORDS = re.compile(r"^(sq|cu|fl|deg)[.\s-]*(?=.)")


def _pattern(symbol: str) -> str:
    first, blank, second = symbol.partition(" ")
    together = "" if first == "cu" else "?"
    return f"(?i:{first}(?:\\.\\s?|[\\s-]){together}{second})" if blank else re.escape(symbol)


_ANY_CASE = "|".join(re.escape(symbol) for symbol in sorted(_FOLDED, key=len, reverse=True) if " " not in symbol)
SYMBOL = "|".join(_pattern(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
SYMBOL = f"(?:{SYMBOL}|(?i:{_ANY_CASE}))"
PER_SYMBOL = "|".join(_pattern(symbol) for symbol in sorted(PER, key=len, reverse=True))


def symbol_of(written: str) -> str:
    """Return the symbol of `UNITS` or `PER` that is written in one of several ways: sq. ft. is sq ft."""
    if written in UNITS or written in PER:
        return written
    plain = _TWO_WORDS.sub(r"\1 ", written.lower())
    symbol = _FOLDED.get(plain, plain)
    return symbol if symbol in UNITS or symbol in PER else written


def is_another_word(match: re.Match[str], *, shouting: bool) -> bool:
    """Say whether what looks like a unit in the wrong case is something else: the GPA of 3.5 GPA."""
    symbol, gap = match["unit"], match["gap"]
    if symbol in UNITS:
        return False
    if symbol.lower() in NOT_FOLDED:
        return bool(gap) or len(symbol) < 3
    if symbol not in _WORDS_IN_CAPITALS or shouting:
        return False
    following = match.string[match.end() :]
    if symbol == "GPA":
        return True
    if symbol == "HR":
        return gap.isspace() and match["n"] not in _HOURS
    if symbol == "ML":
        return _LEARNING.match(following) is not None
    return gap.isspace() and re.match(r"\s[A-Za-z]", following) is not None


def unit_name(symbol: str, *, single: bool) -> str:
    """Return the name of a unit (a symbol of `UNITS`, or one with a raised 2 or 3) for one of it, or for many."""
    if symbol in UNITS:
        return UNITS[symbol][not single]
    return f"{POWERS[symbol[-1]]} {UNITS[symbol[:-1]][not single]}"


def unit_for(symbol: str, power: str | None, amount: str) -> str:
    """Return the name of a unit, in whatever case it is written, for an amount."""
    one, many = UNITS[symbol_of(symbol)]
    name = one if amount.lstrip("+-–") == "1" else many
    return f"{POWERS[power]} {name}" if power else name
