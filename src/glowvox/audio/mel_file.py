"""Mel spectrograms in files: NumPy arrays and safetensors, with the mel contract inside where the format has room."""

import dataclasses
import json
import os
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.mel import checked_mel
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict
from glowvox.errors import ConfigError, MelError, one_line

_LARGEST_BYTES = 4 << 30
"""A compressed member may claim any size; four gigabytes are 40 hours of mel."""
_USUAL_BINS = frozenset({40, 64, 80, 100, 128})
_DAMAGE = (ValueError, OSError, EOFError, KeyError, MemoryError, SyntaxError, TypeError, RuntimeError, RecursionError)


def write_mel(path: str | os.PathLike[str], mel: Any, config: AudioConfig) -> None:
    """Write a mel spectrogram [M, T] as float32; the file name decides: .npz and .safetensors keep the contract.

    Raises:
        MelError: the mel does not fit the contract, the file name ends otherwise, or it cannot be written.
    """
    array = np.ascontiguousarray(checked_mel(mel, config), dtype=np.float32)
    contract = {"contract": json.dumps(dataclasses.asdict(config)), "fingerprint": config.fingerprint()}
    suffix = check_mel_name(path)
    with replacing(path, MelError) as stream:
        if suffix == ".npy":
            np.save(stream, array, allow_pickle=False)
        elif suffix == ".npz":
            fields: dict[str, Any] = {key: np.array(value) for key, value in contract.items()}
            np.savez(stream, mel=array, **fields)
        else:
            import safetensors.numpy

            stream.write(safetensors.numpy.save({"mel": array}, metadata=contract))


def read_mel(
    path: str | os.PathLike[str], *, n_mels: int | None = None
) -> tuple[NDArray[np.float32], AudioConfig | None]:
    """Read a mel spectrogram written by `write_mel` or by another program.

    Args:
        path: a .npy, .npz or .safetensors file. One of several arrays must be called "mel"; [1, M, T] is accepted.
        n_mels: the mel bins expected, where the caller knows them and the file has no contract.

    Returns:
        The mel float32 [M, T], and its contract, or None where the file has none.

    Raises:
        MelError: missing, damaged, pickled, of another format, NaN or infinite, of the wrong rank, transposed, or
            with a contract that does not match its fingerprint.
    """
    file = Path(path)
    suffix = check_mel_name(path)
    if file.is_dir():
        raise MelError(f"{path} is a folder; name a mel file in it")
    if not file.exists():
        raise MelError(f"there is no file {path}")
    stored: dict[str, str] = {}
    try:
        if suffix == ".npy":
            array = np.load(file, allow_pickle=False)
        elif suffix == ".npz":
            array, stored = _read_npz(file)
        else:
            array, stored = _read_safetensors(file)
    except (*_DAMAGE, zipfile.BadZipFile, zlib.error, tokenize.TokenError) as problem:
        if "allow_pickle" in str(problem) or "Object arrays" in str(problem):
            raise MelError(
                f"{path} holds pickled objects, which are never opened; save a plain float array"
            ) from problem
        line = one_line(problem, limit=200)
        raise MelError(f"{path} is damaged or not a {suffix} file: {line or type(problem).__name__}") from problem
    if not isinstance(array, np.ndarray):
        raise MelError(f"{path} is not a {suffix} file, whatever its name says")
    try:
        config = _stored_contract(stored)
        return _oriented(array, config.n_mels if config else n_mels), config
    except (MelError, ConfigError) as problem:
        raise MelError(f"{path}: {problem}") from problem


def check_mel_name(path: str | os.PathLike[str]) -> str:
    """Return the ending of a mel file's name, ".npy", ".npz" or ".safetensors".

    Raises:
        MelError: the name ends otherwise.
    """
    suffix = Path(path).suffix.lower()
    if suffix in (".pt", ".pth"):
        raise MelError(
            f"{path} is a PyTorch file, which is not opened here; save the mel as .npy, .npz or .safetensors"
        )
    if suffix not in (".npy", ".npz", ".safetensors"):
        raise MelError(f"{path}: a mel file ends in .npy, .npz or .safetensors")
    return suffix


def _chosen(names: list[str]) -> str:
    arrays = [name for name in names if name not in ("contract", "fingerprint")]
    if "mel" in arrays:
        return "mel"
    if len(arrays) != 1:
        raise MelError(f"the file holds {len(arrays)} arrays ({', '.join(arrays[:5])}); call the spectrogram 'mel'")
    return arrays[0]


def _read_npz(path: Path) -> tuple[Any, dict[str, str]]:
    with zipfile.ZipFile(path) as members:
        if any(member.file_size > _LARGEST_BYTES for member in members.infolist()):
            raise MelError(f"{path} claims to hold more than {_LARGEST_BYTES >> 30} GiB")
    with np.load(path, allow_pickle=False) as file:
        stored = {key: str(file[key]) for key in ("contract", "fingerprint") if key in file.files}
        return file[_chosen(file.files)], stored


def _read_safetensors(path: Path) -> tuple[Any, dict[str, str]]:
    import safetensors

    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            return file.get_tensor(_chosen(list(file.keys()))), file.metadata() or {}
    except safetensors.SafetensorError as problem:
        raise ValueError(str(problem)) from problem


def _stored_contract(stored: dict[str, str]) -> AudioConfig | None:
    if "contract" not in stored:
        return None
    try:
        config = from_dict(AudioConfig, json.loads(stored["contract"]), "contract")
    except (ValueError, RecursionError) as problem:
        raise MelError(f"the mel contract is not JSON: {problem}") from problem
    if stored.get("fingerprint") != config.fingerprint():
        raise MelError("the mel contract does not match its fingerprint; the file was changed, write it again")
    return config


def _oriented(array: NDArray[Any], n_mels: int | None) -> NDArray[np.float32]:
    if array.dtype.kind != "f":
        raise MelError(f"a mel spectrogram must hold floating-point numbers, got {array.dtype}")
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2:
        raise MelError(f"a mel spectrogram must have the shape [M, T], got {list(array.shape)}")
    bins, frames = array.shape
    if bins == 0 or frames == 0:
        raise MelError(f"the mel spectrogram is empty: {[bins, frames]}")
    expected = {n_mels} if n_mels else _USUAL_BINS
    if frames in expected and bins not in expected:
        raise MelError(f"the mel is transposed, [T, M] = {[bins, frames]}; swap its axes to [M, T]")
    if n_mels and bins != n_mels:
        raise MelError(f"the mel has {bins} bins, {n_mels} are needed")
    if not np.isfinite(array).all():
        raise MelError("the mel spectrogram holds NaN or infinite values")
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(result).all():
        raise MelError("the mel spectrogram holds values beyond the range of float32")
    return result
