"""`glowvox align`, `score` and `prepare --audit`: one recording or many, every mistake one line."""

import json

import numpy as np
import pytest
import soundfile
from tiny_voice import acoustic_model, vocoder_model

from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

TEXTS = ("We were away all year.", "You owe me one, Tom.", "Nobody knows him here.", "It was raining again.")


def buzz(seed, seconds=1.6):
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * 22050)) / 22050
    tone = np.sin(2 * np.pi * (120 + 9 * seed) * time + np.sin(9 * time)) * (1.1 + np.sin((5 + seed) * time))
    return (0.1 * tone + 0.01 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    text = {
        "tokenizer": Tokenizer().to_dict(),
        "front_ends": {"en-us": load_front_end("en-us").to_dict()},
        "speakers": ["ann"],
    }
    save_model(acoustic_model(), place / "acoustic", provenance={"text": text})
    save_model(vocoder_model(), place / "vocoder")
    return place / "acoustic"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """24 recordings in folders, with texts beside them; one without."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(24):
        place = folder / f"part{number % 2}" / f"{number:02}.wav"
        place.parent.mkdir(exist_ok=True)
        soundfile.write(place, buzz(number, 1.6 + 0.01 * number), 22050)
        place.with_suffix(".txt").write_text(TEXTS[number % 4], encoding="utf-8")
    soundfile.write(folder / "untold.wav", buzz(99), 22050)
    return folder


@pytest.fixture
def one(corpus):
    return corpus / "part0" / "00.wav"


def test_one_recording_is_printed_or_written(one, model, tmp_path, capsys):
    assert main(["align", str(one), "--model", str(model)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[2] for row in rows] == ["We", "were", "away", "all", "year"]
    for name in ("a.TextGrid", "a.srt", "a.vtt", "a.ctm", "a.phones.ctm"):
        assert main(["align", str(one), "Other words.", "--model", str(model), "-o", str(tmp_path / name)]) == 0
        assert "2 words in 1.60 s" in capsys.readouterr().out and (tmp_path / name).stat().st_size > 20
    (tmp_path / "text.txt").write_text("More words.", encoding="utf-8")
    out = tmp_path / "b.json"
    told = ["--text-file", str(tmp_path / "text.txt"), "--json", "-o", str(out)]
    assert main(["align", str(one), *told, "--model", str(model)]) == 0
    printed, written = json.loads(capsys.readouterr().out), json.loads(out.read_text(encoding="utf-8"))
    assert printed["words"] == written["words"] and printed["output"] == str(out)
    assert [word["text"] for word in written["words"]] == ["More", "words"] and written["words"][0]["phonemes"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_becomes_a_folder(corpus, model, tmp_path, capsys, jobs):
    out = tmp_path / "times"
    assert main(["align", str(corpus), "-o", str(out), "--format", "ctm", "--jobs", jobs, "--model", str(model)]) == 0
    captured = capsys.readouterr()
    assert len(list(out.rglob("*.ctm"))) == 24 and "24 files" in captured.out and "1 left out" in captured.out
    assert "left out: untold: no text" in captured.err
    assert (out / "part1" / "01.ctm").read_text(encoding="utf-8").split()[4] == "You"


def test_a_recording_that_cannot_be_aligned_is_left_out(model, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", buzz(1), 22050)
    (tmp_path / "a.txt").write_text(TEXTS[0], encoding="utf-8")
    (tmp_path / "b.wav").write_bytes(b"no sound")
    (tmp_path / "b.txt").write_text(TEXTS[0], encoding="utf-8")
    soundfile.write(tmp_path / "c.wav", buzz(1, 0.2), 22050)
    (tmp_path / "c.txt").write_text(TEXTS[0] * 5, encoding="utf-8")
    assert main(["align", str(tmp_path), "-o", str(tmp_path / "t"), "--json", "--model", str(model)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in told["files"]] == ["a"] and sorted(told["left_out"]) == ["b", "c"]
    assert "too long for the recording" in told["left_out"]["c"]
    (tmp_path / "a.wav").unlink()
    assert main(["align", str(tmp_path), "-o", str(tmp_path / "t"), "--model", str(model)]) == 2
    assert "nothing could be aligned" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.wav", "Text."], "there is no such file"),
        (["{one}", "Text.", "--text-file", "x"], "not both"),
        (["{one}", "..."], "nothing to say"),
        (["{one}", "Text.", "-o", "times.doc"], "not '.doc'"),
        (["{one}", "--text-file", "missing.txt"], "cannot read missing.txt"),
        (["{one}", "Text.", "--speaker", "eve"], "no speaker 'eve'"),
        (["{one}", "Text.", "--model", "nowhere"], "there is no voice 'nowhere'"),
        (["{corpus}"], "name a folder"),
        (["{corpus}", "Text.", "-o", "x"], "is no sound file"),
        (["{corpus}", "-o", "x", "--jobs", "0"], "at least 1"),
        (["{corpus}/untold.wav"], "no text is given"),
    ],
)
def test_mistakes_are_one_line(one, corpus, model, capsys, words, message):
    words = [word.format(one=one, corpus=corpus) for word in words]
    if "--model" not in words:
        words += ["--model", str(model)]
    assert main(["align", *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and said.startswith("glowvox align: ")


def test_a_corpus_is_scored_and_one_recording_against_it(corpus, one, model, tmp_path, capsys):
    reference, scores = tmp_path / "reference.json", tmp_path / "scores.csv"
    vocoder = ["--vocoder", str(model.parent / "vocoder")]
    words = [str(corpus), "--model", str(model), "--save-reference", str(reference), "-o", str(scores), "--json"]
    assert main(["score", *words, *vocoder]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["scores"]) == 24 and told["reference"]["recordings"] == 24
    assert told["left_out"] == {"untold": "no text"}
    assert {"nats_per_frame", "gain", "worst", "pace", "bits_per_sample", "z_gain"} <= set(told["scores"][0])
    mismatches = [row["text_mismatch_score"] for row in told["scores"]]
    assert mismatches == sorted(mismatches, reverse=True)
    assert len(scores.read_text(encoding="utf-8").splitlines()) == 25

    single = ["score", str(one), "--model", str(model), "--reference", str(reference)]
    assert main([*single, "--json", *vocoder]) == 0
    [row] = json.loads(capsys.readouterr().out)["scores"]
    same = next(row for row in told["scores"] if row["id"] == "part0/00")
    assert row["gain"] == pytest.approx(same["gain"], abs=1e-3) and row["text_mismatch_score"] == pytest.approx(
        same["text_mismatch_score"], abs=0.01
    )
    assert main(single) == 0
    assert "1 recording in" in capsys.readouterr().out


def test_what_cannot_be_read_is_no_wrong_text(corpus, model, tmp_path, capsys):
    import numpy as np
    import soundfile

    opposite = tmp_path / "opposite.wav"
    tone = 0.1 * np.sin(np.arange(22050) / 20)
    soundfile.write(opposite, np.stack([tone, -tone], 1), 22050)
    (tmp_path / "opposite.txt").write_text("The boat lay on the sand.", encoding="utf-8")
    words = ["--model", str(model), "--reference", str(corpus)]
    assert main(["score", str(opposite), *words]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "opposite phase" in told.err.splitlines()[-1]

    assert main(["score", str(tmp_path), *words]) == 0
    out = capsys.readouterr().out
    assert "1 recording in" in out and "0 text mismatches, 0 outlier recordings, 1 that could not be read" in out
    assert "next:" not in out
    assert main(["score", str(tmp_path), *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["text_mismatches"], found["unread"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{one}", "Text."], "cannot be judged by itself"),
        (["{corpus}", "Text."], "is no sound file"),
        (["{corpus}", "-o", "x.doc"], "as .csv or .jsonl"),
        (["{corpus}", "--limit", "5"], "5 recordings are too few"),
        (["{corpus}", "--limit", "0"], "at least 1"),
        (["{corpus}", "--reference", "{one}"], ""),
        (["{corpus}", "--vocoder", "{model}"], "is no vocoder"),
        (["nowhere"], "there is no such file or folder"),
    ],
)
def test_mistakes_in_scoring_are_one_line(one, corpus, model, capsys, words, message):
    words = [word.format(one=one, corpus=corpus, model=model) for word in words]
    assert main(["score", *words, "--model", str(model)]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and said.startswith("glowvox score: ")


def test_preparing_with_an_audit_puts_text_mismatches_into_the_report(corpus, model, tmp_path, capsys, monkeypatch):
    import glowvox.evaluate.audit as module

    data = tmp_path / "data"
    monkeypatch.setattr(module, "SUSPECT", -1.0)
    assert main(["prepare", str(corpus), "-o", str(data), "--audit", str(model), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((data / "report.json").read_text(encoding="utf-8"))
    assert report["audit"]["text_mismatches"] == report["kinds"]["text mismatch"] > 0
    severities = [finding["severity"] for finding in report["findings"]]
    assert severities == sorted(severities, key=["left out", "warning", "note"].index)
    page = (data / "report.html").read_text(encoding="utf-8")
    assert "text mismatch" in page and "in standard deviations" in page
    assert main(["prepare", str(corpus), "-o", str(data), "--audit", "nowhere"]) == 2
    assert "there is no voice 'nowhere'" in capsys.readouterr().err
    assert main(["prepare", str(corpus), "-o", str(data), "--audit", str(model), "--without-text"]) == 2
