"""`glowvox prepare`: check a folder of recordings and make training data of it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from glowvox.cli.number_options import finite_number
from glowvox.cli.progress import Progress

SUMMARY = "check a folder of recordings and make training data of it"
EXAMPLE = """\
The corpus is recognised: metadata.csv (id|text) with wavs/, .txt or .lab files beside the audio, txt/SPEAKER with
wav48/SPEAKER, Kaldi's wav.scp and text, or a CSV or JSONL list with the columns audio,text,speaker,language, as Hugging
Face, Coqui, NeMo, Piper and Common Voice write it too. It is only read. What cannot be used is left out and listed in
report.html and report.json. An interrupted preparation goes on when started again.

examples:
  glowvox prepare recordings/ -o data/
  glowvox prepare recordings/ -o data/ --trim --language de-de --jobs 4 --contract lapped-base
  glowvox prepare recordings/ -o data/ --audit runs/acoustic
  glowvox prepare manifest.jsonl -o data/ --validation-ids validation.txt --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("corpus", type=Path, help="folder of the recordings, or a manifest (.csv, .tsv, .jsonl)")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DATA", help="folder of the prepared data")
    parser.add_argument("--language", default="en-us", help="language of the texts (default: %(default)s)")
    parser.add_argument(
        "--layout",
        default="auto",
        choices=("auto", "ljspeech", "plain", "vctk", "manifest", "kaldi"),
        help="how the corpus is laid out (default: recognise it)",
    )
    parser.add_argument(
        "--contract",
        metavar="FILE",
        help="the mel contract: a preset's name, or a .toml or .json file with an audio table (default: 22.05 kHz, hop "
        "256, 80 mel bins)",
    )
    parser.add_argument("--trim", action="store_true", help="trim silence at both ends")
    parser.add_argument(
        "--loudness",
        type=finite_number,
        default=-23.0,
        metavar="DB",
        help="level of the speech, dB (default: %(default)s)",
    )
    parser.add_argument(
        "--min-seconds", type=finite_number, default=0.3, help="shortest recording used (default: %(default)s)"
    )
    parser.add_argument(
        "--max-seconds", type=finite_number, default=30.0, help="longest recording used (default: %(default)s)"
    )
    parser.add_argument("--without-text", action="store_true", help="keep recordings without a text, for a vocoder")
    parser.add_argument(
        "--validation",
        type=finite_number,
        default=0.03,
        metavar="SHARE",
        help="share of the sentences (default: %(default)s)",
    )
    parser.add_argument("--validation-ids", type=Path, metavar="FILE", help="ids for validation instead, one per line")
    parser.add_argument(
        "--audit",
        metavar="MODEL",
        help="look for wrong transcripts with this acoustic model (a voice, model folder or run), and report the worst",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from glowvox.cli.streams import warn_as
    from glowvox.config.audio import AudioConfig
    from glowvox.data.checks import Limits
    from glowvox.data.preparation import PrepareSettings, prepare_corpus, read_contract
    from glowvox.evaluate.clips import read_ids

    held_out = None if args.validation_ids is None else tuple(read_ids(args.validation_ids, warn_as("prepare")))
    settings = PrepareSettings(
        audio=AudioConfig() if args.contract is None else read_contract(args.contract),
        language=args.language,
        layout=args.layout,
        loudness_db=args.loudness,
        trim=args.trim,
        without_text=args.without_text,
        limits=Limits(args.min_seconds, args.max_seconds),
        validation=args.validation,
        validation_ids=held_out,
        jobs=args.jobs,
    )
    if args.audit is not None:
        _check_audit(args)
    if not args.without_text:
        _tell_unknown_language(args.language)
    progress = Progress("recordings", begins="reading the corpus")
    report = prepare_corpus(args.corpus, args.output, settings, progress, noted=_note)
    if args.audit is not None:
        report = _audited(args)
    if args.json:
        print(json.dumps(report))
    else:
        _print_summary(report, args.output, texts=not args.without_text)
    return 0


def _note(line: str) -> None:
    print(f"glowvox prepare: {line}", file=sys.stderr)


def _tell_unknown_language(language: str) -> None:
    """Say before the work begins that no acoustic model will learn from the texts; a vocoder needs none."""
    from glowvox.errors import TextError
    from glowvox.text.front_end import load_front_end

    try:
        load_front_end(language)
    except TextError as error:
        told = str(error).removesuffix(": use espeak-ng for others")  # with which nothing is trained
        _note(f"{told}; 'train acoustic' will refuse these data, 'train vocoder' takes them")


def _check_audit(args: argparse.Namespace) -> None:
    """Refuse an audit that cannot be made before the work begins."""
    from glowvox.errors import ConfigError
    from glowvox.evaluate.batch_alignment import open_aligner

    if args.without_text:
        raise ConfigError("--audit judges texts; it does not go with --without-text")
    open_aligner(args.audit)


def _audited(args: argparse.Namespace) -> dict[str, Any]:
    from glowvox.evaluate.audit import audit
    from glowvox.evaluate.batch_alignment import ModelChoice

    choice = ModelChoice(args.audit, threads=1)
    return audit(
        args.output, choice, jobs=args.jobs, progress=Progress("recordings", begins="auditing the transcripts")
    )


def _print_summary(report: dict[str, Any], folder: Path, *, texts: bool) -> None:
    from glowvox.errors import counted

    for name, split in report["splits"].items():
        clips, sentences = counted(split["clips"], "clip"), counted(split["sentences"], "sentence")
        print(f"{name}: {clips}, {sentences}, {split['hours']:.2f} h")
    severities = {kind["kind"]: kind["severity"] for kind in reversed(report["findings"])}
    for kind, count in report["kinds"].items():
        print(f"{severities[kind]}: {kind}: {count}")
    for line in report["can_support"]:
        print(f"this data can support: {line}")
    print(f"the report, with every file and reason: {folder / 'report.html'}")
    if texts:
        print(f"next: glowvox train acoustic --init-from default --data {folder} --run runs/acoustic")
    else:
        print(f"next: glowvox train vocoder --init-from default --data {folder} --run runs/vocoder")
