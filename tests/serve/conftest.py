"""Fixtures of the tests of the server."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server's packages are not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports audioop, which Python 3.13 has no more
    pytest.importorskip("wyoming.audio", reason="the server's packages are not installed")

from loopback import Running, running, slow_voice
from page_browser import headless, opened, ready
from page_stub import Script, serving
from tiny_voice import fake_voice


@pytest.fixture(scope="session")
def voice():
    return fake_voice()


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A server with two voices and no special settings, shared by the tests that leave it as it is."""
    other, _ = slow_voice(name="duo", speakers=("ann", "bob"))
    with running([fake_voice(), other]) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless() as one:
        yield one


@pytest.fixture
def script() -> Script:
    """What the stub of a service shall do."""
    return Script()


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    """The address of the page of a stub."""
    with serving(script) as address:
        yield address


@pytest.fixture
def page(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, with the `TEXT` of the test's module written."""
    with opened(browser, url) as one:
        yield ready(one, request.module.TEXT)


@pytest.fixture(scope="module")
def quiet_page(browser: Any) -> Iterator[Any]:
    """One page for the tests that only ask it something."""
    with serving(Script()) as address, opened(browser, address) as one:
        yield ready(one)
