"""The prior's likelihood of every pair, durations as whole frames, and noise by position."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from glowvox.align.prior import LONGEST_TOKEN, position_noise
from glowvox.models.glow_tts import fill_last_step, frame_log_likelihood, predicted_durations
from glowvox.models.text_encoder import TextStatistics


def statistics(unit_variance: bool) -> tuple[Tensor, TextStatistics]:
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(2, 6, 11, generator=generator, dtype=torch.float64)
    mean = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64)
    log_std = 0.3 * torch.randn(2, 6, 4, generator=generator, dtype=torch.float64)
    log_std = torch.zeros_like(mean) if unit_variance else log_std
    return latent, TextStatistics(mean, log_std, torch.zeros(2, 4), torch.ones(2, 1, 4))


@pytest.mark.parametrize("unit_variance", [True, False])
def test_every_pair_has_its_gaussian_likelihood(unit_variance: bool) -> None:
    latent, text = statistics(unit_variance)
    normal = Normal(text.mean.unsqueeze(3), text.log_std.exp().unsqueeze(3))
    expected = normal.log_prob(latent.unsqueeze(2)).sum(1)
    found = frame_log_likelihood(latent, text, unit_variance=unit_variance, complete=True)
    torch.testing.assert_close(found, expected)
    short = frame_log_likelihood(latent, text, unit_variance=unit_variance, complete=False)
    left_out = expected - short
    torch.testing.assert_close(left_out, left_out[:, :1].expand_as(left_out))  # the same for all tokens of a frame
    assert found.transpose(1, 2).is_contiguous()


def test_predicted_durations_are_rounded_up_and_cut_to_whole_steps() -> None:
    frames = torch.tensor([[1.2, 2.0, 0.1, 3.3], [0.2, 9.0, 9.0, 9.0]])
    mask = torch.tensor([[[1.0, 1.0, 1.0, 1.0]], [[1.0, 0.0, 0.0, 0.0]]])
    found = predicted_durations(frames.log(), mask, 1.0, 2)
    assert found.tolist() == [[2, 2, 1, 3], [2, 0, 0, 0]]
    assert predicted_durations(frames.log(), mask, 1.0, 3).tolist() == [[2, 2, 1, 4], [3, 0, 0, 0]]
    assert predicted_durations(frames.log(), mask, 1.0, 7).tolist() == [[2, 2, 1, 2], [7, 0, 0, 0]]


def test_absurd_predictions_are_bounded() -> None:
    absurd = torch.tensor([[float("inf"), 500.0, float("nan"), -float("inf")]])
    found = predicted_durations(absurd, torch.ones(1, 1, 4), 1.0, 1)
    assert found.tolist() == [[LONGEST_TOKEN, LONGEST_TOKEN, 1, 0]]


def test_last_real_token_fills_the_last_step() -> None:
    mask = torch.tensor([[[1.0, 1.0, 1.0]], [[1.0, 1.0, 0.0]]])
    assert fill_last_step(torch.tensor([[1, 2, 2], [3, 1, 0]]), mask, 2).tolist() == [[1, 2, 3], [3, 1, 0]]
    assert fill_last_step(torch.tensor([[1, 2, 2], [3, 1, 0]]), mask, 3).tolist() == [[1, 2, 3], [3, 3, 0]]


def test_noise_of_a_frame_depends_on_seed_and_frame_only() -> None:
    for channels in (1, 7, 80):
        longer, shorter = position_noise(4, channels, 50), position_noise(4, channels, 13)
        assert longer.shape == (channels, 50) and longer.dtype == np.float32
        assert np.array_equal(longer[:, :13], shorter)
        assert not np.array_equal(position_noise(5, channels, 13), shorter)
    assert abs(position_noise(0, 80, 2000).std() - 1) < 0.01
