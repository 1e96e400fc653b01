"""Squeeze: consecutive frames become channels, so that a coupling has something to split."""

from torch import Tensor

from glowvox.flows.base import Flow, check_shape


class Squeeze(Flow):
    """`[B, C, T]` to `[B, factor * C, T / factor]`, the frames of a group side by side; a permutation, log-det 0.

    Channel `f * C + c` of group g is channel c of frame `g * factor + f`, as in Glow-TTS; with one channel this is
    WaveGlow's squeeze of samples to groups. T must be a multiple of `factor`. With a mask, a group counts only when
    all of its frames do; the mask passed in is that of the input of `forward` (`squeeze_mask` gives the output's).
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Squeeze `x [B, C, T]` to `[B, factor * C, T / factor]`. See `Flow.forward`."""
        check_shape(self, x, mask)
        batch, channels, frames = x.shape
        if frames % self.factor:
            raise ValueError(f"Squeeze needs a multiple of {self.factor} frames, got {frames} in {list(x.shape)}")
        groups = x.reshape(batch, channels, frames // self.factor, self.factor)
        y = groups.permute(0, 3, 1, 2).reshape(batch, channels * self.factor, frames // self.factor)
        return (y if mask is None else y * self.squeeze_mask(mask)), x.new_zeros(batch)

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Unsqueeze `z [B, factor * C, T / factor]` to `[B, C, T]`; `mask` is `[B, 1, T]`. See `Flow.inverse`."""
        check_shape(self, z, None)
        if z.shape[1] % self.factor:
            raise ValueError(f"Squeeze goes back from a multiple of {self.factor} channels, got {list(z.shape)}")
        if mask is not None:
            z = z * self.squeeze_mask(mask)
        batch, channels, groups = z.shape
        x = z.reshape(batch, self.factor, channels // self.factor, groups).permute(0, 2, 3, 1)
        return x.reshape(batch, channels // self.factor, groups * self.factor), z.new_zeros(batch)

    def squeeze_mask(self, mask: Tensor) -> Tensor:
        """Return the mask `[B, 1, T / factor]` of the groups, given that of the frames."""
        return mask[:, :, self.factor - 1 :: self.factor]
