"""The fused GPU kernels compute what the plain form does (in Triton's interpreter), and compile for tensor cores."""

import copy
import importlib.util
import sys

import pytest
import torch
from torch.nn import functional as F

from glowvox.cuda.attach import attach_kernels
from glowvox.nn.wavenet import WN
from glowvox.nn.wavenet_rows import GatedConv

pytest.importorskip("triton", reason="Triton is not installed")

SHAPES = [(300, 48, 48, 3, 4), (50, 40, 96, 3, 64), (130, 160, 72, 5, 1), (7, 20, 12, 3, 2), (1, 8, 8, 3, 128)]
"""Rows, channels, filters, taps and dilation: blocks that are full, cut off, and left by every tap but one."""


def _kernels(name):
    """Return a copy of the kernels' module of its own, since Triton decides at import how its kernels run."""
    specification = importlib.util.find_spec("glowvox.cuda.gated_conv")
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, specification.origin))
    sys.modules[name] = module
    module.__spec__.loader.exec_module(module)
    return module


@pytest.fixture
def kernels(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    yield _kernels("glowvox.cuda.interpreted_kernels")
    del sys.modules["glowvox.cuda.interpreted_kernels"]


@pytest.fixture
def fused(kernels, monkeypatch):
    """The kernels, which take any rows here, as they take those on a GPU."""
    monkeypatch.setattr(kernels.FusedKernels, "suits", lambda self, rows: True)
    return kernels.FusedKernels()


def _layer(rows, channels, filters, taps):
    generator = torch.Generator().manual_seed(rows)
    conditions = torch.randn(rows, 5 * filters, generator=generator)  # a layer's are columns among those of others
    weights = torch.randn(taps, 2 * filters, channels, generator=generator) / (channels * taps) ** 0.5
    return torch.randn(rows, channels, generator=generator), conditions[:, filters : 3 * filters], weights


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 2e-6), (torch.float16, 5e-4)])
def test_the_activations_are_those_of_the_plain_form(kernels, shape, dtype, error):
    *sizes, dilation = shape
    rows, condition, weights = (tensor.to(dtype) for tensor in _layer(*sizes))
    activation, values = kernels.gated_conv(rows, condition, weights, dilation, keep_values=True)
    wanted = GatedConv.apply(rows.float(), condition.float(), weights.float(), dilation)
    torch.testing.assert_close(activation.float(), wanted, rtol=0, atol=error)
    tanh, sigmoid = values.float().chunk(2, 1)
    torch.testing.assert_close(tanh * sigmoid, wanted, rtol=0, atol=2 * error)
    bare, nothing = kernels.gated_conv(rows, condition, weights, dilation, keep_values=False)
    assert nothing is None
    torch.testing.assert_close(bare, activation, rtol=0, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradients_are_those_of_the_plain_form(fused, shape):
    *sizes, dilation = shape
    given = [tensor.clone().requires_grad_() for tensor in _layer(*sizes)]
    pull = torch.randn(sizes[0], sizes[2], generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(GatedConv.apply(*given, dilation, None, fused), given, pull)
    rows, condition, weights = given
    channels_last = F.conv1d(
        rows.t()[None], weights.permute(1, 2, 0), padding=dilation * (sizes[3] // 2), dilation=dilation
    )
    tanh, sigmoid = (channels_last[0].t() + condition).chunk(2, 1)
    wanted = torch.autograd.grad(tanh.tanh() * sigmoid.sigmoid(), given, pull)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("out", "skip"), [(6, 20), (24, 8)])
def test_a_network_gives_the_same_with_them(fused, batch, masked, out, skip):
    torch.manual_seed(batch)
    stack = WN(3, out, 4, channels=20, skip_channels=skip, layers=4)
    torch.nn.init.normal_(stack.end.weight, std=0.3)
    x, condition = torch.randn(batch, 3, 70), torch.randn(batch, 4, 70)
    mask = (torch.arange(70) < torch.tensor([70, 31, 1])[:batch, None]).unsqueeze(1).float() if masked else None
    with torch.no_grad():
        wanted = stack.definition(x, mask, condition)
        stack.kernels = fused
        found = stack(x, mask, condition)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("capability", "shared_memory"), [(80, 163 << 10), (90, 227 << 10)])
def test_the_kernels_compile_for_tensor_cores(capability, shared_memory, monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TRITON_DEFAULT_FP_FUSION", "1")
    triton = pytest.importorskip("triton")
    compiler = importlib.import_module("triton.compiler")
    target = importlib.import_module("triton.backends.compiler").GPUTarget("cuda", capability, 32)
    kernels = _kernels("compiled_kernels")
    sizes = {"CHANNELS": 256, "FILTERS": 256, "BLOCK_ROWS": 128, "BLOCK_COLUMNS": 64, "BLOCK_DEPTH": 64}
    gated = sizes | {"TAPS": 3, "KEEP_VALUES": True}
    mixed = sizes | {"OUT": 8, "MASKED": True}
    for kernel, constants in ((kernels._gated_conv_kernel, gated), (kernels._mix_kernel, mixed)):
        names = kernel.arg_names
        pointers = names[: names.index("n_rows")]
        signature = (
            dict.fromkeys(names, "i32") | dict.fromkeys(pointers, "*bf16") | dict.fromkeys(constants, "constexpr")
        )
        source = compiler.ASTSource(
            kernel,
            signature,
            {(names.index(name),): value for name, value in constants.items()},
            {(names.index(name),): [["tt.divisibility", 16]] for name in names if signature[name] != "constexpr"},
        )
        compiled = triton.compile(source, target=target, options={"num_warps": 8, "num_stages": 3})
        text = compiled.asm["ptx"]
        # scalar multiply-adds would be unrolled: so many for each thread and step of the sum
        products = sizes["BLOCK_ROWS"] * sizes["BLOCK_COLUMNS"] * sizes["BLOCK_DEPTH"] // (8 * 32)
        assert text.count("fma.rn") < 0.25 * products
        # loads run ahead of the products: the inputs of several steps lie in the memory of a block, which holds them
        step = 2 * (sizes["BLOCK_ROWS"] + sizes["BLOCK_COLUMNS"]) * sizes["BLOCK_DEPTH"]
        assert 2 * step <= compiled.metadata.shared <= shared_memory
        assert ".local" not in text  # nothing spilled


def test_attached_kernels_leave_other_rows_to_pytorch():
    model = torch.nn.Sequential(torch.nn.ReLU(), WN(3, 4, 0, channels=4, skip_channels=4, layers=1))
    attach_kernels(model)
    assert model[1].kernels is not None
    for dtype in (torch.float32, torch.bfloat16):
        assert not model[1].kernels.suits(torch.zeros(3, 4, dtype=dtype))  # on a CPU
    assert copy.deepcopy(model)[1].kernels is not None
    assert model.state_dict().keys() == torch.nn.Sequential(torch.nn.ReLU(), model[1]).state_dict().keys()
