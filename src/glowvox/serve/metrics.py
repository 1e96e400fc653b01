"""Metrics: the figures that Prometheus reads."""

import platform
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from glowvox import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


class Metrics:
    """The figures at /metrics, of one server; two servers in one process count apart."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        ProcessCollector(registry=own)  # memory, processor time, file descriptors, start
        GCCollector(registry=own)
        build = Gauge("glowvox_build_info", "What runs; always 1.", ["version", "python"], registry=own)
        build.labels(__version__, platform.python_version()).set(1)
        self.requests = Counter("glowvox_requests", "Requests answered.", ["path", "status"], registry=own)
        self.request_seconds = Histogram(
            "glowvox_request_seconds",
            "From the arrival of a request to the end of its answer, or of its connection.",
            ["path"],
            buckets=_SECONDS + (60.0, 300.0),
            registry=own,
        )
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

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a figure that is asked for whenever the metrics are read."""
        Gauge(name, meaning, registry=self._registry).set_function(lambda: float(value()))

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
