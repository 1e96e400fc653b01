"""PESQ, STOI, recognition and word errors."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.errors import AudioError, DataError, TextError
from glowvox.evaluate.distances import short_time_intelligibility, wideband_pesq
from glowvox.evaluate.word_errors import force_align, normalise_transcript, recognise, word_errors

RATE = 22050


def _speech(seconds: float = 3.0) -> np.ndarray:
    """Syllables: a pulse train of moving pitch whose level rises and falls four times a second."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 40))
    return 0.1 * voice * np.maximum(np.sin(2 * np.pi * 4 * time), 0.0) ** 2


def test_the_original_scores_best_and_noise_lowers_both_measures() -> None:
    speech = _speech()
    noise = np.random.default_rng(0).standard_normal(speech.size)
    scores = [
        (wideband_pesq(speech, noisy, RATE), short_time_intelligibility(speech, noisy, RATE))
        for noisy in (speech, speech + 0.003 * noise, speech + 0.1 * noise)
    ]
    assert scores[0][0] == pytest.approx(4.64, abs=0.01)
    assert scores[0][1] == pytest.approx(1.0, abs=1e-6)
    assert scores[0] > scores[1] > scores[2]
    assert scores[1][1] > scores[2][1]


def test_extended_stoi_is_stricter_with_modulated_noise() -> None:
    speech = _speech()
    noisy = speech + 0.05 * np.random.default_rng(1).standard_normal(speech.size)
    plain = short_time_intelligibility(speech, noisy, RATE)
    assert short_time_intelligibility(speech, noisy, RATE, extended=True) < plain


@pytest.mark.parametrize("measure", [wideband_pesq, short_time_intelligibility])
@pytest.mark.parametrize(
    ("reference", "estimate", "message"),
    [
        (np.zeros(RATE), np.zeros(RATE), "silent"),
        (np.zeros(0), np.zeros(0), "no samples"),
        (np.ones(RATE), np.ones(RATE - 1), "same length"),
        (np.ones(RATE), np.full(RATE, np.nan), "NaN or infinite"),
        (0.1 * np.ones(500), 0.1 * np.ones(500), "PESQ cannot|0.4 seconds"),
    ],
)
def test_what_cannot_be_judged_is_refused(measure, reference, estimate, message) -> None:
    with pytest.raises(AudioError, match=message):
        measure(reference, estimate, RATE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("That\u2019s what Carnegie did.", "that's what carnegie did"),
        ("Mr. Smith\u2014half-hidden; etc.", "mister smith half hidden et cetera"),
        ("  'Quoted' dogs' _tails_ ", "quoted dogs tails"),
        ("\ufb01ne, 25 \u00dcber", "fine 25 über"),
        ("...!", ""),
    ],
)
def test_normalisation(text: str, expected: str) -> None:
    assert normalise_transcript(text) == expected
    assert normalise_transcript(expected) == expected


def test_word_errors_count_and_locate() -> None:
    result = word_errors(
        ["The cat sat on the mat.", "Not at this particular case, Tom", "she had died"],
        ["the cat sat on the mat", "not case tom", "she had she had died now"],
    )
    exact, skipped, repeated = result.sentences
    assert exact.errors == 0 and exact.edits == () and exact.word_error_rate == 0.0
    assert (skipped.hits, skipped.deletions, skipped.substitutions, skipped.insertions) == (3, 3, 0, 0)
    assert skipped.edits[0].reference == ("at", "this", "particular")
    assert skipped.edits[0].position == 1
    assert (skipped.longest_skip, skipped.longest_repeat) == (3, 0)
    assert repeated.insertions == 3
    assert (repeated.longest_skip, repeated.longest_repeat) == (0, 2)
    assert result.word_error_rate == pytest.approx(6 / 15)
    assert result.skipping_or_repeating() == pytest.approx(2 / 3)
    assert result.skipping_or_repeating(least=4) == pytest.approx(1 / 3)


def test_character_errors() -> None:
    result = word_errors(["abcd"], ["abxd"])
    assert result.character_error_rate == 0.25
    assert result.word_error_rate == 1.0
    assert word_errors(["one two"], [""]).character_error_rate == 1.0


@pytest.mark.parametrize(("references", "hypotheses"), [([], []), (["a"], []), (["?!"], ["a"])])
def test_word_errors_refuse(references: list, hypotheses: list) -> None:
    with pytest.raises(DataError):
        word_errors(references, hypotheses)


def test_nothing_is_understood_in_silence_and_bad_clips_are_refused() -> None:
    assert recognise([np.zeros(RATE)], RATE) == [""]
    assert recognise([], RATE) == []
    for clip in (np.zeros(0), np.full(100, np.nan), np.zeros((2, 100))):
        with pytest.raises(AudioError, match=r"NaN or infinite|no samples|shape"):
            recognise([clip], RATE)


def test_alignment_refuses_unknown_words_and_no_words() -> None:
    with pytest.raises(TextError, match="glowvoxish, zzyzzq"):
        force_align(np.zeros(RATE), RATE, "the zzyzzq glowvoxish")
    with pytest.raises(TextError, match="no words"):
        force_align(np.zeros(RATE), RATE, "?!")
    with pytest.raises(AudioError, match="does not fit"):
        force_align(np.zeros(RATE // 4), RATE, "she had died from cold and starvation " * 5)


@pytest.fixture(scope="module")
def sentences(shared: Path) -> list[tuple[np.ndarray, str]]:
    lines = (shared / "speech/kathleen/metadata.csv").read_text(encoding="utf-8").splitlines()
    chosen = [line.split("|")[:2] for line in sorted(lines)[390::390][:2]]
    return [(soundfile.read(shared / f"speech/kathleen/wavs/{name}.flac")[0], text) for name, text in chosen]


def test_recognition_of_speech_depends_neither_on_order_nor_on_processes(sentences: list) -> None:
    clips = [clip for clip, _ in sentences]
    heard = recognise(clips, RATE)
    assert recognise(clips[::-1], RATE, jobs=2)[::-1] == heard
    assert word_errors([text for _, text in sentences], heard).word_error_rate < 0.5


def test_aligned_words_are_in_order_and_inside(sentences: list) -> None:
    clip, text = sentences[1]
    words = force_align(clip, RATE, text)
    assert [word.text for word in words] == normalise_transcript(text).split()
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= clip.size / RATE + 0.05
