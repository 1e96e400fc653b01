"""The gated dilated stack (WaveNet's, as WaveGlow and Glow-TTS use it): the network inside every coupling.

Parameters have the shapes of `conv1d`; the computation runs on rows (see `gated_conv`). Two exact savings apply in
training and inference alike: the condition's projection for all layers is one product, and the skip connections are
merged with the end whenever that is smaller: end(sum skip_i(a_i)) = sum (end skip_i)(a_i), so that the sum of skips
never exists.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.nn.convolution import dropout_factors

# A dilated convolution with a gated activation on [time, channels] rows: the kernel of every coupling network.
# On a CPU a matrix product on rows runs several times faster than a convolution on [channels, time], so all
# sequences of a batch lie in one matrix of rows, separated by rows of zeros. A tap of the convolution is then a
# matrix product of a shifted view: nothing is copied or padded. The backward pass is written out because autograd's
# own, for shifted views, fills a tensor of zeros for every tap. In half precision on a GPU, fused kernels do the
# same (`gated_conv_cuda`).


def fused_kernels(rows: Tensor) -> ModuleType | None:
    """Return the kernels of `gated_conv_cuda` where they run and pay: half precision, NVIDIA's GPUs since Ampere."""
    half = rows.is_cuda and rows.dtype in (torch.float16, torch.bfloat16)
    return _kernels() if half and _has_room(rows.device) else None


@functools.cache
def _has_room(device: torch.device) -> bool:
    """Return whether a program of the kernels fits a GPU: older ones, and other makers', have less shared memory."""
    return torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= (8, 0)


@functools.cache
def _kernels() -> ModuleType | None:
    try:
        from glowvox.cuda import gated_conv as gated_conv_cuda
    except ImportError:  # PyTorch brings Triton along where it supports it
        return None
    return gated_conv_cuda


def gated_conv(rows: Tensor, condition: Tensor, taps: Tensor, dilation: int, factors: Tensor | None = None) -> Tensor:
    """Return the gated activations `[R, H]`. See `GatedConv.forward` for the arguments."""
    kernels = None if torch.is_grad_enabled() or factors is not None else fused_kernels(rows)
    if kernels is not None:
        activation: Tensor = kernels.gated_conv(rows, condition, taps.to(rows.dtype), dilation, keep_values=False)[0]
    else:
        activation = GatedConv.apply(rows, condition, taps, dilation, factors)
    return activation


