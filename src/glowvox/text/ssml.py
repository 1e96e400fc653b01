"""A subset of SSML 1.1: speak, p, s, break, say-as, sub, phoneme, prosody (rate), mark, voice.

Everything else is refused with its name and line; nothing is ignored. Documents may come from strangers: no document
types, no entities but the five of XML, a limit on size and depth. The parser is Python's own expat.
"""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn
from xml.parsers import expat

from glowvox.errors import TextError
from glowvox.text.back_end import shortened
from glowvox.text.marked_text import MarkedText, Setting, Silence
from glowvox.text.normalise import Fixed, Normaliser, SpokenWord, clean_characters
from glowvox.text.normalise.dates import MONTHS
from glowvox.text.normalise.numbers import cardinal, digits, number, ordinal, year
from glowvox.text.tokenizer import split_ipa

MAX_SILENCE = 60.0
"""Seconds of the longest break."""
SLOWEST, FASTEST = 0.25, 4.0
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(ms|s)")
_FACTOR = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)(%?)")
_CHANGE = re.compile(r"([+-]\d{1,6}(?:\.\d{1,9})?)%")


def break_seconds(attributes: Mapping[str, str]) -> float:
    """Return the length of a `break` in seconds.

    Raises:
        TextError: Time or strength are none, or the break is too long.
    """
    time, strength = attributes.get("time"), attributes.get("strength", "medium")
    if strength not in _STRENGTHS:
        raise TextError(f"<break> strength {strength!r}: use {', '.join(_STRENGTHS)}")
    if time is None:
        return _STRENGTHS[strength]
    match = _TIME.fullmatch(time.strip())
    if match is None:
        raise TextError(f"<break> time {time!r}: write it as 500ms or 1.5s")
    seconds = float(match.group(1)) / (1000.0 if match.group(2) == "ms" else 1.0)
    if seconds > MAX_SILENCE:
        raise TextError(f"<break> of {seconds:g} s: at most {MAX_SILENCE:g} s")
    return seconds


def prosody_rate(attributes: Mapping[str, str], outer: float) -> float:
    """Return the rate inside a `prosody` element.

    Args:
        attributes: Those of the element.
        outer: The rate around it, which the element's own rate changes.

    Raises:
        TextError: The rate is none, or too slow or fast.
    """
    rate = (attributes.get("rate") or "").strip()
    if not rate:
        raise TextError("<prosody> needs a rate; pitch, contour, range, duration and volume are not supported")
    if rate in _RATES:
        factor = _RATES[rate]
    elif match := _FACTOR.fullmatch(rate):
        factor = float(match.group(1)) / (100.0 if match.group(2) else 1.0)
    elif match := _CHANGE.fullmatch(rate):
        factor = 1.0 + float(match.group(1)) / 100.0
    else:
        raise TextError(f"<prosody> rate {rate!r}: use {', '.join(_RATES)}, 80%, +20% or a factor such as 1.2")
    if not SLOWEST <= factor * outer <= FASTEST:
        limits = f"between {SLOWEST:g} and {FASTEST:g}"
        raise TextError(f"<prosody> rate {rate!r} makes {factor * outer:g}: it must lie {limits}")
    return factor * outer


KINDS = (
    "characters",
    "spell-out",
    "cardinal",
    "number",
    "ordinal",
    "digits",
    "telephone",
    "date",
    "time",
    "currency",
    "unit",
    "fraction",
)
_BY_NORMALISER = ("time", "currency", "unit", "fraction", "telephone", "date")


def _words(text: str) -> list[SpokenWord]:
    return [SpokenWord(word) for word in text.split()]


def _characters(text: str, language: str) -> list[SpokenWord]:
    spoken: list[SpokenWord] = []
    for character in text:
        if character.isdecimal():
            spoken.extend(_words(digits(character, language)))
        elif character.isalpha():
            spoken.append(SpokenWord(character.upper() if len(character.upper()) == 1 else character, letter=True))
    return spoken


def _date(text: str, order: str) -> list[SpokenWord]:
    """Read a date whose order of day, month and year is given."""
    numbers = re.findall(r"\d+", text)
    if len(numbers) != len(order) or not set(order) <= set("dmy"):
        raise TextError(f"say-as date {text!r} does not have the format {order!r}")
    value = dict(zip(order, numbers, strict=True))
    if not 1 <= int(value.get("m", "1")) <= 12 or not 1 <= int(value.get("d", "1")) <= 31:
        raise TextError(f"say-as date {text!r} is no date of the format {order!r}")
    spoken = MONTHS[int(value["m"]) - 1] if "m" in value else ""
    if "d" in value:
        spoken += " " + ordinal(value["d"])
    if "y" in value:
        spoken += " " + year(value["y"].zfill(2))
    return _words(spoken)


def say_as(
    text: str, kind: str, form: str, language: str, normalise: Normaliser, warnings: list[str]
) -> tuple[SpokenWord, ...]:
    """Return the words of a text of a given kind.

    Args:
        text: What stands inside the element.
        kind: One of `KINDS`.
        form: The attribute `format` (the order of a date: mdy, dmy, ymd, md, ...), or empty.
        language: Language tag.
        normalise: Reads the kinds that look after themselves (time, currency, ...).
        warnings: Lines are added for what is left out.

    Raises:
        TextError: The kind is unknown, or the text is not of that kind.
    """
    short = language.split("-")[0]
    if kind not in KINDS:
        raise TextError(f"say-as interpret-as {kind!r} is not supported: use {', '.join(KINDS)}")
    if kind in ("characters", "spell-out"):
        return tuple(_characters(text, short))
    if kind == "date" and form and short == "en":
        return tuple(_date(text, form))
    if kind not in _BY_NORMALISER:
        body = text.strip()
        if not re.fullmatch(r"[-+]?[\d.,\s]*\d[\d.,\s]*(?:st|nd|rd|th)?", body):
            raise TextError(f"say-as {kind}: {text!r} is no number")
        if kind == "digits":
            return tuple(_words(digits(body, short)))
        if kind == "ordinal":
            return tuple(_words(ordinal(body, short)))
        plain = re.sub(r"\s|st|nd|rd|th", "", body)
        separator = "," if short == "en" else "."
        plain = plain.replace(separator, "")
        return tuple(
            _words(number(plain, short) if re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", plain) else cardinal(plain, short))
        )
    if kind == "telephone" and re.fullmatch(r"[\d\s]+", text):
        return tuple(_words(digits(text, short)))
    return tuple(word for piece in normalise(text, {}, warnings) for word in piece.words)


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

    def _fix(self, shown: str, words: tuple[SpokenWord, ...]) -> None:
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
        self._fix(shown, (SpokenWord(shown, phonemes=phonemes, source="inline"),))

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
