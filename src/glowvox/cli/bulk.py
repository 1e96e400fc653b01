"""`glowvox bulk`: a whole corpus is spoken, on this machine or on a Ray cluster, exactly once."""

import argparse
import contextlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.progress import StatusLine
from glowvox.cli.say_options import add_speech_options, speech_overrides

if TYPE_CHECKING:
    from collections.abc import Callable

    from glowvox.bulk.card import RunSettings
    from glowvox.bulk.packed_voice import PackedVoice
    from glowvox.bulk.plan import ShardPlan
    from glowvox.bulk.run import RunReport, Standing
    from glowvox.bulk.workers import Workers

SUMMARY = "synthesise a whole corpus"
EXAMPLE = """\
A manifest is a .jsonl, .csv (column names, or lines ID|TEXT) or .parquet file with the columns id and text, and, where
rows differ, seed, speaker, language and speed. Started again with the same arguments, a run goes on where it stopped.

examples:
  glowvox bulk sentences.csv -o speech/
  glowvox bulk corpus.jsonl -o shards/ --to webdataset --shard-rows 1000 --workers 16
  glowvox bulk s3://bucket/corpus.parquet -o s3://bucket/speech --to parquet --address auto
  glowvox bulk sentences.csv -o speech/ --workers 0

OUT/rows.jsonl then lists what was spoken (file, seconds, seed, checksum), OUT/errors.jsonl the rows that could not be;
with any of those the exit status is 1.
"""
_TIMESTAMPS = ("srt", "vtt", "TextGrid", "json", "ctm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("manifest", nargs="+", help="what to speak; files, or fsspec addresses such as s3://...")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="folder or fsspec address of the speech")
    parser.add_argument("--id-column", default="id", metavar="NAME", help="column of the ids (default: %(default)s)")
    parser.add_argument(
        "--text-column", default="text", metavar="NAME", help="column of the texts (default: %(default)s)"
    )
    form = parser.add_argument_group("what is written")
    form.add_argument(
        "--to",
        choices=("files", "webdataset", "parquet"),
        default="files",
        help="a sound file for each row, or shards with sound, text, length, seed and checksum (default: %(default)s)",
    )
    form.add_argument("--format", choices=("flac", "wav", "ogg", "mp3"), default="flac", help="sound (default: flac)")
    form.add_argument("--timestamps", choices=_TIMESTAMPS, help="also the times of words of each row, in this form")
    form.add_argument(
        "--shard-rows", type=int, default=100, metavar="N", help="rows in a unit of work (default: %(default)s)"
    )
    place = parser.add_argument_group("where it is computed")
    place.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes at most; 0: this one alone, without Ray (default: every processor, if Ray is installed)",
    )
    place.add_argument("--address", metavar="HOST:PORT", help="a Ray cluster; 'auto': the one this machine is part of")
    place.add_argument("--threads", type=int, default=1, metavar="N", help="of each worker (default: %(default)s)")
    place.add_argument("--engine", default="auto", metavar="NAME", help="what runs the models (default: auto)")
    place.add_argument("--verify", action="store_true", help="compare the checksums of what an earlier start wrote")
    voice = parser.add_argument_group("how")
    rows = "of rows that name none"
    add_speech_options(voice, whose=rows, speed=f"{rows}; 2 is twice as fast")
    voice.add_argument(
        "--seed", type=int, default=0, metavar="N", help="with id and text the seed of each row (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _note(line: str) -> None:
    print(f"glowvox bulk: {line}", file=sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Plan or continue, speak, and say what was done."""
    from glowvox.bulk.card import RunSettings, read_card
    from glowvox.bulk.packed_voice import pack_voice_for_workers
    from glowvox.bulk.run import Told, do_run, plan_run
    from glowvox.errors import ConfigError
    from glowvox.storage.object_storage import open_storage
    from glowvox.synthesis.script import lexicon_lines

    if args.threads < 1 or (args.workers is not None and args.workers < 0):
        raise ConfigError(f"--threads is 1 or more and --workers 0 or more, got {args.threads} and {args.workers}")
    if args.address is not None and args.workers == 0:
        raise ConfigError("--workers 0 works without a cluster; leave out --address or the 0")
    options = speech_overrides(args)
    seed = options.pop("seed")
    lexicon = "" if args.lexicon is None else lexicon_lines(args.lexicon, _note)
    storage = open_storage(args.output)
    began = time.monotonic()
    voice = pack_voice_for_workers(args.voice, args.engine)
    voice.check(options | {"seed": seed})
    settings = RunSettings(
        voice=voice.name,
        voice_sha256=voice.sha256,
        engine=voice.engine,
        options=options,
        seed=seed,
        lexicon=lexicon,
        timestamps=args.timestamps or "",
        output=args.to,
        audio_format=args.format,
        shard_rows=args.shard_rows,
        id_column=args.id_column,
        text_column=args.text_column,
    )
    status = StatusLine("bulk")
    told = Told(_planning(status), _standing(status), status.note)
    shards = plan_run(storage, args.manifest, settings, told)
    workers = _workers(args, settings, voice, shards, status)
    # Ray tells of lost machines on the standard output, which is kept for the report.
    with contextlib.redirect_stdout(sys.stderr):
        report = do_run(storage, shards, settings, workers, told, verify=args.verify)
    status.end()
    card = read_card(storage)
    encodings = {} if card is None else {one.name: one.encoding for one in card.manifests if one.encoding}
    _tell(args, report, encodings, time.monotonic() - began)
    return 1 if report.totals.errors else 0


def _workers(
    args: argparse.Namespace,
    settings: "RunSettings",
    voice: "PackedVoice",
    shards: "list[ShardPlan]",
    status: StatusLine,
) -> "Workers":
    from glowvox.bulk.ray_workers import RayWorkers
    from glowvox.bulk.workers import LocalWorker
    from glowvox.errors import MissingExtraError

    wanted = args.workers if args.workers is not None or args.address is not None else _usual(args.threads, shards)
    if wanted != 0 and not ray_is_installed():
        if args.workers is not None or args.address is not None:
            raise MissingExtraError("ray", "cluster", "more than one worker")
        status.note("Ray is not installed, so one process works alone; pip install 'glowvox[cluster]' for more")
        wanted = 0
    if wanted == 0:
        return LocalWorker(args.output, settings, voice, args.threads)
    output = args.output if "://" in args.output else str(Path(args.output).resolve())
    return RayWorkers(output, settings, voice, args.threads, count=wanted, address=args.address)


def ray_is_installed() -> bool:
    """Whether there can be more workers than this process."""
    return importlib.util.find_spec("ray") is not None


def _usual(threads: int, shards: "list[ShardPlan]") -> int:
    """Return how many workers this machine has processors for; 0 where more than one would have nothing to do."""
    count = min((os.cpu_count() or 1) // threads, len(shards))
    return count if count > 1 else 0


def _tell(args: argparse.Namespace, report: "RunReport", encodings: dict[str, str], took: float) -> None:
    totals, standing = report.totals, report.standing
    told: dict[str, Any] = {
        "output": args.output,
        "rows": totals.rows,
        "spoken": totals.spoken,
        "errors": totals.errors,
        "seconds": totals.seconds,
        "bytes": totals.bytes,
        "shards": report.shards,
        "rows_from_earlier": standing.reused_rows,
        "shards_done_again": list(report.done_again),
        "seconds_spoken_now": standing.seconds_of_audio,
        "took_seconds": took,
        "encodings": encodings,
    }
    if args.json:
        print(json.dumps(told, indent=2))
        return
    from glowvox.errors import counted

    again = f", {standing.reused_rows} of them earlier" if standing.reused_rows else ""
    print(
        f"{args.output}: {counted(totals.spoken, 'row')} spoken{again}, {totals.seconds / 3600:.2f} h of speech, "
        f"{totals.bytes / 1e6:.1f} MB, in {took:.1f} s"
    )
    if totals.errors:
        print(
            f"{counted(totals.errors, 'row')} could not be spoken; {args.output}/errors.jsonl says why", file=sys.stderr
        )


def _planning(status: StatusLine) -> "Callable[[int], None]":
    """Return what shows how many rows are planned."""

    def show(rows: int) -> None:
        if status.due():
            status.show(f"planning: {rows} rows")

    return show


def _standing(status: StatusLine) -> "Callable[[Standing], None]":
    """Return what shows where the run stands."""

    def show(standing: "Standing") -> None:
        if status.due():
            status.show(standing.line())

    return show
