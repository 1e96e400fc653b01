"""Isolated retry of shards that failed: every row in a process of its own, so that a row that kills it is found."""

import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType

from glowvox.bulk.card import RunSettings
from glowvox.bulk.packed_voice import PackedVoice
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.speaker import SynthesizedRow, speak_row
from glowvox.errors import GlowvoxError, one_line
from glowvox.synthesis.voice import Voice

_OPENED: dict[str, Voice] = {}
"""The voice of this process, by its checksum."""


class IsolatedRetry:
    """Retries rows in another process, which is started anew when a row has killed it.

    Args:
        voice: the run's.
        settings: the run's.
        threads: CPU threads of the engine.
    """

    def __init__(self, voice: PackedVoice, settings: RunSettings, threads: int) -> None:
        self._voice, self._settings, self._threads = voice, settings, threads
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "IsolatedRetry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def __call__(self, row: Row) -> SynthesizedRow | BadRow:
        """Speak a row; whatever goes wrong is the row's error now."""
        if self._pool is None:
            # An interrupt is the parent's business.
            self._pool = ProcessPoolExecutor(
                1, get_context("spawn"), initializer=_begin, initargs=(self._voice, self._threads)
            )
        try:
            return self._pool.submit(_speak, row, self._settings).result()
        except BrokenProcessPool:
            self._stop()
            return BadRow(row.number, row.id, "it killed the process that spoke it (no memory left, or a crash)")
        except (GlowvoxError, MemoryError) as error:
            return BadRow(row.number, row.id, one_line(error, empty="no memory left"))

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin(voice: PackedVoice, threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _OPENED[""] = voice.open(threads)


def _speak(row: Row, settings: RunSettings) -> SynthesizedRow | BadRow:
    return speak_row(_OPENED[""], row, settings)
