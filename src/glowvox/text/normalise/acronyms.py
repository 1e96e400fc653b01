"""Capitals: which rows of them are words, and which are letters."""

import re

from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule
from glowvox.text.word_set import word_set

_SPOKEN_AS_WORDS = word_set(
    "NASA NATO UNESCO UNICEF OPEC AIDS LASER RADAR SCUBA SONAR ASAP JPEG GIF PIN RAM ROM LAN WAN SIM NAFTA "
    "NASDAQ SWAT "
    "FEMA OSHA HIPAA BASIC COBOL FORTRAN ASCII JSON YAML LIDAR CAPTCHA MIDI COVID SARS EBITDA GUI WASP YOLO TED HUD "
    "IKEA FIFA UEFA NAFTA NIMBY ZIP TASER SOAP AWOL POTUS SCOTUS FLOTUS DARPA IEEE CERN"
) - {"IEEE"}  # fmt: skip
_READ_OTHERWISE = {
    "JPEG": "jay peg", "ASCII": "askey", "JSON": "jason", "YAML": "yammel", "GIF": "gif", "GUI": "gooey",
    "ASAP": "A S A P",
    "IEEE": "I triple E", "SQL": "S Q L", "HIPAA": "hippa", "POTUS": "poe tus", "SCOTUS": "skoe tus",
    "IKEA": "eye kea",
    "UEFA": "you ay fa", "FIFA": "feefa", "CERN": "surn", "DARPA": "darpa", "LIDAR": "lye dar", "OPEC": "oh peck",
}  # fmt: skip
_WORDS_IN_CAPITALS = word_set(
    "A I AN AND ARE AS AT BE BUT BY DO FOR GO HAS HAD HE HER HIM HIS HOW IF IN IS ITS ME MY NO NOT NOW OF OFF "
    "OH OK ON ONE "
    "OR OUR OUT SHE SO THE TO TOO TWO UP WAS WE WHY YES YOU ALL ANY BIG CAN DAY DID END GET GOT LET MAN MAY NEW "
    "OLD SEE "
    "SIR TOP TRY USE WAY YET BAD RED RUN SAY AGO ADD ASK BUY CUT DIE EAT FAR FEW HIT HOT JOB KEY LOT LOW MEN "
    "NOR OWN PAY "
    "PUT SAD SET SIT SUN TEN WAR WET WIN WON BOY BOX CAR CAT DOG EYE FUN GUN HAT ICE LAW LEG MAD MOM DAD PEN "
    "RAN SEA SKY "
    "SON TAX TEA TIE"
)  # fmt: skip
_TITLES = {"OK": "okay"}


def spell(text: str) -> list[str | Spoken]:
    """Return the letters of a word, each as a word of its own."""
    return [Spoken(letter.upper(), letter=True) for letter in text if letter.isalpha()]


def read_capitals(text: str, context: Context) -> list[str | Spoken]:
    """Read a row of capitals: as a word where it is one, else letter by letter."""
    if text in _TITLES:
        return [_TITLES[text]]
    if text in _READ_OTHERWISE:
        parts = _READ_OTHERWISE[text].split()
        return [Spoken(part, letter=True) if len(part) == 1 else part for part in parts]
    if text in _SPOKEN_AS_WORDS or text in _WORDS_IN_CAPITALS:
        return [text.lower()]
    if context.shouting and (context.is_word(text.lower()) or len(text) > 5):
        return [text.lower()]
    if len(text) >= 4 and context.is_word(text.lower()):
        return [text.lower()]
    if len(text) >= 6 and re.search(r"[AEIOUY]", text):
        return [text.lower()]
    return spell(text)


@rule(r"(?P<letters>(?:[A-Za-z]\.){2,}[A-Za-z]?|(?:[A-Z]\.\s?){2,}(?=\s?[A-Z][a-z]))(?P<s>'s)?(?!\w)", "l")
def dotted(match: re.Match[str], context: Context) -> Reading:
    """Read U.S.A. and J. R. R.: letters."""
    return _with_suffix(spell(match["letters"]), match["s"])


@rule(r"(?P<letter>[A-Z])\.(?=\s?[A-Z][a-z]|\s?[A-Z]\.)", "l")
def initial(match: re.Match[str], context: Context) -> Reading | None:
    """Read the J. of J. Smith: a letter and no pause; not an I that ends a sentence."""
    if match["letter"] == "I" and context.previous:
        return None
    return [Spoken(match["letter"], letter=True)]


def _with_suffix(letters: list[str | Spoken], suffix: str | None) -> list[str | Spoken]:
    if not suffix or not letters:
        return letters
    last = letters[-1]
    ending = "'s" if suffix.startswith("'") else "s"
    if isinstance(last, Spoken):
        return [*letters[:-1], Spoken(last.text + ending, letter=last.letter)]
    return [*letters[:-1], last + ending]


@rule(r"(?P<word>[A-Z]{2,})(?P<s>'?s(?![\w'])|'S(?!\w))?(?![\w'])", "l")
def capitals(match: re.Match[str], context: Context) -> Reading | None:
    """Read a word in capitals: NASA, FBI's, CDs."""
    return _with_suffix(read_capitals(match["word"], context), match["s"])


@rule(r"(?P<a>[A-Z]{1,3})&(?P<b>[A-Z]{1,3})(?!\w)", "l")
def letter_and_letter(match: re.Match[str], context: Context) -> Reading:
    """Read Q&A and AT&T."""
    return [*spell(match["a"]), "and", *spell(match["b"])]


@rule(r"(?P<word>[B-HJ-Z])(?P<s>'s)?(?![\w'])", "l")
def single_letter(match: re.Match[str], context: Context) -> Reading:
    """Read a capital that stands alone, except A and I, which are words."""
    return _with_suffix(spell(match["word"]), match["s"])


@rule(r"A(?![\w'])(?=\s*(?P<next>\w?))", "l")
def letter_a(match: re.Match[str], context: Context) -> Reading | None:
    """Read the A of vitamin A as a letter: a capital inside a sentence, unless a title goes on after it."""
    if context.shouting or not context.previous[-1:].isalnum() or match["next"].isupper():
        return None
    return spell("A")


@rule(r"(?P<word>[b-hj-z])(?![\w'])", "l")
def small_letter(match: re.Match[str], context: Context) -> Reading:
    """Read a small letter that stands alone."""
    return spell(match["word"])


RULES = (dotted, initial, letter_and_letter, capitals, single_letter, letter_a, small_letter)
