"""`glowvox book`: a whole book becomes an audiobook with chapters, or a read-along EPUB."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.number_options import finite_number
from glowvox.cli.progress import StatusLine
from glowvox.cli.say_options import (
    add_engine_options,
    add_lexicon_option,
    add_noise_options,
    add_seed_option,
    add_voice_options,
)

if TYPE_CHECKING:
    from glowvox.book.audiobook import BookOptions, Made
    from glowvox.book.chapters import HeardBook
    from glowvox.book.narration import Survey
    from glowvox.book.production import Narrator

SUMMARY = "make an audiobook or a read-along EPUB of a book"
EXAMPLE = """\
Reads EPUB 2 and 3, PDF with a text layer, HTML, Markdown and plain text. Chapters are those of the table of contents,
or the headings. Started again with the same arguments after it was stopped, it goes on, and the result is the same.

examples:
  glowvox book novel.epub -o novel.m4b
  glowvox book novel.epub -o novel-read-along.epub --unit word
  glowvox book notes.md -o notes/ --format flac
  glowvox book novel.epub --dry-run --lexicon names.txt
  glowvox book novel.epub -o novel.m4b --dialogue-voice kathleen
  glowvox book alice.epub -o alice.m4b --cast "Alice=kathleen" --cast "Queen=kathleen,pitch-shift=-3"
"""
_MARKUP_KINDS = {"plain": "text", "markdown": "markdown", "html": "html"}
_MOST_UNKNOWN = 40
_MOST_NOTES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("book", metavar="INPUT", type=Path, help="the book (.epub, .pdf, .html, .md, .txt)")
    target = parser.add_argument_group("what is made")
    target.add_argument(
        "-o", "--output", metavar="OUT", help=".m4b: an audiobook; .epub: a read-along book; else a folder of chapters"
    )
    target.add_argument(
        "--format", choices=("mp3", "flac", "m4b", "epub"), help="of the files in a folder (default: mp3)"
    )
    target.add_argument(
        "--unit", choices=("sentence", "word"), default="sentence", help="what lights up at once (default: sentence)"
    )
    target.add_argument(
        "--bit-rate", type=finite_number, default=64, metavar="KBITS", help="of AAC and MP3 (default: 64)"
    )
    target.add_argument("--title", metavar="TEXT", help="title, where the book's own is missing or wrong")
    target.add_argument("--author", metavar="TEXT", help="author, where the book's own is missing or wrong")
    target.add_argument("--cover", metavar="FILE", type=Path, help="a JPEG or PNG, in place of the book's own cover")
    target.add_argument(
        "--dry-run", action="store_true", help="show chapters, words, hours and unknown words, and make nothing"
    )
    heard = parser.add_argument_group("what is heard")
    heard.add_argument(
        "--keep",
        metavar="WHAT",
        default="",
        help="read what is left out otherwise: notes, tables (long ones), pictures (described by a word), contents; "
        "several with commas",
    )
    heard.add_argument("--sentence-pause", type=finite_number, metavar="SECONDS", help="silence after a sentence")
    heard.add_argument("--paragraph-pause", type=finite_number, metavar="SECONDS", help="silence after a paragraph")
    heard.add_argument(
        "--heading-pause", type=finite_number, metavar="SECONDS", help="silence after a heading (default: 1)"
    )
    voice = parser.add_argument_group("how")
    add_voice_options(voice)
    add_noise_options(voice)
    voice.add_argument("--dialogue-voice", metavar="VOICE", help="speaks what stands in quotation marks")
    voice.add_argument("--dialogue-speaker", metavar="NAME", help="speaker of the dialogue")
    voice.add_argument(
        "--dialogue-pitch-shift", type=finite_number, metavar="SEMITONES", help="how much higher the dialogue is"
    )
    voice.add_argument(
        "--cast",
        metavar="NAME=VOICE",
        action="append",
        default=[],
        help="speaks what a person of the book says; also NAME=VOICE,pitch-shift=2 (speed, speaker, ...), or a file of "
        "such lines; several times; --dry-run lists the names",
    )
    add_seed_option(voice)
    add_lexicon_option(voice)
    add_engine_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Make the book, and say what it is."""
    from glowvox.book.audiobook import BookOptions, make_book, output_of
    from glowvox.book.chapters import hear_book
    from glowvox.book.modern_page import modernise
    from glowvox.book.narration import processors, survey
    from glowvox.book.open_book import open_book
    from glowvox.book.script import BookPauses
    from glowvox.errors import ConfigError
    from glowvox.synthesis.options import parse_seed

    if args.output is None and not args.dry_run:
        raise ConfigError("-o names what is made: book.m4b, book.epub or a folder; or give --dry-run")
    if args.threads is not None and args.threads < 1:
        raise ConfigError(f"--threads is 1 or more, got {args.threads}")
    output = output_of(args.output, args.format) if args.output is not None else "m4b"
    keep = _kept(args)
    seed = parse_seed(args.seed, "--seed")
    source = open_book(args.book, _MARKUP_KINDS.get(args.markup or ""))
    _described(args, source)
    if output == "epub":
        modernise(source)
    book = hear_book(source, keep=keep, language=args.language or "")
    for warning in book.warnings[:10]:
        _warn(warning)
    narrators, identity = _narrators(args, book)
    settled = narrators["narrator"].voice.options(**narrators["narrator"].options)
    pauses = BookPauses(
        settled.sentence_pause,
        settled.paragraph_pause,
        1.0 if args.heading_pause is None else args.heading_pause,
    )
    terminal = _Terminal()
    if args.dry_run:
        found = survey(book, narrators["narrator"], pauses, terminal.reading)
        terminal.end()
        _tell_survey(args, book, found)
        return 0
    options = BookOptions(
        output=output,
        bit_rate=round(1000 * args.bit_rate),
        unit=args.unit,
        seed=seed,
        threads=args.threads or processors(),
        pauses=pauses,
    )
    began = time.monotonic()
    made = make_book(
        book, Path(args.output), narrators, options, identity=identity, report=terminal.spoken, warn=terminal.note
    )
    terminal.end()
    _tell(args, book, made, options, time.monotonic() - began)
    return 0


