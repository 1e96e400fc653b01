"""Numbers in words, English and German, spelled as a lexicon has them; Roman numerals and telephone numbers."""

import re
from functools import lru_cache

from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

LONGEST_NUMBER = 15
"""Digits up to which a number is read as one; longer ones are read digit by digit."""
_LONGEST_GROUPED = 36
"""Digits up to which a number is read as one that is written with separators of thousands."""

_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
}
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_POINT = {"en": "point", "de": "Komma"}
_MINUS = {"en": "minus", "de": "minus"}
# Long German number words are cut where their parts meet: the parts are in the lexicon, the whole is not.
_GERMAN_PARTS = re.compile(r"(?<=hundert)(?=.)(?!ste?$)|(?<=tausend)(?=.)(?!ste?$)|(?<=.)(?=hundert)|(?<=.)(?=tausend)")
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
    longest = _LONGEST_GROUPED if _GROUPED.fullmatch(text) else LONGEST_NUMBER
    if len(plain) > longest or (len(plain) > 1 and plain[0] == "0"):
        return digits(plain, language)
    return " ".join(_words(int(plain), "cardinal", language).split())


def pairs(text: str) -> str:
    """Return a number of three or four digits as people call houses and screens: twelve eleven, seven oh eight."""
    if not 3 <= len(text) <= 4 or text[0] == "0" or text[-3:] == "000":
        return cardinal(text)
    head, tail = cardinal(text[:-2]), text[-2:]
    if tail == "00":
        return f"{head} hundred"
    return f"{head} oh {digits(tail[1])}" if tail[0] == "0" else f"{head} {cardinal(tail)}"


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
    "case canto psalm lesson unit module version generation gen wrestlemania fantasy mk pt op app ch sec bk par"
)
_REALMS = (
    "King|Queen|Pope|Emperor|Empress|Tsar|Czar|Tsarina|Kaiser|Sultan|Shah|Pharaoh|Duke|Archduke|Prince|Princess|Regent"
)
_RULER_BEFORE = re.compile(rf"(?P<the>\b(?i:the)\s)?\b(?i:{_REALMS})(?:\s[^\W\d_a-z][\w'-]+){{1,3}}\s$")
# King Charles I am not: only these make the numeral after the name of a king the pronoun.
_FIRST_PERSON = re.compile(r"\s+(?:am|have|do|don't|know|think|love|like|want|need|mean|see|remember|admire)\b", re.I)
_OF_A_RULER = re.compile(
    r"\s+(?:reigned|ruled|abdicated|died|(?:was|became)\s(?:the\s)?(?:queen|king|emperor|empress|pope|tsar|czar|monarch"
    r"|crowned|beheaded|executed|succeeded|deposed|excommunicated|canonized))\b",
    re.I,
)
_CHROMOSOMES = re.compile(
    r"(?:,?\s(?:and|or|vs\.?|&)?\s?|/)?(?:XY\s)?(?:chromosom|karyotyp|genotyp|males?\b|females?\b)", re.I
)
_INFUSIONS = re.compile(
    r"\s(?:drip|fluid|line|bag|pole|therapy|antibiotic|drug|infusion|needle|injection|catheter|access|push|medication"
    r"|treatment|solution|bolus|pump|tube|site|contrast|iron|steroid|morphine|saline|vitamin)",
    re.I,
)
_BEFORE_INFUSIONS = word_set("an by via his her my your their needs needed")
_EDITORS = re.compile(r"\s(?:editor|mode|command|key|binding|or\sEmacs|and\sEmacs)", re.I)


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


@rule(r"(?P<n>[IVXLCDM]+)(?P<s>'s)?(?![\w'])(?P<initial>\.\s?[A-Z])?", "u")
def roman(match: re.Match[str], context: Context) -> Reading | None:
    """Read Henry VIII, Chapter IV, World War II, XIV."""
    value = roman_value(match["n"])
    before = context.previous.rstrip().rstrip(".,").rstrip()
    if value is None or match["initial"]:
        return None
    suffix = match["s"] or ""
    if re.match(
        r"(?:st|nd|rd|th)?\s(?:century|centuries|dynasty|arrondissement|legion|corps)\b",
        match.string[match.end() :],
        re.I,
    ):
        return [ordinal(str(value))]
    if _is_no_numeral(match, before):
        return None
    ruler = _RULER_BEFORE.search(match.string[: match.start()]) if set(match["n"]) <= set("IVX") else None
    if ruler is not None:
        following = match.string[match.end() :]
        # The King Charles I knew: a pronoun, as far as anybody can tell.
        pronoun = _FIRST_PERSON.match(following) or (ruler["the"] and not _OF_A_RULER.match(following))
        if match["n"] == "I" and pronoun:
            return None
        return [f"the {ordinal(str(value))}{suffix}"]
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


