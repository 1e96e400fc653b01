"""Installed voices are served without being named, loaded when they are asked for, let go, and share a vocoder."""

import gc
import shutil
import threading
import time
from dataclasses import replace
from itertools import count

import pytest
from loopback import eventually, running, slow_voice
from tiny_voice import FakeVocoder, card, fake_voice, write_tiny_voice

from glowvox.errors import ConfigError, VoiceError
from glowvox.serve import voice_registry
from glowvox.serve.refusal import Refusal
from glowvox.serve.settings import ServerSettings
from glowvox.serve.voice_registry import ServedVoice, VoiceRegistry, find_voices
from glowvox.synthesis.installed_voices import VOICES_VARIABLE, installed_voices, load_voice
from glowvox.synthesis.shared_engines import SharedEngines


def lazy(name="later", delay=0.0):
    """A voice that is loaded when it is asked for, and a list with an entry for each time that this was done."""
    loads = []

    def load():
        loads.append(name)
        time.sleep(delay)
        return slow_voice(name=name)[0]

    return ServedVoice(slow_voice(name=name)[0].card, load), loads


@pytest.mark.parametrize(("step", "first"), [(0.001, 1.0), (0.2, 0.25)])
def test_on_a_fast_machine_the_first_chunk_is_longer(monkeypatch, step, first):
    clock = count()
    monkeypatch.setattr(voice_registry.time, "thread_time", lambda: step * next(clock))
    text = "One two three four five six seven eight nine ten, and then some more of it."
    kept = ServedVoice.kept(fake_voice())
    kept.warm_up()
    loaded, _ = lazy()
    for voice in (kept, loaded):
        assert 0.8 * first < next(voice.stream(text)).duration < 1.2 * first


def test_a_voice_is_loaded_at_its_first_request_and_let_go_after_a_time():
    later, loads = lazy()
    with running([fake_voice(), later], ServerSettings(voice_seconds=0.4)) as server:
        listed = server.client.get(f"{server.url}/v1/audio/voices").json()["voices"]
        assert [voice["id"] for voice in listed] == ["tiny", "later"]
        assert server.client.get(f"{server.url}/ready").status_code == 200
        assert loads == []
        first = server.post("Hello.", voice="later").content
        assert first == server.post("Hello.").content
        assert loads == ["later"]
        assert eventually(lambda: not later.loaded)
        assert server.service.registry.default.loaded
        assert server.post("Hello.", voice="later").content == first
        assert loads == ["later", "later"]


