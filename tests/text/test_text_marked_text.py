"""Pause tags: silences of just the length asked for, in whole texts and in streams, whatever the cutting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.text import FrontEnd, load_front_end
from glowvox.text.marked_text import PauseTag, PauseTagStream, find_pause_tags

BITS = [
    "[pause:1s]",
    "[pause:300ms]",
    "[pause:.5s]",
    "[pause:",
    "[",
    "]",
    "[[",
    "]]",
    "1s]",
    "Hello. ",
    "a",
    " ",
    "[PAUSE: 2 s]",
]


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


def joined(text: str, sizes: list[int]) -> list[str | float]:
    stream, found, place = PauseTagStream(), [], 0
    for size in [*sizes, len(text)]:
        found += stream.push(text[place : place + size])
        place += size
    parts: list[str | float] = []
    for part in found + stream.flush():
        if isinstance(part, PauseTag):
            parts.append(part.seconds)
        elif parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


@given(st.lists(st.sampled_from(BITS), max_size=12).map("".join), st.lists(st.integers(1, 9), max_size=40))
def test_a_stream_finds_the_tags_of_the_whole(text: str, sizes: list[int]) -> None:
    whole = joined(text, [])
    assert joined(text, sizes) == whole
    assert [part for part in whole if isinstance(part, float)] == [tag.seconds for tag in find_pause_tags(text)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("[pause:1s]", 1.0), ("[pause:300ms]", 0.3), ("[PAUSE: 1.5 s]", 1.5), ("[pause:99s]", 60.0), ("[pause:.5s]", 0.5)],
)
def test_what_is_a_tag(text: str, seconds: float) -> None:
    assert [tag.seconds for tag in find_pause_tags(f"a {text} b")] == [seconds]


@pytest.mark.parametrize("text", ["[pause]", "[pause:1]", "[pause:-1s]", "[pause:1m]", "[[pause:1s]]", "pause:1s"])
def test_what_is_none(text: str) -> None:
    assert find_pause_tags(text) == []


def test_the_pause_is_just_as_long_as_asked(english: FrontEnd) -> None:
    utterance = english.process("Wait.[pause:1s] Now go [pause:300ms] on. Stop.[pause:2s]")
    assert [sentence.pause_after for sentence in utterance.sentences] == [1.0, 0.3, 0.2, 2.0]
    assert utterance.normalized == "Wait. Now go on. Stop."
    assert utterance.warnings == ()
    assert [sentence.span for sentence in utterance.sentences][1] == (16, 22)
    assert english.process("[pause:1s] Go.").sentences[0].pause_after == 1.0


def test_tags_can_be_read_as_text(english: FrontEnd) -> None:
    assert "pause" in english.process("Wait [pause:1s] now.", pause_tags=False).normalized
