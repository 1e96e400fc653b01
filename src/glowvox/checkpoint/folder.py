"""Our own format: a folder with `config.json` and `model.safetensors`, complete in itself and free of code.

`config.json` holds the format's version, the type of the model, its whole configuration (the mel contract included),
the contract's fingerprint, the training steps and the provenance. Loading is strict.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from glowvox.checkpoint.inert import printable
from glowvox.checkpoint.location import CONFIG_NAME, WEIGHTS_NAME, find_model_folder
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError, ConfigError

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
