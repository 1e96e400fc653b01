"""Forced alignment: what was rendered with known durations is found again, whatever is done to the recording."""

import numpy as np
import pytest
from tiny_voice import acoustic_model, write_tiny_voice

from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import AudioError, MelError, TextError, VoiceError
from glowvox.synthesis.aligner import Aligner, TextSide, load_aligner
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.sentence_mels import MelSynthesizer
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

TEXT = "We were away all year. You owe me one, Tom."
RATE = 22050


def aligner_of(*speakers, **side):
    front_ends = side.pop("front_ends", {"en-us": load_front_end("en-us").to_dict()})
    text = TextSide(Tokenizer().to_dict(), front_ends, speakers, **side)
    return Aligner(TorchAcoustic(acoustic_model(len(speakers))), text)


@pytest.fixture(scope="module")
def aligner():
    return aligner_of("ann")


@pytest.fixture(scope="module")
def recording():
    time = np.arange(int(1.9 * RATE)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.1 * np.sin(2 * np.pi * 150 * time) * (1 + np.sin(9 * time)) + 0.01 * noise).astype(np.float32)


def rendered(aligner, text, seed, temperature):
    """Return a mel [M, T] and the frames of its tokens, drawn at random."""
    maker = MelSynthesizer(aligner.engine, Tokenizer())
    read = aligner.reader.read(text)
    options = SpeechOptions(temperature=temperature, seed=seed)
    requests = [maker.request(one.sentence, None, options) for one in read.requests]
    rng = np.random.default_rng(seed)
    frames = [rng.integers(1, 9, len(request.tokens)) for request in requests]
    for row in frames:
        row[-1] += row.sum() % 2
    made = maker.mels(requests, maker.statistics(requests), frames)
    return np.concatenate([one.mel for one in made], axis=1), np.concatenate(frames)


def test_known_durations_are_found(aligner):
    mel, frames = rendered(aligner, TEXT, 3, 0.0)
    alignment = aligner.lay(aligner.reader.read(TEXT), aligner.hear(mel))
    # A token that expects what its neighbour expects cannot be told from it; hardly any is.
    assert (np.abs(np.cumsum(alignment.frames) - np.cumsum(frames)) <= 1).mean() > 0.97
    noisy, frames = rendered(aligner, TEXT, 4, 0.1)
    alignment = aligner.lay(aligner.reader.read(TEXT), aligner.hear(noisy))
    assert np.median(np.abs(np.cumsum(alignment.frames) - np.cumsum(frames))) <= 2


def test_words_and_phonemes_follow_each_other_inside_the_recording(aligner, recording):
    alignment = aligner.align(recording, RATE, TEXT)
    assert [word.text for word in alignment.words] == [
        "We",
        "were",
        "away",
        "all",
        "year",
        "You",
        "owe",
        "me",
        "one",
        "Tom",
    ]
    assert [word.ends_sentence for word in alignment.words] == [False] * 4 + [True] + [False] * 4 + [True]
    phonemes = [phone for word in alignment.words for phone in word.phonemes]
    borders = [border for phone in phonemes for border in (phone.start, phone.end)]
    assert borders == sorted(borders) and borders[0] >= 0 and borders[-1] <= alignment.duration
    assert all(phone.end > phone.start for phone in phonemes[:-1])
    assert alignment.duration == pytest.approx(len(recording) / RATE)
    assert alignment.frames.sum() == len(recording) // 256 and alignment.expected_frames.shape == alignment.frames.shape
    assert alignment.log_likelihood == pytest.approx(alignment.nats_per_frame * len(alignment.frame_nats))
    assert alignment.timeline.words == alignment.words


def test_level_and_rate_do_not_matter(aligner, recording):
    words = aligner.align(recording, RATE, TEXT).words
    quiet = aligner.align(0.01 * recording.astype(np.float64), RATE, TEXT)
    assert [(one.start, one.end) for one in quiet.words] == [(one.start, one.end) for one in words]
    doubled = aligner.align(np.repeat(recording, 2), 2 * RATE, TEXT)
    assert doubled.duration == pytest.approx(len(recording) / RATE)
    assert np.median([abs(a.start - b.start) for a, b in zip(doubled.words, words, strict=True)]) < 0.05


