"""The service: what all parts of a server share."""

import asyncio
import logging
from dataclasses import dataclass, field

from glowvox.serve.access import ApiKeys
from glowvox.serve.access_log import LOGGER
from glowvox.serve.connections import ConnectionTable, Slots
from glowvox.serve.metrics import Metrics
from glowvox.serve.settings import ServerSettings
from glowvox.serve.voice_registry import VoiceRegistry
from glowvox.serve.worker_pool import WorkerPool


@dataclass
class Service:
    """A server's voices, its settings and what it is doing."""

    registry: VoiceRegistry
    settings: ServerSettings
    keys: ApiKeys = field(init=False)
    pool: WorkerPool = field(init=False)
    connections: ConnectionTable = field(init=False)
    """Of every protocol."""
    websockets: Slots = field(init=False)
    """Of clients that have shown that they may be there."""
    wyoming: Slots = field(init=False)
    metrics: Metrics = field(init=False)
    warm: bool = False
    """Whether every voice that is loaded has spoken, and so has all that it needs."""
    stopping: bool = False
    """Whether nothing new is begun."""
    active_speeches: int = 0
    """Texts whose speech is not completely sent."""

    def __post_init__(self) -> None:
        self.keys = ApiKeys(self.settings.keys)
        self.pool = WorkerPool(self.settings.limits, self.settings.turns)
        self.connections = ConnectionTable(self.settings.limits.connections)
        self.websockets = Slots(self.settings.limits.sockets)
        self.wyoming = Slots(self.settings.limits.sockets)
        self.metrics = Metrics()
        self._measure()

    def warm_up(self) -> None:
        """Have the voices that are loaded speak, so that the first client need not wait for what is loaded then."""
        for voice in self.registry:
            if not voice.loaded:
                continue
            try:
                voice.warm_up()
            except Exception:  # those who ask for that voice are told; the others can speak
                logging.getLogger(LOGGER).exception("warming up failed", extra={"told": {"voice": voice.name}})
        self.warm = True

    async def release_voices(self) -> None:
        """Let go of voices that nobody asks for any more, for as long as the server runs."""
        seconds = self.settings.voice_seconds
        while True:
            await asyncio.sleep(min(seconds / 4, 60.0))
            for name in self.registry.release(seconds):
                logging.getLogger(LOGGER).info("voice let go", extra={"told": {"voice": name}})

    @property
    def busy(self) -> bool:
        """Whether anybody waits for something that was begun."""
        admission = self.pool.admission
        return bool(self.active_speeches or admission.speaking or admission.waiting)

    def stop(self) -> None:
        """Begin nothing new; what is being spoken goes on."""
        self.stopping = True
        self.pool.close()

    def _measure(self) -> None:
        """Have the metrics tell what is going on at the moment that they are read."""
        pool, gauge = self.pool, self.metrics.gauge
        gauge("glowvox_speaking", "Texts being spoken.", lambda: pool.admission.speaking)
        gauge("glowvox_loaded_voices", "Voices in memory.", lambda: sum(voice.loaded for voice in self.registry))
        gauge("glowvox_waiting", "Requests that wait for a place.", lambda: pool.admission.waiting)
        gauge("glowvox_stalled", "Texts whose client has stopped reading.", lambda: pool.stalled)
        gauge("glowvox_computing_queue", "Threads that wait for a processor.", lambda: pool.scheduler.waiting)
        gauge("glowvox_connections", "Open connections of every protocol.", lambda: len(self.connections))
        gauge("glowvox_websockets", "WebSockets that are spoken to.", lambda: self.websockets.count)
        gauge("glowvox_wyoming_connections", "Wyoming connections.", lambda: self.wyoming.count)
        gauge("glowvox_ready", "1 while texts are taken, else 0.", lambda: self.warm and not self.stopping)
