"""WN, by its definition, on rows and in pieces, against convolutions on whole signals, gradients included."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from glowvox.nn.streaming import Chunk, PieceState, Stream
from glowvox.nn.wavenet import WN
from glowvox.nn.wavenet_rows import GatedConv, from_rows, row_gap, row_mask, to_rows


def plain(stack: WN, x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
    """WaveGlow's network as the paper draws it: conv1d on [channels, time], skips summed, then the end."""
    keep = torch.ones_like(x[:, :1]) if mask is None else mask
    hidden = F.conv1d(x, stack.start.weight, stack.start.bias) * keep
    side = 0.0
    if stack.condition is not None:
        side = F.conv1d(condition, stack.condition.weight, stack.condition.bias)
        side = side.repeat_interleave(x.shape[2] // condition.shape[2], 2)
    skips = 0.0
    for index, (layer, dilation) in enumerate(zip(stack.layers, stack.dilations, strict=True)):
        spread = hidden
        if layer.depthwise is not None:
            reach = dilation * (stack.kernel_size // 2)
            spread = F.conv1d(hidden, layer.depthwise.weight, padding=reach, dilation=dilation, groups=stack.channels)
        reach = dilation * (layer.dilated.weight.shape[2] // 2)
        gates = F.conv1d(spread, layer.dilated.weight, layer.dilated.bias, padding=reach, dilation=dilation)
        if stack.condition is not None:
            gates = gates + side[:, index * 2 * stack.channels : (index + 1) * 2 * stack.channels]
        filtered, gate = gates.chunk(2, 1)
        mixed = F.conv1d(torch.tanh(filtered) * torch.sigmoid(gate), layer.mix.weight, layer.mix.bias)
        if index < len(stack.dilations) - 1:
            hidden = (hidden + mixed[:, : stack.channels]) * keep
            mixed = mixed[:, stack.channels :]
        skips = skips + mixed
    return F.conv1d(skips, stack.end.weight, stack.end.bias) * keep


CASES = {
    "paper": {},
    "growth-1": {"dilation_growth": 1},
    "kernel-5": {"kernel_size": 5, "dilation_growth": 3},
    "wide-end": {"out_channels": 9, "skip_channels": 4},
    "separable": {"separable": True},
    "unconditional": {"condition_channels": 0},
    "repeated-condition": {"condition_repeat": 3},
}


def build(name: str) -> tuple[WN, Tensor, Tensor | None]:
    torch.manual_seed(0)
    settings = {
        "in_channels": 3,
        "out_channels": 4,
        "condition_channels": 2,
        "channels": 5,
        "skip_channels": 6,
        "layers": 3,
    }
    settings |= CASES[name]
    sizes = [settings.pop(key) for key in ("in_channels", "out_channels", "condition_channels")]
    stack = WN(*sizes, **settings).double()
    torch.nn.init.normal_(stack.end.weight, std=0.5)
    frames = 12
    x = torch.randn(3, 3, frames, dtype=torch.float64)
    side = torch.randn(3, 2, frames // settings.get("condition_repeat", 1), dtype=torch.float64)
    return stack, x, side if sizes[2] else None


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_convolutions(name: str, masked: bool) -> None:
    stack, x, side = build(name)
    mask = (torch.arange(12) < torch.tensor([[12], [7], [3]])).unsqueeze(1).double() if masked else None
    x.requires_grad_()
    results = []
    for network in (lambda *arguments: plain(stack, *arguments), stack, stack.definition):
        stack.zero_grad()
        x.grad = None
        y = network(x, mask, side)
        (y * torch.arange(y.numel(), dtype=torch.float64).view_as(y).cos()).sum().backward()
        results.append((y.detach(), x.grad, {name: p.grad.clone() for name, p in stack.named_parameters()}))
    (expected, expected_grad, expected_parameters), *found = results
    for y, grad, parameters in found:
        torch.testing.assert_close(y, expected)
        torch.testing.assert_close(grad, expected_grad)
        for key, value in expected_parameters.items():
            torch.testing.assert_close(parameters[key], value, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("name", CASES)
def test_pieces_are_the_whole(name: str, size: int) -> None:
    network, _, _ = build(name)
    repeat, frames = network.condition_repeat, 20 * network.condition_repeat
    x = torch.randn(2, 3, frames, dtype=torch.float64)
    condition = torch.randn(2, 2, frames // repeat, dtype=torch.float64)
    given = condition if network.condition is not None else None
    # a piece at the beginning is long enough for one value of the last layer; then, some frames at a time
    ends = [*range(min(network.receptive_field // repeat + 1, 20), 20, size), 20]
    state: PieceState = {}
    found, begin, kept = [], 0, 0
    for end in ends:
        stream = Stream(state, final=end == 20)
        seen = None if given is None else Chunk(condition[:, :, kept:end], kept)
        before = {name: chunk.values.clone() for name, chunk in state.items()}
        piece = network.piece(Chunk(x[:, :, begin * repeat : end * repeat], begin * repeat), seen, stream)
        assert all(torch.equal(state[name].values, values) for name, values in before.items())
        assert piece.begin == sum(part.shape[2] for part in found)
        assert piece.end == frames if end == 20 else piece.end == end * repeat - network.receptive_field
        found.append(piece.values)
        state, begin, kept = stream.after, end, piece.end // repeat
    assert len(found) > 2 or network.receptive_field > 20
    torch.testing.assert_close(torch.cat(found, 2), network(x, None, given))


def test_one_column_is_the_condition_of_all_frames() -> None:
    network, x, condition = build("paper")
    everywhere = condition[:, :, :1].expand(-1, -1, x.shape[2])
    for form in (network, network.definition):
        torch.testing.assert_close(form(x, None, condition[:, :, :1]), network(x, None, everywhere))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_without_gradients_it_gives_the_same(name: str, masked: bool) -> None:
    network, x, condition = build(name)
    for items in (x, x[:1]):  # with rows of zeros between items, and without
        mask = (torch.arange(12) < torch.tensor([12, 7, 3])[: len(items), None]).unsqueeze(1).double()
        given = items, mask if masked else None, None if condition is None else condition[: len(items)]
        with torch.no_grad():
            found = network(*given)
        torch.testing.assert_close(found, plain(network, *given), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("taps", "dilation", "rows"), [(3, 1, 7), (3, 2, 7), (5, 1, 6), (3, 9, 4), (1, 1, 3)])
def test_gated_convolution_has_the_right_gradients(taps: int, dilation: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(rows, 2), (rows, 6), (taps, 6, 2)]
    arguments = [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]
    torch.autograd.gradcheck(lambda *tensors: GatedConv.apply(*tensors, dilation), arguments)
    factors = 2.0 * torch.randint(0, 2, (rows, 3), generator=generator).double()
    torch.autograd.gradcheck(lambda *tensors: GatedConv.apply(*tensors, dilation, factors), arguments)


def test_rows_and_back() -> None:
    x = torch.randn(3, 2, 5)
    gap = row_gap(3, 4)
    rows = to_rows(x, gap, torch.float32)
    assert rows.shape == (3 * 9, 2)
    torch.testing.assert_close(from_rows(rows, 3, 5), x)
    assert not rows.view(3, 9, 2)[:, 5:].any()
    keep = row_mask(x, None, gap, torch.float32)
    assert keep.view(3, 9).sum(1).tolist() == [5, 5, 5]
    assert row_gap(1, 4) == 0 and row_mask(x[:1], None, 0, torch.float32) is None


def test_autocast_computes_in_its_type() -> None:
    stack, x, side = build("paper")
    stack.float()
    exact = stack(x.float(), None, side.float())
    with torch.autocast("cpu", torch.bfloat16):
        rounded = stack(x.float(), None, side.float())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, rtol=0.1, atol=0.1)


def test_receptive_field() -> None:
    stack, x, side = build("paper")
    changed = side.clone()
    changed[:, :, 6] += 1
    difference = (stack(x, None, changed) - stack(x, None, side)).abs().sum((0, 1))
    touched = difference.nonzero()[:, 0]
    assert stack.receptive_field == 7
    assert touched.min() >= 6 - stack.receptive_field and touched.max() <= 6 + stack.receptive_field
