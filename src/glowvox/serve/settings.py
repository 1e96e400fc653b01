"""What a server is told when it starts."""

import ipaddress
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from glowvox.config.processors import usable_cores
from glowvox.errors import ConfigError

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(:[0-9]{1,5})?")
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
HIGHEST_PORT = 65_535


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
    speech_seconds: float = 1200.0
    """Of speech for one text; on a WebSocket or over Wyoming, for one utterance."""
    seconds: float = 300.0
    """From the arrival of a request to the end of its answer."""
    receive_seconds: float = 30.0
    """In which the header of a request must have come, and its body; large bodies get as much longer as they need at
    8 KiB/s."""
    write_seconds: float = 60.0
    """For which a client may take nothing of what is sent to it."""
    key_seconds: float = 10.0
    """In which the first message of a WebSocket must have come with the API key, where keys are asked for."""
    connections: int = 1000
    """Connections of every protocol at the same time, fewer where the process may not open as many files."""
    sockets: int = 64
    """WebSockets at the same time, and as many Wyoming connections."""
    idle_seconds: float = 120.0
    """Without a message on a WebSocket or Wyoming connection."""

    def __post_init__(self) -> None:
        for name in (
            "characters",
            "body_bytes",
            "recording_bytes",
            "recording_seconds",
            "streams",
            "speech_seconds",
            "seconds",
            "receive_seconds",
            "write_seconds",
            "key_seconds",
            "connections",
            "sockets",
            "idle_seconds",
        ):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"the limit '{name}' must be greater than 0, and finite, got {value}")
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
    get_speech: bool = False
    """Whether `GET /v1/audio/speech?text=...` speaks, an address that a player can open."""
    voice_seconds: float = 900.0
    """After which a voice is let go that nobody has asked for, but for the default."""
    public_voices: bool = False
    """Whether voices and models are listed without a key."""
    server_names: tuple[str, ...] = ()
    """Hosts for which the server answers at a loopback address, besides those that mean this machine; "*": all."""
    log_text: bool = False
    """Whether the texts are logged."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"the number of workers must not be negative, got {self.workers}")
        if not (self.voice_seconds > 0 and math.isfinite(self.voice_seconds)):
            raise ConfigError(
                f"the seconds after which a voice is let go must be more than 0, and finite, got {self.voice_seconds}"
            )
        object.__setattr__(self, "origins", tuple(map(checked_origin, self.origins)))
        object.__setattr__(self, "server_names", tuple(map(checked_server_name, self.server_names)))

    @property
    def turns(self) -> int:
        """Computations at the same time."""
        return self.workers or usable_cores()


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


@dataclass(frozen=True)
class Address:
    """Where a server listens and whom it believes."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0: any that is free."""
    proxies: str = ""
    """Addresses of proxies whose `X-Forwarded-For` is believed, separated by commas; "*": all."""
    drain_seconds: float = 30.0
    """After SIGTERM, for what is being spoken."""
    wyoming: str = ""
    """Where to speak Wyoming: `tcp://HOST:PORT` or `unix:///PATH`; empty: nowhere."""
    zeroconf: str | None = None
    """Name under which Wyoming is announced in the local network; empty: one of the host's; None: not at all."""

    def __post_init__(self) -> None:
        if self.zeroconf is not None and not self.wyoming:
            raise ConfigError("--zeroconf announces a Wyoming server: say where it listens (--wyoming)")
        if not self.host:
            raise ConfigError("the host to listen at must have a name or an address; all addresses are 0.0.0.0 or ::")
        if not (self.drain_seconds >= 0 and math.isfinite(self.drain_seconds)):
            raise ConfigError(
                f"the seconds to finish in (drain) must be 0 or more, and finite, got {self.drain_seconds}"
            )
        object.__setattr__(self, "proxies", ",".join(_proxies(self.proxies)))
        if self.wyoming:
            wyoming_address(self.wyoming)


def checked_origin(origin: str) -> str:
    """Return an origin as browsers write it: scheme, host, and the port if it is not the scheme's own; or "*".

    Raises:
        ConfigError: it is none.
    """
    if origin == "*":
        return origin
    found = _ORIGIN.fullmatch(origin.strip().lower())
    if found is None or int((found[3] or ":1")[1:]) > HIGHEST_PORT or not found[2].strip("."):
        raise ConfigError(
            f"'{origin[:200]}' is no origin of a web page: write https://HOST or http://HOST:PORT, and nothing after it"
        )
    scheme, host, port = found[1], found[2], found[3] or ""
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS.get(scheme) else port}"


def checked_server_name(name: str) -> str:
    """Return the name of a host as `Host` headers are compared with it: in small letters, without a port.

    Raises:
        ConfigError: it is none.
    """
    if name == "*":
        return name
    found = host_name(name)
    if found is None:
        raise ConfigError(f"'{name[:200]}' is no name of a host: write voice.example, and neither https:// nor a path")
    return found


def host_name(header: str) -> str | None:
    """Return the host that a `Host` header names, in small letters, without port and last dot; None: it names none."""
    found = _HOST.fullmatch(header.strip().lower())
    return None if found is None else (found[1] or found[2]).rstrip(".") or None


def wyoming_address(uri: str) -> tuple[str, int, str]:
    """Return the host, the port and the path of an address for Wyoming: `tcp://HOST:PORT` or `unix:///PATH`.

    Raises:
        ConfigError: it is neither.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    path = parts.path if parts.scheme == "unix" and not host else ""
    if not (path or (parts.scheme == "tcp" and host and port is not None and not parts.path.strip("/"))):
        raise ConfigError(f"'{uri[:200]}' is no address for Wyoming; write tcp://HOST:PORT or unix:///PATH")
    return host, port or 0, path


def _proxies(addresses: str) -> list[str]:
    """Return the addresses and networks of a list with commas.

    Raises:
        ConfigError: one of them is neither.
    """
    found = [one for part in addresses.split(",") if (one := part.strip())]
    for one in found:
        try:
            if one != "*":
                ipaddress.ip_network(one)
        except ValueError:
            raise ConfigError(
                f"'{one[:200]}' is no address of a proxy: write IP addresses or networks, as 10.0.0.0/8, with commas"
            ) from None
    return found
