"""WN on rows: the same function as `WN.definition`, faster in training and on long signals (`benchmarks/wavenet.py`).

All sequences of a batch lie in one matrix `[time, channels]`, with rows of zeros between them. A tap of a dilated
convolution is then the product of a shifted view with a matrix: nothing is copied or padded, and one product serves all
sequences. Two more savings are exact: in training the condition's projection for all layers is one product, and the
skip connections are merged with the end whenever that is smaller: end(sum skip_i(a_i)) = sum (end skip_i)(a_i), so that
the sum of skips never exists.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from glowvox.nn.convolution import dropout_factors

if TYPE_CHECKING:
    from glowvox.nn.wavenet import WN, WNLayer


class LayerMix(NamedTuple):
    """What a layer's activations are multiplied with."""

    residual: Tensor
    """`[C, H]`; without rows in the last layer."""
    skip: Tensor
    """`[O, H]`; the end's matrix may be multiplied into it."""
    bias: Tensor
    """Of the residual `[C]`, or more of which the first are used."""


class RowKernels(Protocol):
    """Fused kernels for layers on rows, such as those of `glowvox.cuda`; see there for what each computes."""

    def suits(self, rows: Tensor) -> bool:
        """Return whether they run, and pay, on such rows."""

    def gated_conv(
        self, rows: Tensor, condition: Tensor, weights: Tensor, dilation: int, *, keep_values: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Return a layer's activations `[R, H]`, and tanh and sigmoid side by side where they are wanted."""

    def gate_backward(self, values: Tensor, grad: Tensor) -> Tensor:
        """Return the gradient `[R, 2H]` before the gate."""

    def mix_into(self, rows: Tensor, total: Tensor, activation: Tensor, mix: LayerMix, keep: Tensor | None) -> None:
        """Add what a layer gives to the rows and to the sum of skips, in place."""


def wavenet_on_rows(wn: "WN", x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
    """Return what `WN.definition` gives, with its arguments; under autocast in the autocast type."""
    device = x.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
    with torch.autocast(device, enabled=False):
        gap = row_gap(x.shape[0], (wn.kernel_size // 2) * max(wn.dilations))
        keep = row_mask(x, mask, gap, dtype)
        rows = F.linear(to_rows(x, gap, dtype), _matrix(wn.start.weight, dtype), wn.start.bias.to(dtype))
        rows = rows if keep is None else rows * keep
        out = _Layers(wn, dtype)(rows, keep, _conditions(wn, condition, x, gap, dtype))
        y = from_rows(out, x.shape[0], x.shape[2])
    return y if mask is None else y * mask.to(dtype)


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


def _matrix(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the matrix `[out, in]` of a convolution with one tap."""
    return weight[:, :, 0].to(dtype)


LayerCondition = Callable[[], Tensor]
"""Returns what is added before the gate of a layer `[R, 2H]`, biases included, which must not be changed."""


def _conditions(wn: "WN", condition: Tensor | None, x: Tensor, gap: int, dtype: torch.dtype) -> list[LayerCondition]:
    layers: list[WNLayer] = list(wn.layers)  # type: ignore[arg-type]
    if wn.condition is None or condition is None:
        rows = x.shape[0] * (x.shape[2] + gap)
        return [_given(layer.dilated.bias.to(dtype).expand(rows, -1)) for layer in layers]
    biases = torch.cat([layer.dilated.bias for layer in layers])
    weight, bias = _matrix(wn.condition.weight, dtype), (wn.condition.bias + biases).to(dtype)
    width = 2 * wn.channels
    if condition.shape[2] == x.shape[2]:
        given = to_rows(condition, gap, dtype)
        if not torch.is_grad_enabled():  # one layer's at a time: those of all are the largest tensor
            parts = zip(weight.split(width), bias.split(width), strict=True)
            return [functools.partial(F.linear, given, *own) for own in parts]
        projected = F.linear(given, weight, bias)
    else:
        projected = F.linear(condition.to(dtype).transpose(1, 2), weight, bias)
        projected = projected.repeat_interleave(x.shape[2] // condition.shape[2], 1)
        projected = to_rows(projected.transpose(1, 2), gap, dtype)
    return [_given(own) for own in projected.split(width, 1)]


def _given(rows: Tensor) -> LayerCondition:
    return lambda: rows


class _Layers:
    """From the rows after the start to the rows `[R, out]` after the end."""

    def __init__(self, wn: "WN", dtype: torch.dtype) -> None:
        self._wn = wn
        self._dtype = dtype
        self._layers: list[WNLayer] = list(wn.layers)  # type: ignore[arg-type]
        merged = wn.end.out_channels <= wn.end.in_channels
        self._end = _matrix(wn.end.weight, dtype) if merged else None
        """The end's matrix, where it is multiplied into those of the skips."""

    def __call__(self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition]) -> Tensor:
        wn = self._wn
        kernels = wn.kernels if wn.kernels is not None and wn.kernels.suits(rows) else PlainKernels()
        kept = torch.is_grad_enabled() or (wn.training and wn.dropout)
        total = (self._kept if kept else self._overwritten)(rows, keep, conditions, kernels)
        bias = functools.reduce(torch.add, [layer.mix.bias[-wn.end.in_channels :] for layer in self._layers])
        if self._end is not None:
            return total + (wn.end.weight[:, :, 0] @ bias + wn.end.bias).to(self._dtype)
        return F.linear(total + bias.to(self._dtype), _matrix(wn.end.weight, self._dtype), wn.end.bias.to(self._dtype))

    def _kept(self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition], kernels: RowKernels) -> Tensor:
        """Return the sum of skips `[R, S]` without their biases, or `[R, out]` after the end's matrix."""
        wn, skips = self._wn, []
        for layer, dilation, condition in zip(self._layers, wn.dilations, conditions, strict=True):
            factors = None
            if wn.training and wn.dropout:
                factors = dropout_factors(rows.new_empty(len(rows), wn.channels), wn.dropout)
            taps = layer.dilated.weight.permute(2, 0, 1)
            source = self._depthwise(layer, rows)
            activation = GatedConv.apply(source, condition(), taps, dilation, factors, kernels)  # type: ignore[no-untyped-call]
            residual, skip, bias = self._mix(layer)
            if len(residual):
                mixed = F.linear(activation, residual, bias[: len(residual)].to(self._dtype))
                rows = rows + mixed if keep is None else torch.addcmul(rows, mixed, keep)
            skips.append(F.linear(activation, skip))
        return functools.reduce(torch.add, skips)

    def _overwritten(
        self, rows: Tensor, keep: Tensor | None, conditions: list[LayerCondition], kernels: RowKernels
    ) -> Tensor:
        """Do what `_kept` does where no gradients are wanted, overwriting the rows."""
        width = self._wn.end.in_channels if self._end is None else len(self._end)
        dtype = torch.promote_types(rows.dtype, torch.float32)
        total = torch.zeros(len(rows), width, dtype=dtype, device=rows.device)
        for layer, dilation, condition in zip(self._layers, self._wn.dilations, conditions, strict=True):
            weights = layer.dilated.weight.permute(2, 0, 1).to(self._dtype)
            source = self._depthwise(layer, rows)
            activation, _ = kernels.gated_conv(source, condition(), weights, dilation, keep_values=False)
            kernels.mix_into(rows, total, activation, self._mix(layer), keep)
        return total.to(self._dtype)

    def _mix(self, layer: "WNLayer") -> LayerMix:
        weight, skips = _matrix(layer.mix.weight, self._dtype), self._wn.end.in_channels
        residual, skip = weight.split([len(weight) - skips, skips])
        return LayerMix(residual, skip if self._end is None else self._end @ skip, layer.mix.bias)

    def _depthwise(self, layer: "WNLayer", rows: Tensor) -> Tensor:
        """Return the rows `[R, H]` after a separable layer's depthwise convolution; of other layers, themselves."""
        if layer.depthwise is None:
            return rows
        dilation = layer.depthwise.dilation[0]
        span, kernel = dilation * (self._wn.kernel_size // 2), layer.depthwise.weight.to(rows.dtype)
        spread = F.conv1d(rows.t()[None], kernel, padding=span, dilation=dilation, groups=self._wn.channels)
        return spread[0].t()


class GatedConv(torch.autograd.Function):
    """`tanh(g_1) * sigmoid(g_2)` with `[g_1, g_2] = conv(rows) + condition` (WaveNet's gate; WaveGlow, section 2.2).

    The backward pass is written out because autograd's own, for shifted views, fills a tensor of zeros for every tap.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        condition: Tensor,
        taps: Tensor,
        dilation: int,
        factors: Tensor | None = None,
        kernels: RowKernels | None = None,
    ) -> Tensor:
        """Return the gated activations `[R, H]`.

        Args:
            rows: `[R, C]`, zero between sequences.
            condition: `[R, 2H]` added before the gate, biases included.
            taps: the kernel `[K, 2H, C]`, K odd; the products run in the type of the rows.
            dilation: rows between two taps.
            factors: `[R, H]` that the activations are multiplied with (dropout's); no gradient flows to them.
            kernels: that compute it; None: `PlainKernels`.
        """
        weights, kernels = taps.to(rows.dtype), kernels or PlainKernels()
        activation, values = kernels.gated_conv(rows, condition, weights, dilation, keep_values=True)
        ctx.save_for_backward(rows, weights, values, factors)
        ctx.dilation, ctx.taps_type, ctx.kernels = dilation, taps.dtype, kernels
        return activation if factors is None else activation.mul_(factors)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None, None, None, None]:
        """Return the gradients of rows, condition and taps."""
        rows, weights, values, factors = ctx.saved_tensors
        grad = grad_outputs[0] if factors is None else grad_outputs[0] * factors
        grad_gates = ctx.kernels.gate_backward(values, grad)
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
        return grad_rows, grad_gates, grad_taps, None, None, None


class PlainKernels:
    """PyTorch's own operations on rows, for every device and type. See `RowKernels`."""

    def suits(self, rows: Tensor) -> bool:
        """Return True."""
        return True

    def gated_conv(
        self, rows: Tensor, condition: Tensor, weights: Tensor, dilation: int, *, keep_values: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Return the activations `[R, H]`, and tanh and sigmoid side by side `[R, 2H]` where they are wanted."""
        gates = condition.clone(memory_format=torch.contiguous_format)
        for offset, weight in _offsets(weights, dilation):
            target, source = _shifted(gates, rows, offset)
            target.addmm_(source, weight.t())
        filtered, gate = gates.chunk(2, 1)
        if keep_values:
            return filtered.tanh_() * gate.sigmoid_(), gates
        return filtered.tanh_().mul_(gate.sigmoid_()), None

    def gate_backward(self, values: Tensor, grad: Tensor) -> Tensor:
        """Return the gradient `[R, 2H]` before the gate, given that of the activations."""
        tanh, sigmoid = values.chunk(2, 1)
        result = torch.empty_like(values)
        half = tanh.shape[1]
        torch.ops.aten.tanh_backward.grad_input(grad * sigmoid, tanh, grad_input=result[:, :half])
        torch.ops.aten.sigmoid_backward.grad_input(grad * tanh, sigmoid, grad_input=result[:, half:])
        return result

    def mix_into(self, rows: Tensor, total: Tensor, activation: Tensor, mix: LayerMix, keep: Tensor | None) -> None:
        """Add what a layer gives to the rows and to the sum of skips, in place."""
        if len(mix.residual):
            mixed = F.linear(activation, mix.residual, mix.bias[: len(mix.residual)].to(rows.dtype))
            rows.add_(mixed if keep is None else mixed.mul_(keep))
        total.add_(F.linear(activation, mix.skip))


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
