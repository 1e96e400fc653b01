"""What somebody tries who has a density to fit: plain modules, plain points, and shapes that are wrong."""

import subprocess
import sys

import pytest
import torch
from torch import nn

import glowvox.flows
from glowvox.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    Flow,
    GroupedInvertibleConv,
    Invert,
    InvertibleConv,
    LUInvertibleConv,
    Squeeze,
    gaussian_log_likelihood,
)


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs))


def chain(channels: int) -> Chain:
    half = channels // 2
    torch.manual_seed(0)
    layers: list[Flow] = []
    for mixing in (InvertibleConv(channels), LUInvertibleConv(channels), Invert(InvertibleConv(channels))):
        layers += [ActNorm(channels), mixing, AffineCoupling(perceptron(channels - half, 2 * half), max_log_scale=2.0)]
    return Chain(layers).double()


def test_every_layer_is_named_by_the_package():
    for name in glowvox.flows.__all__:
        assert getattr(glowvox.flows, name).__name__ == name
    layers = {one for one in Flow.__subclasses__() if one.__module__.startswith("glowvox.flows.")}
    assert {layer.__name__ for layer in layers} <= set(glowvox.flows.__all__)


def test_the_package_imports_no_speech():
    asked = "import glowvox.flows, sys; print(sorted(n for n in sys.modules if n.startswith('glowvox.')))"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert "glowvox.nn" not in found
    assert "glowvox.audio" not in found


@pytest.mark.parametrize("channels", [2, 3, 5])
def test_points_go_there_and_back_with_the_exact_log_determinant(channels):
    flow, points = chain(channels), torch.randn(7, channels, dtype=torch.float64)
    flow(points)  # ActNorm sets itself
    flow.eval()
    latent, log_det = flow(points)
    assert latent.shape == points.shape
    back, log_det_back = flow.inverse(latent)
    torch.testing.assert_close(back, points)
    torch.testing.assert_close(log_det_back, -log_det)
    for place, point in enumerate(points):
        jacobian = torch.autograd.functional.jacobian(lambda x: flow(x[None])[0][0], point)
        torch.testing.assert_close(log_det[place], torch.linalg.slogdet(jacobian).logabsdet)


def test_a_point_is_a_sequence_of_one_frame():
    flow, points = Chain([ActNorm(4), InvertibleConv(4), GroupedInvertibleConv(4)]), torch.randn(6, 4)
    flow(points)
    flow.eval()
    latent, log_det = flow(points)
    long, long_log_det = flow(points[:, :, None])
    torch.testing.assert_close(latent, long[:, :, 0])
    torch.testing.assert_close(log_det, long_log_det)
    torch.testing.assert_close(gaussian_log_likelihood(latent), gaussian_log_likelihood(long))


def test_a_network_with_mask_and_condition_takes_points_too():
    class Full(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Conv1d(1, 2, 1)

        def forward(self, x, mask=None, condition=None):
            assert x.dim() == 3
            return self.inner(x)

    flow, points = AffineCoupling(Full()), torch.randn(5, 2)
    latent, _ = flow(points)
    torch.testing.assert_close(flow.inverse(latent)[0], points)
    assert [name for name, _ in flow.named_parameters()] == ["network.inner.weight", "network.inner.bias"]


@pytest.mark.parametrize("takes", ["condition", "mask"])
def test_a_network_may_take_one_of_mask_and_condition(takes):
    given = []

    class Conditioned(nn.Module):
        def forward(self, x, condition):
            given.append(condition)
            return torch.cat([x, x], 1)

    class Masked(nn.Module):
        def forward(self, x, mask):
            given.append(mask)
            return torch.cat([x, x], 1)

    flow = AffineCoupling(Conditioned() if takes == "condition" else Masked())
    mask, condition = torch.ones(2, 1, 3), torch.randn(2, 5, 3)
    flow(torch.randn(2, 4, 3), mask, condition)
    assert given[0] is (condition if takes == "condition" else mask)


def test_convolutions_alone_see_frames():
    flow, x = AffineCoupling(nn.Conv1d(2, 4, 3, padding=1)), torch.randn(2, 4, 9)
    latent, _ = flow(x)
    torch.testing.assert_close(flow.inverse(latent)[0], x)


def test_a_network_that_cannot_be_called_is_refused_when_it_is_given():
    class Odd(nn.Module):
        def forward(self, x, temperature):
            return x

    with pytest.raises(TypeError, match=r"Odd takes \(x, temperature\)"):
        AffineCoupling(Odd())


@pytest.mark.parametrize(
    ("layer", "shape", "said"),
    [
        (ActNorm(4), (2, 6, 9), "takes 4 channels, .B, 4, T., got .2, 6, 9."),
        (ActNorm(4), (2, 9, 4), "channels and frames the wrong way round"),
        (InvertibleConv(4), (4,), "takes .B, 4. or .B, 4, T., got .4."),
        (LUInvertibleConv(4), (2, 3), "takes 4 channels"),
        (GroupedInvertibleConv(8), (2, 4, 5), "takes 8 channels"),
        (AffineCoupling(perceptron(1, 2)), (3, 1), "at least 2 channels"),
        (AffineCoupling(perceptron(1, 3)), (3, 2), r"each of 1 channels, \[3, 2\], got \[3, 3\]"),
        (Squeeze(4), (2, 3, 6), "multiple of 4 frames, got 6"),
        (Squeeze(2), (2, 3), "Squeeze takes .B, C, T., got .2, 3.; points have no frames"),
    ],
)
def test_wrong_shapes_are_named(layer, shape, said):
    with pytest.raises(ValueError, match=said):
        layer(torch.zeros(shape))


@pytest.mark.parametrize("way", ["forward", "inverse"])
def test_a_network_of_another_size_says_what_it_was_given(way):
    flow = AffineCoupling(perceptron(1, 2))
    with pytest.raises(RuntimeError) as caught:
        getattr(flow, way)(torch.zeros(5, 4))
    assert caught.value.__notes__ == [
        "the coupling gave its network the first half of the channels, [5, 2], torch.float32"
    ]


def test_a_function_is_no_network():
    with pytest.raises(TypeError, match=r"is a torch.nn.Module, got function"):
        AffineCoupling(lambda x: x)


def test_wrong_shapes_on_the_way_back():
    with pytest.raises(ValueError, match="takes 4 channels"):
        ActNorm(4).inverse(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="multiple of 2 channels"):
        Squeeze(2).inverse(torch.zeros(2, 3, 4))


def test_a_wrong_mask_is_named():
    with pytest.raises(ValueError, match=r"a mask \[B, 1, T\] = \[2, 1, 5\], got \[2, 5\]"):
        ActNorm(3)(torch.zeros(2, 3, 5), torch.ones(2, 5))
    with pytest.raises(ValueError, match="goes with"):
        ActNorm(3)(torch.zeros(2, 3), torch.ones(2, 1))
