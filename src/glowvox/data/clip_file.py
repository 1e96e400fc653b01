"""The file of one prepared clip: its samples and its mel spectrogram in a safetensors container.

The container's own header also holds the key of the source (size, time of change, settings) and what the checks
measured, so that an interrupted preparation can go on without reading the recording again.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from glowvox.audio.atomic_file import replacing
from glowvox.errors import DataError

SUFFIX = ".safetensors"
_LONGEST_NAME = 120
_ENTRY = "glowvox_clip"


def clip_file_name(identifier: str) -> str:
    """Return a file name for a clip that cannot leave its folder: distinct for distinct identifiers.

    Letters, digits, `_`, `-` and inner dots stay; every other byte of the UTF-8 form becomes `%XX`. A name that would
    be too long for a file system is cut and ends in a hash of the whole identifier.
    """
    raw = identifier.encode("utf-8", "surrogatepass")
    escaped = "".join(chr(byte) if re.match(rb"[A-Za-z0-9_.-]", bytes([byte])) else f"%{byte:02X}" for byte in raw)
    if not escaped or escaped.startswith("."):
        escaped = "%2E" + escaped[1:] if escaped else "%"
    if len(escaped) > _LONGEST_NAME:
        escaped = f"{escaped[: _LONGEST_NAME - 34]}%~{hashlib.sha256(raw).hexdigest()[:32]}"
    return escaped + SUFFIX


def write_clip(path: Path, samples: np.ndarray, mel: np.ndarray, key: str, record: dict[str, Any]) -> None:
    """Write a clip aside and rename it into place.

    Args:
        path: the file.
        samples: int16 [S].
        mel: float32 [M, T], T = S / hop length.
        key: what the clip was made from; `read_record` gives the record back to whoever has the same key.
        record: plain data measured on the recording.
    """
    tensors = {"samples": np.ascontiguousarray(samples), "mel": np.ascontiguousarray(mel)}
    # One entry: safetensors writes several in an order that changes from run to run.
    content = save(tensors, metadata={_ENTRY: json.dumps({"key": key, "record": record}, sort_keys=True)})
    with replacing(path, DataError) as file:
        file.write(content)


def read_record(path: Path, key: str) -> dict[str, Any] | None:
    """Return the record of an existing clip made with this key; None where there is none, or it is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            complete = {"samples", "mel"} <= set(file.keys())
        made = json.loads(metadata[_ENTRY])
        record = made["record"] if made["key"] == key and complete else None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def read_clip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return `(samples int16 [S], mel float32 [M, T])` of a clip file.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            samples, mel = file.get_tensor("samples"), file.get_tensor("mel")
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    _check_types(path, samples, mel)
    return samples, mel


def read_clip_part(path: Path, start: int, frames: int, hop_length: int, n_mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(samples int16 [frames * hop_length], mel float32 [M, frames])` of a clip file, reading only that part.

    Args:
        path: the file.
        start: first frame.
        frames: number of frames.
        hop_length: samples in a frame.
        n_mels: mel bins M.

    Raises:
        DataError: the file is missing, damaged, shorter than that, or holds something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            samples = file.get_slice("samples")[start * hop_length : (start + frames) * hop_length]
            mel = file.get_slice("mel")[:, start : start + frames]
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    _check_types(path, samples, mel)
    if samples.shape != (frames * hop_length,) or mel.shape != (n_mels, frames):
        raise DataError(f"{path}: does not hold the frames {start} to {start + frames}; run 'glowvox prepare' again")
    return samples, mel


def _check_types(path: Path, samples: np.ndarray, mel: np.ndarray) -> None:
    if samples.dtype != np.int16 or samples.ndim != 1 or mel.dtype != np.float32 or mel.ndim != 2:
        raise DataError(
            f"{path}: expected samples int16 [S] and mel float32 [M, T], found {samples.dtype} {list(samples.shape)} "
            f"and {mel.dtype} {list(mel.shape)}; run 'glowvox prepare' again"
        )


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read as a prepared clip ({error}); run 'glowvox prepare' again")
