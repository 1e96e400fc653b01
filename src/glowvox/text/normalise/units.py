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
POWERS = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}
# What people write in the wrong case, where only one unit can be meant: 100ML, 12KG, 3 mbps.
_FOLDED = {symbol.lower(): symbol for symbol in reversed(UNITS) if len(symbol) > 1} | {
    "mb": "MB", "gb": "GB", "kb": "KB", "mw": "mW", "mv": "mV", "mhz": "MHz", "mbps": "Mbps", "gbps": "Gbps", "l": "l",
    "v": "V", "w": "W",
}  # fmt: skip
NOT_FOLDED = word_set(
    "qt pt pts doz mo mos lux hp nmi in mi ma pa ms ns ha mol mp pb min bar cal t nm pm rad cd ng pg lm lx au ah gy sv bq ev "
    "tw gj tj kt kn kr dm nf pf mh nh mt"
)
_ANY_CASE = "|".join(re.escape(symbol) for symbol in sorted(_FOLDED, key=len, reverse=True))
SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
SYMBOL = f"(?:{SYMBOL}|(?i:{_ANY_CASE}))"
PER_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(PER, key=len, reverse=True))


def unit_name(symbol: str, *, single: bool) -> str:
    """Return the name of a unit (a symbol of `UNITS`, or one with a raised 2 or 3) for one of it, or for many."""
    if symbol in UNITS:
        return UNITS[symbol][not single]
    return f"{POWERS[symbol[-1]]} {UNITS[symbol[:-1]][not single]}"


def unit_for(symbol: str, power: str | None, amount: str) -> str:
    """Return the name of a unit, in whatever case it is written, for an amount."""
    one, many = UNITS.get(symbol) or UNITS[_FOLDED[symbol.lower()]]
    name = one if amount.lstrip("+-") == "1" else many
    return f"{POWERS[power]} {name}" if power else name
