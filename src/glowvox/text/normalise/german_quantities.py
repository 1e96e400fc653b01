"""German quantities: money, units of measure, fractions, ranges, ratios, operators, telephone numbers."""

import re

from glowvox.text.normalise.german_abbreviations import ABBREVIATIONS
from glowvox.text.normalise.german_nouns import NOUN_FOLLOWS, counts, half, one
from glowvox.text.normalise.numbers import LONGEST_NUMBER, cardinal, digits, number, ordinal
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

_GROUPED = (
    r"\d{1,3}(?:\.\d{3})+(?!\d)|[1-9]\d{0,2}(?:'\d{3})+(?!\d)|[1-9]\d{0,2}(?:\s\d{3}){2,}(?!\d)|[1-9]\d{0,2}\s000(?!\d)"
)
NUMBER = rf"(?:{_GROUPED}|\d+)(?:,\d+)?"
_POINTED = rf"(?:[1-9]\d{{0,2}}(?:'\d{{3}})+\.\d\d(?!\d)|\d+\.\d{{1,2}}(?![\d.])|{NUMBER})"
# An en dash before a number, after a space, is a minus: –5 °C; not between two numbers.
_MINUS = r"(?:(?<![^\s(])(?<!\d\s)–(?=\d)(?![^–]*\w–(?:\s|$)))"
_VULGAR = {
    "½": "ein halb", "⅓": "ein drittel", "⅔": "zwei drittel", "¼": "ein viertel", "¾": "drei viertel",
    "⅕": "ein fünftel", "⅖": "zwei fünftel", "⅗": "drei fünftel", "⅘": "vier fünftel", "⅙": "ein sechstel",
    "⅚": "fünf sechstel", "⅛": "ein achtel", "⅜": "drei achtel", "⅝": "fünf achtel", "⅞": "sieben achtel",
}  # fmt: skip
# Sign or code: name, with its article, name of the small change.
_DOLLAR = ("Dollar", "Cent")
_CURRENCIES = {
    "€": ("Euro", "Cent"), "EUR": ("Euro", "Cent"), "$": _DOLLAR, "USD": ("US Dollar", "Cent"),
    "US$": ("US Dollar", "Cent"), "£": ("Pfund", "Pence"), "GBP": ("Pfund", "Pence"), "¥": ("Yen", ""),
    "JPY": ("Yen", ""),
    "CHF": ("Franken", "Rappen"), "SFr.": ("Franken", "Rappen"), "sFr.": ("Franken", "Rappen"),
    "Fr.": ("Franken", "Rappen"), "A$": ("australische Dollar", "Cent"), "AU$": ("australische Dollar", "Cent"),
    "C$": ("kanadische Dollar", "Cent"), "CA$": ("kanadische Dollar", "Cent"), "R$": ("Real", "Centavos"),
    "HK$": ("Hongkong Dollar", "Cent"), "NZ$": ("Neuseeland Dollar", "Cent"), "S$": ("Singapur Dollar", "Cent"),
    "₽": ("Rubel", "Kopeken"), "RUB": ("Rubel", "Kopeken"), "₹": ("Rupien", "Paise"), "INR": ("Rupien", "Paise"),
    "₩": ("Won", ""), "₺": ("Lira", "Kuruş"), "TRY": ("Lira", "Kuruş"), "PLN": ("Zloty", "Groschen"),
    "SEK": ("schwedische Kronen", "Öre"), "NOK": ("norwegische Kronen", "Öre"), "DKK": ("dänische Kronen", "Öre"),
    "CZK": ("tschechische Kronen", "Heller"), "CNY": ("Yuan", "Fen"), "₿": ("Bitcoin", ""), "BTC": ("Bitcoin", ""),
    "DM": ("Mark", "Pfennig"), "Euro": ("Euro", "Cent"), "Franken": ("Franken", "Rappen"), "Dollar": _DOLLAR,
    "US-Dollar": ("US Dollar", "Cent"), "₴": ("Hrywnja", "Kopeken"), "₪": ("Schekel", "Agorot"),
}  # fmt: skip
_ONLY_AFTER = word_set("DM TRY Euro Franken Dollar US-Dollar")
_SIGN = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True) if sign not in _ONLY_AFTER)
_AFTER = "|".join(
    re.escape(sign) + (r"\b" if sign[-1].isalpha() else "") for sign in sorted(_CURRENCIES, key=len, reverse=True)
)
_UNITS = {
    "km/h": "Kilometer pro Stunde", "m/s": "Meter pro Sekunde", "km²": "Quadratkilometer", "m²": "Quadratmeter",
    "m³": "Kubikmeter",
    "km": "Kilometer", "cm": "Zentimeter", "mm": "Millimeter", "m": "Meter", "kg": "Kilogramm", "mg": "Milligramm",
    "g": "Gramm",
    "t": "Tonnen", "l": "Liter", "ml": "Milliliter", "min": "Minuten", "Min": "Minuten", "s": "Sekunden",
    "Std": "Stunden", "h": "Stunden",
    "kHz": "Kilohertz", "MHz": "Megahertz", "GHz": "Gigahertz", "Hz": "Hertz", "kWh": "Kilowattstunden",
    "kW": "Kilowatt", "µm": "Mikrometer", "μm": "Mikrometer", "nm": "Nanometer", "dm": "Dezimeter",
    "dm²": "Quadratdezimeter", "cm²": "Quadratzentimeter", "mm²": "Quadratmillimeter", "cm³": "Kubikzentimeter",
    "dm³": "Kubikdezimeter", "km³": "Kubikkilometer", "µg": "Mikrogramm", "μg": "Mikrogramm", "hl": "Hektoliter",
    "cl": "Zentiliter", "dl": "Deziliter", "ms": "Millisekunden", "ns": "Nanosekunden", "Sek": "Sekunden",
    "sek": "Sekunden", "mA": "Milliampere", "A": "Ampere", "mV": "Millivolt", "kV": "Kilovolt", "Wh": "Wattstunden",
    "MWh": "Megawattstunden", "GW": "Gigawatt", "mW": "Milliwatt", "kJ": "Kilojoule", "kcal": "Kilokalorien",
    "cal": "Kalorien", "Pa": "Pascal", "hPa": "Hektopascal", "bar": "Bar", "PS": "P S", "kbit/s": "Kilobit pro Sekunde",
    "Mbit/s": "Megabit pro Sekunde", "Gbit/s": "Gigabit pro Sekunde", "MB/s": "Megabyte pro Sekunde",
    "GB/s": "Gigabyte pro Sekunde", "Mbps": "Megabit pro Sekunde", "PB": "Petabyte", "Pf": "Pfund",
    "m/s²": "Meter pro Quadratsekunde", "l/h": "Liter pro Stunde", "g/l": "Gramm pro Liter",
    "€/m²": "Euro pro Quadratmeter",
    "kg/m³": "Kilogramm pro Kubikmeter", "N": "Newton", "J": "Joule", "Ω": "Ohm", "K": "Kelvin", "MW": "Megawatt",
    "W": "Watt", "V": "Volt", "GB": "Gigabyte", "MB": "Megabyte", "TB": "Terabyte", "kB": "Kilobyte",
    "°C": "Grad Celsius",
    "°F": "Grad Fahrenheit", "°": "Grad", "%": "Prozent", "‰": "Promille", "ha": "Hektar", "dB": "Dezibel",
    "l/100 km": "Liter auf hundert Kilometer", "l/100km": "Liter auf hundert Kilometer", "Bft": "Beaufort",
    "kWh/100 km": "Kilowattstunden auf hundert Kilometer",
    "d": "Tage",
    "ct": "Cent", "Ct": "Cent", "Zoll": "Zoll", "mAh": "Milliamperestunden",
    "rpm": "Umdrehungen pro Minute",
    "U/min": "Umdrehungen pro Minute", "km/s": "Kilometer pro Sekunde", "µs": "Mikrosekunden", "μs": "Mikrosekunden",
    "Stk": "Stück", "EL": "Esslöffel", "TL": "Teelöffel", "Wo": "Wochen", "fps": "Bilder pro Sekunde",
    "mbar": "Millibar",
    "kN": "Kilonewton", "kbps": "Kilobit pro Sekunde", "Gbps": "Gigabit pro Sekunde", "MP": "Megapixel",
    "mph": "Meilen pro Stunde", "kph": "Kilometer pro Stunde", "kPa": "Kilopascal", "GWh": "Gigawattstunden",
    "mL": "Milliliter", "qm": "Quadratmeter", "qkm": "Quadratkilometer", "qcm": "Quadratzentimeter",
    "cbm": "Kubikmeter", "ccm": "Kubikzentimeter", "Nm": "Newtonmeter", "kWp": "Kilowatt Peak", "° C": "Grad Celsius",
    "g/m²": "Gramm pro Quadratmeter", "kg/m²": "Kilogramm pro Quadratmeter", "mg/dl": "Milligramm pro Deziliter",
    "µg/m³": "Mikrogramm pro Kubikmeter", "μg/m³": "Mikrogramm pro Kubikmeter",
}  # fmt: skip
_ONE = {
    "Tage": "ein Tag", "Stunden": "eine Stunde", "Minuten": "eine Minute", "Sekunden": "eine Sekunde",
    "Tonnen": "eine Tonne",
    "Millisekunden": "eine Millisekunde", "Nanosekunden": "eine Nanosekunde", "Kilowattstunden": "eine Kilowattstunde",
    "Wattstunden": "eine Wattstunde", "Megawattstunden": "eine Megawattstunde",
    "Gigawattstunden": "eine Gigawattstunde", "Kilokalorien": "eine Kilokalorie",
    "Kalorien": "eine Kalorie", "Mikrosekunden": "eine Mikrosekunde", "Wochen": "eine Woche",
    "Milliamperestunden": "eine Milliamperestunde", "Umdrehungen pro Minute": "eine Umdrehung pro Minute",
}  # fmt: skip
_PER = {
    "m²": "Quadratmeter", "m2": "Quadratmeter", "m³": "Kubikmeter", "km²": "Quadratkilometer", "kg": "Kilogramm",
    "l": "Liter", "h": "Stunde", "Std": "Stunde", "Stunde": "Stunde", "s": "Sekunde", "min": "Minute", "Tag": "Tag",
    "Woche": "Woche", "Monat": "Monat", "Jahr": "Jahr", "km": "Kilometer", "Person": "Person", "Nacht": "Nacht",
    "t": "Tonne", "Stück": "Stück", "kWh": "Kilowattstunde", "ml": "Milliliter", "Liter": "Liter",
    "kWp": "Kilowatt Peak", "GB": "Gigabyte",
    "Min": "Minute", "Minute": "Minute", "Sekunde": "Sekunde", "Meter": "Meter", "m": "Meter", "cm": "Zentimeter",
    "Einwohner": "Einwohner", "Kopf": "Kopf", "g": "Gramm", "mg": "Milligramm", "dl": "Deziliter",
}  # fmt: skip
_FOLDED_UNITS = {unit.lower(): unit for unit in reversed(_UNITS) if len(unit) > 1 and unit.isalpha()}
_FOLDED_UNITS |= {"mhz": "MHz", "mw": "MW", "mb": "MB", "gb": "GB", "km/h": "km/h", "kmh": "km/h"}
# In any case they are also words or other abbreviations.
_NOT_FOLDED = word_set("ms ma pa ha bar cal pf ns mol el tl wo mp ct")
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_UNIT = f"(?P<unit>{_UNIT}|(?i:{'|'.join(re.escape(unit) for unit in sorted(_FOLDED_UNITS, key=len, reverse=True))}))"
_PER_UNIT = "|".join(re.escape(unit) for unit in sorted(_PER, key=len, reverse=True))
_MAGNITUDE = r"(?:Mio|Mrd|Tsd|Bio)\b\.?|Tausend|tausend|Million(?:en)?|Milliarden?|Billion(?:en)?"
# The full stop of a short unit is no end, unless the text ends there: what follows is in the same sentence.
_SHORT_STOP = r"(?P<stop>\.(?=\s*[^\s.!?]))?"


