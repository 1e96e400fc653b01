"""The training loop: explicit, the same for both models, alone or in several processes.

Every step is a function of the weights, the optimiser's moments and the step's number, nothing else: batches and noise
are drawn from the seed and the number. That is what makes resuming exact. In reading order: what is trained (`Task`),
who trains (`Processes`), which steps count (`Guard`), how weights move (`build_optimiser`, `MovingAverage`), the loop
(`Trainer`).
"""

import math
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from glowvox.config.training import TrainingConfig
from glowvox.engines.machine import processor
from glowvox.errors import CheckpointError, TrainingError
from glowvox.training.run_folder import (
    Progress,
    RunFolder,
    RunLog,
    TrainingState,
    average_tensors,
    model_tensors,
    optimiser_tensors,
    restore_optimiser,
)

_SILENCE = 15.0
"""Seconds after which a step is told of between those that are."""
_TASK = "task."
"""Prefix of what a task keeps in a checkpoint besides the model."""


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

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold besides the model, on the CPU; `restore` takes it."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:  # noqa: B027 - most tasks have nothing to restore
        """Go on from what `state` gave; empty for runs that had nothing of the kind."""

    def describe(self, batch: Any) -> str:
        """Return which items a batch holds, for the report of a bad one."""
        return "ids not known"


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together, started by `torchrun`.

    Gradients are averaged by hand rather than by `DistributedDataParallel`: the second stage of the vocoder calls the
    model twice in one step, forwards and backwards through the flow, which that wrapper does not allow for.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace the tensors, in place, by their averages over the processes."""
        if self.count == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def broadcast(self, model: nn.Module) -> None:
        """Give every process the main one's parameters and buffers."""
        if self.count > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, 0)

    def any(self, flag: bool, device: torch.device) -> bool:  # noqa: FBT001 - the flag is the value itself
        """Return whether the flag is set in any process."""
        if self.count == 1:
            return flag
        value = torch.tensor(float(flag), device=device)
        dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return bool(value)

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.count > 1:
            dist.barrier()


def join_processes(device: torch.device, timeout_minutes: float = 10.0) -> Processes:
    """Join the processes that `torchrun` started; alone without it.

    Raises:
        TrainingError: the others did not answer; the message names this process.
    """
    if "WORLD_SIZE" not in os.environ or int(os.environ["WORLD_SIZE"]) == 1:
        return Processes()
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=timedelta(minutes=timeout_minutes))
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"process {os.environ.get('RANK', '?')} could not join the others: {error}") from error
    return Processes(dist.get_rank(), dist.get_world_size())


def leave_processes() -> None:
    """Leave the group of processes, if in one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


class Verdict(Enum):
    """What to do with a step."""

    ACCEPT = "accept"
    SKIP = "skip"
    ROLL_BACK = "roll back"


@dataclass
class RunningLoss:
    """Mean and variance of the losses of one objective, recent ones weighing more, and its bad steps in a row."""

    mean: float = 0.0
    variance: float = 0.0
    seen: int = 0
    bad: int = 0

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
    running standard deviations (at least 0.5) above that objective's mean. After `limit` bad steps of one objective in
    a row, whatever the others do between them, the run goes back to its last checkpoint with the learning rate halved.

    Attributes:
        rate_factor: what the learning rate is multiplied by since roll-backs.
        losses: the running loss of each objective, by its name.
    """

    width: float = 10.0
    limit: int = 10
    patience: int = 20  # a vocoder's likelihood is asked for in every eighth step only
    rate_factor: float = 1.0
    losses: dict[str, RunningLoss] = field(default_factory=dict)

    @property
    def in_doubt(self) -> bool:
        """Whether the last step of any objective was bad: what such a run holds is nothing to go back to."""
        return any(running.bad > 0 for running in self.losses.values())

    def judge(self, objective: str, loss: float, gradient_norm: float) -> Verdict:
        """Return the verdict on a step and take note of it."""
        running = self.losses.setdefault(objective, RunningLoss())
        if self._is_bad(running, loss, gradient_norm):
            running.bad += 1
            if running.bad >= self.limit:
                running.bad = 0
                self.rate_factor *= 0.5
                return Verdict.ROLL_BACK
            return Verdict.SKIP
        running.bad = 0
        running.add(loss)
        return Verdict.ACCEPT

    def _is_bad(self, running: RunningLoss, loss: float, gradient_norm: float) -> bool:
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            return True
        spread = max(self.width * math.sqrt(running.variance), 0.5)
        return running.seen >= self.patience and loss > running.mean + spread


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Return the learning rate of a step: a linear warm-up, then half a cosine down to the final rate."""
    warmup = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    progress = min(step / config.steps, 1.0)
    span = config.learning_rate - config.final_learning_rate
    return warmup * (config.final_learning_rate + span * 0.5 * (1 + math.cos(math.pi * progress)))


def build_optimiser(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """Return AdamW over all parameters; matrices decay, vectors (biases, scales) do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return MemoryOrderAdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)


