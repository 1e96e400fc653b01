"""Corpora as people and programs leave them: every layout read, no transcript changed in silence, nothing unnamed."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from glowvox.data.corpora import Corpus, read_corpus
from glowvox.data.preparation import PrepareSettings, prepare_corpus
from glowvox.errors import DataError


def put(folder: Path, name: str, content: str | bytes = b"", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def recordings(folder: Path, *names: str) -> None:
    for name in names:
        put(folder, name)


def said(corpus: Corpus) -> dict[str, tuple[str | None, str]]:
    """Text and speaker by the recording's path in the corpus."""
    return {corpus.relative(one.audio): (one.text, one.speaker) for one in corpus.utterances}


def kinds(corpus: Corpus) -> list[str]:
    return sorted(finding.kind for finding in corpus.findings)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    recordings(tmp_path, "wavs/1.wav", "wavs/2.wav")
    return tmp_path


TWO = {"wavs/1.wav": ("Hello, there.", ""), "wavs/2.wav": ("Two.", "")}
NAMED = {"wavs/1.wav": ("Hello, there.", "ann"), "wavs/2.wav": ("Two.", "bob")}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", "wavs/1.wav|Hello, there.\nwavs/2.wav|Two.\n"),
        ("metadata.csv", "wavs\\1.wav|Hello, there.\nwavs\\2.wav|Two.\n"),
        ("metadata.csv", ".\\wavs\\1.wav|Hello, there.\r\n./wavs/2.wav|Two.\r\n"),
        ("metadata.csv", "C:\\data\\corpus\\wavs\\1.wav|Hello, there.\nC:\\data\\corpus\\wavs\\2.wav|Two.\n"),
        ("metadata.csv", "/home/who/corpus/wavs/1.wav|Hello, there.\n/home/who/corpus/wavs/2.wav|Two.\n"),
        ("metadata.csv", "1|Hello, there.\n2|Two.\n"),
        ("metadata.csv", "id|text\n1|Hello, there.\n2|Two.\n"),
        ("filelist.txt", "wavs/1.wav|Hello, there.\nwavs/2.wav|Two.\n"),
        ("train.list", "wavs/1.wav|Hello, there.\nwavs/2.wav|Two.\n"),
        ("metadata.csv", 'file_name,transcription\nwavs/1.wav,"Hello, there."\nwavs/2.wav,Two.\n'),
        ("metadata.csv", "file_name,transcription\nwavs/1.wav,Hello, there.\nwavs/2.wav,Two.\n"),
        ("metadata.csv", 'file_name, transcription\nwavs/1.wav, "Hello, there."\nwavs/2.wav, Two.\n'),
        ("list.csv", 'Audio,Text\nwavs/1.wav,"Hello, there."\nwavs/2.wav,Two.\n'),
        ("list.csv", 'Text,Audio\n"Hello, there.",wavs/1.wav\nTwo.,wavs/2.wav\n'),
        ("list.csv", 'File Name;Transcript\nwavs/1.wav;"Hello, there."\nwavs/2.wav;Two.\n'),
        ("anything.csv", 'wavs/1.wav,"Hello, there."\nwavs/2.wav,Two.\n'),
        ("anything.csv", "wavs/1.wav,Hello, there.\nwavs/2.wav,Two.\n"),
        ("anything.csv", "1, Hello, there.\n2, Two.\n"),
        ("anything.tsv", "wavs/1.wav\tHello, there.\nwavs/2.wav\tTwo.\n"),
        ("validated.tsv", "path\tsentence\n1.wav\tHello, there.\n2.wav\tTwo.\n"),
        ("normalized.txt", "1 Hello, there.\n2 Two.\n"),
        (
            "manifest.json",
            '{"audio_filepath": "wavs/1.wav", "duration": 1.5, "text": "Hello, there."}\n'
            '{"audio_filepath": "wavs/2.wav", "duration": 1.0, "text": "Two."}\n',
        ),
        ("list.json", '[{"file": "wavs/1.wav", "text": "Hello, there."},\n {"file": "wavs/2.wav", "text": "Two."}]'),
        (
            "hifi_manifest.json",
            '{"audio_filepath": "/data/hifi/wavs/1.wav", "text": "hello there", "text_normalized": "Hello, there."}\n'
            '{"audio_filepath": "/data/hifi/wavs/2.wav", "text": "two", "text_normalized": "Two."}\n',
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_of_two_recordings(two: Path, name: str, content: str, encoding: str) -> None:
    path = put(two, name, content, encoding)
    for place in (two, path):
        corpus = read_corpus(place)
        assert said(corpus) == TWO, name
        assert not [finding for finding in corpus.findings if finding.severity == "left out"]
        assert corpus.encodings == {"UTF-16" if encoding == "utf-16" else "UTF-8": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", "1|ann|Hello, there.\n2|bob|Two.\n"),
        ("metadata.csv", "wavs/1.wav|ann|Hello, there.\nwavs/2.wav|bob|Two.\n"),
        ("metadata.csv", "wavs/1.wav|Hello, there.|ann\nwavs/2.wav|Two.|bob\n"),
        ("metadata.csv", "audio_file|text|speaker_name\nwavs/1.wav|Hello, there.|ann\nwavs/2.wav|Two.|bob\n"),
        ("train.tsv", "client_id\tpath\tsentence\nann\t1.wav\tHello, there.\nbob\t2.wav\tTwo.\n"),
        ("list.csv", 'wavs/1.wav,ann,"Hello there"\nwavs/2.wav,bob,Two\n'),
    ],
)
def test_lists_with_speakers(two: Path, name: str, content: str) -> None:
    put(two, name, content)
    expected = {path: (text.replace(",", "").rstrip("."), who) for path, (text, who) in NAMED.items()}
    corpus = read_corpus(two)
    assert said(corpus) == (expected if name == "list.csv" else NAMED)
    assert kinds(corpus) == []