def _single(name: str) -> str:
    """Return the name of one of a unit."""
    return _ONE[name].partition(" ")[2] if name in _ONE else name


def unit_name(symbol: str, *, single: bool) -> str:
    """Return the name of a unit, of one of it without an article, or of many."""
    name = _UNITS[symbol]
    return _single(name) if single else name


def _spoken(text: str) -> str:
    """Return a number as it is written; two digits after a point are decimals, as abroad."""
    pointed = re.fullmatch(r"[-+−–]?\d+\.\d{1,2}", text)
    plain = text.replace(".", ",") if pointed else re.sub(r"['\s]", ".", text)
    return number(plain.replace("−", "-"), "de")


def _counted(text: str) -> str:
    """Return a number before what it counts: ein hundert ein Kilometer."""
    spoken = _spoken(text)
    return spoken[:-1] if re.search(r"(?:hundert|tausend|illion|illionen|illiarden?) eins$", spoken) else spoken


def _scaled(amount: str, scale: str, before: str = "") -> list[str]:
    """Return an amount of a thousand, millions and more: eine Million, zwei Komma fünf Milliarden."""
    name = ABBREVIATIONS.get(scale.strip().rstrip(".").lower() + ".", scale.strip())
    if amount == "1" and name.lower() != "tausend":
        single = {"Millionen": "Million", "Milliarden": "Milliarde", "Billionen": "Billion"}.get(name, name)
        return [one(before, single), single]
    return ["ein" if amount == "1" else _spoken(amount), name]


