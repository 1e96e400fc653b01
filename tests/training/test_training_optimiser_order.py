"""The optimiser's order of memory changes no bit of a step."""

import torch
from torch import nn

from glowvox.training.loop import MemoryOrderAdamW


def test_steps_are_those_of_adamw_bit_for_bit() -> None:
    shapes = [(5, 48, 24), (3, 16, 7), (2, 3, 4)]
    found = []
    for kind in (torch.optim.AdamW, MemoryOrderAdamW):
        generator = torch.Generator().manual_seed(0)
        parameters = [nn.Parameter(torch.randn(shape, generator=generator).permute(1, 2, 0)) for shape in shapes]
        parameters.append(nn.Parameter(torch.randn(7, 3, generator=generator)))
        optimiser = kind(parameters, lr=0.01, weight_decay=0.1, fused=True)
        for step in range(4):
            for parameter in parameters:
                drawn = torch.randn(parameter.shape, generator=generator)
                # gradients come in the parameter's layout, or, in the last step, in another
                parameter.grad = torch.empty_like(parameter).copy_(drawn) if step < 3 else drawn
            optimiser.step()
        moments = [optimiser.state[parameter]["exp_avg_sq"] for parameter in parameters]
        found.append([parameter.detach() for parameter in parameters] + moments)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))
