"""Zeroconf: who is announced and who is not, with the package itself where it is installed."""

import asyncio
import sys
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from glowvox.errors import ConfigError, MissingExtraError
from glowvox.serve import discovery
from glowvox.serve.discovery import Announcement, default_name
from glowvox.serve.settings import Address


class _Zeroconf:
    """What the package does, without a network."""

    made: ClassVar[list["_Zeroconf"]] = []
    fails = False

    def __init__(self):
        self.announced = []
        self.closed = False
        _Zeroconf.made.append(self)

    async def async_register_service(self, service):
        if self.fails:
            raise OSError("no multicast here")
        self.announced.append(service)

    async def async_unregister_all_services(self):
        self.announced.clear()

    async def async_close(self):
        self.closed = True


@pytest.fixture
def library(monkeypatch):
    package, inner = ModuleType("zeroconf"), ModuleType("zeroconf.asyncio")
    inner.AsyncZeroconf = _Zeroconf
    inner.AsyncServiceInfo = lambda kind, name, **rest: SimpleNamespace(kind=kind, name=name, **rest)
    package.asyncio = inner
    monkeypatch.setitem(sys.modules, "zeroconf", package)
    monkeypatch.setitem(sys.modules, "zeroconf.asyncio", inner)
    monkeypatch.setattr(_Zeroconf, "fails", False)
    _Zeroconf.made.clear()
    return _Zeroconf


def test_a_server_is_announced_as_home_assistant_looks_for_it(library):
    async def live():
        announcement = Announcement("kitchen", "192.0.2.7", 10200)
        await announcement.start()
        [service] = library.made[0].announced
        assert (service.kind, service.name) == ("_wyoming._tcp.local.", "kitchen._wyoming._tcp.local.")
        assert (service.parsed_addresses, service.port) == (["192.0.2.7"], 10200)
        await announcement.stop()
        assert library.made[0].closed
        assert not library.made[0].announced
        await announcement.stop()

    asyncio.run(live())


def test_a_network_that_does_not_take_it_is_one_line(library, monkeypatch):
    monkeypatch.setattr(_Zeroconf, "fails", True)
    with pytest.raises(ConfigError, match="'kitchen': no multicast here"):
        asyncio.run(Announcement("kitchen", "192.0.2.7", 10200).start())
    assert library.made[0].closed


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 10200), ("::1", 10200), ("localhost", 10200), ("", 0)])
def test_what_nobody_else_can_reach_is_not_announced(library, host, port):
    with pytest.raises(ConfigError, match="only this machine"):
        Announcement("kitchen", host, port)


@pytest.mark.parametrize("name", ["-x", "a.b", "x" * 64, "a/b", "\n"])
def test_names_that_are_none(library, name):
    with pytest.raises(ConfigError, match="no name to announce"):
        Announcement(name, "192.0.2.7", 10200)


def test_the_name_is_the_hosts(monkeypatch):
    for host, name in (("kitchen.example", "glowvox-kitchen"), ("a_b c", "glowvox-a-b-c"), ("x" * 80, None)):
        monkeypatch.setattr(discovery.socket, "gethostname", lambda host=host: host)
        assert default_name() == name or (name is None and len(default_name()) <= 63)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(MissingExtraError, match=r"glowvox\[zeroconf\]"):
        Announcement("kitchen", "192.0.2.7", 10200)


def test_it_needs_wyoming():
    with pytest.raises(ConfigError, match="--wyoming"):
        Address(zeroconf="")


def test_the_package_itself_finds_the_server(monkeypatch):
    library = pytest.importorskip("zeroconf")
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    async def live():
        announcement = Announcement("glowvox-test", "192.0.2.7", 10200)
        await announcement.start()
        async with AsyncZeroconf() as seeker:
            found = AsyncServiceInfo("_wyoming._tcp.local.", "glowvox-test._wyoming._tcp.local.")
            answered = await found.async_request(seeker.zeroconf, 3000)
        await announcement.stop()
        return answered and (found.parsed_addresses(library.IPVersion.V4Only), found.port)

    try:
        found = asyncio.run(live())
    except ConfigError as error:
        pytest.skip(f"this machine has no network for it: {error}")
    assert found == (["192.0.2.7"], 10200)
