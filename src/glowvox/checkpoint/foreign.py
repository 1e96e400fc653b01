"""What lies in somebody else's checkpoint: its model's tensors by name, its sizes, its steps.

Covers the layouts that are published: a pickled module or a state dict, alone or under a key of a larger dictionary
with the optimiser and counters, with or without the prefixes that wrappers leave in the names; and safetensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from glowvox.checkpoint.pickle_machine import LazyTensor, Record, printable
from glowvox.checkpoint.torch_files import is_module, read_torch_file, walk_module
from glowvox.errors import CheckpointError, MelError

_MODEL_KEYS = ("model", "state_dict", "model_state_dict", "generator", "net")
_STEP_KEYS = ("iteration", "global_step", "step", "steps", "num_updates")
_PREFIXES = frozenset({"module", "model", "waveglow", "glow_tts", "generator", "vocoder", "net", "_orig_mod"})


@dataclass(frozen=True)
class ForeignCheckpoint:
    """A checkpoint of another program, opened but not yet read."""

    path: Path
    layout: str
    """How the file is built, in words."""
    tensors: Mapping[str, Any]
    """The model's tensors by name, without the prefixes of wrappers; `LazyTensor`s or arrays."""
    steps: int | None = None
    """Training steps, if the file says."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Plain attributes of a pickled module, by path."""
    classes: dict[str, str] = field(default_factory=dict)
    """Classes of a pickled module and its parts, by path; empty for a state dict."""
    config: dict[str, Any] = field(default_factory=dict)
    """The configuration stored beside the model, if any."""

    def read(self) -> dict[str, np.ndarray]:
        """Return all tensors of the model, floating-point ones as float32.

        Raises:
            CheckpointError: a tensor is damaged or not finite.
        """
        try:
            return {name: _as_array(name, tensor) for name, tensor in self.tensors.items()}
        except CheckpointError as error:
            raise CheckpointError(f"{self.path}: {error}") from None


def open_foreign(path: str | Path) -> ForeignCheckpoint:
    """Open a checkpoint of another program and find the model in it.

    Raises:
        CheckpointError: the file cannot be opened safely (see `read_torch_file`), or holds no model.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        return _open_safetensors(path)
    value = read_torch_file(path)
    try:
        return _find_model(path, value)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _find_model(path: Path, value: Any) -> ForeignCheckpoint:
    outer = value if isinstance(value, dict) else {}
    found = next((key for key in _MODEL_KEYS if _is_model(outer.get(key))), None)
    model = value if found is None else outer[found]
    where = "" if found is None else f" under '{found}'"
    if is_module(model):
        tree = walk_module(model)
        prefix = _common_prefix(tree.tensors)
        return ForeignCheckpoint(
            path,
            f"pickled module {tree.classes['']}{where}",
            _without(tree.tensors, prefix),
            _steps(outer),
            _without(tree.attributes, prefix),
            # A wrapper's own class is of no interest once its prefix is gone.
            _without(tree.classes, prefix),
            _config(outer),
        )
    if not _is_model(model):
        raise CheckpointError(f"it holds no model ({_describe(value)})")
    tensors = {str(name): tensor for name, tensor in model.items() if isinstance(tensor, LazyTensor)}
    prefix = _common_prefix(tensors)
    layout = f"state dict{where}" + (f", names prefixed with '{prefix}'" if prefix else "")
    return ForeignCheckpoint(path, layout, _without(tensors, prefix), _steps(outer), config=_config(outer))


def _open_safetensors(path: Path) -> ForeignCheckpoint:
    try:
        with safe_open(path, "np") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read as safetensors ({printable(error)})") from None
    prefix = _common_prefix(tensors)
    return ForeignCheckpoint(path, "safetensors", _without(tensors, prefix))


def _is_model(value: Any) -> bool:
    if is_module(value):
        return True
    if not isinstance(value, dict):
        return False
    tensors = sum(isinstance(tensor, LazyTensor) and isinstance(name, str) for name, tensor in value.items())
    return tensors > 1 and 2 * tensors > len(value)


def _common_prefix(names: Mapping[str, Any]) -> str:
    prefix = ""
    while names:
        heads = {name[len(prefix) :].split(".", 1)[0] for name in names}
        # the wrapper's name alone, and names left behind it
        if len(heads) != 1 or not heads <= _PREFIXES or any("." not in name[len(prefix) :] for name in names):
            break
        prefix += heads.pop() + "."
    return prefix


def _without(named: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: value for name, value in named.items() if name.startswith(prefix)}


def _steps(outer: dict[Any, Any]) -> int | None:
    found = (outer.get(key) for key in _STEP_KEYS)
    return next((value for value in found if type(value) is int and 0 <= value < 1 << 62), None)


def _config(outer: dict[Any, Any]) -> dict[str, Any]:
    config = outer.get("config")
    if isinstance(config, Record):
        config = {**config.state, **config.items}
    return config if isinstance(config, dict) else {}


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        names = ", ".join(printable(name, 30) for name in list(value)[:5])
        return f"a dictionary with {names or 'nothing in it'}"
    if isinstance(value, Record):
        return f"an object of class {value.kind}"
    return "a single tensor" if isinstance(value, LazyTensor) else f"a {type(value).__name__}"


def _as_array(name: str, tensor: LazyTensor | np.ndarray) -> np.ndarray:
    values = tensor.read() if isinstance(tensor, LazyTensor) else tensor
    if values.dtype.kind == "f":
        values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise CheckpointError(f"its tensor {printable(name)} holds values that are not finite; the model is broken")
    return values


_NAMES = ("mel", "mel_outputs_postnet", "mel_outputs", "spectrogram", "spec")
_FLOATS = frozenset({"f2", "f4", "f8", "bf16"})


def read_mel_pt(path: str | Path) -> np.ndarray:
    """Return the mel `[M, T]`, float32, of a `.pt` file, as Tacotron 2 and its descendants save it.

    The file holds a tensor, or a dictionary with one; no code in it is run.
    A leading batch axis of one is dropped. Whether M and the values fit a model is for the caller to check.

    Raises:
        CheckpointError: the file cannot be opened safely (see `read_torch_file`).
        MelError: it holds no mel, several, or values that are not finite numbers.
    """
    value = read_torch_file(path)
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        named = {name: tensor for name, tensor in value.items() if isinstance(tensor, LazyTensor)}
        chosen = [named[name] for name in _NAMES if name in named] or list(named.values())
        if len(chosen) > 1 and not any(name in named for name in _NAMES):
            raise MelError(f"{path}: holds {len(chosen)} tensors, none of them called 'mel'; save the mel alone")
        value = chosen[0] if chosen else None
    if not isinstance(value, LazyTensor):
        what = f"an object of class {value.kind}" if isinstance(value, Record) else "no tensor"
        raise MelError(f"{path}: expected a mel tensor [M, T], found {what}")
    shape = value.shape[1:] if len(value.shape) == 3 and value.shape[0] == 1 else value.shape
    if value.storage.number_type not in _FLOATS or len(shape) != 2 or not all(shape):
        raise MelError(
            f"{path}: expected a mel tensor [M, T] of floating-point values, found {value.storage.number_type} "
            f"of shape {value.shape}"
        )
    try:
        mel = value.read().reshape(shape).astype(np.float32)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    if not np.isfinite(mel).all():
        raise MelError(f"{path}: the mel holds values that are not finite")
    return mel
