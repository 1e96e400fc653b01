"""The transformer encoder with relative positions (arXiv 1803.02155; arXiv 2005.11129, appendix A.1)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.convolution import ChannelNorm, SameConv1d, dropout


class RelativeSelfAttention(nn.Module):
    """Multi-head self-attention whose keys and values know distances up to `window`.

    Every distance within the window has an embedding for keys and one for values, shared by all heads; farther tokens
    are attended to by content alone. Without a window (None) all are: plain self-attention (arXiv 1706.03762).
    """

    def __init__(self, channels: int, n_heads: int, *, window: int | None, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.window = window
        self.dropout = dropout
        head = channels // n_heads
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)
        self.relative_keys = _distance_embedding(window, head)
        self.relative_values = _distance_embedding(window, head)
        for part in self.query_key_value.weight.chunk(3):
            nn.init.xavier_uniform_(part)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return `[B, H, L]` from `x [B, H, L]` and the mask `[B, 1, L]` of the tokens that may be attended to."""
        batch, channels, length = x.shape
        projected = self.query_key_value(x.transpose(1, 2)).reshape(batch, length, 3, self.n_heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each [B, heads, L, head]
        query = query * query.shape[-1] ** -0.5
        scores = query @ key.transpose(2, 3)
        if self.window is not None and self.relative_keys is not None:
            scores = scores + _to_absolute(query @ self.relative_keys.t(), self.window)
        scores = scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf)
        weights = dropout(scores.softmax(-1), self.dropout, training=self.training)
        attended = weights @ value
        if self.window is not None and self.relative_values is not None:
            attended = attended + _to_relative(weights, self.window) @ self.relative_values
        result: Tensor = self.output(attended.transpose(1, 2).reshape(batch, length, channels)).transpose(1, 2)
        return result


def _distance_embedding(window: int | None, channels: int) -> nn.Parameter | None:
    return None if window is None else nn.Parameter(torch.randn(2 * window + 1, channels) * channels**-0.5)


def _to_absolute(relative: Tensor, window: int) -> Tensor:
    """Move `[..., L, 2 window + 1]`, indexed by distance, to `[..., L, L]`, indexed by position; zero elsewhere.

    Rows padded to one element more than their new width and cut anew slide to the right by one per row.
    """
    length, width = relative.shape[2], relative.shape[2] + 2 * window
    flat = F.pad(relative, (0, length)).flatten(2)[..., : length * width]
    result: Tensor = flat.unflatten(2, (length, width))[..., window : window + length]
    return result


def _to_relative(absolute: Tensor, window: int) -> Tensor:
    """Undo `_to_absolute`: `[..., L, L]` by position to `[..., L, 2 window + 1]` by distance."""
    length, width = absolute.shape[2], absolute.shape[2] + 2 * window
    flat = F.pad(F.pad(absolute, (window, window)).flatten(2), (0, length))
    result: Tensor = flat.unflatten(2, (length, width + 1))[..., : 2 * window + 1]
    return result


class TransformerLayer(nn.Module):
    """Self-attention and a convolutional feed-forward network, each added to its input and normalised."""

    def __init__(
        self, channels: int, filter_channels: int, n_heads: int, *, kernel_size: int, window: int | None, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.attention = RelativeSelfAttention(channels, n_heads, window=window, dropout=dropout)
        self.attention_norm = ChannelNorm(channels)
        self.widen = SameConv1d(channels, filter_channels, kernel_size)
        self.narrow = SameConv1d(filter_channels, channels, kernel_size)
        self.feed_forward_norm = ChannelNorm(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return `[B, H, L]`, padding zero, from `x [B, H, L]` with zero padding and its mask `[B, 1, L]`."""
        x = self.attention_norm(x + self._drop(self.attention(x, mask)))
        hidden = self._drop(F.relu(self.widen(x * mask)))
        result: Tensor = self.feed_forward_norm(x + self._drop(self.narrow(hidden * mask) * mask)) * mask
        return result

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, training=self.training)


class TransformerEncoder(nn.Module):
    """A stack of transformer layers."""

    def __init__(
        self,
        channels: int,
        filter_channels: int,
        n_heads: int,
        n_layers: int,
        *,
        kernel_size: int = 3,
        window: int | None = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TransformerLayer(
                channels, filter_channels, n_heads, kernel_size=kernel_size, window=window, dropout=dropout
            )
            for _ in range(n_layers)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return `[B, H, L]` from `x [B, H, L]` and its mask `[B, 1, L]`; every item needs at least one token."""
        x = x * mask
        for layer in self.layers:
            x = layer(x, mask)
        return x
