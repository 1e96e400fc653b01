"""SSML 1.1 and its dialects: speak, p, s, break, say-as, sub, phoneme, prosody, emphasis, lang, mark, voice.

What else stands in a document (the clouds' own elements, say) is passed over with a warning, and the text in it is
read; strictly, all of it is refused with its name and line, and so are pitch, volume, emphasis and other languages.
Documents may come from strangers: no document types, no entities but those of XML and HTML, a limit on size and depth.
The parser is Python's own expat.
"""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn
from xml.parsers import expat

from glowvox.errors import TextError
from glowvox.text.back_end import shortened
from glowvox.text.marked_text import MarkedText, Setting, Silence
from glowvox.text.markup.marked_stream import ssml_root
from glowvox.text.normalise import Fixed, Normaliser, SpokenWord, clean_characters
from glowvox.text.prosody import Prosody, break_seconds, emphasis, prosody
from glowvox.text.say_as import is_read_sign_by_sign, say_as
from glowvox.text.tokenizer import split_ipa

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
_ATTRIBUTES = {
    "speak": {"version", "xml:lang", "xmlns", "xmlns:xsi", "xsi:schemaLocation"},
    "p": {"xml:lang"}, "s": {"xml:lang"}, "break": {"time", "strength"}, "say-as": {"interpret-as", "format",
    "detail"},
    "sub": {"alias"}, "phoneme": {"ph", "alphabet"}, "prosody": {"rate"}, "mark": {"name"}, "voice": {"name",
    "xml:lang"},
}  # fmt: skip
"""Of the strict subset."""
_FURTHER_ATTRIBUTES = {
    "prosody": {"rate", "pitch", "volume"}, "emphasis": {"level"}, "lang": {"xml:lang", "onlangfailure"},
    "mark": {"mark"}, "w": {"role"}, "token": {"role"}, "say-as": {"interpret-as", "format", "detail",
    "language"}, "paragraph": set(), "sentence": set(),
}  # fmt: skip
_OTHER_NAMES = {"paragraph": "p", "sentence": "s", "bookmark": "mark"}
_QUIET = ("desc", "par", "seq", "media", "meta", "metadata")
_NOT_READ = ("desc", "metadata", "mstts:backgroundaudio", "mstts:embedding")
_ONLY_TEXT = ("say-as", "sub", "phoneme")
_SIGNS_AT_ONCE = 50
_EMPTY = ("break", "mark")
_XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")
_REFERENCE = re.compile(r"&(?:(?P<name>[a-zA-Z][a-zA-Z0-9]{1,31});|#\d{1,7};|#[xX][0-9a-fA-F]{1,6};)?")

Dialect = tuple[str, Normaliser]
"""A language tag, and what reads numbers in that language."""


def parse_ssml(
    document: str,
    language: str,
    normalise: Normaliser,
    warnings: list[str],
    *,
    strict: bool = False,
    others: Callable[[str], Dialect | None] | None = None,
) -> MarkedText:
    """Read an SSML document.

    Args:
        document: The whole document; its root is `speak`, which is put around a fragment.
        language: Language of the front end.
        normalise: Reads the text inside `say-as`.
        warnings: Lines are added for what is left out or passed over.
        strict: Whether everything outside of the subset is refused.
        others: Gives the other languages that can be spoken, by their tags.

    Returns:
        The text without tags, and all that the tags say about it.

    Raises:
        TextError: The document is no well-formed XML, or its DOCTYPE declares something; strictly, also where it holds
            what is not in the subset. With element and line.
    """
    if len(document) > MAX_CHARACTERS:
        raise TextError(f"the SSML document has {len(document)} characters, at most {MAX_CHARACTERS} are read")
    document = ssml_root(document)
    if not strict:
        document = _whole_document(document)
    return _Reader((language, normalise), warnings, others or (lambda _: None), strict=strict).read(document)


def _whole_document(fragment: str) -> str:
    """Return a document of a fragment, in which a lone & and the references of HTML are what they mean."""
    text = fragment.lstrip("\ufeff \t\r\n")
    if "<!" not in text:
        text = _REFERENCE.sub(_resolved, text)
    beginning = re.match(r"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?P<root>!?[\w:.-]+)", text, re.DOTALL)
    if "<" not in text or (beginning and (beginning["root"] == "speak" or beginning["root"].startswith("!"))):
        return text
    return f"<speak>{text}</speak>"