class GatedConv(torch.autograd.Function):
    """`tanh(g_1) * sigmoid(g_2)` with `[g_1, g_2] = conv(rows) + condition` (WaveNet's gate; WaveGlow, section 2.2)."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, condition: Tensor, taps: Tensor, dilation: int, factors: Tensor | None = None
    ) -> Tensor:
        """Return the gated activations `[R, H]`.

        Args:
            rows: `[R, C]`, zero between sequences.
            condition: `[R, 2H]` added before the gate, biases included.
            taps: the kernel `[K, 2H, C]`, K odd; the products run in the type of the rows.
            dilation: rows between two taps.
            factors: `[R, H]` that the activations are multiplied with (dropout's); no gradient flows to them.
        """
        weights = taps.to(rows.dtype)
        kernels = fused_kernels(rows)
        if kernels is None:
            activation, values = _activation(rows, condition, weights, dilation)
        else:
            activation, values = kernels.gated_conv(rows, condition, weights, dilation, keep_values=True)
        ctx.save_for_backward(rows, weights, values, factors)
        ctx.dilation, ctx.taps_type = dilation, taps.dtype
        return activation if factors is None else activation.mul_(factors)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None, None, None]:
        """Return the gradients of rows, condition and taps."""
        rows, weights, values, factors = ctx.saved_tensors
        grad = grad_outputs[0] if factors is None else grad_outputs[0] * factors
        kernels = fused_kernels(rows)
        grad_gates = _gate_backward(values, grad) if kernels is None else kernels.gate_backward(values, grad)
        grad_rows = grad_taps = None
        if ctx.needs_input_grad[0]:
            grad_rows = torch.zeros_like(rows)
            for offset, weight in _offsets(weights, ctx.dilation):
                source, target = _shifted(grad_gates, grad_rows, offset)
                target.addmm_(source, weight)
        if ctx.needs_input_grad[2]:
            grad_taps = torch.empty_like(weights, dtype=ctx.taps_type)
            for index, offset in enumerate(_places(weights, ctx.dilation)):
                target, source = _shifted(grad_gates, rows, offset)
                grad_taps[index] = target.t() @ source
        return grad_rows, grad_gates, grad_taps, None, None


def _activation(rows: Tensor, condition: Tensor, weights: Tensor, dilation: int) -> tuple[Tensor, Tensor]:
    """Return the activations `[R, H]`, and what the backward pass needs: tanh and sigmoid side by side `[R, 2H]`."""
    gates = condition.clone(memory_format=torch.contiguous_format)
    _add_convolution(gates, rows, weights, dilation, 0)
    filtered, gate = gates.chunk(2, 1)
    return filtered.tanh_() * gate.sigmoid_(), gates


def gated_block(rows: Tensor, gates: Tensor, weights: Tensor, dilation: int, begin: int) -> Tensor:
    """Return the activations `[n, H]` of a block of rows, for where nothing needs gradients.

    Args:
        rows: `[R, C]`, zero between sequences.
        gates: `[n, 2H]`, the condition of the rows from `begin` on, biases included; overwritten.
        weights: the kernel `[K, 2H, C]` in the type of the rows.
        dilation: rows between two taps.
        begin: the first row of the block.
    """
    _add_convolution(gates, rows, weights, dilation, begin)
    filtered, gate = gates.chunk(2, 1)
    return filtered.tanh_().mul_(gate.sigmoid_())


def _add_convolution(gates: Tensor, rows: Tensor, weights: Tensor, dilation: int, begin: int) -> None:
    """Add to `gates [n, 2H]` the convolution's values at the rows from `begin` on."""
    for offset, weight in _offsets(weights, dilation):
        first = max(begin + offset, 0)
        last = min(begin + offset + len(gates), len(rows))
        if first < last:
            start = first - offset - begin
            gates[start : start + last - first].addmm_(rows[first:last], weight.t())


def _gate_backward(values: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient before the gate, given tanh and sigmoid side by side and the gradient of their product."""
    tanh, sigmoid = values.chunk(2, 1)
    result = torch.empty_like(values)
    half = tanh.shape[1]
    torch.ops.aten.tanh_backward.grad_input(grad * sigmoid, tanh, grad_input=result[:, :half])
    torch.ops.aten.sigmoid_backward.grad_input(grad * tanh, sigmoid, grad_input=result[:, half:])
    return result


def _offsets(taps: Tensor, dilation: int) -> list[tuple[int, Tensor]]:
    """Return each tap's row offset and weight, the middle one first: it covers every row."""
    offsets = list(zip(_places(taps, dilation), taps, strict=True))
    return sorted(offsets, key=lambda entry: abs(entry[0]))


def _places(taps: Tensor, dilation: int) -> list[int]:
    """Return the row offset of each tap, in the kernel's order."""
    return [(index - len(taps) // 2) * dilation for index in range(len(taps))]


def _shifted(target: Tensor, source: Tensor, offset: int) -> tuple[Tensor, Tensor]:
    """Return the rows of `target` and, `offset` rows further on, those of `source`, where both exist."""
    count = max(len(target) - abs(offset), 0)
    start, ahead = max(-offset, 0), max(offset, 0)
    return target[start : start + count], source[ahead : ahead + count]


# What is added before the gate of a layer `[R, 2H]`, biases included: for all rows, or made as rows need it.


class LayerCondition(Protocol):
    """The condition of one layer."""

    def whole(self) -> Tensor:
        """Return all rows, which must not be changed."""

    def block(self, begin: int, end: int) -> Tensor:
        """Return the rows from `begin` to `end`, the caller's to overwrite."""


class Known:
    """Rows that are there already: in training those of all layers come from one product."""

    def __init__(self, rows: Tensor) -> None:
        self._rows = rows

    def whole(self) -> Tensor:
        """See `LayerCondition`."""
        return self._rows

    def block(self, begin: int, end: int) -> Tensor:
        """See `LayerCondition`."""
        return self._rows[begin:end].clone()


class Projected:
    """A projection of rows `[R, C]`: where nothing is kept, what is made for a block never leaves the cache."""

    def __init__(self, rows: Tensor, weight: Tensor, bias: Tensor) -> None:
        self._rows, self._weight, self._bias = rows, weight, bias

    def whole(self) -> Tensor:
        """See `LayerCondition`."""
        return F.linear(self._rows, self._weight, self._bias)

    def block(self, begin: int, end: int) -> Tensor:
        """See `LayerCondition`."""
        return F.linear(self._rows[begin:end], self._weight, self._bias)


# All sequences of a batch in one matrix of rows [time, channels], with rows of zeros between them.


def row_gap(batch: int, span: int) -> int:
    """Return the rows of zeros to keep between items for taps that reach `span` frames; one item needs none."""
    return span if batch > 1 else 0


def to_rows(x: Tensor, gap: int, dtype: torch.dtype) -> Tensor:
    """Lay `x [B, C, T]` out as `[B * (T + gap), C]`: item after item, each followed by `gap` rows of zeros."""
    rows = F.pad(x.transpose(1, 2).to(dtype), (0, 0, 0, gap))
    return rows.reshape(-1, x.shape[1])


def from_rows(rows: Tensor, batch: int, frames: int) -> Tensor:
    """Return `[B, C, T]` from the layout of `to_rows`, as a view in [time, channels] order."""
    return rows.reshape(batch, -1, rows.shape[1])[:, :frames].transpose(1, 2)


def row_mask(x: Tensor, mask: Tensor | None, gap: int, dtype: torch.dtype) -> Tensor | None:
    """Return `[R, 1]`, one on the rows that hold a valid frame of `x [B, C, T]`; None where all of them do."""
    if mask is None:
        if gap == 0:
            return None
        mask = x.new_ones(x.shape[0], 1, x.shape[2])
    return to_rows(mask, gap, dtype)


_BLOCK_ROWS = 2048
"""Rows that go through a layer at once where nothing needs gradients: their gates stay in the processor's cache."""


class RowConv(nn.Module):
    """A convolution's parameters, in the shapes and with the start of `conv1d`; computed on rows.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        kernel_size: taps.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1) -> None:
        super().__init__()
        bound = (in_channels * kernel_size) ** -0.5
        # in memory the taps come first, so that each of them is a matrix that needs no copy
        weight = torch.empty(kernel_size, out_channels, in_channels).permute(1, 2, 0)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))

    def forward(self, rows: Tensor) -> Tensor:
        """Apply a convolution of one tap to `rows [R, in]`, in the type of the rows."""
        return F.linear(rows, self.weight[:, :, 0].to(rows.dtype), self.bias.to(rows.dtype))


class WNLayer(nn.Module):
    """The parameters of one layer: the dilated convolution and the 1x1 mix into residual and skip."""

    def __init__(self, channels: int, mixed: int, kernel_size: int, *, separable: bool) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel_size, groups=channels, bias=False) if separable else None
        self.dilated = RowConv(channels, 2 * channels, 1 if separable else kernel_size)
        self.mix = RowConv(channels, mixed)


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
        self.start = RowConv(in_channels, channels)
        self.condition = RowConv(condition_channels, 2 * channels * layers) if condition_channels else None
        self.layers = nn.ModuleList(
            WNLayer(channels, skip_channels + (channels if index < layers - 1 else 0), kernel_size, separable=separable)
            for index in range(layers)
        )
        self.end = RowConv(skip_channels, out_channels)
        nn.init.zeros_(self.end.weight)
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
            rows = self.start(to_rows(x, gap, dtype))
            rows = rows if keep is None else rows * keep
            out = self._layers(rows, keep, self._conditions(condition, x, gap, dtype), dtype)
            y = from_rows(out, x.shape[0], x.shape[2])
        return y if mask is None else y * mask.to(dtype)

    def _layers(
        self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition], dtype: torch.dtype
    ) -> Tensor:
        merged = self.end.weight.shape[0] <= self.end.weight.shape[1]
        end = self.end.weight[:, :, 0].to(dtype) if merged else None
        total = self._computation(rows)(rows, keep, conditions, end)
        skip_bias = functools.reduce(
            torch.add, [layer.mix.bias[-self.end.weight.shape[1] :] for layer in self._typed_layers()]
        )
        if merged:
            return total + (self.end.weight[:, :, 0] @ skip_bias + self.end.bias).to(dtype)
        return self.end(total + skip_bias.to(dtype))

    def _computation(self, rows: Tensor) -> Callable[..., Tensor]:
        """Return the way through the layers: the plain one, or a faster one that keeps nothing for a backward pass."""
        if torch.is_grad_enabled() or (self.training and self.dropout):
            return self._plain_layers
        kernels = fused_kernels(rows)
        return self._blocked_layers if kernels is None else functools.partial(self._fused_layers, kernels)

    def _plain_layers(
        self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition], end: Tensor | None
    ) -> Tensor:
        """Return the sum of skips `[R, S]` without their biases, or `[R, O]` after the end's weight `[O, S]`."""
        skips: list[Tensor] = []
        for layer, dilation, condition in zip(self._typed_layers(), self.dilations, conditions, strict=True):
            activation = self._gate(layer, rows, condition.whole(), dilation)
            residual, skip = self._mixes(layer, rows.dtype)
            if len(residual):
                mixed = F.linear(activation, residual, layer.mix.bias[: len(residual)].to(rows.dtype))
                rows = rows + mixed if keep is None else torch.addcmul(rows, mixed, keep)
            skips.append(F.linear(activation, skip if end is None else end @ skip))
        return functools.reduce(torch.add, skips)

    def _blocked_layers(
        self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition], end: Tensor | None
    ) -> Tensor:
        """Do what `_plain_layers` does where no gradients are wanted, a block of rows after the other in each layer."""
        total = self._no_skips(rows, end, torch.promote_types(rows.dtype, torch.float32))
        for layer, dilation, condition in zip(self._typed_layers(), self.dilations, conditions, strict=True):
            source, weights = self._spread(layer, rows, dilation), layer.dilated.weight.permute(2, 0, 1).to(rows.dtype)
            residual, skip = self._mixes(layer, rows.dtype)
            skip = skip if end is None else end @ skip
            bias = layer.mix.bias[: len(residual)].to(rows.dtype)
            mixed = torch.empty_like(rows)
            for begin in range(0, len(rows), _BLOCK_ROWS):
                block = slice(begin, min(begin + _BLOCK_ROWS, len(rows)))
                activation = gated_block(source, condition.block(block.start, block.stop), weights, dilation, begin)
                if len(residual):
                    added = F.linear(activation, residual, bias)
                    torch.add(rows[block], added if keep is None else added.mul_(keep[block]), out=mixed[block])
                total[block] += F.linear(activation, skip)
            rows = mixed
        return total.to(rows.dtype)

    def _fused_layers(
        self,
        kernels: ModuleType,
        rows: Tensor,
        keep: Tensor | None,
        conditions: list[LayerCondition],
        end: Tensor | None,
    ) -> Tensor:
        """Do what `_plain_layers` does where no gradients are wanted, overwriting the rows."""
        total = self._no_skips(rows, end, torch.float32)
        for layer, dilation, condition in zip(self._typed_layers(), self.dilations, conditions, strict=True):
            activation = self._gate(layer, rows, condition.whole(), dilation)
            residual, skip = self._mixes(layer, rows.dtype)
            skip = skip if end is None else end @ skip
            kernels.mix_into(rows, total, activation, residual, layer.mix.bias, skip, keep)
        return total.to(rows.dtype)

    def _no_skips(self, rows: Tensor, end: Tensor | None, dtype: torch.dtype) -> Tensor:
        width = self.end.weight.shape[1] if end is None else len(end)
        return torch.zeros(len(rows), width, dtype=dtype, device=rows.device)

    def _mixes(self, layer: WNLayer, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return the weights of a layer's mix: residual (no rows in the last layer) and skip."""
        weight = layer.mix.weight[:, :, 0].to(dtype)
        skip = self.end.weight.shape[1]
        residual, skips = weight.split([len(weight) - skip, skip])
        return residual, skips

    def _typed_layers(self) -> list[WNLayer]:
        return list(self.layers)  # type: ignore[arg-type]

    def _gate(self, layer: WNLayer, rows: Tensor, condition: Tensor, dilation: int) -> Tensor:
        rows = self._spread(layer, rows, dilation)
        factors = None
        if self.training and self.dropout:
            factors = dropout_factors(rows.new_empty(len(rows), self.channels), self.dropout)
        return gated_conv(rows, condition, layer.dilated.weight.permute(2, 0, 1), dilation, factors)

    def _spread(self, layer: WNLayer, rows: Tensor, dilation: int) -> Tensor:
        """Return the rows `[R, C]` after a separable layer's depthwise convolution; of other layers, themselves."""
        if layer.depthwise is None:
            return rows
        span = dilation * (self.kernel_size // 2)
        kernel = layer.depthwise.weight.to(rows.dtype)
        spread = F.conv1d(rows.t().unsqueeze(0), kernel, padding=span, dilation=dilation, groups=self.channels)
        return spread.squeeze(0).t()

    def _conditions(self, condition: Tensor | None, x: Tensor, gap: int, dtype: torch.dtype) -> list[LayerCondition]:
        """Return for each layer what is added before the gate, `[R, 2H]`, biases included."""
        if self.condition is None or condition is None:
            rows = x.shape[0] * (x.shape[2] + gap)
            return [Known(layer.dilated.bias.to(dtype).expand(rows, -1)) for layer in self._typed_layers()]
        biases = torch.cat([layer.dilated.bias for layer in self._typed_layers()])
        width = 2 * self.channels
        weight, bias = self.condition.weight[:, :, 0].to(dtype), (self.condition.bias + biases).to(dtype)
        if self.condition_repeat == 1 and condition.shape[2] == x.shape[2]:
            given = to_rows(condition, gap, dtype)
            if not torch.is_grad_enabled():
                return [Projected(given, *own) for own in zip(weight.split(width), bias.split(width), strict=True)]
            projected = F.linear(given, weight, bias)
        else:
            projected = F.linear(condition.to(dtype).transpose(1, 2), weight, bias)
            projected = projected.repeat_interleave(x.shape[2] // condition.shape[2], 1)
            projected = to_rows(projected.transpose(1, 2), gap, dtype)
        return [Known(own) for own in projected.split(width, 1)]
