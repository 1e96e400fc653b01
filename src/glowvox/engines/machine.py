"""What this machine offers an engine: cores, and the processor's instructions that matter."""

import functools
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsIndex

from glowvox.config.processors import usable_cores
from glowvox.errors import EngineError

_FEATURES = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_ARM_FEATURES = ("asimd", "asimddp", "bf16", "i8mm", "sve")


@dataclass(frozen=True)
class Processor:
    """The processor."""

    name: str
    cores: int
    """Logical cores that this process may use."""
    features: tuple[str, ...]
    """Instruction sets that decide how fast the engines are; empty where the system does not tell."""

    @property
    def has_bf16(self) -> bool:
        """Whether products of bfloat16 numbers are faster than float32 ones here."""
        return bool({"amx_bf16", "avx512_bf16"} & set(self.features))

    @property
    def has_bf16_tiles(self) -> bool:
        """Whether whole tiles of bfloat16 numbers are multiplied at once (AMX), several times faster than float32."""
        return "amx_bf16" in self.features


@functools.cache
def processor() -> Processor:
    """Return what is known of the processor, from the system's own tables."""
    name, flags = platform.processor() or platform.machine(), set[str]()
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                flags = set(value.split())
            elif key.strip() == "model name":
                name = value.strip()
            if not line and flags:
                break
    known = _FEATURES if "avx2" in flags or "sse2" in flags else _ARM_FEATURES
    return Processor(name, usable_cores(), tuple(feature for feature in known if feature in flags))


def checked_threads(threads: int | None) -> int:
    """Return a number of threads; None: one for each usable core.

    Raises:
        EngineError: the number is impossible.
    """
    if threads is None:
        return usable_cores()
    if isinstance(threads, bool) or not isinstance(threads, SupportsIndex) or not 1 <= int(threads) <= 4096:
        raise EngineError(f"the number of threads must be a whole number from 1 to 4096, got {threads!r}")
    return int(threads)
