"""Convolutions over tokens or frames, and the convolutional pre-net of the text encoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_BITS = {torch.bfloat16: torch.int16, torch.float16: torch.int16, torch.float32: torch.int32}
"""The integers as wide as a floating-point type."""


def dropout(x: Tensor, probability: float, *, training: bool) -> Tensor:
    """Return `x` with each element zero with a probability, the others divided by one minus it; unchanged in inference.

    The probability lies below 1. Random bits come from the global generator of the device.
    """
    if not training or not probability:
        return x
    if x.device.type != "cpu" or x.dtype not in _BITS:
        return F.dropout(x, probability)
    return x * dropout_factors(x, probability)


def dropout_factors(x: Tensor, probability: float) -> Tensor:
    """Return what dropout multiplies `x` with, in its type and layout: 0, or one divided by one minus the probability.

    On a CPU the bits of a few 64-bit random numbers are compared as integers as wide as the type, and the factor's own
    bits are put where they exceed the threshold: the probability is exact to 2^-16, and nothing is converted.
    """
    factors = torch.empty_like(x)
    if x.device.type != "cpu" or x.dtype not in _BITS:
        return factors.bernoulli_(1 - probability).div_(1 - probability)
    integer = _BITS[x.dtype]
    range_ = torch.iinfo(integer)
    threshold = min(range_.min + round(probability * 2**range_.bits), range_.max)
    factor = torch.tensor(1 / (1 - probability), dtype=x.dtype).view(integer).item()
    words = torch.empty(-(-x.numel() * range_.bits // 64), dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(integer)[: x.numel()].clamp_(threshold - 1, threshold).sub_(threshold - 1).mul_(factor)
    return kept.view(x.dtype).as_strided(x.shape, factors.stride())


class SameConv1d(nn.Conv1d):
    """A convolution that keeps the length, fast where the memory of its input is in [time, channels] order.

    Parameters are those of `nn.Conv1d`. Run as a two-dimensional convolution of height one, the CPU's and the GPU's
    channels-last kernels take it without moving data, forwards and backwards.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, out, L]` from `x [B, in, L]`."""
        if self.kernel_size[0] == 1:
            return F.linear(x.transpose(1, 2), self.weight[:, :, 0], self.bias).transpose(1, 2)
        padding = (0, self.kernel_size[0] // 2)
        return F.conv2d(x.unsqueeze(2), self.weight.unsqueeze(2), self.bias, padding=padding).squeeze(2)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of `[B, C, L]`, with the epsilon of Glow-TTS."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-4)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, C, L]`, each position with zero mean and unit variance before gain and bias."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class ConvPrenet(nn.Module):
    """Convolutions with normalisation, added to their input (Tacotron 2's idea, arXiv 2005.11129, appendix A.1).

    The last projection is zero at the start, so that the pre-net begins as the identity.
    """

    def __init__(self, channels: int, *, kernel_size: int = 5, n_layers: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.dropout = dropout
        self.convolutions = nn.ModuleList(SameConv1d(channels, channels, kernel_size) for _ in range(n_layers))
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(n_layers))
        self.projection = SameConv1d(channels, channels, 1)
        nn.init.zeros_(self.projection.weight)
        if self.projection.bias is not None:
            nn.init.zeros_(self.projection.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return `[B, H, L]` from `x [B, H, L]` and its mask `[B, 1, L]`; padding is zero."""
        y = x
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = dropout(F.relu(norm(convolution(y * mask))), self.dropout, training=self.training)
        result: Tensor = (x + self.projection(y)) * mask
        return result


class TokenPredictor(nn.Module):
    """Two convolutions and a projection to `out_channels` numbers per token.

    Durations (FastSpeech, arXiv 1905.09263), pitch (FastPitch, arXiv 2006.06873).
    """

    def __init__(
        self, in_channels: int, channels: int, out_channels: int = 1, *, kernel_size: int = 3, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.convolution_1 = SameConv1d(in_channels, channels, kernel_size)
        self.norm_1 = ChannelNorm(channels)
        self.convolution_2 = SameConv1d(channels, channels, kernel_size)
        self.norm_2 = ChannelNorm(channels)
        self.projection = SameConv1d(channels, out_channels, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return `[B, out, L]` from `x [B, in, L]` and its mask `[B, 1, L]`; padding is zero."""
        for convolution, norm in ((self.convolution_1, self.norm_1), (self.convolution_2, self.norm_2)):
            x = dropout(norm(F.relu(convolution(x * mask))), self.dropout, training=self.training)
        result: Tensor = self.projection(x * mask) * mask
        return result
