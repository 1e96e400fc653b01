"""A training run on disk: its configuration, its checkpoints, and the pointers `best` and `last`.

RUN/config.toml            the preset with everything that was changed
RUN/metrics.jsonl          figures, one line each
RUN/tensorboard/           events
RUN/checkpoints/000500/    config.json and model.safetensors (the averaged weights: what `load_model` reads),
                           training.safetensors and training.json (the exact state to resume)
RUN/best, RUN/last         text files that name a checkpoint
RUN/init-from              text file that names the model that the run started from, if it did
"""

import json
import math
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glowvox.checkpoint.model_folder import save_model
from glowvox.errors import CheckpointError, TrainingError, one_line
from glowvox.storage.file_lock import try_lock


@dataclass(frozen=True)
class TrainingState:
    """What must be kept to go on exactly: tensors (weights, moments, averages) and plain numbers."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class RunFolder:
    """The folder of a run.

    Args:
        path: the folder.
        make: whether it is made if absent.

    Raises:
        TrainingError: it cannot be made.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        if not make:
            return
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

    @property
    def has_config(self) -> bool:
        """Whether the run was begun, if only to be stopped before its first checkpoint."""
        return (self.path / "config.toml").is_file()

    def write_origin(self, model: Path | None) -> None:
        """Write down the model that the run starts from; None: from nothing."""
        if model is None:
            (self.path / "init-from").unlink(missing_ok=True)
        else:
            _write_text(self.path / "init-from", f"{model.absolute()}\n")

    def origin(self) -> Path | None:
        """Return the model that the run started from; None: from nothing."""
        try:
            return Path((self.path / "init-from").read_text(encoding="utf-8").strip())
        except OSError:
            return None

    def last_step(self) -> int | None:
        """Return the step of the last checkpoint; None: there is none."""
        try:
            name = Path(self._pointed("last")).name
        except CheckpointError:
            return None
        return int(name) if name.isdigit() else None

    def save(self, step: int, model: nn.Module, state: TrainingState, *, keep: int, provenance: dict[str, Any]) -> None:
        """Write the checkpoint of a step (complete or not at all), point `last` to it, and remove old ones.

        Raises:
            TrainingError: it cannot be written; the checkpoints that are there stay.
        """
        target = self.checkpoint(step)
        aside = target.with_name(f".{target.name}.tmp")
        try:
            shutil.rmtree(aside, ignore_errors=True)
            save_model(model, aside, provenance=provenance, steps=step)
            save_file(state.tensors, aside / "training.safetensors")
            _write_text(aside / "training.json", json.dumps(state.numbers, indent=1))
            _replace(aside, target)
            self.point("last", step)
            self._prune(keep)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise TrainingError(
                f"{target}: the checkpoint cannot be written ({one_line(error, limit=200)}); make room there, then "
                "go on from the one before with --resume"
            ) from error

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


def _replace(aside: Path, target: Path) -> None:
    """Give a folder its place; what was there is not removed before, as `last` may name it."""
    former = target.with_name(f".{target.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    try:
        if target.exists():
            target.rename(former)
        aside.rename(target)
    except BaseException:
        if former.exists():
            former.rename(target)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _write_text(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _claimed(path: Path) -> TextIO:
    """Open a run's figures to add to them. Their lock says that somebody trains here, and ends with the process."""
    try:
        stream = path.open("a", encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"{path}: cannot be written ({error.strerror}); name another --run") from error
    if try_lock(stream):
        return stream
    stream.close()
    raise TrainingError(
        f"{path.parent}: another process is training in this folder; wait for it, stop it, or name another --run"
    )


class RunLog:
    """Writes what a run says: figures, pictures and sound; a silent one (folder None) writes nothing.

    Figures go to `metrics.jsonl`, everything to TensorBoard's events too, and events to standard error.

    Args:
        folder: the run's folder.
        tensorboard: whether to write TensorBoard events as well.

    Raises:
        TrainingError: the folder cannot be written, or another process trains in it.
    """

    def __init__(self, folder: Path | None, *, tensorboard: bool = True) -> None:
        self._metrics = None if folder is None else _claimed(folder / "metrics.jsonl")
        self._writer: Any = None
        if folder is not None and tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"))

    def figures(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """Write a line of figures; `kind` is `train`, `validation` or `event`."""
        if self._metrics is not None:
            line = {"step": step, "kind": kind, "time": round(time.time(), 3)}
            self._metrics.write(json.dumps(line | {name: _plain(value) for name, value in values.items()}) + "\n")
            self._metrics.flush()
        if self._writer is not None:
            for name, value in values.items():
                if not isinstance(value, str):
                    self._writer.add_scalar(f"{kind}/{name}", value, step)

    def event(self, step: int, message: str) -> None:
        """Write and print something that happened."""
        self.figures(step, "event", {"message": message})  # type: ignore[dict-item]
        if self._metrics is not None:
            print(f"step {step}: {message}", file=sys.stderr, flush=True)

    def audio(self, step: int, name: str, samples: np.ndarray, sample_rate: int) -> None:
        """Write sound, samples `[S]`."""
        if self._writer is not None:
            self._writer.add_audio(name, np.clip(samples, -1, 1)[None], step, sample_rate)

    def picture(self, step: int, name: str, image: np.ndarray) -> None:
        """Write a matrix `[rows, columns]` as a picture, low rows at the bottom, from dark to light."""
        if self._writer is not None:
            low, high = float(image.min()), float(image.max())
            grey = (image[::-1] - low) / max(high - low, 1e-9)
            self._writer.add_image(name, grey[None].astype(np.float32), step)

    def close(self) -> None:
        """Finish writing."""
        if self._metrics is not None:
            self._metrics.close()
        if self._writer is not None:
            self._writer.close()


class Progress:
    """The rate of a run and its remaining time, measured by the wall clock, validations and checkpoints included.

    Args:
        first_step: where this process starts.
        last_step: where the run ends.
        max_minutes: time limit of this process; 0: none.
    """

    def __init__(self, first_step: int, last_step: int, max_minutes: float = 0.0) -> None:
        self._first, self._last, self._max_minutes = first_step, last_step, max_minutes
        self._start = time.monotonic()
        self._told = -math.inf
        self._audio = 0.0

    @property
    def minutes(self) -> float:
        """Minutes since the start of this process's training."""
        return (time.monotonic() - self._start) / 60

    def add(self, seconds_of_audio: float) -> None:
        """Count the speech of a step."""
        self._audio += seconds_of_audio

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing was said of a step for so long, or ever; the caller speaks then."""
        if time.monotonic() - self._told < seconds:
            return False
        self._told = time.monotonic()
        return True

    def rate(self) -> float:
        """Return the seconds of speech trained on per second."""
        return self._audio / max(time.monotonic() - self._start, 1e-9)

    def remaining(self, step: int) -> str:
        """Return the time until the run ends at the rate so far, or until its time limit if that is sooner."""
        done = step + 1 - self._first
        seconds = (time.monotonic() - self._start) / max(done, 1) * (self._last - step - 1)
        if self._max_minutes:
            seconds = min(seconds, max(self._max_minutes - self.minutes, 0.0) * 60)
        if seconds < 3600:
            return f"{seconds / 60:.0f} min"
        return f"{seconds / 3600:.1f} h"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else round(float(value), 6)
