"""A training run on disk: its configuration, its checkpoints, and the pointers `best` and `last`.

RUN/config.toml            the preset with everything that was changed
RUN/metrics.jsonl          figures, one line each
RUN/tensorboard/           events
RUN/checkpoints/000500/    config.json and model.safetensors (the averaged weights: what `load_model` reads),
                           training.safetensors and training.json (the exact state to resume)
RUN/best, RUN/last         text files that name a checkpoint
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glowvox.checkpoint.model_folder import save_model
from glowvox.errors import CheckpointError, TrainingError


@dataclass(frozen=True)
class TrainingState:
    """What must be kept to go on exactly: tensors (weights, moments, averages) and plain numbers."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class RunFolder:
    """The folder of a run.

    Args:
        path: the folder; made if absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            (path / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"cannot make the run's folder {path}: {error.strerror}") from error

    @property
    def is_new(self) -> bool:
        """Whether the run has no checkpoint yet."""
        return not (self.path / "last").exists()

    def write_config(self, data: dict[str, Any]) -> None:
        """Write `config.toml`."""
        import tomli_w

        _write_text(self.path / "config.toml", tomli_w.dumps(data))

    def save(self, step: int, model: nn.Module, state: TrainingState, *, keep: int, provenance: dict[str, Any]) -> None:
        """Write the checkpoint of a step (complete or not at all), point `last` to it, and remove old ones."""
        target = self.checkpoint(step)
        aside = target.with_name(f".{target.name}.tmp")
        shutil.rmtree(aside, ignore_errors=True)
        save_model(model, aside, provenance=provenance, steps=step)
        save_file(state.tensors, aside / "training.safetensors")
        _write_text(aside / "training.json", json.dumps(state.numbers, indent=1))
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
        self.point("last", step)
        self._prune(keep)

    def load(self, name: str = "last") -> TrainingState:
        """Read the state of a checkpoint.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        folder = self.path / self._pointed(name)
        try:
            numbers = json.loads((folder / "training.json").read_text(encoding="utf-8"))
            return TrainingState(load_file(folder / "training.safetensors"), numbers)
        except (OSError, json.JSONDecodeError, SafetensorError) as error:
            raise CheckpointError(f"the checkpoint {folder} cannot be resumed: {error}") from error

    def point(self, name: str, step: int) -> None:
        """Let `best` or `last` name the checkpoint of a step."""
        _write_text(self.path / name, f"checkpoints/{step:06d}\n")

    def checkpoint(self, step: int) -> Path:
        """Return the folder of a step's checkpoint."""
        return self.path / "checkpoints" / f"{step:06d}"

    def _pointed(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CheckpointError(f"the run {self.path} has no checkpoint to go on from") from error

    def _prune(self, keep: int) -> None:
        kept = {self._pointed(name) for name in ("best", "last") if (self.path / name).exists()}
        folders = sorted(entry for entry in (self.path / "checkpoints").iterdir() if entry.name.isdigit())
        for folder in folders[:-keep]:
            if f"checkpoints/{folder.name}" not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of a model's parameters and buffers, on the CPU."""
    return {f"model.{name}": _packed(tensor) for name, tensor in model.state_dict().items()}


def average_tensors(shadow: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of a moving average's tensors, on the CPU."""
    return {f"average.{name}": _packed(tensor) for name, tensor in shadow.items()}


def optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's moments by parameter name, on the CPU."""
    tensors = {}
    for name, parameter in model.named_parameters():
        for kind, value in optimiser.state.get(parameter, {}).items():
            tensors[f"optimiser.{kind}.{name}"] = _packed(torch.as_tensor(value))
    return tensors


def restore_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser the moments that `optimiser_tensors` took."""
    for name, parameter in model.named_parameters():
        state: dict[str, Tensor] = {}
        for kind in ("step", "exp_avg", "exp_avg_sq"):
            tensor = tensors.get(f"optimiser.{kind}.{name}")
            if tensor is not None:
                # moments lie in memory as their parameter does
                state[kind] = tensor if kind == "step" else torch.empty_like(parameter).copy_(tensor)
        optimiser.state[parameter] = state


def _packed(tensor: Tensor) -> Tensor:
    """Return a copy on the CPU in the plain order of its dimensions, as files hold it."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _write_text(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
