"""The Wyoming protocol, spoken to by the package's own client."""

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
from loopback import eventually, running, slow_voice
from tiny_voice import card, fake_voice
from websocket_client import conversation, heard, tell
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from glowvox.audio.files import quantise
from glowvox.errors import ConfigError
from glowvox.serve.wyoming_server import WyomingServer, attribution, posix_language

TEXT = "Hello there, world. This is good."


def samples_of(audio):
    return quantise(audio.samples.clip(-1, 1), "PCM_16").astype("<i2").tobytes()


def spoken_to(server, events, last):
    """Send events, and return those that come back up to one of the type `last` (or the end)."""

    async def talk():
        async with AsyncTcpClient("127.0.0.1", server.wyoming_port) as client:
            for event in events:
                await client.write_event(event.event())
            answers = []
            while (event := await asyncio.wait_for(client.read_event(), 20)) is not None:
                answers.append(event)
                if last.is_type(event.type):
                    break
            return answers

    return asyncio.run(talk())


def audio_of(events):
    return b"".join(AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type))


def test_describe_tells_the_voices(server):
    info = Info.from_event(spoken_to(server, [Describe()], Info)[-1])
    [program] = info.tts
    assert program.supports_synthesize_streaming
    assert [voice.name for voice in program.voices] == ["tiny", "duo"]
    assert program.voices[0].languages == ["en_US"]
    assert [speaker.name for speaker in program.voices[1].speakers] == ["ann", "bob"]


def test_home_assistant_shows_names_and_finds_languages(server, voice):
    [program] = Info.from_event(spoken_to(server, [Describe()], Info)[-1]).tts
    assert [told.description or told.name for told in program.voices] == ["tiny", "duo"]  # what it shows
    assert {language for told in program.voices for language in told.languages} == {"en_US"}
    assert all(told.attribution.name == "Glowvox (CC0-1.0)" for told in program.voices)
    # it asks for what was chosen from that list
    wanted = SynthesizeVoice(name=program.voices[0].name, language=program.voices[0].languages[0])
    events = spoken_to(server, [Synthesize(text="Hello.", voice=wanted)], AudioStop)
    assert audio_of(events) == samples_of(voice.say("Hello."))


def test_a_voice_is_attributed_to_those_who_taught_it():
    taught = {"teachers": [{"teacher": "Kokoro", "version": "1.0", "licence": "Apache-2.0", "voices": ["a"]}]}
    own = replace(card(), provenance={"acoustic": taught, "vocoder": taught, "url": "https://voices.example/a"})
    told = attribution(own)
    assert (told.name, told.url) == ("Kokoro (CC0-1.0)", "https://voices.example/a")
    # a vocoder that has heard a teacher serves voices of people, too
    assert attribution(replace(card(), provenance={"vocoder": taught})).name == "Glowvox (CC0-1.0)"


@pytest.mark.parametrize(("tag", "posix"), [("en-us", "en_US"), ("de", "de"), ("pt-br", "pt_BR")])
def test_languages_are_written_as_by_piper(tag, posix):
    assert posix_language(tag) == posix


def test_ping(server):
    assert Pong.from_event(spoken_to(server, [Ping(text="there?")], Pong)[-1]).text == "there?"


def test_synthesize_gives_the_voices_samples(server, voice):
    events = spoken_to(server, [Synthesize(text=TEXT)], AudioStop)
    start = AudioStart.from_event(events[0])
    assert (start.rate, start.width, start.channels) == (voice.sample_rate, 2, 1)
    assert AudioStop.is_type(events[-1].type)
    assert audio_of(events) == samples_of(voice.say(TEXT))


def test_an_empty_name_is_none(server, voice):
    wanted = SynthesizeVoice(name="", speaker="")
    assert audio_of(spoken_to(server, [Synthesize(text="Hello.", voice=wanted)], AudioStop)) == samples_of(
        voice.say("Hello.")
    )


@pytest.mark.parametrize("wanted", [SynthesizeVoice(name="duo", speaker="bob"), SynthesizeVoice(name="duo/bob")])
def test_voices_and_speakers_are_chosen(server, wanted):
    expected = server.post("Hello.", voice="duo/bob", sample_rate=22_050).content
    assert audio_of(spoken_to(server, [Synthesize(text="Hello.", voice=wanted)], AudioStop)) == expected


def test_a_language_chooses_a_voice(server, voice):
    wanted = SynthesizeVoice(language="en_US")
    events = spoken_to(server, [Synthesize(text="Hello.", voice=wanted)], AudioStop)
    assert audio_of(events) == samples_of(voice.say("Hello."))