def _kept(args: argparse.Namespace) -> set[str]:
    from glowvox.book.listening import KEEPS
    from glowvox.errors import ConfigError

    keep = {name.strip() for name in args.keep.split(",") if name.strip()}
    if keep - set(KEEPS):
        raise ConfigError(f"--keep knows {', '.join(KEEPS)}, not '{sorted(keep - set(KEEPS))[0]}'")
    return keep | ({"code"} if args.read_code else set())


def _described(args: argparse.Namespace, source: Any) -> None:
    """Put the user's title, author and cover in the place of the book's."""
    from glowvox.book.narration import read_cover
    from glowvox.book.source import Cover

    if args.title:
        source.title = args.title
    if args.author:
        source.authors = (args.author,)
    if args.cover is not None:
        source.cover = Cover(*read_cover(args.cover))


def _narrators(args: argparse.Namespace, book: "HeardBook") -> "tuple[dict[str, Narrator], dict[str, Any]]":
    from glowvox.book.cast import cast_key, read_cast
    from glowvox.book.narration import open_narrator, read_book_lexicon
    from glowvox.book.script import speakers_of
    from glowvox.errors import VoiceError

    names = (
        *("speaker", "language", "speed", "pitch_shift", "pitch_range", "temperature", "pause_tags"),
        *("sigma", "denoise", "refine", "postfilter", "sentence_pause", "paragraph_pause"),
    )
    options = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    lexicon, lexicon_hash = read_book_lexicon(args.lexicon, _warn)
    if "language" not in options and book.source.language:
        options = _with_language(args, book, options)
    narrator, told = open_narrator(args.voice, engine=args.engine, options=options, lexicon=lexicon)
    narrators = {"narrator": narrator}
    identity: dict[str, Any] = {"narrator": told, "lexicon": lexicon_hash}
    if args.dialogue_voice or args.dialogue_speaker or args.dialogue_pitch_shift is not None:
        own = {name: value for name, value in options.items() if name != "speaker" or not args.dialogue_voice}
        if args.dialogue_speaker:
            own["speaker"] = args.dialogue_speaker
        if args.dialogue_pitch_shift is not None:
            if not narrator.voice.has_melody and not args.dialogue_voice:
                raise VoiceError(f"the voice {narrator.voice.name} has no melody to change: name a --dialogue-voice")
            own["pitch_shift"] = args.dialogue_pitch_shift
        narrators["dialogue"], identity["dialogue"] = open_narrator(
            args.dialogue_voice or args.voice, engine=args.engine, options=own, lexicon=lexicon
        )
    known = {cast_key(name) for parts in (speakers_of(book).values() if args.cast else ()) for _, _, name in parts}
    for key, chosen in read_cast(args.cast).items():
        if key not in known:
            _warn(f"--cast: nobody called '{key}' speaks; --dry-run lists the names")
        own = {name: value for name, value in options.items() if name != "speaker" or chosen.voice is None}
        narrators[key], identity[f"cast {key}"] = open_narrator(
            chosen.voice or args.voice, engine=args.engine, options={**own, **chosen.options}, lexicon=lexicon
        )
    return narrators, identity


def _with_language(args: argparse.Namespace, book: "HeardBook", options: dict[str, Any]) -> dict[str, Any]:
    """Let a voice that speaks the book's language speak it, and say so where it does not."""
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_voice_folder

    with open_voice_folder(find_voice(args.voice)) as folder:
        card = read_voice_card(folder)
    wished = book.source.language.lower().replace("_", "-")
    spoken = [tag for tag in card.front_ends if tag.split("-")[0] == wished.split("-")[0]]
    if not spoken:
        _warn(
            f"the book is in '{book.source.language[:20]}', the voice {card.name} speaks {', '.join(card.front_ends)}"
        )
        return options
    if card.language in spoken and wished not in spoken:
        return options
    return {**options, "language": wished if wished in spoken else spoken[0]}


