"""German normalisation: numbers, dates, times, money, units, abbreviations and capitals."""

import re

from glowvox.text.normalise.numbers import LONGEST_NUMBER, cardinal, digits, number, ordinal, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
MONTH = "|".join(MONTHS)
SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September", "Mrz": "März"}
NUMBER = r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?"
CURRENCIES = {
    "€": ("ein Euro", "Euro"), "EUR": ("ein Euro", "Euro"), "$": ("ein Dollar", "Dollar"),
    "USD": ("ein U S Dollar", "U S Dollar"),
    "£": ("ein Pfund", "Pfund"), "CHF": ("ein Franken", "Franken"), "¥": ("ein Yen", "Yen"),
}  # fmt: skip
UNITS = {
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
}  # fmt: skip
_ONE = {
    "Stunden": "eine Stunde", "Minuten": "eine Minute", "Sekunden": "eine Sekunde", "Tonnen": "eine Tonne",
    "Millisekunden": "eine Millisekunde", "Nanosekunden": "eine Nanosekunde", "Kilowattstunden": "eine Kilowattstunde",
    "Wattstunden": "eine Wattstunde", "Megawattstunden": "eine Megawattstunde", "Kilokalorien": "eine Kilokalorie",
    "Kalorien": "eine Kalorie",
}  # fmt: skip
_PER = {
    "m²": "Quadratmeter", "m2": "Quadratmeter", "m³": "Kubikmeter", "km²": "Quadratkilometer", "kg": "Kilogramm",
    "l": "Liter", "h": "Stunde", "Std": "Stunde", "Stunde": "Stunde", "s": "Sekunde", "min": "Minute", "Tag": "Tag",
    "Woche": "Woche", "Monat": "Monat", "Jahr": "Jahr", "km": "Kilometer", "Person": "Person", "Nacht": "Nacht",
    "t": "Tonne", "Stück": "Stück", "kWh": "Kilowattstunde", "ml": "Milliliter", "Liter": "Liter",
}  # fmt: skip
_FOLDED_UNITS = {unit.lower(): unit for unit in reversed(UNITS) if len(unit) > 1 and unit.isalpha()}
_FOLDED_UNITS |= {"mhz": "MHz", "mw": "MW", "mb": "MB", "gb": "GB", "km/h": "km/h"}
# In any case they are also words or other abbreviations.
_NOT_FOLDED = word_set("ms ma pa ha bar cal pf ns mol")
ABBREVIATIONS = {
    "z. b.": "zum Beispiel", "z.b.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
    "u. a.": "unter anderem",
    "u.a.": "unter anderem", "z. t.": "zum Teil", "z.t.": "zum Teil", "v. a.": "vor allem", "v.a.": "vor allem",
    "o. ä.": "oder ähnliches",
    "i. d. r.": "in der Regel", "i.d.r.": "in der Regel", "u. s. w.": "und so weiter", "n. chr.": "nach Christus",
    "v. chr.": "vor Christus",
    "usw.": "und so weiter", "abb.": "Abbildung", "kap.": "Kapitel", "bzw.": "beziehungsweise", "ca.": "circa",
    "dr.": "Doktor", "mr.": "Mister", "mrs.": "Misses", "ms.": "Miss", "prof.": "Professor",
    "hr.": "Herr",
    "fr.": "Frau", "nr.": "Nummer", "str.": "Straße", "st.": "Sankt", "evtl.": "eventuell",
    "ggf.": "gegebenenfalls", "inkl.": "inklusive",
    "exkl.": "exklusive", "vgl.": "vergleiche", "etc.": "et cetera", "abs.": "Absatz", "art.": "Artikel",
    "bd.": "Band", "s.": "Seite",
    "jh.": "Jahrhundert", "jhd.": "Jahrhundert", "geb.": "geboren", "gest.": "gestorben", "tel.": "Telefon",
    "mio.": "Millionen",
    "mrd.": "Milliarden", "tsd.": "Tausend", "sog.": "sogenannte", "allg.": "allgemein", "max.": "maximal",
    "min.": "minimal",
    "std.": "Stunden",
    "mind.": "mindestens", "dipl.": "Diplom", "ing.": "Ingenieur", "bspw.": "beispielsweise",
}  # fmt: skip
ABBREVIATION = "|".join(re.escape(text) for text in sorted(ABBREVIATIONS, key=len, reverse=True))
SPOKEN_AS_WORDS = word_set("NATO NASA UNESCO AIDS LASER RADAR DAX UNO IKEA BAFÖG PIN RAM ADAC") - {"ADAC"}


