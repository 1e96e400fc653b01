"""Sessions of ONNX Runtime: opened for a low latency, kept optimised between starts, and run with one-line errors."""

import contextlib
import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.graph_cache import from_cache, graph_key, into_cache
from glowvox.engines.machine import checked_threads
from glowvox.errors import EngineError

if TYPE_CHECKING:
    import onnxruntime

_ERRORS_ONLY = 3


def open_session(path: str | os.PathLike[str], threads: int | None = None) -> "onnxruntime.InferenceSession":
    """Return a session with options for a low latency, from the cache of optimised graphs where it is there.

    Raises:
        EngineError: the file cannot be opened by ONNX Runtime, or an impossible number of threads.
    """
    count = checked_threads(threads)
    place = Path(path)
    try:
        key = graph_key(place, "onnxruntime", importlib.metadata.version("onnxruntime"))
        kept = from_cache(key, ".onnx", lambda entry: _session(entry, count, optimised=True))
    except (OSError, importlib.metadata.PackageNotFoundError):
        key, kept = None, None
    if kept is not None:
        return kept
    made: list[onnxruntime.InferenceSession] = []
    if key is not None:
        with contextlib.suppress(Exception):  # what cannot be kept, or opened at all, is met again below
            into_cache(key, ".onnx", lambda entry: made.append(_session(place, count, save=entry)))
    try:
        return made[0] if made else _session(place, count)
    except Exception as error:  # its errors have no base class of their own
        raise EngineError(f"{path}: ONNX Runtime cannot open it: {_one_line(error)}") from error


def _session(
    place: Path, threads: int, *, optimised: bool = False, save: Path | None = None
) -> "onnxruntime.InferenceSession":
    """Return a session; `optimised`: the graph is already; `save`: where to write it as it is optimised."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False  # plans are kept for every length ever seen
    options.log_severity_level = _ERRORS_ONLY
    # threads wait actively within a run, where that saves time, and not between runs, where it costs others theirs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if save is not None:
        options.optimized_model_filepath = os.fspath(save)
    return onnxruntime.InferenceSession(os.fspath(place), options, providers=["CPUExecutionProvider"])


def computed(
    session: Any, feed: dict[str, NDArray[Any]], where: str, outputs: list[str] | None = None
) -> list[NDArray[np.float32]]:
    """Return what a session makes of its inputs.

    Args:
        session: of the graph.
        feed: arrays by the names of the inputs.
        where: the file, for messages.
        outputs: names of those wished for; None: all.

    Raises:
        EngineError: ONNX Runtime failed.
    """
    arrays = {name: np.ascontiguousarray(value) for name, value in feed.items()}
    try:
        results: list[NDArray[np.float32]] = session.run(outputs, arrays)
    except Exception as error:  # its errors have no base class of their own
        raise EngineError(f"{where}: ONNX Runtime failed: {_one_line(error)}") from error
    return results


def as_value(array: NDArray[Any]) -> "onnxruntime.OrtValue":
    """Return an array as a value that sessions hand on without copying it."""
    from onnxruntime import OrtValue

    return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))


def computed_values(
    session: "onnxruntime.InferenceSession", feed: Mapping[str, Any], where: str, outputs: Sequence[str]
) -> list["onnxruntime.OrtValue"]:
    """Return what `computed` does, as values, from values; see `as_value`."""
    try:
        return list(session.run_with_ort_values(list(outputs), dict(feed)))
    except Exception as error:  # its errors have no base class of their own
        raise EngineError(f"{where}: ONNX Runtime failed: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """Return the message of one of the library's errors, cut to a line."""
    return " ".join(str(error).split())[:300]
