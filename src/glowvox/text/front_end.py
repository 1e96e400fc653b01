"""The text front end: from any text to sentences of words with phonemes, the same in training and in speaking."""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from glowvox.errors import TextError
from glowvox.text.back_end import BackEnd, Pronunciation, Token
from glowvox.text.espeak_back_end import EspeakBackEnd
from glowvox.text.gruut_back_end import GruutBackEnd
from glowvox.text.lexicon import PronunciationOverrides, UserLexicon, load_lexicon
from glowvox.text.marked_text import MarkedText, Silence, find_pause_tags, without_pause_tags
from glowvox.text.markup import MarkupOptions, is_ssml, to_plain
from glowvox.text.normalise import Fixed, Normaliser, Piece, clean_characters
from glowvox.text.sentences import SentenceLimits, TextSpan, split_items
from glowvox.text.ssml import parse_ssml
from glowvox.text.utterance import Mark, Pause, PauseLengths, Sentence, Utterance, Word

FRONT_END_VERSION = 4
"""Rises when a text may get other phonemes. 2: homographs by a classifier, unknown words by another model.
3: homographs by the meanings of the words around, too; words that German took over. 4: homographs by the phrase they
stand in first; interjections; words that the dictionary has wrong."""
_UNDERSTOOD = (1, 2, 3, 4)
"""Versions with the same phonemes and symbols in other words: a voice of one understands the others."""
_MOST_WARNINGS = 100
_STRENGTH = {".": 4, "?": 5, "!": 5, ";": 3, ":": 3, "—": 2, ",": 1}
_FULL_STOP = re.compile(r"\.[\"')\]}*_\s]*$")


def version_number(stored: Mapping[str, object]) -> int:
    """Return the version of the front end that a voice, a model or a data set stores; 1 where that cannot be read."""
    number = str(stored.get("version", "")).partition("+")[0]
    return int(number) if number.isdecimal() else 1


def understood_versions(stored: Mapping[str, object]) -> tuple[int, ...]:
    """Return the versions of the front end that a voice understands: same symbols, other readings of some words."""
    named = {int(number) for number in str(stored.get("understands", "")).split() if number.isdecimal()}
    own = version_number(stored)
    return tuple(sorted({own, *named, *(_UNDERSTOOD if own in _UNDERSTOOD else ())}))


