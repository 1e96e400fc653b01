"""A subset of SSML 1.1: speak, p, s, break, say-as, sub, phoneme, prosody (rate), mark, voice.

Everything else is refused with its name and line; nothing is ignored. Documents may come from strangers: no document
types, no entities but the five of XML, a limit on size and depth. The parser is Python's own expat.
"""

import re
from collections.abc import Callable
from typing import NoReturn
from xml.parsers import expat

from glowvox.errors import TextError
from glowvox.text.marked_text import MarkedText, Setting, Silence
from glowvox.text.normalise import Fixed, Normaliser, Spoken, clean_characters
from glowvox.text.phonemise import shortened
from glowvox.text.phones import split_ipa
from glowvox.text.say_as import say_as
from glowvox.text.ssml_values import break_seconds, prosody_rate

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
_ATTRIBUTES = {
    "speak": {"version", "xml:lang", "xmlns", "xmlns:xsi", "xsi:schemaLocation"},
    "p": {"xml:lang"}, "s": {"xml:lang"}, "break": {"time", "strength"}, "say-as": {"interpret-as", "format",
    "detail"},
    "sub": {"alias"}, "phoneme": {"ph", "alphabet"}, "prosody": {"rate"}, "mark": {"name"}, "voice": {"name",
    "xml:lang"},
}  # fmt: skip
_ONLY_TEXT = ("say-as", "sub", "phoneme")
_SIGNS_AT_ONCE = 50
_EMPTY = ("break", "mark")


def parse_ssml(document: str, language: str, normalise: Normaliser, warnings: list[str]) -> MarkedText:
    """Read an SSML document.

    Args:
        document: The whole document; its root is `speak`.
        language: Language of the front end; `xml:lang` must agree with it.
        normalise: Reads the text inside `say-as`.
        warnings: Lines are added for what is left out.

    Returns:
        The text without tags, and all that the tags say about it.

    Raises:
        TextError: The document is no well-formed XML, or holds what is not in the subset; with element and line.
    """
    if len(document) > MAX_CHARACTERS:
        raise TextError(f"the SSML document has {len(document)} characters, at most {MAX_CHARACTERS} are read")
    return _Reader(language, normalise, warnings).read(document)


