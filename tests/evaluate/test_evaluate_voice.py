"""How well a voice speaks: figures where the truth is known, what is left out and why, lists of sentences."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_voice import fake_voice

import glowvox.evaluate.word_errors as recognised
from glowvox.errors import DataError, VoiceError
from glowvox.evaluate.clips import Recording
from glowvox.evaluate.measures import VOICE_MEASURES
from glowvox.evaluate.page import write_page
from glowvox.evaluate.report import Report, report_table
from glowvox.evaluate.vocoder import NATURAL
from glowvox.evaluate.voice import COPY, evaluate_voice, read_sentences, spread

RATE = 22050
TEXTS = ("Seven ships came home.", "The old man sat down.", "Nobody knew what to say.")


def _said(text: str, seed: int = 0) -> np.ndarray:
    return fake_voice().say(text, seed=seed).samples


def _hummed(pitch: float, seconds: float = 0.5) -> np.ndarray:
    phase = 2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE
    return (0.05 * sum(np.sin(k * phase) / k for k in range(1, 30))).astype(np.float32)


def _evaluated(recordings: list[Recording], **rest: object) -> Report:
    return evaluate_voice(fake_voice(), recordings, **{"recognise_words": False, **rest})


def test_a_voice_that_says_what_was_recorded_is_perfect_at_any_level() -> None:
    report = _evaluated([Recording(str(n), 0.25 * _said(text), text) for n, text in enumerate(TEXTS)])
    assert list(report.systems) == [NATURAL, "tiny"]
    figures = report.systems["tiny"]
    for key in ("mcd_dtw", "mel_dtw", "duration_error", "duration_bias"):
        assert figures[key].value == pytest.approx(0.0, abs=1e-4), key
        assert figures[key].clips == 3
    assert figures["peak_db"].value == pytest.approx(report.systems[NATURAL]["peak_db"].value + 20 * np.log10(4))


def test_other_words_are_far_and_length_is_compared_with_its_sign() -> None:
    other = _evaluated([Recording("a", _hummed(150, 1.5), TEXTS[0])]).systems["tiny"]
    assert other["mcd_dtw"].value > 10.0 and other["mel_dtw"].value > 1.0
    twice = _evaluated([Recording("a", np.tile(_said(TEXTS[0]), 2), TEXTS[0])]).systems["tiny"]
    assert twice["duration_bias"].value == pytest.approx(-50.0, abs=1.0)
    assert twice["duration_error"].value == -twice["duration_bias"].value


def test_pitch_and_faults_of_the_recordings_themselves() -> None:
    gap = np.concatenate([_hummed(150), np.zeros(2 * RATE, np.float32), _hummed(150)])
    recordings = [Recording("steady", _hummed(150), TEXTS[0]), Recording("gap", gap, TEXTS[0])]
    report = _evaluated(recordings)
    natural = report.systems[NATURAL]
    assert natural["f0_median"].value == pytest.approx(150.0, rel=0.01)
    assert natural["f0_range"].value == pytest.approx(0.0, abs=0.3)
    assert natural["faults"].value == 50.0
    assert natural["pause"].value == pytest.approx(2.0, abs=0.05)
    assert "silence of 2.0 s" in report.clips[1].outputs[NATURAL].notes[0]
    assert report.clips[0].outputs[NATURAL].notes == ()


def test_copy_synthesis_stands_between_and_silence_gets_no_invented_distance() -> None:
    said = _said(TEXTS[0])
    frames = said.size // 256

    def vocode(mel: np.ndarray) -> np.ndarray:
        assert mel.shape == (80, frames)
        return said[: frames * 256]

    report = _evaluated([Recording("a", said, TEXTS[0])], vocode=vocode)
    assert list(report.systems) == [NATURAL, COPY, "tiny"]
    assert report.systems[COPY]["mcd_dtw"].value == pytest.approx(0.0, abs=0.1)
    assert "rtf" not in report.systems[COPY]
    silent = _evaluated([Recording("a", said, TEXTS[0])], vocode=lambda mel: np.zeros(frames * 256, np.float32))
    assert silent.systems[COPY]["faults"].value == 100.0
    assert "mcd_dtw" not in silent.systems[COPY]


def test_sentences_without_recordings_give_the_voice_alone() -> None:
    report = _evaluated([Recording("a", np.zeros(0, np.float32), TEXTS[0])], vocode=lambda mel: mel)
    assert list(report.systems) == ["tiny"]
    assert "mcd_dtw" not in report.systems["tiny"]
    assert report.clips[0].seconds == pytest.approx(_said(TEXTS[0]).size / RATE)


def test_the_cost_of_speaking_is_that_of_all_samples_together() -> None:
    report = _evaluated([Recording(str(n), _said(text), text) for n, text in enumerate(TEXTS)])
    sizes = [clip.outputs["tiny"].samples.size for clip in report.clips]
    costs = [clip.outputs["tiny"].values["rtf"] for clip in report.clips]
    assert report.systems["tiny"]["rtf"].value == pytest.approx(np.average(costs, weights=sizes))
    assert report.systems["tiny"]["first_audio_ms"].value > 0.0


def test_skipped_and_repeated_words_are_counted_by_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    naturally = [text.lower().rstrip(".") for text in TEXTS]
    by_voice = ["seven home", "the old man man sat", "nobody knew what to so"]
    heard = iter([naturally, by_voice])
    monkeypatch.setattr(recognised, "recognise", lambda clips, rate, *, jobs: next(heard))
    report = _evaluated([Recording(str(n), _said(text), text) for n, text in enumerate(TEXTS)], recognise_words=True)
    assert report.systems[NATURAL]["skips"].value == report.systems[NATURAL]["wer"].value == 0.0
    figures = report.systems["tiny"]
    # The first leaves out two words in a row, the second says a word twice, the third only one word for another.
    assert figures["skips"].value == pytest.approx(100 * 2 / 3)
    assert figures["wer"].value == pytest.approx(100 * (2 + 2 + 1) / (4 + 5 + 5))
    assert report.clips[2].outputs["tiny"].heard == "nobody knew what to so"


@pytest.mark.parametrize(
    ("heard", "faulty"),
    [("nobody to say", True), ("nobody knew to say", False), ("nobody knew what what to say", True), ("", True)],
)
def test_a_run_of_lost_words_is_a_skip_and_a_single_one_is_not(
    monkeypatch: pytest.MonkeyPatch, heard: str, faulty: bool
) -> None:
    monkeypatch.setattr(recognised, "recognise", lambda clips, rate, *, jobs: [heard])
    report = _evaluated([Recording("a", np.zeros(0, np.float32), TEXTS[2])], recognise_words=True)
    assert report.systems["tiny"]["skips"].value == 100.0 * faulty


def test_what_cannot_be_compared_is_left_out_with_its_reason() -> None:
    recordings = [
        Recording("good", _said(TEXTS[0]), TEXTS[0]),
        Recording("untold", _said(TEXTS[0]), None),
        Recording("short", np.full(100, 0.1, np.float32), TEXTS[0]),
        Recording("silent", np.zeros(RATE, np.float32), TEXTS[0]),
        Recording("empty", _said(TEXTS[0]), "..."),
    ]
    report = _evaluated(recordings)
    assert [clip.id for clip in report.clips] == ["good"]
    assert set(report.left_out) == {"untold", "short", "silent", "empty"}
    assert "nobody wrote down" in report.left_out["untold"]
    assert "silent" in report.left_out["silent"]
    assert "no word" in report.left_out["empty"]
    with pytest.raises(DataError, match="none of 1 sentences can be evaluated: nobody wrote down"):
        _evaluated(recordings[1:2])
    with pytest.raises(DataError, match="the list is empty"):
        _evaluated([])


def test_an_unknown_speaker_is_refused_before_anything_is_said() -> None:
    with pytest.raises(VoiceError, match="zoe"):
        _evaluated([Recording("a", _said(TEXTS[0]), TEXTS[0])], speaker="zoe")


def test_the_seed_decides_what_is_said_and_speakers_differ() -> None:
    recordings = [Recording("a", np.zeros(0, np.float32), TEXTS[0])]
    first, again, other = (_evaluated(recordings, seed=seed).clips[0].outputs["tiny"].samples for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    duo = fake_voice(speakers=("ann", "bob"))
    ann, bob = (
        evaluate_voice(duo, recordings, recognise_words=False, speaker=who).clips[0].outputs["tiny"].samples
        for who in ("ann", "bob")
    )
    assert not np.array_equal(ann, bob)


def test_table_json_and_page_agree(tmp_path: Path) -> None:
    recordings = [Recording(f"<{n}>", _said(text), text) for n, text in enumerate(TEXTS)]
    told: list[tuple[int, int, str]] = []
    report = _evaluated(recordings, settings={"Noise": "<none>"}, progress=lambda *words: told.append(words))
    assert told == [(n, 3, f"<{n}>") for n in range(3)]
    table = report_table(report)
    assert "Real-time factor" in table and "tiny" in table and NATURAL in table
    report.write_json(tmp_path / "report.json")
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored["subject"] == "voice" and stored["title"] == "The voice tiny"
    assert (
        set(stored["systems"]["tiny"])
        <= {measure.key for measure in VOICE_MEASURES}
        == set(stored["measures"])
        | {
            "wer",
            "cer",
            "skips",
            "f0_median",
            "f0_range",
        }
    )
    write_page(report, tmp_path / "index.html", players=2)
    page = (tmp_path / "index.html").read_text()
    assert page.count("<audio") == 2 * 2
    assert "The first 2 of 3 clips." in page and "&lt;none&gt;" in page and "<none>" not in page


def _listed(folder: Path, content: str | bytes) -> Path:
    path = folder / "sentences.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_lists_of_sentences(tmp_path: Path) -> None:
    found = read_sentences(_listed(tmp_path, "﻿# a list\n\n one | Hello there. \nNo id | with a | bar\nJust words.\n"))
    assert [(one.id, one.text) for one in found] == [
        ("one", "Hello there."),
        ("No id", "with a | bar"),
        ("sentence 5", "Just words."),
    ]
    assert all(one.samples.size == 0 for one in found)


def test_of_lj_speechs_lists_the_normalised_text_is_read(tmp_path: Path) -> None:
    rows = "a|It cost 2 pounds.|It cost two pounds.\nb|All of it.|All of it.\nc|Nobody knew it.|\n"
    assert [(one.id, one.text) for one in read_sentences(_listed(tmp_path, rows))] == [
        ("a", "It cost two pounds."),
        ("b", "All of it."),
        ("c", "Nobody knew it."),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("one|\n", "line 1: expected 'id|text' or a text"),
        ("Hello.\n| words\n", "line 2: expected 'id|text' or a text"),
        ("a|b\na|c\n", "line 2: the id 'a' is there twice"),
        ("# nothing\n\n", "holds no sentences"),
        (b"\xff\xfe\x00", "cannot be read as a list of sentences"),
        (b"x" * (17 << 20), "more than 16 MiB"),
    ],
)
def test_bad_lists_of_sentences_are_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_sentences(_listed(tmp_path, content))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_some_of_many_are_spread_over_the_list() -> None:
    sentences = [Recording(str(n), np.zeros(0, np.float32), "words") for n in range(10)]
    assert [one.id for one in spread(sentences, 4)] == ["0", "2", "5", "7"]
    assert spread(sentences, None) == spread(sentences, 99) == sentences
    with pytest.raises(DataError, match="at least 1, got 0"):
        spread(sentences, 0)