def _tell(args: argparse.Namespace, book: "HeardBook", made: "Made", options: "BookOptions", took: float) -> None:
    from glowvox.errors import counted

    told = {
        "output": args.output,
        "format": options.output,
        "title": book.source.title,
        "seconds": made.seconds,
        "took_seconds": took,
        "went_on": made.went_on,
        "chapters": [{"title": title, "seconds": round(seconds, 3)} for title, seconds in made.chapters],
        "left_out": book.left_out,
        "files": [str(path) for path in made.files],
    }
    if args.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    again = ", the rest of it earlier" if made.went_on else ""
    what = "page" if options.output == "epub" else "chapter"
    length = f"{made.seconds / 3600:.2f} h of speech"
    print(f"{args.output}: {counted(len(made.chapters), what)}, {length} in {took:.1f} s{again}")
    _print_left_out(book)


def _tell_survey(args: argparse.Namespace, book: "HeardBook", found: "Survey") -> None:
    from glowvox.book.dialogue import DIALOGUE
    from glowvox.errors import counted

    if args.json:
        told = {
            "title": book.source.title,
            "authors": list(book.source.authors),
            "language": book.source.language,
            "words": found.words,
            "seconds": round(found.seconds, 1),
            "chapters": [
                {"title": title, "words": words, "seconds": round(seconds, 1)}
                for title, words, seconds in found.chapters
            ],
            "unknown_words": [{"word": word, "count": count} for word, count in found.unknown],
            "speakers": [{"name": name, "quotations": count} for name, count in found.speakers],
            "left_out": book.left_out,
            "warnings": list(book.warnings),
        }
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    authors = f" by {', '.join(book.source.authors)}" if book.source.authors else ""
    print(f"{book.source.title}{authors}")
    for number, (title, words, seconds) in enumerate(found.chapters, 1):
        print(f"{number:4d}  {words:7d} words  {_clock(seconds)}  {title}")
    print(
        f"{counted(len(found.chapters), 'chapter')}, {found.words} words, about {found.seconds / 3600:.1f} h of speech"
    )
    if found.unknown:
        shown = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in found.unknown[:_MOST_UNKNOWN])
        more = (
            f" and {len(found.unknown) - _MOST_UNKNOWN} more (--json lists all)"
            if len(found.unknown) > _MOST_UNKNOWN
            else ""
        )
        print(f"{counted(len(found.unknown), 'word')} that no lexicon has, read by rule: {shown}{more}")
    if found.speakers:
        shown = ", ".join(
            f"{'not found out' if name == DIALOGUE else name} ({count})"
            for name, count in found.speakers[:_MOST_UNKNOWN]
        )
        print(f"who speaks (quotations), for --cast: {shown}")
    _print_left_out(book)


def _print_left_out(book: "HeardBook") -> None:
    if book.left_out:
        told = ", ".join(f"{name} ({count})" for name, count in sorted(book.left_out.items()))
        print(f"left out: {told}")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"


def _warn(message: str) -> None:
    print(f"glowvox book: {message}", file=sys.stderr, flush=True)


class _Terminal:
    """Shows how it goes on; of very many warnings the first ones."""

    def __init__(self) -> None:
        self._line = StatusLine("book")
        self._began = time.monotonic()
        self._notes = 0

    def reading(self, done: int, total: int) -> None:
        """Show how much is read in a dry run."""
        if self._line.due():
            self._line.show(f"read {100 * done // total} %")

    def spoken(self, done: int, reused: int, total: int, title: str) -> None:
        """Show how much is spoken. The time that remains is reckoned from what this run has spoken itself."""
        if not self._line.due():
            return
        worked = done - reused
        passed = time.monotonic() - self._began
        remaining = f", {_remaining(passed / worked * (total - done))}" if worked > 0 else ""
        earlier = f" ({100 * reused // total} % earlier)" if reused else ""
        self._line.show(
            f"{100 * done // max(1, total)} % spoken{earlier}{remaining}{': ' if title else ''}{title[:40]}"
        )

    def note(self, message: str) -> None:
        """Show a warning that stays. See `StatusLine.note`."""
        self._notes += 1
        if self._notes <= _MOST_NOTES:
            self._line.note(message)
        elif self._notes == _MOST_NOTES + 1:
            self._line.note("and more such words; --dry-run lists them")

    def end(self) -> None:
        """Leave an empty line behind."""
        self._line.end()


def _remaining(seconds: float) -> str:
    return f"{seconds:.0f} s remain" if seconds < 100 else f"{seconds / 60:.0f} min remain"
