"""The layouts are recognised, and nothing in them is passed over in silence."""

import json
import os
from pathlib import Path

import pytest

from glowvox.data.corpora import Corpus, read_corpus
from glowvox.errors import DataError


def touch(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def kinds(corpus: Corpus) -> list[tuple[str, str]]:
    return sorted((finding.kind, finding.subject) for finding in corpus.findings)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_ljspeech_layout(tmp_path: Path, suffix: str) -> None:
    touch(tmp_path / "wavs" / f"a.{suffix}")
    touch(tmp_path / "wavs" / f"b.{suffix}")
    touch(tmp_path / "wavs" / f"c.{suffix}")
    rows = "\ufeffa|Dr. Grün|Doctor  Grün \r\nb|plain|\r\n\r\nmissing|text\r\nnotext\r\na|again\r\n"
    touch(tmp_path / "metadata.csv", rows.encode())
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "LJ Speech"
    assert [(item.id, item.text) for item in corpus.utterances] == [("a", "Doctor Grün"), ("b", "plain"), ("c", None)]
    assert kinds(corpus) == [
        ("duplicate id", f"wavs/a.{suffix}"),
        ("malformed row", "metadata.csv, line 5"),
        ("text without audio", "metadata.csv, line 4"),
    ]


def test_ljspeech_ids_may_carry_the_suffix_and_one_bad_row_harms_no_other(tmp_path: Path) -> None:
    touch(tmp_path / "wavs" / "a.wav")
    touch(tmp_path / "wavs" / "a.flac")
    touch(tmp_path / "wavs" / "b.wav")
    touch(tmp_path / "metadata.csv", b"a.wav|first\nb|sch\x81n\n../../etc/passwd|out\n")
    corpus = read_corpus(tmp_path)
    assert [(item.id, item.audio.name, item.text) for item in corpus.utterances] == [
        ("a", "a.flac", "first"),
        ("b", "b.wav", None),
    ]
    assert kinds(corpus) == [
        ("duplicate id", "wavs/a.wav"),
        ("encoding", "metadata.csv"),
        ("malformed row", "metadata.csv, line 2"),
        ("text without audio", "metadata.csv, line 3"),
    ]


def test_plain_folder_with_txt_and_lab(tmp_path: Path) -> None:
    touch(tmp_path / "one.wav")
    touch(tmp_path / "one.txt", "Two\nlines\u200b.".encode())
    touch(tmp_path / "sub" / "two.FLAC")
    touch(tmp_path / "sub" / "two.lab", b"lab text")
    touch(tmp_path / "three.ogg")
    touch(tmp_path / "three.txt", b"\xff\xfe broken")
    touch(tmp_path / "four.wav")
    touch(tmp_path / "notes.txt", b"no audio")
    touch(tmp_path / "._one.wav")
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "plain folder"
    assert [(item.id, item.text) for item in corpus.utterances] == [
        ("four", None),
        ("one", "Two lines."),
        ("sub/two", "lab text"),
    ]
    assert kinds(corpus) == [("text without audio", "notes.txt"), ("unreadable text", "three.ogg")]


def test_vctk_layout_takes_the_first_microphone(tmp_path: Path) -> None:
    for name in ("p1/p1_001_mic1", "p1/p1_001_mic2", "p2/p2_001_mic1"):
        touch(tmp_path / "wav48_silence_trimmed" / f"{name}.flac")
    touch(tmp_path / "txt" / "p1" / "p1_001.txt", b"Please call Stella.\n")
    touch(tmp_path / "txt" / "p1" / "p1_002.txt", b"Ask her.\n")
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "VCTK"
    assert [(item.id, item.speaker, item.text, item.audio.name) for item in corpus.utterances] == [
        ("p1/p1_001", "p1", "Please call Stella.", "p1_001_mic1.flac"),
        ("p2/p2_001", "p2", None, "p2_001_mic1.flac"),
    ]
    assert [kind for kind, _ in kinds(corpus)] == ["further microphone", "text without audio"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_manifest(tmp_path: Path, delimiter: str) -> None:
    touch(tmp_path / "audio" / "x.wav")
    touch(tmp_path / "audio" / "unmentioned.wav")
    rows = [["audio", "text", "speaker", "language"], ["audio/x.wav", '"Yes, ""no""."', "ann", "de-de"]]
    rows += [["audio/none.wav", "gone", "", ""], ["", "no path", "", ""]]
    touch(tmp_path / "manifest.csv", "".join(delimiter.join(row) + "\n" for row in rows).encode())
    for place in (tmp_path, tmp_path / "manifest.csv"):
        corpus = read_corpus(place)
        assert corpus.layout == "manifest"
        (item,) = corpus.utterances
        # With bars there is no quoting.
        text = 'Yes, "no".' if delimiter != "|" else '"Yes, ""no""."'
        assert (item.id, item.text, item.speaker, item.language) == ("audio/x", text, "ann", "de-de")
        assert kinds(corpus) == [
            ("audio without text", "audio/unmentioned.wav"),
            ("malformed row", "manifest.csv, line 4"),
            ("text without audio", "manifest.csv, line 3"),
        ]


def test_jsonl_manifest_survives_hostile_rows(tmp_path: Path) -> None:
    audio = touch(tmp_path / "x.wav")
    rows = [
        json.dumps({"audio": str(audio), "text": "absolute"}),
        "not json",
        "[1, 2]",
        "[" * 100_000,
        json.dumps({"audio": 7, "text": "t"}),
        json.dumps({"audio": "a\0b", "text": "t"}),
        json.dumps({"audio": "x.wav", "text": ["t"]}),
        json.dumps({"audio": "y" * 5000 + ".wav", "text": "t"}),
        json.dumps({"audio": "/dev/zero", "text": "t"}),
    ]
    manifest = touch(tmp_path / "list.jsonl", "\n".join(rows).encode())
    corpus = read_corpus(manifest)
    assert [(item.id, item.text) for item in corpus.utterances] == [("x", "absolute")]
    assert [kind for kind, _ in kinds(corpus)] == ["malformed row"] * 6 + ["text without audio"] * 2


def test_broken_links_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    assert [item.id for item in read_corpus(tmp_path).utterances] == ["gone"]


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no recordings found"):
        read_corpus(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_corpus(tmp_path / "absent")
    touch(tmp_path / "a.wav")
    with pytest.raises(DataError, match="layout 'vctk'"):
        read_corpus(tmp_path, "vctk")
    with pytest.raises(DataError, match="no layout 'lj'"):
        read_corpus(tmp_path, "lj")
    manifest = touch(tmp_path / "m.csv", b"words,number\nhello,a.wav\n")
    with pytest.raises(DataError, match=r"no column 'audio' in its first line.*'words,number'"):
        read_corpus(manifest)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="no such folder"):
        read_corpus(tmp_path / "pipe.csv")


def test_one_recording_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "take.WAV").write_bytes(b"RIFF\0\0")
    with pytest.raises(DataError, match="is one recording; name the folder"):
        read_corpus(tmp_path / "take.WAV")
