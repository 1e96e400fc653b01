"""The pitch predictor learns from the recordings, and the latent drawn in training is the one that speaks."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import torch

from glowvox.audio.mel import MelTransform
from glowvox.audio.pitch import HarmonicSource, PitchNetwork, read_pitch
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.pitch_conditioning import PitchPredictor
from glowvox.training.pitch import fit_pitch
from glowvox.training.vocoder import sourced_latent

AUDIO = AudioConfig()
CONFIG = WaveGlowConfig(mel_mean=-5.0, mel_std=2.0)


@dataclass(frozen=True)
class _Tone:
    """A prepared recording of one tone with harmonics."""

    pitch: float
    hop_length: int = 256
    row: ClassVar = SimpleNamespace(samples=80 * 256)

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        time = np.arange(80 * 256) / 22050
        samples = sum(np.cos(2 * np.pi * k * self.pitch * time) for k in range(1, 15)) / 40
        mel = MelTransform(AUDIO)(samples.astype(np.float32))[:, :80]
        return (samples * 32767).astype(np.int16), mel


def test_it_learns_the_pitch_of_tones() -> None:
    torch.manual_seed(0)
    predictor = PitchPredictor(CONFIG.audio.n_mels, 32, mel_mean=-5.0, mel_std=2.0)
    tones = [_Tone(pitch) for pitch in (110.0, 150.0, 205.0, 280.0)]
    assert not predictor.fitted
    fit_pitch(predictor, tones, 22050, seed=0, steps=60)
    assert predictor.fitted
    assert not any(parameter.requires_grad for parameter in predictor.parameters())
    for tone in tones:
        frequency, voicing = read_pitch(predictor(torch.from_numpy(tone.load()[1][None])).numpy())
        assert np.abs(np.log(frequency[:, 8:-8] / tone.pitch)).max() < 0.03
        assert voicing[:, 8:-8].min() > 0.5


def test_the_network_without_pytorch_says_the_same() -> None:
    torch.manual_seed(1)
    predictor = PitchPredictor(CONFIG.audio.n_mels, 48, mel_mean=-5.0, mel_std=2.0)
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
    predictor, source = PitchPredictor(CONFIG.audio.n_mels, 48, mel_mean=-5.0, mel_std=2.0), HarmonicSource(22050, 256)
    mel, noise = -5 + 2 * torch.randn(2, 80, 20), torch.randn(2, 256, 20)
    silent = sourced_latent(torch.zeros_like(noise), mel, predictor, source, torch.Generator().manual_seed(3))
    latent = sourced_latent(noise, mel, predictor, source, torch.Generator().manual_seed(3))
    assert latent.shape == noise.shape
    assert float((latent - silent).abs().max()) <= float(noise.abs().max())
    assert float(silent.abs().mean()) > 0
