"""The invertible 1x1 convolution (Glow, arXiv 1807.03039, section 3.2), direct and LU-parametrised.

The log-determinant and the inverse are taken in float32 at least: in half precision the determinant of an innocent
matrix under- or overflows.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask, check_shape, either_rank, frame_counts, full_precision


def random_rotation(channels: int) -> Tensor:
    """Return a random orthonormal matrix `[C, C]` with determinant +1, from the global generator."""
    rotation = torch.linalg.qr(torch.randn(channels, channels))[0]
    rotation[:, 0] *= torch.det(rotation).sign()
    result: Tensor = rotation.contiguous()
    return result


class MatrixCache:
    """What is computed of a weight once, and again whenever the weight has changed, moved or been replaced.

    With gradients enabled nothing is kept: the result is then part of the graph. Besides the time, this spares calls
    with fixed weights the decompositions, which would wait for the device.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int, torch.device, torch.dtype], Tensor]] = {}

    def inverse(self, weight: Tensor) -> Tensor:
        """Return the inverse of `weight [..., C, C]`, in the weight's type."""
        return self._get("inverse", weight, torch.linalg.inv)

    def log_det(self, weight: Tensor) -> Tensor:
        """Return log |det W| of `weight [..., C, C]`."""
        return self._get("log_det", weight, lambda matrix: torch.linalg.slogdet(matrix).logabsdet)

    def _get(self, name: str, weight: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        if torch.is_grad_enabled() and weight.requires_grad:
            return compute(weight)
        key = (weight.data_ptr(), weight._version, weight.device, weight.dtype)
        known = self._known.get(name)
        if known is None or known[0] != key:
            with torch.inference_mode(mode=False):  # made where gradients are not wanted, it must serve where they are
                known = key, compute(weight.detach())
            self._known[name] = known
        return known[1]


class InvertibleConv(Flow):
    """y = W x at every frame, with a full matrix; it starts as a random rotation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(random_rotation(channels))
        self._cache = MatrixCache()

    @either_rank
    @full_precision
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the channels of `x [B, C, T]`. See `Flow.forward`."""
        check_shape(self, x, mask, len(self.weight))
        log_det = self._cache.log_det(self.weight)
        return apply_mask(torch.matmul(self.weight, x), mask), log_det * frame_counts(x, mask)

    @either_rank
    @full_precision
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the channels back. See `Flow.inverse`."""
        check_shape(self, z, mask, len(self.weight))
        log_det = -self._cache.log_det(self.weight)
        return apply_mask(torch.matmul(self._cache.inverse(self.weight), z), mask), log_det * frame_counts(z, mask)


class LUInvertibleConv(Flow):
    """W = P L (U + diag(s)): the log-determinant is sum(log|s|), without a decomposition in each step."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        permutation, lower, upper = torch.linalg.lu(random_rotation(channels))
        diagonal = upper.diagonal()
        self.permutation: Tensor
        self.sign: Tensor
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", diagonal.sign())
        self.log_abs = nn.Parameter(diagonal.abs().log())
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))

    def matrix(self) -> Tensor:
        """Return the matrix W `[C, C]`."""
        identity = torch.eye(len(self.sign), dtype=self.lower.dtype, device=self.lower.device)
        lower = self.lower.tril(-1) + identity
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_abs.exp())
        return self.permutation @ lower @ upper

    @either_rank
    @full_precision
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the channels of `x [B, C, T]`. See `Flow.forward`."""
        check_shape(self, x, mask, len(self.sign))
        return apply_mask(torch.matmul(self.matrix(), x), mask), self.log_abs.sum() * frame_counts(x, mask)

    @either_rank
    @full_precision
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the channels back by two triangular solutions. See `Flow.inverse`."""
        check_shape(self, z, mask, len(self.sign))
        identity = torch.eye(len(self.sign), dtype=self.lower.dtype, device=self.lower.device)
        x = self.permutation.T @ z
        x = torch.linalg.solve_triangular(self.lower.tril(-1) + identity, x, upper=False, unitriangular=True)
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_abs.exp())
        x = torch.linalg.solve_triangular(upper, x, upper=True)
        return apply_mask(x, mask), -self.log_abs.sum() * frame_counts(z, mask)


class GroupedInvertibleConv(Flow):
    """One small matrix `[G, G]` mixes every group of G channels: half from the lower, half from the upper channels.

    Glow-TTS, arXiv 2005.11129, section 3.2 and appendix A.1.

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

    @either_rank
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the groups of `x [B, C, T]`. See `Flow.forward`."""
        check_shape(self, x, mask, self.n_groups * self.group)
        return self._mix(self.weight, x, mask), self._log_det() * frame_counts(x, mask)

    @either_rank
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix the groups back. See `Flow.inverse`."""
        check_shape(self, z, mask, self.n_groups * self.group)
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
