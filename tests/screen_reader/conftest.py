"""Fixtures of the tests of the screen reader's module."""

from collections.abc import Iterator

import pytest
from module_server import Server, resident

from glowvox.screen_reader.resident_voices import ResidentVoices


@pytest.fixture(scope="module")
def voices() -> ResidentVoices:
    return resident()


@pytest.fixture
def server(voices) -> Iterator[Server]:
    one = Server(voices)
    one.begin()
    yield one
    one.close()
