"""`glowvox convert-voice`: a recording in another speaker's voice."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number
from glowvox.cli.say_options import add_seed_option

if TYPE_CHECKING:
    from glowvox.synthesis.conversion import VoiceConverter
    from glowvox.synthesis.options import VocoderOptions

_SIGMA = 0.6
"""Of a vocoder that belongs to no voice."""
SUMMARY = "speak a recording in another speaker's voice"
EXAMPLE = """\
The model must know both speakers: a voice of several that holds its acoustic model, or a Glow-TTS model folder or run
with a vocoder. The timing stays. How likely the recording is under each speaker is printed, before and after; with
--wer also what a recogniser understands (US English).

examples:
  glowvox convert-voice in.wav "Good morning." --to bob -o out.wav --voice pair
  glowvox convert-voice in.wav --to bob --from ann -o out.wav --model runs/pair --vocoder runs/vocoder/best --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("recording", type=Path, help="a sound file")
    parser.add_argument("text", nargs="?", help="what is said in it (default: the .txt or .lab file beside it)")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="the sound file to write")
    parser.add_argument("--to", required=True, metavar="NAME", help="the speaker who shall seem to speak")
    parser.add_argument(
        "--from", dest="source", metavar="NAME", help="the speaker who speaks (default: the most likely one)"
    )
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--voice", metavar="VOICE", help="a voice of several speakers (default: the default voice)")
    models.add_argument("--model", metavar="MODEL", help="a Glow-TTS model folder or run, beside --vocoder")
    parser.add_argument("--vocoder", metavar="MODEL", help="a vocoder: model folder, run or exported graph")
    parser.add_argument(
        "--residual",
        type=finite_number,
        default=1.0,
        metavar="X",
        help="how much of the recording's own manner is kept, 0 to 1 (default: %(default)s)",
    )
    parser.add_argument("--language", metavar="TAG", help="of the text (default: the speaker's)")
    parser.add_argument(
        "--sigma",
        type=finite_number,
        help=f"deviation of the vocoder's noise (default: the voice's own, with --vocoder {_SIGMA})",
    )
    add_seed_option(parser)
    parser.add_argument("--wer", action="store_true", help="recognise recording and result, and count wrong words")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Convert, and say how likely each speaker is."""
    from glowvox.audio.files import read_audio
    from glowvox.evaluate.clips import text_beside
    from glowvox.synthesis.conversion import report
    from glowvox.synthesis.options import parse_seed

    check_files({"the recording": args.recording}, {"-o": args.output})
    seed = parse_seed(args.seed, "--seed")
    samples, rate = read_audio(args.recording)
    text = text_beside(args.recording) if args.text is None else args.text
    converter, own = _converter(args)
    options = replace(own, seed=seed, sigma=own.sigma if args.sigma is None else args.sigma)
    converted = converter.convert(
        samples,
        rate,
        text,
        target=args.to,
        source=args.source,
        residual=args.residual,
        language=args.language,
        options=options,
    )
    converted.audio.save(args.output)
    told: dict[str, Any] = {
        "output": args.output,
        "seconds": converted.audio.duration,
        **report(converted, args.to),
    }
    if args.wer:
        told |= _word_errors(samples, rate, converted.audio.samples, converted.audio.sample_rate, text)
    if args.json:
        print(json.dumps(told, indent=1))
        return 0
    print(
        f"{args.output}: {converted.audio.duration:.2f} s, from {converted.source} to {args.to}; the target is "
        f"{told['target_over_source_before']:+.2f} nats per frame more likely than the source in the recording, "
        f"{told['target_over_source_after']:+.2f} in the result"
    )
    if args.wer:
        print(f"word error rate: {told['wer_before']:.1f} % of the recording, {told['wer_after']:.1f} % of the result")
    return 0


def _converter(args: argparse.Namespace) -> "tuple[VoiceConverter, VocoderOptions]":
    """Return the converter, and how its vocoder speaks where nothing is said: as the voice that it belongs to."""
    from glowvox.engines.choose import load_vocoder
    from glowvox.errors import ConfigError
    from glowvox.evaluate.batch_alignment import open_aligner
    from glowvox.synthesis.conversion import VoiceConverter
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.options import VocoderOptions
    from glowvox.synthesis.vocoder import Vocoder
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_engines, open_voice_folder

    if args.model is not None and args.vocoder is None:
        raise ConfigError("--model speaks no samples: name a vocoder with --vocoder")
    aligner = open_aligner(args.model or args.voice, threads=args.threads)
    if args.vocoder is not None:
        vocoder = Vocoder(load_vocoder(args.vocoder, threads=args.threads))
        return VoiceConverter(aligner, vocoder), VocoderOptions(sigma=_SIGMA)
    with open_voice_folder(find_voice(args.voice)) as folder:
        card = read_voice_card(folder)
        engine = open_engines(folder, card, threads=args.threads)[1]
    return VoiceConverter(aligner, Vocoder(engine)), card.defaults.for_vocoder(0)


def _word_errors(samples: Any, rate: int, made: Any, made_rate: int, text: str) -> dict[str, float]:
    from glowvox.evaluate.word_errors import recognise, word_errors

    heard = [*recognise([samples], rate), *recognise([made], made_rate)]
    before, after = (100.0 * word_errors([text], [one]).word_error_rate for one in heard)
    return {"wer_before": before, "wer_after": after}
