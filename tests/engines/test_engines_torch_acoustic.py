"""The PyTorch acoustic engine: its two halves, with NumPy between them, are `GlowTTS.inverse`."""

import numpy as np
import pytest
import torch
from tiny_voice import acoustic_model, vocoder_model

from glowvox.align.prior import filled_frames, predicted_frames, sentence_latent
from glowvox.checkpoint.model_folder import save_model
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import CheckpointError, EngineError, TextError, VoiceError

TOKENS = np.array([[5, 7, 9, 11, 13, 15, 17], [6, 8, 10, 0, 0, 0, 0]])
LENGTHS = np.array([7, 3])


@pytest.mark.parametrize("speaker", [None, np.array([1, 0])])
@pytest.mark.parametrize(("temperature", "scale"), [(0.667, 1.0), (0.0, 1.7), (1.0, 0.4)])
def test_the_halves_are_the_whole(speaker, temperature, scale):
    model = acoustic_model(1 if speaker is None else 2)
    engine = TorchAcoustic(model)
    encoded = engine.encode(TOKENS, LENGTHS, speaker)
    for item, length in enumerate(LENGTHS):
        one = None if speaker is None else speaker[item : item + 1]
        frames = predicted_frames(encoded.log_duration[item, :length], scale, engine.n_squeeze)
        statistics = encoded.mean[item, :, :length], encoded.log_std[item, :, :length]
        latent = sentence_latent(*statistics, frames, temperature=temperature, seed=5)
        mel = engine.decode(latent[None], np.array([latent.shape[1]]), one)
        with torch.no_grad():
            wanted = model.inverse(
                torch.from_numpy(TOKENS[item : item + 1, :length]),
                torch.tensor([length]),
                temperature=temperature,
                length_scale=scale,
                speaker=None if one is None else torch.from_numpy(one),
                seed=5,
            )
        np.testing.assert_array_equal(frames, wanted.durations[0])
        np.testing.assert_allclose(mel, wanted.mel.numpy(), atol=1e-5)


def test_given_durations_are_those_of_the_model():
    model = acoustic_model()
    engine = TorchAcoustic(model)
    frames = np.array([3, 1, 0, 2, 4, 1, 2])
    encoded = engine.encode(TOKENS[:1], LENGTHS[:1])
    latent = sentence_latent(encoded.mean[0], encoded.log_std[0], filled_frames(frames, 2), temperature=0.5, seed=1)
    mel = engine.decode(latent[None], np.array([14]))[..., : frames.sum()]
    with torch.no_grad():
        wanted = model.inverse(
            torch.from_numpy(TOKENS[:1]),
            torch.tensor([7]),
            temperature=0.5,
            durations=torch.from_numpy(frames[None]),
            seed=1,
        )
    np.testing.assert_allclose(mel, wanted.mel.numpy(), atol=1e-5)


def test_padding_changes_nothing():
    engine = TorchAcoustic(acoustic_model())
    together, alone = engine.encode(TOKENS, LENGTHS), engine.encode(TOKENS[1:, :3], LENGTHS[1:])
    for name in ("mean", "log_std", "log_duration"):
        np.testing.assert_allclose(getattr(together, name)[1:, ..., :3], getattr(alone, name), atol=1e-5)
        assert not getattr(together, name)[1:, ..., 3:].any()
    latent = np.random.default_rng(0).standard_normal((2, 80, 12)).astype(np.float32)
    mels = engine.decode(latent, np.array([12, 6]))
    np.testing.assert_allclose(mels[1:, :, :6], engine.decode(latent[1:, :, :6], np.array([6])), atol=1e-5)
    assert not mels[1, :, 6:].any()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda engine: engine.encode(np.array([[10_000]]), np.array([1])), TextError, "made for another model"),
        (lambda engine: engine.encode(np.array([[1]]), np.array([2])), TextError, "lengths must lie from 1 to 1"),
        (lambda engine: engine.encode(np.empty((0, 3), np.int64), np.empty(0, np.int64)), TextError, "expected tokens"),
        (lambda engine: engine.encode(TOKENS, LENGTHS, np.array([0, 0])), VoiceError, "one speaker"),
        (lambda engine: engine.decode(np.zeros((1, 80, 3), np.float32), np.array([3])), EngineError, "multiples of 2"),
        (
            lambda engine: engine.decode(np.zeros((1, 7, 2), np.float32), np.array([2])),
            EngineError,
            "expected a latent",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(TorchAcoustic(acoustic_model()))


def test_speakers_are_checked():
    engine = TorchAcoustic(acoustic_model(2))
    with pytest.raises(VoiceError, match="choose one from 0 to 1"):
        engine.encode(TOKENS, LENGTHS)
    with pytest.raises(VoiceError, match="need 2 speakers from 0 to 1"):
        engine.encode(TOKENS, LENGTHS, np.array([0, 2]))


def test_values_that_are_not_finite_are_refused():
    model = acoustic_model()
    with torch.no_grad():
        model.encoder.mean.weight.fill_(float("nan"))
    with pytest.raises(EngineError, match="mean that is not finite"):
        TorchAcoustic(model).encode(TOKENS, LENGTHS)


def test_only_acoustic_models_are_loaded(tmp_path):
    save_model(vocoder_model(), tmp_path / "vocoder")
    save_model(acoustic_model(), tmp_path / "acoustic")
    assert TorchAcoustic.load(tmp_path / "acoustic", threads=1).n_speakers == 1
    with pytest.raises(CheckpointError, match="speaks no text"):
        TorchAcoustic.load(tmp_path / "vocoder")
    with pytest.raises(EngineError, match="threads must be a whole number from 1 to 4096"):
        TorchAcoustic.load(tmp_path / "acoustic", threads=0)
