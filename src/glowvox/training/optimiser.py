"""AdamW with linear warm-up and cosine decay, gradient clipping, and an exponential moving average of the weights."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from glowvox.config.training import TrainingConfig


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
        result: bool = super()._init_group(group, *tensors)
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
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))


@torch.no_grad()
def scale_gradients(model: nn.Module, factor: float) -> None:
    """Multiply all gradients by a factor."""
    torch._foreach_mul_([parameter.grad for parameter in model.parameters() if parameter.grad is not None], factor)