_BEFORE_EN = word_set("am dem vom zum beim den des im seit bis ab diesem zur jeden ihren seinen meinen deinen unseren")
_BEFORE_ORDINALS = _BEFORE_EN | {"der", "die", "das"}


def _inflected(text: str, context: Context) -> str:
    """Return an ordinal with the ending that the word before asks for: am ersten, der erste, ein erster."""
    base = ordinal(text, "de").removesuffix("e")
    before = context.previous.lower()
    if before in _BEFORE_EN:
        return base + "en"
    return base + ("e" if before in ("der", "die", "das") else "er")


@rule(rf"(?P<day>3[01]|[12]\d|0?[1-9])\.\s?(?:(?P<number>1[0-2]|0?[1-9])\.|(?P<month>(?i:{MONTH}|(?:Jan|Feb|Mär|Mrz|Apr|Jun|Jul|Aug|Sept|Sep|Okt|Nov|Dez)\b\.?)))(?:\s?(?P<year>\d{{4}}|\d\d(?!\d)))?(?!\w)", "d")  # fmt: skip  # noqa: E501
def date(match: re.Match[str], context: Context) -> Reading:
    """Read 5.12.2024 and 3. Oktober 1990."""
    words = [_inflected(match["day"].lstrip("0"), context)]
    if match["number"]:
        words.append(_inflected(match["number"].lstrip("0"), context))
    else:
        short = match["month"].rstrip(".").capitalize()
        words.append(short if short in MONTHS else SHORT_MONTHS[short[:4] if short.startswith("Sept") else short[:3]])
    if match["year"]:
        words.append(year(match["year"], "de") if len(match["year"]) == 4 else cardinal(match["year"], "de"))
    return words


@rule(
    rf"(?P<a>3[01]|[12]\d|0?[1-9])\.(?:\s?(?P<am>{MONTH}))?\s?(?:[-–]|bis)\s?(?P<b>3[01]|[12]\d|0?[1-9])\.\s?"
    rf"(?:(?P<number>1[0-2]|0?[1-9])\.|(?P<month>(?i:{MONTH})))(?:\s?(?P<year>\d{{4}}))?(?!\w)",
    "d",
)
def date_range(match: re.Match[str], context: Context) -> Reading:
    """Read 5.-10. Mai: fünfter bis zehnter Mai."""
    words = [_inflected(match["a"].lstrip("0"), context), *([match["am"]] if match["am"] else []), "bis"]
    words.append(_inflected(match["b"].lstrip("0"), context))
    words.append(_inflected(match["number"].lstrip("0"), context) if match["number"] else match["month"].capitalize())
    return [*words, *([year(match["year"], "de")] if match["year"] else [])]


@rule(r"(?P<day>0[1-9]|[12]\d|3[01])\.(?P<month>0[1-9]|1[0-2])(?![\w.:,%]|\s?(?:Uhr|€|[A-Za-z]{1,3}\b))", "d")
def short_date(match: re.Match[str], context: Context) -> Reading | None:
    """Read 02.03: zweiter dritter."""
    if match["day"][0] != "0" and match["month"][0] != "0":
        return None
    return [_inflected(match["day"].lstrip("0"), context), _inflected(match["month"].lstrip("0"), context)]


@rule(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])(?!\w)", "d")
def iso_date(match: re.Match[str], context: Context) -> Reading:
    """Read 2024-12-05."""
    day, month = match["day"].lstrip("0"), int(match["month"])
    return [_inflected(day, context), MONTHS[month - 1], year(match["year"], "de")]


