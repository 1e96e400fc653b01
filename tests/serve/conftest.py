"""Fixtures of the tests of the server."""

import warnings
from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="the server's packages are not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports audioop, which Python 3.13 has no more
    pytest.importorskip("wyoming.audio", reason="the server's packages are not installed")

from loopback import Running, running, slow_voice
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
