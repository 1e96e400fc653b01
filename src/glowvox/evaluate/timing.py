"""What a call costs: seconds, peak memory, and the real-time factor of audio that it made."""

import resource
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

    Memory that the process has already taken from the system and given back to its own allocator is not seen, so the
    first measurement in a fresh process is the honest one, and a later smaller call may show none.
    """
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
