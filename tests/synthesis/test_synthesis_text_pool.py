"""Texts on several threads sound as alone, in their order, and nothing that goes wrong takes others along."""

import threading

import numpy as np
import pytest
from tiny_voice import FakeAcoustic, FakeVocoder, card

from glowvox.engines.machine import usable_cores
from glowvox.errors import EngineError, TextError, VoiceError
from glowvox.synthesis.voice import Voice

TEXTS = [f"This is sentence number {number}. And another one." for number in range(7)]


class _Parallel(FakeVocoder):
    """May be called by several threads; notes which ones."""

    def __init__(self):
        super().__init__()
        self.threads = set()

    @property
    def parallel(self):
        return True

    def _run(self, latent, mel):
        self.threads.add(threading.current_thread().name)
        return super()._run(latent, mel)


def _voice(alone=None, threads=3):
    vocoder = _Parallel()
    return Voice(card(), FakeAcoustic(), vocoder, alone=alone, threads=threads), vocoder


def _opening():
    opened = []

    def alone():
        opened.append(_Parallel())
        return FakeAcoustic(), opened[-1]

    return alone, opened


LONG = " ".join(TEXTS)


class _Meeting(_Parallel):
    """Lets its first call wait for another one at the same time."""

    def __init__(self):
        super().__init__()
        self.two = threading.Barrier(2)
        self.calls = iter(range(10**6))

    def _run(self, latent, mel):
        if next(self.calls) < 2:
            self.two.wait(timeout=30)
        return super()._run(latent, mel)


def test_the_sentences_of_a_long_text_are_spoken_side_by_side():
    meeting = _Meeting()
    voice, shared = _voice(lambda: (FakeAcoustic(), meeting))
    audio = voice.say(LONG, seed=2, denoise=0.0)
    assert not shared.threads
    assert len(meeting.threads) > 1 and all(name.startswith("glowvox-sentences") for name in meeting.threads)
    wanted = _voice(threads=1)[0].say(LONG, seed=2, denoise=0.0)
    np.testing.assert_array_equal(audio.samples, wanted.samples)
    assert audio.words == wanted.words
    chunks = list(voice.stream(LONG, early=False, seed=2, denoise=0.0))
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), wanted.samples)
    meeting.threads.clear()
    pieces = [LONG[:50], LONG[50:]]
    known = list(voice.stream(pieces, early=False, seed=2, denoise=0.0))
    assert len(meeting.threads) > 1
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in known]), wanted.samples)
    written = list(voice.stream(iter(pieces), early=False, seed=2, denoise=0.0))
    assert shared.threads  # nobody knows when the rest comes
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in written]), wanted.samples)
    slot = voice.say(LONG, seed=2, slot=60.0)
    assert len(slot.samples) == 60 * voice.sample_rate


def test_a_short_text_opens_nothing_and_an_abandoned_one_stops():
    alone, opened = _opening()
    voice, shared = _voice(alone)
    voice.say(TEXTS[0])
    assert not opened and shared.threads
    chunks = voice.stream(LONG * 20, early=False)
    next(chunks)
    chunks.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("glowvox-sentences")]


def test_a_sentence_that_fails_ends_the_text_with_its_error():
    class Failing(_Parallel):
        fatal = iter(range(10**6))

        def _run(self, latent, mel):
            if next(self.fatal) == 5:
                raise EngineError("out of luck")
            return super()._run(latent, mel)

    voice, _ = _voice(lambda: (FakeAcoustic(), Failing()))
    with pytest.raises(EngineError, match="out of luck"):
        voice.say(LONG * 3)


def test_each_sounds_as_alone_in_its_order():
    alone, opened = _opening()
    voice, shared = _voice(alone)
    spoken = list(voice.say_many(iter(TEXTS), batch_size=3, seed=2))
    assert len(opened) == 1 and not shared.threads  # the engines of one thread did all
    assert opened[0].threads
    for text, audio in zip(TEXTS, spoken, strict=True):
        wanted = voice.say(text, seed=2)
        np.testing.assert_array_equal(audio.samples, wanted.samples)
        assert audio.words == wanted.words
    list(voice.say_many(TEXTS, batch_size=3))
    assert len(opened) == 1


