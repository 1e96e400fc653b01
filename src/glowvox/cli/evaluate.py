"""`glowvox evaluate`: measure how good a model is, beside natural speech and baselines."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli import evaluate_voice
from glowvox.cli.judge_options import (
    add_judge_options,
    add_report_options,
    make_output,
    open_judges,
    read_others,
    write_report,
)
from glowvox.cli.number_options import finite_number, whole_number
from glowvox.cli.progress import counted_progress, phase

if TYPE_CHECKING:
    from glowvox.config.audio import AudioConfig
    from glowvox.models.waveglow import WaveGlow
    from glowvox.synthesis.options import VocoderOptions

SUMMARY = "measure how good a vocoder or a voice is, beside natural speech and baselines"
EXAMPLE = """\
examples:
  glowvox evaluate vocoder runs/vocoder/best --data data/ -o report/
  glowvox evaluate vocoder runs/a/best runs/b/best --data recordings/ --clips 20 --wer -o report/
  glowvox evaluate vocoder default --data data/ --sigma 0.9 -o report/
  glowvox evaluate vocoder --data recordings/ -o report/   # Griffin-Lim alone"""
_BASELINES = ("griffin-lim",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    vocoder = subjects.add_parser(
        "vocoder",
        help="copy synthesis: recordings, analysed and spoken again",
        description="Play recordings back through vocoders and compare with the originals: a table, JSON and a page.",
        epilog=EXAMPLE,
    )
    vocoder.add_argument(
        "model", nargs="*", help="vocoders to compare: model folders, training runs, voices that hold theirs, 'default'"
    )
    vocoder.add_argument("--data", required=True, type=Path, help="prepared data (its validation split) or recordings")
    vocoder.add_argument(
        "--baselines",
        nargs="*",
        choices=_BASELINES,
        default=list(_BASELINES),
        help="also measure (default: %(default)s)",
    )
    vocoder.add_argument("--wer", action="store_true", help="recognise everything and count wrong words (US English)")
    add_report_options(vocoder)
    add_judge_options(vocoder)
    vocoder.add_argument(
        "--sigma",
        type=finite_number,
        help="standard deviation of the noise (default: the voice's own, for a model alone 0.6)",
    )
    vocoder.add_argument(
        "--threads", type=whole_number(0), default=0, help="CPU threads of the models; 0: all (default)"
    )
    voice = subjects.add_parser(
        "voice",
        help="text to speech: sentences, spoken and compared with recordings of them",
        description="Let a voice speak sentences and measure what comes out: a table, JSON and a page.",
        epilog=evaluate_voice.EXAMPLE,
    )
    evaluate_voice.add_arguments(voice)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.subject == "voice":
        return evaluate_voice.run(args)
    from glowvox.cli.streams import warn_as
    from glowvox.config.audio import AudioConfig
    from glowvox.errors import DataError
    from glowvox.evaluate.clips import prepared_contract, read_ids, read_recordings
    from glowvox.evaluate.vocoder import evaluate_vocoder, flow_likelihood, flow_vocoder

    if not args.model and not args.baselines:
        raise DataError("nothing to evaluate: name a model or a baseline")
    if (args.sigma or 0) < 0 or args.seed < 0:
        raise DataError(f"--sigma and --seed must not be negative, got {args.sigma} and {args.seed}")
    if args.model:
        phase("opening the models and the recordings")
    models, options = _load(args)
    contracts = [model.config.audio for model in models.values()]
    config = contracts[0] if contracts else prepared_contract(args.data) or AudioConfig()
    _require_one_contract(models, config)
    ids = read_ids(args.ids, warn_as("evaluate")) if args.ids else None
    limit = args.clips if args.clips is not None or ids is not None else 40
    recordings = read_recordings(args.data, config, limit=limit, ids=ids)
    judges = open_judges(args, "en", recognise=args.wer)
    make_output(args)
    vocoders: dict[str, Any] = {}
    if "griffin-lim" in args.baselines:
        vocoders["Griffin-Lim"] = _griffin_lim(config)
    vocoders |= {name: flow_vocoder(model, options[name]) for name, model in models.items()}
    report = evaluate_vocoder(
        vocoders,
        recordings,
        config,
        likelihoods={name: flow_likelihood(model) for name, model in models.items()},
        group=_group(models),
        others=read_others(args, [recording.id for recording in recordings], config.sample_rate),
        recognise_words=args.wer,
        recogniser=judges.recogniser,
        recogniser_name=judges.recogniser_name,
        jobs=args.jobs,
        title=f"Copy synthesis: {', '.join(models) or 'Griffin-Lim'}",
        settings=_settings(args, models, options, config),
        progress=counted_progress(),
    )
    write_report(args, report, judges)
    return 0


def _load(args: argparse.Namespace) -> "tuple[dict[str, WaveGlow], dict[str, VocoderOptions]]":
    """Return the models by their names, and how each of them speaks."""
    if not args.model:
        return {}, {}
    import torch

    from glowvox.checkpoint.model_folder import load_model
    from glowvox.errors import CheckpointError
    from glowvox.models.waveglow import WaveGlow
    from glowvox.synthesis.installed_voices import model_path

    if args.threads > 0:
        torch.set_num_threads(args.threads)
    models: dict[str, WaveGlow] = {}
    options: dict[str, VocoderOptions] = {}
    for given in args.model:
        model = load_model(model_path(given, "vocoder"))
        if not isinstance(model, WaveGlow):
            raise CheckpointError(f"{given} is no vocoder (it holds a {type(model).__name__})")
        whole = Path(given).resolve()
        name = f"{whole.parent.name}/{whole.name}" if whole.name in ("best", "last") else whole.name
        name = name if name not in models else given
        models[name], options[name] = model, _options(args, given)
    return models, options


def _options(args: argparse.Namespace, given: str) -> "VocoderOptions":
    """Return how a model speaks: as the voice that it belongs to, with what the user asks for."""
    from glowvox.evaluate.vocoder import ALONE
    from glowvox.synthesis.installed_voices import voice_of_model

    voice = voice_of_model(given)
    own = ALONE if voice is None else voice.defaults.for_vocoder(args.seed)
    return replace(own, seed=args.seed, sigma=own.sigma if args.sigma is None else args.sigma)


def _require_one_contract(models: "dict[str, WaveGlow]", config: "AudioConfig") -> None:
    from glowvox.errors import MelError

    for name, model in models.items():
        different = model.config.audio.differences(config)
        if different:
            listed = "; ".join(f"{key} {here} against {there}" for key, (here, there) in different.items())
            raise MelError(f"'{name}' has another mel contract than the first model: {listed}. Evaluate it by itself")


def _griffin_lim(config: "AudioConfig") -> Callable[[Any], Any]:
    from glowvox.audio.griffin_lim import griffin_lim

    return lambda mel: griffin_lim(mel, config, iterations=60)


def _settings(
    args: argparse.Namespace,
    models: "dict[str, WaveGlow]",
    options: "dict[str, VocoderOptions]",
    config: "AudioConfig",
) -> dict[str, str]:
    import platform

    import glowvox
    from glowvox.errors import counted

    settings = {"Recordings": str(args.data)}
    for name, model in models.items():
        count = sum(parameter.numel() for parameter in model.parameters())
        settings[f"Model {name}"] = f"{count / 1e6:.1f} million parameters, groups of {model.config.n_group}"
        own = options[name]
        passes = model.config.refine if own.refine is None else own.refine
        settings[f"Speaks {name}"] = (
            f"noise of standard deviation {own.sigma:g}, seed {own.seed}; {counted(passes, 'pass', 'passes')} of "
            f"refinement, postfilter {own.postfilter:g}, denoiser {own.denoise:g}"
        )
    if models:
        settings["Threads"] = str(args.threads) if args.threads > 0 else "all"
    if "griffin-lim" in args.baselines:
        settings["Griffin-Lim"] = "60 iterations, momentum 0.99, from the pseudo-inverse of the filterbank"
    settings["Mel contract"] = (
        f"{config.n_mels} bins to {config.f_max:g} Hz, hop {config.hop_length} at {config.sample_rate} Hz "
        f"({config.fingerprint()})"
    )
    settings["Tones"] = f"looked for at multiples of {config.sample_rate} / {_group(models)} Hz"
    settings["Software"] = f"glowvox {glowvox.__version__}, Python {platform.python_version()}, {platform.machine()}"
    return settings


def _group(models: "dict[str, WaveGlow]") -> int:
    return next((model.config.n_group for model in models.values()), 8)
