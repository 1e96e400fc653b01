"""The differentiable refinement is the one that speaks, and gradients pass through it."""

import numpy as np
import torch

from glowvox.audio.mel import MelTransform
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.config.audio import AudioConfig
from glowvox.training.vocoder import DifferentiableRefinement

CONFIG = AudioConfig()


def test_it_equals_the_one_that_speaks() -> None:
    random = np.random.default_rng(1)
    samples = (0.1 * random.standard_normal((2, 40 * 256))).astype(np.float32)
    mel = MelTransform(CONFIG)((0.05 * random.standard_normal((2, 40 * 256))).astype(np.float32))[:, :, :40]
    refined = DifferentiableRefinement(CONFIG, 3)(torch.from_numpy(samples), torch.from_numpy(mel)).numpy()
    for mine, signal, target in zip(refined, samples, mel, strict=True):
        assert np.abs(mine - MelRefinement(CONFIG, 3)(signal, target)).max() < 1e-5


def test_gradients_pass_and_are_finite_even_for_silence() -> None:
    samples = torch.zeros(1, 20 * 256)
    samples[:, 2000:] = 0.1 * torch.randn(1, 20 * 256 - 2000, generator=torch.Generator().manual_seed(0))
    samples.requires_grad_()
    DifferentiableRefinement(CONFIG, 2)(samples, torch.full((1, 80, 20), -4.0)).square().sum().backward()
    assert samples.grad is not None
    assert torch.isfinite(samples.grad).all()
    assert float(samples.grad[:, 3000:].abs().mean()) > 0
