"""What a message is read as: SSML with signs, capital letters, single characters and keys by their names.

A long document is cut into several where sentences end, so that the first is spoken before the last is read.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from glowvox.screen_reader.names import character_name, is_letter, key_parts, sign_name, word
from glowvox.screen_reader.settings import Settings
from glowvox.text.sentences import split_sentences

ICON_MARK = "__glowvox_capital"
"""Name of the marks before capital letters that a sound tells."""
RESUMABLE = "__spd_"
"""What the names of the server's own marks begin with: after each sentence one, from which it resumes."""
_TAG = re.compile(r"<[^<>]*>")
_DOCUMENT = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE[^>\[]*>\s*)?<speak(?P<attributes>\s[^>]*)?>(?P<inner>.*)</speak\s*>\s*",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SOME = frozenset("#*/\\@^_|~<>=+&`")
_MOST = _SOME | frozenset('()[]{}"“”„«»$%€£§°•—–-:;…')
_ALL = _MOST | frozenset(".,!?'‘’")
_READ_AT = {"none": frozenset[str](), "some": _SOME, "most": _MOST, "all": _ALL}
_PAUSES = frozenset(".,;:!?…—–")
"""Signs that stay beside their names, for the melody."""
_RUN = 4
"""So many equal signs are counted instead of read one by one."""
_LONG = 240
"""Characters; a shorter document stays whole, and pieces of a longer one are no shorter."""
_SPELLED_AT_ONCE = 40


@dataclass(frozen=True)
class Reading:
    """A document to be spoken, in SSML."""

    document: str
    plain: str
    """Its text alone, for when the document is no SSML."""


def text_readings(message: str, settings: Settings, language: str) -> Iterator[Reading]:
    """Yield what a text or an SSML document is read as, in pieces to be spoken one after the other.

    Args:
        message: as the server sends it.
        settings: of the message.
        language: of the names.
    """
    whole = _DOCUMENT.fullmatch(message)
    inner, attributes = (whole["inner"], whole["attributes"] or "") if whole else (escape(message), "")
    for piece in _pieces(inner):
        changed = "".join(
            part if is_tag else _changed(html.unescape(part), settings, language) for part, is_tag in _parts(piece)
        )
        plain = html.unescape("".join(" " if is_tag else part for part, is_tag in _parts(piece)))
        yield Reading(f"<speak{attributes}>{changed}</speak>", plain)


def character_reading(message: str, settings: Settings, language: str) -> Reading:
    """Return what a single character is read as; several are a text or the name of one."""
    if len(message) != 1:
        named = key_parts(message, language) if message.isascii() else [message]
        return _joined([_one(part, settings, language) if len(part) == 1 else escape(part) for part in named], message)
    return _joined([_one(message, settings, language)], message)


def key_reading(message: str, settings: Settings, language: str) -> Reading:
    """Return what a key, with those held beside it, is read as."""
    parts = key_parts(message, language)
    shifted = len(parts) > 1
    said = [
        _one(part.lower() if shifted else part, settings, language) if len(part) == 1 else escape(part)
        for part in parts
    ]
    return _joined(said, message)


def marks_of(message: str) -> list[str]:
    """Return the names of a document's marks in order."""
    return [html.unescape(name) for name in re.findall(r"<mark\s[^>]*?name=[\"']([^\"']*)", message)]


def _joined(said: list[str], plain: str) -> Reading:
    return Reading(f"<speak>{' '.join(said)}</speak>", plain)


def _parts(document: str) -> Iterator[tuple[str, bool]]:
    """Yield texts and tags in order, each with whether it is a tag; a comment is one."""
    place = begun = 0
    last_comment = document.rfind("-->")
    while (start := document.find("<", place)) >= 0:
        if document.startswith("<!--", start) and start + 4 <= last_comment:
            end = document.index("-->", start + 4) + 3
        elif (tag := _TAG.match(document, start)) is not None:
            end = tag.end()
        else:
            place = start + 1
            continue
        if start > begun:
            yield document[begun:start], False
        yield document[start:end], True
        place = begun = end
    if begun < len(document):
        yield document[begun:], False


