"""Files of subtitles: what is read, and that every mistake is named by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.errors import DataError
from glowvox.synthesis.dubbing import parse_subtitles, plain_text, read_subtitles

SRT = """\
1
00:00:01,000 --> 00:00:02,500
<i>Good</i> morning,
Tom.

2
00:00:03,000 --> 00:00:04,000 X1:40 X2:600
{\\an8}- Who is there?
- [door slams] Me &amp; you.

3
00:00:05,000 --> 00:00:06,000
"""


def test_subrip():
    cues = parse_subtitles(SRT, "a.srt")
    assert [(cue.number, cue.start, cue.end, cue.text, cue.line) for cue in cues] == [
        (1, 1.0, 2.5, "Good morning, Tom.", 2),
        (2, 3.0, 4.0, "Who is there? Me & you.", 7),
        (3, 5.0, 6.0, "", 12),
    ]
    assert parse_subtitles(SRT.replace("\n", "\r\n"), "a.srt") == cues
    assert parse_subtitles(SRT.replace("\n", "\r"), "a.srt") == cues


def test_webvtt():
    content = (
        "WEBVTT - talk\n\nNOTE\nnothing\n\nintro\n01:02.5 --> 01:03.250 align:start\n<v Ann>Hello <00:01:02.900>you\n"
    )
    [cue] = parse_subtitles(content, "a.vtt")
    assert (cue.start, cue.end, cue.text) == (62.5, 63.25, "Hello you")


def test_cues_are_sorted_by_time():
    later = "9\n00:00:09,000 --> 00:00:10,000\nb\n\n8\n00:00:01,000 --> 00:00:02,000\na\n"
    assert [(cue.number, cue.text) for cue in parse_subtitles(later, "x")] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("<font color='#fff'>A <b>b</b></font>", "A b"),
        ("♪ la la ♪", "la la"),
        ("a < b and c > d", "a < b and c > d"),
        ("[[ h ə l oʊ ]] there", "[[ h ə l oʊ ]] there"),
        ("<ruby>Kyoto<rt>kjoto</rt></ruby> is <ruby>far<rt>fern</ruby>", "Kyoto is far"),
        ("{y:i}Go{C:$0000ff} now {a: b}", "Go now {a: b}"),
        ("[laughs]", ""),
        ("Wait.[pause:300ms] Now.", "Wait.[pause:300ms] Now."),
        ("Play it in C# now", "Play it in C# now"),
        ("well-known -5", "well-known -5"),
    ],
)
def test_markup_is_not_spoken(marked, text):
    assert plain_text(marked) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no cue"),
        ("1\n\n2\n", "holds no cue"),
        ("hello\nworld\n", "line 1: expected 'start --> end'"),
        ("1\n00:00:01,000 -> 00:00:02,000\na\n", "line 2: expected 'start --> end'.*, got '00:00:01,000 -> "),
        ("1\n00:00:01 --> 00:00:02,000\na\n", "line 2: '00:00:01' is no time"),
        ("1\n00:61:01,000 --> 00:62:02,000\na\n", "line 2: '00:61:01,000' is no time"),
        ("1\n00:00:01,000 -->\na\n", "line 2: '' is no time"),
        ("1\n-00:00:01,000 --> 00:00:02,000\na\n", "is no time"),
        ("1\n00:00:03,000 --> 00:00:02,000\na\n", "line 2: the cue ends at 2 s, before its start at 3 s"),
        ("1\n00:00:03,000 --> 99:00:03,000\na\n", "line 2: the cue ends after 99.0 hours"),
        ("\n\n1\n00:00:0x,000 --> 00:00:03,000\na\n", "line 4"),
    ],
)
def test_mistakes_are_named_by_their_line(content, message):
    with pytest.raises(DataError, match=message):
        parse_subtitles(content, "bad.srt")


@given(st.text(alphabet="01:,.->\n {}<>ab\\[]♪", max_size=200))
def test_no_file_makes_it_fail_otherwise(content):
    try:
        cues = parse_subtitles(content, "any.srt")
    except DataError as error:
        assert "any.srt" in str(error) and "\n" not in str(error)
    else:
        assert all(cue.start < cue.end for cue in cues)


def test_files(tmp_path):
    place = tmp_path / "a.srt"
    place.write_bytes(b"\xef\xbb\xbf" + SRT.encode())
    assert len(read_subtitles(place)) == 3
    place.write_bytes(SRT.encode("utf-16-le"))
    with pytest.raises(DataError, match="UTF-16 without a mark"):
        read_subtitles(place)
    with pytest.raises(DataError, match="cannot read"):
        read_subtitles(tmp_path / "none.srt")
    with pytest.raises(DataError, match="cannot read"):
        read_subtitles(tmp_path)
    many = "".join(f"{n}\n00:00:01,000 --> 00:00:02,000\na\n\n" for n in range(100_001))
    with pytest.raises(DataError, match="more than 100000 cues"):
        parse_subtitles(many, "many.srt")
