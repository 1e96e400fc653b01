"""The partial load: whatever of a set of tensors fits a model, with an account of what did not.

An ordinary load is strict (`folder.load_model`). Starting a training from another model's weights, with more speakers
or another vocabulary say, is this other, explicit act.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glowvox.errors import CheckpointError


@dataclass(frozen=True)
class LoadReport:
    """What a partial load did."""

    loaded: tuple[str, ...]
    """Names of the tensors taken over."""
    missing: tuple[str, ...]
    """Names in the model that the source lacks; they keep their values."""
    unexpected: tuple[str, ...]
    """Names in the source that the model lacks."""
    mismatched: tuple[str, ...]
    """Names in both with different shapes, as 'name (source shape, model shape)'."""
    share: float
    """Fraction of the model's numbers that were taken over."""

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors loaded, {self.share:.1%} of the model's values"]
        for label, names in (
            ("not in the source", self.missing),
            ("of another shape", self.mismatched),
            ("not in the model", self.unexpected),
        ):
            if names:
                shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
                lines.append(f"{len(names)} {label}: {shown}")
        return "; ".join(lines)


def load_matching(model: nn.Module, tensors: Mapping[str, Tensor], *, minimum_share: float = 0.5) -> LoadReport:
    """Copy into `model` every tensor whose name and shape fit, and report the rest.

    Args:
        model: changed in place; if the load fails it is left as it was.
        tensors: the source by name, in our names.
        minimum_share: the smallest fraction of the model's values that must be found.

    Raises:
        CheckpointError: less than `minimum_share` of the model's values were found; the message says what was not.
    """
    own = model.state_dict()
    fitting = {name: tensor for name, tensor in tensors.items() if name in own and own[name].shape == tensor.shape}
    total = sum(tensor.numel() for tensor in own.values())
    report = LoadReport(
        loaded=tuple(fitting),
        missing=tuple(name for name in own if name not in tensors),
        unexpected=tuple(name for name in tensors if name not in own),
        mismatched=tuple(
            f"{name} ({tuple(tensor.shape)}, {tuple(own[name].shape)})"
            for name, tensor in tensors.items()
            if name in own and name not in fitting
        ),
        share=sum(tensor.numel() for tensor in fitting.values()) / max(total, 1),
    )
    if report.share < minimum_share or not fitting:
        raise CheckpointError(f"too little fits this model (at least {minimum_share:.0%} must): {report}")
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    return report
