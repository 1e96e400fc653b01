"""Texts at the same time, where engines may be called by several threads: every core speaks one of its own.

Two threads within one product save less than half of its time, and nothing of the work around it; two texts on two
cores save half of everything. For that each must keep to its core, so the engines are opened once more, for one thread.
A text that is spoken alone has all threads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from glowvox.audio.sound import Audio, AudioChunk
from glowvox.engines.machine import checked_threads
from glowvox.errors import GlowvoxError
from glowvox.synthesis.performance import Performance, joined
from glowvox.synthesis.plan import Part


class TextPool:
    """Speaks texts on as many threads as a voice may use."""

    def __init__(self, shared: Performance, open_alone: Callable[[], Performance] | None, threads: int | None) -> None:
        """Take what speaks.

        Args:
            shared: with engines that use all threads.
            open_alone: opens engines of one thread, when many texts come for the first time; None: they stay shared.
            threads: that may be used; None: one for each core.
        """
        self._shared = shared
        self._open_alone = open_alone
        self._threads = checked_threads(threads)
        self._alone: Performance | None = shared if self._threads == 1 else None
        self._opening = threading.Lock()
        self._opener: threading.Thread | None = None
        self._streams = 0
        self._counting = threading.Lock()

    def stream(
        self, parts: Iterable[Part], total: int | None, *, first_chunk: int | None, whole_text: bool = True
    ) -> Iterator[AudioChunk]:
        """Yield the audio of a text: computed on all threads, or on one where others are being spoken.

        Args and errors are those of `Performance.stream`. Where the text has company for the first time, the engines of
        one thread are opened beside it, and serve the next one.
        """
        with self._counting:
            self._streams += 1
            crowded = self._streams > 1
        try:
            performance = self._one_of_many() if crowded else self._shared
            yield from performance.stream(parts, total, first_chunk=first_chunk, whole_text=whole_text)
        finally:
            with self._counting:
                self._streams -= 1

    def spoken(self, scripts: Iterator[Sequence[Part]], *, ahead: int, many: bool) -> Iterator[Audio]:
        """Yield the audio of texts in their order.

        Args:
            scripts: the parts of each text. Where it raises, the texts before are yielded first.
            ahead: texts in memory at once.
            many: whether there are enough of them to be worth opening engines for.

        Raises:
            TextError, VoiceError, EngineError: see `Performance.stream`.
        """
        performance = self._one_thread() if many else self._shared
        waiting: deque[Future[Audio]] = deque()
        failure: GlowvoxError | None = None
        threads = ThreadPoolExecutor(min(self._threads, ahead) if many else 1)
        try:
            while failure is None:
                try:
                    script = next(scripts, None)
                except GlowvoxError as error:
                    failure, script = error, None
                if script is None:
                    break
                waiting.append(threads.submit(_spoken, performance, script))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
        if failure is not None:
            raise failure

    def _one_of_many(self) -> Performance:
        """Return the engines of one thread if they are there; if not, open them meanwhile."""
        if self._alone is not None:
            return self._alone
        with self._counting:
            if self._opener is None:
                self._opener = threading.Thread(target=self._one_thread, name="glowvox-engines")
                self._opener.start()
        return self._shared

    def _one_thread(self) -> Performance:
        with self._opening:
            if self._alone is None:
                try:
                    self._alone = self._shared if self._open_alone is None else self._open_alone()
                except (GlowvoxError, OSError):  # the voice's files may be gone by now
                    self._alone = self._shared
            return self._alone


def _spoken(performance: Performance, parts: Sequence[Part]) -> Audio:
    return joined(performance.stream(parts, None, first_chunk=None))
