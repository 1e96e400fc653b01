"""Any text at all: a sensible result or one clear line, never a crash, never unbounded memory."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_voice import fake_voice

from glowvox.errors import GlowvoxError, TextError
from glowvox.synthesis.voice import Voice, joined

VOICE: Voice = fake_voice()
QUIET = {"on_warning": lambda message: None}

ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Z", "S")), max_size=60),
    st.lists(
        st.sampled_from(
            [
                "Hello. ",
                "Yes",
                "... ",
                "\n\n",
                "3.50 $",
                "[[ h ə ]]",
                "[[",
                "]] ",
                "“Dr. X”",
                "你好。",
                "مرحبا",
                "🙂",
                "—",
                ", ",
                "a ",
                "I.",
                "?!",
                " ",
            ]
        ),
        max_size=12,
    ).map("".join),
)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, st.integers(1, 9))
def test_any_text_is_spoken_or_refused_in_one_line_and_streams_alike(text, size):
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    try:
        whole = VOICE.say(text, **QUIET)
    except GlowvoxError as error:
        assert str(error) and "\n" not in str(error)
        with pytest.raises(GlowvoxError):
            joined(VOICE.stream(pieces, **QUIET))
        return
    assert len(whole.samples) and np.isfinite(whole.samples).all() and np.abs(whole.samples).max() < 2.0
    streamed = joined(VOICE.stream(pieces, **QUIET))
    np.testing.assert_allclose(streamed.samples, whole.samples, atol=1e-5)
    assert streamed.words == whole.words
    assert whole.words and all(word.text for word in whole.words)
    times = [time for word in whole.words for time in (word.start, word.end)]
    assert times == sorted(times) and times[0] >= 0 and times[-1] <= whole.duration + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=120))
def test_any_ssml_is_spoken_or_refused_in_one_line(document):
    for text in (document, f"<speak>{document}</speak>"):
        try:
            assert len(VOICE.say(text, ssml=True, **QUIET).samples)
        except GlowvoxError as error:
            assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "...", "?!", "\x00\x01", "—", "***", "𓀀", "\ufeff"])
def test_nothing_to_say_is_one_clear_line(text):
    for speak in (VOICE.say, lambda text, **rest: joined(VOICE.stream(text, **rest))):
        with pytest.raises(TextError, match="nothing to say: the text holds no word"):
            speak(text, **QUIET)
    with pytest.raises(TextError, match="text 2: nothing to say"):
        list(VOICE.say_many(["Hello.", text], **QUIET))


@pytest.mark.parametrize("text", ["a", "A", "5", "x.", "I", "ß", "é", "%"])
def test_one_character_is_spoken(text):
    audio = VOICE.say(text)
    assert [word.text for word in audio.words][:1] == [text.rstrip(".")]
    assert 0.05 < audio.duration < 10


def test_five_hundred_digits_are_spoken():
    audio = VOICE.say("7" * 500)
    assert sum(len(word.phonemes) for word in audio.words) > 500
    assert audio.duration > 20


def test_control_characters_do_not_stop_the_rest():
    told = []
    assert [word.text for word in VOICE.say("Hel\x00lo \x07there.", on_warning=told.append).words][-1] == "there"
    assert told == ["left out 1 control character"] or "control character" in told[0]


def test_a_text_without_end_is_streamed_in_bounded_memory():
    read = 0

    def text():
        nonlocal read
        for number in itertools.count():
            read += 1
            yield f"This is sentence number {number}, and so on. "

    chunks = VOICE.stream(text())
    seconds = 0.0
    for chunk in chunks:
        seconds += chunk.duration
        if seconds > 30:
            break
    chunks.close()
    assert read < 40


def test_a_hundred_thousand_characters_begin_at_once():
    text = "Many words follow one another here, without an end in sight. " * 1640
    assert len(text) > 100_000
    chunks = VOICE.stream(text)
    first = list(itertools.islice(chunks, 5))
    assert sum(chunk.duration for chunk in first) > 0.5
    chunks.close()
    one_word = VOICE.stream("a" * 100_000, **QUIET)
    assert next(one_word).duration > 0
    one_word.close()


@pytest.mark.parametrize("text", [None, 5, b"bytes", [b"bytes"], ["text", 3]])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(TextError, match="a text "):
        joined(VOICE.stream(text))


def test_an_error_of_the_writer_reaches_the_listener():
    def text():
        yield "This is the beginning. And "
        raise OSError("the line broke")

    chunks = VOICE.stream(text())
    with pytest.raises(OSError, match="the line broke"):
        joined(chunks)
