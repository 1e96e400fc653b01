"""Speaking several waiting texts at once, where one computation for all of them is faster than one for each."""

import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from glowvox.errors import GlowvoxError
from glowvox.serve.turnstile import Turn
from glowvox.synthesis.timestamps.timeline import Timeline
from glowvox.synthesis.voice import Voice

LONGEST = 40
"""Characters of a text that is spoken together with others. Eight texts of half a second take 0.6 of the time that each
alone takes, of one second 0.75; from three seconds on, nothing is saved."""
_MOST = 8
"""Texts spoken at once; more would keep the first of them waiting for little gain."""


@dataclass(eq=False)
class Whole:
    """A text spoken to its end."""

    samples: Any
    """[S], float32."""
    timeline: Timeline


@dataclass(eq=False)
class Job:
    """A text that waits to be spoken with others."""

    text: str
    done: threading.Event = field(default_factory=threading.Event)
    result: Whole | None = None
    """None when it is done: it must be spoken alone."""


class Batches:
    """Texts that wait, by voice and options."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[Job]] = {}

    @property
    def waiting(self) -> int:
        """Texts that wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def put(self, key: Hashable, job: Job) -> None:
        """Add a text to those that wait and are spoken in the same way."""
        with self._lock:
            self._waiting.setdefault(key, deque()).append(job)

    def withdraw(self, key: Hashable, job: Job) -> None:
        """Take a text back that nobody waits for any more; one that is being spoken stays."""
        with self._lock:
            waiting = self._waiting.get(key, deque())
            if job in waiting:
                waiting.remove(job)
                job.done.set()
                if not waiting:
                    del self._waiting[key]

    def speak(self, key: Hashable, job: Job, voice: Voice, wishes: dict[str, Any], turn: Turn) -> Whole | None:
        """Speak a text, and with it others that wait; or return what somebody else made of it.

        Returns:
            The speech; None if this text is to be spoken alone, since no other one waits or something went wrong.
        """
        group = self._claim(key, job)
        if not group:
            with turn.paused():
                job.done.wait()
            return job.result
        if len(group) == 1:
            return None
        try:
            audios = list(voice.say_many([one.text for one in group], batch_size=len(group), early=True, **wishes))
            for one, audio in zip(group, audios, strict=True):
                one.result = Whole(audio.samples, Timeline.of([audio]))
        except GlowvoxError:
            pass  # one of them cannot be spoken: each of them finds out for itself
        finally:
            for one in group:
                one.done.set()
        return job.result

    def _claim(self, key: Hashable, job: Job) -> list[Job]:
        """Take a job and others that wait with it; none if somebody has taken it."""
        with self._lock:
            waiting = self._waiting.get(key, deque())
            if job not in waiting:
                return []
            waiting.remove(job)
            group = [job]
            while waiting and len(group) < _MOST:
                group.append(waiting.popleft())
            if not waiting:
                del self._waiting[key]
            return group