@rule(
    r"(?P<hour>[01]?\d|2[0-4])[:.](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?P<clock>\s?(?:Uhr|h)\b)?(?![\w.:])", "d"
)
def clock(match: re.Match[str], context: Context) -> Reading | None:
    """Read 15:30 Uhr."""
    if "." in match.group() and not match["clock"]:
        return None
    hour = "ein" if int(match["hour"]) == 1 else cardinal(str(int(match["hour"])), "de")
    minute = int(match["minute"])
    words = [hour, "Uhr", *([cardinal(str(minute), "de")] if minute else [])]
    if match["second"] and int(match["second"]):
        words.extend(["und", cardinal(str(int(match["second"])), "de"), "Sekunden"])
    return words


@rule(rf"(?P<sign>(?:(?<!\w)[-−])?)(?:(?P<before>[€$£¥])\s?(?P<a>{NUMBER})(?P<many>\s(?:Mio|Mrd|Tsd)\b\.?|\s(?:Tausend|tausend|Millionen?|Milliarden?|Billionen?))?|(?P<b>{NUMBER})(?:,[-–—]+)?(?P<scale>\s(?:Mio|Mrd|Tsd)\.?|\s(?:Tausend|tausend|Millionen?|Milliarden?|Billionen?))?\s?(?P<after>[€$£¥]|EUR\b|USD\b|CHF\b))(?P<per>\s?/\s?(?:h|Std|Tag|Monat|Jahr|Woche|Nacht|kg|l|m²|km|Stück|Person)\b)?(?!\w)", "do")  # fmt: skip  # noqa: E501
def money(match: re.Match[str], context: Context) -> Reading:
    """Read 3,50 €, €2,21 Millionen, 5 €/kg."""
    words = _money(match)
    return [*words, "pro", _PER[match["per"].strip(" /")]] if match["per"] else words


def _money(match: re.Match[str]) -> list[str]:
    amount, code = match["a"] or match["b"], match["before"] or match["after"]
    one, many = CURRENCIES[code]
    words = ["minus"] if match["sign"] else []
    if scaled := match["scale"] or match["many"]:
        scale = ABBREVIATIONS.get(scaled.strip().rstrip(".").lower() + ".", scaled.strip())
        return [*words, "eine" if amount == "1" else number(amount, "de"), scale, many]
    whole, _, change = amount.replace(".", "").partition(",")
    words.append(one if int(whole) == 1 else f"{cardinal(whole, 'de')} {many}")
    if change and len(change) <= 2:
        change = change.ljust(2, "0")
        words.extend([cardinal(str(int(change)), "de")] if int(change) else [])
    elif change:
        return [number(amount, "de"), many]
    return words


_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_UNIT = f"(?P<unit>{_UNIT}|(?i:{'|'.join(re.escape(unit) for unit in sorted(_FOLDED_UNITS, key=len, reverse=True))}))"
_PER_UNIT = "|".join(re.escape(unit) for unit in sorted(_PER, key=len, reverse=True))


