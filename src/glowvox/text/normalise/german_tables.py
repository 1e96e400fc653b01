"""Tables of the German normaliser."""

import re

from glowvox.text.word_set import word_set

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
