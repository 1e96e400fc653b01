"""What PyTorch computes on: the device and its memory, the threads, the types of numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from glowvox.errors import EngineError

HALF_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
TYPES = {"float32": torch.float32, "float64": torch.float64, **HALF_TYPES}
"""Types of numbers by name."""


@contextmanager
def told_when_out_of_memory(device: torch.device, what: str) -> Iterator[None]:
    """Say in one line what a device had no memory for.

    Args:
        device: that computes.
        what: it computes.

    Raises:
        EngineError: there was not enough.
    """
    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise EngineError(f"not enough memory on {device} for {what}; choose shorter pieces") from error


def set_threads(threads: int | None) -> None:
    """Set the CPU threads of PyTorch in this process; None: leave them.

    Raises:
        EngineError: an impossible number.
    """
    if threads is not None:
        if not 1 <= threads <= 4096:
            raise EngineError(f"the number of threads must be at least 1, got {threads}")
        torch.set_num_threads(threads)


def find_device(name: str) -> torch.device:
    """Return the device called "auto" (a GPU where there is one), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        EngineError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise EngineError(f"'{name}' is not a device; use auto, cpu, cuda, cuda:N or mps") from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise EngineError(f"a model cannot run on the device '{name}'; use auto, cpu, cuda, cuda:N or mps")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"there is no device '{name}': {torch.cuda.device_count()} CUDA devices found; use cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise EngineError("there is no device 'mps' on this machine; use cpu")
    return device
