"""A layer of WN as fused GPU kernels (Triton): two launches instead of a dozen.

Gates never exist in memory where no backward pass needs them: a program multiplies a block of rows with the weights of
some filters and of the gates that belong to them, tap after tap, and applies both functions to the sums in registers.
Numbers are added in float32, whatever the type of the rows. For rows of float32, cuBLAS is used instead: tensor cores
do not take them.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
import triton
import triton.language as tl
from torch import Tensor

from glowvox.nn.wavenet_rows import LayerMix

Call = TypeVar("Call", bound=Callable[..., Any])


@triton.jit
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def _tanh(x):  # type: ignore[no-untyped-def]
    return 2.0 * _sigmoid(2.0 * x) - 1.0


@triton.jit
def _gated_conv_kernel(  # type: ignore[no-untyped-def]
    rows,
    condition,
    taps,
    activation,
    values,
    n_rows,
    row_stride,
    condition_stride,
    dilation,
    CHANNELS: tl.constexpr,
    FILTERS: tl.constexpr,
    TAPS: tl.constexpr,
    KEEP_VALUES: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_COLUMNS: tl.constexpr,
    BLOCK_DEPTH: tl.constexpr,
):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.program_id(1) * BLOCK_COLUMNS + tl.arange(0, BLOCK_COLUMNS)
    depth = tl.arange(0, BLOCK_DEPTH)
    inside = (row[:, None] < n_rows) & (column[None, :] < FILTERS)
    place = row.to(tl.int64)
    filtered = tl.full((BLOCK_ROWS, BLOCK_COLUMNS), 0.0, tl.float32)
    gate = tl.full((BLOCK_ROWS, BLOCK_COLUMNS), 0.0, tl.float32)
    steps: tl.constexpr = (CHANNELS + BLOCK_DEPTH - 1) // BLOCK_DEPTH
    for step in range(TAPS * steps):  # one loop, so that loads run ahead of products from tap to tap
        tap = step // steps
        channel = (step % steps) * BLOCK_DEPTH + depth
        source = place + (tap - TAPS // 2) * dilation
        there = (source >= 0) & (source < n_rows)
        known = channel < CHANNELS
        x = tl.load(
            rows + source[:, None] * row_stride + channel[None, :], mask=there[:, None] & known[None, :], other=0.0
        )
        weight = taps + tap * (2 * FILTERS * CHANNELS) + column[None, :] * CHANNELS + channel[:, None]
        wanted = known[:, None] & (column[None, :] < FILTERS)
        filtered = tl.dot(x, tl.load(weight, mask=wanted, other=0.0), filtered, input_precision="ieee")
        weight += FILTERS * CHANNELS
        gate = tl.dot(x, tl.load(weight, mask=wanted, other=0.0), gate, input_precision="ieee")
    beside = condition + place[:, None] * condition_stride + column[None, :]
    filtered = _tanh(filtered + tl.load(beside, mask=inside, other=0.0).to(tl.float32))
    gate = _sigmoid(gate + tl.load(beside + FILTERS, mask=inside, other=0.0).to(tl.float32))
    kind = activation.dtype.element_ty
    tl.store(activation + place[:, None] * FILTERS + column[None, :], (filtered * gate).to(kind), mask=inside)
    if KEEP_VALUES:
        kept = values + place[:, None] * (2 * FILTERS) + column[None, :]
        tl.store(kept, filtered.to(kind), mask=inside)
        tl.store(kept + FILTERS, gate.to(kind), mask=inside)


@triton.jit
def _mix_kernel(  # type: ignore[no-untyped-def]
    rows,
    total,
    activation,
    weight,
    bias,
    keep,
    n_rows,
    CHANNELS: tl.constexpr,
    FILTERS: tl.constexpr,
    OUT: tl.constexpr,
    MASKED: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_COLUMNS: tl.constexpr,
    BLOCK_DEPTH: tl.constexpr,
):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.program_id(1) * BLOCK_COLUMNS + tl.arange(0, BLOCK_COLUMNS)
    depth = tl.arange(0, BLOCK_DEPTH)
    place = row.to(tl.int64)
    there = row < n_rows
    sums = tl.full((BLOCK_ROWS, BLOCK_COLUMNS), 0.0, tl.float32)
    for start in range(0, FILTERS, BLOCK_DEPTH):
        channel = start + depth
        known = channel < FILTERS
        x = tl.load(
            activation + place[:, None] * FILTERS + channel[None, :], mask=there[:, None] & known[None, :], other=0.0
        )
        wanted = known[:, None] & (column[None, :] < CHANNELS + OUT)
        y = tl.load(weight + column[None, :] * FILTERS + channel[:, None], mask=wanted, other=0.0)
        sums = tl.dot(x, y, sums, input_precision="ieee")
    kind = rows.dtype.element_ty
    residual = there[:, None] & (column[None, :] < CHANNELS)
    mixed = sums + tl.load(bias + column, mask=column < CHANNELS, other=0.0).to(tl.float32)[None, :]
    if MASKED:
        mixed *= tl.load(keep + place, mask=there, other=0.0).to(tl.float32)[:, None]
    target = rows + place[:, None] * CHANNELS + column[None, :]
    tl.store(target, (tl.load(target, mask=residual, other=0.0).to(tl.float32) + mixed).to(kind), mask=residual)
    skip = there[:, None] & (column[None, :] >= CHANNELS) & (column[None, :] < CHANNELS + OUT)
    target = total + place[:, None] * OUT + (column[None, :] - CHANNELS)
    tl.store(target, tl.load(target, mask=skip, other=0.0) + sums, mask=skip)


@triton.jit
def _gate_backward_kernel(  # type: ignore[no-untyped-def]
    values, grad, result, count, FILTERS: tl.constexpr, BLOCK: tl.constexpr
):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    both = place // FILTERS * (2 * FILTERS) + place % FILTERS
    tanh = tl.load(values + both, mask=inside, other=0.0).to(tl.float32)
    sigmoid = tl.load(values + both + FILTERS, mask=inside, other=0.0).to(tl.float32)
    given = tl.load(grad + place, mask=inside, other=0.0).to(tl.float32)
    kind = result.dtype.element_ty
    tl.store(result + both, (given * sigmoid * (1.0 - tanh * tanh)).to(kind), mask=inside)
    tl.store(result + both + FILTERS, (given * tanh * sigmoid * (1.0 - sigmoid)).to(kind), mask=inside)


def _on_its_device(function: Call) -> Call:
    """Launch where the first argument lies, which need not be the current GPU."""

    @functools.wraps(function)
    def wrapped(first: Tensor, *args: Any, **kwargs: Any) -> Any:
        with torch.cuda.device_of(first):
            return function(first, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


@_on_its_device
def gated_conv(
    rows: Tensor, condition: Tensor, weights: Tensor, dilation: int, *, keep_values: bool
) -> tuple[Tensor, Tensor | None]:
    """Return `tanh(g_1) * sigmoid(g_2)` with `[g_1, g_2] = conv(rows) + condition`.

    Args:
        rows: `[R, C]`, zero between sequences.
        condition: `[R, 2H]` of the same type, its columns side by side in memory.
        weights: the kernel `[K, 2H, C]`, K odd, of the same type.
        dilation: rows between two taps.
        keep_values: whether a backward pass will need both functions' values.

    Returns:
        the activations `[R, H]`; and, where they are wanted, tanh and sigmoid side by side `[R, 2H]`.
    """
    rows = rows if rows.stride(1) == 1 else rows.contiguous()
    condition = condition if condition.stride(1) == 1 else condition.contiguous()
    taps, filters, channels = weights.shape[0], weights.shape[1] // 2, weights.shape[2]
    activation = rows.new_empty(len(rows), filters)
    values = rows.new_empty(len(rows), 2 * filters) if keep_values else None
    grid, options = _launch(len(rows), filters)
    _gated_conv_kernel[grid](
        rows,
        condition,
        weights.contiguous(),
        activation,
        activation if values is None else values,
        len(rows),
        rows.stride(0),
        condition.stride(0),
        dilation,
        CHANNELS=channels,
        FILTERS=filters,
        TAPS=taps,
        KEEP_VALUES=keep_values,
        **options,
    )
    return activation, values


@_on_its_device
def mix_into(rows: Tensor, total: Tensor, activation: Tensor, mix: LayerMix, keep: Tensor | None) -> None:
    """Add what a layer gives to the rows and to the sum of skips, in place: for where nothing needs gradients.

    Args:
        rows: `[R, C]`, contiguous; gets `(activation residual^T + bias) * keep`.
        total: float32 `[R, O]`, contiguous; gets `activation skip^T`.
        activation: `[R, H]`, contiguous.
        mix: what the activations are multiplied with; nothing reads the `rows` of the last layer.
        keep: `[R, 1]`, one on the rows that hold valid frames; None: all do.
    """
    weight = torch.cat([mix.residual, mix.skip])
    grid, options = _launch(len(rows), len(weight))
    _mix_kernel[grid](
        rows,
        total,
        activation,
        weight,
        mix.bias,
        rows if keep is None else keep,
        len(rows),
        CHANNELS=len(mix.residual),
        FILTERS=activation.shape[1],
        OUT=len(mix.skip),
        MASKED=keep is not None,
        **options,
    )


def _launch(rows: int, columns: int) -> tuple[tuple[int, int], dict[str, int]]:
    """Return the grid of programs, and their size: large keep tensor cores busy, small occupy more processors."""
    large = triton.cdiv(rows, 128) * triton.cdiv(columns, 64) >= 132
    block = (128, 64) if large else (64, 32)
    options = {"BLOCK_ROWS": block[0], "BLOCK_COLUMNS": block[1], "BLOCK_DEPTH": 64, "num_stages": 3}
    grid = (triton.cdiv(rows, block[0]), triton.cdiv(columns, block[1]))
    return grid, options | {"num_warps": 8 if large else 4}


@_on_its_device
def gate_backward(values: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient `[R, 2H]` before the gate.

    Args:
        values: tanh and sigmoid side by side `[R, 2H]`.
        grad: the gradient of their product `[R, H]`.
    """
    result = torch.empty_like(values)
    grad = grad.contiguous()
    block = 1024
    _gate_backward_kernel[(triton.cdiv(grad.numel(), block),)](
        values, grad, result, grad.numel(), FILTERS=grad.shape[1], BLOCK=block, num_warps=4
    )
    return result


@functools.cache
def _fits(device: torch.device) -> bool:
    """Return whether a program fits a GPU: older ones than Ampere, and other makers', have less shared memory."""
    return torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= (8, 0)


class FusedKernels:
    """What `WN.kernels` can be (see `nn.wavenet_rows.RowKernels`)."""

    gated_conv = staticmethod(gated_conv)
    gate_backward = staticmethod(gate_backward)
    mix_into = staticmethod(mix_into)

    def suits(self, rows: Tensor) -> bool:
        """Return whether the kernels run and pay: half precision, NVIDIA's GPUs since Ampere."""
        return rows.is_cuda and rows.dtype in (torch.float16, torch.bfloat16) and _fits(rows.device)
