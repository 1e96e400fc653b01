"""Early outputs (WaveGlow, section 2.3; RealNVP's multi-scale architecture): channels leave before the end."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow


class EarlyOutputs(Flow):
    """Stages of flow; after each but the last, the first `sizes[i]` channels leave and the rest goes on.

    The latent holds the early outputs in the order in which they left, then the channels of the last stage.
    """

    def __init__(self, stages: Iterable[Flow], sizes: Iterable[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.sizes = tuple(sizes)
        if len(self.stages) != len(self.sizes) + 1:
            raise ValueError(f"{len(self.stages)} stages need {len(self.stages) - 1} sizes, got {len(self.sizes)}")

    def forward(
        self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Apply the stages to `x [B, C, T]`, letting channels leave in between. See `Flow.forward`."""
        total = x.new_zeros(x.shape[0])
        outputs = []
        for index, stage in enumerate(self.stages):
            x, log_det = stage(x, mask, condition)
            total = total + log_det
            if index < len(self.sizes):
                leaving, x = x.split([self.sizes[index], x.shape[1] - self.sizes[index]], 1)
                outputs.append(leaving)
        return torch.cat([*outputs, x], 1), total

    def inverse(
        self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Undo the stages, joining the channels that left. See `Flow.inverse`."""
        total = z.new_zeros(z.shape[0])
        *outputs, x = z.split([*self.sizes, z.shape[1] - sum(self.sizes)], 1)
        for index in reversed(range(len(self.stages))):
            if index < len(self.sizes):
                x = torch.cat([outputs[index], x], 1)
            x, log_det = self.stages[index].inverse(x, mask, condition)  # type: ignore[operator]
            total = total + log_det
        return x, total