def test_streamed_text_is_spoken_as_the_whole_and_once(server, voice):
    pieces = [SynthesizeChunk(text=TEXT[start : start + 5]) for start in range(0, len(TEXT), 5)]
    # clients repeat the whole for servers that do not stream; it must not be spoken again
    events = spoken_to(server, [SynthesizeStart(), *pieces, Synthesize(text=TEXT), SynthesizeStop()], SynthesizeStopped)
    assert audio_of(events) == samples_of(voice.say(TEXT))
    assert [event.type for event in events[-2:]] == ["audio-stop", "synthesize-stopped"]


def test_audio_comes_while_text_is_written(server):
    async def talk():
        async with AsyncTcpClient("127.0.0.1", server.wyoming_port) as client:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk(text="The first sentence is here. And then").event())
            first = [(await asyncio.wait_for(client.read_event(), 20)).type for _ in range(2)]
            await client.write_event(SynthesizeStop().event())
            return first

    assert asyncio.run(talk()) == ["audio-start", "audio-chunk"]


def test_several_speeches_on_one_connection(server, voice):
    async def talk():
        async with AsyncTcpClient("127.0.0.1", server.wyoming_port) as client:
            for text in ("One.", "Two.", "Three."):
                await client.write_event(Synthesize(text=text).event())
            events, ended = [], 0
            while ended < 3:
                events.append(await asyncio.wait_for(client.read_event(), 20))
                ended += AudioStop.is_type(events[-1].type)
            return events

    assert audio_of(asyncio.run(talk())) == b"".join(samples_of(voice.say(text)) for text in ("One.", "Two.", "Three."))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Synthesize(text="Hello.", voice=SynthesizeVoice(name="../../etc/passwd")), "no voice"),
        (Synthesize(text="<speak>Hello", text_format="ssml"), "SSML"),
        (Synthesize(text="word " * 3000), "characters"),
    ],
)
def test_what_cannot_be_spoken_is_an_error(server, event, why):
    error = Error.from_event(spoken_to(server, [event], Error)[-1])
    assert why in error.text


NO_EVENT = "not one of the Wyoming protocol"


def answered(server, content, *, half_close=False):
    """Return all that comes back after bytes, up to the end of the connection."""

    async def talk():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.wyoming_port)
        writer.write(content)
        if half_close:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return answer

    return asyncio.run(talk())


def status_counted(server, status):
    """Return how many connections ended with a status."""
    told = f'glowvox_requests_total{{path="wyoming",status="{status}"}} '
    lines = server.service.metrics.text().decode().splitlines()
    return next((float(line.removeprefix(told)) for line in lines if line.startswith(told)), 0.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\n", NO_EVENT),
        (b"hello\n", NO_EVENT),
        (b"{\n", NO_EVENT),
        (b'{"type": "\xff"}\n', NO_EVENT),
        (b"[]\n", NO_EVENT),
        (b"7\n", NO_EVENT),
        (b'{"type": 3}\n', NO_EVENT),
        (b'{"type": "synthesize"}\n', NO_EVENT),
        (b'{"type": "synthesize", "data": {"text": 3}}\n', "must be a string"),
        (b'{"type": "synthesize", "data": []}\n', NO_EVENT),
        (b'{"type": "synthesize", "data_length": 1000000000000}\n', "more than the 1048576 bytes"),
        (b'{"type": "synthesize", "data_length": 2}\n[]', NO_EVENT),
        (b'{"type": "synthesize", "payload_length": "many"}\n', NO_EVENT),
        (b'{"type": "synthesize", "payload_length": 1.5}\n', "must be a whole number of bytes"),
        (b'{"type": "synthesize", "payload_length": true}\n', "must be a whole number of bytes"),
        (b"x" * 4_000_000 + b"\n", NO_EVENT),
    ],
)
def test_nonsense_is_told_and_ends_the_connection_and_nothing_else(server, voice, line, said):
    before = status_counted(server, 400) + status_counted(server, 413)
    first, _, rest = answered(server, line + b'{"type": "describe"}\n').partition(b"\n")
    assert json.loads(first)["type"] == "error"
    assert said in json.loads(rest)["text"]
    assert eventually(lambda: status_counted(server, 400) + status_counted(server, 413) == before + 1)
    assert audio_of(spoken_to(server, [Synthesize(text="Hello.")], AudioStop)) == samples_of(voice.say("Hello."))


