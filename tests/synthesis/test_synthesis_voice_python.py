"""A voice as a Python programmer meets it: reprs, mistakes, pickles, with blocks, streams without crumbs."""

import copy
import inspect
import itertools
import pickle

import numpy as np
import pytest
from tiny_voice import fake_voice, write_tiny_voice

import glowvox
from glowvox.audio import sound
from glowvox.audio.sound import Audio, AudioChunk, TimedPhoneme, TimedWord
from glowvox.errors import ConfigError, MissingExtraError, TextError, VoiceError
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.voice import Voice

TEXT = "One sentence here. Another one, longer than that! And a third?"
CRUMB = 0.02


@pytest.fixture(scope="module")
def voice():
    return fake_voice()


def test_reprs_are_short_and_say_what_it_is(voice):
    audio = voice.say(TEXT)
    assert repr(voice) == "Voice('tiny', en-us, 22050 Hz)"
    assert repr(fake_voice(speakers=("ann", "bob"))) == "Voice('tiny', en-us, 22050 Hz, 2 speakers)"
    assert repr(audio) == f"Audio({audio.duration:.2f} s, 22050 Hz, {len(audio.words)} words)"
    assert repr(Audio(np.zeros(22050, np.float32), 22050)) == "Audio(1.00 s, 22050 Hz, 0 words)"
    chunk = list(voice.stream("Hi."))[-1]
    assert repr(chunk).endswith(", last)")
    word = TimedWord("Hi", 0.1, 0.25, (TimedPhoneme("h", 0.1, 0.15), TimedPhoneme("ˈaɪ", 0.15, 0.25)))
    assert repr(word) == "TimedWord('Hi', 0.100-0.250 s, hˈaɪ)"
    assert len(repr(voice.card)) < 120


@pytest.mark.parametrize("given", [["one", "two"], ("one",), b"bytes", None, 3, iter(["a"])])
def test_say_takes_one_text_and_says_what_takes_several(voice, given):
    with pytest.raises(TextError, match="say_many"):
        voice.say(given)
    if isinstance(given, list):
        with pytest.raises(TextError, match="a list of 2"):
            voice.say(given)


def test_say_many_takes_several(voice):
    with pytest.raises(TextError, match="use say for it"):
        voice.say_many("one")


def test_the_docstring_of_say_names_every_option():
    for name in SpeechOptions.__dataclass_fields__:
        assert f"- {name}: " in Voice.say.__doc__
    for method in (Voice.say, Voice.stream, Voice.say_many, Voice.durations):
        for name in inspect.signature(method).parameters:
            if name not in ("self", "overrides", "text", "texts"):
                assert name in method.__doc__ or "those of `say`" in method.__doc__


def test_names_of_the_package():
    for name in ("Voice", "Audio", "AudioChunk", "TextError", "VoiceError", "load_voice", "load_model"):
        assert name in dir(glowvox)
    assert glowvox.Voice is Voice
    assert glowvox.Audio is Audio
    assert glowvox.AudioChunk is AudioChunk
    assert not [name for name in dir(glowvox) if name.startswith("_") and name != "__version__"]


def test_playing_goes_to_the_sound_card_whole_and_once(monkeypatch, voice):
    heard = []

    class Card:
        def __init__(self, rate):
            self.rate = rate

        def __enter__(self):
            return self

        def __exit__(self, *_):
            heard.append("finished")

        def push(self, samples):
            heard.append(samples)

    monkeypatch.setattr(sound, "player", Card)
    audio = Audio(np.linspace(-1, 1, 50000, dtype=np.float32), 22050)
    assert audio.play() is None
    assert heard.pop() == "finished"
    np.testing.assert_array_equal(np.concatenate(heard), audio.samples)


def test_playing_without_the_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "miniaudio", None)
    with pytest.raises(MissingExtraError, match=r"glowvox\[play\]"):
        Audio(np.zeros(10, np.float32), 22050).play()


def test_a_with_block_closes_the_voice():
    with fake_voice() as voice:
        assert voice.say("Hi.").duration > 0
        running = voice.stream(TEXT)
        next(running)
    assert sum(len(chunk.samples) for chunk in running) > 0  # what had begun is read to its end
    for call in (lambda: voice.say("Hi."), lambda: list(voice.stream("Hi.")), lambda: list(voice.say_many(["Hi."]))):
        with pytest.raises(VoiceError, match="closed"):
            call()
    voice.close()
    assert repr(voice) == "Voice('tiny', en-us, 22050 Hz)"


