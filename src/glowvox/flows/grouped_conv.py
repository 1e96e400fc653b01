"""The grouped invertible 1x1 convolution of Glow-TTS (arXiv 2005.11129, section 3.2 and appendix A.1)."""

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask, frame_counts
from glowvox.flows.invertible_conv import MatrixCache, random_rotation


class GroupedInvertibleConv(Flow):
    """One small matrix `[G, G]` mixes every group of G channels: half from the lower, half from the upper channels.

    Group g takes channels g * G/2 .. (g+1) * G/2 of each half, so that what a coupling kept and what it moved meet.
    The small matrix is spread into the full one for the product: with few channels a single dense product costs less
    than moving the channels into groups and back.
    """

    def __init__(self, channels: int, group: int = 4) -> None:
        super().__init__()
        if group % 2 or channels % group:
            raise ValueError(f"a group of {group} must be even and divide the {channels} channels")
        self.n_groups = channels // group
        self.group = group
        self.weight = nn.Parameter(random_rotation(group))
        self._cache = MatrixCache()

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the groups of `x [B, C, T]`. See `Flow.forward`."""
        return self._mix(self.weight, x, mask), self._log_det() * frame_counts(x, mask)

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the groups back. See `Flow.inverse`."""
        return self._mix(self._cache.inverse(self.weight), z, mask), -self._log_det() * frame_counts(z, mask)

    def _log_det(self) -> Tensor:
        return self._cache.log_det(self.weight) * self.n_groups

    def _mix(self, weight: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # the flow's state keeps its precision
            return apply_mask(torch.matmul(self._full_matrix(weight), x), mask)

    def _full_matrix(self, weight: Tensor) -> Tensor:
        """Return `[C, C]`: at (half h, group g, j), (half k, group g, l) is weight[(h, j), (k, l)], elsewhere 0."""
        half = self.group // 2
        small = weight.reshape(2, half, 2, half)
        same_group = torch.eye(self.n_groups, dtype=weight.dtype, device=weight.device)
        full = torch.einsum("hjkl,gm->hgjkml", small, same_group)
        return full.reshape(self.group * self.n_groups, self.group * self.n_groups)
