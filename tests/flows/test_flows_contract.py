"""One table of layers; every property of the contract is checked for all of them, in float64."""

import copy

import pytest
import torch
from torch import Tensor, nn

from glowvox.flows.affine import ActNorm, ConditionalScale
from glowvox.flows.base import Chain, Flow, Invert
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import InvertibleConv, LUInvertibleConv
from glowvox.flows.lapped import Lapped
from glowvox.flows.multiscale import EarlyOutputs
from glowvox.flows.squeeze import Squeeze
from glowvox.nn.wavenet import WN

CHANNELS, CONDITION, FRAMES = 6, 3, 8


def network(outputs: int = CHANNELS, inputs: int = CHANNELS - CHANNELS // 2) -> WN:
    stack = WN(inputs, outputs, CONDITION, channels=4, skip_channels=5, layers=2)
    nn.init.normal_(stack.end.weight, std=0.3)  # the start at zero would test only the identity
    return stack


class Envelope(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(CONDITION, CHANNELS, 3, padding=1)

    def forward(self, condition: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.conv(condition)


def coupling(**settings: float) -> AffineCoupling:
    return AffineCoupling(network(), **settings)


def smaller_step() -> Flow:
    return Chain([InvertibleConv(CHANNELS - 2), AffineCoupling(network(CHANNELS - 2, (CHANNELS - 2) // 2))])


FLOWS = {
    "actnorm": lambda: ActNorm(CHANNELS),
    "invertible-conv": lambda: InvertibleConv(CHANNELS),
    "lu-invertible-conv": lambda: LUInvertibleConv(CHANNELS),
    "coupling": coupling,
    "bounded-coupling": lambda: coupling(max_log_scale=1.5),
    "conditional-scale": lambda: ConditionalScale(Envelope()),
    "chain": lambda: Chain([ActNorm(CHANNELS), InvertibleConv(CHANNELS), coupling()]),
    "invert": lambda: Invert(Chain([InvertibleConv(CHANNELS), coupling()])),
    "early-outputs": lambda: EarlyOutputs([coupling(), smaller_step(), smaller_step()], {1: 2}),
}
SHAPE_CHANGING = {"squeeze": lambda: Squeeze(2), "lapped": lambda: Lapped(4)}
"""Layers whose output has another shape or whose mask is at another rate; tested on their own below."""


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest) -> Flow:
    torch.manual_seed(0)
    made = FLOWS[request.param]().double()
    made.train()
    made(data(4), mask(4), condition(4))  # ActNorm sees its first batch
    return made


def data(batch: int) -> Tensor:
    return torch.randn(batch, CHANNELS, FRAMES, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def condition(batch: int) -> Tensor:
    return torch.randn(batch, CONDITION, FRAMES, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def mask(batch: int) -> Tensor:
    lengths = torch.tensor([FRAMES, 5, 6, 3])[:batch]
    return (torch.arange(FRAMES) < lengths[:, None]).unsqueeze(1).double()


def test_round_trip(flow: Flow) -> None:
    x, keep, side = data(4), mask(4), condition(4)
    z, log_det = flow(x, keep, side)
    back, inverse_log_det = flow.inverse(z, keep, side)
    torch.testing.assert_close(back, x * keep, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(inverse_log_det, -log_det, rtol=1e-9, atol=1e-9)
    assert log_det.shape == (4,)


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_log_determinant_is_that_of_the_jacobian(flow: Flow, direction: str) -> None:
    x, side = data(1), condition(1)

    def apply(flat: Tensor) -> Tensor:
        return getattr(flow, direction)(flat.view_as(x), None, side)[0].reshape(-1)

    jacobian = torch.autograd.functional.jacobian(apply, x.reshape(-1))
    expected = torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(getattr(flow, direction)(x, None, side)[1][0], expected, rtol=1e-9, atol=1e-9)


def test_gradients_reach_every_parameter(flow: Flow) -> None:
    z, log_det = flow(data(4), mask(4), condition(4))
    (z.square().sum() - log_det.sum()).backward()
    for name, parameter in flow.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_padding_and_batching_change_nothing(flow: Flow, direction: str) -> None:
    x, keep, side = data(4), mask(4), condition(4)
    noise = torch.randn_like(x) * (1 - keep)  # rubbish in the padding
    together, log_det = getattr(flow, direction)(x + noise if direction == "inverse" else x * keep, keep, side * keep)
    for item in range(4):
        length = int(keep[item].sum())
        alone, alone_log_det = getattr(flow, direction)(
            x[item : item + 1, :, :length], None, side[item : item + 1, :, :length]
        )
        torch.testing.assert_close(together[item : item + 1, :, :length], alone, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(log_det[item : item + 1], alone_log_det, rtol=1e-9, atol=1e-9)
        assert not together[item, :, length:].any()


def test_state_survives_a_round_trip_after_initialisation(flow: Flow, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["flow"]
    torch.manual_seed(1)
    other = FLOWS[name]().double()
    other.load_state_dict(copy.deepcopy(flow.state_dict()))
    other.train()
    x, side = data(2), condition(2)
    for mine, theirs in zip(flow(x, None, side), other(x, None, side), strict=True):
        torch.testing.assert_close(theirs, mine, rtol=0, atol=0)


def test_float32_stays_float32(flow: Flow) -> None:
    z, log_det = flow.float()(data(2).float(), None, condition(2).float())
    assert z.dtype == log_det.dtype == torch.float32


def test_autocast_leaves_state_and_log_determinant_in_float32(flow: Flow) -> None:
    flow.float()
    x, side = data(2).float(), condition(2).float()
    with torch.autocast("cpu", torch.bfloat16):
        z, log_det = flow(x, None, side)
        back, _ = flow.inverse(z, None, side)
    assert z.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(back, x, rtol=1e-4, atol=1e-4)  # the same rounded network both ways


@pytest.mark.parametrize("name", SHAPE_CHANGING)
def test_transforms_are_orthonormal(name: str) -> None:
    channels = 1 if name == "lapped" else 3
    transform = SHAPE_CHANGING[name]().double()
    x = torch.randn(2, channels, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z, log_det = transform(x)
    torch.testing.assert_close(transform.inverse(z)[0], x, rtol=1e-12, atol=1e-12)
    jacobian = torch.autograd.functional.jacobian(
        lambda flat: transform(flat.view(1, channels, 16))[0].reshape(-1), x[0].reshape(-1)
    )
    torch.testing.assert_close(jacobian @ jacobian.T, torch.eye(16 * channels, dtype=torch.float64))
    assert not log_det.any()


def test_squeeze_puts_the_frames_of_a_group_side_by_side() -> None:
    x = torch.arange(8.0).view(1, 2, 4)
    z, _ = Squeeze(2)(x)
    assert z.tolist() == [[[0, 2], [4, 6], [1, 3], [5, 7]]]


def test_squeeze_counts_a_group_only_when_it_is_complete() -> None:
    squeeze = Squeeze(2)
    keep = torch.tensor([[[1.0, 1, 1, 0]]])
    assert squeeze.squeeze_mask(keep).tolist() == [[[1, 0]]]
    z, _ = squeeze(torch.ones(1, 1, 4), keep)
    assert z.tolist() == [[[1, 0], [1, 0]]]


def test_lapped_padding_is_an_end() -> None:
    lapped = Lapped(4).double()
    x = torch.randn(2, 1, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    keep = torch.tensor([[[1.0, 1, 1, 1]], [[1.0, 1, 1, 0]]]).double()
    z, _ = lapped(x, keep)
    alone, _ = lapped(x[1:, :, :12])
    torch.testing.assert_close(z[1:, :, :3], alone, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(lapped.inverse(z, keep)[0][1:, :, :12], x[1:, :, :12], rtol=1e-12, atol=1e-12)


def test_lapped_coefficients_are_frequencies() -> None:
    hop, rate, frequency = 64, 8000, 1000.0
    tone = torch.sin(2 * torch.pi * frequency / rate * torch.arange(hop * 20, dtype=torch.float64))
    z, _ = Lapped(hop)(tone.view(1, 1, -1))
    strongest = z[0, :, 2:-2].square().sum(1).argmax()
    assert abs((strongest + 0.5) * rate / (2 * hop) - frequency) <= rate / (2 * hop)


def test_actnorm_initialises_once_and_never_after_loading() -> None:
    layer = ActNorm(CHANNELS).double()
    layer.train()
    x = data(4) * 3 + 2
    y, _ = layer(x)
    torch.testing.assert_close(y.mean((0, 2)), torch.zeros(CHANNELS, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(y.var((0, 2), correction=0), torch.ones(CHANNELS, dtype=torch.float64))
    loaded = ActNorm(CHANNELS).double()
    loaded.load_state_dict(layer.state_dict())
    loaded.train()
    loaded(data(4) * 100)
    torch.testing.assert_close(loaded.log_scale, layer.log_scale, rtol=0, atol=0)


def test_actnorm_is_not_initialised_by_evaluation() -> None:
    layer = ActNorm(CHANNELS).eval()
    layer(torch.randn(2, CHANNELS, 4))
    assert not layer.initialised


def test_rotations_are_proper() -> None:
    torch.manual_seed(0)
    for _ in range(5):
        weight = InvertibleConv(5).weight
        torch.testing.assert_close(weight @ weight.T, torch.eye(5), atol=1e-5, rtol=0)
        assert torch.det(weight) > 0


def test_inverse_follows_the_weight() -> None:
    layer = InvertibleConv(3)
    x = torch.randn(1, 3, 4)
    with torch.no_grad():
        layer.inverse(x)
        layer.weight.mul_(2.0)
        torch.testing.assert_close(layer.inverse(layer(x)[0])[0], x)
        layer.weight = nn.Parameter(torch.eye(3) * 5)
        torch.testing.assert_close(layer.inverse(x)[0], x / 5)


def test_recomputing_changes_neither_values_nor_gradients() -> None:
    torch.manual_seed(0)
    flow = EarlyOutputs([coupling(), smaller_step()], {1: 2}).double()
    results = []
    for recompute in (False, True):
        flow.recompute = recompute
        flow.zero_grad()
        for direction in (flow, flow.inverse):
            z, log_det = direction(data(2), None, condition(2))
            (z.square().sum() - log_det.sum()).backward()
        results.append([parameter.grad.clone() for parameter in flow.parameters()])
    for plain, recomputed in zip(*results, strict=True):
        torch.testing.assert_close(recomputed, plain, rtol=1e-12, atol=1e-12)
