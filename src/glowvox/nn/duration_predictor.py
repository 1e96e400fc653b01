"""The duration predictor (FastSpeech's, arXiv 1905.09263; arXiv 2005.11129, section 3.2)."""

from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.convolution import ChannelNorm, SameConv1d


class DurationPredictor(nn.Module):
    """Two convolutions and a projection to the logarithm of each token's duration."""

    def __init__(self, in_channels: int, channels: int, *, kernel_size: int = 3, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = dropout
        self.convolution_1 = SameConv1d(in_channels, channels, kernel_size)
        self.norm_1 = ChannelNorm(channels)
        self.convolution_2 = SameConv1d(channels, channels, kernel_size)
        self.norm_2 = ChannelNorm(channels)
        self.projection = SameConv1d(channels, 1, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return log durations in log frames, `[B, L]`, from `x [B, in, L]` and its mask `[B, 1, L]`; padding is 0."""
        for convolution, norm in ((self.convolution_1, self.norm_1), (self.convolution_2, self.norm_2)):
            x = F.dropout(norm(F.relu(convolution(x * mask))), self.dropout, self.training)
        return (self.projection(x * mask) * mask).squeeze(1)