def test_numbered_speakers_of_nemo_and_vits(two: Path) -> None:
    put(two, "train.txt", "wavs/1.wav|0|Hello, there.\nwavs/2.wav|1|Two.\n")
    assert said(read_corpus(two)) == {"wavs/1.wav": ("Hello, there.", "0"), "wavs/2.wav": ("Two.", "1")}
    (two / "train.txt").unlink()
    rows = [{"audio_filepath": f"wavs/{n}.wav", "text": text, "speaker": n} for n, text in ((1, "A b."), (2, "Two."))]
    put(two, "train_manifest.json", "\n".join(map(json.dumps, rows)))
    assert said(read_corpus(two)) == {"wavs/1.wav": ("A b.", "1"), "wavs/2.wav": ("Two.", "2")}


def test_ljspeech_keeps_its_third_column_whatever_is_in_it(tmp_path: Path) -> None:
    recordings(tmp_path, "wavs/a.wav", "wavs/b.wav", "wavs/c.wav")
    put(tmp_path, "metadata.csv", "a|Dr. Who|Doctor Who\nb|It was $5.|It was five dollars.\nc|Yes.|Yes.\n")
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "LJ Speech" and not corpus.findings
    assert [item.text for item in corpus.utterances] == ["Doctor Who", "It was five dollars.", "Yes."]


def test_numbers_alone_are_no_speakers(tmp_path: Path) -> None:
    recordings(tmp_path, "wavs/a.wav", "wavs/b.wav", "wavs/c.wav")
    put(tmp_path, "metadata.csv", "a|1|one\nb|2|two\nc|3|three\n")
    assert [(item.text, item.speaker) for item in read_corpus(tmp_path).utterances] == [
        ("one", ""),
        ("two", ""),
        ("three", ""),
    ]


def test_a_bar_in_a_text_is_told(tmp_path: Path) -> None:
    recordings(tmp_path, *(f"wavs/{n}.wav" for n in range(10)))
    rows = [f"{n}|Sentence {n}.\n" for n in range(10)]
    rows[4] = "4|Left|right.\n"
    put(tmp_path, "metadata.csv", "".join(rows))
    [finding] = read_corpus(tmp_path).findings
    assert finding.kind == "unusual row" and finding.subject == "metadata.csv, line 5"


def test_a_quotation_mark_swallows_no_row(tmp_path: Path) -> None:
    recordings(tmp_path, "wavs/1.wav", "wavs/2.wav", "wavs/3.wav")
    texts = ['"The quick fox.', "Hello there.", 'He said "bye".']
    rows = "".join(f"wavs/{n}.wav|{text}\n" for n, text in enumerate(texts, 1))
    for header in ("", "audio|text\n"):
        put(tmp_path, "metadata.csv", header + rows)
        corpus = read_corpus(tmp_path)
        assert [item.text for item in corpus.utterances] == texts and not corpus.findings
    for delimiter in (",", ";", "\t"):
        for header in ("", "audio|text\n"):
            put(tmp_path, "metadata.csv", (header + rows).replace("|", delimiter))
            corpus = read_corpus(tmp_path)
            assert [item.text for item in corpus.utterances] == texts
            assert kinds(corpus) == ["unusual row"]


