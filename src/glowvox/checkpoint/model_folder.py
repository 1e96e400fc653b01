"""PyTorch models in and out of our folders: `save_model`, and the strict `load_model`.

A folder with `config.json` and `model.safetensors` is complete in itself and free of code. `config.json` holds the
format's version, the type of the model, its whole configuration (the mel contract included), the contract's
fingerprint, the training steps and the provenance. To start a training from another model's weights, with more speakers
or another vocabulary say, there is the partial load, which says what did not fit (`LoadReport`).
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import Tensor, nn

from glowvox.checkpoint.pickle_machine import printable
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError, ConfigError
from glowvox.models import registry

if TYPE_CHECKING:
    from glowvox.models.glow_tts import GlowTTS
    from glowvox.models.waveglow import WaveGlow


CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
CHECKPOINTS_NAME = "checkpoints"
_POINTERS = ("best", "last")
_MAX_POINTER_BYTES = 4096


def is_model_folder(path: Path) -> bool:
    """Whether a folder holds a model in our format."""
    return (path / CONFIG_NAME).is_file() and (path / WEIGHTS_NAME).is_file()


def is_run_folder(path: Path) -> bool:
    """Whether a folder is a training run."""
    return (path / CHECKPOINTS_NAME).is_dir()


def find_model_folder(path: str | Path) -> Path:
    """Return the folder with the model that a path stands for.

    Args:
        path: a model folder; a training run (its `best`, else its `last`); a run's `best` or `last`, which may be a
            folder, a link or a text file with a path such as `checkpoints/000123` in it; or a run's `checkpoints/STEP`.

    Raises:
        CheckpointError: there is no model there.
    """
    path = Path(path)
    if path.is_file():
        if path.name == CONFIG_NAME or path.name == WEIGHTS_NAME:
            path = path.parent
        elif path.name in _POINTERS:
            path = _follow(path)
        else:
            raise CheckpointError(f"{path}: a file, not a model folder; 'glowvox convert' turns checkpoints into one")
    if is_model_folder(path):
        return path
    if is_run_folder(path):
        for name in _POINTERS:
            pointer = path / name
            if pointer.is_file():
                return _checked(_follow(pointer))
            if pointer.is_dir():
                return _checked(pointer)
        raise CheckpointError(
            f"{path}: this training run has neither 'best' nor 'last' yet; name a folder below checkpoints/"
        )
    return _checked(path)


def _checked(path: Path) -> Path:
    if not path.exists():
        raise CheckpointError(f"{path}: there is no such folder")
    for name in (CONFIG_NAME, WEIGHTS_NAME):
        if not (path / name).is_file():
            raise CheckpointError(f"{path}: not a model folder, it has no {name}")
    return path


def _follow(pointer: Path) -> Path:
    """Return the folder that a text file names, relative to its own; it may not lead out of the run."""
    with pointer.open("rb") as stream:
        content = stream.read(_MAX_POINTER_BYTES + 1)
    try:
        name = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        name = ""
    parts = Path(name).parts
    if not name or len(content) > _MAX_POINTER_BYTES or "\n" in name or "\0" in name:
        raise CheckpointError(f"{pointer}: expected one line with the path of a checkpoint folder")
    if Path(name).is_absolute() or ".." in parts:
        raise CheckpointError(f"{pointer}: {printable(name)} leads out of the training run")
    return pointer.parent / name


FORMAT = "glowvox-model"
FORMAT_VERSION = 1
_MAX_CONFIG_BYTES = 4 << 20
_MAX_SETTING = 1_000_000  # of steps, layers, channels: more cannot be real, and would be counted to
_TYPES: dict[str, type[WaveGlowConfig] | type[GlowTTSConfig]] = {"waveglow": WaveGlowConfig, "glow_tts": GlowTTSConfig}


@dataclass(frozen=True)
class ModelCard:
    """What `config.json` says about a model."""

    config: WaveGlowConfig | GlowTTSConfig
    """The model's configuration."""
    steps: int | None = None
    """Training steps, if known."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where the weights come from: data, licence, original file; plain JSON data."""

    @property
    def type(self) -> str:
        """'waveglow' or 'glow_tts'."""
        return next(name for name, kind in _TYPES.items() if isinstance(self.config, kind))


