"""A guard against bad batches: a step whose loss is not finite or far off is left out, and too many mean going back."""

import math
from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """What to do with a step."""

    ACCEPT = "accept"
    SKIP = "skip"
    ROLL_BACK = "roll back"


@dataclass
class RunningLoss:
    """Mean and variance of the losses of one objective, recent ones weighing more."""

    mean: float = 0.0
    variance: float = 0.0
    seen: int = 0

    def add(self, loss: float) -> None:
        """Take note of a loss."""
        weight = max(1 / (self.seen + 1), 0.01)
        deviation = loss - self.mean
        self.mean += weight * deviation
        self.variance = (1 - weight) * (self.variance + weight * deviation**2)
        self.seen += 1


@dataclass
class Guard:
    """Judges each step by its loss and gradient norm.

    A step is bad when either is not finite or, after `patience` steps of the same objective, its loss lies `width`
    running standard deviations (at least 0.5) above that objective's mean. After `limit` bad steps in a row the run
    goes back to its last checkpoint with the learning rate halved.

    Attributes:
        rate_factor: what the learning rate is multiplied by since roll-backs.
        losses: the running loss of each objective, by its name.
    """

    width: float = 10.0
    limit: int = 10
    patience: int = 100
    bad: int = 0
    rate_factor: float = 1.0
    losses: dict[str, RunningLoss] = field(default_factory=dict)

    def judge(self, objective: str, loss: float, gradient_norm: float) -> Verdict:
        """Return the verdict on a step and take note of it."""
        running = self.losses.setdefault(objective, RunningLoss())
        if self._is_bad(running, loss, gradient_norm):
            self.bad += 1
            if self.bad >= self.limit:
                self.bad = 0
                self.rate_factor *= 0.5
                return Verdict.ROLL_BACK
            return Verdict.SKIP
        self.bad = 0
        running.add(loss)
        return Verdict.ACCEPT

    def _is_bad(self, running: RunningLoss, loss: float, gradient_norm: float) -> bool:
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            return True
        spread = max(self.width * math.sqrt(running.variance), 0.5)
        return running.seen >= self.patience and loss > running.mean + spread
