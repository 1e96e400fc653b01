"""The gated dilated stack (WaveNet's, as WaveGlow and Glow-TTS use it): the network inside every coupling.

Parameters have the shapes of `conv1d`; the computation runs on rows (see `gated_conv`). Two exact savings apply in
training and inference alike: the condition's projection for all layers is one product, and the skip connections are
merged with the end whenever that is smaller: end(sum skip_i(a_i)) = sum (end skip_i)(a_i), so that the sum of skips
never exists.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.gated_conv import GatedConv
from glowvox.nn.rows import from_rows, row_gap, row_mask, to_rows


class GatedLayer(nn.Module):
    """The parameters of one layer: the dilated convolution and the 1x1 mix into residual and skip."""

    def __init__(self, channels: int, mixed: int, kernel_size: int, *, separable: bool) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel_size, groups=channels, bias=False) if separable else None
        self.dilated = nn.Conv1d(channels, 2 * channels, 1 if separable else kernel_size)
        self.mix = nn.Conv1d(channels, mixed, 1)


class GatedStack(nn.Module):
    """Maps `[B, in, T]` and a condition to `[B, out, T]`; its end starts at zero, so a coupling begins as identity.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        condition_channels: channels of the condition; 0: none.
        channels: residual channels H.
        skip_channels: channels of the skip connections.
        layers: dilated layers.
        kernel_size: taps of a layer, odd.
        dilation_growth: the dilation of layer i is `dilation_growth ** i`.
        separable: depthwise separable dilated convolutions (SqueezeWave).
        condition_repeat: frames of `x` for each frame of the condition.
        dropout: probability with which gated activations are dropped in training.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        condition_channels: int,
        *,
        channels: int,
        skip_channels: int,
        layers: int,
        kernel_size: int = 3,
        dilation_growth: int = 2,
        separable: bool = False,
        condition_repeat: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.kernel_size = kernel_size
        self.condition_repeat = condition_repeat
        self.dropout = dropout
        self.dilations = [dilation_growth**index for index in range(layers)]
        self.start = nn.Conv1d(in_channels, channels, 1)
        self.condition = nn.Conv1d(condition_channels, 2 * channels * layers, 1) if condition_channels else None
        self.layers = nn.ModuleList(
            GatedLayer(
                channels, skip_channels + (channels if index < layers - 1 else 0), kernel_size, separable=separable
            )
            for index in range(layers)
        )
        self.end = nn.Conv1d(skip_channels, out_channels, 1)
        nn.init.zeros_(self.end.weight)
        if self.end.bias is not None:
            nn.init.zeros_(self.end.bias)

    @property
    def receptive_field(self) -> int:
        """Frames on each side of an output frame that it depends on."""
        return (self.kernel_size // 2) * sum(self.dilations)

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return `[B, out, T]` from `x [B, in, T]` and `condition [B, condition_channels, T / condition_repeat]`.

        Under autocast the products run in the autocast type; the result has it too.
        """
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        with torch.autocast(device, enabled=False):
            gap = row_gap(x.shape[0], (self.kernel_size // 2) * max(self.dilations))
            keep = row_mask(x, mask, gap, dtype)
            rows = _linear(to_rows(x, gap, dtype), self.start, dtype)
            rows = rows if keep is None else rows * keep
            out = self._layers(rows, keep, self._conditions(condition, x, gap, dtype), dtype)
            y = from_rows(out, x.shape[0], x.shape[2])
        return y if mask is None else y * mask.to(dtype)

    def _layers(self, rows: Tensor, keep: Tensor | None, conditions: list[Tensor], dtype: torch.dtype) -> Tensor:
        end_weight, end_bias = self.end.weight[:, :, 0], self.end.bias
        merged = self.end.out_channels <= self.end.in_channels
        total: Tensor | None = None
        total_bias: Tensor | None = None
        for index, (layer, dilation) in enumerate(zip(self.layers, self.dilations, strict=True)):
            activation = self._gate(layer, rows, conditions[index], dilation, dtype)  # type: ignore[arg-type]
            weight, bias = layer.mix.weight[:, :, 0], layer.mix.bias  # type: ignore[union-attr, index]
            if index < len(self.dilations) - 1:
                rows = rows + F.linear(activation, weight[: self.channels].to(dtype), bias[: self.channels].to(dtype))
                rows = rows if keep is None else rows * keep
                weight, bias = weight[self.channels :], bias[self.channels :]
            skip = F.linear(activation, (end_weight @ weight if merged else weight).to(dtype))
            total = skip if total is None else total + skip
            total_bias = bias if total_bias is None else total_bias + bias
        assert total is not None and total_bias is not None
        if merged:
            return total + (end_weight @ total_bias + end_bias).to(dtype)
        return F.linear(total + total_bias.to(dtype), end_weight.to(dtype), end_bias.to(dtype))

    def _gate(self, layer: GatedLayer, rows: Tensor, condition: Tensor, dilation: int, dtype: torch.dtype) -> Tensor:
        taps = layer.dilated.weight.to(dtype).permute(2, 1, 0).contiguous()
        if layer.depthwise is not None:
            span = dilation * (self.kernel_size // 2)
            kernel = layer.depthwise.weight.to(dtype)
            spread = F.conv1d(rows.t().unsqueeze(0), kernel, padding=span, dilation=dilation, groups=self.channels)
            rows = spread.squeeze(0).t()
        activation: Tensor = GatedConv.apply(rows, condition, taps, dilation)  # type: ignore[no-untyped-call]
        return F.dropout(activation, self.dropout, self.training) if self.dropout else activation

    def _conditions(self, condition: Tensor | None, x: Tensor, gap: int, dtype: torch.dtype) -> list[Tensor]:
        """Return for each layer what is added before the gate, `[R, 2H]`, biases included."""
        biases = torch.cat([layer.dilated.bias for layer in self.layers])  # type: ignore[union-attr]
        width = 2 * self.channels
        if self.condition is None or condition is None:
            rows = x.shape[0] * (x.shape[2] + gap)
            return list(biases.to(dtype).expand(rows, -1).split(width, 1))
        weight, bias = self.condition.weight[:, :, 0].to(dtype), (self.condition.bias + biases).to(dtype)
        if self.condition_repeat == 1 and condition.shape[2] == x.shape[2]:
            return list(F.linear(to_rows(condition, gap, dtype), weight, bias).split(width, 1))
        projected = F.linear(condition.to(dtype).transpose(1, 2), weight, bias)
        projected = projected.repeat_interleave(x.shape[2] // condition.shape[2], 1)
        return list(to_rows(projected.transpose(1, 2), gap, dtype).split(width, 1))


def _linear(rows: Tensor, layer: nn.Conv1d, dtype: torch.dtype) -> Tensor:
    bias = None if layer.bias is None else layer.bias.to(dtype)
    return F.linear(rows, layer.weight[:, :, 0].to(dtype), bias)
