"""Where in a recording a flow finds the samples likely: its log-likelihood, taken apart over time, exactly.

Every term of the log-likelihood belongs to a position in time: the base density of the latent, the log scales of the
couplings and of the conditional scale. What is left of the log-determinant (1x1 convolutions, ActNorm, the transform)
is the same at every position.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from glowvox.models.waveglow import WaveGlow


@dataclass(frozen=True)
class LocalLikelihood:
    """A recording's latent and the log-likelihood of each position; `G` samples belong to a position."""

    latent: NDArray[np.float32]
    """`[G, S / G]`."""
    nats: NDArray[np.float64]
    """Log-likelihood of each position, `[S / G]`; the sum is that of the recording."""


def local_likelihood(model: "WaveGlow", samples: NDArray[np.float32], mel: NDArray[np.float32]) -> LocalLikelihood:
    """Return latent and local log-likelihood under the base density N(0, 1).

    Args:
        model: the flow.
        samples: `[S]`, S = T * hop length.
        mel: `[M, T]` with the model's mel contract.

    Raises:
        MelError, AudioError: shapes do not fit the model.
    """
    import torch

    from glowvox.flows.coupling import AffineCoupling
    from glowvox.flows.scale import ConditionalScale

    terms: list[Tensor] = []

    def coupling_term(flow: "nn.Module", inputs: tuple[Any, ...]) -> None:
        assert isinstance(flow, AffineCoupling)
        x, mask, condition = inputs
        kept = x[:, : x.shape[1] - x.shape[1] // 2]
        terms.append(flow.shift_and_log_scale(kept, mask, condition)[1].sum(1))

    def scale_term(flow: "nn.Module", inputs: tuple[Any, ...]) -> None:
        assert isinstance(flow, ConditionalScale)
        terms.append(-flow.network(inputs[2]).sum(1))

    hooks = [
        *(m.register_forward_pre_hook(coupling_term) for m in model.modules() if isinstance(m, AffineCoupling)),
        *(m.register_forward_pre_hook(scale_term) for m in model.modules() if isinstance(m, ConditionalScale)),
    ]
    try:
        parameter = next(model.parameters())
        with torch.inference_mode():
            output = model(torch.from_numpy(samples[None]).to(parameter), torch.from_numpy(mel[None]).to(parameter))
    finally:
        for hook in hooks:
            hook.remove()
    latent = output.latent[0].double().cpu().numpy()
    local = np.zeros(latent.shape[1])
    for term in terms:
        local += term[0].double().cpu().numpy()
    local += (float(output.log_det[0]) - local.sum()) / local.size
    local -= np.sum(0.5 * latent**2 + 0.5 * np.log(2.0 * np.pi), axis=0)
    return LocalLikelihood(latent=latent.astype(np.float32), nats=local)
