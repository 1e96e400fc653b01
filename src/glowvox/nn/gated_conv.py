"""A dilated convolution with a gated activation on [time, channels] rows: the kernel of every coupling network.

On a CPU a matrix product on rows runs several times faster than a convolution on [channels, time], so all sequences of
a batch lie in one matrix of rows, separated by rows of zeros. A tap of the convolution is then a matrix product of a
shifted view: nothing is copied or padded. The backward pass is written out because autograd's own, for shifted views,
fills a tensor of zeros for every tap.
"""

from typing import Any

import torch
from torch import Tensor


class GatedConv(torch.autograd.Function):
    """`tanh(g_1) * sigmoid(g_2)` with `[g_1, g_2] = conv(rows) + condition` (WaveNet's gate; WaveGlow, section 2.2)."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, condition: Tensor, taps: Tensor, dilation: int) -> Tensor:
        """Return the gated activations.

        Args:
            rows: `[R, C]`, zero between sequences.
            condition: `[R, 2H]` added before the gate, biases included.
            taps: the kernel `[K, 2H, C]`, K odd.
            dilation: rows between two taps.
        """
        gates = condition.clone(memory_format=torch.contiguous_format)
        for offset, weight in _offsets(taps, dilation):
            target, source = _shifted(gates, rows, offset)
            target.addmm_(source, weight.t())
        ctx.save_for_backward(rows, taps, gates)
        ctx.dilation = dilation
        filtered, gate = gates.chunk(2, 1)
        return torch.tanh(filtered) * torch.sigmoid(gate)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None, None]:
        """Return the gradients of rows, condition and taps."""
        rows, taps, gates = ctx.saved_tensors
        grad_gates = _gate_backward(gates, grad_outputs[0])
        grad_rows = grad_taps = None
        if ctx.needs_input_grad[0]:
            grad_rows = torch.zeros_like(rows)
            for offset, weight in _offsets(taps, ctx.dilation):
                source, target = _shifted(grad_gates, grad_rows, offset)
                target.addmm_(source, weight)
        if ctx.needs_input_grad[2]:
            grad_taps = torch.stack(
                [
                    target.t() @ source
                    for target, source in (_shifted(grad_gates, rows, offset) for offset in _places(taps, ctx.dilation))
                ]
            )
        return grad_rows, grad_gates, grad_taps, None


def _gate_backward(gates: Tensor, grad: Tensor) -> Tensor:
    filtered, gate = gates.chunk(2, 1)
    tanh, sigmoid = torch.tanh(filtered), torch.sigmoid(gate)
    result = torch.empty_like(gates)
    half = filtered.shape[1]
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
