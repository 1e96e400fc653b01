"""Numbers that stand alone, in English: ordinals, fractions, percentages, ratios, ranges, plain numbers."""

import re

from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal
from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule

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
        return [cardinal(match["n"]), Spoken("K", letter=True)]
    if match["scale"] == "B" and "." not in match["n"]:
        # A flat, a size, a house number: 221B.
        return [cardinal(match["n"]), Spoken("B", letter=True)]
    return [number(match["n"]), _SCALES[match["scale"].lower()]]


@rule(r"\d{1,7}(?:-\d{1,7}){2,}(?!\w|-)", "d")
def groups(match: re.Match[str], context: Context) -> Reading:
    """Read groups of digits, as in the number of a book, digit by digit."""
    words: list[str | Spoken] = []
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


RULES = (
    ordinal_number, percentage, slashed, vulgar, power, scientific, ratio, scaled, groups, span, signed, numbered,
    approximate, plain,
)  # fmt: skip
LAST_RULES = (leftover_digits,)
