"""Convolutions over tokens or frames, and the convolutional pre-net of the text encoder."""

from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.dropout import dropout


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
        return (x + self.projection(y)) * mask