@rule(rf"(?P<n>{NUMBER})\s?(?:T€|TEUR\b|[kT]\s?€|k\s?EUR\b)(?!\w)", "d")
def thousands(match: re.Match[str], context: Context) -> Reading:
    """Read 100 T€ and 20k €."""
    return ["ein" if match["n"] == "1" else _spoken(match["n"]), "tausend", "Euro"]


@rule(r"(?P<n>[-+]?\d+(?:[.,]\d+)?)[eE](?P<p>[-+]?\d{1,3})(?!\w)", "do")
def scientific(match: re.Match[str], context: Context) -> Reading:
    """Read 1,5e-3."""
    return [number(match["n"].replace(".", ","), "de"), "mal zehn hoch", number(match["p"].replace("+", ""), "de")]


@rule(rf"(?P<n>{NUMBER})\s?(?P<scale>{_MAGNITUDE})(?!\w)", "d")
def scaled(match: re.Match[str], context: Context) -> Reading:
    """Read 1 Mio. and 500 Tsd."""
    ends = ["."] if match["scale"].endswith(".") and not match.string[match.end() :].strip() else []
    return [*_scaled(match["n"], match["scale"], match.string[: match.start()]), *ends]


@rule(
    rf"(?P<sign>(?:(?<!\w)[-−]|{_MINUS})?)(?:(?P<before>{_SIGN})\s?(?P<a>{_POINTED})(?:[-–]\s?(?P<last>{NUMBER}))?(?P<many>\s?(?:{_MAGNITUDE}))?(?P<dash>[.,][-–—]+)?"
    rf"|(?P<b>{_POINTED})(?:[.,][-–—]+)?(?P<scale>\s(?:{_MAGNITUDE}))?\s?(?P<after>{_AFTER}))"
    rf"(?P<per>\s?/\s?(?:{_PER_UNIT})\b(?:\.(?=,?\s?[^\s.!?]))?)?(?![\w²³])",
    "dou",
)
def money(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3,50 €, €2,21 Millionen, 5 €/kg, CHF 20.-."""
    if match["before"] == "Fr." and not (match["dash"] or "," in match["a"] or "." in match["a"]):
        return None
    words = _money(match)
    ends = ["."] if match.group().endswith("Fr.") and not match.string[match.end() :].strip() else []
    return [*words, *(["pro", _PER[match["per"].strip(" /.")]] if match["per"] else []), *ends]


def _money(match: re.Match[str]) -> list[str | SpokenWord]:
    amount, before = match["a"] or match["b"], match.string[: match.start()]
    name, small = _CURRENCIES[match["before"] or match["after"]]
    many: list[str | SpokenWord] = [
        SpokenWord(part, letter=True) for part in "US" if name.startswith("US ")
    ] + [name.removeprefix("US ")]  # fmt: skip
    words: list[str | SpokenWord] = ["minus"] if match["sign"] else []
    if match["last"]:
        words.extend([_spoken(amount), "bis"])
        amount = match["last"]
    if scale := match["scale"] or match["many"]:
        return [*words, *_scaled(amount, scale, before), *many]
    pointed = re.fullmatch(r"[\d']+\.\d\d?", amount)
    amount = amount.replace("'", "")
    whole, _, change = (amount.replace(".", ",") if pointed else re.sub(r"[.'\s]", "", amount)).partition(",")
    if len(change) > 2:
        return [*words, _spoken(amount), *many]
    change = str(int(change.ljust(2, "0"))) if change else "0"
    if whole.strip("0") or change == "0" or not small:
        words.extend([one(before, name) if int(whole) == 1 else _counted(whole), *many])
        return [*words, *([cardinal(change, "de")] if change != "0" else [])]
    return [*words, "ein" if change == "1" else cardinal(change, "de"), small]


@rule(rf"(?P<n>{NUMBER}),(?:--?|–|—)(?=\s|$|[).;:!?])", "d")
def round_price(match: re.Match[str], context: Context) -> Reading:
    """Read a price in whole money without its name: 5,- and 10,--."""
    return [_spoken(match["n"])]


_MEASURED = (
    "(?i:fach|mal|malig|jährig|tägig|stündig|minütig|monatig|wöchig|seitig|stellig|stöckig|zeilig|spurig|köpfig|teilig"
)
_MEASURED += (
    "|silbig|dimensional|phasig|prozentig|sprachig|polig|gängig|spaltig|türig|geschossig|armig|wertig|reihig|zügig)"
)


@rule(rf"(?P<n>1|\d{{1,3}}01)(?:-(?=[A-ZÄÖÜ][a-zäöüß])|-?(?P<tail>{_MEASURED}[a-zäöü]{{0,3}})(?!\w))", "d")
def one_in_compound(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1-Zimmer-Wohnung, 1-jährig, 101-mal: ein; not Formel-1-Rennen."""
    before = match.string[: match.start()]
    if re.search(r"[\w,.-]$", before) or _RANKED.search(before):
        return None
    tail = match["tail"] or ""
    return ["ein" + tail.lower()] if match["n"] == "1" else [_counted(match["n"]), tail]


_RANKED = re.compile(
    r"(?:\b(?:Formel|Nr\.?|Nummer|Platz|Top|Gruppe|Kategorie|Klasse|Stufe|Typ|Level|Zone|Phase|Teil|Band|Kapitel|Rang"
    r"|Note|Gleis|Halle|Team|Block|Liga|Bundesliga|Linie|Agenda|Artikel|Stand)|[§#])\s?$"
)


@rule(
    rf"(?P<n>(?:(?<![\w)\]%.°])[-+−]|{_MINUS})?{_POINTED})(?:\s?[-–]\s?(?P<last>{_POINTED}))?"
    rf"(?P<scale>\s(?:{_MAGNITUDE}))?"
    rf"(?P<gap>[\s-]?){_UNIT}(?:/(?P<per>{_PER_UNIT}))?(?![\w/²³]){_SHORT_STOP}",
    "do",
)
def measure(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 km, 20 °C, 50 %, 3 Millionen km/h; the full stop of Std. and Min. goes without a pause."""
    unit, gap = match["unit"], match["gap"]
    if unit not in _UNITS and unit.lower() in _NOT_FOLDED:
        return None
    if unit in ("A", "N", "J", "K", "t", "d") and not gap.isspace():
        return None
    if unit == "J" and match["stop"]:
        return [_spoken(match["n"]), "Jahr" if match["n"] == "1" else "Jahre"]
    if unit == "s" and not gap and re.search(r"[a-z][A-Z]\w*$|Galaxy$|Pixel$", context.previous):
        return None
    name = _UNITS.get(unit) or _UNITS[_FOLDED_UNITS[unit.lower()]]
    per = f" pro {_PER[match['per']]}" if match["per"] else ""
    if match["n"] == "1" and not match["last"] and not match["scale"]:
        if gap == "-":
            return [f"ein {name}" + per]
        single = _single(name)
        return [f"{one(match.string[: match.start()], single)} {single}" + per]
    words = [_spoken(match["n"]) if match["last"] else _counted(match["n"])]
    if match["last"]:
        words.extend(["bis", _spoken(match["last"])])
    if match["scale"]:
        words = _scaled(match["n"], match["scale"], match.string[: match.start()])
    return [*words, name + per]


@rule(rf"(?P<n>{NUMBER})/(?P<per>{_PER_UNIT})(?![\w/²³])", "d")
def rate(match: re.Match[str], context: Context) -> Reading:
    """Read 42259/m²: pro Quadratmeter."""
    return [number(match["n"], "de"), "pro", _PER[match["per"]]]


@rule(r"(?:(?P<d>\d+)d\s?)?(?P<h>\d+)h\s?(?P<m>[0-5]?\d)(?:m|min)?(?:\s?(?P<s>[0-5]?\d)s)?(?!\w)", "d")
def hours_and_minutes(match: re.Match[str], context: Context) -> Reading:
    """Read 2h30m."""
    names = (("d", "Tag", "Tage"), ("h", "Stunde", "Stunden"), ("m", "Minute", "Minuten"), ("s", "Sekunde", "Sekunden"))
    words = []
    for key, name, many in names:
        if match[key]:
            single = int(match[key]) == 1
            count = ("ein" if key == "d" else "eine") if single else cardinal(str(int(match[key])), "de")
            words.append(f"{count} {name if single else many}")
    return words


@rule(r"(?P<n>\d+)\s?%ig(?P<end>\w*)", "d")
def percentage(match: re.Match[str], context: Context) -> Reading:
    """Read 100%ig: hundertprozentig."""
    return [number(match["n"], "de"), "prozentig" + match["end"]]


@rule(
    rf"(?:(?:(?P<whole>\d{{1,4}})\s)?(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})|(?P<n>\d{{1,4}})?\s?(?P<part>[{''.join(_VULGAR)}]))"
    rf"(?:\s?{_UNIT})?(?![\w/])",
    "do",
)
def mixed_fraction(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1 1/2: ein ein halb, and 2½; ½ l: ein halber Liter, 3/4 l."""
    whole, unit = match["whole"] or match["n"], match["unit"]
    if match["a"] and (int(match["a"]) >= int(match["b"]) or not (whole or unit)):
        return None
    name = (_UNITS.get(unit) or _UNITS[_FOLDED_UNITS[unit.lower()]]) if unit else ""
    if whole:
        part = _fraction(match["a"], match["b"]) if match["a"] else [_VULGAR[match["part"]]]
        return ["ein" if whole == "1" else cardinal(whole, "de"), *part, *([name] if name else [])]
    if match["part"] == "½" or (match["a"] == "1" and match["b"] == "2"):
        return [*_half(match, _single(name)), *([_single(name)] if name else [])]
    part = _fraction(match["a"], match["b"]) if match["a"] else [_VULGAR[match["part"]]]
    return [*part, *([_single(name)] if name else [])]


def _half(match: re.Match[str], name: str = "") -> list[str]:
    """Return what ½ is before the unit or the noun that follows it, else ein halb."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    if (
        not name
        and re.search(r"(?i:\b(?:um|gegen|bis|ab|vor|nach))\s$", before)
        and re.match(r"\s\d{1,2}(?![\w.,:])", following)
    ):
        return ["halb"]
    if not name and not (NOUN_FOLLOWS.match(following) and counts(before)):
        return ["ein halb"]
    return [half(before, name or following.lstrip())]


@rule(r"(?P<a>\d{1,6})/(?P<b>\d{1,6})(?!\w|/|[.,]\d)", "d")
def fraction(match: re.Match[str], context: Context) -> Reading:
    """Read 3/4; 24/7 and a blood pressure are none."""
    upper, lower = match["a"], match["b"]
    document = re.search(
        r"(?:\bNr\.|Nummer|Rechnung|Drucksache|Verordnung|Richtlinie|\bAz\.:?)\s(?:\(E[UG]\)\s)?$",
        match.string[: match.start()],
    )
    if document or re.fullmatch(r"(?:19|20)\d\d", lower):
        return [cardinal(upper, "de"), "Schrägstrich", cardinal(lower, "de")]
    if match.group() in ("5/5", "10/10", "100/100"):
        return [cardinal(upper, "de"), "von", cardinal(lower, "de")]
    if match.group() in ("24/7", "50/50", "9/11") or (90 <= int(upper) <= 250 and 40 <= int(lower) <= 130):
        between = ["zu"] if int(upper) >= 90 else []
        return [cardinal(upper, "de"), *between, cardinal(lower, "de")]
    return _half(match) if match.group() == "1/2" else _fraction(upper, lower)


def _fraction(upper: str, lower: str) -> list[str]:
    top, bottom = int(upper), int(lower)
    if bottom == 2 and top == 1:
        return ["ein halb"]
    if 2 < bottom <= 100:
        base = ordinal(lower, "de")
        part = base.removesuffix("te") + "tel" if bottom < 20 else base.removesuffix("e") + "el"
        return ["ein" if top == 1 else cardinal(upper, "de"), part.replace("dritttel", "drittel")]
    return [cardinal(upper, "de"), "durch", cardinal(lower, "de")]


@rule(
    r"(?:\+\d{1,3}(?:\s?\(0\))?|00\d{2}(?=\s)|0\d{2,5}|\(0\d{2,5}\))[\s/-]{0,3}(?:\d{2,8}[\s/-]?){0,5}\d{2,8}(?!\w|[.,]\d)",
    "do",
)
def telephone(match: re.Match[str], context: Context) -> Reading:
    """Read a telephone number digit by digit."""
    words: list[str | SpokenWord] = ["plus"] if match.group()[0] == "+" else []
    for place, group in enumerate(re.findall(r"\d+", match.group())):
        words.extend([*([","] if place else []), digits(group, "de")])
    return words


@rule(
    rf"(?P<a>{NUMBER})(?:\s?%)?(?P<gap>\s?)[-–]\s?(?P<b>{NUMBER})(?P<times>\s?[x×]|\s?[Mm]al\b|-mal\b)?(?!\w|[.,]\d)",
    "d",
)
def span(match: re.Match[str], context: Context) -> Reading:
    """Read 10-20 and 3-4x; before an equals sign it is a subtraction."""
    between = "minus" if re.match(r"\s*=", match.string[match.end() :]) else "bis"
    falling = match["a"].isdecimal() and match["b"].isdecimal() and int(match["a"]) > int(match["b"])
    if falling and match["gap"]:
        between = "minus"
    if between == "bis" and falling and not match["gap"] and len(match["b"]) > 1:
        # Boeing 747-400: a name.
        return [_spoken(match["a"]), _spoken(match["b"])]
    return [_spoken(match["a"]), between, _spoken(match["b"]), *(["mal"] if match["times"] else [])]


@rule(
    rf"(?P<a>{NUMBER})\s?[x×·]\s?(?P<b>{NUMBER})(?:\s?[x×·]\s?(?P<c>{NUMBER}))?(?!\w)|(?P<n>{NUMBER})(?:[x×](?!\w)|\s[x×](?=\s[a-zäöü]{{2,}}))",
    "d",
)
def times(match: re.Match[str], context: Context) -> Reading:
    """Read 5 x 3, 1920x1080 and 10x."""
    if match["n"]:
        if re.match(r"\s?[-+=*/^]\s?[\w(]", match.string[match.end() :]):
            return [_spoken(match["n"]), SpokenWord("X", letter=True)]
        return ["ein" if match["n"] == "1" else _spoken(match["n"]), "mal"]
    return [" mal ".join(_spoken(match[part]) for part in "abc" if match[part])]


@rule(r"[x×·](?=\s?\d)", "lo")
def times_between(match: re.Match[str], context: Context) -> Reading | None:
    """Read the sign between two measures: 10 cm x 5 cm."""
    return ["mal"] if re.match(r"\d", context.previous) else None


@rule(r"(?P<a>\d{1,4})(?P<gap>\s?):(?P=gap)(?P<b>\d{1,3}(?:\.\d{3})+|\d{1,6})(?!\w|:\d|[.,]\d)", "d")
def ratio(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3:2, 16:9 and 1:25.000; 8 : 2 = 4 is a division."""
    if re.match(r"\s*=", match.string[match.end() :]):
        return [cardinal(match["a"], "de"), "geteilt durch", cardinal(match["b"], "de")]
    return [cardinal(match["a"], "de"), "zu", cardinal(match["b"], "de")]


@rule(rf"(?P<n>{NUMBER})(?P<sign>\"|''|')(?![\w'])", "d")
def inches_or_feet(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10" Pizza and 20' x 30'; not a quote that closes after a number."""
    before, sign = match.string[: match.start()], match["sign"]
    opened = (
        re.sub(r"\d(?:\"|'')", "", before).count('"') % 2
        if sign != "'"
        else len(re.findall(r"(?<![\w'])'(?=\w)", before))
    )
    if opened:
        return None
    return [_spoken(match["n"]), "Fuß" if sign == "'" else "Zoll"]


@rule(r"\s?(?:[-–](?=\d+(?:,\d+)?\s?[%°]))", "o")
def between_numbers(match: re.Match[str], context: Context) -> Reading | None:
    """Read the hyphen of 20%-30% and 10°-20°."""
    before = match.string[: match.start()].rstrip()
    return ["bis"] if before[-1:] in ("%", "°") else None


@rule(r"\d+\.\d+(?!\w|[.,]\d)", "d")
def pointed(match: re.Match[str], context: Context) -> Reading | None:
    """Read Python 3.11: drei Punkt elf; three digits after the point are thousands."""
    whole, _, rest = match.group().partition(".")
    if len(rest) == 3 and len(whole) <= 3:
        return None
    return [cardinal(whole, "de"), "Punkt", cardinal(rest, "de")]


@rule(r"(?P<v>[vV](?=\d)|[vV]ersion\s)?(?P<n>\d+(?:\.\d+)+)(?!\w)", "ld")
def version(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1.2.3 and v2.5.1; three digits after every point are separators of thousands."""
    parts = match["n"].split(".")
    if not match["v"] and (len(parts) < 3 or all(len(part) == 3 for part in parts[1:])):
        return None
    return [*(["Version"] if match["v"] else []), " Punkt ".join(cardinal(part, "de") for part in parts)]


@rule(r"[#№]\s?(?P<n>\d{1,9})(?!\w)", "o")
def numbered(match: re.Match[str], context: Context) -> Reading:
    """Read #5: Nummer fünf."""
    return ["Nummer", cardinal(match["n"], "de")]


@rule(rf"(?P<n>[-+−]?{NUMBER}|{_MINUS}{NUMBER})", "do")
def plain(match: re.Match[str], context: Context) -> Reading | None:
    """Read any other number."""
    text = match["n"]
    if not text[0].isdecimal() and context.text[match.start() - 1 : match.start()].isalnum():
        return None
    if len(text) > 2 * LONGEST_NUMBER:
        return [digits(text, "de")]
    before, following = match.string[: match.start()], match.string[match.end() :]
    if text[0] == "-" and re.search(r"(?:Durchwahl|DW|Apparat)\s$", before):
        return [digits(text, "de")]
    if text == "1" and re.match(r"\smal\b(?!\s\d)", following):
        return ["ein"]
    if text.endswith("1") and NOUN_FOLLOWS.match(following) and counts(before):
        if text == "1001" and re.match(r"\sNacht\b", following):
            return ["tausend und eine"]
        return [one(before, following.lstrip()) if text == "1" else _counted(text)]
    return [_spoken(text)]


@rule(r"\d+", "d")
def any_digits(match: re.Match[str], context: Context) -> Reading:
    """Read digits of any script."""
    return [digits(match.group(), "de")]
