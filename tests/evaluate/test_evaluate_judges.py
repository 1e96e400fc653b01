"""Judges: what they are given, where their figures go, and what happens where they are not installed."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_voice import fake_voice

from glowvox.audio.files import write_audio
from glowvox.errors import ConfigError, DataError, MissingExtraError
from glowvox.evaluate import judges
from glowvox.evaluate.clips import Recording, read_outputs
from glowvox.evaluate.measures import OPINION_MEASURES
from glowvox.evaluate.report import Report, report_table
from glowvox.evaluate.voice import evaluate_voice

RATE = 22050
TEXTS = {"a": "Seven ships came home.", "b": "The old man sat down."}


def _sentences() -> list[Recording]:
    return [Recording(name, np.zeros(0, np.float32), text) for name, text in TEXTS.items()]


def _report(**rest: object) -> Report:
    return evaluate_voice(fake_voice(), _sentences(), **{"recognise_words": False, **rest})


def test_clips_are_judged_at_one_level_and_rate() -> None:
    time = np.arange(2 * RATE) / RATE
    for level in (0.01, 0.5):
        judged = judges.at_judging_level(level * np.sin(2 * np.pi * 200 * time), RATE)
        assert len(judged) == pytest.approx(32000, abs=2)
        assert float(np.abs(judged).max()) == pytest.approx(0.7, abs=1e-5)
    assert not judges.at_judging_level(np.zeros(RATE), RATE).any()


def test_opinions_of_every_system_are_averaged() -> None:
    report = _report()
    scores = iter([{"distillmos": 4.0, "dnsmos": 3.0}, {"distillmos": 2.0}])
    judged = judges.with_opinion_scores(report, lambda samples, rate: next(scores))
    figures = judged.systems["tiny"]
    assert (figures["distillmos"].value, figures["distillmos"].clips) == (3.0, 2)
    assert (figures["dnsmos"].value, figures["dnsmos"].clips) == (3.0, 1)
    assert "p808" not in figures
    assert judged.clips[1].outputs["tiny"].values["distillmos"] == 2.0
    assert "DistillMOS [MOS]" in report_table(judged)
    again = judges.with_opinion_scores(judged, lambda samples, rate: {})
    assert len(again.measures) == len(judged.measures)


def test_a_recogniser_of_ones_own_and_other_systems() -> None:
    given: list[int] = []

    def recogniser(clips, rate):
        assert rate == RATE
        given.append(len(clips))
        return ["seven ships came home", "the old man"]

    others = {"rival": {name: 0.1 * fake_voice().say(text).samples for name, text in TEXTS.items()}}
    report = _report(others=others, recognise_words=True, recogniser=recogniser, recogniser_name="Stub")
    assert list(report.systems) == ["tiny", "rival"]
    assert given == [2, 2]
    assert report.settings["Recogniser"] == "Stub"
    for system in ("tiny", "rival"):
        assert report.systems[system]["wer"].value == pytest.approx(100 * 2 / 9)
    assert "rtf" not in report.systems["rival"]


def test_another_systems_files(tmp_path: Path) -> None:
    tone = np.sin(np.arange(16000) * 0.1).astype(np.float32)
    write_audio(tmp_path / "a.wav", 0.5 * tone, 16000)
    write_audio(tmp_path / "b.flac", 0.5 * tone, 16000)
    found = read_outputs(tmp_path, ["a", "b"], RATE)
    assert {name: len(samples) for name, samples in found.items()} == {"a": RATE, "b": RATE}
    with pytest.raises(DataError, match=r"no c\.wav"):
        read_outputs(tmp_path, ["a", "c"], RATE)


def test_where_whisper_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(judges.WHISPER_VARIABLE, raising=False)
    monkeypatch.setattr(judges, "_BUNDLES", ("no_such_bundle",))
    assert judges.whisper_folder(None) is None
    with pytest.raises(ConfigError, match="no Whisper model"):
        judges.whisper_folder(tmp_path)
    monkeypatch.setenv(judges.WHISPER_VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(ConfigError, match="elsewhere: no Whisper model"):
        judges.whisper_folder(None)
    (tmp_path / "bundle" / "model").mkdir(parents=True)
    (tmp_path / "bundle" / "__init__.py").write_text("")
    (tmp_path / "bundle" / "model" / "model.bin").write_bytes(b"x")
    assert judges.whisper_folder(tmp_path / "bundle" / "model") == tmp_path / "bundle" / "model"
    monkeypatch.delenv(judges.WHISPER_VARIABLE)
    monkeypatch.setattr(judges, "_BUNDLES", ("bundle",))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert judges.whisper_folder(None) == tmp_path / "bundle" / "model"


def test_judges_that_are_not_installed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("faster_whisper", "distillmos", "speechmos"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match="judges"):
        judges.WhisperRecogniser(tmp_path)
    with pytest.raises(MissingExtraError, match="judges"):
        judges.OpinionScores()


def test_the_real_judges_know_speech_from_noise(shared: Path) -> None:
    pytest.importorskip("distillmos", reason="the extra 'judges' is not installed")
    folder = judges.whisper_folder(None)
    if folder is None:
        pytest.skip("no Whisper model is installed")
    recordings = shared / "speech" / "ljspeech-sample"
    name, text = (recordings / "metadata.csv").read_text(encoding="utf-8").splitlines()[0].split("|")[:2]
    speech = read_outputs(recordings / "wavs", [name], 24000)[name]
    noise = 0.1 * np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    heard, nothing = judges.WhisperRecogniser(folder)([speech, noise], 24000)
    assert heard.lower().split()[:2] == text.lower().split()[:2]
    assert heard != nothing
    score = judges.OpinionScores()
    good, bad = score(speech, 24000), score(noise, 24000)
    assert set(good) == {"distillmos", "dnsmos", "p808"}
    assert good["distillmos"] > 3.0 > 2.0 > bad["distillmos"]
    assert score(speech[:1000], 24000) == {}


def test_the_measures_are_those_that_scores_have() -> None:
    assert [measure.key for measure in OPINION_MEASURES] == ["distillmos", "dnsmos", "p808"]
    assert all(measure.better == "higher" for measure in OPINION_MEASURES)
    assert replace(_report(), measures=()).shown_measures() == []
