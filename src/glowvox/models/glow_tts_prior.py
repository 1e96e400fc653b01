"""The prior of Glow-TTS: each mel frame's latent is Gaussian under the token it belongs to (section 3, equation 2)."""

import torch
from torch import Tensor

from glowvox.flows.likelihood import LOG_TWO_PI
from glowvox.models.glow_tts_checks import fitted_noise
from glowvox.models.text_encoder import TextStatistics


def frame_log_likelihood(latent: Tensor, text: TextStatistics, *, unit_variance: bool, complete: bool) -> Tensor:
    """Return log N(latent of frame t; mean, std of token l) for every pair, nats.

    Args:
        latent: [B, M, T].
        text: statistics of the tokens.
        unit_variance: whether every `log_std` is zero; two of the four terms then do not depend on the token.
        complete: whether the terms that are the same for all tokens of a frame are added too. The best path does not
            need them, a likelihood does.

    Returns:
        [B, L, T], in float32 at least, laid out in memory as [B, T, L], which the alignment search takes as it is.
    """
    with torch.autocast(latent.device.type, enabled=False):
        frames = latent.transpose(1, 2)
        if unit_variance:
            per_token = -0.5 * text.mean.square().sum(1, keepdim=True)
            matrix = torch.baddbmm(per_token, frames, text.mean)
            if complete:
                matrix = matrix - 0.5 * frames.square().sum(2, keepdim=True)
        else:
            precision = torch.exp(-2.0 * text.log_std)
            per_token = -(text.log_std + 0.5 * text.mean.square() * precision).sum(1, keepdim=True)
            matrix = torch.baddbmm(per_token, frames, text.mean * precision)
            matrix = torch.baddbmm(matrix, -0.5 * frames.square(), precision)
        if complete:
            matrix = matrix - 0.5 * LOG_TWO_PI * latent.shape[1]
        return matrix.transpose(1, 2)


def spread(statistics: Tensor, alignment: Tensor) -> Tensor:
    """Give each frame its token's statistics: `[B, M, L]` and `[B, L, T]` to `[B, M, T]`, without rounding."""
    with torch.autocast(statistics.device.type, enabled=False):
        return statistics @ alignment.to(statistics.dtype)


def drawn_latent(text: TextStatistics, path: Tensor, noise: Tensor, temperature: float, n_frames: int) -> Tensor:
    """Return a latent `[B, M, T]` near the text's mean (section 3, figure 1b).

    Args:
        text: statistics of the tokens.
        path: [B, L, T], which token each frame belongs to.
        noise: [B or 1, M, at least `n_frames`], standard normal.
        temperature: standard deviation of the noise, relative to the prior's.
        n_frames: frames that count.
    """
    latent = spread(text.mean, path)
    if not temperature:
        return latent
    return latent + fitted_noise(noise, latent, n_frames) * temperature * spread(text.log_std, path).exp()
