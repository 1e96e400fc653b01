"""Subtitles as programs and people leave them: read with a warning, what nobody says left out, nothing said twice."""

import pytest

from glowvox.errors import ConfigError, DataError
from glowvox.synthesis.subtitles import (
    LEFT_OUT,
    parse_subtitle_file,
    parse_subtitles,
    plain_text,
    read_subtitle_file,
    read_subtitles,
)


def srt(*cues: tuple[float, float, str]) -> str:
    def clock(seconds: float) -> str:
        whole = round(seconds * 1000)
        return f"{whole // 3600000:02d}:{whole // 60000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"

    blocks = (f"{n}\n{clock(start)} --> {clock(end)}\n{text}\n" for n, (start, end, text) in enumerate(cues, 1))
    return "\n".join(blocks)


def texts(content: str, name: str = "a.srt", keep: tuple[str, ...] = ()) -> list[str]:
    return [cue.text for cue in parse_subtitles(content, name, keep)]


ROLLING = srt(
    (0.0, 2.0, "Hello and welcome"),
    (2.0, 4.0, "Hello and welcome\nto the show"),
    (4.0, 6.0, "to the show\nwhere we talk"),
    (6.0, 6.01, "where we talk"),
    (6.01, 9.0, "where we talk\nof many things."),
)


def test_rolling_captions_are_spoken_once():
    found = parse_subtitle_file(ROLLING, "a.srt")
    assert [(cue.start, cue.text) for cue in found.cues] == [
        (0.0, "Hello and welcome"),
        (2.0, "to the show"),
        (4.0, "where we talk"),
        (6.01, "of many things."),
    ]
    assert found.cues[2].end == 6.01
    assert found.left_out == {"repeats": 4} and "captions that roll; 4 of 5" in found.warnings[0]
    assert texts(ROLLING, keep=("repeats",))[1] == "Hello and welcome to the show"


def test_rolling_captions_of_video_sites():
    content = (
        "WEBVTT\nKind: captions\nLanguage: en\n\n"
        "00:00:00.000 --> 00:00:02.310 align:start position:0%\n \nhello<00:00:00.500><c> and</c><c> welcome</c>\n\n"
        "00:00:02.310 --> 00:00:02.320 align:start position:0%\nhello and welcome\n \n\n"
        "00:00:02.320 --> 00:00:04.500 align:start position:0%\nhello and welcome\nto<00:00:02.500><c> my show</c>\n\n"
        "00:00:04.500 --> 00:00:04.510 align:start position:0%\nto my show\n \n\n"
        "00:00:04.510 --> 00:00:06.000 align:start position:0%\nto my show\n[Music]\n\n"
    )
    for name in ("a.vtt", "a.srt"):
        found = parse_subtitle_file(content, name)
        assert [cue.text for cue in found.cues if cue.text] == ["hello and welcome", "to my show"], name
        assert not any("blank line" in warning for warning in found.warnings)
    # Turned into SubRip, the lines of a blank part cues from their texts.
    body = content.split("\n\n", 1)[1].replace(".", ",").replace(" align:start position:0%", "")
    assert [text for text in texts(body) if text] == ["hello and welcome", "to my show"]


def test_captions_that_grow_word_by_word_are_spoken_once():
    cues = [(0.0, 1.0, "We"), (1.0, 2.0, "We are"), (2.0, 3.0, "We are here."), (3.0, 4.0, "Now go.")]
    assert texts(srt(*cues)) == ["We", "are", "here.", "Now go."]


def test_what_is_said_twice_is_spoken_twice():
    """Repeated lines are no rolling captions where few cues have them, or time lies between."""
    few = [(float(n), n + 1.0, f"Sentence {n}.") for n in range(8)]
    few[4] = (4.0, 5.0, "Sentence 3.")
    assert texts(srt(*few))[3:5] == ["Sentence 3.", "Sentence 3."]
    assert texts(srt((0.0, 1.0, "No."), (1.5, 2.5, "No."))) == ["No.", "No."]
    apart = srt((0.0, 1.0, "Go."), (5.0, 6.0, "Go.\nNow."), (9.0, 10.0, "Now.\nGo."))
    assert texts(apart) == ["Go.", "Go. Now.", "Now. Go."]
    layered = srt((0.0, 1.0, "Title"), (0.0, 1.0, "Title"), (2.0, 3.0, "Other"))
    assert texts(layered) == ["Title", "Other"]


def test_a_blank_line_in_a_cue_is_a_warning():
    content = "1\n00:00:01,000 --> 00:00:02,000\nHello,\n\nthere.\n\n2\n00:00:03,000 --> 00:00:04,000\n\nLate.\n"
    found = parse_subtitle_file(content, "a.srt")
    assert [cue.text for cue in found.cues] == ["Hello, there.", "Late."]
    assert found.warnings[0].startswith("a.srt, line 5: a blank line in the cue of line 2") and len(found.warnings) == 2
    answer = "1\n00:00:01,000 --> 00:00:02,000\nIt is\n\n42\n\n2\n00:00:03,000 --> 00:00:04,000\nYes.\n\n3\n"
    assert texts(answer) == ["It is 42", "Yes."]


