"""Lets a model on a GPU use the kernels of this room; the model itself does not know them."""

from torch import nn

from glowvox.nn.wavenet import WN


def attach_kernels(model: nn.Module) -> None:
    """Let the WNs of a model compute their layers by fused kernels where those suit; without Triton, do nothing."""
    try:
        from glowvox.cuda.gated_conv import FusedKernels
    except ImportError:  # PyTorch brings Triton along where it supports it
        return
    for module in model.modules():
        if isinstance(module, WN):
            module.kernels = FusedKernels()
