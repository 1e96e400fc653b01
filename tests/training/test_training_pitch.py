"""The pitch predictor learns from the recordings, and the latent drawn in training is the one that speaks."""

import numpy as np
import torch

from glowvox.audio.harmonic_source import HarmonicSource
from glowvox.audio.mel import MelTransform
from glowvox.audio.pitch_bins import read_pitch
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.pitch_network import PitchNetwork
from glowvox.models.pitch_predictor import PitchPredictor
from glowvox.training.pitch import pitch_loss, sourced_latent

AUDIO = AudioConfig()
CONFIG = WaveGlowConfig(mel_mean=-5.0, mel_std=2.0)


def _tones(frequencies: list[float], frames: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    time = np.arange(frames * 256) / 22050
    rows = [sum(np.cos(2 * np.pi * k * pitch * time) for k in range(1, 15)) / 40 for pitch in frequencies]
    samples = np.stack(rows).astype(np.float32)
    return torch.from_numpy(samples), torch.from_numpy(MelTransform(AUDIO)(samples)[:, :, :frames])


def test_it_learns_the_pitch_of_tones() -> None:
    torch.manual_seed(0)
    predictor = PitchPredictor(CONFIG, channels=32)
    pitches = [110.0, 150.0, 205.0, 280.0]
    samples, mel = _tones(pitches)
    optimiser = torch.optim.Adam(predictor.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = pitch_loss(predictor, samples, mel, 22050, 256)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    frequency, voicing = read_pitch(predictor(mel).detach().numpy())
    assert np.abs(np.log(frequency[:, 8:-8] / np.array(pitches)[:, None])).max() < 0.03
    assert voicing[:, 8:-8].min() > 0.5


def test_the_network_without_pytorch_says_the_same() -> None:
    torch.manual_seed(1)
    predictor = PitchPredictor(CONFIG)
    network = PitchNetwork(predictor.arrays(), CONFIG.mel_mean, CONFIG.mel_std)
    with torch.no_grad():
        for parameter in predictor.parameters():
            parameter.copy_(parameter.half().float())
    mel = -5 + 2 * torch.randn(1, 80, 30)
    theirs = predictor(mel).detach().numpy()[0]
    assert np.abs(network(mel[0].numpy()) - theirs).max() < 1e-4
    again = PitchNetwork.from_dict(network.to_dict())
    assert np.array_equal(again(mel[0].numpy()), network(mel[0].numpy()))


def test_the_latent_has_pulses_under_shaped_noise() -> None:
    torch.manual_seed(2)
    predictor, source = PitchPredictor(CONFIG), HarmonicSource(22050, 256)
    mel, noise = -5 + 2 * torch.randn(2, 80, 20), torch.randn(2, 256, 20)
    silent = sourced_latent(torch.zeros_like(noise), mel, predictor, source)
    latent = sourced_latent(noise, mel, predictor, source)
    assert latent.shape == noise.shape
    assert float((latent - silent).abs().max()) <= float(noise.abs().max())
    assert float(silent.abs().mean()) > 0
