"""Ordinary words: letters with apostrophes, and compounds with hyphens."""

import re
import unicodedata

from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule
from glowvox.text.word_set import word_set

# Raised, lowered and other digits are letters to a pattern, but not to a reader.
_LETTER = "[^\\W\\d_²³¹⁰⁴-⁹₀-₉¼-¾⅐-⅞]"
_SIGNS = r"[\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0900-\u0dff\u0e31-\u0e4e]"
_CONTRACTED_START = word_set("'tis 'twas 'twere 'twill 'em 'cause 'bout 'til 'n 'round 'ere")


@rule(r"'[A-Za-z]{1,5}(?![\w'])", "o")
def leading_apostrophe(match: re.Match[str], context: Context) -> Reading | None:
    """Read 'tis and 'em; a quote before a word is no part of it."""
    return [match.group().lower()] if match.group().lower() in _CONTRACTED_START else None


@rule(r"(?P<a>[^\W\d_]{1,30})/(?P<b>[^\W\d_]{1,30})(?![\w/])", "l")
def alternatives(match: re.Match[str], context: Context) -> Reading:
    """Read and/or: the slash makes a short step, he/she."""
    joint = [] if match.group().lower() in ("and/or", "he/she", "she/he", "his/her", "him/her") else ["slash"]
    sides = [Spoken(side.upper(), letter=True) if len(side) == 1 else side for side in (match["a"], match["b"])]
    return [sides[0], *joint, sides[1]]


# Letters with the signs that stand on them: accents, and the vowel signs of Indian and Thai letters.
@rule(rf"{_LETTER}+(?:{_SIGNS}+{_LETTER}*)*(?:'{_LETTER}+)*(?:(?<=s)'(?![\w']))?", "l")
def word(match: re.Match[str], context: Context) -> Reading:
    """Read a word. The apostrophe of a plural's genitive has no sound."""
    return [match.group().rstrip("'")]


@rule(r"(?P<letter>[Α-Ωα-ω])(?!\w)", "l")
def greek_letter(match: re.Match[str], context: Context) -> Reading | None:
    """Read α by its name: alpha."""
    return [unicodedata.name(match["letter"]).split(" LETTER ")[-1].split()[-1].lower()]


@rule(r"[-+]?\d+(?:[.,:/]\d+)*(?:\.(?=\s\w))?%?", "do")
def any_number(match: re.Match[str], context: Context) -> Reading:
    """Hand a number to the back end as it stands: it knows the numbers of its language."""
    return [match.group()]


ANY_NUMBER_RULES = (any_number,)
GREEK_RULES = (greek_letter,)
RULES = (leading_apostrophe, alternatives, word)
