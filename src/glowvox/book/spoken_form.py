"""How a passage of print is said: numerals of headings, words in capitals, marks and numbers that only eyes need."""

import re

from glowvox.book.mapped_text import MappedText

_SCENE = re.compile(r"[\s*⁂•·~#=_–—―.\-+✻✽❦❧◆◇○●§]{1,40}|(?:[xX]\s+){2,}[xX]")
_BRACKET_MARK = re.compile(r"(?<=[\w.,;:!?\"”’)])\[(?:\d{1,3}|[a-z]|[*†‡]{1,3})\](?!\()")
_PAGE_NUMBER = re.compile(
    r"\s?[\[{](?:(?:Pg|pg|Page|page|P|p)\.?\s?)?(?:\d{1,4}|[ivxlc]{1,7})[\]}](?=\s|$)|^[\[{]\d{1,4}[\]}]\s?"
)
_PLAIN_PAGE = re.compile(r"\[(?:Pg|pg|Page|page)\.?\s?(?:\d{1,4}|[ivxlc]{1,7})\]\s?")
_RAISED = re.compile(
    r"(?<=[^\W\d_]{3})[.,;:!?\"”’)]{0,2}[¹²³⁰⁴-⁹]{1,3}(?=\s|$|[.,;:!?\"”’)])|(?<=[.,;:!?\"”’)])[¹²³⁰⁴-⁹]{1,3}(?=\s|$)"
)
_TERM = re.compile(
    r"(?:[=+\-−–*×·/÷^<>≤≥≈(]\s?(?:\d+\s?)?[^\W\d_]{1,3}|\([^()]*[=+\-−*×·/÷^][^()]*\)|\b(?:sin|cos|tan|log))$"
)
"""Letters behind a sign of arithmetic, such in brackets, a function."""
_ILLUSTRATION = re.compile(r"\[Illustration(?::\s*(?P<what>[^\]]+))?\.?\]", re.IGNORECASE)
_ROMAN = r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_NUMBERED = re.compile(
    r"\b(?P<what>chapter|book|part|volume|vol\.|act|scene|canto|section|letter|stave|adventure|episode|"
    rf"kapitel|teil|buch|band|akt|szene)(?P<gap>\s+)(?P<number>{_ROMAN})\b",
    re.IGNORECASE,
)
_LEADING = re.compile(rf"^(?P<number>{_ROMAN})(?P<rest>$|[.:)](?=\s|$)|\s*[—–:-])")
_ONLY_NUMBER = re.compile(r"\W*\d{1,4}\W*")
_CAPITALS = re.compile(r"[^\W\d_]{2,}(?:[’'][^\W\d_]+)*")
_INITIAL_GAP = re.compile(r"^(?P<open>[\"“‘'«]?)(?P<letter>[^\W\d_]) (?P<rest>[^\W\d_]{1,})")
_OPENING = re.compile(r"^[\"“‘'«]?(?P<run>(?:[A-ZÄÖÜ][A-ZÄÖÜ’']*[,.]?\s+)*[A-ZÄÖÜ][A-ZÄÖÜ’']*)(?=[\s,.;:!?”\"’-])")
_LIKELY = frozenset(
    [
        "THE",
        "A",
        "AN",
        "IT",
        "IN",
        "ON",
        "AT",
        "HE",
        "SHE",
        "WE",
        "THEY",
        "THERE",
        "THIS",
        "THAT",
        "WHEN",
        "WHILE",
        "AS",
        "AFTER",
        "BEFORE",
        "IF",
        "ONE",
        "ONCE",
        "FOR",
        "FROM",
        "BY",
        "MY",
        "HIS",
        "HER",
        "OUR",
        "TO",
        "NO",
        "NOT",
        "YOU",
        "WHAT",
        "WHO",
        "HOW",
        "WHY",
        "AND",
        "BUT",
        "NOW",
        "THEN",
        "ALL",
        "SO",
        "DER",
        "DIE",
        "DAS",
        "ES",
        "IM",
        "AM",
        "ALS",
        "ER",
        "SIE",
        "WIR",
        "EIN",
        "EINE",
    ]
)
_VALUES = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
_ENDS = ".!?…:;"


