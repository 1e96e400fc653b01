"""SSML and markup over every road: HTTP, an address, server-sent events, the WebSocket, Wyoming."""

import asyncio

import pytest
from loopback import running
from test_serve_speech import pcm_of
from test_serve_wyoming import audio_of, samples_of, spoken_to
from tiny_voice import fake_voice
from websocket_client import conversation, heard, tell
from wyoming.audio import AudioStop
from wyoming.error import Error
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

from glowvox.serve.session import DocumentKeeper
from glowvox.serve.settings import ServerSettings

DOCUMENT = '<speak>Hello, <break time="500ms"/> <sub alias="world, again">w</sub>, and good night.</speak>'
PROLOGUE = f'  <?xml version="1.0"?>\n<!-- greeting -->\n{DOCUMENT}\n'


@pytest.fixture(scope="module")
def said():
    return fake_voice().say(DOCUMENT, ssml=True)


STANDARD = (
    '\ufeff<?xml version="1.0" encoding="utf-16"?>\n<!DOCTYPE speak PUBLIC "-//W3C//DTD SYNTHESIS 1.0//EN"\n'
    f' "http://www.w3.org/TR/speech-synthesis/synthesis.dtd">\n{DOCUMENT}'
)


@pytest.mark.parametrize("fields", [{}, {"input_format": "ssml"}, {"input_format": "auto"}, {"markup": "ssml"}])
@pytest.mark.parametrize("document", [DOCUMENT, PROLOGUE, STANDARD, f"\ufeff{DOCUMENT}", f"<!DOCTYPE speak>{DOCUMENT}"])
def test_http_recognises_a_document(server, said, document, fields):
    assert server.post(document, **fields).content == pcm_of(said)


def test_what_is_called_plain_is_read_as_it_stands(server, voice):
    for name in ("text", "plain"):
        assert server.post(DOCUMENT, input_format=name).content == pcm_of(voice.say(DOCUMENT, markup="plain"))
    assert server.post("# Title\n\nWords.", input_format="markdown").content == pcm_of(
        voice.say("# Title\n\nWords.", markup="markdown")
    )
    refused = server.post("Hello.", input_format="rtf")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "input_format"


def test_a_document_that_is_none_is_told_in_one_line(server):
    for document in ("<speak>Hello", "<speak><break time='1s'></speak>", "<speak>Hello</speak> and more"):
        answer = server.post(document)
        assert answer.status_code == 400, document
        assert "\n" not in answer.json()["error"]["message"]
    assert server.post("Hello.", input_format="ssml").status_code == 400


@pytest.mark.parametrize(
    "declared", ['[<!ENTITY a "Hello">]', 'SYSTEM "file:///etc/passwd" [<!ENTITY % a SYSTEM "x"> %a;]', "[", "[]"]
)
def test_a_document_that_declares_something_is_refused(server, declared):
    answer = server.post(f"<?xml version='1.0'?>\n<!DOCTYPE speak {declared}>\n<speak>Hello.</speak>")
    assert answer.status_code == 400
    told = "SSML line 2: document types and entities are not allowed; leave out what stands in [ ]"
    assert answer.json()["error"]["message"] == told


def test_an_error_is_told_at_its_line_whatever_stood_before_it(server):
    for before in (
        "",
        "<!DOCTYPE speak>",
        '<?xml version="1.0"\n?>',
        "<!DOCTYPE speak\nSYSTEM 'synthesis.dtd'>",
        "\ufeff",
    ):
        answer = server.post(f"{before}\n<speak>\n</speek>")
        line = f"{before}\n<speak>\n".lstrip("\ufeff\n").count("\n") + 1
        assert f"SSML line {line}, " in answer.json()["error"]["message"], before


def test_a_document_of_signs_is_a_short_silence(server):
    assert len(server.post("<speak> . </speak>").content) == 2 * 24_000 // 5
    for document in ("<speak>\U00013000</speak>", "<speak/>"):
        answer = server.post(document, stream_format="json").json()
        assert answer["duration"] == 0.2
        assert "nothing to say" in answer["warnings"][-1]


def test_an_address_recognises_a_document(said):
    with running([fake_voice()], ServerSettings(get_speech=True)) as own:
        query = {"text": DOCUMENT, "response_format": "pcm"}
        assert own.client.get(f"{own.url}/v1/audio/speech", params=query).content == pcm_of(said)
        query = {"input": DOCUMENT, "response_format": "pcm"}  # as the text is called in a body
        assert own.client.get(f"{own.url}/v1/audio/speech", params=query).content == pcm_of(said)


def answered(server, *messages, **start):
    """Return the audio of a WebSocket's answer, and its errors."""
    with conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050, **start)
        for text in messages:
            if text:
                tell(socket, "text", text=text)
            else:
                tell(socket, "flush")
        tell(socket, "end")
        audio, answers = heard(socket)
    return audio, [answer["error"]["message"] for answer in answers if answer["type"] == "error"]


@pytest.mark.parametrize("cut", ["sentence", "clause"])
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("document", [PROLOGUE, STANDARD])
def test_the_websocket_keeps_a_document_together(server, said, size, cut, document):
    pieces = [document[start : start + size] for start in range(0, len(document), size)]
    audio, errors = answered(server, *pieces, cut=cut)
    assert errors == []
    assert audio == samples_of(said)


def test_the_websocket_speaks_documents_and_text_one_after_the_other(server, said, voice):
    audio, errors = answered(server, f"{DOCUMENT}{DOCUMENT}", "Plain text.", "", DOCUMENT, "", "Even < this.")
    assert errors == []
    rest = [samples_of(voice.say(text)) for text in ("Plain text.", "Even < this.")]
    assert audio == samples_of(said) * 2 + rest[0] + samples_of(said) + rest[1]


def test_the_websocket_tells_of_a_document_that_does_not_end(server, voice):
    audio, errors = answered(server, "<speak>Hello", "", "Hello.")
    assert len(errors) == 1
    assert audio == samples_of(voice.say("Hello."))
    audio, errors = answered(server, DOCUMENT, input_format="plain")
    assert errors == []
    assert audio == samples_of(voice.say(DOCUMENT, markup="plain"))


@pytest.mark.parametrize("text_format", [None, "text", "ssml"])
def test_wyoming_speaks_a_document(server, said, text_format):
    asked = Synthesize(text=DOCUMENT, text_format=text_format)
    assert audio_of(spoken_to(server, [asked], AudioStop)) == samples_of(said)
    pieces = [SynthesizeChunk(text=DOCUMENT[start : start + 5]) for start in range(0, len(DOCUMENT), 5)]
    streamed = [SynthesizeStart(text_format=text_format), *pieces, SynthesizeStop()]
    assert audio_of(spoken_to(server, streamed, SynthesizeStopped)) == samples_of(said)


def test_wyoming_refuses_other_formats(server):
    async def talk():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.wyoming_port)
        writer.write(b'{"type": "synthesize", "data": {"text": "Hello.", "text_format": "rtf"}}\n')
        answer = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        return answer

    assert b"error" in asyncio.run(talk())
    error = spoken_to(server, [Synthesize(text="<speak>Hello", text_format="ssml")], Error)[-1]
    assert "SSML" in Error.from_event(error).text


@pytest.mark.parametrize("text", ["<", "<sp", "  ", "<speak", "<?xml version='1.0'?>"])
def test_the_keeper_waits_until_it_knows(text):
    keeper = DocumentKeeper("auto")
    assert list(keeper.push(text, fresh=True)) == []
    assert keeper.held == text
    assert keeper.flush() == text
    assert keeper.held == ""
