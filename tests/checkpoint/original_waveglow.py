"""A module with the parameters of the original WaveGlow, for checkpoints of every generation it was saved in."""

import sys
import types
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn


class WN(nn.Module):
    pass


class Invertible1x1Conv(nn.Module):
    pass


class WaveGlow(nn.Module):
    pass


def pickled(
    path: Path, model: nn.Module, package: str, monkeypatch: pytest.MonkeyPatch, *, zipped: bool = True
) -> Path:
    """Save a module as if its classes came from `package`, which is gone afterwards."""
    module = types.ModuleType(package)
    with monkeypatch.context() as context, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older format stores the classes' source, and warns where there is none
        context.setitem(sys.modules, package, module)
        for kind in (WN, Invertible1x1Conv, WaveGlow):
            context.setattr(kind, "__module__", package)
            setattr(module, kind.__name__, kind)
        torch.save({"model": model, "iteration": 7}, path, _use_new_zipfile_serialization=zipped)
    return path


def module_from(tensors: dict[str, Tensor]) -> nn.Module:
    """Build modules that hold these tensors under these names."""
    root = WaveGlow()
    root.n_flows = 4
    for name, tensor in tensors.items():
        *path, leaf = name.split(".")
        place: nn.Module = root
        for depth, part in enumerate(path):
            if part not in place._modules:
                place.add_module(part, _part(path[: depth + 1]))
            place = place._modules[part]  # type: ignore[assignment]
        place.register_parameter(leaf, nn.Parameter(tensor.clone()))
    return root


def _part(path: list[str]) -> nn.Module:
    if path == ["upsample"]:
        part: nn.Module = nn.ConvTranspose1d(1, 1, 1024, stride=256)
        part._parameters.clear()
        return part
    if path[-1].isdigit() and len(path) == 2:
        return WN() if path[0] == "WN" else Invertible1x1Conv()
    return nn.Module()


def apart(tensors: dict[str, Tensor], *, oldest: bool) -> dict[str, Tensor]:
    """Return fused parameters as an older generation has them: a condition layer for each layer, and, in the oldest,
    residual and skip layers apart."""
    result = {}
    for name, tensor in tensors.items():
        flow = name.split(".")
        if ".cond_layer." in name:
            layers = sum(key.startswith(f"WN.{flow[1]}.in_layers.") and key.endswith("bias") for key in tensors)
            for layer, part in enumerate(tensor.chunk(layers)):
                result[f"WN.{flow[1]}.cond_layers.{layer}.{flow[-1]}"] = part
        elif oldest and ".res_skip_layers." in name:
            width = tensors[f"WN.{flow[1]}.start.bias"].shape[0]
            if tensor.shape[0] > width:
                result[f"WN.{flow[1]}.res_layers.{flow[3]}.{flow[-1]}"] = tensor[:width]
            result[f"WN.{flow[1]}.skip_layers.{flow[3]}.{flow[-1]}"] = tensor[-width:]
        else:
            result[name] = tensor
    return result
