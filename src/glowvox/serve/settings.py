"""What a server is told when it starts."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from glowvox.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """What one request, one client and all of them together may use."""

    characters: int = 10_000
    """Of one text."""
    body_bytes: int = 1 << 20
    """Of a request's body, and of a message on a WebSocket; recordings to align have `recording_bytes`."""
    recording_bytes: int = 32 << 20
    """Of a recording that is sent to be aligned."""
    recording_seconds: float = 120.0
    """Of such a recording."""
    streams: int = 16
    """Texts spoken at the same time; more wait."""
    waiting: int = 64
    """Requests that wait for their turn; more are refused with 503."""
    per_client: int = 0
    """Requests of one client (key, or address) spoken or waiting; more are refused with 429. 0: no such limit."""
    seconds: float = 300.0
    """From the arrival of a request to the end of its answer."""
    sockets: int = 64
    """WebSocket and Wyoming connections at the same time."""
    idle_seconds: float = 120.0
    """Without a message on a WebSocket or Wyoming connection."""

    def __post_init__(self) -> None:
        for name in (
            "characters",
            "body_bytes",
            "recording_bytes",
            "recording_seconds",
            "streams",
            "seconds",
            "sockets",
            "idle_seconds",
        ):
            if not getattr(self, name) > 0:
                raise ConfigError(f"the limit '{name}' must be greater than 0, got {getattr(self, name)}")
        for name in ("waiting", "per_client"):
            if getattr(self, name) < 0:
                raise ConfigError(f"the limit '{name}' must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True)
class ServerSettings:
    """Everything but the voices."""

    limits: Limits = field(default_factory=Limits)
    workers: int = 0
    """Computations at the same time; 0: one per core that this process may use."""
    keys: tuple[str, ...] = ()
    """API keys; none: everybody may speak."""
    origins: tuple[str, ...] = ()
    """Web pages of other hosts that may use the server (CORS); "*": all."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of voices, OpenAI's among them, each with the voice (or VOICE/SPEAKER) that it means."""
    public_voices: bool = False
    """Whether voices and models are listed without a key."""
    log_text: bool = False
    """Whether the texts are logged."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"the number of workers must not be negative, got {self.workers}")

    @property
    def turns(self) -> int:
        """Computations at the same time."""
        if self.workers:
            return self.workers
        # systems without affinities, such as macOS, have no such function
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def parse_aliases(written: Iterable[str]) -> dict[str, str]:
    """Return the aliases that a user wrote as `ALIAS=VOICE`.

    Raises:
        ConfigError: one is not of that form, or is there twice.
    """
    aliases: dict[str, str] = {}
    for one in written:
        alias, _, voice = (part.strip() for part in one.partition("="))
        if not alias or not voice:
            raise ConfigError(f"'{one[:100]}' is no alias of a voice; write ALIAS=VOICE, such as alloy=kathleen")
        if alias.lower() in map(str.lower, aliases):
            raise ConfigError(f"the alias '{alias[:100]}' is given twice")
        aliases[alias] = voice
    return aliases