class _Reader:
    """Collects the text and its marks while expat walks through a document."""

    def __init__(self, language: str, normalise: Normaliser, warnings: list[str]) -> None:
        self._language = language
        self._normalise = normalise
        self._warnings = warnings
        self._parser = expat.ParserCreate()
        self._stack: list[tuple[str, dict[str, str]]] = []
        self._settings = [Setting(0)]
        self._scopes: list[Setting] = []
        self._pieces: list[str] = []
        self._length = 0
        self._inner = ""
        self._fixed: dict[int, Fixed] = {}
        self._silences: list[Silence] = []
        self._ends: list[int] = []
        self._marks: list[tuple[int, str]] = []

    def read(self, document: str) -> MarkedText:
        parser = self._parser
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = lambda *_: self._fail("document types and entities are not allowed")
        parser.EntityDeclHandler = lambda *_: self._fail("entities are not allowed")
        parser.ProcessingInstructionHandler = lambda *_: self._fail("processing instructions are not allowed")
        try:
            parser.Parse(document.encode("utf-8", "replace"), True)  # noqa: FBT003
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise TextError(
                f"SSML line {error.lineno}, column {error.offset + 1}: not well-formed: {reason}"
            ) from error
        text = "".join(self._pieces)
        return MarkedText(
            text,
            range(len(text) + 1),
            self._fixed,
            tuple(self._settings),
            tuple(self._silences),
            tuple(self._ends),
            tuple(self._marks),
        )

    def _fail(self, reason: str) -> NoReturn:
        raise TextError(f"SSML line {self._parser.CurrentLineNumber}: {reason}")

    def _value(self, read: Callable[..., float], *given: object) -> float:
        try:
            return read(*given)
        except TextError as error:
            self._fail(str(error))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._stack and tag != "speak":
            self._fail(f"the document must begin with <speak>, not <{tag}>")
        if self._stack and tag == "speak":
            self._fail("<speak> inside <speak>")
        if tag not in _ATTRIBUTES:
            self._fail(f"<{tag}> is not supported; there are {', '.join(_ATTRIBUTES)}")
        if len(self._stack) >= MAX_DEPTH:
            self._fail(f"elements nested deeper than {MAX_DEPTH}")
        if self._stack and self._stack[-1][0] in _ONLY_TEXT + _EMPTY:
            self._fail(f"<{self._stack[-1][0]}> cannot hold <{tag}>")
        for name in attributes:
            if name not in _ATTRIBUTES[tag]:
                known = ", ".join(sorted(_ATTRIBUTES[tag]))
                self._fail(f"<{tag}> has no attribute {name!r} here; there are {known}")
        self._check_language(attributes)
        self._stack.append((tag, attributes))
        self._inner = ""
        opener = self._openers().get(tag)
        if opener is not None:
            opener(attributes)

    def _openers(self) -> dict[str, Callable[[dict[str, str]], None]]:
        return {
            "p": lambda _: self._border("\n\n"), "s": lambda _: self._border(" "), "break": self._break,
            "mark": self._mark,
            "prosody": self._prosody, "voice": self._voice,
        }  # fmt: skip

    def _end(self, tag: str) -> None:
        _, attributes = self._stack.pop()
        if tag in ("p", "s"):
            self._border("\n\n" if tag == "p" else " ")
        elif tag in ("prosody", "voice"):
            self._set(self._scopes.pop())
        elif tag == "sub":
            self._substitute(attributes)
        elif tag == "phoneme":
            self._phoneme(attributes)
        elif tag == "say-as":
            self._say_as(attributes)

    def _characters(self, data: str) -> None:
        tag = self._stack[-1][0] if self._stack else ""
        if tag in _EMPTY and data.strip():
            self._fail(f"<{tag}> cannot hold text")
        if tag in _ONLY_TEXT:
            self._inner += data
        else:
            self._add(data)

    def _add(self, data: str) -> None:
        # A line end in a document is a blank; paragraphs are marked by p.
        self._append(re.sub(r"\s+", " ", clean_characters(data).text))

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _border(self, text: str) -> None:
        if self._length:
            self._append(text)
        self._ends.append(self._length)

    def _set(self, setting: Setting) -> None:
        here = Setting(self._length, setting.rate, setting.voice)
        if self._settings[-1].start == self._length:
            self._settings[-1] = here
        else:
            self._settings.append(here)

    def _check_language(self, attributes: dict[str, str]) -> None:
        wanted = attributes.get("xml:lang")
        if wanted and wanted.lower().replace("_", "-").split("-")[0] != self._language.split("-")[0]:
            self._fail(
                f"xml:lang {wanted!r}: the voice speaks {self._language}; the language cannot change inside a document"
            )

    def _break(self, attributes: dict[str, str]) -> None:
        seconds = self._value(break_seconds, attributes)
        if seconds > 0:
            self._append(" ")
            self._silences.append(Silence(self._length, seconds))

    def _mark(self, attributes: dict[str, str]) -> None:
        if not attributes.get("name"):
            self._fail("<mark> needs a name")
        self._marks.append((self._length, attributes["name"]))

    def _prosody(self, attributes: dict[str, str]) -> None:
        outer = self._settings[-1]
        self._scopes.append(outer)
        self._set(Setting(self._length, self._value(prosody_rate, attributes, outer.rate), outer.voice))

    def _voice(self, attributes: dict[str, str]) -> None:
        if not attributes.get("name"):
            self._fail("<voice> needs a name")
        outer = self._settings[-1]
        self._scopes.append(outer)
        self._set(Setting(self._length, outer.rate, attributes["name"]))

    def _fix(self, shown: str, words: tuple[Spoken, ...]) -> None:
        start = self._length
        self._append(shown)
        self._fixed[start] = Fixed(self._length, words)

    def _shown(self, tag: str) -> str:
        shown = " ".join(clean_characters(self._inner).text.split())
        if not shown:
            self._fail(f"<{tag}> holds no text")
        return shown

    def _substitute(self, attributes: dict[str, str]) -> None:
        if not attributes.get("alias", "").strip():
            self._fail("<sub> needs an alias")
        self._add(attributes["alias"])

    def _phoneme(self, attributes: dict[str, str]) -> None:
        if attributes.get("alphabet", "ipa") != "ipa":
            self._fail(f"<phoneme> alphabet {attributes['alphabet']!r}: only 'ipa' is supported")
        phonemes, unknown = split_ipa(attributes.get("ph", ""))
        if unknown or not phonemes:
            wrong = f"no phone for {' '.join(unknown)}" if unknown else "the attribute ph is missing or empty"
            self._fail(f"<phoneme>: {wrong}")
        shown = self._shown("phoneme")
        self._fix(shown, (Spoken(shown, phonemes=phonemes, source="inline"),))

    def _say_as(self, attributes: dict[str, str]) -> None:
        kind, form = attributes.get("interpret-as", ""), attributes.get("format", "")
        shown = self._shown("say-as")
        # What is read sign by sign may be cut anywhere, so it may have any length.
        size = _SIGNS_AT_ONCE if kind in ("characters", "spell-out", "digits") else len(shown)
        for start in range(0, len(shown), size):
            part = shown[start : start + size]
            try:
                words = say_as(part, kind, form, self._language, self._normalise, self._warnings)
            except TextError as error:
                self._fail(str(error))
            if words:
                self._fix(part, words)
            else:
                self._warnings.append(f"left out {shortened(part)}: nothing in it can be said as {kind}")
