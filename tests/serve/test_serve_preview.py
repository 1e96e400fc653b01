"""What can be known before anything is spoken: how a text is read, and what a voice sounds like."""

import io

import numpy as np
import pytest
import soundfile
from loopback import running
from tiny_voice import fake_voice

from glowvox.serve.settings import Limits, ServerSettings
from glowvox.synthesis.script import lexicon_of


def explain(server, text, **fields):
    return server.client.post(f"{server.url}/v1/explain", json={"input": text, **fields})


def test_explains_every_word_at_its_place(server):
    text = "He paid $3 to Zyxlor."
    answer = explain(server, text).json()
    assert answer["normalized"] == "He paid three dollars to Zyxlor."
    assert [text[word["start"] : word["end"]] for word in answer["words"]] == ["He", "paid", "$3", "to", "Zyxlor"]
    assert [one["text"] for one in answer["words"][2]["spoken"]] == ["three", "dollars"]
    assert "by rules" in answer["words"][4]["warnings"][0]
    assert answer["words"][4]["ends_sentence"]
    assert answer["warnings"] == []


def test_readings_of_a_word(server):
    [word] = explain(server, "read", readings=True).json()["words"]
    assert {"phonemes": "ɹ ˈɛ d", "source": "lexicon"} in word["spoken"][0]["readings"]
    assert explain(server, "read " * 80, readings=True).status_code == 413


def test_a_homograph_tells_its_reading_and_why(server):
    spoken = {word["text"]: word["spoken"][0] for word in explain(server, "The lead pipe.").json()["words"]}
    assert spoken["lead"]["reading"] and spoken["lead"]["why"]
    assert "reading" not in spoken["pipe"]


def test_ssml_is_recognised(server):
    answer = explain(server, ' <speak>One <break time="1s"/> two.</speak>').json()
    assert [(word["text"], word["start"]) for word in answer["words"]] == [("One", None), ("two", None)]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("<speakers are loud>", "markup"),
        ("\ufeff<speak>One.</speak>", "ssml"),
        ("<!-- a --><speak>One.</speak>", "ssml"),
        ('<?xml version="1.0"?>\n<!DOCTYPE speak>\n<speak>One.</speak>', "ssml"),
    ],
)
def test_what_a_text_is_speech_and_explanation_decide_alike(server, text, form):
    assert explain(server, text).json()["form"] == form
    assert server.post(text).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": "Hello.", "lexicon": "nonsense"}, 400, "line 1: expected 'word = pronunciation'"),
        ({"input": "Hello.", "voice": "nobody"}, 404, "nobody"),
        ({"input": "<speak>Hello.</speek>"}, 400, "mismatched tag"),
        ({"input": "x" * 10_001}, 413, "10000"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_line(server, fields, status, said):
    answer = server.client.post(f"{server.url}/v1/explain", json=fields)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_a_lexicon_goes_with_a_request_for_speech(server, voice):
    lexicon = "zyxlor = z ˈɪ k s # mine\n"
    answer = server.post("Zyxlor!", sample_rate=voice.sample_rate, lexicon=lexicon)
    expected = voice.say("Zyxlor!", lexicon=lexicon_of(lexicon))
    samples = np.frombuffer(answer.content, "<i2") / 32768
    assert len(samples) == len(expected.samples) != len(voice.say("Zyxlor!").samples)
    np.testing.assert_allclose(samples, expected.samples, atol=2 / 32768)
    wrong = server.post("Zyxlor!", lexicon="zyxlor = /q7/")
    assert (wrong.status_code, "line 1" in wrong.json()["error"]["message"]) == (400, True)


def test_pauses_are_as_long_as_asked_for(server, voice):
    text = "One. Two.\n\nThree."
    usual, long = (
        len(server.post(text, sample_rate=voice.sample_rate, **fields).content) / 2
        for fields in ({"sentence_pause": 0.1, "paragraph_pause": 0.5}, {"sentence_pause": 1.1, "paragraph_pause": 2.5})
    )
    assert long - usual == pytest.approx(3 * voice.sample_rate, abs=2)
    assert server.post(text, sentence_pause=61).status_code == 400


def test_a_sample_of_a_voice_is_spoken_once_and_kept(server):
    address = f"{server.url}/v1/audio/voices/duo/sample"
    first = server.client.get(address, params={"speaker": "bob"})
    assert first.headers["content-type"] == "audio/mpeg"
    samples, _ = soundfile.read(io.BytesIO(first.content))
    assert len(samples) > 0
    spoken = server.service.pool
    again = server.client.get(address, params={"speaker": "bob"}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert spoken.admission.speaking == 0
    assert server.client.get(address, params={"speaker": "nobody"}).status_code == 404
    assert server.client.get(f"{server.url}/v1/audio/voices/nobody/sample").status_code == 404


def test_both_need_a_key_where_speech_does():
    with running([fake_voice()], ServerSettings(Limits(), keys=("open-sesame",))) as server:
        assert explain(server, "Hello.").status_code == 401
        assert server.client.get(f"{server.url}/v1/audio/voices/tiny/sample").status_code == 401
