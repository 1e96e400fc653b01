"""Dialogue: which parts of a paragraph stand in quotation marks, to be spoken by another voice."""

import re

_PAIRS = {"“": "”", "«": "»", "„": "“", "»": "«"}
NARRATION, DIALOGUE = "narrator", "dialogue"
"""Who speaks."""
_SINGLE = re.compile(r"(?:(?<=\s)|^|(?<=[—–(]))‘(?P<body>[^‘]*?)’(?=[\s,.;:!?—–)]|$)")


def dialogue_parts(text: str) -> list[tuple[int, int, str]]:
    """Cut a paragraph into what its narrator says and what its characters say.

    A quotation that is not closed goes on to the end of the paragraph, as one of several paragraphs does.

    Returns:
        Parts `[start, end)` in order, which cover the text, each with `NARRATION` or `DIALOGUE`.
    """
    spans = _quoted(text)
    parts: list[tuple[int, int, str]] = []
    place = 0
    for start, end in spans:
        if not any(character.isalnum() for character in text[start:end]):
            continue
        if any(character.isalnum() for character in text[place:start]):
            parts.append((place, start, NARRATION))
            place = start
        parts.append((place, end, DIALOGUE))
        place = end
    if any(character.isalnum() for character in text[place:]):
        parts.append((place, len(text), NARRATION))
    elif parts:
        begin, _, role = parts[-1]
        parts[-1] = (begin, len(text), role)
    return parts or [(0, len(text), NARRATION)]


def goes_on(text: str) -> bool:
    """Return whether a paragraph ends inside a quotation, which the next paragraph takes up again."""
    spans = _quoted(text)
    if not spans:
        return False
    start, end = spans[-1]
    closing = '"' if text[start] == '"' else _PAIRS.get(text[start], "’")
    return end == len(text) and (text[end - 1] != closing or end - start == 1)


def _quoted(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    place = 0
    while place < len(text):
        sign = text[place]
        closing = '"' if sign == '"' else _PAIRS.get(sign)
        if closing is None:
            place += 1
            continue
        end = text.find(closing, place + 1)
        if end < 0 and sign == "„":
            end = text.find("”", place + 1)
        end = len(text) if end < 0 else end + 1
        spans.append((place, end))
        place = end
    if not spans:
        spans = [match.span() for match in _SINGLE.finditer(text)]
    return spans
