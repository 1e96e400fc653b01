"""A dilated convolution with a gated activation on [time, channels] rows: the kernel of every coupling network.

On a CPU a matrix product on rows runs several times faster than a convolution on [channels, time], so all sequences of
a batch lie in one matrix of rows, separated by rows of zeros. A tap of the convolution is then a matrix product of a
shifted view: nothing is copied or padded. The backward pass is written out because autograd's own, for shifted views,
fills a tensor of zeros for every tap. In half precision on a GPU, fused kernels do the same (`gated_conv_cuda`).
"""

import functools
from types import ModuleType
from typing import Any

import torch
from torch import Tensor


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
        from glowvox.nn import gated_conv_cuda
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
