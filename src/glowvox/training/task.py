"""What the training loop needs to know of the thing it trains."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from glowvox.training.run_folder import RunLog


@dataclass(frozen=True)
class TaskLoss:
    """The loss of a batch, a scalar to minimise, what else is worth logging (scalars), and which objective it is."""

    loss: Tensor
    metrics: dict[str, Tensor] = field(default_factory=dict)
    objective: str = ""
    """Losses of different objectives are not compared with each other."""


class Task(ABC):
    """A model, its data and its objective. Everything is a function of the step, so that resuming needs no more."""

    model: nn.Module

    @abstractmethod
    def batch(self, index: int) -> Any:
        """Return the batch of this index, for this process; the same index gives the same batch."""

    @abstractmethod
    def loss(self, batch: Any, step: int, generator: torch.Generator) -> TaskLoss:
        """Return the loss of a batch; anything random comes from `generator`."""

    @abstractmethod
    def initialise(self, batch: Any) -> None:
        """Set what depends on data (ActNorm) from the first batch; never called on weights that were loaded."""

    @abstractmethod
    def validate(self, step: int, log: RunLog) -> dict[str, float]:
        """Measure the model on validation data, write pictures and sound to the log, and return the figures."""

    @abstractmethod
    def score_name(self, step: int) -> str:
        """Return the name of the validation figure, lower being better, by which `best` is chosen at this step."""

    @abstractmethod
    def seconds_of_audio(self, batch: Any) -> float:
        """Return how many seconds of speech a batch holds."""

    def describe(self, batch: Any) -> str:
        """Return which items a batch holds, for the report of a bad one."""
        return "ids not known"
