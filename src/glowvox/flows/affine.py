"""ActNorm (Glow, arXiv 1807.03039, section 3.1): a scale and a shift per channel, set from the first batch."""

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask, check_shape, either_rank, frame_counts, full_precision


class ActNorm(Flow):
    """y = x * exp(log_scale) + bias, with zero mean and unit variance per channel on the first training batch.

    Whether that has happened is a buffer, so that a loaded layer is never initialised again.
    """

    def __init__(self, channels: int, *, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.log_scale = nn.Parameter(torch.zeros(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))
        self.initialised: Tensor
        self.register_buffer("initialised", torch.zeros((), dtype=torch.bool))
        self._read: tuple[tuple[int, int], bool] | None = None

    def _is_initialised(self) -> bool:
        """Return the flag, read once for each time that it is written or moved: reading waits for the device."""
        if self.initialised.is_inference():  # which has no version
            return bool(self.initialised)
        key = self.initialised.data_ptr(), self.initialised._version
        if self._read is None or self._read[0] != key:
            self._read = key, bool(self.initialised)
        return self._read[1]

    @either_rank
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scale and shift `x [B, C, T]`; the first call in training mode initialises from it. See `Flow.forward`."""
        check_shape(self, x, mask, self.bias.shape[1])
        if self.training and not self._is_initialised():
            self.initialise(x, mask)
        y = apply_mask(x * self.log_scale.exp() + self.bias, mask)
        return y, self.log_scale.sum() * frame_counts(x, mask)

    @either_rank
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Undo the shift and the scale. See `Flow.inverse`."""
        check_shape(self, z, mask, self.bias.shape[1])
        x = apply_mask((z - self.bias) * (-self.log_scale).exp(), mask)
        return x, -self.log_scale.sum() * frame_counts(z, mask)

    @torch.no_grad()
    def initialise(self, x: Tensor, mask: Tensor | None = None) -> None:
        """Set scale and shift so that the unmasked frames of `x [B, C, T]` leave with mean 0 and variance 1."""
        weight = torch.ones_like(x[:, :1]) if mask is None else mask.to(x.dtype)
        count = weight.sum().clamp_min(1.0)
        mean = (x * weight).sum((0, 2), keepdim=True) / count
        variance = ((x - mean).square() * weight).sum((0, 2), keepdim=True) / count
        log_scale = -0.5 * variance.clamp_min(self.epsilon).log()
        self.log_scale.copy_(log_scale)
        self.bias.copy_(-mean * log_scale.exp())
        self.initialised.fill_(value=True)


class ConditionalScale(Flow):
    """y = x * exp(-log_scale(condition)); `network` maps the condition and the mask to `[B, C, T]`.

    So the flow's input arrives with roughly unit variance everywhere. Dividing by a scale s(condition) before the flow
    is the same as a base density with variance s^2; the exact change of variables adds -sum(log s).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @full_precision
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Divide `x [B, C, T]` by the scale. See `Flow.forward`."""
        log_scale = apply_mask(self.network(condition, mask), mask)
        return apply_mask(x * (-log_scale).exp(), mask), -log_scale.sum((1, 2))

    @full_precision
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Multiply by the scale. See `Flow.inverse`."""
        log_scale = apply_mask(self.network(condition, mask), mask)
        return apply_mask(z * log_scale.exp(), mask), log_scale.sum((1, 2))
