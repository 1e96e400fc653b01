"""Numbers in words, English and German. The words come from num2words; their spelling is made fit for a lexicon."""

import re
from functools import lru_cache

LONGEST_NUMBER = 15
"""Digits up to which a number is read as one; longer ones are read digit by digit."""

_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
}
_POINT = {"en": "point", "de": "Komma"}
_MINUS = {"en": "minus", "de": "minus"}
# Long German number words are cut where their parts meet: the parts are in the lexicon, the whole is not.
_GERMAN_PARTS = re.compile(r"(?<=hundert)(?=.)|(?<=tausend)(?=.)|(?<=.)(?=hundert)|(?<=.)(?=tausend)")
_GERMAN_AND = re.compile(r"(ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und(?=\w+ßig|\w+zig)")


@lru_cache(maxsize=4096)
def _words(number: int, form: str, language: str) -> str:
    from num2words import num2words  # loads some 50 languages: only where a number is met

    text = num2words(number, to=form, lang=language)
    if language == "en":
        return re.sub(r"\band\b", " ", text.replace(",", " ").replace("-", " "))
    return _GERMAN_AND.sub(r"\1 und ", _GERMAN_PARTS.sub(" ", text))


def digits(text: str, language: str = "en") -> str:
    """Return the digits of a string one by one; every other character is left out."""
    names = _DIGITS[language]
    return " ".join(names[int(digit)] for digit in text if digit.isdecimal())


def cardinal(text: str, language: str = "en") -> str:
    """Return a whole number in words; leading zeros or too many digits make it a row of digits.

    Args:
        text: Decimal digits, perhaps with separators, which are ignored.
        language: `en` or `de`.
    """
    plain = "".join(str(int(digit)) for digit in text if digit.isdecimal())
    if len(plain) > LONGEST_NUMBER or (len(plain) > 1 and plain[0] == "0"):
        return digits(plain, language)
    return " ".join(_words(int(plain), "cardinal", language).split())


def ordinal(text: str, language: str = "en") -> str:
    """Return a whole number as an ordinal in words."""
    plain = "".join(str(int(digit)) for digit in text if digit.isdecimal())
    if len(plain) > LONGEST_NUMBER:
        return digits(plain, language)
    return " ".join(_words(int(plain), "ordinal", language).split())


def year(text: str, language: str = "en") -> str:
    """Return a year in words: nineteen oh five, two thousand five, twenty twenty four."""
    number = int(text)
    if language == "en" and (number < 1000 or number % 1000 == 0):
        return cardinal(str(number))
    if language == "en" and len(text) == 4 and text[2] == "0" and text[1] != "0":
        head = cardinal(text[:2])
        return f"{head} hundred" if text[3] == "0" else f"{head} oh {digits(text[3])}"
    return " ".join(_words(number, "year", language).split())


def number(text: str, language: str = "en") -> str:
    """Return a number with sign, separators of thousands and decimals in words.

    Args:
        text: As written in the language: `-1,234.5` in English, `-1.234,5` in German.
        language: `en` or `de`.
    """
    sign = f"{_MINUS[language]} " if text[0] in "-–" else ("plus " if text[0] == "+" else "")
    body = text.lstrip("+-–")
    mark = "." if language == "en" else ","
    whole, point, decimals = body.partition(mark)
    spoken = cardinal(whole, language) if whole else digits("0", language)
    if point and decimals:
        spoken += f" {_POINT[language]} {digits(decimals, language)}"
    return sign + spoken


def plural(word: str) -> str:
    """Return the English plural of a number word: twenties, sixes, hundreds."""
    head, space, last = word.rpartition(" ")
    if last.endswith("y"):
        last = last[:-1] + "ies"
    else:
        last += "es" if last.endswith("x") else "s"
    return head + space + last