def _resolved(match: re.Match[str]) -> str:
    name, whole = match["name"], match.group()
    if whole == "&":
        return "&amp;"
    if not name or name in _XML_ENTITIES:
        return whole
    meant = html.unescape(whole)
    return meant if meant != whole else f"&amp;{whole[1:]}"


class _Reader:
    """Collects the text and its marks while expat walks through a document."""

    def __init__(
        self, own: Dialect, warnings: list[str], others: Callable[[str], Dialect | None], *, strict: bool
    ) -> None:
        self._own = own
        self._dialects: dict[str | None, Dialect] = {None: own}
        self._others = others
        self._warnings = warnings
        self._strict = strict
        self._silent = 0
        self._parser = expat.ParserCreate()
        self._stack: list[tuple[str, dict[str, str]]] = []
        self._settings = [Setting(0)]
        self._scopes: list[Setting | None] = []
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
            reason = expat.ErrorString(error.code).removeprefix("not well-formed ").strip("()")
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

    def _object(self, reason: str, instead: str = "") -> None:
        """Refuse what is not as it should be; leniently, say that it is passed over, or what is done instead."""
        if self._strict:
            self._fail(reason)
        line = f"SSML line {self._parser.CurrentLineNumber}"
        warning = f"{line}: {instead}" if instead else f"{line}, passed over: {reason}"
        if warning not in self._warnings[-20:]:
            self._warnings.append(warning)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._stack and tag != "speak":
            self._fail(f"the document must begin with <speak>, not <{tag}>")
        if self._stack and tag == "speak" and self._strict:
            self._fail("<speak> inside <speak>")
        if not self._strict:
            tag = _OTHER_NAMES.get(tag, tag)
        known = tag in _ATTRIBUTES or (not self._strict and tag in _FURTHER_ATTRIBUTES)
        if not known and not self._silent and (self._strict or tag not in _QUIET):
            there = f"<{tag}> is not supported; there are {', '.join(_ATTRIBUTES)}"
            self._object(there, f"<{tag}> is passed over; what is written in it is {'not ' * (tag in _NOT_READ)}read")
        if len(self._stack) >= MAX_DEPTH:
            self._fail(f"elements nested deeper than {MAX_DEPTH}")
        inside = self._stack[-1][0] if self._stack else ""
        if inside in _ONLY_TEXT + _EMPTY:
            self._object(f"<{inside}> cannot hold <{tag}>")
            # What stands in it belongs to the element around.
            self._stack.append((inside if inside in _ONLY_TEXT else "", {}))
            self._scopes.append(None)
            return
        if known:
            self._check_attributes(tag, attributes)
        if tag in _NOT_READ:
            self._silent += 1
        self._stack.append((tag, attributes))
        self._scopes.append(self._settings[-1])
        self._inner = ""
        self._set_language(attributes.get("xml:lang"))
        opener = self._openers().get(tag)
        if opener is not None and not self._silent:
            opener(attributes)

    def _check_attributes(self, tag: str, attributes: dict[str, str]) -> None:
        allowed = _ATTRIBUTES.get(tag, set())
        if not self._strict:
            allowed = allowed | _FURTHER_ATTRIBUTES.get(tag, set()) | {"xml:lang"}
        for name in attributes:
            if name in allowed or (not self._strict and (name.startswith("xmlns") or tag in ("speak", "voice"))):
                continue
            known = ", ".join(sorted(_ATTRIBUTES.get(tag) or allowed))
            self._object(f"<{tag}> has no attribute {name!r} here; there are {known}")

    def _openers(self) -> dict[str, Callable[[dict[str, str]], None]]:
        return {
            "p": lambda _: self._border("\n\n"), "s": lambda _: self._border(" "), "break": self._break,
            "mark": self._mark, "prosody": self._prosody, "voice": self._voice, "emphasis": self._emphasis,
        }  # fmt: skip

    def _end(self, tag: str) -> None:
        tag, attributes = self._stack.pop()
        outer = self._scopes.pop()
        if outer is None:
            return
        if tag in _NOT_READ:
            self._silent -= 1
        if not self._silent:
            if tag in ("p", "s"):
                self._border("\n\n" if tag == "p" else " ")
            elif tag == "sub":
                self._substitute(attributes)
            elif tag == "phoneme":
                self._phoneme(attributes)
            elif tag == "say-as":
                self._say_as(attributes)
        if replace(outer, start=0) != replace(self._settings[-1], start=0):
            self._set(outer)

    def _characters(self, data: str) -> None:
        if self._silent:
            return
        tag = self._stack[-1][0] if self._stack else ""
        if tag in _EMPTY and data.strip():
            self._object(f"<{tag}> cannot hold text")
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
        here = replace(setting, start=self._length)
        if self._settings[-1].start == self._length:
            self._settings[-1] = here
        else:
            self._settings.append(here)

    def _set_language(self, wanted: str | None) -> None:
        if not wanted:
            return
        own, current = self._own[0], self._settings[-1]
        base = wanted.lower().replace("_", "-").split("-")[0]
        if base == own.split("-")[0]:
            language = None
        elif self._strict:
            self._fail(f"xml:lang {wanted!r}: the voice speaks {own}; the language cannot change inside a document")
        else:
            other = self._others(wanted.lower().replace("_", "-"))
            if other is None:
                self._object(f"xml:lang {wanted!r}: the voice does not speak it, and reads the text as {own}")
                return
            language = other[0]
            self._dialects[language] = other
        if language != current.language:
            self._set(replace(current, language=language))

    def _break(self, attributes: dict[str, str]) -> None:
        seconds = break_seconds(attributes, self._object, strict=self._strict)
        if seconds > 0:
            self._append(" ")
            self._silences.append(Silence(self._length, seconds))

    def _mark(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name") or attributes.get("mark")
        if not name:
            self._object("<mark> needs a name")
            return
        self._marks.append((self._length, name))

    def _prosody(self, attributes: dict[str, str]) -> None:
        self._speak_so(prosody(attributes, self._prosody_here(), self._object, strict=self._strict))

    def _emphasis(self, attributes: dict[str, str]) -> None:
        self._speak_so(emphasis(attributes, self._prosody_here(), self._object))

    def _prosody_here(self) -> Prosody:
        here = self._settings[-1]
        return Prosody(here.rate, here.pitch, here.volume)

    def _speak_so(self, wished: Prosody) -> None:
        self._set(replace(self._settings[-1], rate=wished.rate, pitch=wished.pitch, volume=wished.volume))

    def _voice(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "").strip()
        if not name:
            self._object("<voice> needs a name")
            return
        self._set(replace(self._settings[-1], voice=attributes["name"]))

    def _fix(self, shown: str, words: tuple[SpokenWord, ...]) -> None:
        start = self._length
        self._append(shown)
        self._fixed[start] = Fixed(self._length, words)

    def _shown(self, tag: str) -> str:
        shown = " ".join(clean_characters(self._inner).text.split())
        if not shown:
            self._object(f"<{tag}> holds no text")
        return shown

    def _substitute(self, attributes: dict[str, str]) -> None:
        if not attributes.get("alias", "").strip():
            self._object("<sub> needs an alias")
            self._add(self._inner)
            return
        self._add(attributes["alias"])

    def _phoneme(self, attributes: dict[str, str]) -> None:
        if attributes.get("alphabet", "ipa") != "ipa":
            self._object(f"<phoneme> alphabet {attributes['alphabet']!r}: only 'ipa' is supported")
            self._add(self._inner)
            return
        given = attributes.get("ph", "")
        if not self._strict:
            given = re.sub(r"^\s*([/\[])(.*)[/\]]\s*$", r"\2", given)
        phonemes, unknown = split_ipa(given)
        if unknown or not phonemes:
            wrong = f"no phone for {' '.join(unknown)}" if unknown else "the attribute ph is missing or empty"
            self._object(f"<phoneme>: {wrong}")
            if not phonemes:
                self._add(self._inner)
                return
        shown = " ".join(clean_characters(self._inner).text.split()) if not self._strict else self._shown("phoneme")
        shown = shown or " ".join(clean_characters(given).text.split())
        self._fix(shown, (SpokenWord(shown, phonemes=phonemes, source="inline"),))

    def _say_as(self, attributes: dict[str, str]) -> None:
        kind, form = attributes.get("interpret-as", ""), attributes.get("format", "")
        shown = self._shown("say-as")
        language, normalise = self._dialects[self._settings[-1].language]
        # What is read sign by sign may be cut anywhere, so it may have any length.
        size = _SIGNS_AT_ONCE if is_read_sign_by_sign(kind) else max(1, len(shown))
        for start in range(0, len(shown), size):
            part = shown[start : start + size]
            try:
                words = say_as(part, kind, form, language, normalise, self._warnings, strict=self._strict)
            except TextError as error:
                self._object(str(error))
                self._add(part)
                continue
            if words:
                self._fix(part, words)
            else:
                self._warnings.append(f"left out {shortened(part)}: nothing in it can be said as {kind}")