def test_a_text_over_several_lines_is_a_finding(two: Path) -> None:
    put(two, "list.csv", 'audio,text\nwavs/1.wav,"Hello,\nthere."\nwavs/2.wav,Two.\n')
    corpus = read_corpus(two)
    assert said(corpus) == TWO
    [finding] = corpus.findings
    assert (finding.kind, finding.subject) == ("unusual row", "list.csv, line 2") and "line end" in finding.reason


def test_rows_with_too_many_fields_are_left_out_or_told(two: Path) -> None:
    put(two, "list.csv", "audio,text,speaker\nwavs/1.wav,Hello, there.,ann\nwavs/2.wav,Two.,bob,,\n")
    corpus = read_corpus(two)
    assert said(corpus) == {"wavs/2.wav": ("Two.", "bob")}
    assert kinds(corpus) == ["audio without text", "malformed row"]


@pytest.mark.parametrize("layout", ["metadata.csv", "1.txt"])
def test_encodings_are_read_and_named(tmp_path: Path, layout: str) -> None:
    text = "Grüße, José – ‘naïve’."
    for encoding, name in (("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "cp1252")):
        folder = tmp_path / name
        recordings(folder, "wavs/1.wav" if layout == "metadata.csv" else "1.wav")
        put(folder, layout, f"1|{text}\n" if layout == "metadata.csv" else text, encoding)
        corpus = read_corpus(folder)
        assert [item.text for item in corpus.utterances] == [text]
        assert corpus.encodings == {name: 1}
        named = [finding for finding in corpus.findings if finding.kind == "encoding"]
        assert len(named) == (name != "UTF-8") and all(name in finding.reason for finding in named)
        assert [finding.severity for finding in named] == {"UTF-8": [], "UTF-16": ["note"], "cp1252": ["warning"]}[name]


def test_json_in_another_encoding_is_named(two: Path) -> None:
    rows = b'{"audio": "wavs/1.wav", "text": "sch\xf6n"}\n{"audio": "wavs/2.wav", "text": "Two."}\n'
    put(two, "list.jsonl", rows)
    corpus = read_corpus(two)
    assert said(corpus) == {"wavs/2.wav": ("Two.", "")}
    assert any("not UTF-8" in finding.reason for finding in corpus.findings)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("layout", ["metadata.csv", "list.csv", "plain", "kaldi"])
def test_composed_and_decomposed_names_are_the_same(tmp_path: Path, on_disk: str, layout: str) -> None:
    here = unicodedata.normalize(on_disk, "grüße")
    there = unicodedata.normalize("NFD" if on_disk == "NFC" else "NFC", "grüße")
    recordings(tmp_path, f"{here}.wav" if layout == "plain" else f"wavs/{here}.wav")
    if layout == "plain":
        put(tmp_path, f"{there}.txt", "Hello.")
    elif layout == "kaldi":
        put(tmp_path, "wav.scp", f"u1 wavs/{there}.wav\n")
        put(tmp_path, "text", "u1 Hello.\n")
    else:
        rows = f"{there}|Hello.\n" if layout == "metadata.csv" else f"audio,text\nwavs/{there}.wav,Hello.\n"
        put(tmp_path, layout, rows)
    corpus = read_corpus(tmp_path)
    assert [item.text for item in corpus.utterances] == ["Hello."] and not corpus.findings


def test_absolute_paths_of_this_machine(tmp_path: Path) -> None:
    recordings(tmp_path, "sound/1.wav", "lists/keep")
    put(tmp_path, "lists/metadata.csv", f"{tmp_path}/sound/1.wav|Hello.\n")
    assert [item.text for item in read_corpus(tmp_path / "lists" / "metadata.csv").utterances] == ["Hello."]
    put(tmp_path, "lists/metadata.csv", "sound/1.wav|Hello.\n")
    assert [item.text for item in read_corpus(tmp_path / "lists" / "metadata.csv").utterances] == ["Hello."]


def test_a_path_never_means_a_recording_of_another_folder(tmp_path: Path) -> None:
    recordings(tmp_path, "ann/1.wav", "ann/2.wav")
    put(tmp_path, "list.csv", "audio,text\nann/1.wav,Hers.\nbob/1.wav,His.\n/else/bob/2.wav,His too.\n")
    corpus = read_corpus(tmp_path)
    assert said(corpus) == {"ann/1.wav": ("Hers.", "")}
    assert kinds(corpus) == ["audio without text", "text without audio", "text without audio"]


def test_lists_that_were_written_from_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings(tmp_path, "downloads/1.wav", "here/2.wav")
    put(tmp_path, "data/train/wav.scp", "u1 downloads/1.wav\n")
    put(tmp_path, "data/train/text", "u1 Hello.\n")
    assert [item.text for item in read_corpus(tmp_path / "data" / "train").utterances] == ["Hello."]
    monkeypatch.chdir(tmp_path / "here")
    put(tmp_path, "data/train/list.csv", "2.wav|Two.\n")
    corpus = read_corpus(tmp_path / "data" / "train" / "list.csv")
    assert [item.text for item in corpus.utterances] == ["Two."] and not corpus.findings


def test_a_list_in_a_folder_beside_the_recordings(tmp_path: Path) -> None:
    recordings(tmp_path, "wav/dev/a_1.wav", "wav/dev/a_2.wav")
    put(tmp_path, "text/normalized.txt", "a_1\tHello, there.\na_2\tTwo.\n")
    put(tmp_path, "text/original.txt", "a_1\thello there\na_2\t2\n")
    expected = {"wav/dev/a_1.wav": ("Hello, there.", ""), "wav/dev/a_2.wav": ("Two.", "")}
    for place in (tmp_path, tmp_path / "text" / "normalized.txt"):
        assert said(read_corpus(place)) == expected


def test_what_spreadsheets_leave(two: Path) -> None:
    put(two, "list.csv", 'sep=;\naudio;text\nwavs/1.wav;"Hello, there."\nwavs/2.wav;Two.\n')
    assert said(read_corpus(two)) == TWO
    put(two, "list.csv", '"wavs/1.wav"|Hello, there.\n"2"|Two.\n')
    assert said(read_corpus(two)) == TWO
    (two / "list.csv").unlink()
    put(two, "list.xlsx", b"PK\x03\x04\0\0")
    [finding] = [one for one in read_corpus(two).findings if one.kind == "unread list"]
    assert "spreadsheet" in finding.reason


def test_a_list_in_utf_16_without_a_mark_says_so(two: Path) -> None:
    put(two, "metadata.csv", "1|Hello.\n".encode("utf-16-le"))
    [finding] = [one for one in read_corpus(two).findings if one.kind == "unread list"]
    assert "UTF-16 without a mark" in finding.reason


def test_our_own_columns_are_taken_by_their_names(two: Path) -> None:
    put(two, "list.csv", "audio,text,normalized_text\nwavs/1.wav,As it stands.,other\nwavs/2.wav,,Two.\n")
    assert said(read_corpus(two)) == {"wavs/1.wav": ("As it stands.", ""), "wavs/2.wav": ("Two.", "")}
    put(two, "list.csv", "file_name,text,normalized_text\nwavs/1.wav,5,five\nwavs/2.wav,2,two\n")
    assert said(read_corpus(two)) == {"wavs/1.wav": ("five", ""), "wavs/2.wav": ("two", "")}


@pytest.mark.parametrize("name", ["metadata.csv", "list.csv"])
def test_nothing_but_sound_is_taken_from_outside(two: Path, name: str) -> None:
    folder = two / "corpus"
    recordings(folder, "1.wav")
    put(two, "secret", "x")
    rows = f"1.wav|One.\n../secret|Out.\n{two}/secret|Out.\n/etc/passwd|Out.\n../wavs/2.wav|Two.\n"
    put(folder, name, rows if name == "metadata.csv" else "audio|text\n" + rows)
    corpus = read_corpus(folder)
    assert sorted(item.text or "" for item in corpus.utterances) == ["One.", "Two."]
    assert kinds(corpus) == ["text without audio"] * 3


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    recordings(tmp_path / "disk", "1.wav", ".hidden/3.wav", "more/2.wav")
    corpus = tmp_path / "corpus"
    put(corpus, "metadata.csv", "1|Hello, there.\nmore/2|Two.\n")
    (corpus / "wavs").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "more" / "back").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "more" / "up").symlink_to(corpus)
    found = said(read_corpus(corpus))
    assert found == {"wavs/1.wav": ("Hello, there.", ""), "wavs/more/2.wav": ("Two.", "")}


