"""`glowvox align`: when the words and phonemes of a text are said in a recording."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.file_arguments import check_files
from glowvox.cli.progress import Progress

if TYPE_CHECKING:
    from glowvox.evaluate.batch_alignment import AlignResult, ModelChoice

SUMMARY = "find the times of words and phonemes in a recording"
EXAMPLE = """\
The model is a voice that holds its acoustic model, a Glow-TTS model folder or a training run. Without a text, the .txt
or .lab file beside the recording is read. A folder (any layout that `prepare` reads) or a manifest is aligned as a
whole, each recording into a file of its own below the folder named by -o.

examples:
  glowvox align interview.wav "Good morning." -o interview.TextGrid
  glowvox align chapter.flac --text-file chapter.txt -o chapter.srt --model runs/acoustic
  glowvox align corpus/ -o times/ --format ctm --jobs 4 --model runs/acoustic/best"""
_FORMATS = ("textgrid", "srt", "vtt", "json", "ctm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("recording", type=Path, help="a sound file; or a folder, a manifest, prepared data")
    parser.add_argument("text", nargs="?", help="what is said in the sound file")
    parser.add_argument("--text-file", type=Path, metavar="FILE", help="a UTF-8 file with what is said")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the file to write (.TextGrid, .srt, .vtt, .json, .ctm, .phones.ctm), or the folder; without it the words "
        "of one recording are printed",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, default="textgrid", help="of a folder's files (default: textgrid)"
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="a voice, model folder or training run (default: the default voice)"
    )
    parser.add_argument("--speaker", metavar="NAME", help="who of the model's speakers is heard")
    parser.add_argument("--language", metavar="TAG", help="of the text (default: the speaker's)")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes for a folder (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores; 1 with --jobs)")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda or auto (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Align, and say what was written."""
    from glowvox.errors import ConfigError
    from glowvox.evaluate.batch_alignment import ModelChoice
    from glowvox.evaluate.clips import is_sound_file

    if args.jobs < 1:
        raise ConfigError(f"the number of jobs must be at least 1, got {args.jobs}")
    if args.text is not None and args.text_file is not None:
        raise ConfigError("give the text or --text-file, not both")
    choice = ModelChoice(args.model, args.speaker, args.language, args.threads, args.device)
    if is_sound_file(args.recording):
        return _align_one(args, choice)
    if args.text is not None or args.text_file is not None:
        raise ConfigError(f"{args.recording} is no sound file; a folder's texts lie beside its recordings")
    return _align_many(args, choice)


def _align_one(args: argparse.Namespace, choice: "ModelChoice") -> int:
    from glowvox.cli.streams import warn_as
    from glowvox.errors import counted
    from glowvox.evaluate.batch_alignment import align_spoken
    from glowvox.evaluate.clips import SpokenFile, read_text, text_beside
    from glowvox.synthesis.timestamps import as_json, timestamp_format, write_timestamps

    if args.output is not None:
        timestamp_format(args.output)
        check_files({"the recording": args.recording, "--text-file": args.text_file}, {"-o": args.output})
    text = args.text
    if text is None:
        text = text_beside(args.recording) if args.text_file is None else read_text(args.text_file, warn_as("align"))
    alignment = align_spoken(choice, SpokenFile(args.recording.stem, text, "", "", args.recording))
    if args.output is not None:
        write_timestamps(alignment.timeline, args.output)
    if args.json:
        told = {"output": None if args.output is None else str(args.output), **json.loads(as_json(alignment.timeline))}
        print(json.dumps({**told, "nats_per_frame": alignment.nats_per_frame}, ensure_ascii=False))
    elif args.output is not None:
        print(
            f"{args.output}: {counted(len(alignment.words), 'word')} in {alignment.duration:.2f} s, "
            f"log-likelihood {alignment.nats_per_frame:.2f} nats per frame"
        )
    else:
        for word in alignment.words:
            print(f"{word.start:9.3f} {word.end:9.3f}  {word.text}")
    return 0


def _align_many(args: argparse.Namespace, choice: "ModelChoice") -> int:
    from glowvox.errors import ConfigError, DataError, counted
    from glowvox.evaluate.batch_alignment import SUFFIXES, align_files, chosen_aligner
    from glowvox.evaluate.clips import spoken_files

    if args.output is None:
        raise ConfigError("name a folder for the times with -o")
    began = time.perf_counter()
    listed = spoken_files(args.recording, chosen_aligner(choice).engine.audio)
    results: list[AlignResult] = []
    progress = Progress("recordings", keep=False)
    progress(0, len(listed.files))
    for result in align_files(choice, listed.files, args.output, SUFFIXES[args.format], jobs=args.jobs):
        results.append(result)
        progress(len(results), len(listed.files))
    made = [result for result in results if result.problem is None]
    failed = {**listed.left_out, **{one.id: one.problem for one in results if one.problem is not None}}
    if not made:
        name, reason = next(iter(failed.items()))
        raise DataError(f"{args.recording}: nothing could be aligned; {name}: {reason}")
    seconds, took = sum(result.seconds for result in made), time.perf_counter() - began
    if args.json:
        rows: list[dict[str, Any]] = [
            {
                "id": one.id,
                "output": str(one.target),
                "seconds": one.seconds,
                "words": one.words,
                "nats_per_frame": one.nats_per_frame,
            }
            for one in made
        ]
        print(json.dumps({"files": rows, "left_out": failed, "seconds": seconds, "took_seconds": took}, indent=1))
        return 0
    for name, problem in failed.items():
        print(f"left out: {name}: {problem}", file=sys.stderr)
    files, left_out = counted(len(made), "file"), len(failed)
    print(f"{args.output}: {files}, {seconds:.1f} s of speech in {took:.1f} s, {left_out} left out")
    return 0