class FrontEnd:
    """Normaliser, lexicons and back end of one language. Safe to use from several threads."""

    def __init__(self, back_end: BackEnd, *, lexicon: UserLexicon | None = None) -> None:
        """Put a front end together; `load_front_end` finds the parts.

        Args:
            back_end: Knows the words of the language.
            lexicon: The user's own pronunciations, which go before everything else.
        """
        self._back_end = back_end
        self._normalise = Normaliser(back_end.language, back_end.is_word)
        self._given = PronunciationOverrides(lexicon or UserLexicon({}), back_end)

    @property
    def name(self) -> str:
        """Back end and language, stored with every voice and data set."""
        return f"{self._back_end.name}/{self._back_end.language}"

    @property
    def version(self) -> str:
        """Version of the front end and of its back end's data, stored with every voice and data set."""
        return f"{FRONT_END_VERSION}+{self._back_end.version}"

    @property
    def language(self) -> str:
        """Language tag, such as `en-us`."""
        return self._back_end.language

    def with_lexicon(self, lexicon: UserLexicon) -> "FrontEnd":
        """Return a front end with other pronunciations of the user, and the same back end, which need not be loaded."""
        return FrontEnd(self._back_end, lexicon=lexicon)

    def readings(self, word: str) -> list[Pronunciation]:
        """Return the pronunciations that a word may have (homographs, rules, spelling), the usual one first."""
        return self._back_end.readings(word)

    def words(self) -> list[str]:
        """Return the words of the dictionary, in lower case, in order; none where the back end cannot tell them."""
        return self._back_end.words()

    def pronounce(self, word: str) -> Pronunciation:
        """Return what one word, without a sentence, is said as."""
        return self._back_end.pronounce([Token(word)])[0]

    def to_dict(self) -> dict[str, str]:
        """Return what is stored with a voice or a data set."""
        understands = " ".join(map(str, _UNDERSTOOD))
        return {"name": self.name, "version": self.version, "language": self.language, "understands": understands}

    def check_front_end(self, stored: Mapping[str, object]) -> None:
        """Refuse a voice or a data set that was made with a front end whose phonemes it would not understand here.

        Raises:
            TextError: Name or version differ in a way that matters, or are not stored.
        """
        number, _, data = str(stored.get("version")).partition("+")
        understands = str(stored.get("understands", "")).split()
        if data == self._back_end.version and (
            str(FRONT_END_VERSION) in understands or number in map(str, _UNDERSTOOD)
        ):
            stored = {**stored, "version": self.version}
        for key, here in (("name", self.name), ("version", self.version)):
            there = stored.get(key)
            if there != here:
                raise TextError(
                    f"the text front end differs: {key} {there!r:.60} was used in training, here it is {here!r}; "
                    "install what was used then, or train again"
                )

    def process(
        self,
        text: str,
        *,
        pauses: PauseLengths | None = None,
        limits: SentenceLimits | None = None,
        pause_tags: bool = True,
        markup: str = "plain",
        read_code: bool = False,
        strict_ssml: bool = False,
    ) -> Utterance:
        """Make a text ready to be spoken.

        Args:
            text: Any text; `[[ phonemes ]]` in it are spoken as they stand.
            pauses: Silences between sentences.
            limits: What no sentence exceeds.
            pause_tags: Whether `[pause:1s]` and `[pause:300ms]` are silences of that length, or text.
            markup: What the text is written in, one of `glowvox.text.markup.MARKUPS`. Where there is any markup, spans
                count the characters of the text without it.
            read_code: Whether blocks of code in it are read.
            strict_ssml: See `process_ssml`.

        Returns:
            Sentences, and a warning for everything that was guessed, replaced or left out. No text makes it fail.

        Raises:
            TextError: A limit is not positive, or inline phonemes are longer than half a sentence may be; or the text
                is an SSML document that cannot be read.
            ConfigError: No such markup.
        """
        if markup == "ssml" or (markup == "auto" and is_ssml(text)):
            return self.process_ssml(text, pauses=pauses, limits=limits, strict=strict_ssml)
        read = to_plain(text, markup, self.markup_options(read_code=read_code))
        text = read.text
        cleaned = clean_characters(text)
        warnings = [*read.warnings]
        if cleaned.controls:
            warnings.append(f"left out {cleaned.controls} control character{'s' if cleaned.controls > 1 else ''}")
        tags = find_pause_tags(cleaned.text) if pause_tags else []
        silences = tuple(Silence(tag.end, tag.seconds) for tag in tags)
        plain = without_pause_tags(cleaned.text, tags)
        # A character that is left out in cleaning moves the places after it.
        ends = tuple(bisect_left(cleaned.origins, end) for end in read.ends) if read.ends else ()
        marked = MarkedText(plain, cleaned.origins, self._given.inline(plain, warnings), silences=silences, ends=ends)
        return self._utterance(text, marked, warnings, pauses or PauseLengths(), limits or SentenceLimits())

    def markup_options(self, *, read_code: bool = False) -> MarkupOptions:
        """Return what a reader of markup needs to know of this front end."""
        return MarkupOptions(language=self.language.split("-")[0], read_code=read_code)

    def process_ssml(
        self,
        document: str,
        *,
        pauses: PauseLengths | None = None,
        limits: SentenceLimits | None = None,
        strict: bool = False,
        others: "Callable[[str], FrontEnd | None] | None" = None,
    ) -> Utterance:
        """Make an SSML document ready to be spoken; spans count the characters of its text without the tags.

        Args:
            document: The document, or a fragment of one.
            pauses: Silences between sentences.
            limits: What no sentence exceeds.
            strict: Whether what is outside of the subset is refused, instead of passed over with a warning.
            others: Gives the front end of another language where there is one.

        Raises:
            TextError: The document is not well-formed; strictly, not of the subset that `glowvox.text.ssml` describes.
        """
        warnings: list[str] = []
        found: dict[str, FrontEnd] = {}

        def other(tag: str) -> tuple[str, Normaliser] | None:
            front_end = others(tag) if others is not None else None
            if front_end is None:
                return None
            found[front_end.language] = front_end
            return front_end.language, front_end._normalise

        marked = parse_ssml(document, self.language, self._normalise, warnings, strict=strict, others=other)
        marked = marked.with_fixed(self._given.inline(marked.text, warnings))
        pauses, limits = pauses or PauseLengths(), limits or SentenceLimits()
        return self._utterance(marked.text, marked, warnings, pauses, limits, found)

    def _utterance(
        self,
        given: str,
        marked: MarkedText,
        warnings: list[str],
        pauses: PauseLengths,
        limits: SentenceLimits,
        others: "Mapping[str, FrontEnd] | None" = None,
    ) -> Utterance:
        spans = marked.sentences(limits.max_characters)
        sentences: list[Sentence] = []
        lead = marked.lead(spans[0].start if spans else len(marked.text))
        if lead.seconds or (marked.marks and not spans):
            early = tuple(Mark(name, 0) for place, name in marked.marks if place < lead.start or not spans)
            sentences.append(Sentence("", (), (0, 0), pause_after=lead.seconds, marks=early))
        for number, span in enumerate(spans):
            following = spans[number + 1].start if number + 1 < len(spans) else len(marked.text)
            asked = marked.silence_between(span.start, following)
            last = number == len(spans) - 1
            usual = 0.0 if last else (pauses.paragraph if span.ends_paragraph else pauses.sentence)
            silence = usual if asked is None else asked
            places = range(span.start if number else lead.start, following + last)
            marks = [(place, name) for place, name in marked.marks if place in places]
            reader = (others or {}).get(marked.setting_at(span.start).language or "", self)
            made = reader._sentences(given, marked, span, marks, warnings, limits)
            if made:
                sentences.extend(made[:-1])
                sentences.append(_with_pause(made[-1], silence))
            elif sentences:
                # Only marks were there: what was asked for is added, the usual pause was there already.
                before = sentences[-1].pause_after
                sentences[-1] = _with_pause(sentences[-1], max(before, usual) if asked is None else before + asked)
            elif asked:
                sentences.append(Sentence("", (), (0, 0), pause_after=asked))
        if not any(sentence.items for sentence in sentences):
            warnings.append("nothing to say: the text holds no word that can be spoken")
        return Utterance(tuple(sentences), _unique(warnings))

    def _sentences(
        self,
        given: str,
        marked: MarkedText,
        span: TextSpan,
        marks: list[tuple[int, str]],
        warnings: list[str],
        limits: SentenceLimits,
    ) -> list[Sentence]:
        text = marked.text[span.start : span.end]
        fixed = self._given.words(text)
        fixed.update(
            (start - span.start, Fixed(stretch.end - span.start, stretch.words))
            for start, stretch in marked.fixed.items()
            if span.start <= start < span.end
        )
        pieces = self._normalise(text, fixed, warnings)
        items = self._items(pieces, span.start, marked, warnings)
        if items and not isinstance(items[-1], Pause) and _FULL_STOP.search(text):
            # An abbreviation at the end has taken the full stop of the sentence with it.
            items.append(Pause(".", marked.origin(span.end - 1, span.end)))
        if not any(isinstance(item, Word) for item in items) and not marks:
            return []
        rows = split_items(items, limits.max_tokens) or [[]]
        sentences: list[Sentence] = []
        for number, row in enumerate(rows):
            words = [item for item in row if isinstance(item, Word)]
            whole = len(rows) == 1
            start, end = marked.origin(span.start, span.end) if whole else (row[0].span[0], row[-1].span[1])
            here = [(marked.origin(place, place)[0], name) for place, name in marks]
            here = [(place, name) for place, name in here if (place < end or number == len(rows) - 1)]
            marks = marks[len(here) :]
            placed = tuple(Mark(name, sum(word.span[0] < place for word in words)) for place, name in here)
            voice = marked.setting_at(span.start).voice
            sentences.append(Sentence(given[start:end], tuple(row), (start, end), voice=voice, marks=placed))
        return sentences

    def _items(
        self, pieces: Sequence[Piece], offset: int, marked: MarkedText, warnings: list[str]
    ) -> list[Word | Pause]:
        said = iter(self._back_end.pronounce(_tokens(pieces)))
        items: list[Word | Pause] = []
        for piece in pieces:
            span = marked.origin(offset + piece.start, offset + piece.end)
            if piece.pause:
                _add_pause(items, Pause(piece.pause, span))
                continue
            setting = marked.setting_at(offset + piece.start)
            for word in piece.words:
                by_rule = next(said)
                chosen = (
                    Pronunciation(word.phonemes, word.source)
                    if word.phonemes is not None
                    else self._given.pronounce(word.text) or by_rule
                )
                if chosen.warning:
                    warnings.append(chosen.warning)
                if chosen.phonemes:
                    items.append(
                        Word(
                            word.text, chosen.phonemes, chosen.source, span, setting.rate, chosen.reading, chosen.why,
                            setting.pitch, setting.volume,
                        )
                    )  # fmt: skip
        return items