def test_moved_recordings_are_told_once(two: Path) -> None:
    put(two, "list.csv", "audio,text\n/old/wavs/1.wav,One.\n/old/wavs/2.wav,Two.\n")
    [finding] = read_corpus(two).findings
    assert finding.kind == "moved recordings" and "2 recordings" in finding.reason


def test_hugging_face_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        recordings(tmp_path, f"{split}/a.wav")
        put(tmp_path, f"{split}/metadata.csv", f"file_name,transcription\na.wav,Of {split}.\n")
    corpus = read_corpus(tmp_path)
    assert said(corpus) == {"test/a.wav": ("Of test.", ""), "train/a.wav": ("Of train.", "")}
    assert [item.id for item in corpus.utterances] == ["test/a", "train/a"]


def test_common_voice(tmp_path: Path) -> None:
    recordings(tmp_path, "clips/c1.mp3", "clips/c2.mp3", "clips/c3.mp3")
    header = "client_id\tpath\tsentence_id\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment\n"
    row = "{0}\tc{1}.mp3\tx{1}\t{2}\t2\t0\t\t\t\ten\t\n"
    rows = row.format("ann", 1, '"Go," he said.') + row.format("bob", 2, '"All quoted."')
    put(tmp_path, "validated.tsv", header + rows)
    put(tmp_path, "invalidated.tsv", header + row.format("eve", 3, "Bad."))
    put(tmp_path, "clip_durations.tsv", "clip\tduration[ms]\nc1.mp3\t1000\n")
    put(tmp_path, "reported.tsv", "sentence_id\tsentence\tlocale\treason\nx\tOdd.\ten\tspelling\n")
    corpus = read_corpus(tmp_path)
    assert said(corpus) == {"clips/c1.mp3": ('"Go," he said.', "ann"), "clips/c2.mp3": ("All quoted.", "bob")}
    assert kinds(corpus) == ["audio without text", "further list", "unusual row"]
    assert {item.language for item in corpus.utterances} == {"en"}