def save_tensors(tensors: Mapping[str, np.ndarray], card: ModelCard, folder: str | Path, *, replace: bool) -> None:
    """Write a model folder: made aside and renamed into place, so that no reader ever sees half of one.

    Args:
        tensors: the model's tensors by name.
        card: what to say about it.
        folder: the folder to create.
        replace: whether an existing folder may be replaced; the old one is removed when the new one is in place.

    Raises:
        CheckpointError: the folder exists and may not be replaced, is not a model folder, or cannot be written.
    """
    folder = Path(folder)
    refuse_existing(folder, replace=replace)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            write_model_files(tensors, card, aside)
            aside.chmod(0o755)
            _move_into_place(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be written ({error.strerror})") from None


def write_model_files(tensors: Mapping[str, np.ndarray], card: ModelCard, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` into an existing folder, which is not yet in anybody's use.

    The same tensors and card give the same bytes.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    audio = card.config.audio
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "type": card.type,
        "model": to_dict(card.config),
        "mel_fingerprint": audio.fingerprint(),
        "steps": card.steps,
        "provenance": dict(card.provenance),
    }
    (folder / CONFIG_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    contiguous = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    # One entry only: the library writes several in an order of chance, and the same model shall give the same bytes.
    save_file(contiguous, folder / WEIGHTS_NAME, metadata={"mel_fingerprint": audio.fingerprint()})
    for name in (CONFIG_NAME, WEIGHTS_NAME):
        with (folder / name).open("rb+") as stream:
            os.fsync(stream.fileno())


def read_card(path: str | Path) -> ModelCard:
    """Return what a model folder, or a training run's, says about its model.

    Raises:
        CheckpointError: no model there, or its `config.json` is damaged or of another version.
    """
    place = find_model_folder(path) / CONFIG_NAME
    content = _read_json(place)
    if content.get("format") != FORMAT:
        raise CheckpointError(f"{place}: not the configuration of a Glowvox model")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{place}: format version {printable(version)}, this program reads {FORMAT_VERSION}; use a fitting release"
        )
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise CheckpointError(f"{place}: unknown model type {printable(kind)}; known are {', '.join(_TYPES)}")
    model = content.get("model")
    for name, value in model.items() if isinstance(model, dict) else ():
        if isinstance(value, int) and value > _MAX_SETTING:
            raise CheckpointError(f"{place}: {printable(name)} = {printable(value)} is more than any model has")
    try:
        config = from_dict(_TYPES[kind], model, "model")
    except ConfigError as error:
        raise CheckpointError(f"{place}: {error}") from None
    if content.get("mel_fingerprint") != config.audio.fingerprint():
        raise CheckpointError(f"{place}: the mel contract does not have the fingerprint stored; the file was altered")
    steps, provenance = content.get("steps"), content.get("provenance") or {}
    if not (steps is None or type(steps) is int) or not isinstance(provenance, dict):
        raise CheckpointError(f"{place}: 'steps' must be a whole number and 'provenance' a table")
    return ModelCard(config, steps, provenance)


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's tensors by name, without reading them.

    Raises:
        CheckpointError: the weights are missing, truncated or damaged.
    """
    place = find_model_folder(path) / WEIGHTS_NAME
    try:
        with safe_open(place, "np") as stream:
            return {name: tuple(stream.get_slice(name).get_shape()) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{place}: truncated or damaged ({printable(error)})") from None


def _read_json(place: Path) -> dict[str, Any]:
    try:
        if place.stat().st_size > _MAX_CONFIG_BYTES:
            raise CheckpointError(f"{place}: more than {_MAX_CONFIG_BYTES:,} bytes; not a model's configuration")
        content = json.loads(place.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise CheckpointError(f"{place}: not valid JSON; the file is damaged") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{place}: expected a table of settings")
    return content


def refuse_existing(folder: Path, *, replace: bool) -> None:
    """Check that a model folder may be written, before the work is done.

    Raises:
        CheckpointError: it exists and `replace` is not set, or it holds other things, which would be lost.
    """
    if not folder.exists():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if not replace:
        raise CheckpointError(f"{folder}: exists already; choose another folder or replace it with --force")
    allowed = {CONFIG_NAME, WEIGHTS_NAME}
    if not folder.is_dir() or any(entry.name not in allowed for entry in folder.iterdir()):
        raise CheckpointError(f"{folder}: is not a model folder and would be lost; choose another one")


def _move_into_place(aside: Path, folder: Path) -> None:
    if not folder.exists():
        aside.replace(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    folder.replace(old)
    try:
        aside.replace(folder)
    except OSError:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


_COUNTS = ("n_flows", "n_layers", "n_blocks", "n_encoder_layers")


def save_model(
    model: nn.Module,
    folder: str | Path,
    *,
    provenance: Mapping[str, Any] | None = None,
    steps: int | None = None,
    replace: bool = False,
) -> None:
    """Write a model as a folder (see `folder.save_tensors` for how, and for `replace`).

    Args:
        model: a `WaveGlow` or `GlowTTS`, with its configuration as `config`.
        folder: the folder to create.
        provenance: where the weights come from; plain JSON data.
        steps: training steps.
        replace: whether an existing model folder may be replaced.

    Raises:
        CheckpointError: not one of our models, or the folder cannot be written.
    """
    save_tensors(tensors_of(model), card_of(model, provenance=provenance, steps=steps), folder, replace=replace)


def card_of(model: nn.Module, *, provenance: Mapping[str, Any] | None = None, steps: int | None = None) -> ModelCard:
    """Return the card of a model.

    Raises:
        CheckpointError: not one of our models.
    """
    config = getattr(model, "config", None)
    if not isinstance(config, WaveGlowConfig | GlowTTSConfig):
        raise CheckpointError(f"a {type(model).__name__} cannot be saved: it has no WaveGlow or Glow-TTS configuration")
    return ModelCard(config, steps, provenance or {})


def tensors_of(model: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of a model's tensors on the CPU by name, half-precision ones as float32."""
    result = {}
    for name, tensor in model.state_dict().items():
        short = tensor.is_floating_point() and tensor.itemsize < 4
        result[name] = (tensor.float() if short else tensor).detach().to("cpu", copy=True).numpy()
    return result


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a model folder, or a training run's, by name.

    Raises:
        CheckpointError: the weights are missing, truncated, damaged or not finite.
    """
    place = find_model_folder(path) / WEIGHTS_NAME
    try:
        tensors = load_file(place)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{place}: truncated or damaged ({printable(error)})") from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{place}: the tensor {printable(name)} holds values that are not finite")
    return tensors


def load_model(path: str | Path) -> "WaveGlow | GlowTTS":
    """Return the model of a folder, or of a training run, on the CPU in evaluation mode.

    The load is strict: every tensor must be there, with its shape, and no other. Global random state is left alone.

    Args:
        path: a model folder, a training run, its `best` or `last`, or one of its `checkpoints/STEP`.

    Raises:
        CheckpointError: no model there, damaged, of another version, or not what its configuration says.
    """
    folder = find_model_folder(path)
    config = read_card(folder).config
    try:
        model = _built(config, read_shapes(folder))
        fill_strictly(model, load_tensors(folder))
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {str(error).removeprefix(f'{folder / WEIGHTS_NAME}: ')}") from None
    return model.eval()


def check_fit(config: WaveGlowConfig | GlowTTSConfig, tensors: Mapping[str, np.ndarray]) -> None:
    """Check that tensors are exactly those of a model of this configuration.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    model = _built(config, {name: tensor.shape for name, tensor in tensors.items()})
    fill_strictly(model, {name: torch.from_numpy(tensor) for name, tensor in tensors.items()})


def _built(config: WaveGlowConfig | GlowTTSConfig, shapes: Mapping[str, tuple[int, ...]]) -> "WaveGlow | GlowTTS":
    refuse_inflated(config, shapes)
    try:
        with torch.random.fork_rng(devices=[]):
            return cast("WaveGlow | GlowTTS", registry.build(config))
    except (RuntimeError, MemoryError) as error:
        raise CheckpointError(f"cannot build the model ({printable(error)})") from None


def fill_strictly(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a model, all of them and nothing else.

    Args:
        model: changed in place.
        tensors: by name.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape; the model is left as it was.
    """
    own = model.state_dict()
    problem = next(_differences(own, tensors), None)
    if problem is not None:
        raise CheckpointError(f"the tensors do not fit the model: {problem}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def _differences(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    missing = [name for name in own if name not in tensors]
    if missing:
        yield f"{len(missing)} are missing, the first of them '{missing[0]}'"
    unknown = [name for name in tensors if name not in own]
    if unknown:
        yield f"{len(unknown)} are unknown to the model, the first of them {printable(unknown[0])}"
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            yield f"'{name}' has the shape {tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"


def refuse_inflated(config: WaveGlowConfig | GlowTTSConfig, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a configuration that is far larger than the tensors beside it, before memory is spent on it.

    Raises:
        CheckpointError: a size is larger than any tensor's, or there are fewer tensors than layers.
    """
    largest = max((max(shape, default=1) for shape in shapes.values()), default=1)
    settings = {name: value for name, value in to_dict(config).items() if type(value) is int}
    usual = to_dict(type(config)())  # harmless; and what a model has no part for stays as it is there
    highest = max(largest, len(shapes), 16)
    inflated = [name for name, value in settings.items() if value > highest and value != usual[name]]
    layers = 1
    for name in _COUNTS:
        layers *= max(1, settings.get(name, 1)) if name != "n_encoder_layers" else 1
    if inflated or layers > max(len(shapes), 1):
        what = f"model.{inflated[0]} = {settings[inflated[0]]:,}" if inflated else f"{layers:,} layers"
        raise CheckpointError(f"the configuration's {what} does not fit the tensors beside it")


@dataclass(frozen=True)
class LoadReport:
    """What a partial load did."""

    loaded: tuple[str, ...]
    """Names of the tensors taken over."""
    missing: tuple[str, ...]
    """Names in the model that the source lacks; they keep their values."""
    unexpected: tuple[str, ...]
    """Names in the source that the model lacks."""
    mismatched: tuple[str, ...]
    """Names in both with different shapes, as 'name (source shape, model shape)'."""
    share: float
    """Fraction of the model's numbers that were taken over."""

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors loaded, {self.share:.1%} of the model's values"]
        for label, names in (
            ("not in the source", self.missing),
            ("of another shape", self.mismatched),
            ("not in the model", self.unexpected),
        ):
            if names:
                shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
                lines.append(f"{len(names)} {label}: {shown}")
        return "; ".join(lines)


def load_matching(model: nn.Module, tensors: Mapping[str, Tensor], *, minimum_share: float = 0.5) -> LoadReport:
    """Copy into `model` every tensor whose name and shape fit, and report the rest.

    Args:
        model: changed in place; if the load fails it is left as it was.
        tensors: the source by name, in our names.
        minimum_share: the smallest fraction of the model's values that must be found.

    Raises:
        CheckpointError: less than `minimum_share` of the model's values were found; the message says what was not.
    """
    own = model.state_dict()
    fitting = {name: tensor for name, tensor in tensors.items() if name in own and own[name].shape == tensor.shape}
    total = sum(tensor.numel() for tensor in own.values())
    report = LoadReport(
        loaded=tuple(fitting),
        missing=tuple(name for name in own if name not in tensors),
        unexpected=tuple(name for name in tensors if name not in own),
        mismatched=tuple(
            f"{name} ({tuple(tensor.shape)}, {tuple(own[name].shape)})"
            for name, tensor in tensors.items()
            if name in own and name not in fitting
        ),
        share=sum(tensor.numel() for tensor in fitting.values()) / max(total, 1),
    )
    if report.share < minimum_share or not fitting:
        raise CheckpointError(f"too little fits this model (at least {minimum_share:.0%} must): {report}")
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    return report
