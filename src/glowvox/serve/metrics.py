"""What Prometheus reads at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from glowvox.serve.studio import Studio

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


class Metrics:
    """The figures of one server; two servers in one process count apart."""

    def __init__(self, studio: Studio) -> None:
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
        self._gauge("glowvox_speaking", "Texts being spoken.", studio.admission, "speaking")
        self._gauge("glowvox_computing_queue", "Threads that wait for a processor.", studio.turnstile, "waiting")
        self._gauge("glowvox_waiting", "Requests that wait for a place.", studio.admission, "waiting")

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, meaning: str, owner: object, attribute: str) -> None:
        Gauge(name, meaning, registry=self._registry).set_function(lambda: float(getattr(owner, attribute)))
