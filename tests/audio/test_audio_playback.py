"""The sound card, with a card that writes down what it plays."""

import sys
import threading
import types

import numpy as np
import pytest

from glowvox.audio.sound import Player, player
from glowvox.errors import AudioError, MissingExtraError


def _played(speaking: Player, size: int) -> np.ndarray:
    frames = speaking.frames()
    next(frames)
    pieces = []
    while not speaking._finished.is_set():
        pieces.append(np.frombuffer(frames.send(size), np.int16))
    return np.concatenate(pieces)


@pytest.mark.parametrize("size", [1, 64, 1000])
def test_everything_is_played_in_order(size):
    samples = np.linspace(-1.2, 1.2, 700, dtype=np.float32)
    speaking = Player()
    for start in range(0, 700, 90):
        speaking.push(samples[start : start + 90])
    speaking.push(samples[:0])
    finishing = threading.Thread(target=speaking.finish)
    finishing.start()
    played = _played(speaking, size)
    finishing.join(10)
    assert not finishing.is_alive()
    wanted = np.clip(np.rint(np.clip(samples, -1, 1) * 32768), -32768, 32767)
    np.testing.assert_array_equal(played[:700], wanted)
    assert not played[700:].any()


def test_the_card_gets_silence_where_nothing_is_ready():
    frames = Player().frames()
    next(frames)
    assert frames.send(8) == bytes(16)


def _miniaudio(monkeypatch, *, works: bool) -> types.ModuleType:
    module = types.ModuleType("miniaudio")
    module.MiniaudioError = type("MiniaudioError", (Exception,), {})
    module.SampleFormat = types.SimpleNamespace(SIGNED16=1)
    module.heard = []

    class PlaybackDevice:
        def __init__(self, **settings):
            if not works:
                raise module.MiniaudioError("no device")
            module.settings = settings
            self._closed = threading.Event()

        def start(self, frames):
            def run():
                while not self._closed.is_set():
                    module.heard.append(np.frombuffer(frames.send(50), np.int16))

            self._thread = threading.Thread(target=run)
            self._thread.start()

        def close(self):
            self._closed.set()
            self._thread.join()

    module.PlaybackDevice = PlaybackDevice
    monkeypatch.setitem(sys.modules, "miniaudio", module)
    return module


def test_a_device_hears_what_was_pushed(monkeypatch):
    module = _miniaudio(monkeypatch, works=True)
    with player(22050) as speaking:
        speaking.push(np.full(300, 0.5, np.float32))
    heard = np.concatenate(module.heard)
    assert module.settings["sample_rate"] == 22050
    assert (heard == 16384).sum() == 300


def test_what_is_missing_is_named(monkeypatch):
    _miniaudio(monkeypatch, works=False)
    with pytest.raises(AudioError, match="the sound card cannot be opened"), player(22050):
        pass
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    with pytest.raises(MissingExtraError, match="miniaudio"), player(22050):
        pass
