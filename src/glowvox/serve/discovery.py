"""Zeroconf: the Wyoming server announced in the local network (mDNS, DNS-SD), where Home Assistant finds it."""

import asyncio
import ipaddress
import re
import socket
from typing import Any

from glowvox.errors import ConfigError, MissingExtraError

_TYPE = "_wyoming._tcp.local."
_MULTICAST = ("224.0.0.251", 1)
"""Of mDNS; nothing is sent to find out which address of ours would send there."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,62}")


class Announcement:
    """Announces a Wyoming server for as long as it listens.

    Args:
        name: under which it is found, the only one of that name in the network; empty: `glowvox-` and the host's name.
        host: where the server listens.
        port: its TCP port; 0: a Unix socket.

    Raises:
        ConfigError: the name is none, or nobody else could reach that address.
        MissingExtraError: the package `zeroconf` is not installed.
    """

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name = name or default_name()
        if not _NAME.fullmatch(self._name):
            raise ConfigError(
                f"'{self._name[:100]}' is no name to announce: use at most 63 letters, digits, blanks, '-' and '_'"
            )
        self._address = _reachable(host) if port else None
        self._port = port
        if self._address is None:
            raise ConfigError(
                "what only this machine can reach is not announced: let Wyoming listen at an address of the network, "
                "such as tcp://0.0.0.0:10200"
            )
        try:
            from zeroconf import asyncio as zeroconf
        except ModuleNotFoundError as error:
            raise MissingExtraError("zeroconf", "zeroconf", "announcing the server in the network") from error
        self._library: Any = zeroconf
        self._running: Any = None

    async def start(self) -> None:
        """Begin to announce.

        Raises:
            ConfigError: the network does not take it, or has another server of that name.
        """
        service = self._library.AsyncServiceInfo(
            _TYPE, f"{self._name}.{_TYPE}", parsed_addresses=[self._address], port=self._port
        )
        try:
            self._running = self._library.AsyncZeroconf()
            await self._running.async_register_service(service)
        except Exception as error:  # the package has its own, and those of the system pass through it
            await self.stop()
            why = str(error) or type(error).__name__
            raise ConfigError(f"the server cannot be announced as '{self._name}': {why}") from error

    async def stop(self) -> None:
        """Take the announcement back."""
        running, self._running = self._running, None
        if running is not None:
            async with asyncio.timeout(5):
                await running.async_unregister_all_services()
                await running.async_close()


def default_name() -> str:
    """Return the name of a server that was given none."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname().split(".")[0]).strip("-")
    return f"glowvox-{host}"[:63].rstrip("-")


def _reachable(host: str) -> str | None:
    """Return the address under which others reach a server that listens at a host; None: they do not."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][4][0]
        address = ipaddress.ip_address(str(found).partition("%")[0])
        if address.is_unspecified:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
                trial.connect(_MULTICAST)
                address = ipaddress.ip_address(trial.getsockname()[0])
    except (OSError, ValueError):  # the latter of what is no name of a host
        return None
    return None if address.is_loopback or address.is_unspecified else str(address)
