"""What a run says: `metrics.jsonl` always, TensorBoard where it is installed, a line of progress on standard error."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


class RunLog:
    """Writes a run's figures, pictures and sound; a silent one (folder None) writes nothing.

    Args:
        folder: the run's folder.
        tensorboard: whether to write TensorBoard events as well.
    """

    def __init__(self, folder: Path | None, *, tensorboard: bool = True) -> None:
        self._metrics = None if folder is None else (folder / "metrics.jsonl").open("a", encoding="utf-8")
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
        self._audio = 0.0

    @property
    def minutes(self) -> float:
        """Minutes since the start of this process's training."""
        return (time.monotonic() - self._start) / 60

    def add(self, seconds_of_audio: float) -> None:
        """Count the speech of a step."""
        self._audio += seconds_of_audio

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
