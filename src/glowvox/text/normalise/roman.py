"""Roman numerals: ordinals after a name, numbers after chapter and its like, else where nothing else fits."""

import re

from glowvox.text.normalise.numbers import cardinal, ordinal
from glowvox.text.normalise.scanner import Context, Reading, rule
from glowvox.text.word_set import word_set

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_RULERS = word_set(
    "Henry Louis George Edward Charles James William Elizabeth John Richard Philip Pope Pius Paul Benedict Leo "
    "Gregory Clement "
    "Innocent Napoleon Frederick Alexander Nicholas Peter Catherine Ivan Mary Victor Emmanuel Ferdinand Alfonso "
    "Carlos Francis Urban "
    "Boniface Sixtus Ramses Rameses Thutmose Amenhotep Ptolemy Darius Xerxes Cyrus Otto Wilhelm Friedrich "
    "Ludwig Karl Gustav Christian "
    "Harald Olaf Robert David Malcolm Constantine Constantius Theodosius Justinian Leopold Joseph Maximilian "
    "Rudolf Rudolph Margaret "
    "Juan Felipe Baudouin Albert Umberto Vittorio Selim Murad Mehmed Suleiman Abdul Celestine Julius Eugene "
    "Martin Nicholas Adrian "
    "Alfred Stephen Hugh Conrad Sigismund Ladislaus Casimir Wenceslaus Andrew Bela Eric Magnus Haakon"
)  # fmt: skip
_COUNTED = word_set(
    "chapter part act scene book volume vol section article appendix figure fig table phase type class stage "
    "level grade title "
    "war bowl world apollo mark rocky episode season round group category union amendment schedule number no "
    "page plate legion "
    "case canto psalm lesson unit module version generation gen wrestlemania fantasy"
)


def roman_value(text: str) -> int | None:
    """Return the value of a Roman numeral in capitals, or None where the letters are none."""
    if not text or not _VALID.fullmatch(text):
        return None
    total = 0
    for letter, following in zip(text, text[1:] + "I", strict=True):
        value = _VALUES[letter]
        total += -value if value < _VALUES[following] else value
    # The sentinel after the last letter is the smallest numeral, so the last letter always counts up.
    return total


@rule(r"(?P<n>[IVXLCDM]+)(?P<s>'s)?(?![\w'])(?P<initial>\.\s?[A-Z])?", "l")
def roman(match: re.Match[str], context: Context) -> Reading | None:
    """Read Henry VIII, Chapter IV, World War II, XIV."""
    value = roman_value(match["n"])
    before = context.previous.rstrip(".,").rstrip()
    if value is None or match["initial"]:
        return None
    suffix = match["s"] or ""
    if before in _RULERS:
        if match["n"] == "I" and not _name_of_ruler_ends(match):
            return None
        return [f"the {ordinal(str(value))}{suffix}"]
    if before.lower() in _COUNTED and before[:1].isalpha():
        return [cardinal(str(value)) + suffix]
    # Alone: only rows that are hardly anything else (not I, V, X, C, D, M, CD, DC, MI, CV, MC, DI, MIX, LIVID...).
    if len(match["n"]) > 1 and set(match["n"]) <= set("IVX"):
        return [cardinal(str(value)) + suffix]
    if len(match["n"]) >= 4:
        return [cardinal(str(value)) + suffix]
    return None


def _name_of_ruler_ends(match: re.Match[str]) -> bool:
    """Say whether nothing after the numeral I makes it the pronoun."""
    following = match.string[match.end() :]
    return (
        re.match(
            r"\s+(?:am|was|have|had|will|would|can|could|do|did|know|think|said|saw|went|like|love|want|\w+ed)\b",
            following,
        )
        is None
    )


@rule(r"(?P<n>[ivxlc]+)(?![\w'])", "l")
def small_roman(match: re.Match[str], context: Context) -> Reading | None:
    """Read scene iii and page xii."""
    value = roman_value(match["n"].upper())
    before = context.previous.rstrip(".").lower()
    return [cardinal(str(value))] if value is not None and before in _COUNTED else None


RULES = (roman, small_roman)
