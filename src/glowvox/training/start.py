"""Starting a run: new, resumed, or from the weights of another model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glowvox import __version__
from glowvox.checkpoint.folder import read_card
from glowvox.checkpoint.matching import load_matching
from glowvox.checkpoint.model_folder import load_tensors
from glowvox.config.overrides import apply_overrides
from glowvox.config.preset import Preset, preset_names, preset_tables, read_preset
from glowvox.config.schema import from_dict
from glowvox.errors import ConfigError, TrainingError
from glowvox.models.registry import build, model_config
from glowvox.training.acoustic_start import FittedWeights
from glowvox.training.distributed import Processes, join_processes, leave_processes
from glowvox.training.fine_tuning import fine_tuning
from glowvox.training.log import RunLog
from glowvox.training.loop import Trainer
from glowvox.training.run_folder import RunFolder
from glowvox.training.task import Task


@dataclass(frozen=True)
class StartOptions:
    """How a run begins."""

    run: Path
    """Folder of the run."""
    resume: bool = False
    """Go on from the run's last checkpoint."""
    init_from: Path | None = None
    """A model folder or run whose weights to start from."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    tensorboard: bool = True
    """Write TensorBoard events."""


def choose_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is the first GPU, or the CPU.

    Raises:
        TrainingError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise TrainingError(f"no device is called '{name}'; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise TrainingError(f"the device '{name}' is not there; use --device cpu")
    return device


def start(
    preset: Preset,
    options: StartOptions,
    make_task: Callable[[nn.Module, Processes], Task],
    provenance: dict[str, Any],
    fit: Callable[[nn.Module, Mapping[str, Tensor]], FittedWeights] | None = None,
) -> int:
    """Train a preset's model and return the number of steps done.

    Args:
        preset: model and training configuration.
        options: where, and from what.
        make_task: makes the task for a model on its device.
        provenance: where the data comes from; written into every checkpoint.
        fit: fits the tensors of `options.init_from` to the model; None: they are taken where name and shape agree.

    Raises:
        TrainingError: the run exists and is not to be resumed, or the other way round.
    """
    run = new_or_resumed(options)
    device = choose_device(options.device)
    processes = join_processes(device)
    log = RunLog(options.run if processes.is_main else None, tensorboard=options.tensorboard)
    try:
        torch.manual_seed(preset.training.seed)
        model = build(model_config(preset)).to(device)
        loaded = options.init_from is not None and not options.resume
        if options.init_from is not None and loaded:
            tensors = load_tensors(options.init_from)
            fitted = fit(model, tensors) if fit is not None else FittedWeights(tensors, ())
            report = load_matching(model, fitted.tensors)
            log.event(0, "; ".join([f"started from {options.init_from}: {report}", *fitted.notes]))
        task = make_task(model, processes)
        trainer = Trainer(
            task, preset.training, run, log, processes, {"program": f"glowvox {__version__}", **provenance}
        )
        if processes.is_main:
            run.write_config(preset_tables(preset))
        if options.resume:
            trainer.resume()
        elif not loaded:
            trainer.initialise()
        return trainer.train()
    finally:
        log.close()
        leave_processes()


def new_or_resumed(options: StartOptions) -> RunFolder:
    """Return the folder of a run that is new, or has a checkpoint to go on from, as the options have it.

    Raises:
        TrainingError: it is the other way round.
    """
    run = RunFolder(options.run)
    if options.resume and run.is_new:
        raise TrainingError(f"{options.run} has no checkpoint to resume; leave out --resume to start")
    if not options.resume and not run.is_new:
        raise TrainingError(f"{options.run} holds a run already; add --resume to go on, or name another folder")
    return run


def set_threads(count: int) -> None:
    """Let PyTorch use this many CPU threads; 0: as many as there are processors.

    Raises:
        TrainingError: a negative number.
    """
    if count < 0:
        raise TrainingError(f"the number of threads must not be negative, got {count}")
    if count:
        torch.set_num_threads(count)


def read_run_preset(
    model_type: str,
    name: str | None,
    run: Path,
    overrides: Iterable[str],
    *,
    resume: bool,
    init_from: Path | None = None,
) -> Preset:
    """Return the preset of a run, with changes.

    It is the one of that name; without a name, when resuming, the run's own `config.toml`; or the configuration of the
    model to start from, with settings for fine-tuning.

    Args:
        model_type: `waveglow` or `glow_tts`, which the preset must describe.
        name: a preset's name or the path of a TOML file.
        run: the run's folder.
        overrides: settings such as `training.steps=20000`.
        resume: whether the run is resumed.
        init_from: a model folder or run whose weights to start from.

    Raises:
        ConfigError: no such preset, a mistake in it, or the other model's.
        CheckpointError: there is no model to start from.
    """
    if name is not None:
        tables = read_preset(name)
    elif resume:
        tables = read_preset(str(run / "config.toml"))
    elif init_from is not None:
        tables = fine_tuning(read_card(init_from).config)
    else:
        raise ConfigError(f"name a preset with --preset: {', '.join(preset_names(model_type))}")
    preset = from_dict(Preset, apply_overrides(tables, overrides))
    if preset.model.type != model_type:
        raise ConfigError(
            f"the preset describes a {preset.model.type}; presets for this: {', '.join(preset_names(model_type))}"
        )
    return preset