def _tokens(pieces: Sequence[Piece]) -> list[Token]:
    tokens: list[Token] = []
    for piece in pieces:
        if piece.pause:
            tokens.append(Token(piece.pause, is_mark=True))
        tokens.extend(Token(word.text, word.letter) for word in piece.words)
    return tokens


def _add_pause(items: list[Word | Pause], pause: Pause) -> None:
    """Add a pause after a word; of pauses in a row the strongest stays, before the first word there is none."""
    if not items:
        return
    last = items[-1]
    if isinstance(last, Pause):
        if _STRENGTH[pause.mark] > _STRENGTH[last.mark]:
            items[-1] = pause
        return
    items.append(pause)


def _with_pause(sentence: Sentence, seconds: float) -> Sentence:
    return replace(sentence, pause_after=seconds)


def _unique(warnings: Sequence[str]) -> tuple[str, ...]:
    different = tuple(dict.fromkeys(warnings))
    if len(different) <= _MOST_WARNINGS:
        return different
    return (*different[:_MOST_WARNINGS], f"and {len(different) - _MOST_WARNINGS} more warnings")


def resolve_language(language: str) -> str:
    """Return the full tag of a language: `en` is `en-us`, `de_DE` is `de-de`."""
    tag = language.strip().lower().replace("_", "-")
    return {"en": "en-us", "de": "de-de", "en-uk": "en-gb"}.get(tag, tag)


def load_back_end(name: str, language: str) -> BackEnd:
    """Return a back end.

    Args:
        name: `gruut`, or `espeak-ng` for the program of that name.
        language: A full language tag.

    Raises:
        TextError: There is no such back end, or it cannot speak the language.
    """
    if name == "gruut":
        return GruutBackEnd(language)
    if name == "espeak-ng":
        return EspeakBackEnd(language)
    raise TextError(f"unknown back end {name[:60]!r}: choose gruut or espeak-ng")


def load_front_end(
    language: str = "en-us", *, lexicon: UserLexicon | Path | str | None = None, back_end: str = "gruut"
) -> FrontEnd:
    """Return the front end of a language.

    Args:
        language: `en-us`, `en-gb`, `de-de` (short forms too); with espeak-ng any of its voices.
        lexicon: The user's own pronunciations, or the file that holds them.
        back_end: `gruut`, or `espeak-ng` for the program of that name.

    Raises:
        TextError: The language, the lexicon or the back end is not to be had.
    """
    if isinstance(lexicon, Path | str):
        lexicon = load_lexicon(lexicon)
    return FrontEnd(load_back_end(back_end, resolve_language(language)), lexicon=lexicon)
