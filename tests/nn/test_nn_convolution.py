"""Convolution blocks and the duration predictor."""

import pytest
import torch
from torch.nn import functional as F

from glowvox.nn.convolution import ChannelNorm, ConvPrenet, SameConv1d, TokenPredictor


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_same_convolution_is_conv1d(kernel_size: int, time_major: bool) -> None:
    torch.manual_seed(0)
    layer = SameConv1d(4, 6, kernel_size).double()
    x = torch.randn(2, 4, 9, dtype=torch.float64)
    if time_major:
        x = x.transpose(1, 2).contiguous().transpose(1, 2)
    expected = F.conv1d(x, layer.weight, layer.bias, padding=kernel_size // 2)
    torch.testing.assert_close(layer(x), expected)


def test_channel_norm_is_over_channels() -> None:
    x = 3 + 2 * torch.randn(2, 64, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = ChannelNorm(64).double()(x)
    torch.testing.assert_close(y.mean(1), torch.zeros(2, 5, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones(2, 5, dtype=torch.float64), atol=1e-3, rtol=0)


def test_prenet_begins_as_the_identity_and_ignores_padding() -> None:
    torch.manual_seed(0)
    prenet = ConvPrenet(6).double().eval()
    x = torch.randn(2, 6, 9, dtype=torch.float64)
    mask = (torch.arange(9) < torch.tensor([9, 4])[:, None]).unsqueeze(1).double()
    torch.testing.assert_close(prenet(x, mask), x * mask)
    torch.nn.init.normal_(prenet.projection.weight)
    torch.testing.assert_close(prenet(x, mask)[1:, :, :4], prenet(x[1:, :, :4], mask[1:, :, :4]))


def test_token_predictor_ignores_padding() -> None:
    torch.manual_seed(0)
    predictor = TokenPredictor(6, 10, 2).double().eval()
    x = torch.randn(2, 6, 9, dtype=torch.float64)
    mask = (torch.arange(9) < torch.tensor([9, 4])[:, None]).unsqueeze(1).double()
    together = predictor(x, mask)
    assert together.shape == (2, 2, 9) and not together[1, :, 4:].any()
    torch.testing.assert_close(together[1:, :, :4], predictor(x[1:, :, :4], mask[1:, :, :4]))