def test_a_missing_blank_line_parts_cues_all_the_same():
    content = "1\n00:00:01,000 --> 00:00:02,000\nOne.\n2\n00:00:03,000 --> 00:00:04,000\nTwo.\n"
    assert texts(content) == ["One.", "Two."]


def test_what_is_broken_behind_a_cue_is_named_still():
    good = "1\n00:00:01,000 --> 00:00:02,000\na\n\n"
    for bad, line in (
        ("2\n00:00:03,000 -> 00:00:04,000\nb\n", 6),
        ("00:00:03,000 00:00:04,000\nb\n", 5),
        ("2\nb\n", 6),
    ):
        with pytest.raises(DataError, match=f"line {line}: expected 'start --> end'"):
            parse_subtitles(good + bad, "a.srt")


def test_numbers_of_thousands_of_digits_are_text():
    large = "9" * 5000
    assert texts(f"{large}\n00:00:01,000 --> 00:00:02,000\nA.\n") == ["A."]
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\nA\n\n{large}\n") == [f"A {large}"]


def test_a_cue_of_no_length_is_given_one():
    found = parse_subtitle_file(
        srt((1.0, 1.0, "A" * 30), (9.0, 10.0, "b"), (20.0, 20.0, "c"), (20.2, 21.0, "d")), "a.srt"
    )
    assert [(cue.start, round(cue.end, 2)) for cue in found.cues] == [
        (1.0, 3.0),
        (9.0, 10.0),
        (20.0, 20.2),
        (20.2, 21.0),
    ]
    assert [warning.split(":")[0] for warning in found.warnings] == ["a.srt, line 2", "a.srt, line 10"]
    with pytest.raises(DataError, match="before its start at 3 s; correct its times"):
        parse_subtitles(srt((3.0, 2.0, "back")), "a.srt")


def test_many_cues_of_no_length_take_no_time():
    assert len(parse_subtitles(srt(*((1.0, 1.0, f"w{n}") for n in range(20_000))), "a.srt")) == 20_000


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "cp1252")])
@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass"])
def test_encodings(tmp_path, encoding, name, suffix):
    content = {"srt": srt((1, 2, "Grüße, José.")), "ass": ass("Grüße, José.")}
    content["vtt"] = "WEBVTT\n\n00:01.000 --> 00:02.000\nGrüße, José.\n"
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content[suffix].encode(encoding))
    found = read_subtitle_file(path)
    assert [cue.text for cue in found.cues] == ["Grüße, José."] and found.encoding == name
    assert len(found.warnings) == (name == "cp1252") and read_subtitles(path) == found.cues


