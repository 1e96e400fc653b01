"""Starting a run: new, resumed, or from the weights of another model."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glowvox import __version__
from glowvox.checkpoint.model_folder import load_matching, load_tensors, read_card
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.preset import Preset, apply_overrides, preset_names, preset_of, preset_tables, read_preset
from glowvox.config.schema import to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.cuda.attach import attach_kernels
from glowvox.data.prepared import PreparedData
from glowvox.errors import ConfigError, TrainingError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.registry import build, model_config
from glowvox.training.loop import Processes, Task, Trainer, join_processes, leave_processes, uses_bfloat16
from glowvox.training.pitch import Begins, quietly
from glowvox.training.run_folder import RunFolder, RunLog
from glowvox.training.utterances import TextContract

_FINE_TUNING = {
    "steps": 2000,
    "learning_rate": 2e-4,
    "warmup_steps": 50,
    "ema_decay": 0.995,
    "validate_every": 250,
    "checkpoint_every": 250,
}
"""Settings of a run that starts from a trained model: less, and more gently, as the weights are good already."""


def fine_tuning(config: WaveGlowConfig | GlowTTSConfig) -> dict[str, Any]:
    """Return the tables of a preset for a model of this configuration.

    A vocoder is tuned by its likelihood and by what its samples sound like from the first step on.
    """
    if isinstance(config, GlowTTSConfig):
        return {"model": {"type": "glow_tts"}, "glow_tts": to_dict(config), "training": dict(_FINE_TUNING)}
    return {
        "model": {"type": "waveglow"},
        "waveglow": to_dict(config),
        "training": {**_FINE_TUNING, "batch_size": 8},
        "vocoder_training": {
            "segment_frames": 80,
            "spectral_from_step": 0,
            "likelihood_every": 4,
            "mel_weight": 2.0,
            "fft_sizes": [512, 1024, 2048, 4096],
            "refine": min(config.refine, 2),
            "pitch_steps": 500,
        },
    }


_SPEAKERS = "speakers.weight"
_SYMBOLS = "encoder.embedding.weight"
_DURATIONS = "encoder.durations.convolution_1.weight"
_MELODY = "encoder.melody.convolution_1.weight"


@dataclass(frozen=True)
class FittedWeights:
    """Tensors for another model, and what was done to them."""

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]
    """For the user: which rows were taken over, and which start anew."""


def fitted_to(
    source: TextContract, target: TextContract
) -> Callable[[torch.nn.Module, Mapping[str, Tensor]], FittedWeights]:
    """Return the function that fits an acoustic model's tensors, by name, to a new one with its fresh weights.

    That is fine-tuning, and adding a speaker. Rows of tables belong to names: a speaker keeps its vector, a symbol its
    embedding, wherever they stand. A model of one speaker becomes one of several that begins as it was: what the
    speakers add starts at zero.

    Args:
        source: symbols and speakers of the tensors.
        target: those of the new model.
    """

    def fit(model: torch.nn.Module, tensors: Mapping[str, Tensor]) -> FittedWeights:
        assert isinstance(model, GlowTTS)
        own = model.state_dict()
        fitted, notes = (
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
            [],
        )
        symbols = (source.tokenizer.symbols, target.tokenizer.symbols)
        if _SYMBOLS in fitted and symbols[0] != symbols[1]:
            fitted[_SYMBOLS] = _rows_by_name(fitted[_SYMBOLS], own[_SYMBOLS], *symbols)
            notes.append(_note("symbols", *symbols))
        if model.melody is not None and "melody.reader.projection.weight" not in fitted:
            notes.append(_fit_melody(fitted, own))
        if _SPEAKERS in own:
            notes += _fit_speakers(fitted, own, source.speakers, target.speakers)
        return FittedWeights(fitted, tuple(notes))

    return fit


def joint_speakers(data: Sequence[str], source: Sequence[str]) -> tuple[str, ...]:
    """Return the speakers of a model that starts from another: those of the data, then the others of the source.

    A model of one speaker becomes the new speaker's; one of several keeps all of its own.
    """
    kept = [name for name in source if name not in data] if len(source) > 1 else []
    return (*data, *kept)


def _fit_speakers(
    fitted: dict[str, Tensor], own: Mapping[str, Tensor], source: Sequence[str], target: Sequence[str]
) -> list[str]:
    """Give `fitted` what a model of several speakers needs, in place; return notes."""
    if _SPEAKERS in fitted and fitted[_SPEAKERS].shape[1] == own[_SPEAKERS].shape[1]:
        if tuple(source) == tuple(target):
            return []
        fitted[_SPEAKERS] = _rows_by_name(fitted[_SPEAKERS], own[_SPEAKERS], source, target)
        return [_note("speakers", source, target)]
    if _SPEAKERS in fitted:
        return []  # embeddings of another size: what depends on them is of another shape and starts anew
    for name, wide in own.items():
        if name not in fitted and ".condition." in name:
            fitted[name] = torch.zeros_like(wide)
        elif name in (_DURATIONS, _MELODY) or name.endswith(".condition.weight"):
            _widen(fitted, name, wide)
    return [f"one speaker becomes {len(target)} ({', '.join(target)}), who begin alike"]


def _widen(fitted: dict[str, Tensor], name: str, wide: Tensor) -> None:
    """Give a weight zeros for the inputs that the new model adds at the end, in place, where that makes it fit."""
    narrow = fitted.get(name)
    if narrow is not None and narrow.shape[0] == wide.shape[0] and narrow.shape[2:] == wide.shape[2:]:
        added = wide.shape[1] - narrow.shape[1]
        if added > 0:
            fitted[name] = torch.cat([narrow, narrow.new_zeros(narrow.shape[0], added, *narrow.shape[2:])], 1)


def _fit_melody(fitted: dict[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Let a model without pitch conditioning have it, in place: the couplings begin deaf to it."""
    for name, wide in own.items():
        if ".condition." not in name:
            continue
        narrow = fitted.get(name)
        fitted[name] = torch.zeros_like(wide)
        if narrow is not None and narrow.shape == wide.shape:
            fitted[name] = narrow
        elif narrow is not None:
            fitted[name][:, -narrow.shape[1] :] = narrow  # the speaker's channels come last
    return "a model without pitch conditioning gets one, which begins silent"


