"""A predictor of numbers per token: durations (FastSpeech, arXiv 1905.09263), pitch (FastPitch, arXiv 2006.06873)."""

from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.convolution import ChannelNorm, SameConv1d
from glowvox.nn.dropout import dropout


class TokenPredictor(nn.Module):
    """Two convolutions and a projection to `out_channels` numbers per token."""

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
