"""Times of words as files: what other programs expect to read."""

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_voice import fake_voice

from glowvox.audio.sound import TimedMark, TimedPhoneme, TimedWord
from glowvox.errors import AudioError
from glowvox.synthesis.timestamps import Timeline, as_json, ctm, cues, srt, textgrid, vtt, write_timestamps

WORDS = (
    TimedWord("Tom", 0.1, 0.5, (TimedPhoneme("t", 0.1, 0.2), TimedPhoneme("ˈɑ", 0.2, 0.5)), before='"', after=" & "),
    TimedWord("I", 0.75, 1.0, (TimedPhoneme("ˈaɪ", 0.75, 1.0),), after=' <go>." ', ends_sentence=True),
    TimedWord("Bye", 3599.9996, 3600.5, after=" ", ends_sentence=True),
)
TIMELINE = Timeline(WORDS, (TimedMark("here", 0.5),), 3601.0)


def test_srt():
    assert srt(TIMELINE) == (
        '1\n00:00:00,100 --> 00:00:01,000\n"Tom & I <go>."\n\n2\n01:00:00,000 --> 01:00:00,500\nBye\n'
    )
    assert srt(Timeline((), (), 1.0)) == ""


def test_vtt():
    assert vtt(TIMELINE) == (
        'WEBVTT\n\n00:00:00.100 --> 00:00:01.000\n"Tom &amp; I &lt;go&gt;."\n\n01:00:00.000 --> 01:00:00.500\nBye\n'
    )


def test_textgrid_covers_everything():
    text = textgrid(TIMELINE)
    words, phones = text.split("item [2]:")
    for tier, spoken in ((words, ["Tom", "I", "Bye"]), (phones, ["t", "ˈɑ", "ˈaɪ"])):
        pairs = re.findall(r"xmin = ([\d.]+)\n +xmax = ([\d.]+)\n +text = \"(.*)\"", tier)
        assert pairs[0][0] == "0.000000" and pairs[-1][1] == "3601.000000"
        assert all(before[1] == after[0] for before, after in itertools.pairwise(pairs))
        assert [label for _, _, label in pairs if label] == spoken
        assert f"intervals: size = {len(pairs)}" in tier
    quoted = Timeline((TimedWord('6"', 0.0, 1.0),), (), 1.0)
    assert 'text = "6"""' in textgrid(quoted)


def test_ctm_has_one_row_for_each_word_or_phoneme():
    assert ctm(TIMELINE, "a b").splitlines() == [
        "a_b 1 0.100 0.400 Tom",
        "a_b 1 0.750 0.250 I",
        "a_b 1 3600.000 0.500 Bye",
    ]
    assert ctm(TIMELINE, phones=True).splitlines()[1] == "audio 1 0.200 0.300 ˈɑ"
    assert ctm(Timeline((TimedWord("3 000", 0.0, 1.0),), (), 1.0)) == "audio 1 0.000 1.000 3_000\n"


def test_json():
    content = json.loads(as_json(TIMELINE))
    assert content["duration"] == 3601.0 and content["marks"] == [{"name": "here", "time": 0.5}]
    assert content["words"][0] == {
        "text": "Tom",
        "start": 0.1,
        "end": 0.5,
        "ends_sentence": False,
        "phonemes": [{"text": "t", "start": 0.1, "end": 0.2}, {"text": "ˈɑ", "start": 0.2, "end": 0.5}],
    }


@given(st.lists(st.tuples(st.integers(1, 30), st.floats(0.01, 3.0), st.booleans()), max_size=60))
def test_cues_keep_every_word_in_order_and_are_readable(rows):
    words, place = [], 0.0
    for length, seconds, ends in rows:
        words.append(TimedWord("x" * length, place, place + seconds, ends_sentence=ends))
        place += seconds
    found = cues(words)
    assert " ".join(cue.text for cue in found).split() == [word.text for word in words]
    assert all(len(cue.text) <= 84 and cue.end - cue.start <= 7.0 + 1e-9 for cue in found)
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))


def test_files_are_written_by_name(tmp_path):
    audio = fake_voice().say('He said "yes". And left.')
    for name in ("a.srt", "a.vtt", "a.TextGrid", "a.json"):
        write_timestamps(Timeline.of([audio]), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 20
    write_timestamps(Timeline.of([audio]), tmp_path / "one.ctm")
    write_timestamps(Timeline.of([audio]), tmp_path / "one.phones.ctm")
    rows = [(tmp_path / name).read_text(encoding="utf-8").splitlines() for name in ("one.ctm", "one.phones.ctm")]
    assert [len(row.split()) for row in rows[0]] == [5] * 5 and all(row.startswith("one 1 ") for row in rows[1])
    assert 'He said "yes".' in (tmp_path / "a.srt").read_text(encoding="utf-8")
    with pytest.raises(AudioError, match=r"\.srt, \.vtt, \.TextGrid, \.json or \.ctm, not '\.txt'"):
        write_timestamps(Timeline.of([audio]), tmp_path / "a.txt")
    with pytest.raises(AudioError, match="does not exist"):
        write_timestamps(Timeline.of([audio]), tmp_path / "none" / "a.srt")


def test_chunks_and_the_whole_have_one_timeline():
    voice = fake_voice()
    text = "One thing. And then another one."
    whole, streamed = Timeline.of([voice.say(text)]), Timeline.of(voice.stream(text))
    assert streamed.words == whole.words
    assert streamed.duration == pytest.approx(whole.duration)