def test_few_texts_open_nothing():
    alone, opened = _opening()
    voice, shared = _voice(alone)
    assert len(list(voice.say_many(TEXTS[:2], batch_size=3))) == 2
    assert not opened and len(shared.threads) == 1
    assert list(voice.say_many([], batch_size=3)) == []
    assert len(list(voice.say_many(TEXTS, batch_size=1))) == len(TEXTS)
    assert not opened


def test_one_thread_stays_one():
    alone, opened = _opening()
    voice, shared = _voice(alone, threads=1)
    assert len(list(voice.say_many(TEXTS, batch_size=3))) == len(TEXTS)
    assert not opened and len(shared.threads) == 1


def test_a_voice_whose_files_are_gone_goes_on_with_what_it_has():
    def alone():
        raise VoiceError("the file is gone")

    voice, shared = _voice(alone)
    assert len(list(voice.say_many(TEXTS, batch_size=3))) == len(TEXTS)
    assert shared.threads
    voice, shared = _voice(None)
    assert len(list(voice.say_many(TEXTS, batch_size=3))) == len(TEXTS)


def test_streams_at_the_same_time_share_the_cores():
    alone, opened = _opening()
    voice, shared = _voice(alone)
    wanted = voice.say(TEXTS[0]).samples
    assert not opened and voice._pool._streams == 0
    first = voice.stream(TEXTS[0])
    samples = [next(first).samples]
    np.testing.assert_array_equal(voice.say(TEXTS[0]).samples, wanted)  # it has company, for the first time
    voice._pool._opener.join()
    shared.threads.clear()
    np.testing.assert_array_equal(voice.say(TEXTS[0]).samples, wanted)
    assert len(opened) == 1 and opened[0].threads and not shared.threads
    samples.extend(chunk.samples for chunk in first)
    np.testing.assert_array_equal(np.concatenate(samples), wanted)
    assert shared.threads  # the one that began alone ends as it began
    opened[0].threads.clear()
    voice.say(TEXTS[0])
    assert not opened[0].threads


def test_streams_that_are_left_do_not_count():
    voice, _ = _voice(_opening()[0])
    voice.stream(TEXTS[0])  # never asked for anything
    left = voice.stream(TEXTS[0])
    next(left)
    assert voice._pool._streams == 1
    left.close()
    assert voice._pool._streams == 0
    with pytest.raises(TextError):
        voice.say("...")
    assert voice._pool._streams == 0


def test_texts_before_a_mistake_are_heard():
    voice, _ = _voice(_opening()[0])
    spoken = voice.say_many([*TEXTS[:5], "...", *TEXTS], batch_size=2)
    for text in TEXTS[:5]:
        np.testing.assert_array_equal(next(spoken).samples, voice.say(text).samples)
    with pytest.raises(TextError, match="text 6: nothing to say"):
        next(spoken)


@pytest.mark.parametrize("size", [2, 16])
def test_texts_that_cannot_be_spoken_may_be_left_out(size):
    voice, _ = _voice(_opening()[0])
    told = []
    texts = ["...", *TEXTS, "?", "..."]
    spoken = list(voice.say_many(texts, batch_size=size, on_error=lambda number, error: told.append((number, error))))
    assert [number for number, _ in told] == [1, len(TEXTS) + 2, len(TEXTS) + 3]
    assert all("nothing to say" in str(error) for _, error in told)
    for text, audio in zip(TEXTS, spoken, strict=True):
        np.testing.assert_array_equal(audio.samples, voice.say(text).samples)


def test_an_engine_that_fails_is_one_error_and_no_thread_is_left():
    class Broken(_Parallel):
        def _run(self, latent, mel):
            raise EngineError("broken")

    voice, _ = _voice(lambda: (FakeAcoustic(), Broken()))
    before = threading.active_count()
    with pytest.raises(EngineError, match="broken"):
        list(voice.say_many(TEXTS, batch_size=3))
    assert threading.active_count() == before


def test_who_stops_listening_leaves_nothing_behind():
    voice, _ = _voice(_opening()[0])
    before = threading.active_count()
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield "Yes."

    spoken = voice.say_many(endless(), batch_size=4)
    for _ in range(3):
        next(spoken)
    spoken.close()
    assert threading.active_count() == before
    assert len(taken) <= 4 + 3


def test_a_voice_uses_as_many_threads_as_it_may():
    assert _voice(threads=None)[0]._pool._threads == usable_cores()
    with pytest.raises(EngineError, match="from 1 to 4096"):
        _voice(threads=0)
