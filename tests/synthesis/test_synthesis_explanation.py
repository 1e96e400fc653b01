"""Explanations of a text: they are of the words that would be spoken, at the places where these stand."""

import pytest
from tiny_voice import fake_voice

from glowvox.errors import TextError
from glowvox.synthesis.script import lexicon_of


@pytest.fixture(scope="module")
def voice():
    return fake_voice()


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith paid $3.50 for 😀 it.\n\n“Did he?” she asked [pause:1s] twice.",
        "One, two\tthree. Four; [[ f ˈaɪ v ]] six!",
        "It's ☃, it's Zyxlor's; it's the end",
    ],
)
def test_words_stand_where_they_are_said_to_and_are_those_that_are_spoken(voice, text):
    words = voice.explain(text).words
    assert [text[slice(*word.span)] for word in words] == [word.text for word in words]
    spoken = voice.say(text).words
    assert [word.text for word in words] == [word.text for word in spoken]
    assert [word.ends_sentence for word in words] == [word.ends_sentence for word in spoken]
    told = [[phoneme for part in word.spoken for phoneme in part.phonemes] for word in words]
    assert told == [[phoneme.text for phoneme in word.phonemes] for word in spoken]


def test_a_warning_stands_at_every_word_that_it_is_about(voice):
    explained = voice.explain("Zyxlor met a man. The man met zyxlor.")
    assert [(word.text, bool(word.warnings)) for word in explained.words if word.warnings] == [
        ("Zyxlor", True),
        ("zyxlor", True),
    ]
    assert explained.warnings == ()


def test_a_warning_about_what_is_left_out_stands_where_it_was(voice):
    text = "It is so 𓀀 it."
    [warning] = voice.explain(text).warnings
    assert text[slice(*warning.span)] == "𓀀"
    assert "left out" in warning.message


def test_ssml_has_words_without_places(voice):
    explained = voice.explain('<speak>Pay <say-as interpret-as="characters">AB</say-as> now.</speak>', ssml=True)
    assert all(word.span is None for word in explained.words)
    assert explained.words[0].text == "Pay"
    with pytest.raises(TextError, match="audio"):
        voice.explain('<speak><audio src="x"/></speak>', ssml=True)


def test_the_users_lexicon_goes_first(voice):
    [word] = voice.explain("Zyxlor!", lexicon=lexicon_of("zyxlor = z ˈɪ k s")).words
    assert (word.spoken[0].source, word.spoken[0].phonemes) == ("user lexicon", ("z", "ˈɪ", "k", "s"))
    assert word.warnings == ()
    assert voice.explain("Zyxlor!").words[0].spoken[0].source == "rules"


def test_readings_are_given_where_they_are_asked_for(voice):
    [word] = voice.explain("read", readings=True).words
    readings = {" ".join(one.phonemes): one.source for one in word.spoken[0].readings}
    assert {"ɹ ˈi d": "lexicon", "ɹ ˈɛ d": "lexicon", "ˈɑ ɹ ˈi ˈeɪ d ˈi": "spelling"}.items() <= readings.items()
    assert voice.explain("read").words[0].spoken[0].readings == ()


@pytest.mark.parametrize(
    ("text", "form"),
    [("One [pause:1s] two.", "plain"), ("# One\n\nTwo *three*.", "markup"), (" <speak>One</speak>", "ssml")],
)
def test_says_what_the_text_was_read_as(voice, text, form):
    assert voice.explain(text).form == form


@pytest.mark.parametrize("text", ["a :'( b '\\( c", "it\\'s \\x [[ \\q ' ]] 'z", "\x00 one '\n' \"two"])
def test_quotes_and_backslashes_in_what_is_warned_of_do_no_harm(voice, text):
    assert voice.explain(text).words
