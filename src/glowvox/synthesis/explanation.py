"""Explanation: how a voice reads a text, word by word, and where the phonemes of each come from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.script import OtherFrontEnds, pieces_of, script_lines
from glowvox.synthesis.sentence_mels import written_text, written_words
from glowvox.text.back_end import Pronunciation
from glowvox.text.front_end import FrontEnd
from glowvox.text.markup import is_ssml, to_plain
from glowvox.text.utterance import Sentence, Word

_ESCAPED = re.compile(r"\\(['\"\\])")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


@dataclass(frozen=True)
class SpokenWord:
    """A word as it is spoken, with its pronunciation."""

    text: str
    """In ordinary spelling."""
    phonemes: tuple[str, ...]
    """IPA phones; a stressed vowel begins with its stress mark."""
    source: str
    """Who gave the phonemes: see `Word.source`."""
    readings: tuple[Pronunciation, ...] = ()
    """The pronunciations that it may have, where they were asked for."""
    reading: str = ""
    """Of a homograph: the reading that was chosen, by its meaning."""
    why: str = ""
    """What decided for that reading, in words."""


@dataclass(frozen=True)
class ExplainedWord:
    """A word as it was written, and what it is read as."""

    text: str
    """As it was written."""
    span: tuple[int, int] | None
    """Characters of the text, `[start, end)`; None: of SSML, whose tags are not counted, or of what was not written,
    or not so, as words of a formula are."""
    spoken: tuple[SpokenWord, ...]
    """`$3` is three dollars."""
    warnings: tuple[str, ...] = ()
    """What was guessed, replaced or left out of it."""
    ends_sentence: bool = False


@dataclass(frozen=True)
class TextWarning:
    """A warning about a place in the text that holds no spoken word, such as a sign that has no sound."""

    message: str
    span: tuple[int, int] | None
    """Characters of the text; None: of no certain place."""


@dataclass(frozen=True)
class Explanation:
    """How a text is read."""

    normalized: str
    """The text as it is spoken, in ordinary spelling."""
    words: tuple[ExplainedWord, ...]
    """In the order of speaking."""
    warnings: tuple[TextWarning, ...]
    """Those that belong to none of the words."""
    form: str = "plain"
    """What it was read as: `plain` text, text with `markup` (Markdown or HTML), or `ssml`."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data; places are characters of the text, null where there is none."""
        return {
            "form": self.form,
            "normalized": self.normalized,
            "words": [
                {
                    "text": word.text,
                    "start": word.span[0] if word.span else None,
                    "end": word.span[1] if word.span else None,
                    "ends_sentence": word.ends_sentence,
                    "warnings": list(word.warnings),
                    "spoken": [
                        {
                            "text": spoken.text,
                            "phonemes": " ".join(spoken.phonemes),
                            "source": spoken.source,
                            **({"reading": spoken.reading, "why": spoken.why} if spoken.reading else {}),
                            **(
                                {
                                    "readings": [
                                        {"phonemes": " ".join(one.phonemes), "source": one.source}
                                        for one in spoken.readings
                                    ]
                                }
                                if spoken.readings
                                else {}
                            ),
                        }
                        for spoken in word.spoken
                    ],
                }
                for word in self.words
            ],
            "warnings": [
                {
                    "message": warning.message,
                    "start": warning.span[0] if warning.span else None,
                    "end": warning.span[1] if warning.span else None,
                }
                for warning in self.warnings
            ],
        }


def explain(
    text: str,
    front_end: FrontEnd,
    options: SpeechOptions,
    *,
    ssml: bool = False,
    readings: bool = False,
    others: OtherFrontEnds | None = None,
) -> Explanation:
    """Return how a text is read, in the sentences in which it would be spoken.

    Args:
        text: any text.
        front_end: of its language.
        options: whether it has pause tags.
        ssml: whether it is an SSML document.
        others: see `script_lines`.
        readings: whether the other pronunciations of each word are looked up.

    Raises:
        TextError: the document is not of the subset that is read, or nothing in the text can be spoken.
    """
    told: list[str] = []
    ssml = ssml or options.markup == "ssml" or (options.markup == "auto" and is_ssml(text))
    lines = script_lines(pieces_of(text), front_end, options, told.append, ssml=ssml, others=others)
    # Where markup was taken out, the words are looked for in the text as it was given.
    marked = not ssml and to_plain(text, options.markup, front_end.markup_options()).text != text
    place = 0
    sentences = [line.sentence for line in lines if line.sentence.items]
    places = [_Warned(message) for message in dict.fromkeys(told)]
    words = []
    for sentence in sentences:
        groups = written_words(sentence)
        for number, group in enumerate(groups):
            own = [sentence.words[index] for index in group]
            span = None if ssml else _span(sentence, own)
            if marked and span is not None:
                span = _found(text, written_text(sentence, group), place)
                place = place if span is None else span[1]
            words.append(
                ExplainedWord(
                    written_text(sentence, group),
                    span,
                    tuple(_spoken(word, front_end, readings=readings) for word in own),
                    tuple(warned.message for warned in places if warned.found_in(own)),
                    ends_sentence=number == len(groups) - 1,
                )
            )
    rest = [TextWarning(one.message, None if ssml else one.place(text)) for one in places if not one.found]
    form = "ssml" if ssml else "markup" if marked else "plain"
    return Explanation(" ".join(sentence.normalized for sentence in sentences), tuple(words), tuple(rest), form)


_FARTHEST = 2000


def _found(text: str, word: str, place: int) -> tuple[int, int] | None:
    start = text.find(word, place, place + _FARTHEST)
    return None if start < 0 else (start, start + len(word))


def _span(sentence: Sentence, words: Sequence[Word]) -> tuple[int, int] | None:
    start, end = words[0].span
    written = sentence.text[start - sentence.span[0] : end - sentence.span[0]]
    lead = len(written) - len(written.lstrip())
    return (start + lead, start + lead + len(written.strip())) if written.strip() else None


def _spoken(word: Word, front_end: FrontEnd, *, readings: bool) -> SpokenWord:
    others = tuple(front_end.readings(word.text)) if readings else ()
    return SpokenWord(word.text, word.phonemes, word.source, others, word.reading, word.why)


class _Warned:
    """A warning, and the words that it is about: those that it quotes."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.found = False
        quoted = _QUOTED.search(message)
        self._about = _ESCAPED.sub(r"\1", quoted.group()[1:-1]).casefold() if quoted else ""

    def found_in(self, words: Sequence[Word]) -> bool:
        """Say whether it is about one of the words."""
        about = self._about.removesuffix("...")
        cut = about != self._about
        here = bool(about) and any(
            word.text.casefold().startswith(about) if cut else word.text.casefold() in (about, f"{about}'s")
            for word in words
        )
        self.found = self.found or here
        return here

    def place(self, text: str) -> tuple[int, int] | None:
        """Return the first place in the text that it quotes."""
        start = text.casefold().find(self._about) if self._about and len(text.casefold()) == len(text) else -1
        return (start, start + len(self._about)) if start >= 0 else None
