"""From a text, whole or in pieces, to the lines of a script: sentences with the silences before them."""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from glowvox.align.prior import Frames
from glowvox.errors import ConfigError, DataError, SilentTextError, TextError, VoiceError, named_kind
from glowvox.storage.text_files import told_text
from glowvox.synthesis.options import SentenceOptions, SpeechOptions
from glowvox.synthesis.sentence_mels import MelSynthesizer, Request
from glowvox.synthesis.voice_card import VoiceCard
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.lexicon import UserLexicon, parse_lexicon
from glowvox.text.marked_text import PauseTag, PauseTagStream
from glowvox.text.markup import MarkupStream, SentenceEnd
from glowvox.text.markup.marked_stream import kind_of_start
from glowvox.text.sentences import SentenceLimits, SentenceStream
from glowvox.text.utterance import Pause, PauseLengths, Sentence, Word

_PIECE = 2000
"""Characters of a whole text that are split at once."""
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_NOTHING = "nothing to say"
_OTHER_SYSTEMS_VOICE = re.compile(r"[a-z]{2,3}-[A-Z]{2}\b")
"""How the names of the clouds' voices begin: with a language, as speakers' names do not."""
_LIMITS = SentenceLimits()
_MOST_LEXICON_BYTES = 32 << 20

Warn = Callable[[str], None]
OtherFrontEnds = Callable[[str], FrontEnd | None]
"""Gives the front end of a language tag; None: the voice does not speak it."""
Lexicon = UserLexicon | str | os.PathLike[str]
"""The user's own pronunciations, or the file that holds them."""


@dataclass(frozen=True)
class Line:
    """A sentence, and the silence before it. One without items is silence (and marks) only."""

    sentence: Sentence
    """Its span counts characters of the whole text (of SSML: without the tags)."""
    pause_before: float = 0.0
    """Seconds."""
    asked: bool = False
    """Whether the text asks for a pause of just this length, which no duration control changes."""


@dataclass(frozen=True, eq=False)
class Part:
    """A line of the script on its way to be spoken."""

    line: Line
    request: Request | None
    """None: the line is silence only."""
    frames: Frames | None = None
    """How long each token [L] lasts; None: as predicted."""


def script_lines(
    pieces: Iterable[str],
    front_end: FrontEnd,
    options: SpeechOptions,
    warn: Warn,
    *,
    ssml: bool = False,
    others: OtherFrontEnds | None = None,
) -> Iterator[Line]:
    """Yield the lines of a text in any markup: those of `ssml_lines` or of `plain_lines`.

    Args:
        pieces: the text, cut anywhere.
        front_end: of the text's language.
        options: the pauses, and what the text is written in.
        warn: told of everything that was guessed, replaced or left out, each once.
        ssml: whether it is an SSML document, whatever the options say.
        others: gives the front ends of other languages, which a document may ask for.

    Raises:
        TextError: see both.
    """
    waiting = iter(pieces)
    begun: list[str] = []
    if not ssml and options.markup == "auto":
        kind = None
        for piece in waiting:
            begun.append(piece)
            kind = kind_of_start("".join(begun))
            if kind is not None:
                break
        ssml = kind == "ssml"
    whole = chain(begun, waiting)
    if ssml or options.markup == "ssml":
        yield from ssml_lines("".join(whole), front_end, options, warn, others)
    else:
        yield from plain_lines(whole, front_end, options, warn)


def plain_lines(pieces: Iterable[str], front_end: FrontEnd, options: SpeechOptions, warn: Warn) -> Iterator[Line]:
    """Yield the lines of a text as soon as its pieces allow; memory does not grow with the text.

    Args:
        pieces: the text, cut anywhere.
        front_end: of the text's language.
        options: the pauses, and what the text is written in (not SSML).
        warn: told of everything that was guessed, replaced or left out, each once.

    Raises:
        TextError: a piece is no text.
        SilentTextError: nothing in all of them can be spoken.
    """
    known: set[str] = set()

    def tell(warning: str) -> None:
        if not warning.startswith(_NOTHING) and warning not in known:
            known.add(warning)
            warn(warning)

    spoken, paragraph = False, False
    asked: float | None = None
    settings = front_end.markup_options(read_code=options.read_code)
    read = _without_markup(pieces, MarkupStream(options.markup, settings, tell))
    for found in _sentences(read, pause_tags=options.pause_tags):
        if isinstance(found, float):
            asked = found if asked is None else asked + found
            continue
        text, place, after_blank_line = found
        paragraph = paragraph or after_blank_line
        utterance = front_end.process(
            text, pauses=PauseLengths(0.0, 0.0), limits=_LIMITS, pause_tags=False, markup="plain"
        )
        for warning in utterance.warnings:
            tell(warning)
        pause = options.paragraph_pause if paragraph else options.sentence_pause
        pause = (pause if spoken else 0.0) if asked is None else asked
        for sentence in utterance.sentences:
            yield Line(moved(sentence, place), pause, asked is not None)
            pause, spoken, paragraph, asked = 0.0, True, False, None
    if not spoken:
        raise SilentTextError(f"{_NOTHING}: the text holds no word that can be spoken")
    if asked:
        yield Line(Sentence("", (), (0, 0)), asked, asked=True)