def test_a_voice_is_pickled_by_its_source(tmp_path, monkeypatch):
    write_tiny_voice(tmp_path / "anna", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    voice = load_voice("anna", engine="torch", threads=1)
    data = pickle.dumps(voice)
    assert len(data) < 1000  # no weights
    monkeypatch.chdir("/")
    again = pickle.loads(data)
    assert (again.name, again.card) == (voice.name, voice.card)
    np.testing.assert_array_equal(again.say("Hi.").samples, voice.say("Hi.").samples)
    assert copy.deepcopy(voice).name == "anna"


def test_a_voice_without_a_source_says_why_it_cannot_be_pickled(voice):
    with pytest.raises(TypeError, match="not made by load_voice"):
        pickle.dumps(voice)


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("cut", [None, 1, 7, 1000])
@pytest.mark.parametrize("text", [TEXT, "Hi.", "One. [pause:300ms] Two. [pause:1s]", "One.\n\nTwo."])
def test_streams_have_no_crumbs_and_no_empty_end(voice, text, cut, early):
    pieces = text if cut is None else iter([text[place : place + cut] for place in range(0, len(text), cut)])
    chunks = list(voice.stream(pieces, early=early))
    whole = voice.say(text)
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), whole.samples)
    assert [word for chunk in chunks for word in chunk.words] == list(whole.words)
    assert min(chunk.duration for chunk in chunks) >= CRUMB
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[0].start == 0.0
    for before, after in itertools.pairwise(chunks):
        assert after.start == pytest.approx(before.start + before.duration)


def test_a_stream_of_a_text_that_is_still_written_speaks_before_the_next_sentence_comes(voice):
    def written():
        yield "The first sentence is complete. The second one"
        assert heard > 0.9 * voice.say("The first sentence is complete.").duration - 0.1
        yield " comes later."

    heard = 0.0
    for chunk in voice.stream(written()):
        heard += chunk.duration
    assert heard == pytest.approx(voice.say("The first sentence is complete. The second one comes later.").duration)


def test_a_stream_with_a_slot_ends_exactly(voice):
    chunks = list(voice.stream(TEXT, slot=5.0))
    assert sum(len(chunk.samples) for chunk in chunks) == 5 * voice.sample_rate
    assert chunks[-1].last


def test_each_sentence_has_its_own_speed_and_pitch(voice):
    parts = TEXT.replace("! ", "!|").replace(". ", ".|").split("|")
    plain = [len(frames) for frames in voice.durations(TEXT)]
    assert len(plain) == 3
    own = voice.durations(TEXT, speed=[1.0, 0.5, 2.0])
    for frames, part, speed in zip(own, parts, (1.0, 0.5, 2.0), strict=True):
        [alone] = voice.durations(part, speed=speed)
        assert frames.sum() == pytest.approx(alone.sum(), abs=len(frames))
    np.testing.assert_array_equal(voice.say(TEXT, speed=[1.0, 1.0, 1.0]).samples, voice.say(TEXT).samples)
    whole = voice.say(TEXT, speed=(1.0, 0.5, 2.0))
    streamed = np.concatenate([chunk.samples for chunk in voice.stream(TEXT, speed=(1.0, 0.5, 2.0))])
    np.testing.assert_array_equal(whole.samples, streamed)


def test_each_sentence_has_its_own_melody(tmp_path):
    voice = load_voice(write_tiny_voice(tmp_path / "anna", tmp_path / "models", melody=True), engine="torch", threads=1)
    plain, raised = voice.say("One. Two."), voice.say("One. Two.", pitch_shift=[0, 5], pitch_range=[1, 2])
    second = round((plain.words[0].end + 0.05) * voice.sample_rate)
    np.testing.assert_allclose(raised.samples[:second], plain.samples[:second], atol=1e-6)
    assert np.abs(raised.samples[second:] - plain.samples[second : len(raised.samples)]).max() > 1e-4


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"speed": [1.0, 2.0]}, TextError, "2 values of speed are given; the text has more"),
        ({"speed": [1.0]}, TextError, "1 value of speed"),
        ({"speed": [1, 1, 2, 3]}, TextError, "4 values of speed are given; the text has 3 sentences"),
        ({"speed": [1.0, 1.0, 99.0]}, ConfigError, "the speed must lie between"),
        ({"speed": [1.0, "fast", 1.0]}, ConfigError, "speed must be a number"),
        ({"speed": [1, 1, 1], "pitch_range": [1, 1]}, ConfigError, "3 of speed, 2 of pitch_range"),
        ({"temperature": [0.5, 0.5, 0.5]}, ConfigError, "temperature must be a number"),
    ],
)
def test_wrong_values_by_sentence_are_named(voice, options, error, said):
    with pytest.raises(error, match=said):
        voice.say(TEXT, **options)