def test_many_requests_load_a_voice_once():
    later, loads = lazy(delay=0.3)
    answers = []
    with running([fake_voice(), later]) as server:
        threads = [
            threading.Thread(target=lambda: answers.append(server.post("Hello.", voice="later").content))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert loads == ["later"]
    assert len(set(answers)) == 1


def test_a_voice_that_is_speaking_is_not_let_go():
    later, _ = lazy()
    chunks = later.stream("Hello there. And here.")
    next(chunks)
    assert not later.release(0.0)
    list(chunks)
    assert not later.release(60.0)
    assert later.release(0.0)
    assert not later.loaded
    assert not later.release(0.0)
    given = ServedVoice.kept(fake_voice())
    assert not given.release(0.0)
    assert given.loaded


def test_what_is_known_of_a_voice_needs_no_models():
    later, loads = lazy()
    voice = slow_voice(name="later")[0]
    assert (later.name, later.card.speakers, later.card.sample_rate) == (voice.name, voice.speakers, voice.sample_rate)
    assert later.has_melody == voice.has_melody
    assert later.options(speed=1.5) == voice.options(speed=1.5)
    for wrong in ({"speed": 99.0}, {"unknown": 1}, {"speaker": "eve"}, {"language": "xx"}):
        messages = []
        for one in (later, voice):
            with pytest.raises((ConfigError, VoiceError)) as told:
                one.options(**wrong)
            messages.append(str(told.value))
        assert messages[0] == messages[1]
    assert loads == []


def test_a_voice_that_cannot_be_loaded_is_told_without_what_is_inside(caplog):
    def fail():
        raise VoiceError("/secret/place: the file is damaged")

    broken = ServedVoice(card(name="broken"), fail)
    with running([fake_voice(), broken]) as server:
        answer = server.post("Hello.", voice="broken")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "voice_unavailable"
        assert "secret" not in answer.text
        assert server.post("Hello.").status_code == 200
    assert any("secret" in str(record.__dict__.get("told")) for record in caplog.records)
    with pytest.raises(Refusal):
        broken.warm_up()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_that_are_none(seconds):
    with pytest.raises(ConfigError, match="let go"):
        ServerSettings(voice_seconds=seconds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of three voices: two of one model, one whose card is damaged."""
    place = tmp_path_factory.mktemp("voices")
    write_tiny_voice(place / "ann", tmp_path_factory.mktemp("models"))
    shutil.copytree(place / "ann", place / "bea")
    (place / "bea" / "voice.json").write_text((place / "ann" / "voice.json").read_text().replace('"ann"', '"bea"'))
    shutil.copytree(place / "ann", place / "damaged")
    (place / "damaged" / "voice.json").write_text("{")
    shutil.copytree(place / "ann", place / "twin")
    return place


def test_installed_voices_are_served_without_being_named(folder, monkeypatch, caplog):
    monkeypatch.setenv(VOICES_VARIABLE, str(folder))
    found = {one.voice.name: one for one in find_voices([], threads=1)}
    packaged = {voice.card().name for voice in installed_voices() if voice.packaged}
    assert set(found) == {"ann", "bea"} | packaged
    assert [one.voice.loaded for one in found.values()] == [True] + [False] * (len(found) - 1)
    assert next(iter(found)) in packaged
    left_out = [
        record.__dict__["told"]["voice"] for record in caplog.records if record.getMessage() == "voice left out"
    ]
    assert sorted(left_out) == ["damaged", "twin"]
    with running([one.voice for one in found.values()]) as server:
        assert server.post("Hello.", voice="bea").status_code == 200


def test_only_those_are_served_that_are_named(folder, monkeypatch):
    monkeypatch.setenv(VOICES_VARIABLE, str(folder))
    found = find_voices(["bea", str(folder / "ann")], threads=1)
    assert [(one.voice.name, one.voice.loaded) for one in found] == [("bea", True), ("ann", False)]
    with pytest.raises(VoiceError, match="no voice 'carl'"):
        find_voices(["bea", "carl"], threads=1)
    with pytest.raises(VoiceError):
        find_voices(["bea", str(folder / "damaged")], threads=1)


def named(name):
    return ServedVoice(replace(card(), name=name), None)


def test_names_are_found_in_capitals_or_not():
    registry = VoiceRegistry([named("nora"), named("Studio-One"), named("Ann"), named("ann")])
    for name, found in [
        ("Nora", "nora"),
        ("NORA", "nora"),
        ("Default", "nora"),
        ("DEFAULT", "nora"),
        ("studio-one", "Studio-One"),
        ("ann", "ann"),
        ("Ann", "Ann"),
    ]:
        assert registry.find(name).voice.name == found
    speaker = card().speakers[0]
    assert registry.find(f"NORA/{speaker}").speaker == speaker
    for name in ("ANN", "nor", "nora ", f"nora/{speaker.upper()}x"):  # which of two, or none
        with pytest.raises(Refusal):
            registry.find(name)


def test_voices_of_one_vocoder_have_it_in_memory_once(folder):
    shared = SharedEngines()
    ann, bea = (load_voice(folder / name, threads=1, shared=shared) for name in ("ann", "bea"))
    assert len(shared) == 2  # an acoustic model and a vocoder for both
    alone = load_voice(folder / "bea", threads=1)
    assert bea.say("Hello.").samples.tobytes() == alone.say("Hello.").samples.tobytes()
    assert len(shared) == 2
    del ann
    gc.collect()
    assert len(shared) == 2
    del bea
    gc.collect()
    assert len(shared) == 0


def test_other_files_and_other_threads_are_other_engines(folder, tmp_path):
    shared = SharedEngines()
    voices = [load_voice(folder / "ann", threads=threads, shared=shared) for threads in (1, 2)]
    assert len(shared) == 4
    assert voices[0].say("Hello.").samples.shape == voices[1].say("Hello.").samples.shape
    for name, content in (("one", b"1"), ("two", b"2"), ("again", b"1")):
        (tmp_path / name).write_bytes(content)
    kept = [shared.get([tmp_path / name], ("x",), FakeVocoder) for name in ("one", "two", "again")]
    assert kept[0] is kept[2]
    assert kept[0] is not kept[1]
    assert shared.get([tmp_path / "one"], ("y",), FakeVocoder) is not kept[0]