def ssml_lines(
    document: str, front_end: FrontEnd, options: SpeechOptions, warn: Warn, others: OtherFrontEnds | None = None
) -> Iterator[Line]:
    """Yield the lines of an SSML document; the last one may be silence.

    Raises:
        TextError: the document is not of the subset that is read.
        SilentTextError: it holds neither a word nor a silence.
    """
    pauses = PauseLengths(options.sentence_pause, options.paragraph_pause)
    utterance = front_end.process_ssml(
        document, pauses=pauses, limits=_LIMITS, strict=options.strict_ssml, others=others
    )
    warnings = [warning for warning in utterance.warnings if not warning.startswith(_NOTHING)]
    for warning in warnings:
        warn(warning)
    silence = 0.0
    because = f" ({warnings[-1]})" if warnings else ""
    if not any(sentence.items or sentence.pause_after for sentence in utterance.sentences):
        raise SilentTextError(f"{_NOTHING}: the SSML document holds no word that can be spoken{because}")
    for sentence in utterance.sentences:
        yield Line(sentence, silence)
        silence = sentence.pause_after
    if silence:
        yield Line(Sentence("", (), (0, 0)), silence)


def lexicon_of(lines: str) -> UserLexicon:
    """Return the user's own pronunciations from the lines of a lexicon file, `word = phonemes`.

    Raises:
        TextError: a line is wrong.
    """
    return parse_lexicon(lines)