def test_libritts(tmp_path: Path) -> None:
    for stem in ("84/121123/84_121123_000007_000001", "1034/121119/1034_121119_000005_000001"):
        recordings(tmp_path, f"{stem}.wav")
        put(tmp_path, f"{stem}.original.txt", "It was 5.")
        put(tmp_path, f"{stem}.normalized.txt", "It was five.")
    put(tmp_path, "84/121123/84_121123.trans.tsv", "84_121123_000007_000001\tIt was 5.\tIt was five.\n")
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "LibriTTS" and not corpus.findings
    assert [(item.text, item.speaker) for item in corpus.utterances] == [
        ("It was five.", "1034"),
        ("It was five.", "84"),
    ]
    (tmp_path / "flat").mkdir()
    recordings(tmp_path / "flat", "x.wav", "y.wav")
    put(tmp_path / "flat", "x.normalized.txt", "Ten.")
    put(tmp_path / "flat", "y.original.txt", "10.")
    recordings(tmp_path / "flat", "z.wav")
    put(tmp_path / "flat", "z.wav.txt", "Whole name.")
    assert said(read_corpus(tmp_path / "flat")) == {
        "x.wav": ("Ten.", ""),
        "y.wav": ("10.", ""),
        "z.wav": ("Whole name.", ""),
    }


def test_kaldi(tmp_path: Path) -> None:
    recordings(tmp_path, "wavs/1.wav", "wavs/2.wav")
    put(
        tmp_path, "wav.scp", f"u1 wavs/1.wav\nu2\t{tmp_path}/wavs/2.wav\nu3 sph2pipe -f wav a.sph |\nu4 wavs/none.wav\n"
    )
    put(tmp_path, "text", "u1 Hello,  there.\nu2 Two.\nu5 Cut.\nu1 Again.\n")
    put(tmp_path, "utt2spk", "u1 ann\nu2 bob\n")
    put(tmp_path, "segments", "u5 rec1 0.0 1.5\n")
    corpus = read_corpus(tmp_path)
    assert corpus.layout == "Kaldi" and said(corpus) == NAMED
    assert [item.id for item in corpus.utterances] == ["u1", "u2"]
    assert kinds(corpus) == ["duplicate id", "malformed row", "text without audio", "text without audio"]
    reasons = " ".join(finding.reason for finding in corpus.findings)
    assert "not run" in reasons and "segments" in reasons