def _is_no_numeral(match: re.Match[str], before: str) -> bool:
    """Say whether the words around make other letters of a numeral: Malcolm X, Gen X, an IV, XX chromosomes."""
    text, following, last = match["n"], match.string[match.end() :], before.lower()
    if text == "X":
        return last in ("malcolm", "generation", "gen")
    if text == "IV":
        return _INFUSIONS.match(following) is not None or last in _BEFORE_INFUSIONS
    if text == "VI":
        return _EDITORS.match(following) is not None
    if text == "XX":
        return _CHROMOSOMES.match(following) is not None
    if text == "XXX":
        return last not in _COUNTED and before not in _RULERS
    return False


@rule(r"XI(?P<s>'[sS])?(?![\w'])(?=(?P<name>\s(?i:jinping)\b)?)", "u")
def president(match: re.Match[str], context: Context) -> Reading | None:
    """Read the XI of XI Jinping as the name that it is."""
    named = match["name"] is not None or context.previous.lower() == "president"
    return ["Xi" + (match["s"] or "").lower()] if named else None


def _name_of_ruler_ends(match: re.Match[str]) -> bool:
    """Say whether nothing after the numeral I makes it the pronoun."""
    following = match.string[match.end() :]
    return (
        _OF_A_RULER.match(following) is not None
        or re.match(
            r"\s+(?:am|was|have|had|will|would|can|could|do|did|know|think|said|saw|went|like|love|want|\w+ed)\b",
            following,
        )
        is None
    )


@rule(r"(?P<n>[ivxlc]+)(?![\w'])", "w")
def small_roman(match: re.Match[str], context: Context) -> Reading | None:
    """Read scene iii and page xii."""
    value = roman_value(match["n"].upper())
    before = context.previous.rstrip(".").lower()
    return [cardinal(str(value))] if value is not None and before in _COUNTED else None


ROMAN_RULES = (president, roman, small_roman)


def _groups(text: str) -> list[str | SpokenWord]:
    words: list[str | SpokenWord] = []
    for group in re.findall(r"\d+", text):
        if words:
            words.append(",")
        if group in ("800", "900"):
            words.append(f"{cardinal(group[0])} hundred")
        else:
            words.append(digits(group))
    return words


@rule(
    r"(?P<plus>\+\d{1,3}[\s.-]?)?(?:\(\d{2,5}\)[\s.-]?|(?:1[\s.-])?\d{3}[.-])\d{3}[\s.-]\d{4}"
    r"(?:\s?(?:x|ext\.?)\s?(?P<ext>\d{1,5}))?(?!\w|[.-]\d)",
    "do",
)
def american(match: re.Match[str], context: Context) -> Reading:
    """Read (555) 123-4567 and +1 555-123-4567."""
    body = match.group()
    extension = match["ext"]
    if extension:
        body = body[: match.start("ext") - match.start()]
    words = [*(["plus"] if match["plus"] else []), *_groups(body)]
    return [*words, *([",", "extension", digits(extension)] if extension else [])]


@rule(r"\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6}(?!\w|[.-]\d)", "o")
def international(match: re.Match[str], context: Context) -> Reading | None:
    """Read +44 20 7946 0958."""
    if sum(character.isdecimal() for character in match.group()) < 7:
        return None
    return ["plus", *_groups(match.group())]


@rule(r"[2-9]\d{2}-\d{4}(?!\w|[.-]\d)", "d")
def local(match: re.Match[str], context: Context) -> Reading:
    """Read 555-0199."""
    return _groups(match.group())


@rule(
    r"\(0\d{2,4}\)\s?\d{3,4}[ -]\d{3,4}(?!\w|[.-]\d)|0\d{2,4}(?:[ -]\d{3,4}){2}(?!\w|[.-]\d)|0\d{4}[ -]\d{6}(?!\w|[.-]\d)|\d{3}-\d{3}-\d{4}(?:-\d{1,5})+(?!\w|[.-]\d)",  # noqa: E501
    "do",
)
def national(match: re.Match[str], context: Context) -> Reading:
    """Read 020 7946 0958 and 07700 900123."""
    return _groups(match.group())


@rule(r"00\d{2}(?:[ -]\d{2,5}){2,4}(?![\w-]|[.,]\d)|\d{2,5}(?:[ -]\d{2,5}){1,4}(?![\w-]|[.,]\d)", "d")
def called(match: re.Match[str], context: Context) -> Reading | None:
    """Read 0044 20 7946 0958, and any groups of digits after a word that calls them a telephone number."""
    if not match.group().startswith("00"):
        before = re.search(
            r"([A-Za-z]+)(?:\sis|\sat|\sus\sat|\s?number|\sno\.?)?[.:]?\s$", match.string[: match.start()]
        )
        if before is None or before[1].lower() not in _CALLING or len(re.sub(r"\D", "", match.group())) < 6:
            return None
    return _groups(match.group())


_CALLING = word_set("call dial phone telephone tel fax mobile cell text ring hotline number whatsapp sms")


@rule(r"\d{3}-\d{2}-\d{4}(?!\w|[.-]\d)", "d")
def security_number(match: re.Match[str], context: Context) -> Reading:
    """Read 123-45-6789."""
    return _groups(match.group())


PHONE_NUMBER_RULES = (american, international, national, called, local, security_number)
