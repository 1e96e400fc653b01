"""Dropout from few random bits: its probability, its factor, its layout, its seed."""

import pytest
import torch

from glowvox.nn.convolution import dropout, dropout_factors


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.95])
def test_drops_the_asked_share_and_scales_the_rest(dtype: torch.dtype, probability: float) -> None:
    torch.manual_seed(0)
    factors = dropout_factors(torch.empty(400, 500, dtype=dtype), probability)
    kept = factors != 0
    assert factors[kept].unique().tolist() == [torch.tensor(1 / (1 - probability), dtype=dtype).item()]
    share = kept.double().mean()
    deviation = (probability * (1 - probability) / factors.numel()) ** 0.5
    assert abs(share - (1 - probability)) < 5 * deviation
    # neighbours are independent, in both directions and within one random word
    for lag in (1, 2, 3, 4, 500):
        flat = kept.flatten().double() - share
        assert abs((flat[lag:] * flat[:-lag]).mean()) < 5 * probability * (1 - probability) / factors.numel() ** 0.5


def test_follows_the_seed_and_keeps_the_layout() -> None:
    x = torch.randn(3, 5, 7).transpose(1, 2)
    torch.manual_seed(3)
    first = dropout(x, 0.3, training=True)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.3, training=True), first)
    assert first.stride() == x.stride()
    assert not torch.equal(dropout(x, 0.3, training=True), first)


def test_changes_nothing_in_inference_or_without_probability() -> None:
    x = torch.randn(4, 4)
    assert dropout(x, 0.3, training=False) is x
    assert dropout(x, 0.0, training=True) is x


def test_gradient_is_that_of_the_kept_elements() -> None:
    x = torch.ones(1000, requires_grad=True)
    y = dropout(x, 0.25, training=True)
    y.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, y.detach())
