"""The narrators of a book, and what a dry run tells: how long it will be, and which words the voice has to guess."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glowvox.book.cast import count_speakers
from glowvox.book.chapters import HeardBook
from glowvox.book.production import Narrator
from glowvox.book.script import BookPauses, script_of, speakers_of
from glowvox.errors import DataError, SilentTextError, TextError
from glowvox.synthesis.installed_voices import find_voice, load_voice
from glowvox.synthesis.script import read_lexicon
from glowvox.synthesis.voice_folder import open_voice_folder
from glowvox.text.lexicon import UserLexicon

_SAMPLED = 60
"""Utterances whose length is computed; the rest is reckoned from them."""
_GUESSED = ("rules", "spelling", "back end")
"""Where the phonemes of a word come from that no lexicon has."""


def open_narrator(
    voice: str | None, *, engine: str, options: Mapping[str, Any], lexicon: UserLexicon | None
) -> tuple[Narrator, dict[str, Any]]:
    """Return a narrator, and what tells one that sounds otherwise apart from it.

    Args:
        voice: see `load_voice`.
        engine: see `load_voice`.
        options: see `Voice.say`.
        lexicon: the user's own pronunciations.

    Raises:
        VoiceError, ConfigError, EngineError: no such voice, speaker, option or engine.
    """
    opened = load_voice(voice, engine=engine, threads=1)
    opened.options(**options)
    digest = hashlib.sha256()
    with open_voice_folder(find_voice(voice)) as folder:
        for path in sorted(one for one in Path(folder).rglob("*") if one.is_file()):
            digest.update(path.name.encode("utf-8", "surrogateescape"))
            digest.update(path.read_bytes())
    told = {"voice": digest.hexdigest(), "engine": engine, "options": {key: options[key] for key in sorted(options)}}
    return Narrator(opened, options, lexicon), told


def read_book_lexicon(path: Path | None, on_note: Callable[[str], None]) -> tuple[UserLexicon | None, str]:
    """Return the lexicon of a book and a hash of it. An encoding that is not UTF-8 is told.

    Raises:
        TextError: it cannot be read, or a line is wrong.
    """
    if path is None:
        return None, ""
    lexicon = read_lexicon(path, on_note)
    try:
        return lexicon, hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TextError(f"cannot read the lexicon {path}: {error.strerror}") from error


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Survey:
    """What a dry run tells."""

    chapters: Sequence[tuple[str, int, float]]
    """Of each its title, words, and length in seconds, pauses included."""
    unknown: Sequence[tuple[str, int]]
    """Words that no lexicon has, with how often they stand in the book, the most frequent first."""

    speakers: Sequence[tuple[str, int]] = ()
    """Who speaks how many quotations, the most frequent first; `DIALOGUE`: of whom it was not found out."""

    @property
    def seconds(self) -> float:
        """Length of the whole, about."""
        return sum(seconds for _, _, seconds in self.chapters)

    @property
    def words(self) -> int:
        """How many words the book has."""
        return sum(words for _, words, _ in self.chapters)


def survey(book: HeardBook, narrator: Narrator, pauses: BookPauses, progress: Callable[[int, int], None]) -> Survey:
    """Return what a book would be, speaking nothing.

    Args:
        book: what is heard.
        narrator: who would speak.
        pauses: the silences.
        progress: told how many utterances are read, of how many.

    Raises:
        GlowvoxError: see `Voice.explain`.
    """
    tracks = script_of(book, pauses, by_page=False)
    every = [one for track in tracks for part in track.parts for one in part]
    options = {**narrator.options, "markup": "plain"}
    voice = narrator.voice
    mel = voice.card.vocoder.mel
    step = max(1, len(every) // _SAMPLED)
    frames = characters = 0
    for one in every[::step]:
        try:
            found = voice.durations(one.text, lexicon=narrator.lexicon, **options)
        except SilentTextError:
            continue
        frames += sum(int(each.sum()) for each in found)
        characters += len(one.text)
    pace = frames * mel.hop_length / mel.sample_rate / characters if characters else 0.0
    guessed: Counter[str] = Counter()
    done = 0
    for one in every:
        done += 1
        progress(done, len(every))
        try:
            explained = voice.explain(one.text, lexicon=narrator.lexicon, **options)
        except SilentTextError:
            continue
        for word in explained.words:
            guessed.update(part.text.lower() for part in word.spoken if part.source in _GUESSED and len(part.text) > 1)
    lengths = [
        sum(len(one.text) * pace + one.pause for part in track.parts for one in part) + track.ending for track in tracks
    ]
    chapters = [(chapter.title, chapter.words, length) for chapter, length in zip(book.chapters, lengths, strict=True)]
    unknown = sorted(guessed.items(), key=lambda entry: (-entry[1], entry[0]))
    return Survey(chapters, unknown, count_speakers(speakers_of(book).values()))


def read_cover(path: Path) -> tuple[bytes, str]:
    """Return the content and media type of a picture.

    Raises:
        DataError: it cannot be read, or is neither JPEG nor PNG.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    if content.startswith(b"\xff\xd8\xff"):
        return content, "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content, "image/png"
    raise DataError(f"{path}: a cover is a JPEG or PNG")