@rule(
    rf"(?P<n>(?:(?<![\w)\]%.])[-+])?{NUMBER})(?:\s?[-–]\s?(?P<last>{NUMBER}))?"
    r"(?P<scale>\s(?:Tausend|tausend|Millionen?|Milliarden?|Billionen?|Mio\.?|Mrd\.?))?"
    rf"(?P<gap>[\s-]?){_UNIT}(?:/(?P<per>{_PER_UNIT}))?(?![\w/²³])",
    "do",
)
def measure(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 km, 20 °C, 50 %, 3 Millionen km/h."""
    unit = match["unit"]
    if unit not in UNITS and unit.lower() in _NOT_FOLDED:
        return None
    if unit in ("A", "N", "J", "K", "V", "W", "t", "l") and not match["gap"].isspace() and unit not in ("W", "V", "l"):
        return None
    name = UNITS.get(unit) or UNITS[_FOLDED_UNITS[unit.lower()]]
    per = f" pro {_PER[match['per']]}" if match["per"] else ""
    if match["n"] == "1" and not match["last"] and not match["scale"]:
        return [_ONE.get(name, f"ein {name}") + per]
    words = [number(match["n"], "de")]
    if match["last"]:
        words.extend(["bis", number(match["last"], "de")])
    if match["scale"]:
        scale = match["scale"].strip()
        words = ["eine"] if match["n"] == "1" else words
        words.append(ABBREVIATIONS.get(scale.rstrip(".").lower() + ".", scale))
    return [*words, name + per]


@rule(rf"(?P<n>{NUMBER})/(?P<per>{_PER_UNIT})(?![\w/²³])", "d")
def rate(match: re.Match[str], context: Context) -> Reading:
    """Read 42259/m²: pro Quadratmeter."""
    return [number(match["n"], "de"), "pro", _PER[match["per"]]]


@rule(rf"(?P<whole>\d{{1,4}})\s(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})(?:\s?{_UNIT})?(?![\w/])", "d")
def mixed_fraction(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1 1/2: ein ein halb."""
    if int(match["a"]) >= int(match["b"]):
        return None
    whole = "ein" if match["whole"] == "1" else cardinal(match["whole"], "de")
    unit = match["unit"]
    name = (UNITS.get(unit) or UNITS[_FOLDED_UNITS[unit.lower()]]) if unit else ""
    return [whole, *_fraction(match["a"], match["b"]), *([name] if name else [])]


@rule(r"(?:\+\d{1,3}(?:\s?\(0\))?|0\d{2,5}|\(0\d{2,5}\))[\s/-]?(?:\d{2,8}[\s/-]?){0,5}\d{2,8}(?!\w|[.,]\d)", "do")
def telephone(match: re.Match[str], context: Context) -> Reading:
    """Read a telephone number digit by digit."""
    words: list[str | SpokenWord] = ["plus"] if match.group()[0] == "+" else []
    for place, group in enumerate(re.findall(r"\d+", match.group())):
        words.extend([*([","] if place else []), digits(group, "de")])
    return words


@rule(r"(?P<a>\d{4})\s?[-–/]\s?(?P<b>\d{4}|\d\d)(?!\w|[.,]\d)", "d")
def year_range(match: re.Match[str], context: Context) -> Reading:
    """Read 1914-1918."""
    return [
        year(match["a"], "de"),
        "bis",
        year(match["b"], "de") if len(match["b"]) == 4 else cardinal(match["b"], "de"),
    ]


@rule(rf"(?P<a>{NUMBER})(?:\s?%)?\s?[-–]\s?(?P<b>{NUMBER})(?!\w|[.,]\d)", "d")
def span(match: re.Match[str], context: Context) -> Reading:
    """Read 10-20."""
    if re.match(r"\s*=", match.string[match.end() :]):
        return [number(match["a"], "de"), "minus", number(match["b"], "de")]
    return [number(match["a"], "de"), "bis", number(match["b"], "de")]


@rule(r"(?P<n>1[1-9]|20)(?P<d>\d0)er(?!\w)|(?P<short>[2-9]0)er(?!\w)", "d")
def decade(match: re.Match[str], context: Context) -> Reading:
    """Read 1990er and 80er."""
    return [(year(match["n"] + match["d"], "de") if match["n"] else cardinal(match["short"], "de")) + "er"]


@rule(r"(?P<n>\d{1,3}(?:\.\d{3})+|\d{1,7})\.(?=(?P<more>\s+[^\W\d_])|(?P<comma>,|\s+\d)|(?P<end>\s*$))", "d")
def ordinal_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3. Platz; a number that ends a sentence is followed by a sentence of its own, so this is an ordinal."""
    before = context.previous.lower()
    if match["comma"] and before not in _BEFORE_ORDINALS:
        return None
    if match["end"] is not None:
        alone = not match.string[: match.start()].strip() and len(match["n"]) < 4
        return [_inflected(match["n"], context), "."] if before in _BEFORE_ORDINALS or alone else None
    return [_inflected(match["n"], context)]


@rule(r"(?P<n>\d{1,7})-?(?P<end>ste[nrsm]?|te[nrsm]?)(?!\w)", "d")
def ordinal_with_ending(match: re.Match[str], context: Context) -> Reading:
    """Read 121tem and 20ste."""
    return [ordinal(match["n"], "de").removesuffix("e") + "e" + match["end"].removeprefix("s")[2:]]


@rule(r"(?P<a>\d{1,6})/(?P<b>\d{1,6})(?!\w|/)", "d")
def fraction(match: re.Match[str], context: Context) -> Reading:
    """Read 3/4."""
    return _fraction(match["a"], match["b"])


def _fraction(upper: str, lower: str) -> list[str]:
    top, bottom = int(upper), int(lower)
    if bottom == 2 and top == 1:
        return ["ein halb"]
    if 2 < bottom <= 100:
        part = (
            ordinal(lower, "de").removesuffix("te") + "tel"
            if bottom < 20
            else ordinal(lower, "de").removesuffix("e") + "el"
        )
        return ["ein" if top == 1 else cardinal(upper, "de"), part.replace("dritttel", "drittel")]
    return [cardinal(upper, "de"), "durch", cardinal(lower, "de")]


@rule(r"1[1-9]\d\d(?!\w|[.,:]\d)", "d")
def plain_year(match: re.Match[str], context: Context) -> Reading:
    """Read 1989 as a year."""
    return [year(match.group(), "de")]


@rule(r"\d+(?:\.\d+){2,}(?!\w)", "d")
def version(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1.2.3; three digits after every point are separators of thousands."""
    parts = match.group().split(".")
    if all(len(part) == 3 for part in parts[1:]):
        return None
    return [" Punkt ".join(cardinal(part, "de") for part in parts)]


@rule(r"\s?(?:[-–](?=\d+(?:,\d+)?\s?%)|[*](?=\s?\d))", "o")
def between_numbers(match: re.Match[str], context: Context) -> Reading | None:
    """Read the hyphen of 20%-30% and the asterisk of 3*4."""
    before = match.string[: match.start()].rstrip()
    if match.group().strip() == "*":
        return ["mal"] if before[-1:].isdecimal() else None
    return ["bis"] if before.endswith("%") else None


@rule(rf"(?P<n>[-+]?{NUMBER})", "do")
def plain(match: re.Match[str], context: Context) -> Reading | None:
    """Read any other number."""
    if (
        not match["n"][0].isdecimal()
        and context.previous[-1:].isalnum()
        and context.text[match.start() - 1 : match.start()].isalnum()
    ):
        return None
    return [number(match["n"], "de")] if len(match["n"]) <= 2 * LONGEST_NUMBER else [digits(match["n"], "de")]


@rule(r"\d+", "d")
def any_digits(match: re.Match[str], context: Context) -> Reading:
    """Read digits of any script."""
    return [digits(match.group(), "de")]


@rule(rf"(?i:{ABBREVIATION})(?!\w)", "l")
def abbreviation(match: re.Match[str], context: Context) -> Reading | None:
    """Read z. B., usw., Dr.; the full stop of one that ends the text stays a full stop."""
    text = match.group().lower()
    following = match.string[match.end() :].lstrip()
    if text in ("s.", "art.", "abs.", "bd.", "min.", "max.", "abb.", "kap.", "ms.") and not following[:1].isdigit():
        return None
    spoken = ABBREVIATIONS[text]
    return [spoken] if following else [spoken, "."]


@rule(r"(?P<letters>[A-ZÄÖÜ]{2,})(?P<s>s)?(?![^\W\d_])", "u")
def capitals(match: re.Match[str], context: Context) -> Reading:
    """Read EU, USA, PC: letters; a long row in capitals is a word."""
    text = match["letters"]
    if text in SPOKEN_AS_WORDS or len(text) > 5 or (context.shouting and context.is_word(text.lower())):
        return [text.lower()]
    if len(text) >= 4 and context.is_word(text.lower()):
        return [text.lower()]
    return [SpokenWord(letter, letter=True) for letter in text]


@rule(r"[A-Za-zÄÖÜäöü](?![\w'])", "l")
def letter(match: re.Match[str], context: Context) -> Reading:
    """Read a letter that stands alone."""
    return [SpokenWord(match.group().upper(), letter=True)]


@rule(r"(?P<hour>[01]?\d|2[0-4])\sUhr(?!\w)", "d")
def hour(match: re.Match[str], context: Context) -> Reading:
    """Read 1 Uhr."""
    return ["ein" if int(match["hour"]) == 1 else cardinal(str(int(match["hour"])), "de"), "Uhr"]


GERMAN_RULES = (
    date_range, date, short_date, iso_date, clock, hour, money, mixed_fraction, measure, rate, telephone, year_range,
    decade,
    ordinal_with_ending, ordinal_number, version, span, fraction, between_numbers, plain_year, plain, any_digits,
    abbreviation, capitals, letter,
)  # fmt: skip
