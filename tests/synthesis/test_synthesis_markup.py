"""Marked-up texts spoken: Markdown in pieces as in one, SSML with pitch and volume, foreign voices, strictness."""

import numpy as np
import pytest
from tiny_voice import fake_voice, write_tiny_voice

from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice import joined

ANSWER = (
    "# The answer\n\nIt is **forty two**, see [here](https://example.com).\n\n- one\n- `two`\n\n"
    "| a | b |\n|---|---|\n| c | d |\n\n```sh\nrm -rf x\n```\n\nThat is $\\frac{1}{2}$ of it, *all*.[pause:1s]Bye."
)
SPOKEN = ["The", "answer", "It", "is", "forty", "two", "see", "here"]


def _words(audio):
    return [word.text.strip(".,;") for word in audio.words]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_markdown_in_pieces_is_the_whole(size):
    voice, told, streamed_told = fake_voice(), [], []
    whole = voice.say(ANSWER, on_warning=told.append)
    pieces = (ANSWER[start : start + size] for start in range(0, len(ANSWER), size))
    streamed = joined(voice.stream(pieces, on_warning=streamed_told.append))
    np.testing.assert_array_equal(streamed.samples, whole.samples)
    assert streamed.words == whole.words
    assert _words(whole)[: len(SPOKEN)] == SPOKEN
    assert streamed_told == told and any("1 line of code of sh" in line for line in told)


def test_markup_can_be_named_and_switched_off():
    voice = fake_voice()
    assert _words(voice.say("<b>Hi</b> you", markup="html")) == ["Hi", "you"]
    assert len(voice.say("# Hi", markup="plain").words) == 2
    assert len(voice.say("# Hi").words) == 1
    assert "rm" in _words(voice.say(ANSWER, read_code=True))
    assert _words(voice.say("<speak>Hi <break time='1s'/>you</speak>")) == ["Hi", "you"]
    assert _words(voice.say("Hi <break time='1s'/>you", markup="ssml")) == ["Hi", "you"]
    with pytest.raises(ConfigError, match="the markup must be one of auto, plain, markdown, html, ssml, got 'rst'"):
        voice.say("Hi", markup="rst")
    with pytest.raises(ConfigError, match="read_code must be true or false"):
        voice.say("Hi", read_code=1)


def test_a_heading_and_an_item_end_with_a_pause():
    voice = fake_voice(sentence_pause=0.5, paragraph_pause=1.5, context_tokens=0)
    parts = [voice.say(text).duration for text in ("Heading", "One", "Two")]
    said = voice.say("# Heading\n\n- **One**\n- Two")
    assert said.duration == pytest.approx(sum(parts) + 1.5 + 0.5, abs=0.001)


def test_volume_is_that_of_the_words_and_streams_like_the_whole():
    voice = fake_voice(temperature=0.0, sigma=0.5)
    plain = voice.say("<speak>One two three.</speak>", ssml=True)
    soft = voice.say("<speak>One <prosody volume='-20dB'>two</prosody> three.</speak>", ssml=True)
    assert soft.words == plain.words
    rate = voice.sample_rate
    for place, factor in ((0, 1.0), (1, 0.1)):
        word = plain.words[place]
        middle = slice(int((word.start + 0.03) * rate), int((word.end - 0.03) * rate))
        np.testing.assert_allclose(soft.samples[middle], factor * plain.samples[middle], atol=1e-6)
    document = "<speak>One <prosody volume='x-loud'>two</prosody> three.</speak>"
    loud = voice.say(document, ssml=True)
    assert np.abs(loud.samples).max() > np.abs(plain.samples).max()
    np.testing.assert_allclose(joined(voice.stream(document, ssml=True)).samples, loud.samples, atol=1e-6)
    assert not voice.say("<speak><prosody volume='silent'>One two.</prosody></speak>", ssml=True).samples.any()


def test_the_pitch_of_a_word_is_asked_of_a_voice_with_a_melody(tmp_path):
    voice = load_voice(write_tiny_voice(tmp_path / "tiny", tmp_path / "models", melody=True))
    plain = voice.say("<speak>One two three.</speak>", ssml=True)
    same = voice.say("<speak><prosody pitch='+4st'>One two three.</prosody></speak>", ssml=True)
    np.testing.assert_allclose(same.samples, voice.say("One two three.", pitch_shift=4.0).samples, atol=1e-5)
    one = voice.say("<speak>One <prosody pitch='+4st'>two</prosody> three.</speak>", ssml=True)
    assert np.abs(one.samples - plain.samples).max() > 1e-4
    assert np.abs(one.samples - same.samples).max() > 1e-4
    told = []
    fake_voice().say("<speak><prosody pitch='high'>One. Two.</prosody></speak>", ssml=True, on_warning=told.append)
    assert [line for line in told if "no melody" in line] == told and len(told) == 1


def test_the_voice_of_another_system_is_passed_over_with_a_warning():
    voice, told = fake_voice(), []
    document = '<speak><voice name="en-US-JennyNeural">Hello.</voice></speak>'
    assert _words(voice.say(document, ssml=True, on_warning=told.append)) == ["Hello"]
    assert any("no speaker 'en-US-JennyNeural'" in line for line in told)
    with pytest.raises(VoiceError, match="has no speaker"):
        voice.say(document, ssml=True, strict_ssml=True)
    with pytest.raises(VoiceError, match="has no speaker 'eve'"):
        fake_voice(speakers=("ann", "bob")).say('<speak><voice name="eve">Hello.</voice></speak>')


def test_strict_ssml_keeps_refusing():
    voice = fake_voice()
    for document, message in (
        ("<speak><emphasis>x</emphasis></speak>", "<emphasis> is not supported"),
        ("<p>x</p>", "must begin with <speak>"),
        ("<speak><prosody pitch='high'>x</prosody></speak>", "no attribute 'pitch'"),
        ("<speak><break time='1 s'/>x</speak>", "write it as 500ms"),
    ):
        with pytest.raises(TextError, match=message):
            voice.say(document, ssml=True, strict_ssml=True)
        assert voice.say(document, ssml=True).words


def test_a_language_that_the_voice_has_is_spoken_inside_a_document():
    voice = fake_voice(speakers=("ann", "kerstin"), speaker_languages={"kerstin": "de-de"})
    said = voice.say("<speak>One <lang xml:lang='de'>Hallo</lang> two.</speak>", ssml=True)
    german = voice.say("Hallo.", language="de-de").words[0]
    assert [p.text for p in said.words[1].phonemes] == [p.text for p in german.phonemes]