ASS_HEAD = """[Script Info]
Title: A film
; a comment: with a colon
[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def ass(*lines: str) -> str:
    rows = (f"Dialogue: 0,0:00:0{n}.00,0:00:0{n}.90,Default,,0,0,0,,{line}\n" for n, line in enumerate(lines, 1))
    return ASS_HEAD + "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,Not said\n" + "".join(rows)


def test_substation_alpha():
    content = ass(
        "{\\an8\\pos(20,30)}Good morning,\\NTom, and\\hall.",
        "{note to self}- Who, me?\\N- Yes,{\\i1} you{\\i0}.",
        "{\\p1}m 0 0 l 100 0 100 100{\\p0}",
        "{\\k20}Ka{\\k30}ra{\\k10}oke",
    )
    found = parse_subtitle_file(content, "a.ass")
    assert found.form == "SubStation Alpha"
    assert [(cue.start, cue.end, cue.text) for cue in found.cues] == [
        (1.0, 1.9, "Good morning, Tom, and all."),
        (2.0, 2.9, "Who, me? Yes, you."),
        (3.0, 3.9, ""),
        (4.0, 4.9, "Karaoke"),
    ]
    assert found.cues[0].line == len(ASS_HEAD.split("\n")) + 1
    assert parse_subtitles(content.replace("\n", "\r\n"), "a.ass") == found.cues


def test_substation_alpha_with_other_columns_and_mistakes():
    old = "[Script Info]\n\n[Events]\nFormat: Marked, Start, End, Style, Text\n"
    line = "Dialogue: Marked=0,0:00:01.5,0:00:02.25,x,Hello, there\n"
    [cue] = parse_subtitles(old + line, "a.ssa")
    assert (cue.start, cue.end, cue.text) == (1.5, 2.25, "Hello, there")
    for bad, message in (
        ("Dialogue: 0,later,0:00:02.00,x,Hello\n", "line 5: 'later' is no time"),
        ("Dialogue: 0,0:00:03.00\n", "line 5: a line 'Dialogue:' without"),
        ("Dialogue: 0,0:00:03.00,0:00:02.00,x,y\n", "line 5: the cue ends at 2 s"),
        ("", "holds no cue"),
    ):
        with pytest.raises(DataError, match=message):
            parse_subtitles(old + bad, "a.ass")


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("TOM: Hello.", "Hello."),
        ("MAN #2: Hello.", "Hello."),
        ("DR. WHO (on phone): Hello.", "Hello."),
        ("- TOM: Hi.\n- ANN: You?", "Hi. You?"),
        (">> Hello.", "Hello."),
        (">> Tom: Hello.", "Hello."),
        ("Tom: Hello.", "Hello."),
        ("Tom and Ann: “Hello.”", "“Hello.”"),
        ("&gt;&gt; Hello.", "Hello."),
        ("[TOM]: Hello.", "Hello."),
        ("(sighs)", ""),
        ("(sighs) I know.", "I know."),
        ("I know. (door slams)", "I know."),
        ("[music] Go.", "Go."),
        ("（笑い）", ""),
        ("One\\NTwo", "One Two"),
        ("{\\an8}Up here", "Up here"),
        ("{b}Bold{/b}", "Bold"),
        ("<v Tom>Hello <i>you</i>", "Hello you"),
        # What is said.
        ("The item(s) of Smith (2019)", "The item(s) of Smith (2019)"),
        ("Remember: it is 10:30 AM.", "Remember: it is 10:30 AM."),
        ("NOTE: read this.", "NOTE: read this."),
        ("The recipe: three eggs.", "The recipe: three eggs."),
        ("Wait.[pause:300ms] Now.", "Wait.[pause:300ms] Now."),
        ("See http://example.com", "See http://example.com"),
        ("[[ h ə l oʊ ]] there", "[[ h ə l oʊ ]] there"),
    ],
)
def test_what_is_said_in_a_cue(marked, text):
    assert plain_text(marked) == text


def test_names_are_labels_where_many_cues_have_them():
    play = srt((0, 1, "Tom: Hello."), (1, 2, "Ann: Oh, hello."), (2, 3, "Tom: Time: ten."), (3, 4, "They left."))
    assert texts(play) == ["Hello.", "Oh, hello.", "Time: ten.", "They left."]
    talk = srt(*((n, n + 1, f"Sentence {n}.") for n in range(9)), (9, 10, "Bread: Flour and water."))
    assert texts(talk)[-1] == "Bread: Flour and water."
    assert texts(srt((0, 1, "Tom Smith: Hello."), (1, 2, "I see."))) == ["Hello.", "I see."]
    assert texts(srt((0, 1, "Look: There it is."), (1, 2, "Bread: flour."))) == ["Look: There it is.", "Bread: flour."]


ADVERTS = [
    "Advertise your product or brand here\ncontact www.OpenSubtitles.org today",
    "Support us and become VIP member\nto remove all ads from www.OpenSubtitles.org",
    "Subtitles by <b>explosiveskull</b>",
    "Synced & corrected by someone",
    "-= www.addic7ed.com =-",
    "www.example.org",
    "~ example.com ~",
    "Untertitel im Auftrag des ZDF, 2017",
    "Untertitelung. BR 2018",
    "Captioned by: Somebody",
    "Translated by Ann, Bob",
]


@pytest.mark.parametrize("advert", ADVERTS)
def test_adverts_are_left_out(advert):
    content = srt((0, 1, advert), (1, 2, "It begins."), (2, 3, "It ends."))
    found = parse_subtitle_file(content, "a.srt")
    assert [cue.text for cue in found.cues] == ["", "It begins.", "It ends."] and found.left_out == {"adverts": 1}
    assert texts(content, keep=("adverts",))[0]


@pytest.mark.parametrize(
    "said",
    [
        "An encoded message from Mars.",
        "Visit www.example.org for more.",
        "He was edited out.",
        "The subtitle is too long.",
        "I was timed out by the clock.",
    ],
)
def test_what_only_resembles_an_advert_is_said(said):
    assert texts(srt((0, 1, said), (1, 2, "It ends."))) == [said, "It ends."]


def test_credits_in_the_middle_are_said():
    cues = [(float(n), n + 1.0, f"Sentence {n}.") for n in range(9)]
    cues[4] = (4.0, 5.0, "Translated by monks, it survived.")
    assert texts(srt(*cues))[4] == "Translated by monks, it survived."


def test_everything_can_be_kept():
    content = srt((0, 1, "TOM: (sighs) Hello."), (1, 2, "[music]"), (2, 3, "Subtitles by Ann"))
    assert texts(content) == ["Hello.", "", ""]
    assert texts(content, keep=("labels",)) == ["TOM: Hello.", "", ""]
    assert texts(content, keep=("sounds",)) == ["(sighs) Hello.", "[music]", ""]
    assert texts(content, keep=LEFT_OUT) == ["TOM: (sighs) Hello.", "[music]", "Subtitles by Ann"]
    assert parse_subtitle_file(content, "a.srt").left_out == {"labels": 1, "sounds": 2, "adverts": 1}
    with pytest.raises(ConfigError, match="'label' cannot be kept; there are labels, sounds, adverts, repeats"):
        parse_subtitles(content, "a.srt", ("label",))
