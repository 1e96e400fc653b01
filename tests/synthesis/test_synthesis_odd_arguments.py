"""Odd arguments to a voice: each mistake is one line that names what was given, and numbers of NumPy are numbers."""

import numpy as np
import pytest
from tiny_voice import fake_voice

from glowvox.align.prior import LONGEST_TOKEN
from glowvox.audio.sound import Audio
from glowvox.engines.machine import checked_threads
from glowvox.errors import AudioError, ConfigError, EngineError, GlowvoxError, TextError, VoiceError
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.options import SpeechOptions, VocoderOptions

TEXT = "Hello there. Good day!"
HUGE = 10**400


@pytest.fixture(scope="module")
def voice():
    return fake_voice()


@pytest.mark.parametrize("value", [HUGE, -HUGE, float("nan"), "1", None, True, [1], 1j, b"1"])
@pytest.mark.parametrize("name", ["speed", "temperature", "sigma", "denoise", "sentence_pause", "context_tokens"])
def test_what_is_no_number_in_range_is_refused(name, value):
    if (name, value) == ("context_tokens", HUGE):
        return  # every sentence has fewer tokens
    with pytest.raises(ConfigError, match=name.replace("_", "[_ ]")):
        SpeechOptions(**{name: value})
    if name in ("sigma", "denoise") and value != HUGE:
        with pytest.raises(ConfigError, match=name):
            VocoderOptions(**{name: value})


@pytest.mark.parametrize("value", [0, 1.5, b"ann", ["ann"], {}, np.float32(1), float("nan")])
@pytest.mark.parametrize("name", ["speaker", "language"])
def test_speakers_and_languages_are_names(voice, name, value):
    with pytest.raises(ConfigError, match=f"{name} must be a name"):
        voice.say(TEXT, **{name: value})


def test_an_empty_language_is_none_that_the_voice_speaks(voice):
    with pytest.raises(VoiceError, match="does not speak ''"):
        voice.say(TEXT, language="")


def test_numbers_and_arrays_of_numpy_are_numbers(voice):
    wished = {"speed": np.array([1.0, 1.5], np.float32), "sentence_pause": np.float32(0.5), "refine": np.int64(0)}
    same = {"speed": [1.0, 1.5], "sentence_pause": 0.5, "refine": 0}
    np.testing.assert_array_equal(voice.say(TEXT, **wished).samples, voice.say(TEXT, **same).samples)
    assert type(SpeechOptions(speed=np.float64(1.5)).speed) is float


@pytest.mark.parametrize("slot", ["1", [1], True, b"1", 1j])
def test_a_slot_is_a_number(voice, slot):
    for call in (voice.say, voice.stream):
        with pytest.raises(ConfigError, match="slot must be a number of seconds"):
            call(TEXT, slot=slot)


@pytest.mark.parametrize("slot", [1e308, 1e9, HUGE, -HUGE, float("nan"), float("inf"), 0, 1e-12])
def test_a_slot_that_no_text_fits_is_refused(voice, slot):
    with pytest.raises(TextError, match=r"slot of time|does not fit into"):
        voice.say(TEXT, slot=slot)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (5, "word_durations must be a list"),
        ("ab", "word_durations must be a list with seconds or None for each word, got a str"),
        ({0: 1}, "got a dict"),
        (iter([1.0]), "word_durations must be a list"),
        (np.array(1.0), "word_durations must be a list"),
        (["a", 1, 1, 1], "got 'a'"),
        ([True, 1, 1, 1], "got True"),
        ([[1], 1, 1, 1], r"got \[1\]"),
        ([1.0], "1 duration given, the text has 4 words"),
        ([1e308, 1, 1, 1], "'Hello' cannot last 1e[+]308"),
        ([HUGE, 1, 1, 1], "'Hello' cannot last inf"),
        ([float("nan"), 1, 1, 1], "'Hello' cannot last nan"),
    ],
)
def test_durations_of_words_are_seconds(voice, given, told):
    with pytest.raises(GlowvoxError, match=told):
        voice.say(TEXT, word_durations=given)