def test_what_could_not_be_spoken_has_a_status_of_its_own(server):
    before = status_counted(server, 400)
    spoken_to(server, [Synthesize(text="<speak>Hello")], AudioStop)
    assert eventually(lambda: status_counted(server, 400) == before + 1)


def test_a_client_that_writes_nothing_more_hears_what_it_asked_for(server, voice):
    asked = b"".join(
        json.dumps({"type": "synthesize", "data": {"text": text}}).encode() + b"\n" for text in ("One.", "Two.")
    )
    answer = answered(server, asked, half_close=True)
    pcm = [samples_of(voice.say(text)) for text in ("One.", "Two.")]
    assert answer.count(b'"audio-stop"') == 2
    assert len(answer) > sum(map(len, pcm))
    assert b'"pong"' in answered(server, b'{"type": "ping", "data": {"text": "a"}}', half_close=True)


def test_a_speech_that_is_begun_waits_for_the_one_before(server, voice):
    def streamed(text):
        return [SynthesizeStart(), SynthesizeChunk(text=text), SynthesizeStop()]

    async def talk():
        async with AsyncTcpClient("127.0.0.1", server.wyoming_port) as client:
            for asked in (*streamed("One."), Synthesize(text="Two."), *streamed("Three.")):
                await client.write_event(asked.event())
            events, ended = [], 0
            while ended < 3:
                events.append(await asyncio.wait_for(client.read_event(), 20))
                ended += AudioStop.is_type(events[-1].type)
            return events

    events = asyncio.run(talk())
    assert not any(Error.is_type(event.type) for event in events)
    assert audio_of(events) == b"".join(samples_of(voice.say(text)) for text in ("One.", "Two.", "Three."))


def test_a_text_that_is_begun_twice_is_an_error(server):
    error = Error.from_event(spoken_to(server, [SynthesizeStart(), SynthesizeStart()], Error)[-1])
    assert "send synthesize-stop first" in error.text


def test_a_client_that_goes_away_stops_its_synthesis():
    slow, vocoder = slow_voice(0.05)

    async def talk(port):
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Synthesize(text="A sentence that is spoken. " * 40).event())
            for _ in range(2):
                await asyncio.wait_for(client.read_event(), 20)

    with running([slow]) as server:
        asyncio.run(talk(server.wyoming_port))
        assert eventually(lambda: not server.service.busy and not server.service.wyoming.count)
        assert vocoder.samples < 0.5 * len(fake_voice().say("A sentence that is spoken. " * 40).samples)


@pytest.mark.parametrize("text", ["", " ", "!", "?!", "...", "\U00013000", "<speak/>"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_text_with_nothing_to_say_is_silence_that_ends(server, text, streamed):
    if streamed:
        sent, last = [SynthesizeStart(), SynthesizeChunk(text=text), SynthesizeStop()], SynthesizeStopped
    else:
        sent, last = [Synthesize(text=text)], AudioStop
    events = spoken_to(server, sent, last)
    kinds = [event.type for event in events]
    assert kinds == ["audio-start", "audio-chunk", "audio-stop", *(["synthesize-stopped"] if streamed else [])]
    assert audio_of(events) == bytes(2 * round(0.2 * 22_050))  # of which a client can make a file


@pytest.mark.parametrize("streamed", [False, True])
def test_what_cannot_be_spoken_is_told_and_ends_too(server, streamed):
    text = "<speak>"
    if streamed:
        sent, last = [SynthesizeStart(), SynthesizeChunk(text=text), SynthesizeStop()], SynthesizeStopped
    else:
        sent, last = [Synthesize(text=text)], AudioStop
    kinds = [event.type for event in spoken_to(server, sent, last)]
    assert kinds == ["error", "audio-start", "audio-stop", *(["synthesize-stopped"] if streamed else [])]


@pytest.mark.parametrize("text", ["\N{GRINNING FACE}", "\N{EURO SIGN}", "\N{RIGHTWARDS ARROW}!"])
def test_a_sign_that_has_a_name_is_spoken_as_over_http(server, text):
    pcm = server.post(text, voice="tiny", sample_rate=22_050).content
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 100
    assert audio_of(spoken_to(server, [Synthesize(text=text)], AudioStop)) == pcm
    with conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050)
        tell(socket, "text", text=text)
        tell(socket, "end")
        assert heard(socket)[0] == pcm


@pytest.mark.parametrize("uri", ["", "http://127.0.0.1:1", "tcp://", "tcp://host:port", "tcp://host", "unix://"])
def test_addresses_that_are_none(uri):
    with running([fake_voice()]) as server, pytest.raises(ConfigError):
        WyomingServer(server.service, uri)