class MemoryOrderAdamW(torch.optim.AdamW):
    """AdamW whose fused kernel sees every tensor in the order of its memory.

    It would copy parameters whose dimensions are permuted (the coupling networks' convolutions) there and back in each
    step; each element's update does not depend on the order.
    """

    def _init_group(self, group: dict[str, Any], *tensors: Any) -> bool:
        """Collect a group's parameters, gradients and moments, all of them as views in one order."""
        result: bool = super()._init_group(group, *tensors)  # type: ignore[no-untyped-call]
        parameters, *others = tensors[:4]
        for index, parameter in enumerate(parameters):
            together = [parameter, *(some[index] for some in others)]
            if parameter.is_contiguous() or len({tensor.stride() for tensor in together}) > 1:
                continue
            order = sorted(range(parameter.dim()), key=parameter.stride, reverse=True)
            for some in tensors[:4]:
                some[index] = some[index].permute(order)
        return result


class MovingAverage:
    """An exponential moving average of a model's parameters; its decay grows from 0.1 to the final value.

    Args:
        model: the model; parameters only are averaged, buffers are taken as they are.
        decay: the final decay; 0 makes the average the weights themselves.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards the weights after a step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        parameters = [parameter.detach() for parameter in model.parameters()]
        torch._foreach_lerp_(list(self.shadow.values()), parameters, 1 - decay)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange the model's weights and the average; calling it again changes them back."""
        for name, parameter in model.named_parameters():
            held = parameter.detach().clone()
            parameter.copy_(self.shadow[name])
            self.shadow[name].copy_(held)


def gradient_norm(model: nn.Module) -> Tensor:
    """Return the norm of all gradients, a scalar."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    result: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return result


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Return whether networks are computed in bfloat16 on a device; `auto`: where that is what it is fast in."""
    if precision == "auto":
        if device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return device.type == "cpu" and processor().has_bf16
    return precision == "bfloat16"


@torch.no_grad()
def scale_gradients(model: nn.Module, factor: float) -> None:
    """Multiply all gradients by a factor."""
    torch._foreach_mul_([parameter.grad for parameter in model.parameters() if parameter.grad is not None], factor)