def test_durations_of_tokens_are_bounded_before_they_take_memory(voice):
    rows = voice.durations(TEXT)
    for wrong in (LONGEST_TOKEN + 1, 10**9, 2**62):
        with pytest.raises(TextError, match=f"{LONGEST_TOKEN} frames at most, got {wrong}"):
            voice.say(TEXT, token_durations=[np.full(len(rows[0]), wrong), rows[1]])
    for given in (5, "x", iter(rows), {0: rows[0]}):
        with pytest.raises(ConfigError, match="token_durations must be a list"):
            voice.say(TEXT, token_durations=given)
    with pytest.raises(TextError, match="1 row of durations given, the text has 2 sentences"):
        voice.say(TEXT, token_durations=rows[:1])


@pytest.mark.parametrize("given", [None, 5, b"hi", bytearray(b"hi"), ["a", "b"], {"a": 1}])
def test_a_text_is_a_string(voice, given):
    for call in (voice.say, voice.explain, voice.durations):
        with pytest.raises(TextError, match=r"one text, got an? "):
            call(given)
    if not isinstance(given, list | dict):
        with pytest.raises(TextError, match=r"got an? "):
            list(voice.stream(given))
        with pytest.raises(TextError, match=r"several texts, got an? "):
            voice.say_many(given)
    with pytest.raises(TextError, match=r"text 2: a text is a string, got an? "):
        list(voice.say_many(["Hi.", given]))


@pytest.mark.parametrize("size", ["1", None, 1.5, float("nan"), float("inf"), HUGE, [1], 0, True])
def test_a_batch_has_a_whole_number_of_texts(voice, size):
    with pytest.raises(ConfigError, match="batch_size must be a whole number"):
        voice.say_many(["Hi."], batch_size=size)


@pytest.mark.parametrize("seconds", ["1", None, [1], True, float("nan")])
def test_a_first_chunk_has_a_number_of_seconds(voice, seconds):
    with pytest.raises(ConfigError, match="first chunk"):
        voice.stream("Hi.", first_seconds=seconds)


@pytest.mark.parametrize("lexicon", [5, b"x", {"a": "b"}, ["a"]])
def test_a_lexicon_is_a_file(voice, lexicon):
    for call in (voice.say, voice.explain):
        with pytest.raises(TextError, match="a lexicon is the path of a file"):
            call("Hi.", lexicon=lexicon)
    with pytest.raises(TextError, match="a lexicon is the path of a file"):
        voice.say_many(["Hi."], lexicon=lexicon)


def test_a_listener_to_warnings_is_a_function_even_where_there_are_none(voice):
    with pytest.raises(ConfigError, match="on_warning must be a function"):
        voice.say("Hi.", on_warning="print")


@pytest.mark.parametrize("name", [5, b"nora", True, [], 1.5])
def test_a_voice_is_named_by_a_string_or_a_path(name):
    with pytest.raises(VoiceError, match="named by a string or a path"):
        find_voice(name)


@pytest.mark.parametrize("name", ["a" * 5000, "\0"])
def test_a_name_that_no_file_can_have_is_no_voice(name):
    with pytest.raises(VoiceError, match="there is no voice"):
        find_voice(name)


@pytest.mark.parametrize("threads", [1.5, "2", True, float("nan"), 0, 10**30])
def test_threads_are_a_whole_number(threads):
    with pytest.raises(EngineError, match="threads must be a whole number"):
        checked_threads(threads)


def test_a_thread_count_of_numpy_is_a_number():
    assert checked_threads(np.int64(2)) == 2


@pytest.mark.parametrize("rate", ["x", None, float("nan"), float("inf"), 1.5, True, [22050]])
def test_a_sample_rate_is_a_whole_number(tmp_path, rate):
    with pytest.raises(AudioError, match="must be a whole number of Hz"):
        Audio(np.zeros(10, np.float32), rate).save(tmp_path / "a.wav")


def test_ragged_samples_and_impossible_names_are_refused_in_one_line(tmp_path):
    with pytest.raises(AudioError, match="one row of floating-point numbers"):
        Audio([[0.1, 0.2], [0.3]], 22050).save(tmp_path / "a.wav")
    good = Audio(np.zeros(10, np.float32), 22050)
    for name in ("a\0.wav", "a.wav\n"):
        with pytest.raises(AudioError) as refused:
            good.save(f"{tmp_path}/{name}")
        assert "\n" not in str(refused.value)
        assert "\0" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
