"""`glowvox vocode`: a recording or a mel spectrogram is spoken again by a WaveGlow, or by Griffin-Lim."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.device_options import add_device_options
from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number
from glowvox.cli.say_options import add_engine_options, add_seed_option

if TYPE_CHECKING:
    from glowvox.config.audio import AudioConfig
    from glowvox.synthesis.options import VocoderOptions
    from glowvox.synthesis.vocoder import Vocoder
    from glowvox.synthesis.voice_card import VoiceCard

SUMMARY = "speak a recording or a mel spectrogram again"
EXAMPLE = """\
examples:
  glowvox vocode recording.wav -o out.wav
  glowvox vocode mel.npy -o out.flac --model runs/vocoder/best --sigma 0.7 --seed 5
  glowvox vocode recording.mp3 -o - --griffin-lim | aplay

A mel file that holds its contract (.npz or .safetensors written by 'glowvox mel') is converted where that is exact and
refused where it is not; one without (.npy, .pt) is taken to have the model's.
"""
_SIGMA, _DENOISE = 0.6, 0.01
"""Of a vocoder without a voice: those published for WaveGlow."""
_MEL_SUFFIXES = (".npy", ".npz", ".safetensors", ".pt", ".pth")


@dataclass(frozen=True)
class _Speech:
    """What is to be spoken: mels [M, t] in pieces, and how the samples made of them are to be finished."""

    config: "AudioConfig"
    mels: Iterable[Any]
    samples: int
    """Samples to keep; the last mel frame reaches beyond the end of a recording."""
    gain: float = 1.0
    """The samples are divided by it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "input",
        metavar="IN",
        type=Path,
        help="a recording in any format that libsndfile opens, or a mel file (.npy, .npz, .pt, .safetensors)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the sound file to write (.wav, .flac, .ogg, .mp3); - is a WAV on standard output",
    )
    vocoder = parser.add_mutually_exclusive_group()
    vocoder.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        help="a vocoder's folder, training run or exported graph (default: that of the package's voice)",
    )
    vocoder.add_argument("--griffin-lim", action="store_true", help="use no model, for a comparison")
    parser.add_argument(
        "--sigma",
        type=finite_number,
        help=f"standard deviation of the noise (default: the voice's own, for a model alone {_SIGMA})",
    )
    parser.add_argument(
        "--denoise",
        type=finite_number,
        metavar="STRENGTH",
        help="how much of the model's own tone is taken out; 0: nothing "
        f"(default: the voice's own, for a model alone {_DENOISE})",
    )
    parser.add_argument(
        "--refine",
        type=int,
        metavar="PASSES",
        help="passes of a spectral gain that gives the output the mel it was made from "
        "(default: the voice's own, for a model alone the model's)",
    )
    parser.add_argument(
        "--postfilter",
        type=finite_number,
        metavar="X",
        help="how much noise between the harmonics the last pass takes out, 0 to 1 "
        "(default: the voice's own, for a model alone 0)",
    )
    add_seed_option(parser)
    add_engine_options(parser)
    add_device_options(parser)
    parser.add_argument(
        "--window",
        type=finite_number,
        metavar="SECONDS",
        help="seconds spoken at once; less takes less memory and more time",
    )
    parser.add_argument(
        "--keep-level",
        action="store_true",
        help="analyse the recording as loud as it is, instead of as loud as the model's training data",
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Speak the input and say what was written and how long it took."""
    from glowvox.audio.files import audio_writer
    from glowvox.errors import AudioError, EngineError
    from glowvox.synthesis.options import parse_seed

    piped = args.output == "-"
    if piped and args.json:
        raise AudioError("--json and the audio cannot both go to standard output; give -o a file name")
    if piped and sys.stdout.isatty():
        raise AudioError("-o - writes audio to standard output, which is a terminal; pipe it or give a file name")
    check_files({"the input": args.input}, {"-o": args.output})
    seed = parse_seed(args.seed, "--seed")
    vocoder, voice = (None, None) if args.griffin_lim else _vocoder(args)
    options = _options(args, seed, vocoder, voice)
    began = time.perf_counter()
    speech = _speech(args, None if vocoder is None else vocoder.engine.audio)
    rate = speech.config.sample_rate
    pieces = _griffin_lim(speech, seed) if vocoder is None else vocoder.blocks(speech.mels, options)
    destination = sys.stdout.buffer if piped else args.output
    with audio_writer(destination, rate, format="wav" if piped else None) as writer:
        try:
            for samples in _with_progress(_finished(pieces, speech), speech.samples):
                writer.write(samples)
        except EngineError as error:
            raise EngineError(f"{args.input}: {error}") from error
    seconds, took = speech.samples / rate, time.perf_counter() - began
    told: dict[str, Any] = {
        "output": args.output,
        "seconds": seconds,
        "sample_rate": rate,
        "took_seconds": took,
        "real_time_factor": took / seconds,
        "seed": seed,
        "clipped": writer.report.clipped,
    }
    _tell(told, as_json=args.json, stream=sys.stderr if piped else sys.stdout)
    return 0


def _vocoder(args: argparse.Namespace) -> "tuple[Vocoder, VoiceCard | None]":
    """Return the vocoder, and the card of the voice whose folder it was taken from."""
    from glowvox.engines.choose import engine_for, load_vocoder
    from glowvox.engines.graph_engine import VOCODER_NAME
    from glowvox.synthesis.installed_voices import default_vocoder, voice_of_model
    from glowvox.synthesis.vocoder import Vocoder

    folder = args.model if args.model is not None else default_vocoder()
    engine = engine_for(args.engine, args.device, args.precision)
    if args.model is None and engine != "torch" and (folder.parent / VOCODER_NAME).is_file():
        folder = folder.parent  # the voice's graph, which needs no PyTorch
    vocoder = Vocoder(
        load_vocoder(folder, engine=engine, threads=args.threads, device=args.device, precision=args.precision)
    )
    return vocoder, voice_of_model(str(folder))


def _speech(args: argparse.Namespace, contract: "AudioConfig | None") -> _Speech:
    """Return what is to be spoken, under a vocoder's contract; None: the mel file's own, else the usual one."""
    from glowvox.config.audio import AudioConfig
    from glowvox.synthesis.recording import TRAINING_LEVEL_DB, Recording

    if args.input.suffix.lower() in _MEL_SUFFIXES:
        return _mel_speech(args.input, contract)
    config = contract or AudioConfig()
    recording = Recording(args.input, config, level_db=None if args.keep_level else TRAINING_LEVEL_DB)
    samples = min(recording.n_samples, recording.n_frames * config.hop_length)
    return _Speech(config, recording.mels(), samples, recording.gain)


def _mel_speech(path: Path, contract: "AudioConfig | None") -> _Speech:
    from glowvox.audio.mel_file import read_mel
    from glowvox.checkpoint.foreign import read_mel_pt
    from glowvox.config.audio import AudioConfig
    from glowvox.errors import MelError
    from glowvox.synthesis.recording import fit_mel

    torch_file = path.suffix.lower() in (".pt", ".pth")
    mel, own = (read_mel_pt(path), None) if torch_file else read_mel(path)
    config = contract or own or AudioConfig()
    try:
        fitted = fit_mel(mel, own, config)
    except MelError as error:
        raise MelError(f"{path}: {error}") from error
    return _Speech(config, [fitted], fitted.shape[1] * config.hop_length)


def _options(
    args: argparse.Namespace, seed: int, vocoder: "Vocoder | None", voice: "VoiceCard | None"
) -> "VocoderOptions":
    """Return the options: the user's, else what the voice speaks with, else what a vocoder alone does."""
    from glowvox.errors import ConfigError
    from glowvox.synthesis.options import VocoderOptions

    chunk = None
    if args.window is not None:
        if args.window <= 0:
            raise ConfigError(f"--window must be a positive number of seconds, got {args.window:g}")
        chunk = None if vocoder is None else max(1, round(args.window * vocoder.engine.audio.frame_rate))
    own = VocoderOptions(sigma=_SIGMA, denoise=_DENOISE) if voice is None else voice.defaults.for_vocoder(seed)
    wished = {name: getattr(args, name) for name in ("sigma", "denoise", "refine", "postfilter")}
    given = {name: value for name, value in wished.items() if value is not None}
    return replace(own, **given, seed=seed, chunk_frames=chunk)


def _griffin_lim(speech: _Speech, seed: int) -> Iterator[Any]:
    import numpy as np

    from glowvox.audio.griffin_lim import griffin_lim

    yield griffin_lim(np.concatenate(list(speech.mels), 1), speech.config, seed=seed)


def _finished(pieces: Iterable[Any], speech: _Speech) -> Iterator[Any]:
    """Give the samples their level back and leave out what lies beyond the end."""
    left = speech.samples
    for samples in pieces:
        kept = samples[:left]
        left -= len(kept)
        yield kept / kept.dtype.type(speech.gain)


def _with_progress(pieces: Iterable[Any], total: int) -> Iterator[Any]:
    """Pass samples on and say on standard error how far they are: at once on a terminal, else after two seconds."""
    terminal, began, done, told = sys.stderr.isatty(), time.monotonic(), 0, 0
    if terminal:
        print("speaking", end="", file=sys.stderr, flush=True)
    for samples in pieces:
        yield samples
        done += len(samples)
        passed = time.monotonic() - began
        text = f"speaking {done / total:.0%}, {passed / max(done, 1) * (total - done):.0f} s left"
        if terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif passed > 2.0 and told < 10 * done // total < 10:
            told = 10 * done // total
            print(text, file=sys.stderr, flush=True)
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _tell(told: dict[str, Any], *, as_json: bool, stream: Any) -> None:
    if as_json:
        print(json.dumps(told, indent=2), file=stream)
        return
    where = "standard output" if told["output"] == "-" else told["output"]
    clipped = f", {told['clipped']} samples clipped" if told["clipped"] else ""
    print(
        f"{where}: {told['seconds']:.2f} s at {told['sample_rate']} Hz in {told['took_seconds']:.2f} s "
        f"(real-time factor {told['real_time_factor']:.3f}), seed {told['seed']}{clipped}",
        file=stream,
    )
