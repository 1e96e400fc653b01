"""German normalisation: numbers, dates, times, money, units, abbreviations and capitals."""

import re

from glowvox.text.normalise.numbers import LONGEST_NUMBER, cardinal, digits, number, ordinal, year
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
MONTH = "|".join(MONTHS)
SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
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
    "kW": "Kilowatt", "MW": "Megawatt",
    "W": "Watt", "V": "Volt", "GB": "Gigabyte", "MB": "Megabyte", "TB": "Terabyte", "kB": "Kilobyte",
    "°C": "Grad Celsius",
    "°F": "Grad Fahrenheit", "°": "Grad", "%": "Prozent", "‰": "Promille", "ha": "Hektar", "dB": "Dezibel",
}  # fmt: skip
ABBREVIATIONS = {
    "z. b.": "zum Beispiel", "z.b.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
    "u. a.": "unter anderem",
    "u.a.": "unter anderem", "z. t.": "zum Teil", "z.t.": "zum Teil", "v. a.": "vor allem", "v.a.": "vor allem",
    "o. ä.": "oder ähnliches",
    "i. d. r.": "in der Regel", "i.d.r.": "in der Regel", "u. s. w.": "und so weiter", "n. chr.": "nach Christus",
    "v. chr.": "vor Christus",
    "usw.": "und so weiter", "bzw.": "beziehungsweise", "ca.": "circa", "dr.": "Doktor", "prof.": "Professor",
    "hr.": "Herr",
    "fr.": "Frau", "nr.": "Nummer", "str.": "Straße", "st.": "Sankt", "evtl.": "eventuell",
    "ggf.": "gegebenenfalls", "inkl.": "inklusive",
    "exkl.": "exklusive", "vgl.": "vergleiche", "etc.": "et cetera", "abs.": "Absatz", "art.": "Artikel",
    "bd.": "Band", "s.": "Seite",
    "jh.": "Jahrhundert", "jhd.": "Jahrhundert", "geb.": "geboren", "gest.": "gestorben", "tel.": "Telefon",
    "mio.": "Millionen",
    "mrd.": "Milliarden", "sog.": "sogenannte", "allg.": "allgemein", "max.": "maximal", "min.": "minimal",
    "std.": "Stunden",
    "mind.": "mindestens", "dipl.": "Diplom", "ing.": "Ingenieur", "bspw.": "beispielsweise",
}  # fmt: skip
ABBREVIATION = "|".join(re.escape(text) for text in sorted(ABBREVIATIONS, key=len, reverse=True))
SPOKEN_AS_WORDS = word_set("NATO NASA UNESCO AIDS LASER RADAR DAX UNO IKEA BAFÖG PIN RAM ADAC") - {"ADAC"}


def _inflected(text: str, context: Context) -> str:
    """Return an ordinal with the ending that the word before asks for: am ersten, der erste, ein erster."""
    base = ordinal(text, "de").removesuffix("e")
    before = context.previous.lower()
    if before in (
        "am",
        "dem",
        "vom",
        "zum",
        "beim",
        "den",
        "des",
        "im",
        "seit",
        "bis",
        "ab",
        "diesem",
        "zur",
        "jeden",
        "ihren",
        "seinen",
    ):
        return base + "en"
    return base + ("e" if before in ("der", "die", "das") else "er")


@rule(rf"(?P<day>3[01]|[12]\d|0?[1-9])\.\s?(?:(?P<number>1[0-2]|0?[1-9])\.|(?P<month>{MONTH}|(?:Jan|Feb|Mär|Apr|Jun|Jul|Aug|Sept|Sep|Okt|Nov|Dez)\b\.?))(?:\s?(?P<year>\d{{4}}|\d\d(?!\d)))?(?!\w)", "d")  # fmt: skip  # noqa: E501
def date(match: re.Match[str], context: Context) -> Reading:
    """Read 5.12.2024 and 3. Oktober 1990."""
    words = [_inflected(match["day"].lstrip("0"), context)]
    if match["number"]:
        words.append(_inflected(match["number"].lstrip("0"), context))
    else:
        short = match["month"].rstrip(".")
        words.append(short if short in MONTHS else SHORT_MONTHS[short[:4] if short.startswith("Sept") else short[:3]])
    if match["year"]:
        words.append(year(match["year"], "de") if len(match["year"]) == 4 else cardinal(match["year"], "de"))
    return words


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


