"""A mel spectrogram from a `.pt` file (as Tacotron 2 and its descendants save it), without running code from it."""

from pathlib import Path

import numpy as np

from glowvox.checkpoint.inert import Record
from glowvox.checkpoint.lazy_tensor import LazyTensor
from glowvox.checkpoint.unpickle import read_torch_file
from glowvox.errors import CheckpointError, MelError

_NAMES = ("mel", "mel_outputs_postnet", "mel_outputs", "spectrogram", "spec")
_FLOATS = frozenset({"f2", "f4", "f8", "bf16"})


def read_mel_pt(path: str | Path) -> np.ndarray:
    """Return the mel `[M, T]`, float32, of a `.pt` file that holds a tensor, or a dictionary with one.

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
