"""The limit to levels: no band louder than it may be, nothing else changed, and the exact inverse without it."""

import dataclasses

import pytest
import torch

from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import LevelLimit, WaveGlow, band_levels

HIGHEST = (0.5, 2.0, 1.0)


def limited_bands(x):
    return LevelLimit(HIGHEST)(x).unflatten(1, (3, -1))


def test_no_band_is_louder_than_it_may_be_and_quiet_ones_stay():
    torch.manual_seed(0)
    x = torch.randn(2, 12, 40).double() * torch.linspace(0.0, 5.0, 40)
    bands, limited = x.unflatten(1, (3, -1)), limited_bands(x)
    before, after = band_levels(bands)[:, :, 0], band_levels(limited)[:, :, 0]
    highest = torch.tensor(HIGHEST).double()[:, None]
    assert (after <= highest * (1 + 1e-9)).all()
    assert (before > highest).any() and (before < highest).any()
    quiet = (before <= highest)[:, :, None].expand_as(bands)
    assert torch.equal(limited[quiet], bands[quiet])
    torch.testing.assert_close(
        after[before > highest], highest.expand_as(before[0])[None].expand(2, -1, -1)[before > highest]
    )
    # the shape within a band stays
    torch.testing.assert_close(limited * before[:, :, None], bands * after[:, :, None])


def test_silence_stays_silence():
    assert torch.equal(limited_bands(torch.zeros(1, 12, 3)), torch.zeros(1, 3, 4, 3))


@pytest.fixture
def model():
    torch.manual_seed(0)
    audio = AudioConfig(sample_rate=8000, n_fft=64, win_length=64, hop_length=32, n_mels=6, f_max=4000.0)
    config = WaveGlowConfig(
        audio=audio,
        transform="lapped",
        n_group=32,
        n_early_every=0,
        n_flows=3,
        n_channels=6,
        n_skip_channels=6,
        n_layers=2,
        conditioning="mel-rate",
        mel_scale=True,
        highest_levels=(0.5, 0.7),
    )
    model = WaveGlow(config).double().eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, 0.0, 0.05)
    return model


@torch.no_grad()
def test_what_is_spoken_is_limited_and_the_inverse_is_exact(model):
    audio, mel = 8.0 * torch.randn(1, 8 * 32).double(), torch.randn(1, 6, 8).double()
    latent = model(audio, mel).latent
    torch.testing.assert_close(model.inverse(latent, mel), audio, rtol=1e-8, atol=1e-8)
    spoken = model.inverse(latent, mel, limited=True)
    levels = band_levels(model.standardised(spoken, mel).unflatten(1, (2, -1)))[0, :, 0]
    before = band_levels(model.standardised(audio, mel).unflatten(1, (2, -1)))[0, :, 0]
    highest = torch.tensor(model.config.highest_levels).double()[:, None]
    assert (before > 1.1 * highest).any()
    torch.testing.assert_close(levels, before.minimum(highest.expand_as(before)), rtol=1e-6, atol=1e-6)


def test_weights_of_a_model_without_a_limit_fit(model):
    plain = WaveGlow(dataclasses.replace(model.config, highest_levels=())).double()
    plain.load_state_dict(model.state_dict())
    latent, mel = torch.randn(1, 32, 5).double(), torch.randn(1, 6, 5).double()
    torch.testing.assert_close(plain.inverse(latent, mel, limited=True), model.inverse(latent, mel))