@rule(rf"(?P<sign>[-−]?)(?:(?P<before>[€$£¥])\s?(?P<a>{NUMBER})|(?P<b>{NUMBER})(?:,[-–—]+)?(?P<scale>\s(?:Mio|Mrd)\.?|\s(?:Millionen|Milliarden))?\s?(?P<after>[€$£¥]|EUR\b|USD\b|CHF\b))(?!\w)", "do")  # fmt: skip  # noqa: E501
def money(match: re.Match[str], context: Context) -> Reading:
    """Read 3,50 €."""
    amount, code = match["a"] or match["b"], match["before"] or match["after"]
    one, many = CURRENCIES[code]
    words = ["minus"] if match["sign"] else []
    if match["scale"]:
        scale = ABBREVIATIONS.get(match["scale"].strip().rstrip(".").lower() + ".", match["scale"].strip())
        return [*words, number(amount, "de"), scale, many]
    whole, _, change = amount.replace(".", "").partition(",")
    words.append(one if int(whole) == 1 else f"{cardinal(whole, 'de')} {many}")
    if change and len(change) == 2:
        words.extend([cardinal(str(int(change)), "de")] if int(change) else [])
    elif change:
        return [number(amount, "de"), many]
    return words


@rule(rf"(?P<n>[-+]?{NUMBER})(?:\s?[-–]\s?(?P<last>{NUMBER}))?[\s-]?(?P<unit>{'|'.join(re.escape(u) for u in sorted(UNITS, key=len, reverse=True))})(?![\w/²³])", "do")  # fmt: skip  # noqa: E501
def measure(match: re.Match[str], context: Context) -> Reading:
    """Read 5 km, 20 °C, 50 %."""
    words = ["ein" if match["n"] == "1" else number(match["n"], "de")]
    if match["last"]:
        words.extend(["bis", number(match["last"], "de")])
    return [*words, UNITS[match["unit"]]]


@rule(r"(?:\+\d{1,3}|0\d{2,5})[\s/-]?(?:\d{2,8}[\s/-]?){1,5}(?!\w|[.,]\d)", "do")
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


@rule(rf"(?P<a>{NUMBER})\s?[-–]\s?(?P<b>{NUMBER})(?!\w|[.,]\d)", "d")
def span(match: re.Match[str], context: Context) -> Reading:
    """Read 10-20."""
    return [number(match["a"], "de"), "bis", number(match["b"], "de")]


@rule(r"(?P<n>1[1-9]|20)(?P<d>\d0)er(?!\w)|(?P<short>[2-9]0)er(?!\w)", "d")
def decade(match: re.Match[str], context: Context) -> Reading:
    """Read 1990er and 80er."""
    return [(year(match["n"] + match["d"], "de") if match["n"] else cardinal(match["short"], "de")) + "er"]


@rule(r"(?P<n>\d{1,4})\.(?=\s+[^\W\d_])", "d")
def ordinal_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3. Platz; a number that ends a sentence is followed by a sentence of its own, so this is an ordinal."""
    return [_inflected(match["n"], context)]


@rule(r"(?P<a>\d{1,3})/(?P<b>\d{1,3})(?!\w|/)", "d")
def fraction(match: re.Match[str], context: Context) -> Reading:
    """Read 3/4."""
    top, bottom = int(match["a"]), int(match["b"])
    if bottom == 2 and top == 1:
        return ["ein halb"]
    if 2 < bottom <= 100:
        part = (
            ordinal(match["b"], "de").removesuffix("te") + "tel"
            if bottom < 20
            else ordinal(match["b"], "de").removesuffix("e") + "el"
        )
        return ["ein" if top == 1 else cardinal(match["a"], "de"), part.replace("dritttel", "drittel")]
    return [cardinal(match["a"], "de"), "durch", cardinal(match["b"], "de")]


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
    if text in ("s.", "art.", "abs.", "bd.", "min.", "max.") and not following[:1].isdigit():
        return None
    spoken = ABBREVIATIONS[text]
    return [spoken] if following else [spoken, "."]


@rule(r"(?P<letters>[A-ZÄÖÜ]{2,})(?P<s>s)?(?![^\W\d_])", "l")
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
    date, iso_date, clock, hour, money, measure, telephone, year_range, decade, ordinal_number, version, span, fraction,
    plain_year, plain, any_digits, abbreviation, capitals, letter,
)  # fmt: skip
