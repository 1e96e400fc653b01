"""Pause tags in requests: silences of just that length over HTTP and in events; switched off, text."""

import base64

import numpy as np
import pytest
from test_serve_speech import events_of, pcm_of

TEXT = "Hello there.[pause:1500ms]Good day."


def seconds_of(content):
    return len(content) / 2 / 24_000


def test_a_tag_is_a_silence_over_http(server, voice):
    answer = server.post(TEXT)
    assert answer.content == pcm_of(voice.say(TEXT))
    samples = np.frombuffer(answer.content, "<i2")
    silent = max(map(len, "".join("0" if sample == 0 else "1" for sample in samples).split("1")))
    assert silent == pytest.approx(1.5 * 24_000, abs=0.02 * 24_000)
    longer = server.post(TEXT.replace("1500ms", "3s"))
    assert seconds_of(longer.content) == pytest.approx(seconds_of(answer.content) + 1.5, abs=0.001)


def test_tags_are_text_where_they_are_switched_off(server, voice):
    answer = server.post(TEXT, pause_tags=False)
    assert answer.content == pcm_of(voice.say(TEXT, pause_tags=False)) != server.post(TEXT).content


def test_a_tag_is_a_silence_in_events(server, voice):
    answer = server.post(TEXT, stream_format="sse", response_format="pcm")
    audio = b"".join(base64.b64decode(event["audio"]) for event in events_of(answer) if "audio" in event)
    assert audio == pcm_of(voice.say(TEXT))