def _rows_by_name(rows: Tensor, fresh: Tensor, names: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Return a row for each wanted name: its own, or for a new one the mean of all with its fresh row added."""
    place = {name: number for number, name in enumerate(names)}
    mean = rows.mean(0)
    return torch.stack(
        [rows[place[name]] if name in place else mean + fresh[number].cpu() for number, name in enumerate(wanted)]
    )


def _note(what: str, names: Sequence[str], wanted: Sequence[str]) -> str:
    new = [name for name in wanted if name not in names]
    gone = [name for name in names if name not in wanted]
    parts = [f"{len(wanted) - len(new)} {what} keep their rows"]
    for label, some in (("new", new), ("left out", gone)):
        if some:
            parts.append(f"{label}: {', '.join(some[:8])}{', ...' if len(some) > 8 else ''}")
    return ", ".join(parts)


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
    begins: Begins = quietly
    """Told of what takes time before the first step."""


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
    *,
    notes: Sequence[str] = (),
) -> int:
    """Train a preset's model and return the number of steps done.

    Args:
        preset: model and training configuration.
        options: where, and from what.
        make_task: makes the task for a model on its device.
        provenance: where the data comes from; written into every checkpoint.
        fit: fits the tensors of `options.init_from` to the model; None: they are taken where name and shape agree.
        notes: lines for the user about the data.

    Raises:
        TrainingError: the run exists and is not to be resumed, or the other way round.
    """
    run = new_or_resumed(options)
    device = choose_device(options.device)
    processes = join_processes(device)
    log = RunLog(options.run if processes.is_main else None, tensorboard=options.tensorboard)
    try:
        for note in notes:
            log.event(0, note)
        torch.manual_seed(preset.training.seed)
        if preset.training.precision == "bfloat16" and not uses_bfloat16("auto", device):
            log.event(0, "bfloat16 may be emulated on this machine: if steps are slow, set training.precision=auto")
        model = _built(preset, device)
        if device.type == "cuda":
            attach_kernels(model)
        loaded = options.init_from is not None and not options.resume
        if options.init_from is not None and loaded:
            tensors = load_tensors(options.init_from)
            fitted = fit(model, tensors) if fit is not None else FittedWeights(tensors, ())
            report = load_matching(model, fitted.tensors)
            log.event(0, "; ".join([f"started from {options.init_from}: {report}", *fitted.notes]))
        if processes.is_main:
            # Before anything that takes time, so that a run stopped there can be resumed.
            if not options.resume:
                run.write_origin(options.init_from)  # before the settings, which say that the run was begun
            run.write_config(preset_tables(preset))
        task = make_task(model, processes)
        earlier = options.run if options.resume else options.init_from
        if earlier is not None:
            provenance = {**provenance, **_all_teachers(provenance, read_card(earlier).provenance)}
        trainer = Trainer(
            task, preset.training, run, log, processes, {"program": f"glowvox {__version__}", **provenance}
        )
        if options.resume:
            trainer.resume()
        elif not loaded:
            trainer.initialise()
        return trainer.train()
    finally:
        log.close()
        leave_processes()


def _built(preset: Preset, device: torch.device) -> nn.Module:
    """Return the model of a preset on its device.

    Raises:
        TrainingError: it does not fit into the memory.
    """
    try:
        return build(model_config(preset)).to(device)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise TrainingError(f"the model is too large for the memory of {device}; choose a smaller preset") from error


def taught_by(data: Sequence[PreparedData]) -> dict[str, Any]:
    """Return the entry `teachers` of a model's provenance, for data of which some was spoken by other systems."""
    return _all_teachers(*({"teachers": part.teachers} for part in data))


def _all_teachers(*provenances: Mapping[str, Any]) -> dict[str, Any]:
    found: list[Any] = []
    for provenance in provenances:
        found += [teacher for teacher in provenance.get("teachers", ()) if teacher not in found]
    return {"teachers": found} if found else {}


def continued(options: StartOptions) -> StartOptions:
    """Return the options of a run to be resumed, which starts anew where it was stopped before its first checkpoint.

    The run's folder knows its settings, and the model that it started from.
    """
    if not options.resume:
        return options
    run = RunFolder(options.run, make=not options.resume)
    if not run.is_new or not run.has_config:
        return options
    return replace(options, resume=False, init_from=run.origin() or options.init_from)


def finished_steps(preset: Preset, options: StartOptions) -> int | None:
    """Return the steps of a run to be resumed that has done all of them; None: there is something left to do."""
    if not options.resume:
        return None
    done = RunFolder(options.run, make=False).last_step()
    return done if done is not None and done >= preset.training.steps else None


def new_or_resumed(options: StartOptions) -> RunFolder:
    """Return the folder of a run that is new, or has a checkpoint to go on from, as the options have it.

    Raises:
        TrainingError: it is the other way round.
    """
    run = RunFolder(options.run, make=not options.resume)
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


def say_left_out(count: int, why: str, processes: Processes) -> None:
    """Say, once for all processes, how many clips training never sees; nothing where that is none."""
    if count and processes.is_main:
        print(f"{count} training clips are left out: {why}", file=sys.stderr, flush=True)


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
        TrainingError: no run was begun in the folder that is to be resumed.
    """
    if name is not None:
        tables = read_preset(name)
    elif resume:
        if not (run / "config.toml").exists():
            raise TrainingError(f"{run}: no run was begun there; mind the name, or leave out --resume to start one")
        tables = read_preset(str(run / "config.toml"))
    elif init_from is not None:
        tables = fine_tuning(read_card(init_from).config)
    else:
        raise ConfigError(f"name a preset with --preset: {', '.join(preset_names(model_type))}")
    preset = preset_of(apply_overrides(tables, overrides))
    if preset.model.type != model_type:
        raise ConfigError(
            f"the preset describes a {preset.model.type}; presets for this: {', '.join(preset_names(model_type))}"
        )
    return preset
