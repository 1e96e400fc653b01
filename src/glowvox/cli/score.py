"""`glowvox score`: judge recordings and transcripts by their likelihood."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.file_arguments import check_files
from glowvox.cli.progress import Progress, phase

if TYPE_CHECKING:
    from glowvox.evaluate.batch_alignment import ModelChoice
    from glowvox.evaluate.clips import SpokenFiles
    from glowvox.evaluate.score import Judged, Reference

SUMMARY = "judge recordings and transcripts by their likelihood"
EXAMPLE = """\
Text mismatch score: how little a text fits its recording. Outlier score: how little the recording is like the
reference's. Both count standard deviations; above 5 somebody should listen. The reference is the training data, or a
file that --save-reference wrote; without one the recordings are judged against each other (20 or more, most of them
right).

examples:
  glowvox score corpus/ --model runs/acoustic --reference data/ --save-reference reference.json
  glowvox score corpus/ --model runs/acoustic --reference reference.json --vocoder runs/vocoder -o scores.csv --jobs 4
  glowvox score recording.wav "What is said." --model runs/acoustic --reference reference.json"""
_REFERENCE_RECORDINGS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("recordings", type=Path, help="a corpus, a manifest, prepared data, or one sound file")
    parser.add_argument("text", nargs="?", help="what is said in the sound file (default: the .txt or .lab beside it)")
    parser.add_argument(
        "--model", metavar="MODEL", help="a voice, Glow-TTS model folder or run (default: the default voice)"
    )
    parser.add_argument("--vocoder", metavar="MODEL", help="also judge the waveform by this WaveGlow (folder or run)")
    parser.add_argument("--reference", type=Path, metavar="DATA", help="the training data, or a saved reference")
    parser.add_argument("--save-reference", type=Path, metavar="FILE", help="write the reference as JSON")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write all scores (.csv or .jsonl)")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="rows to print (default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many recordings, spread evenly")
    parser.add_argument("--speaker", metavar="NAME", help="who of the model's speakers is heard")
    parser.add_argument("--language", metavar="TAG", help="of the texts (default: the speaker's)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores; 1 with --jobs)")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda or auto (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print all scores as JSON")


def run(args: argparse.Namespace) -> int:
    """Judge, and print the worst."""
    from glowvox.errors import AudioError, ConfigError
    from glowvox.evaluate.batch_alignment import ModelChoice
    from glowvox.evaluate.clips import is_sound_file
    from glowvox.evaluate.score import chosen_texts, judged, measure_files, reference_of, write_scores

    if args.jobs < 1 or args.worst < 0:
        raise ConfigError(f"--jobs must be at least 1 and --worst not negative, got {args.jobs} and {args.worst}")
    if args.output is not None and args.output.suffix.lower() not in (".csv", ".jsonl"):
        raise ConfigError(f"{args.output}: scores are written as .csv or .jsonl")
    lists = {f"the recordings ({name})": args.recordings / name for name in ("metadata.csv", "metadata.jsonl")}
    check_files(
        {"the recordings": args.recordings, **lists, "--reference": args.reference},
        {"-o": args.output, "--save-reference": args.save_reference},
    )
    choice = ModelChoice(args.model, args.speaker, args.language, args.threads, args.device)
    phase("opening the model and the recordings")
    listed = _listed(args, choice)
    began = time.perf_counter()
    reference = None if args.reference is None else _reference(args, choice)
    texts = chosen_texts([one.text for one in listed.files]) if reference is None else reference.texts
    measured = measure_files(
        choice, listed.files, texts, vocoder=args.vocoder, jobs=args.jobs, progress=Progress("recordings", keep=False)
    )
    if is_sound_file(args.recordings) and measured[0].unread:
        raise AudioError(measured[0].problem)
    if reference is None:
        good = [one.values for one in measured if one.values is not None]
        reference = reference_of(str(args.recordings), good, texts)
    if args.save_reference is not None:
        reference.save(args.save_reference)
    rows = judged(measured, reference)
    if args.output is not None:
        write_scores(rows, args.output)
    _print(args, rows, reference, listed.left_out, time.perf_counter() - began)
    return 0


def _listed(args: argparse.Namespace, choice: "ModelChoice") -> "SpokenFiles":
    from glowvox.errors import ConfigError
    from glowvox.evaluate.batch_alignment import chosen_aligner
    from glowvox.evaluate.clips import SpokenFile, SpokenFiles, is_sound_file, spoken_files, text_beside

    if is_sound_file(args.recordings):
        if args.reference is None:
            raise ConfigError("one recording cannot be judged by itself: name the training data with --reference")
        text = text_beside(args.recordings) if args.text is None else args.text
        return SpokenFiles((SpokenFile(args.recordings.stem, text, "", "", args.recordings),), {})
    if args.text is not None:
        raise ConfigError(f"{args.recordings} is no sound file; a corpus has its own texts")
    return spoken_files(args.recordings, chosen_aligner(choice).engine.audio, limit=args.limit)


def _reference(args: argparse.Namespace, choice: "ModelChoice") -> "Reference":
    from glowvox.errors import ConfigError
    from glowvox.evaluate.batch_alignment import chosen_aligner
    from glowvox.evaluate.clips import spoken_files
    from glowvox.evaluate.score import chosen_texts, measure_files, read_reference, reference_of

    if args.reference.is_file() and args.reference.suffix.lower() == ".json":
        reference = read_reference(args.reference)
        if args.vocoder is not None and "bits_per_sample" not in reference.scales:
            raise ConfigError(f"{args.reference} was saved without --vocoder; make it again with it")
        return reference
    audio = chosen_aligner(choice).engine.audio
    splits = ("train",)
    files = spoken_files(args.reference, audio, splits=splits, limit=_REFERENCE_RECORDINGS).files
    texts = chosen_texts([one.text for one in files])
    measured = measure_files(
        choice, files, texts, vocoder=args.vocoder, jobs=args.jobs, progress=Progress("of the reference", keep=False)
    )
    return reference_of(str(args.reference), [one.values for one in measured if one.values is not None], texts)


def _print(
    args: argparse.Namespace, rows: "list[Judged]", reference: "Reference", left_out: dict[str, str], took: float
) -> None:
    from glowvox.errors import counted
    from glowvox.evaluate.score import SUSPECT, score_row, score_table

    unread = sum(row.measured.unread for row in rows)
    mismatches = sum(row.text_mismatch_score > SUSPECT for row in rows if not row.measured.unread)
    outliers = sum(row.outlier_score > SUSPECT for row in rows if row.measured.values is not None)
    if args.json:
        told: dict[str, Any] = {
            "reference": {"source": reference.source, "recordings": reference.recordings},
            "scores": [score_row(row) for row in rows],
            "text_mismatches": mismatches,
            "outliers": outliers,
            "unread": unread,
            "left_out": left_out,
            "took_seconds": took,
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    print(score_table(rows[: args.worst]))
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    print(
        f"\n{counted(len(rows), 'recording')} in {took:.1f} s against {reference.recordings} of {reference.source}: "
        f"{counted(mismatches, 'text mismatch', 'text mismatches')}, {counted(outliers, 'outlier recording')}"
        + (f", {unread} that could not be read" if unread else "")
    )
    if args.output is not None:
        print(f"all scores: {args.output}")
    if mismatches or outliers:
        print("next: listen to those above 5; correct or remove them in the corpus, and run glowvox prepare again")
