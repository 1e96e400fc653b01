"""What a call costs: seconds, peak memory, and the real-time factor of audio that it made."""

import contextlib
import ctypes
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Cost(Generic[T]):
    """The result of a call and what it cost."""

    result: T
    seconds: float
    """Wall-clock time."""
    peak_bytes: int | None
    """Growth of the resident memory from before the call to its peak during the call; None where the operating
    system does not say (it is read from Linux's process status)."""


def measure(call: Callable[[], T]) -> Cost[T]:
    """Run `call` once and measure it.

    Garbage is collected and free memory given back to the system before, so that what an earlier call left behind does
    not hide what this one takes.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)  # Only the GNU C library has it.
    before = _reset_peak()
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    peak = None if before is None else max(0, _status("VmHWM") - before)
    return Cost(result=result, seconds=seconds, peak_bytes=peak)


def real_time_factor(seconds: float, samples: int, sample_rate: int) -> float:
    """Return computing time over playing time: below 1 is faster than real time.

    Args:
        seconds: computing time.
        samples: samples made, at least one.
        sample_rate: in Hz.
    """
    return seconds * sample_rate / samples


def process_peak_bytes() -> int:
    """Return the largest resident memory of this process since it started."""
    import resource  # Not on Windows, where the rest of this file works without memory figures.

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _reset_peak() -> int | None:
    """Start a new peak at the memory of now and return that, or None where this cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return _status("VmRSS")
    except OSError:
        return None


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")
