"""The spectral energy distance is a proper score: what is distributed like the target is better than its middle."""

import torch

from glowvox.config.audio import AudioConfig
from glowvox.training.vocoder import MultiResolutionLoss


def _noise(seed: int, items: int = 24) -> torch.Tensor:
    return 0.1 * torch.randn(items, 8192, generator=torch.Generator().manual_seed(seed))


def test_noise_is_better_than_tones_for_noise() -> None:
    loss = MultiResolutionLoss(AudioConfig(), (512, 1024))
    target = _noise(0)
    # tones at every bin of a frame: a spectrum without the dips of noise, nearer to every noise than other noise is
    period = torch.randn(1, 128, generator=torch.Generator().manual_seed(9))
    spectrum = torch.fft.rfft(period)
    tones = torch.fft.irfft(spectrum / spectrum.abs() * 12, 128).repeat(24, 64) * 0.09
    scored = {"noise": (_noise(1), _noise(2)), "tones": (tones, tones)}
    distance = {name: loss.energy_distance(*pair, target) for name, pair in scored.items()}
    assert distance["noise"].mel < distance["tones"].mel
    assert distance["noise"].stft < distance["tones"].stft


def test_equal_draws_give_the_plain_distance() -> None:
    loss = MultiResolutionLoss(AudioConfig(), (512,))
    signal, target = _noise(3, 2), _noise(4, 2)
    energy, plain = loss.energy_distance(signal, signal, target), loss(signal, target)
    assert torch.allclose(energy.stft, plain.stft)
    assert torch.allclose(energy.mel, plain.mel)


def test_gradients_reach_both_draws() -> None:
    loss = MultiResolutionLoss(AudioConfig(), (512,))
    first, second = _noise(5, 2).requires_grad_(), _noise(6, 2).requires_grad_()
    distance = loss.energy_distance(first, second, _noise(7, 2))
    (distance.stft + distance.mel).backward()
    for signal in (first, second):
        assert signal.grad is not None
        assert float(signal.grad.abs().max()) > 0
