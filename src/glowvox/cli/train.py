"""`glowvox train`: train a vocoder or an acoustic model from prepared data."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from glowvox.cli.interruption import ended_as_interrupted
from glowvox.cli.number_options import finite_number
from glowvox.cli.progress import end_phase

if TYPE_CHECKING:
    from glowvox.config.preset import Preset
    from glowvox.training.start import StartOptions

SUMMARY = "train a vocoder or an acoustic model"
EXAMPLE = """\
examples:
  glowvox prepare recordings/ -o data/
  glowvox train vocoder --preset lapped-base --data data/ --run runs/vocoder
  glowvox train vocoder --run runs/vocoder --data data/ --resume
  glowvox train acoustic --init-from default --data data/ --run runs/acoustic   # fine-tune
  glowvox train vocoder --init-from default --mels-from runs/acoustic --data data/ --run runs/vocoder
  torchrun --nproc-per-node 2 -m -- glowvox train vocoder --preset lapped-base --data data/ --run runs/vocoder"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("what", choices=("vocoder", "acoustic"), help="which of the two models")
    parser.epilog = f"{parser.epilog or EXAMPLE}\n\n{_presets()}"
    parser.add_argument(
        "--preset", help="a preset's name, see below, or a .toml file (not needed with --resume or --init-from)"
    )
    parser.add_argument(
        "--data", action="append", required=True, type=Path, help="prepared data; several times: together"
    )
    parser.add_argument("--run", required=True, type=Path, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint, bit for bit")
    parser.add_argument(
        "--init-from",
        metavar="MODEL",
        help="start from the weights of a model folder, a run, a voice (name, folder or .voice file), or 'default', "
        "where they fit; speakers and symbols are matched by their names, and what was skipped is printed",
    )
    parser.add_argument(
        "--mels-from",
        action="append",
        default=[],
        metavar="MODEL",
        help="(vocoder) learn also from the mels that this acoustic model makes, under the recordings' alignment; once "
        "for all data, or once for each --data, in their order",
    )
    parser.add_argument(
        "--mels-temperature",
        type=finite_number,
        default=0.667,
        help="(vocoder) how far these mels are from the text's mean, 1 being the recording (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.NAME=VALUE",
        help="change a setting, for example training.steps=20000; several times",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all (default)")
    parser.add_argument("--no-tensorboard", action="store_true", help="write no TensorBoard events")


def _presets() -> str:
    """Return the presets of both models, a line each."""
    from glowvox.config.preset import preset_names, preset_summary

    lines = []
    for what, kind in (("vocoder", "waveglow"), ("acoustic", "glow_tts")):
        lines += [f"presets of train {what}:"]
        lines += [f"  - {name}: {preset_summary(name)}" for name in preset_names(kind)]
        lines += [""]
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from glowvox.cli.progress import Progress
    from glowvox.synthesis.installed_voices import model_path
    from glowvox.training.pitch import quietly
    from glowvox.training.start import StartOptions, finished_steps, read_run_preset, set_threads

    set_threads(args.threads)
    kind = {"vocoder": "waveglow", "acoustic": "glow_tts"}[args.what]
    init_from = None if args.init_from is None else model_path(args.init_from, args.what)
    preset = read_run_preset(kind, args.preset, args.run, args.set, resume=args.resume, init_from=init_from)
    first = os.environ.get("RANK", "0") == "0"
    options = StartOptions(
        args.run,
        resume=args.resume,
        init_from=init_from,
        device=args.device,
        tensorboard=not args.no_tensorboard,
        begins=(lambda what, counted: Progress(counted, begins=what, keep=False)) if first else quietly,
    )
    finished = finished_steps(preset, options)
    if finished is not None:
        print(f"{args.run}: the run is finished, {finished} of {preset.training.steps} steps are done")
        print(f"{_next_step(args)}; for more steps: --resume --set training.steps={2 * finished}")
        return 0
    try:
        with ended_as_interrupted():
            done = _train(args, preset, options)
    except KeyboardInterrupt:
        if first:
            _tell_interrupted(args.run)
        raise
    if first and done < preset.training.steps:
        print(f"stopped after step {done} of {preset.training.steps}; go on with the same command and --resume")
    elif first:
        print(_next_step(args))
    return 0


def _train(args: argparse.Namespace, preset: "Preset", options: "StartOptions") -> int:
    """Train, and return the steps done."""
    from glowvox.errors import TrainingError
    from glowvox.synthesis.installed_voices import model_path
    from glowvox.training.start import choose_device

    if args.what == "vocoder":
        from glowvox.training.acoustic_mels import MelSource
        from glowvox.training.vocoder import train_vocoder

        device = str(choose_device(args.device))
        sources = [MelSource(model_path(name, "acoustic"), args.mels_temperature, device) for name in args.mels_from]
        return train_vocoder(preset, args.data, options, sources)
    from glowvox.training.acoustic import train_acoustic

    if args.mels_from:
        raise TrainingError("--mels-from is for 'train vocoder': an acoustic model learns from recordings")
    return train_acoustic(preset, args.data, options)


def _tell_interrupted(run: Path) -> None:
    """Say from where a run goes on that was stopped while it did not train; nothing where it was not begun."""
    from glowvox.training.run_folder import RunFolder

    folder = RunFolder(run, make=False)
    step = folder.last_step()
    if folder.has_config:
        where = "before the first step" if step is None else f"with the checkpoint of step {step}"
        end_phase()
        print(f"stopped {where}; go on with the same command and --resume", file=sys.stderr)


def _next_step(args: argparse.Namespace) -> str:
    """Return what to do with a trained model."""
    data = " ".join(f"--data {place}" for place in args.data)
    if args.what == "vocoder":
        return f"next: glowvox evaluate vocoder {args.run} --data {args.data[0]} -o report/"
    voice = f"{args.run.name}.voice"
    return (
        f"next: glowvox export voice --acoustic {args.run} --vocoder default --licence LICENCE -o {voice}, or teach "
        f"the vocoder this voice first: glowvox train vocoder --init-from default --mels-from {args.run} {data} --run "
        f"{args.run.with_name('vocoder')}"
    )
