"""Playback: it begins with the first chunk, ends when it was heard, and is stopped from anywhere."""

import contextlib
import threading
import time

import numpy as np
import pytest

import glowvox.synthesis.playback as module
from glowvox.audio.sound import AudioChunk, Player
from glowvox.errors import ConfigError, TextError
from glowvox.synthesis.playback import Playback, computed_beside

RATE = 8000


def _chunks(count=3, size=100):
    for number in range(count):
        yield AudioChunk(np.full(size, 0.5, np.float32), RATE, last=number == count - 1)


@pytest.fixture
def card(monkeypatch):
    """A sound card that takes a hundred samples every ten milliseconds."""
    heard = []

    @contextlib.contextmanager
    def player(rate):
        speaking = Player()
        frames = speaking.frames()
        next(frames)
        closed = threading.Event()

        def run():
            while not closed.wait(0.01):
                heard.append(np.frombuffer(frames.send(100), np.int16))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield speaking
            speaking.finish()
        finally:
            closed.set()
            thread.join()

    monkeypatch.setattr(module, "player", player)
    return heard


def test_all_is_heard_and_then_it_returns(card):
    playback = Playback()
    assert playback.play(_chunks(), RATE) == pytest.approx(300 / RATE)
    assert np.count_nonzero(np.concatenate(card)) == 300
    assert not playback.stopped
    with pytest.raises(ConfigError, match="plays once"):
        playback.play(_chunks(), RATE)


def test_the_first_chunk_is_heard_while_the_second_is_computed(card):
    computed = threading.Event()

    def slowly():
        yield AudioChunk(np.full(100, 0.5, np.float32), RATE)
        assert computed.wait(10)
        yield AudioChunk(np.full(100, 0.5, np.float32), RATE, last=True)

    thread = threading.Thread(target=Playback().play, args=(slowly(), RATE))
    thread.start()
    end = time.monotonic() + 10
    while not any(piece.any() for piece in card) and time.monotonic() < end:
        time.sleep(0.01)
    assert any(piece.any() for piece in card)
    computed.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("moment", ["before", "within", "computing"])
def test_it_is_stopped_from_another_thread(card, moment):
    playback, forever = Playback(), threading.Event()

    def endless():
        while True:
            yield AudioChunk(np.full(800, 0.5, np.float32), RATE)
            if moment == "computing":
                forever.wait(0.5)

    if moment == "before":
        playback.stop()
    else:
        threading.Timer(0.2, playback.stop).start()
    began = time.monotonic()
    seconds = playback.play(endless(), RATE)
    assert time.monotonic() - began < 5.0
    assert playback.stopped
    if moment == "before":
        assert seconds == 0.0 and not any(piece.any() for piece in card)
    else:
        assert any(piece.any() for piece in card)


def test_what_goes_wrong_while_computing_is_the_callers(card):
    def broken():
        yield AudioChunk(np.full(100, 0.5, np.float32), RATE)
        raise TextError("no more")

    with pytest.raises(TextError, match="no more"):
        Playback().play(broken(), RATE)


def test_nothing_more_is_computed_for_a_reader_that_left():
    taken = []

    def endless():
        for number in range(1_000_000):
            taken.append(number)
            yield AudioChunk(np.zeros(1, np.float32), RATE)

    reading = computed_beside(endless())
    next(reading)
    reading.close()
    time.sleep(0.3)
    count = len(taken)
    time.sleep(0.2)
    assert len(taken) == count < 1_000_000
    assert [chunk.last for chunk in computed_beside(_chunks())] == [False, False, True]


def test_a_player_that_is_stopped_takes_nothing_and_waits_for_nothing():
    speaking = Player()
    frames = speaking.frames()
    next(frames)
    speaking.push(np.full(100, 0.5, np.float32))
    assert any(frames.send(10))
    speaking.stop()
    assert speaking.stopped and not any(frames.send(10))
    for _ in range(100):  # more than it has room for
        speaking.push(np.full(100, 0.5, np.float32))
    speaking.finish()
