"""Telephone numbers and other numbers that are read digit by digit."""

import re

from glowvox.text.normalise.numbers import cardinal, digits
from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule


def _groups(text: str) -> list[str | Spoken]:
    words: list[str | Spoken] = []
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


@rule(r"\d{3}-\d{2}-\d{4}(?!\w|[.-]\d)", "d")
def security_number(match: re.Match[str], context: Context) -> Reading:
    """Read 123-45-6789."""
    return _groups(match.group())


RULES = (american, international, local, security_number)
