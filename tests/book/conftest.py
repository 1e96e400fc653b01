"""Voices that books are read with; without what the extra `book` brings there is nothing to test."""

import importlib.metadata
import importlib.util

import pytest


def _installed() -> bool:
    if any(importlib.util.find_spec(name) is None for name in ("lxml", "av", "pypdf", "PIL")):
        return False
    return int(importlib.metadata.version("av").split(".")[0]) >= 16


collect_ignore_glob = [] if _installed() else ["test_*.py"]


@pytest.fixture
def opened(monkeypatch):
    """The names of the voices that a book opens; none of them need be installed."""
    from tiny_voice import fake_voice

    import glowvox.book.narration as module

    names = []

    def load(name, **rest):
        names.append(name)
        return fake_voice()

    monkeypatch.setattr(module, "load_voice", load)
    monkeypatch.setattr(module, "find_voice", lambda name, real=module.find_voice: real(None))
    return names