def read_lexicon(path: str | os.PathLike[str], on_note: Warn | None = None) -> UserLexicon:
    """Return the user's own pronunciations from a file. See `lexicon_lines`."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TextError(f"a lexicon is the path of a file with lines `word = phonemes`, got {named_kind(path)}")
    return parse_lexicon(_lexicon_content(Path(path), on_note), str(path))


def lexicon_lines(path: str | os.PathLike[str], on_note: Warn | None = None) -> str:
    """Return the lines of a lexicon file, for `parse_lexicon` elsewhere.

    The file is UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.

    Args:
        path: the file.
        on_note: told of an encoding that is not UTF-8, in a line.

    Raises:
        TextError: it cannot be read, or a line is wrong.
    """
    content = _lexicon_content(Path(path), on_note)
    parse_lexicon(content, str(path))
    return content


def _lexicon_content(path: Path, on_note: Warn | None) -> str:
    try:
        return told_text(path, _MOST_LEXICON_BYTES, on_note)
    except DataError as error:
        raise TextError(str(error).replace("cannot read ", "cannot read the lexicon ", 1)) from error


def kind_of_text(begun: str, *, final: bool = False) -> str | None:
    """Return what a text is whose beginning this is, as `markup="auto"` takes it; None: more of it decides.

    Args:
        begun: the beginning.
        final: whether it is the whole text.
    """
    return kind_of_start(begun, final=final)


def pieces_of(text: str | Iterable[str]) -> Iterator[str]:
    """Yield a text in pieces of a moderate length.

    Raises:
        TextError: it is no text, or a piece of it is none.
    """
    if not isinstance(text, str | Iterable) or isinstance(text, bytes | bytearray):
        raise TextError(f"a text is a string or an iterator of strings, got {named_kind(text)}")
    for piece in [text] if isinstance(text, str) else text:
        if not isinstance(piece, str):
            raise TextError(f"a text comes in pieces of text, got {named_kind(piece)}")
        yield from (piece[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


class FrontEnds:
    """Text front ends that a model was trained with, by language tag; each is loaded when it is first needed."""

    def __init__(self, stored: Mapping[str, Mapping[str, str]]) -> None:
        """Take their names and versions, see `FrontEnd.to_dict`."""
        self._stored = stored
        self._loaded: dict[str, FrontEnd] = {}
        self._lock = threading.Lock()

    def load(self, language: str, lexicon: Lexicon | None = None, on_note: Warn | None = None) -> FrontEnd:
        """Return the front end of a language.

        Args:
            language: its tag.
            lexicon: the user's own pronunciations.
            on_note: told of a lexicon's encoding, see `read_lexicon`.

        Raises:
            TextError: it is not installed, or has another version; or the lexicon cannot be read.
        """
        if lexicon is not None:
            own = lexicon if isinstance(lexicon, UserLexicon) else read_lexicon(lexicon, on_note)
            return self.load(language).with_lexicon(own)
        with self._lock:
            if language not in self._loaded:
                self._loaded[language] = self._checked(language)
            return self._loaded[language]

    def other(self, language: str) -> FrontEnd | None:
        """Return the front end of a language or of its nearest variety; None: there is none, or it cannot be had."""
        base = language.split("-")[0]
        tags = sorted(self._stored, key=lambda tag: tag != language)
        for tag in tags:
            if tag.split("-")[0] == base:
                try:
                    return self.load(tag)
                except TextError:
                    return None
        return None

    def _checked(self, language: str) -> FrontEnd:
        stored = self._stored[language]
        back_end = str(stored.get("name", "")).split("/")[0]
        front_end = load_front_end(language, back_end=back_end)
        front_end.check_front_end(stored)
        return front_end


def speaker_number(
    speaker: str | None, speakers: Sequence[str], owner: str, numbered: Sequence[str] = ()
) -> int | None:
    """Return the number of a speaker (None: the first) among those of a model; None for a model with one.

    Args:
        speaker: the name.
        speakers: names of those that may speak, the first one where none is named.
        owner: whose speakers they are, for the message.
        numbered: names of all the model's speakers, in the order of its numbers; empty: `speakers`.

    Raises:
        VoiceError: no such speaker.
    """
    if speaker is not None and speaker not in speakers:
        raise VoiceError(f"{owner} has no speaker '{speaker[:100]}'; it has {', '.join(speakers)}")
    known = numbered or speakers
    return None if len(known) == 1 else known.index(speaker or speakers[0])


def _without_markup(pieces: Iterable[str], stream: MarkupStream) -> Iterator[str | SentenceEnd]:
    for piece in pieces:
        yield from stream.push(piece)
    yield from stream.flush()


def _sentences(pieces: Iterable[str | SentenceEnd], *, pause_tags: bool) -> Iterator[tuple[str, int, bool] | float]:
    """Yield sentences, each with its place in the text and whether a blank line stands before it; tags as seconds.

    Inline phonemes, which may hold full stops, are put together again where the splitter cut them.
    """
    stream = SentenceStream(_LIMITS.max_characters)
    pending, offset = "", 0

    def located(sentence: str) -> tuple[str, int, bool]:
        nonlocal pending, offset
        rest = pending.lstrip()
        gap = pending[: len(pending) - len(rest)]
        place = offset + len(gap)
        pending, offset = rest[len(sentence) :], place + len(sentence)
        return sentence, place, _BLANK_LINE.search(gap) is not None

    def found() -> Iterator[tuple[str, int, bool] | float | SentenceEnd]:
        nonlocal pending, offset
        for piece in _cut_at_tags(pieces) if pause_tags else pieces:
            if isinstance(piece, SentenceEnd):
                yield from map(located, stream.flush())
                yield piece
                continue
            if isinstance(piece, PauseTag):
                yield from map(located, stream.flush())
                pending, offset = "", offset + len(pending) + piece.end
                yield piece.seconds
                continue
            pending += piece
            yield from map(located, stream.push(piece))
        yield from map(located, stream.flush())

    open_one: tuple[str, int, bool] | None = None
    for one in found():
        if isinstance(one, float | SentenceEnd):
            if open_one is not None:
                yield open_one
                open_one = None
            if isinstance(one, float):
                yield one
            continue
        sentence, place, after_blank_line = one
        if open_one is not None:
            text, start, blank = open_one
            joined = text + " " * (place - start - len(text)) + sentence
            if len(joined) <= _LIMITS.max_characters and not after_blank_line:
                open_one = (joined, start, blank)
            else:
                yield open_one
                open_one = (sentence, place, after_blank_line)
        else:
            open_one = (sentence, place, after_blank_line)
        if open_one[0].count("[[") <= open_one[0].count("]]"):
            yield open_one
            open_one = None
    if open_one is not None:
        yield open_one


def _cut_at_tags(pieces: Iterable[str | SentenceEnd]) -> Iterator[str | PauseTag | SentenceEnd]:
    tags = PauseTagStream()
    for piece in pieces:
        if isinstance(piece, SentenceEnd):
            yield from tags.flush()
            yield piece
            continue
        yield from tags.push(piece)
    yield from tags.flush()


def moved(sentence: Sentence, places: int) -> Sentence:
    """Return a sentence whose spans are moved by a number of characters."""
    if not places:
        return sentence

    def later(item: Word | Pause) -> Word | Pause:
        return replace(item, span=(item.span[0] + places, item.span[1] + places))

    items = tuple(later(item) for item in sentence.items)
    return replace(sentence, items=items, span=(sentence.span[0] + places, sentence.span[1] + places))


def options_of(card: VoiceCard, overrides: Mapping[str, Any]) -> SpeechOptions:
    """Return a voice's options with overrides in place of some; the language is set, and the speaker one there is.

    Raises:
        ConfigError: an option is unknown or out of range.
        VoiceError: no such speaker or language.
    """
    known = SpeechOptions.__dataclass_fields__
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ConfigError(f"a voice has no option '{unknown[0]}'; there are {', '.join(known)}")
    options = replace(card.defaults, **overrides)
    speaker_number(options.speaker, card.speakers, f"the voice {card.name}")
    language = options.language
    if language is None:
        language = card.speaker_languages.get(options.speaker or card.speakers[0], card.language)
    if language not in card.front_ends:
        spoken = ", ".join(card.front_ends)
        raise VoiceError(f"the voice {card.name} does not speak '{language[:40]}'; it speaks {spoken}")
    return replace(options, language=language)


class VoiceFrontEnd:
    """Text front ends of a voice, those it was trained with, loaded when first needed; makes scripts of texts."""

    def __init__(self, card: VoiceCard, mels: MelSynthesizer) -> None:
        self._card = card
        self._mels = mels
        self._front_ends = FrontEnds(card.front_ends)

    def parts(
        self,
        text: str | Iterable[str],
        lexicon: Lexicon | None,
        options: SpeechOptions,
        on_warning: Warn | None,
        *,
        ssml: bool = False,
        own: SentenceOptions | None = None,
    ) -> Iterator[Part]:
        """Return the script of a text; a lexicon or front end that cannot be had is refused at once.

        Raises:
            TextError, VoiceError: see `Voice.say`.
        """
        if on_warning is not None and not callable(on_warning):
            raise ConfigError(f"on_warning must be a function that takes a line, got {named_kind(on_warning)}")
        warn = on_warning or logging.getLogger("glowvox").warning
        front_end = self.front_end(lexicon, options, warn)
        lines = script_lines(pieces_of(text), front_end, options, warn, ssml=ssml, others=self.other_front_end)
        told: set[str] = set()

        def tell(warning: str) -> None:
            if warning not in told:
                told.add(warning)
                warn(warning)

        return self._parts(lines, options, own or SentenceOptions(), tell)

    def _parts(self, lines: Iterable[Line], options: SpeechOptions, own: SentenceOptions, warn: Warn) -> Iterator[Part]:
        sentences = 0
        for line in lines:
            if line.sentence.items:
                yield Part(line, self._request(line.sentence, own.of(sentences, options), warn))
                sentences += 1
            else:
                yield Part(line, None)
        own.check_spent(sentences)

    def front_end(self, lexicon: Lexicon | None, options: SpeechOptions, on_note: Warn | None = None) -> FrontEnd:
        """Return the front end of a text's language, with the user's own pronunciations.

        Raises:
            TextError: it cannot be had, or the lexicon is wrong.
        """
        return self._front_ends.load(options.language or self._card.language, lexicon, on_note)

    def other_front_end(self, language: str) -> FrontEnd | None:
        """Return the front end of another language that the voice speaks, see `FrontEnds.other`."""
        return self._front_ends.other(language)

    def _request(self, sentence: Sentence, options: SpeechOptions, warn: Warn) -> Request | None:
        if not sentence.items:
            return None
        named = None if sentence.voice == self._card.name else sentence.voice
        speakers = self._card.speakers
        foreign = len(speakers) == 1 or _OTHER_SYSTEMS_VOICE.match(named or "") is not None
        if named is not None and named not in speakers and foreign and not options.strict_ssml:
            warn(f"the voice {self._card.name} has no speaker {named[:60]!r}: its own speaks")
            named = None
        if not self._mels.engine.melody and any(word.pitch for word in sentence.words):
            warn(f"the voice {self._card.name} has no melody to change: a wish for another pitch is passed over")
        return self._mels.request(sentence, self._speaker_number(named or options.speaker), options)

    def _speaker_number(self, name: str | None) -> int | None:
        card = self._card
        return speaker_number(name, card.speakers, f"the voice {card.name}", card.model_speakers)
