"""`glowvox evaluate voice`: how well a voice speaks."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from glowvox.cli.judge_options import (
    add_judge_options,
    add_report_options,
    make_output,
    open_judges,
    read_others,
    write_report,
)
from glowvox.cli.progress import counted_progress, phase

if TYPE_CHECKING:
    from glowvox.evaluate.clips import Recording
    from glowvox.synthesis.voice_card import VoiceCard

EXAMPLE = """\
examples:
  glowvox evaluate voice --data data/ -o report/   # the default voice, 40 clips
  glowvox evaluate voice anna.voice --data data/ --ids ids.txt --jobs 2 -o report/
  glowvox evaluate voice anna.voice --sentences sentences.txt -o report/

With --data the voice speaks the texts of recordings (of a prepared data set: its validation split), which stand beside
it, as they are and through its vocoder. With --sentences there is nothing to compare with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("voice", nargs="?", help="a name, a folder or a .voice file (default: the default voice)")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="prepared data (its validation split) or recordings with texts")
    source.add_argument(
        "--sentences", type=Path, metavar="FILE", help="texts alone: a line each, 'id|text' or the text"
    )
    parser.add_argument("--speaker", help="who speaks (default: the voice's first)")
    parser.add_argument("--no-copy", action="store_true", help="leave out the recordings through the voice's vocoder")
    parser.add_argument("--no-wer", action="store_true", help="run no recogniser (PocketSphinx knows US English only)")
    add_report_options(parser)
    add_judge_options(parser)
    parser.add_argument("--engine", default="auto", help="auto, onnx, openvino or torch (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: the engine's own choice)")


def run(args: argparse.Namespace) -> int:
    """Speak, measure and report."""
    from glowvox.evaluate.voice import evaluate_voice
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.vocoder import Vocoder
    from glowvox.synthesis.voice import Voice
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_engines, open_voice_folder

    phase("opening the voice and its sentences")
    place = find_voice(args.voice)
    with open_voice_folder(place) as folder:
        card = read_voice_card(folder)
        acoustic, engine = open_engines(folder, card, args.engine, args.threads)
    voice, vocoder = Voice(card, acoustic, engine), Vocoder(engine)
    sentences = _sentences(args, card)
    make_output(args)
    spoken = voice.options(speaker=args.speaker, seed=args.seed)
    options = spoken.for_vocoder(args.seed)
    language = card.speaker_languages.get(spoken.speaker or "", card.language)
    judges = open_judges(args, language, recognise=not args.no_wer)
    recognise = not args.no_wer and (judges.recogniser is not None or language.startswith("en"))
    show, ids = counted_progress(), {sentence.id for sentence in sentences}
    report = evaluate_voice(
        voice,
        sentences,
        vocode=None if args.no_copy else lambda mel: vocoder(mel, options),
        others=read_others(args, [sentence.id for sentence in sentences], voice.sample_rate),
        recognise_words=recognise,
        recogniser=judges.recogniser,
        recogniser_name=judges.recogniser_name,
        jobs=args.jobs,
        speaker=args.speaker,
        seed=args.seed,
        settings=_settings(args, card, place, recognised=recognise),
        progress=lambda done, total, what: show(done, total, f"{voice.name}: {what}" if what in ids else what),
    )
    write_report(args, report, judges)
    return 0


def _sentences(args: argparse.Namespace, card: "VoiceCard") -> "list[Recording]":
    from glowvox.cli.streams import warn_as
    from glowvox.errors import DataError
    from glowvox.evaluate.clips import read_ids, read_recordings
    from glowvox.evaluate.voice import read_sentences, spread

    if args.sentences is not None:
        if args.ids is not None:
            raise DataError("--ids names clips of --data; leave it out with --sentences")
        return spread(read_sentences(args.sentences, warn_as("evaluate")), args.clips)
    ids = read_ids(args.ids, warn_as("evaluate")) if args.ids else None
    limit = args.clips if args.clips is not None or ids is not None else 40
    return read_recordings(args.data, card.vocoder.mel, limit=limit, ids=ids)


def _settings(args: argparse.Namespace, card: "VoiceCard", place: Path, *, recognised: bool) -> dict[str, str]:
    import platform

    import glowvox

    settings = {"Voice": f"{card.name} ({place}), {card.language}, {card.licence}"}
    for part, label in (("acoustic", "Acoustic model"), ("vocoder", "Vocoder")):
        known = card.provenance.get(part)
        if isinstance(known, dict) and known.get("steps") is not None:
            settings[label] = f"{known['steps']} steps"
    settings["Sentences"] = str(args.data or args.sentences)
    own = card.defaults
    settings["Noise"] = f"seed {args.seed}, temperature {own.temperature:g}, sigma {own.sigma:g}"
    settings["Postfilter"] = f"{own.postfilter:g}"
    settings["Engine"] = f"{args.engine}, {args.threads or 'its own choice of'} threads"
    if not recognised:
        settings["Recogniser"] = "not used"
    settings["Software"] = f"glowvox {glowvox.__version__}, Python {platform.python_version()}, {platform.machine()}"
    return settings
