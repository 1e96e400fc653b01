"""`glowvox dub`: subtitles spoken into their time slots."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.device_options import add_device_options
from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number
from glowvox.cli.progress import Progress
from glowvox.cli.say_options import (
    add_engine_options,
    add_seed_option,
    add_speech_options,
    add_timestamps_option,
    speech_overrides,
)

if TYPE_CHECKING:
    from glowvox.synthesis.dubbing import SpokenCue
    from glowvox.synthesis.subtitles import SubtitleFile

SUMMARY = "speak subtitles into their time slots"
EXAMPLE = """\
Each cue is spoken from its start, its durations fitted into its slot: faster where the text is long, down to --slowest
where it is short. Cues that needed more than 1.3 times the natural pace are listed, with those that overlap or hold
nothing to say. Markup and positions are not spoken, nor, unless they are kept, who speaks (TOM:), [sounds] and (sighs),
adverts, and the lines that captions repeat while they roll.

examples:
  glowvox dub film.srt -o film.wav
  glowvox dub film.vtt -o film.flac --overrun 0.5 --report film.json
  glowvox dub talk.srt -o talk.wav --voice kathleen --slowest 1"""


_MOST_WARNINGS = 10
_LEFT_OUT = {
    "labels": ("name of a speaker", "names of speakers"),
    "sounds": ("description of a sound", "descriptions of sounds"),
    "adverts": ("advert", "adverts"),
    "repeats": ("repeated caption", "repeated captions"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subtitles", type=Path, help="a file of subtitles (.srt, .vtt, .ass)")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="the track (.wav, .flac, .ogg, .mp3)")
    add_timestamps_option(parser)
    parser.add_argument("--report", type=Path, metavar="FILE", help="write how every cue came out, as JSON")
    parser.add_argument(
        "--slowest",
        type=finite_number,
        default=0.8,
        metavar="X",
        help="least pace, natural being 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--overrun",
        type=finite_number,
        default=0.0,
        metavar="SECONDS",
        help="how far a hurried cue may go on (default: 0)",
    )
    parser.add_argument(
        "--keep",
        metavar="WHAT",
        default="",
        help="speak what is left out otherwise: labels, sounds, adverts, repeats; several with commas",
    )
    voice = parser.add_argument_group("how")
    add_speech_options(voice, speed="what the natural pace is; 2 is twice as fast")
    add_seed_option(voice)
    add_engine_options(parser)
    add_device_options(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Speak the track and say what was hurried."""
    from glowvox.audio.files import audio_writer
    from glowvox.synthesis.dubbing import Dubber, Fit
    from glowvox.synthesis.installed_voices import load_voice
    from glowvox.synthesis.script import read_lexicon
    from glowvox.synthesis.subtitles import read_subtitle_file
    from glowvox.synthesis.timestamps import Timeline, timestamp_format, write_timestamps

    if args.timestamps is not None:
        timestamp_format(args.timestamps)
    check_files(
        {"the subtitles": args.subtitles, "--lexicon": args.lexicon},
        {"-o": args.output, "--timestamps": args.timestamps, "--report": args.report},
    )
    fit = Fit(args.slowest, args.overrun)
    subtitles = read_subtitle_file(args.subtitles, [name.strip() for name in args.keep.split(",") if name.strip()])
    cues = subtitles.cues
    overrides = speech_overrides(args)
    # Here, as a cue that cannot be read is a silent one.
    lexicon = None if args.lexicon is None else read_lexicon(args.lexicon, _warn)
    voice = load_voice(
        args.voice, engine=args.engine, threads=args.threads, device=args.device, precision=args.precision
    )
    voice.options(**overrides)
    for warning in subtitles.warnings[:_MOST_WARNINGS]:
        _warn(warning)
    if len(subtitles.warnings) > _MOST_WARNINGS:
        _warn(f"and {len(subtitles.warnings) - _MOST_WARNINGS} more such lines; --report has them all")
    began, samples = time.perf_counter(), 0
    spoken: list[SpokenCue] = []
    progress = Progress("cues", keep=False)
    progress(0, len(cues))
    with audio_writer(args.output, voice.sample_rate) as writer:
        for block, cue in Dubber(voice, fit).track(cues, lexicon=lexicon, on_warning=_warn, **overrides):
            if len(block):
                writer.write(block)
                samples += len(block)
            if cue is not None:
                spoken.append(cue)
                progress(len(spoken), len(cues))
    if writer.report.clipped:
        _warn(f"{writer.report.clipped} samples were louder than the file can hold and were cut off")
    if args.timestamps is not None:
        words = sorted((word for cue in spoken for word in cue.words), key=lambda word: word.start)
        write_timestamps(Timeline(tuple(words), (), samples / voice.sample_rate), args.timestamps)
    report = _report(args, subtitles, spoken, samples / voice.sample_rate, time.perf_counter() - began)
    if args.report is not None:
        _write(args.report, report)
    if args.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        _print(report)
    return 0