def test_the_likelihood_is_the_models(aligner, recording):
    import torch

    mel = aligner.mel(recording, RATE)
    mel = mel[:, : mel.shape[1] // 2 * 2]
    text = "We were away all year, and you owe me one."
    alignment = aligner.lay(aligner.reader.read(text), aligner.hear(mel))
    [request] = aligner.reader.read(text).requests
    tokens = torch.tensor([request.tokens.ids])
    model = acoustic_model()
    with torch.inference_mode():
        nats = model.log_likelihood(
            tokens, torch.tensor([tokens.shape[1]]), torch.from_numpy(mel)[None], torch.tensor([mel.shape[1]])
        )
    assert alignment.log_likelihood == pytest.approx(float(nats), rel=1e-4)


@pytest.mark.parametrize(
    ("samples", "rate", "text", "error", "message"),
    [
        (np.zeros(0, np.float32), RATE, TEXT, AudioError, "no samples"),
        (np.zeros(RATE, np.float32), RATE, TEXT, AudioError, "silent"),
        (np.full(RATE, np.nan, np.float32), RATE, TEXT, AudioError, "NaN"),
        (np.ones(RATE, np.int16), RATE, TEXT, AudioError, "floating-point"),
        (np.ones((2, RATE), np.float32), RATE, TEXT, AudioError, "mono"),
        (np.ones(RATE, np.float32), 0, TEXT, AudioError, "sample rate"),
        (np.ones(RATE, np.float32), RATE, "", TextError, "nothing to say"),
        (np.ones(RATE, np.float32), RATE, "...", TextError, "nothing to say"),
        (np.ones(RATE // 2, np.float32), RATE, TEXT * 5, AudioError, "too long for the recording"),
    ],
)
def test_what_cannot_be_aligned_is_refused(aligner, samples, rate, text, error, message):
    with pytest.raises(error, match=message):
        aligner.align(samples, rate, text)


def test_mels_that_do_not_fit_are_refused(aligner):
    with pytest.raises(MelError):
        aligner.hear(np.zeros((7, 50), np.float32))
    with pytest.raises(AudioError, match="1 mel frames"):
        aligner.hear(np.zeros((80, 1), np.float32))


def test_speakers_and_languages_are_checked(recording):
    pair = aligner_of("ann", "bob")
    likely = [pair.align(recording, RATE, TEXT, speaker=name).nats_per_frame for name in ("ann", "bob")]
    assert likely[0] != likely[1] and pair.align(recording, RATE, TEXT).nats_per_frame == likely[0]
    with pytest.raises(VoiceError, match="no speaker 'eve'; it has ann, bob"):
        pair.align(recording, RATE, TEXT, speaker="eve")
    with pytest.raises(VoiceError, match="does not read 'fr-fr'; it reads en-us"):
        pair.align(recording, RATE, TEXT, language="fr-fr")
    stored = load_front_end("en-us").to_dict()
    several = aligner_of("ann", front_ends={"en-us": stored, "en-gb": stored})
    with pytest.raises(VoiceError, match="name the language of the text"):
        several.align(recording, RATE, TEXT)
    with pytest.raises(VoiceError, match="names 2 speakers, the model has 1"):
        Aligner(TorchAcoustic(acoustic_model(1)), pair.reader.side)


def test_a_voice_brings_its_aligner(tmp_path, recording):
    folder = write_tiny_voice(tmp_path / "pair", tmp_path / "models", speakers=("ann", "bob"))
    aligner = load_aligner(folder)
    assert aligner.speakers == ("ann", "bob") and aligner.languages == ("en-us",)
    assert len(aligner.align(recording, RATE, TEXT, speaker="bob").words) == 10
    (folder / "acoustic" / "model.safetensors").unlink()
    with pytest.raises(VoiceError, match="came without"):
        load_aligner(folder)


def test_a_warning_is_given_to_who_asks(aligner, recording):
    warnings: list[str] = []
    aligner.align(recording, RATE, "We ☃ were xqzzt.", on_warning=warnings.append)
    assert warnings