def _pieces(inner: str) -> Iterator[str]:
    """Cut a long document, outside of all elements, where sentences end; marks stay at the end before them."""
    if len(inner) <= _LONG:
        yield inner
        return
    ends = _sentence_ends(inner)
    begun, place, depth, length = 0, 0, 0, 0
    for part, is_tag in _parts(inner):
        place += len(part)
        if not is_tag:
            length += len(part)
        elif part.startswith("</"):
            depth -= 1
        elif not part.endswith("/>") and not part.startswith("<!"):
            depth += 1
        if is_tag and depth == 0 and place in ends and length >= _LONG:
            yield inner[begun:place]
            begun, length = place, 0
    if inner[begun:].strip() or not begun:
        yield inner[begun:]


def _sentence_ends(inner: str) -> set[int]:
    """Return the places behind marks that stand where a sentence ends."""
    texts: list[str] = []
    marks: dict[int, int] = {}
    place, length = 0, 0
    for part, is_tag in _parts(inner):
        place += len(part)
        if not is_tag:
            texts.append(html.unescape(part))
            length += len(texts[-1])
        elif part.startswith("<mark"):
            marks[place] = length
    ends = {span.end for span in split_sentences("".join(texts))}
    return {place for place, text_place in marks.items() if text_place in ends}


def _changed(text: str, settings: Settings, language: str) -> str:
    """Return a text as SSML, read as the settings want it."""
    if settings.spelling:
        return _spelled(text, settings, language)
    signs = _READ_AT[settings.punctuation]
    if not signs and settings.capitals == "none":
        return escape(text)
    said: list[str] = []
    place = 0
    while place < len(text):
        character = text[place]
        whole = _WORD.match(text, place) if character.isalpha() else None
        if whole is not None:
            said.append(_with_capitals(whole.group(), settings, language))
            place = whole.end()
        elif character in signs and not _belongs_to_number(text, place):
            end = place
            while end < len(text) and text[end] == character:
                end += 1
            said.append(_signs(character, end - place, language))
            place = end
        else:
            said.append(escape(character))
            place += 1
    return "".join(said)


def _belongs_to_number(text: str, place: int) -> bool:
    """Return whether a sign is part of a number, an amount or a time, or of a word: the front end reads it there."""
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    sign = text[place]
    if sign in ".,:/":
        return before.isdigit() and after.isdigit()
    if sign in "$€£":
        return before.isdigit() or after.isdigit()
    if sign in "%°":
        return before.isdigit()
    return sign in "'’" and before.isalpha() and after.isalpha()


def _signs(character: str, count: int, language: str) -> str:
    name = escape(character_name(character, language))
    pause = escape(character) if character in _PAUSES else ""
    said = f"{count} {name}" if count >= _RUN else " ".join([name] * count)
    return f" {said}{pause} "


def _with_capitals(text: str, settings: Settings, language: str) -> str:
    """Return a word with what tells of its capital letters before it."""
    if settings.capitals == "none" or text == text.lower():
        return escape(text)
    if settings.capitals == "icon":
        return _icon() + escape(text)
    kind = "all capital" if len(text) > 1 and text.isupper() else "capital"
    return f"{word(kind, language)} {escape(text)}"


def _icon() -> str:
    return f"<mark name={quoteattr(ICON_MARK)}/>"


def _spelled(text: str, settings: Settings, language: str) -> str:
    """Return a text letter by letter, with short pauses between words."""
    words = []
    for part in text.split():
        for start in range(0, len(part), _SPELLED_AT_ONCE):
            words.append(" ".join(_one(character, settings, language) for character in part[start:][:_SPELLED_AT_ONCE]))
    return f" {', '.join(words)} " if words else " "


def _one(character: str, settings: Settings, language: str) -> str:
    """Return a single character by its name."""
    if is_letter(character, language):
        letter = f'<say-as interpret-as="characters">{escape(character)}</say-as>'
        if not character.isupper() or settings.capitals == "none":
            return letter
        return f"{_icon()}{letter}" if settings.capitals == "icon" else f"{word('capital', language)} {letter}"
    known = sign_name(character, language)
    if known is not None:
        return escape(known)
    if character.isdecimal() or character.isalpha() or not character.isprintable():
        # Letters of other scripts too are named as Unicode names them, where it does.
        return escape(character if character.isdecimal() else _named(character, settings, language))
    return escape(character_name(character, language))


def _named(character: str, settings: Settings, language: str) -> str:
    name = character_name(character.lower() if len(character.lower()) == 1 else character, language)
    return f"{word('capital', language)} {name}" if character.isupper() and settings.capitals == "spell" else name