def _report(
    args: argparse.Namespace, subtitles: "SubtitleFile", spoken: "list[SpokenCue]", seconds: float, took: float
) -> dict[str, Any]:
    return {
        "output": args.output,
        "format": subtitles.form,
        "encoding": subtitles.encoding,
        "warnings": subtitles.warnings,
        "left_out": subtitles.left_out,
        "seconds": seconds,
        "took_seconds": took,
        "cues": [_row(cue) for cue in spoken],
        "hurried": [cue.subtitle.number for cue in spoken if cue.hurried],
        "overlapping": [cue.subtitle.number for cue in spoken if cue.overlap > 0],
        "silent": [cue.subtitle.number for cue in spoken if cue.problem],
    }


def _row(cue: "SpokenCue") -> dict[str, Any]:
    subtitle = cue.subtitle
    return {
        "number": subtitle.number,
        "line": subtitle.line,
        "start": round(subtitle.start, 3),
        "end": round(subtitle.end, 3),
        "text": subtitle.text,
        "natural_seconds": round(cue.natural, 3),
        "spoken_seconds": round(cue.spoken, 3),
        "pace": round(cue.pace, 3),
        "overlap_seconds": round(cue.overlap, 3),
        "problem": cue.problem,
    }


def _print(report: dict[str, Any]) -> None:
    from glowvox.errors import counted

    rows = {row["number"]: row for row in report["cues"]}
    for number in report["hurried"]:
        row = rows[number]
        slot = row["end"] - row["start"]
        print(
            f"hurried: cue {number} (line {row['line']}, {row['start']:.3f} s): {row['pace']:.2f} times the natural "
            f"pace, {row['natural_seconds']:.2f} s of speech in {slot:.2f} s: {row['text'][:60]}"
        )
    for number in report["overlapping"]:
        row = rows[number]
        print(f"overlapping: cue {number} (line {row['line']}): {row['overlap_seconds']:.2f} s into the next one")
    for number in report["silent"]:
        print(f"silent: cue {number} (line {rows[number]['line']}): {rows[number]['problem']}")
    print(
        f"{report['output']}: {counted(len(rows), 'cue')}, "
        f"{report['seconds']:.1f} s in {report['took_seconds']:.1f} s; "
        f"{len(report['hurried'])} hurried, {len(report['overlapping'])} overlapping, {len(report['silent'])} silent"
    )
    left_out = [f"{count} {_LEFT_OUT[name][count != 1]}" for name, count in report["left_out"].items()]
    if left_out:
        print(f"left out: {', '.join(left_out)}; --keep {','.join(report['left_out'])} speaks them")


def _write(path: Path, report: dict[str, Any]) -> None:
    from glowvox.audio.atomic_file import replacing
    from glowvox.errors import DataError

    with replacing(path, DataError) as stream:
        stream.write((json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def _warn(message: str) -> None:
    print(f"glowvox dub: {message}", file=sys.stderr, flush=True)
