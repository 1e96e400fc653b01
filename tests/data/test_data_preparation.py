"""Preparing whole corpora: complete, repeatable, resumable, and never writing where it must not."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.audio.loudness import active_speech_level
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.data import clips as clip_maker
from glowvox.data.checks import Limits
from glowvox.data.preparation import PrepareSettings, prepare_corpus
from glowvox.data.prepared import PreparedData
from glowvox.errors import ConfigError, DataError
from glowvox.text.front_end import FRONT_END_VERSION

pytestmark = pytest.mark.usefixtures("no_plots")

MakeCorpus = Callable[..., Path]
TEXTS = {f"s{n:02}_{1592748500 + take}": f"Text of number {n}." for n in range(4) for take in range(2)}
SETTINGS = PrepareSettings(validation=0.2)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_prepared_clips_are_what_they_say(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    corpus = make_corpus(TEXTS)
    before = content(corpus)
    report = prepare_corpus(corpus, tmp_path / "data", SETTINGS)
    assert content(corpus) == before
    data = PreparedData(tmp_path / "data")
    assert data.audio == AudioConfig()
    assert (data.language, data.speakers) == ("en-us", ("corpus",))
    clips = data.clips("train") + data.clips("validation")
    assert {clip.id: clip.text for clip in clips} == TEXTS
    assert data.hours("train") == pytest.approx(report["splits"]["train"]["hours"], abs=1e-4)
    sides = [{clip.id[:3] for clip in data.clips(split)} for split in ("train", "validation")]
    assert all(sides)
    assert not sides[0] & sides[1]
    for clip in clips:
        samples, mel = clip.load()
        assert samples.dtype == np.int16
        assert (samples.shape, mel.shape) == ((clip.samples,), (80, clip.samples // 256))
        floats = samples.astype(np.float32) / 32768
        assert np.array_equal(mel, MelTransform(AudioConfig())(floats)[:, :-1])
        assert active_speech_level(floats, 22050) == pytest.approx(-23, abs=0.2)
        source, _ = soundfile.read(corpus / "wavs" / f"{clip.id}.wav", dtype="float32")
        assert np.abs(source[: clip.samples] * clip.row.gain - floats).max() < 1e-4


def test_data_of_an_older_front_end_is_told_in_one_line_when_it_is_prepared_again(make_corpus, tmp_path) -> None:
    corpus, folder = make_corpus(TEXTS), tmp_path / "data"
    told: list[str] = []
    prepare_corpus(corpus, folder, SETTINGS, noted=told.append)
    prepare_corpus(corpus, folder, SETTINGS, noted=told.append)
    assert told == []
    dataset = json.loads((folder / "dataset.json").read_text())
    dataset.pop("front_end_version")
    (folder / "dataset.json").write_text(json.dumps(dataset))
    prepare_corpus(corpus, folder, SETTINGS, noted=told.append)
    assert len(told) == 1
    assert "prepared with version 1 of the text front end before" in told[0]
    assert PreparedData(folder).front_end_version == FRONT_END_VERSION


def test_the_output_depends_on_the_input_only(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    corpus = make_corpus(TEXTS)
    prepare_corpus(corpus, tmp_path / "one", SETTINGS)
    prepare_corpus(corpus, tmp_path / "two", PrepareSettings(validation=0.2, jobs=2))
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_interrupted_it_goes_on(make_corpus: MakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus(TEXTS)
    prepare_corpus(corpus, tmp_path / "whole", SETTINGS)

    def stop(done: int, total: int, reused: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(corpus, tmp_path / "data", SETTINGS, stop)
    with pytest.raises(DataError, match="no prepared data"):
        PreparedData(tmp_path / "data")
    damaged = sorted((tmp_path / "data" / "clips").iterdir())[0]
    damaged.write_bytes(damaged.read_bytes()[:100])
    (tmp_path / "data" / "clips" / "x.safetensors.123.part").write_bytes(b"half")
    read: list[str] = []
    original = clip_maker.measure_recording
    monkeypatch.setattr(
        clip_maker, "measure_recording", lambda path, header: read.append(path.name) or original(path, header)
    )
    calls: list[tuple[int, int, int]] = []
    prepare_corpus(corpus, tmp_path / "data", SETTINGS, lambda *numbers: calls.append(numbers))
    assert calls[-1] == (8, 8, 4)
    assert len(read) == 4
    assert content(tmp_path / "data") == content(tmp_path / "whole")


def test_a_changed_recording_or_setting_is_done_again(
    make_corpus: MakeCorpus, voiced: Callable, write: Callable, tmp_path: Path
) -> None:
    corpus = make_corpus(TEXTS)
    data = tmp_path / "data"
    prepare_corpus(corpus, data, SETTINGS)
    reused: list[int] = []
    changed = next(iter(TEXTS))
    write(corpus / "wavs" / f"{changed}.wav", voiced(1.2, pitch=99))
    prepare_corpus(corpus, data, SETTINGS, lambda done, total, again: reused.append(again))
    assert reused[-1] == 7
    louder = PrepareSettings(validation=0.2, loudness_db=-26.0)
    with pytest.raises(RuntimeError):
        prepare_corpus(corpus, data, louder, lambda *_: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(DataError, match="no prepared data"):
        PreparedData(data)
    prepare_corpus(corpus, data, louder, lambda done, total, again: reused.append(again))
    assert reused[-1] == 1
    (corpus / "wavs" / f"{changed}.wav").unlink()
    prepare_corpus(corpus, data, louder)
    assert not (data / "clips" / f"{changed}.safetensors").exists()


def test_bad_files_are_listed_and_stop_nothing(
    make_corpus: MakeCorpus, voiced: Callable, write: Callable, tmp_path: Path
) -> None:
    corpus = make_corpus({**TEXTS, "twin": "Text of the twin.", "dots": "...", "broken": "B.", "zero": "Z."})
    wavs = corpus / "wavs"
    (wavs / "twin.wav").write_bytes((wavs / f"{next(iter(TEXTS))}.wav").read_bytes())
    (wavs / "broken.wav").write_bytes(b"RIFF")
    write(wavs / "zero.wav", np.zeros(22050))
    write(wavs / "untold.wav", voiced())
    with (corpus / "metadata.csv").open("a") as file:
        file.write("nowhere|No recording.\nmalformed\n")
    data = tmp_path / "data"
    report = prepare_corpus(corpus, data, SETTINGS)
    listed = {(finding["kind"], finding["subject"]) for finding in report["findings"]}
    assert listed == {
        ("duplicate audio", "wavs/twin.wav"),
        ("empty text", "wavs/dots.wav"),
        ("unreadable", "wavs/broken.wav"),
        ("all zero", "wavs/zero.wav"),
        ("audio without text", "wavs/untold.wav"),
        ("text without audio", "metadata.csv, line 13"),
        ("malformed row", "metadata.csv, line 14"),
    }
    assert {finding["severity"] for finding in report["findings"]} == {"left out"}
    clips = {clip.id for split in ("train", "validation") for clip in PreparedData(data).clips(split)}
    assert clips == set(TEXTS)
    assert len(list((data / "clips").iterdir())) == len(TEXTS)
    assert json.loads((data / "report.json").read_text())["findings"] == report["findings"]
    page = (data / "report.html").read_text()
    for _, subject in listed:
        assert subject in page


def test_recordings_without_text_are_kept_on_request(voiced: Callable, write: Callable, tmp_path: Path) -> None:
    for n in range(4):
        write(tmp_path / "speech" / f"{n}.wav", voiced(pitch=100 + n))
    with pytest.raises(DataError, match="--without-text"):
        prepare_corpus(tmp_path / "speech", tmp_path / "data", SETTINGS)
    report = prepare_corpus(tmp_path / "speech", tmp_path / "data", PrepareSettings(validation=0.2, without_text=True))
    assert report["splits"]["train"]["clips"] + report["splits"]["validation"]["clips"] == 4
    assert any("cannot train an acoustic model" in line for line in report["can_support"])


def test_trimming_and_another_contract(voiced: Callable, write: Callable, tmp_path: Path) -> None:
    silence = np.zeros(44100, np.float32)
    for n in range(3):
        samples = np.concatenate([silence, voiced(1.0, pitch=100 + 10 * n, rate=44100), silence])
        write(tmp_path / "speech" / f"{n}.wav", np.stack([samples, samples], 1), 44100)
        (tmp_path / "speech" / f"{n}.txt").write_text(f"text {n}")
    audio = AudioConfig(sample_rate=16000, hop_length=200, n_fft=800, win_length=800, n_mels=40)
    prepare_corpus(tmp_path / "speech", tmp_path / "data", PrepareSettings(audio=audio, trim=True))
    data = PreparedData(tmp_path / "data")
    assert data.audio == audio
    for clip in data.clips("train"):
        assert 0.9 * 16000 < clip.samples < 1.4 * 16000
        assert clip.load()[1].shape == (40, clip.samples // 200)


def test_hostile_ids_and_texts_stay_inside(voiced: Callable, write: Callable, tmp_path: Path) -> None:
    rows = []
    for n, name in enumerate(["a/../../b.wav", "<script>.wav", "ü ä.wav", "100%.wav"]):
        (tmp_path / "in" / "a").mkdir(parents=True, exist_ok=True)
        write(tmp_path / "in" / name, voiced(pitch=100 + 5 * n))
        rows.append({"audio": name, "text": f"<script>alert({n})</script>\u2028", "speaker": "<b>"})
    (tmp_path / "in" / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    prepare_corpus(tmp_path / "in" / "list.jsonl", tmp_path / "data", SETTINGS)
    assert len(list((tmp_path / "data" / "clips").iterdir())) == 4
    assert "<script>" not in (tmp_path / "data" / "report.html").read_text()
    data = PreparedData(tmp_path / "data")
    for clip in data.clips("train"):
        clip.load()
        assert clip.path.parent == tmp_path / "data" / "clips"


def test_foreign_folders_are_never_written(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    corpus = make_corpus(TEXTS)
    other = make_corpus({"x": "other", "y": "text"}, "other")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    (tmp_path / "file").write_text("precious")
    prepare_corpus(corpus, tmp_path / "data", SETTINGS)
    before = content(tmp_path)
    for folder, message in (
        (corpus, "lies in the corpus"),
        (corpus / "wavs" / "data", "lies in the corpus"),
        (corpus / ".." / "corpus", "lies in the corpus"),
        (tmp_path, "no prepared data"),
        (tmp_path / "mine", "no prepared data"),
        (tmp_path / "file", "is a file"),
    ):
        with pytest.raises(DataError, match=message):
            prepare_corpus(corpus, folder, SETTINGS)
    with pytest.raises(DataError, match="holds the prepared data of"):
        prepare_corpus(other, tmp_path / "data", SETTINGS)
    assert content(tmp_path) == before


def test_validation_ids_fix_the_split(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    corpus = make_corpus(TEXTS)
    named = PrepareSettings(validation_ids=("s02_1592748500",))
    report = prepare_corpus(corpus, tmp_path / "data", named)
    assert {clip.id for clip in PreparedData(tmp_path / "data").clips("validation")} == {
        "s02_1592748500",
        "s02_1592748501",
    }
    assert report["kinds"] == {"moved to validation": 1}
    with pytest.raises(DataError, match=r"'s99'.*an id of this corpus is 's00_1592748500'"):
        prepare_corpus(corpus, tmp_path / "data", PrepareSettings(validation_ids=("s99",)))


def test_settings_out_of_range_are_refused(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    for wrong in ({"jobs": 0}, {"validation": 0.9}, {"language": " "}):
        with pytest.raises(ConfigError):
            PrepareSettings(**wrong)
    with pytest.raises(DataError, match=r"can be used; for example wavs/s00.*the shortest allowed is 5\.00 s"):
        prepare_corpus(make_corpus(TEXTS), tmp_path / "data", PrepareSettings(limits=Limits(5.0, 9.0)))


def test_real_recordings(shared: Path, tmp_path: Path) -> None:
    settings = PrepareSettings(validation=0.1)
    report = prepare_corpus(shared / "speech" / "ljspeech-sample", tmp_path / "data", settings)
    assert report["findings"] == []
    data = PreparedData(tmp_path / "data")
    assert len(data.clips("train")) + len(data.clips("validation")) == 32
    assert data.hours("train") + data.hours("validation") == pytest.approx(0.0616, abs=0.001)
