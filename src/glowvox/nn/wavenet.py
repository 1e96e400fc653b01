"""WN: the gated dilated network (WaveNet's) inside every coupling of WaveGlow and of the Glow-TTS decoder.

Figure 1 of WaveGlow (arXiv 1811.00002) and figure 2b of Glow-TTS (arXiv 2005.11129). `WN.piece` is the network as they
draw it; `WN.forward` gives the same for whole signals, in a faster order (`wavenet_rows`).
"""

import torch
from torch import Tensor, nn

from glowvox.nn.convolution import dropout
from glowvox.nn.streaming import Chunk, Stream, whole
from glowvox.nn.wavenet_rows import RowKernels, wavenet_on_rows


class Conv(nn.Conv1d):
    """An unpadded convolution. Its weight lies tap after tap in memory: each tap is a matrix that needs no copy."""

    bias: nn.Parameter

    def reset_parameters(self) -> None:
        """Draw the start of `nn.Conv1d`."""
        bound = (self.in_channels * self.kernel_size[0]) ** -0.5
        weight = torch.empty(*self.kernel_size, self.out_channels, self.in_channels).permute(1, 2, 0)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, out, T - reach]` from `x [B, in, T]`: a product for each tap.

        `conv1d` gives the same, but brings the weight into an order of its own at every call, which takes longer than a
        short piece.
        """
        dilation = self.dilation[0]
        count = x.shape[2] - dilation * (self.kernel_size[0] - 1)
        result: Tensor = self.bias[:, None]
        for tap in range(self.kernel_size[0]):
            matrix = self.weight[:, :, tap].expand(len(x), -1, -1)
            result = torch.baddbmm(result, matrix, x.narrow(2, tap * dilation, count))
        return result


class WNLayer(nn.Module):
    """One layer: a dilated convolution, the gate, and the 1x1 convolution into residual and skip."""

    def __init__(self, channels: int, mixed: int, kernel_size: int, dilation: int, *, separable: bool) -> None:
        super().__init__()
        self.depthwise: nn.Conv1d | None = None
        if separable:
            self.depthwise = nn.Conv1d(channels, channels, kernel_size, dilation=dilation, groups=channels, bias=False)
        self.dilated = Conv(
            channels, 2 * channels, 1 if separable else kernel_size, dilation=1 if separable else dilation
        )
        self.mix = Conv(channels, mixed, 1)

    def forward(self, x: Tensor, condition: Tensor | None, dropout_probability: float = 0.0) -> Tensor:
        """Return residual and skip, one after the other along the channels.

        Args:
            x: `[B, H, n + the reach of the kernel on both sides]`.
            condition: `[B, 2H, n]`, added before the gate.
            dropout_probability: with which gated activations are dropped.
        """
        gates = self.dilated(x if self.depthwise is None else self.depthwise(x))
        if condition is not None:
            gates = gates + condition
        filtered, gate = gates.chunk(2, 1)
        activation = torch.tanh(filtered) * torch.sigmoid(gate)
        mixed: Tensor = self.mix(dropout(activation, dropout_probability, training=dropout_probability > 0))
        return mixed


class WN(nn.Module):
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

    Attributes:
        kernels: what computes layers in place of PyTorch's own operations, where they suit; attached from outside.
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
        self.start = Conv(in_channels, channels, 1)
        self.condition = Conv(condition_channels, 2 * channels * layers, 1) if condition_channels else None
        last = layers - 1
        self.layers = nn.ModuleList(
            WNLayer(
                channels, skip_channels + (channels if index < last else 0), kernel_size, dilation, separable=separable
            )
            for index, dilation in enumerate(self.dilations)
        )
        self.end = Conv(skip_channels, out_channels, 1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)
        self.kernels: RowKernels | None = None

    @property
    def receptive_field(self) -> int:
        """Frames on each side of an output frame that it depends on."""
        return int((self.kernel_size // 2) * sum(self.dilations))

    def piece(self, x: Chunk, condition: Chunk | None, stream: Stream, mask: Tensor | None = None) -> Chunk:
        """Return the columns `[B, out, n]` of a signal that can be computed once this piece has come.

        Args:
            x: `[B, in, n]`, the new columns.
            condition: `[B, condition_channels, m]`, a column for each `condition_repeat` of `x`, from the first column
                that the last layer has not yet come to.
            stream: the state.
            mask: `[B, 1, T]`, one where a frame of a whole signal is valid.
        """
        hidden, skips = x.map(self.start).map(lambda values: _masked(values, mask)), None
        for index, (layer, dilation) in enumerate(zip(self.layers, self.dilations, strict=True)):
            part, reach = stream.part(f"layer {index}"), dilation * (self.kernel_size // 2)
            window = part.window("input", hidden, reach, reach)
            count = window.values.shape[2] - 2 * reach
            projected = self._projected(index, condition, window.begin, count)
            mixed = layer(window.values, projected, self.dropout if self.training else 0.0)
            residual, skip = mixed.split([mixed.shape[1] - self.end.in_channels, self.end.in_channels], 1)
            if index < len(self.layers) - 1:
                middle = window.values[:, :, reach : reach + count]
                hidden = Chunk(_masked(middle + residual, mask), window.begin)
            if skips is not None:
                skip = part.until("skips", skips, window.begin + count).values + skip
            skips = Chunk(skip, window.begin)
        assert skips is not None
        return skips.map(self.end).map(lambda values: _masked(values, mask))

    def _projected(self, index: int, condition: Chunk | None, begin: int, count: int) -> Tensor | None:
        """Return what a layer adds before its gate, `[B, 2H, count]`, of the columns from `begin` on."""
        if self.condition is None or condition is None:
            return None
        repeat, rows = self.condition_repeat, slice(2 * self.channels * index, 2 * self.channels * (index + 1))
        first, last = begin // repeat, -(-(begin + count) // repeat)
        part = condition.cut(first, last).values
        projected = nn.functional.conv1d(part, self.condition.weight[rows], self.condition.bias[rows])
        if repeat > 1:
            projected = projected.repeat_interleave(repeat, 2)
        return projected[:, :, begin - first * repeat :][:, :, :count]

    def definition(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return what `piece` gives for a whole signal. Arguments are those of `forward`."""
        known = None
        if condition is not None:
            columns = x.shape[2] // self.condition_repeat
            known = Chunk(condition if condition.shape[2] == columns else condition.expand(-1, -1, columns))
        return self.piece(Chunk(x), known, whole(), mask).values

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return `[B, out, T]` from `x [B, in, T]`.

        Args:
            x: `[B, in, T]`.
            mask: `[B, 1, T]`, one where a frame is valid; elsewhere the result is zero. None: everywhere.
            condition: `[B, condition_channels, T / condition_repeat]`, or one column for all frames.

        Returns:
            What `definition` gives. Under autocast the products run in the autocast type; the result has it too.
        """
        return wavenet_on_rows(self, x, mask, condition)


def _masked(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None else values * mask.to(values.dtype)