class Trainer:
    """Trains a task.

    Args:
        task: model, data and objective.
        config: how to train.
        run: where the run lies.
        log: where figures go; a silent one on processes other than the main one.
        processes: this process's place among others.
        provenance: what to write into every checkpoint about its origin.
    """

    def __init__(
        self,
        task: Task,
        config: TrainingConfig,
        run: RunFolder,
        log: RunLog,
        processes: Processes | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        self.task, self.config, self.run, self.log = task, config, run, log
        self.processes = processes or Processes()
        self.provenance = provenance or {}
        self.device = next(task.model.parameters()).device
        self._bfloat16 = uses_bfloat16(config.precision, self.device)
        self.optimiser = build_optimiser(task.model, config)
        self.average = MovingAverage(task.model, config.ema_decay)
        self.guard = Guard()
        self.step = 0
        self.best: dict[str, float] = {}
        self._stop = False
        self._noted: dict[str, list[float]] = defaultdict(list)
        self._seconds = 0.0

    def initialise(self) -> None:
        """Set what depends on data from the first batch, alike in all processes. Only for weights not loaded."""
        with torch.no_grad():
            self.task.model.train()
            self.task.initialise(self.task.batch(0))
        self.processes.broadcast(self.task.model)
        self.average = MovingAverage(self.task.model, self.config.ema_decay)

    def resume(self) -> None:
        """Go on from the run's last checkpoint, bit for bit.

        Raises:
            CheckpointError: the checkpoint is damaged or of another model.
        """
        self._restore(self.run.load())

    def train(self) -> int:
        """Train until the last step, SIGTERM, Ctrl-C, or the time limit; return the number of steps done.

        Both signals are heeded once: the checkpoint that the first one asks for is written whatever comes.
        """
        handlers = {number: signal.signal(number, self._request_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        progress = Progress(self.step, self.config.steps, self.config.max_minutes)
        try:
            while self.step < self.config.steps and not self._should_stop(progress):
                self._one_step(progress)
            if not self.run.checkpoint(self.step).exists():
                if self.processes.is_main and self._stop:
                    print(f"stopping after step {self.step}: its checkpoint is written", file=sys.stderr, flush=True)
                self._validate()
                self._save()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return self.step

    def gradients(self, index: int) -> tuple[float, dict[str, float], str]:
        """Compute the averaged gradients of the step `index`; return loss, metrics and objective."""
        self.task.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        metrics: dict[str, float] = defaultdict(float)
        for part in range(self.config.accumulate):
            batch = self.task.batch(index * self.config.accumulate + part)
            generator = self._generator(index, part)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16, cache_enabled=False):
                result = self.task.loss(batch, index, generator)
            (result.loss / self.config.accumulate).backward()
            total += result.loss.item() / self.config.accumulate
            self._seconds += self.task.seconds_of_audio(batch) * self.processes.count
            for name, value in result.metrics.items():
                metrics[name] += float(value) / self.config.accumulate
        gradients = [parameter.grad for parameter in self.task.model.parameters() if parameter.grad is not None]
        self.processes.average(gradients)
        return total, dict(metrics), result.objective

    def _one_step(self, progress: Progress) -> None:
        loss, metrics, objective = self.gradients(self.step)
        norm = float(gradient_norm(self.task.model))
        shared = torch.tensor(loss, dtype=torch.float64)
        self.processes.average([shared])
        verdict = self.guard.judge(objective, float(shared), norm)
        if verdict is Verdict.ACCEPT:
            self._update(norm)
            self._note({"loss": loss, "gradient_norm": norm, **metrics})
        else:
            items = self.task.describe(self.task.batch(self.step * self.config.accumulate))
            self.log.event(self.step, f"left out a bad batch (loss {loss:.3f}, gradient {norm:.3g}): {items}")
        progress.add(self._seconds)
        self._seconds = 0.0
        self.step += 1
        if verdict is Verdict.ROLL_BACK and not self.run.is_new:
            factor = self.guard.rate_factor
            self._restore(self.run.load())
            self.guard.rate_factor = factor
            self.log.event(self.step, f"went back to this step; the learning rate is now {factor:g} of what it was")
        self._report(progress)

    def _update(self, norm: float) -> None:
        if 0 < self.config.max_gradient_norm < norm:
            scale_gradients(self.task.model, self.config.max_gradient_norm / norm)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.step) * self.guard.rate_factor
        self.optimiser.step()
        self.average.update(self.task.model, self.step)

    def _report(self, progress: Progress) -> None:
        if self.step % self.config.log_every == 0 and self._noted:
            means = {name: sum(values) / len(values) for name, values in self._noted.items()}
            means |= {"learning_rate": self.optimiser.param_groups[0]["lr"], "audio_per_second": progress.rate()}
            self.log.figures(self.step, "train", means)
            self._noted.clear()
            if self.processes.is_main:
                shown = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
                left = progress.remaining(self.step - 1)
                print(f"step {self.step}/{self.config.steps}  {shown}  remaining {left}", flush=True)
                progress.silent_for(0.0)
        elif self._noted and self.processes.is_main and progress.silent_for(_SILENCE):
            loss, left = self._noted["loss"][-1], progress.remaining(self.step - 1)
            print(f"step {self.step}/{self.config.steps}  loss {loss:.4g}  remaining {left}", flush=True)
        if self.step % self.config.validate_every == 0 or self.step == self.config.steps:
            self._validate()
        if self.step == self.config.steps or (
            self.step % self.config.checkpoint_every == 0 and not self.guard.in_doubt
        ):
            self._save()

    def _validate(self) -> None:
        if self.processes.is_main:
            self.average.swap(self.task.model)
            self.task.model.eval()
            with torch.no_grad():
                figures = self.task.validate(self.step, self.log)
            self.average.swap(self.task.model)
            self.log.figures(self.step, "validation", figures)
            shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            print(f"step {self.step}  validation  {shown}", flush=True)
            name = self.task.score_name(self.step)
            if figures[name] < self.best.get(name, math.inf) and not self.guard.in_doubt:
                self.best = {name: figures[name]}
                self._save()
                self.run.point("best", self.step)
        self.processes.wait()

    def _save(self) -> None:
        if not self.processes.is_main:
            return
        tensors = model_tensors(self.task.model) | optimiser_tensors(self.task.model, self.optimiser)
        tensors |= average_tensors(self.average.shadow)
        tensors |= {f"{_TASK}{name}": tensor for name, tensor in self.task.state().items()}
        numbers = {"step": self.step, "best": self.best, "guard": asdict(self.guard)}
        self.average.swap(self.task.model)
        self.run.save(
            self.step,
            self.task.model,
            TrainingState(tensors, numbers),
            keep=self.config.keep_checkpoints,
            provenance=self.provenance,
        )
        self.average.swap(self.task.model)

    def _restore(self, state: TrainingState) -> None:
        prefix = "model."
        weights = {name[len(prefix) :]: value for name, value in state.tensors.items() if name.startswith(prefix)}
        try:
            self.task.model.load_state_dict(weights)
            for name, tensor in self.average.shadow.items():
                tensor.copy_(state.tensors[f"average.{name}"])
        except (RuntimeError, KeyError) as error:
            raise CheckpointError(f"the run {self.run.path} belongs to another model: {error}") from error
        restore_optimiser(self.task.model, self.optimiser, state.tensors)
        self.task.restore(
            {name.removeprefix(_TASK): value for name, value in state.tensors.items() if name.startswith(_TASK)}
        )
        self.step, self.best = state.numbers["step"], state.numbers["best"]
        guard = dict(state.numbers["guard"])
        guard.pop("bad", None)  # runs of earlier releases counted bad steps of all objectives together
        losses = {name: RunningLoss(**running) for name, running in guard.pop("losses").items()}
        self.guard = Guard(**guard, losses=losses)

    def _generator(self, index: int, part: int) -> torch.Generator:
        """Seed everything random of a step (dropout through the global generator) from the seed and the step."""
        sequence = np.random.SeedSequence((self.config.seed, index, part, self.processes.rank))
        seed = int(sequence.generate_state(1, np.uint64)[0] >> 1)
        torch.manual_seed(seed)
        return torch.Generator(self.device).manual_seed(seed)

    def _note(self, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._noted[name].append(value)

    def _should_stop(self, progress: Progress) -> bool:
        late = 0 < self.config.max_minutes <= progress.minutes
        return self.processes.any(self._stop or late, self.device)

    def _request_stop(self, *_: object) -> None:
        self._stop = True