def is_scene_break(text: str) -> bool:
    """Return whether a line is a break of the scene: stars, dashes, ornaments."""
    return _SCENE.fullmatch(text) is not None


def ends_as_formula(text: str) -> bool:
    """Return whether a raised number behind a text is an exponent, not the mark of a footnote."""
    return _TERM.search(text) is not None


def spoken_form(
    said: MappedText, kind: str, language: str, *, begins: bool, large_initial: bool, chapter: str = ""
) -> None:
    """Change a passage into what a reader says.

    Args:
        said: the passage, which is changed.
        kind: see `Passage`.
        language: without region.
        begins: whether it is the first one after a heading or a break.
        large_initial: whether it begins with an initial that is set large.
        chapter: what a chapter is called where its heading is a number only; empty: as it stands.
    """
    for pattern in (_PLAIN_PAGE, _BRACKET_MARK, _PAGE_NUMBER):
        said.sub(pattern, lambda _: "")
    said.sub(_RAISED, _without_mark)
    said.sub(_ILLUSTRATION, lambda match: match["what"] or "")
    if kind == "heading":
        _heading(said, chapter)
    elif begins or large_initial:
        _opening(said, large_initial=large_initial)
    if kind in ("heading", "caption", "picture", "row", "item") and said.text.strip():
        stripped = said.text.rstrip()
        if stripped[-1] not in _ENDS and stripped[-1].isalnum():
            said.replace(len(stripped), len(said), ".")


def _without_mark(match: re.Match[str]) -> str:
    bare = match[0].rstrip("¹²³⁰⁴⁵⁶⁷⁸⁹")
    return match[0] if ends_as_formula(match.string[max(0, match.start() - 60) : match.start()] + bare) else bare


def roman_number(text: str) -> int:
    """Return the number that Roman numerals stand for."""
    total = 0
    values = [_VALUES[letter] for letter in text.upper()]
    for number, value in enumerate(values):
        total += -value if number + 1 < len(values) and values[number + 1] > value else value
    return total


def _heading(said: MappedText, chapter: str) -> None:
    said.sub(re.compile(r"\n"), lambda _: " ")
    said.sub(_NUMBERED, lambda match: f"{match['what']}{match['gap']}{roman_number(match['number'])}")
    leading = _LEADING.match(said.text)
    if leading and _is_count(leading["number"], said.text):
        said.replace(leading.start("number"), leading.end("number"), str(roman_number(leading["number"])))
    letters = [character for character in said.text if character.isalpha()]
    if len(letters) > 1 and all(character.isupper() for character in letters):
        said.sub(_CAPITALS, lambda match: match[0].capitalize())
    if chapter and _ONLY_NUMBER.fullmatch(said.text):
        said.replace(0, 0, f"{chapter} ")


def _is_count(numeral: str, heading: str) -> bool:
    """Return whether what looks as a numeral counts a chapter: not C in a glossary, nor the title "Mix" in capitals."""
    lone = heading.strip() == numeral
    return bool(numeral) and not (lone and (numeral in ("C", "D", "M") or roman_number(numeral) > 300))


def _opening(said: MappedText, *, large_initial: bool) -> None:
    """Write the first words of a chapter, which printers set in capitals, in small letters."""
    gap = _INITIAL_GAP.match(said.text)
    if (
        gap
        and (large_initial or gap["letter"].upper() not in "AIO")
        and gap["rest"].isupper()
        and gap["letter"].isupper()
    ):
        said.replace(gap.end("letter"), gap.end("letter") + 1, "")
    found = _OPENING.match(said.text)
    if found is None:
        return
    start, end = found.span("run")
    words = said.text[start:end].split()
    if not any(character.islower() for character in said.text):
        return
    several = len(words) > 1 and any(len(word) > 1 for word in words)
    if not (several or large_initial or words[0].strip(",.") in _LIKELY or len(words[0]) > 6):
        return
    run = said.text[start:end].lower()
    run = run[:1].upper() + run[1:]
    run = re.sub(r"\bi\b", "I", run)
    said.replace(start, end, run)
