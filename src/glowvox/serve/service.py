"""The service: what all parts of a server share, and its metrics."""

import logging
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from glowvox.serve.access import ApiKeys
from glowvox.serve.settings import ServerSettings
from glowvox.serve.voice_registry import VoiceRegistry
from glowvox.serve.worker_pool import WorkerPool

LOGGER = "glowvox.serve"
"""Name of the server's logger."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


@dataclass
class Service:
    """A server's voices, its settings and what it is doing."""

    registry: VoiceRegistry
    settings: ServerSettings
    keys: ApiKeys = field(init=False)
    pool: WorkerPool = field(init=False)
    metrics: "Metrics" = field(init=False)
    warm: bool = False
    """Whether every voice has spoken, and so has loaded what it needs."""
    stopping: bool = False
    """Whether nothing new is begun."""
    connections: int = 0
    """WebSocket and Wyoming connections that are open."""
    active_speeches: int = 0
    """Texts whose speech is not completely sent."""

    def __post_init__(self) -> None:
        self.keys = ApiKeys(self.settings.keys)
        self.pool = WorkerPool(self.settings.limits, self.settings.turns)
        self.metrics = Metrics(self.pool)

    def warm_up(self) -> None:
        """Have every voice speak, so that the first client need not wait for what is loaded only then."""
        for voice in self.registry:
            try:
                voice.say("Ready.", on_warning=lambda _: None)
            except Exception:  # those who ask for that voice are told; the others can speak
                logging.getLogger(LOGGER).exception("warming up failed", extra={"told": {"voice": voice.name}})
        self.warm = True

    def connect(self) -> bool:
        """Count a connection in, if there is room for it."""
        if self.stopping or self.connections >= self.settings.limits.sockets:
            return False
        self.connections += 1
        return True

    def disconnect(self) -> None:
        """Count a connection out."""
        self.connections -= 1

    @property
    def busy(self) -> bool:
        """Whether anybody waits for something that was begun."""
        admission = self.pool.admission
        return bool(self.active_speeches or admission.speaking or admission.waiting)

    def stop(self) -> None:
        """Begin nothing new; what is being spoken goes on."""
        self.stopping = True
        self.pool.close()


class Metrics:
    """The figures that Prometheus reads at /metrics, of one server; two servers in one process count apart."""

    def __init__(self, pool: WorkerPool) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self.requests = Counter("glowvox_requests", "Requests answered.", ["path", "status"], registry=own)
        self.speeches = Counter("glowvox_speeches", "Texts spoken to the end.", ["voice"], registry=own)
        self.errors = Counter("glowvox_errors", "Texts not spoken to the end.", ["voice", "code"], registry=own)
        self.characters = Counter("glowvox_characters", "Characters spoken.", ["voice"], registry=own)
        self.seconds = Counter("glowvox_speech_seconds", "Seconds of speech computed.", ["voice"], registry=own)
        self.first_audio = Histogram(
            "glowvox_first_audio_seconds",
            "From the arrival of a request to its first audio, waiting included.",
            ["voice"],
            buckets=_SECONDS,
            registry=own,
        )
        self.real_time_factor = Histogram(
            "glowvox_real_time_factor",
            "Seconds of computation per second of speech.",
            ["voice"],
            buckets=_FACTORS,
            registry=own,
        )
        self._gauge("glowvox_speaking", "Texts being spoken.", pool.admission, "speaking")
        self._gauge("glowvox_computing_queue", "Threads that wait for a processor.", pool.scheduler, "waiting")
        self._gauge("glowvox_waiting", "Requests that wait for a place.", pool.admission, "waiting")

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, meaning: str, owner: object, attribute: str) -> None:
        Gauge(name, meaning, registry=self._registry).set_function(lambda: float(getattr(owner, attribute)))
