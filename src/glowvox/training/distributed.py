"""Processes that train together: started by `torchrun`, with averaged gradients.

Gradients are averaged by hand rather than by `DistributedDataParallel`: the second stage of the vocoder calls the model
twice in one step, forwards and backwards through the flow, which that wrapper does not allow for.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from glowvox.errors import TrainingError


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together."""

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
