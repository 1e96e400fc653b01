"""`glowvox dub`: subtitles in, a track and a report out, every mistake one line."""

import json

import numpy as np
import pytest
import soundfile
from tiny_voice import fake_voice

from glowvox.cli.main import main

SRT = """\
1
00:00:00,500 --> 00:00:03,500
<i>Good morning</i>, Tom.

2
00:00:04,000 --> 00:00:04,200
This is far too long for its slot.

3
00:00:05,000 --> 00:00:06,000
[door slams]
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    import glowvox.synthesis.installed_voices as module

    monkeypatch.setattr(module, "load_voice", lambda name, **rest: fake_voice())


@pytest.fixture
def subtitles(tmp_path):
    place = tmp_path / "film.srt"
    place.write_text(SRT, encoding="utf-8")
    return place


def test_a_track_and_a_report_are_written(subtitles, tmp_path, capsys):
    out, report = tmp_path / "film.wav", tmp_path / "film.json"
    assert main(["dub", str(subtitles), "-o", str(out), "--report", str(report)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("hurried: cue 2 (line 6, 4.000 s): ") and "This is far too long" in said[0]
    assert said[1] == "silent: cue 3 (line 10): nothing to say: the cue has no text"
    assert said[2].startswith(f"{out}: 3 cues, 6.0 s in ") and "1 hurried, 0 overlapping, 1 silent" in said[2]
    samples, rate = soundfile.read(out, dtype="float32")
    assert len(samples) == 6 * rate and not samples[: rate // 2].any() and np.abs(samples[rate // 2 : rate]).max() > 0.1
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["hurried"] == [2] and told["silent"] == [3] and told["cues"][1]["pace"] > 1.3
    assert main(["dub", str(subtitles), "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cues"] == told["cues"]


def test_overlapping_cues_are_told(tmp_path, capsys):
    place = tmp_path / "a.srt"
    place.write_text(
        "1\n00:00:00,000 --> 00:00:02,000\nGood morning.\n\n2\n00:00:00,100 --> 00:00:02,000\nGood evening.\n"
    )
    assert main(["dub", str(place), "-o", str(tmp_path / "a.wav")]) == 0
    assert "overlapping: cue 1 (line 2): " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("", [], "holds no cue"),
        ("1\n00:00:02,000 --> 00:00:01,000\na\n", [], "line 2: the cue ends at 1 s"),
        (SRT, ["--slowest", "2"], "slowest pace"),
        (SRT, ["--overrun", "-1"], "overrun"),
        (SRT, ["--speaker", "eve"], "no speaker 'eve'"),
        (SRT, ["--seed", "x"], "--seed"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(tmp_path, capsys, content, words, message):
    place, out = tmp_path / "a.srt", tmp_path / "a.wav"
    place.write_text(content, encoding="utf-8")
    assert main(["dub", str(place), "-o", str(out), *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and not out.exists()


def test_an_unknown_sound_format_is_refused(subtitles, tmp_path, capsys):
    assert main(["dub", str(subtitles), "-o", str(tmp_path / "a.doc")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_odd_is_told_and_what_is_left_out_can_be_kept(tmp_path, capsys):
    place, out = tmp_path / "a.srt", tmp_path / "a.wav"
    content = "1\n00:00:01,000 --> 00:00:01,000\nTOM: Grüße.\n\n2\n00:00:04,000 --> 00:00:06,000\nHello\n\nthere.\n"
    place.write_bytes(content.encode("cp1252"))
    assert main(["dub", str(place), "-o", str(out), "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["format"], report["encoding"], report["left_out"]) == ("SubRip", "cp1252", {"labels": 1})
    assert [cue["text"] for cue in report["cues"]] == ["Grüße.", "Hello there."]
    words = ("cp1252", "blank line", "no length")
    assert all(word in line for word, line in zip(words, report["warnings"], strict=True))
    assert all(f"glowvox dub: {line}" in said.err for line in report["warnings"])
    assert main(["dub", str(place), "-o", str(out)]) == 0
    assert "left out: 1 name of a speaker; --keep labels speaks them" in capsys.readouterr().out
    assert main(["dub", str(place), "-o", str(out), "--json", "--keep", "labels, sounds"]) == 0
    assert json.loads(capsys.readouterr().out)["cues"][0]["text"] == "TOM: Grüße."
    assert main(["dub", str(place), "-o", str(out), "--keep", "names"]) == 2
    assert "'names' cannot be kept" in capsys.readouterr().err


def test_many_warnings_do_not_bury_the_rest(tmp_path, capsys):
    place = tmp_path / "a.srt"
    place.write_text("".join(f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},000\nw{n}\n\n" for n in range(1, 25)))
    assert main(["dub", str(place), "-o", str(tmp_path / "a.wav")]) == 0
    said = capsys.readouterr().err
    assert said.count("no length") == 10 and "and 14 more such lines" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "a.wav", "--report", "film.srt"], "--report: film.srt is also the file of the subtitles"),
        (["-o", "a.wav", "--timestamps", "./film.srt"], "--timestamps: film.srt is also the file of the subtitles"),
        (["-o", "a.wav", "--report", "a.wav"], "--report: a.wav is also the file of -o, and both are written"),
        (["-o", "a.wav", "--report", "b.json", "--timestamps", "b.json"], "also the file of --timestamps"),
        (["-o", "a.wav", "--report", "link.srt"], "would be lost"),
        (["-o", "a.wav", "--report", "none/b.json"], "the folder none does not exist"),
        (["-o", "none/a.wav"], "the folder none does not exist"),
    ],
)
def test_no_file_is_written_over_another(subtitles, tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.srt").symlink_to("film.srt")
    assert main(["dub", "film.srt", *words]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert subtitles.read_text() == SRT and not (tmp_path / "a.wav").exists()
