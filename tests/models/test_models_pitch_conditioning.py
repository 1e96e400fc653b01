"""Glow-TTS with a melody: what the decoder is told of the pitch, and how the text predicts it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from glowvox.audio import pitch as pitch_numpy
from glowvox.audio.pitch import harmonic_features, n_harmonic_features
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import MelError
from glowvox.models import pitch_conditioning
from glowvox.models.glow_tts import GlowTTS
from glowvox.training.acoustic import token_pitch_errors, token_pitch_losses

SMALL = {
    "n_symbols": 20,
    "hidden_channels": 16,
    "filter_channels": 24,
    "duration_channels": 12,
    "n_encoder_layers": 1,
    "decoder_channels": 12,
    "n_blocks": 2,
    "n_layers": 2,
}
TOKENS, TOKEN_LENGTHS = torch.tensor([[1, 4, 9, 3, 7], [5, 2, 8, 0, 0]]), torch.tensor([5, 3])
MEL_LENGTHS = torch.tensor([24, 17])


def random_model(**changes: object) -> GlowTTS:
    torch.manual_seed(3)
    model = GlowTTS(GlowTTSConfig(audio=AudioConfig(n_mels=12), **{"melody": True, **SMALL, **changes})).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def random_mel() -> Tensor:
    torch.manual_seed(4)
    mel = 2.0 * torch.randn(2, 12, 24, dtype=torch.float64) - 5.0
    return mel * (torch.arange(24) < MEL_LENGTHS[:, None])[:, None]


def test_decoding_with_the_pitch_that_was_read_gives_the_mel_back() -> None:
    model, mel = random_model(), random_mel()
    latent, _, pitch = model.analyse(mel, MEL_LENGTHS)
    assert pitch is not None and pitch.shape == (2, 24) and (pitch > 0).any() and not pitch[1, 16:].any()
    again = model.decode(latent, MEL_LENGTHS // 2 * 2, harmonics=model.melody.harmonic_features(pitch))
    torch.testing.assert_close(again[0], mel[0])
    torch.testing.assert_close(again[1, :, :16], mel[1, :, :16])
    other = model.decode(latent, MEL_LENGTHS // 2 * 2, harmonics=model.melody.harmonic_features(pitch * 1.1))
    assert (other - again).abs().max() > 1e-3


def test_log_determinant_is_that_of_the_map_at_this_pitch() -> None:
    model, mel = random_model(), random_mel()[:1, :, :4]
    lengths = torch.tensor([4])
    _, log_det, pitch = model.analyse(mel, lengths)
    assert model.melody is not None
    condition = model.melody.projection(model.decoder.squeeze(model.melody.harmonic_features(pitch))[0])

    def flat(values: Tensor) -> Tensor:
        return model.decoder(values.view_as(mel), torch.ones(1, 1, 4).double(), condition)[0].flatten()

    jacobian = torch.autograd.functional.jacobian(flat, mel.flatten())
    torch.testing.assert_close(log_det[0], torch.linalg.slogdet(jacobian)[1])


def test_padding_and_batching_change_nothing() -> None:
    model, mel = random_model(), random_mel()
    together = model(TOKENS, TOKEN_LENGTHS, mel, MEL_LENGTHS)
    alone = model(TOKENS[1:, :3], TOKEN_LENGTHS[1:], mel[1:, :, :17], MEL_LENGTHS[1:])
    torch.testing.assert_close(together.latent[1:, :, :16], alone.latent)
    torch.testing.assert_close(together.melody[1:, :, :3], alone.melody)
    torch.testing.assert_close(together.melody_target[1:, :, :3], alone.melody_target)
    spoken = model.inverse(TOKENS, TOKEN_LENGTHS)
    single = model.inverse(TOKENS[1:, :3], TOKEN_LENGTHS[1:])
    frames = int(single.mel_lengths)
    torch.testing.assert_close(spoken.mel[1:, :, :frames], single.mel)
    torch.testing.assert_close(spoken.pitch[1:, :frames], single.pitch[:, :frames])


def test_the_couplings_see_the_harmonic_features_that_every_engine_makes() -> None:
    model = random_model()
    pitch = torch.tensor([[0.0, 123.0, 250.0, 0.0]], dtype=torch.float64)
    assert model.melody is not None
    expected = harmonic_features(pitch.numpy(), model.config.audio)
    # NumPy takes the cosines in single precision
    np.testing.assert_allclose(model.melody.harmonic_features(pitch).float().numpy(), expected, rtol=1e-5, atol=3e-7)


def test_targets_are_the_pitch_under_the_alignment_and_losses_vanish_on_them() -> None:
    model = random_model()
    output = model(TOKENS, TOKEN_LENGTHS, random_mel(), MEL_LENGTHS)
    height, voiced = output.melody_target.unbind(1)
    durations = output.alignment.sum(2)
    assert ((voiced >= 0) & (voiced <= 1)).all()
    torch.testing.assert_close((voiced * durations).sum(1), (output.pitch > 0).double().sum(1))
    odds = torch.where(voiced > 0.5, 40.0, -40.0)
    right = type(output)(**{**vars(output), "melody": torch.stack([height, odds], 1)})
    certain = type(right)(**{**vars(right), "melody_target": torch.stack([height, (voiced > 0.5).double()], 1)})
    assert sum(map(float, token_pitch_losses(certain))) < 1e-9
    assert token_pitch_errors(type(certain)(**{**vars(certain), "melody": certain.melody[:1]})) == [(0.0, 0.0)]
    assert float(token_pitch_losses(output)[0].detach()) > 0


def test_gradients_reach_the_prediction_and_the_couplings_but_not_the_reader() -> None:
    model = random_model().train()
    output = model(TOKENS, TOKEN_LENGTHS, random_mel(), MEL_LENGTHS)
    (output.latent.square().sum() - output.log_det.sum() + sum(token_pitch_losses(output))).backward()
    for name, parameter in model.named_parameters():
        if "melody" in name or ".condition." in name:
            reached = parameter.grad is not None and bool(parameter.grad.any())
            assert reached != name.startswith("melody.reader"), name


def test_the_share_of_the_predictors_gradient_that_reaches_the_encoder_is_as_asked() -> None:
    def gradient(share: float) -> Tensor:
        model = random_model(prenet=False, encoder_dropout=0.0).train()
        model.encoder.predictor_gradient = share
        output = model(TOKENS, TOKEN_LENGTHS, random_mel(), MEL_LENGTHS)
        (sum(token_pitch_losses(output)) + output.log_duration.square().sum()).backward()
        found = model.encoder.embedding.weight.grad
        return torch.zeros(20, 16).double() if found is None else found

    assert not gradient(0.0).any()
    whole = gradient(1.0)
    assert whole[TOKENS[0]].all()
    torch.testing.assert_close(gradient(0.25), whole / 4)


def test_several_speakers_are_seen_beside_the_melody() -> None:
    model = random_model(n_speakers=2, speaker_channels=3)
    mel, speaker = random_mel(), torch.tensor([0, 1])
    latent, _, pitch = model.analyse(mel, MEL_LENGTHS, speaker)
    torch.testing.assert_close(
        model.decode(latent, torch.tensor([24, 16]), speaker, model.melody.harmonic_features(pitch))[0], mel[0]
    )
    assert model.convert(mel, MEL_LENGTHS, speaker, 1 - speaker).isfinite().all()


@pytest.mark.parametrize("pitch", [torch.full((2, 24), -1.0), torch.full((2, 24), torch.nan), torch.ones(24)])
def test_an_impossible_pitch_is_refused(pitch: Tensor) -> None:
    with pytest.raises(MelError, match="pitch"):
        random_model().inverse(TOKENS, TOKEN_LENGTHS, pitch=pitch)


def test_a_pitch_is_needed_by_a_model_with_a_melody_and_no_other() -> None:
    latent, lengths = torch.zeros(1, 12, 4).double(), torch.tensor([4])
    with pytest.raises(MelError, match="say the pitch"):
        random_model().decode(latent, lengths)
    with pytest.raises(MelError, match="no melody"):
        random_model(melody=False).decode(latent, lengths, harmonics=torch.zeros(1, 16, 4))
    with pytest.raises(MelError, match="no melody"):
        random_model(melody=False).inverse(TOKENS, TOKEN_LENGTHS, pitch=torch.zeros(2, 4))
    with pytest.raises(MelError, match="comb must be"):
        random_model().decode(latent, lengths, harmonics=torch.zeros(1, 16, 3))


def random_pitch(items: int = 5, frames: int = 40) -> Tensor:
    pitch = torch.empty(items, frames, dtype=torch.float64).uniform_(60, 500)
    pitch[torch.rand(items, frames) < 0.4] = 0.0
    pitch[0] = 0.0
    pitch[1, 1:] = 0.0
    return pitch


def random_durations(items: int = 5, tokens: int = 9, frames: int = 40) -> Tensor:
    durations = torch.randint(0, 2 * frames // tokens, (items, tokens))
    durations[2, ::2] = 0
    durations[3, 1:] = 0
    return durations * (durations.cumsum(1) <= frames)


def test_batches_in_pytorch_are_signals_in_numpy() -> None:
    torch.manual_seed(0)
    logits = 3.0 * torch.randn(2, pitch_numpy.CHANNELS, 30)
    logits[0, [0, pitch_numpy.BINS - 1], :2] += 50.0  # the likeliest bin at either end
    frequency, _ = pitch_numpy.read_pitch(logits.numpy())
    np.testing.assert_allclose(pitch_conditioning.read_pitch(logits), frequency, rtol=1e-12)
    pitch, durations = random_pitch(), random_durations()
    np.testing.assert_allclose(
        pitch_conditioning.harmonic_features(pitch, AudioConfig()),
        pitch_numpy.harmonic_features(pitch.numpy(), AudioConfig()),
        atol=3e-7,
    )
    found = pitch_conditioning.token_pitch(pitch, durations)
    for row, one, frames in zip(found, pitch.numpy(), durations.numpy(), strict=True):
        np.testing.assert_allclose(row, pitch_numpy.token_pitch(one, frames), atol=1e-6)
    predicted = 2.0 * torch.randn(5, 2, 9, dtype=torch.float64)
    found = pitch_conditioning.pitch_contour(predicted, durations, 48)
    for row, (height, odds), frames in zip(found, predicted.numpy(), durations.numpy(), strict=True):
        contour = pitch_numpy.pitch_contour(height, odds, frames)
        np.testing.assert_allclose(row[: len(contour)], contour, rtol=1e-12)
        assert not row[len(contour) :].any()


def test_nothing_waits_for_a_device() -> None:
    model = random_model().to("meta")  # a device without values: reading one on the host fails
    pitch = pitch_conditioning.read_pitch(model.melody.reader(torch.empty(2, 12, 24, device="meta").double()))
    assert model.melody.harmonic_features(pitch).shape == (2, n_harmonic_features(model.config.audio), 24)
    durations = torch.empty(2, 5, dtype=torch.long, device="meta")
    assert pitch_conditioning.token_pitch(pitch, durations).shape == (2, 2, 5)
    predicted = torch.empty(2, 2, 5, device="meta")
    assert pitch_conditioning.pitch_contour(predicted, durations, 30).shape == (2, 30)
