"""`glowvox say`: a text is spoken, to a file, a pipe or the sound card."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.clipboard import clipboard_text
from glowvox.cli.device_options import add_device_options
from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number
from glowvox.cli.say_options import (
    add_engine_options,
    add_seed_option,
    add_speech_options,
    add_timestamps_option,
    speech_overrides,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from glowvox.audio.sound import AudioChunk
    from glowvox.synthesis.playback import Playback
    from glowvox.synthesis.text_files import BatchRow
    from glowvox.synthesis.voice import Voice

SUMMARY = "speak a text"
EXAMPLE = """\
examples:
  glowvox say "Any text." -o out.wav
  glowvox say --file chapter.txt -o chapter.mp3 --timestamps chapter.srt
  glowvox say "Straight to the speakers." --play --speed 0.9
  glowvox say --clipboard             # what was copied
  glowvox say --interactive           # a line at a time; a key stops the speech
  tail -f log.txt | glowvox say --raw | aplay -f S16_LE -r 22050
  glowvox say --batch lines.csv -o clips/

Without a text, standard input is read, and each sentence is spoken as soon as it is complete. The lines of a --batch
file are ID|TEXT; each becomes the file ID.wav in the folder named by -o. Lines that cannot be spoken are named and left
out, and the exit status is then 1.
"""
_FORMATS = ("wav", "flac", "ogg", "mp3")
_LINES_NAMED = 10
"""Lines of a batch file in one message."""
_KNOWN_BYTES = 16 << 20
"""Up to which size a text file is read before it is spoken; a longer one, or a pipe, is spoken as it is read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    source = parser.add_argument_group("what is spoken").add_mutually_exclusive_group()
    source.add_argument("text", metavar="TEXT", nargs="?", help="the text; - or none: standard input")
    source.add_argument("--file", metavar="FILE", type=Path, help="a text file: UTF-8, UTF-16 or cp1252")
    source.add_argument("--batch", metavar="CSV", type=Path, help="a file with lines ID|TEXT, each spoken into a file")
    source.add_argument("--clipboard", action="store_true", help="the text on the clipboard")
    source.add_argument(
        "--interactive", action="store_true", help="lines typed at a prompt, each spoken aloud at once; a key stops it"
    )
    parser.add_argument("--ssml", action="store_true", help="the text is an SSML document")
    target = parser.add_argument_group("where to").add_mutually_exclusive_group()
    target.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="the sound file to write (.wav, .flac, .ogg, .mp3); - is a WAV on standard output; with --batch, a folder",
    )
    target.add_argument("--raw", action="store_true", help="16-bit samples on standard output, as they become ready")
    target.add_argument("--play", action="store_true", help="the sound card (the default where nothing else is named)")
    add_timestamps_option(parser)
    parser.add_argument("--format", choices=_FORMATS, help="of the files of --batch (default: wav)")
    voice = parser.add_argument_group("how")
    add_speech_options(voice)
    add_seed_option(voice)
    voice.add_argument("--duration", type=finite_number, metavar="SECONDS", help="how long the whole shall take")
    # the option's former name
    voice.add_argument("--slot", type=finite_number, dest="duration", help=argparse.SUPPRESS)
    add_engine_options(parser)
    add_device_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Speak, and say what was written and how long it took."""
    from glowvox.errors import TextError
    from glowvox.synthesis.installed_voices import load_voice
    from glowvox.synthesis.text_files import text_lines, text_pieces
    from glowvox.synthesis.timestamps import timestamp_format

    _check_outputs(args)
    if args.timestamps is not None:
        timestamp_format(args.timestamps)
    if args.batch is None:
        check_files(
            {"--file": args.file, "--lexicon": args.lexicon}, {"-o": args.output, "--timestamps": args.timestamps}
        )
    if args.text == "" and args.batch is None:
        raise TextError("nothing to say: the text is empty")
    text = clipboard_text() if args.clipboard else None
    overrides = speech_overrides(args)
    voice = load_voice(
        args.voice, engine=args.engine, threads=args.threads, device=args.device, precision=args.precision
    )
    voice.options(**overrides)
    if args.batch is not None:
        return _say_batch(args, voice, overrides)
    if args.interactive:
        return _say_lines(args, voice, overrides)
    if text is not None:
        return _say(args, voice, text, overrides)
    if args.file is not None:
        pieces: Iterable[str] = text_pieces(args.file, _warn)
        if args.file.is_file() and args.file.stat().st_size <= _KNOWN_BYTES:
            pieces = list(pieces)  # a text that is known whole is spoken on all cores
        return _say(args, voice, pieces, overrides)
    if args.text in (None, "-"):
        return _say(args, voice, text_lines(sys.stdin.buffer, "standard input"), overrides)
    return _say(args, voice, args.text, overrides)


def _check_outputs(args: argparse.Namespace) -> None:
    from glowvox.errors import ConfigError

    if args.batch is not None:
        if args.output in (None, "-") or args.timestamps is not None or args.ssml or args.duration is not None:
            raise ConfigError(
                "--batch needs a folder, named by -o, and goes without --timestamps, --ssml and --duration"
            )
        return
    if args.format is not None:
        raise ConfigError(
            f"--format is for the files of --batch; the ending of a file's name says its format: -o NAME.{args.format}"
        )
    if args.interactive and (args.output is not None or args.raw or args.timestamps is not None or args.json):
        raise ConfigError("--interactive speaks aloud, and goes without -o, --raw, --timestamps and --json")
    if _piped(args) and args.json:
        raise ConfigError("--json and the audio cannot both go to standard output; give -o a file name")
    if _piped(args) and sys.stdout.isatty():
        raise ConfigError("audio would go to the terminal; pipe it, or give -o a file name")


def _piped(args: argparse.Namespace) -> bool:
    return bool(args.raw or args.output == "-")


def _say(args: argparse.Namespace, voice: "Voice", text: "str | Iterable[str]", overrides: dict[str, Any]) -> int:
    from glowvox.synthesis.playback import computed_beside
    from glowvox.synthesis.timestamps import Timeline, write_timestamps

    began, first, samples = time.perf_counter(), 0.0, 0
    words: list[Any] = []
    marks: list[Any] = []
    early = args.raw or args.output is None
    chunks = voice.stream(
        text, early=early, ssml=args.ssml, lexicon=args.lexicon, slot=args.duration, on_warning=_warn, **overrides
    )
    typed = args.text in (None, "-") and args.file is None and not args.clipboard
    with ExitStack() as stack:
        if args.output is None and not args.raw and not typed:
            # So that an interruption is heard at once. A thread that waits for standard input could not be left.
            chunks = stack.enter_context(closing(computed_beside(chunks)))
        write = stack.enter_context(_opened(args, voice.sample_rate))
        for chunk in _with_progress(chunks):
            if len(chunk.samples):
                write(chunk.samples)
                first = first or time.perf_counter() - began
            samples += len(chunk.samples)
            if args.timestamps is not None:
                words.extend(chunk.words)
                marks.extend(chunk.marks)
    seconds = samples / voice.sample_rate
    if args.timestamps is not None:
        write_timestamps(Timeline(tuple(words), tuple(marks), seconds), args.timestamps)
    took = time.perf_counter() - began
    told = {
        "output": args.output,
        "voice": voice.name,
        "seconds": seconds,
        "sample_rate": voice.sample_rate,
        "took_seconds": took,
        "first_audio_seconds": first,
        "real_time_factor": took / seconds if seconds else 0.0,
        "seed": overrides["seed"],
    }
    if args.json:
        print(json.dumps(told, indent=2))
    elif args.output not in (None, "-"):
        print(
            f"{args.output}: {seconds:.2f} s at {voice.sample_rate} Hz in {took:.2f} s "
            f"(real-time factor {told['real_time_factor']:.3f}), voice {voice.name}, seed {overrides['seed']}"
        )
    return 0


def _say_lines(args: argparse.Namespace, voice: "Voice", overrides: dict[str, Any]) -> int:
    """Speak what is typed, line by line."""
    from glowvox.cli.interactive import speak_lines

    def speak(line: str, playback: "Playback") -> None:
        chunks = voice.stream(
            line,
            early=True,
            ssml=args.ssml,
            lexicon=args.lexicon,
            slot=args.duration,
            on_warning=_warn,
            **overrides,
        )
        playback.play(chunks, voice.sample_rate)

    speak_lines(speak, _warn)
    return 0


def _say_batch(args: argparse.Namespace, voice: "Voice", overrides: dict[str, Any]) -> int:
    """Speak the rows of a batch file into a folder; files that are finished stay, whatever happens later."""
    from glowvox.errors import DataError, TextError, counted
    from glowvox.synthesis.text_files import batch_rows

    rows = batch_rows(args.batch, _warn)
    left = iter(enumerate(rows, 1))
    folder = Path(args.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}") from error
    began, seconds, written = time.perf_counter(), 0.0, []
    failed: dict[int, TextError] = {}
    spoken = voice.say_many(
        (row.text for row in rows),
        lexicon=args.lexicon,
        on_warning=_warn,
        on_error=failed.__setitem__,
        **overrides,
    )
    for audio in spoken:
        # What failed before a text is known when its audio comes.
        row = next(row for number, row in left if number not in failed)
        place = folder / f"{row.id}.{args.format or 'wav'}"
        audio.save(place)
        seconds += audio.duration
        written.append({"id": row.id, "output": str(place), "seconds": audio.duration})
        if sys.stderr.isatty():
            print(f"\r\033[K{len(written)} of {len(rows)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    took = time.perf_counter() - began
    errors = [(rows[number - 1], error) for number, error in failed.items()]
    if not written:
        raise TextError(_failure(args.batch, errors, len(rows)))
    if args.json:
        told = [{"id": row.id, "line": row.line, "error": str(error)} for row, error in errors]
        print(json.dumps({"files": written, "errors": told, "seconds": seconds, "took_seconds": took}, indent=2))
    else:
        print(
            f"{folder}: {counted(len(written), 'file')}, {seconds:.1f} s in {took:.1f} s "
            f"(real-time factor {took / seconds:.3f}), voice {voice.name}"
        )
    if errors:
        _warn(_failure(args.batch, errors, len(rows)))
    return 1 if errors else 0


def _failure(batch: Path, errors: "Sequence[tuple[BatchRow, Exception]]", rows: int) -> str:
    """Return a line on the rows that could not be spoken: what is wrong with the first, and where the others are."""
    (first, why), *others = errors
    lines = ", ".join(str(row.line) for row, _ in others[:_LINES_NAMED])
    more = f", nor can line{'s' * (len(others) > 1)} {lines}" if others else ""
    rest = f" and {len(others) - _LINES_NAMED} more" if len(others) > _LINES_NAMED else ""
    what = f"line {first.line}, '{first.id}' cannot be spoken{more}{rest}"
    return f"{batch}, {what}: {why}; {rows - len(errors)} of {rows} rows were spoken"


@contextmanager
def _opened(args: argparse.Namespace, rate: int) -> "Iterator[Callable[[NDArray[np.float32]], None]]":
    """Give what takes the samples, whatever becomes of them."""
    from glowvox.audio.files import audio_writer, quantise
    from glowvox.audio.sound import player

    if args.raw:
        print(f"raw audio: {rate} Hz, 16-bit signed little-endian, mono", file=sys.stderr, flush=True)

        def put(samples: "NDArray[np.float32]") -> None:
            sys.stdout.buffer.write(quantise(samples.clip(-1.0, 1.0), "PCM_16").astype("<i2").tobytes())
            sys.stdout.buffer.flush()

        yield put
        return
    if args.output is None:
        with player(rate) as speaking:
            yield speaking.push
        return
    piped = args.output == "-"
    with audio_writer(sys.stdout.buffer if piped else args.output, rate, format="wav" if piped else None) as writer:
        yield writer.write
    if writer.report.clipped:
        _warn(f"{writer.report.clipped} samples were louder than the file can hold and were cut off")


def _warn(message: str) -> None:
    print(f"glowvox say: {message}", file=sys.stderr, flush=True)


def _with_progress(chunks: "Iterable[AudioChunk]") -> "Iterator[AudioChunk]":
    """Pass chunks on, and say on a terminal's standard error how much was spoken, from two seconds on."""
    began, told = time.monotonic(), False
    for chunk in chunks:
        yield chunk
        if sys.stderr.isatty() and time.monotonic() - began > 2.0:
            told = True
            print(f"\r\033[Kspoken {chunk.start + chunk.duration:.1f} s", end="", file=sys.stderr, flush=True)
    if told:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