def test_parts_of_recordings_are_not_taken_for_the_whole(two: Path) -> None:
    rows = [{"audio_filepath": f"wavs/{n}.wav", "offset": float(n - 1), "text": "Two."} for n in (1, 2)]
    put(two, "manifest.jsonl", "\n".join(map(json.dumps, rows)))
    corpus = read_corpus(two)
    assert list(said(corpus)) == ["wavs/1.wav"]
    assert any("a part of a recording" in finding.reason for finding in corpus.findings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.csv", "who;what\nHello.;wavs/1.wav\n"),
        ("transcripts.txt", "Hello there.\nTwo.\n"),
        ("metadata.json", '{"title": "my voice"}\n'),
        ("sub/deep.csv", "words,number\nHello,1\n"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_with_its_first_line(two: Path, name: str, content: str) -> None:
    put(two, name, content)
    put(two, "LICENSE.txt", "Public domain.\n")
    corpus = read_corpus(two)
    [finding] = [finding for finding in corpus.findings if finding.kind == "unread list"]
    assert finding.subject == name and content.splitlines()[0] in finding.reason
    with pytest.raises(DataError, match=r"first line.*'words,number'"):
        read_corpus(put(two, "alone.csv", "words,number\nHello,1\n"))


def test_a_header_of_unknown_names_is_a_row_without_recording(two: Path) -> None:
    put(two, "list.csv", 'number,words\n1,"Hello, there."\n2,Two.\n')
    corpus = read_corpus(two)
    assert said(corpus) == TWO
    [finding] = corpus.findings
    assert (finding.kind, finding.subject) == ("text without audio", "list.csv, line 1") and "number" in finding.reason


def test_the_report_names_layout_encoding_and_speakers(
    tmp_path: Path, voiced: Callable, write: Callable, no_plots: None
) -> None:
    folder = tmp_path / "corpus"
    for number in range(6):
        write(folder / "wavs" / f"{number}.wav", voiced(pitch=120.0 + 3 * number))
    rows = "".join(f"{n}|{'ann' if n % 2 else 'bob'}|Grüße Nummer {n}.\n" for n in range(6))
    put(folder, "metadata.csv", rows, "cp1252")
    report = prepare_corpus(folder, tmp_path / "data", PrepareSettings())
    assert report["encodings"] == {"cp1252": 1} and "id|speaker|text" in report["layout"]
    assert set(report["speakers"]) <= {"ann", "bob"}
    assert "cp1252 (1)" in (tmp_path / "data" / "report.html").read_text(encoding="utf-8")
    texts = (tmp_path / "data" / "train.jsonl").read_text(encoding="utf-8")
    assert "Grüße Nummer" in texts and "\ufffd" not in texts


def test_no_text_names_the_list(tmp_path: Path, voiced: Callable, write: Callable, no_plots: None) -> None:
    write(tmp_path / "corpus" / "1.wav", voiced())
    put(tmp_path / "corpus", "list.csv", "words,number\nHello,1\n")
    with pytest.raises(DataError, match=r"list.csv cannot be read as a list .*'words,number'"):
        prepare_corpus(tmp_path / "corpus", tmp_path / "data", PrepareSettings())


def test_a_corpus_is_read_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings(tmp_path, "wavs/ann/1.wav", "wavs/ann/2.wav")
    put(tmp_path, "metadata.csv", "ann/1|One.\nann/2|Two.\n")
    put(tmp_path, "lists/train.txt", "wavs/ann/1.wav|One.\nwavs/ann/2.wav|Two.\n")
    expected = [("ann/1", "One."), ("ann/2", "Two.")]
    for here, named in (("", "."), ("", "./"), ("wavs", ".."), ("wavs/ann", "../..")):
        monkeypatch.chdir(tmp_path / here)
        assert [(one.id, one.text) for one in read_corpus(Path(named)).utterances] == expected, named
    for here, named in (
        ("", "metadata.csv"),
        ("", "lists/train.txt"),
        ("lists", "train.txt"),
        ("lists", "./train.txt"),
    ):
        monkeypatch.chdir(tmp_path / here)
        corpus = read_corpus(Path(named))
        assert [one.text for one in corpus.utterances] == ["One.", "Two."], named
        assert not [one for one in corpus.findings if one.severity == "left out"], named
    for layout, name in (("plain", "a/1"), ("vctk", "ann/1")):
        folder = tmp_path / layout
        recordings(folder, *(("a/1.wav",) if layout == "plain" else ("wav48/ann/1.wav",)))
        put(folder, "a/1.txt" if layout == "plain" else "txt/ann/1.txt", "One.")
        monkeypatch.chdir(folder)
        assert [(one.id, one.text) for one in read_corpus(Path()).utterances] == [(name, "One.")]
