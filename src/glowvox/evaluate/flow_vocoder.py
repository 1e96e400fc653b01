"""A flow in the place of a vocoder: what an evaluation calls to hear it, and to ask how likely a recording is."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder

if TYPE_CHECKING:
    from glowvox.models.waveglow import WaveGlow

Vocode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From a mel `[M, T]` to samples `[T * hop length]`."""
Likelihood = Callable[[NDArray[np.float32], NDArray[np.float32]], float]
"""From samples `[S]` and their mel `[M, T]`, S = T * hop length, to the log-likelihood in nats."""


def flow_vocoder(model: "WaveGlow", *, sigma: float = 0.6, seed: int = 0, refine: int | None = None) -> Vocode:
    """Return a function that speaks a mel with noise N(0, sigma^2) drawn from `seed`, the same for every mel.

    The bias denoiser is off. `refine` is the number of passes of mel refinement; None: as many as the model is meant
    for.
    """
    from glowvox.engines.torch_vocoder import TorchVocoder

    vocoder = Vocoder(TorchVocoder(model))
    options = VocoderOptions(sigma=sigma, denoise=0.0, seed=seed, refine=refine)

    def vocode(mel: NDArray[np.float32]) -> NDArray[np.float32]:
        return vocoder(mel, options)

    return vocode


def flow_likelihood(model: "WaveGlow") -> Likelihood:
    """Return a function that gives log p(samples | mel) in nats under the base density N(0, 1)."""
    import torch

    def likelihood(samples: NDArray[np.float32], mel: NDArray[np.float32]) -> float:
        parameter = next(model.parameters())
        with torch.inference_mode():
            audio = torch.from_numpy(samples[None]).to(parameter)
            return float(model.log_likelihood(audio, torch.from_numpy(mel[None]).to(parameter)).item())

    return likelihood


def bits_per_dimension(nats_per_sample: float, bits: int = 16) -> float:
    """Return the bits that an ideal coder needs for a sample of `bits` bits, from the negative log-density in nats.

    A sample in [-1, 1) of 16 bits stands for an interval of 2^-15, whose probability is the density times its width.
    """
    return nats_per_sample / math.log(2.0) + bits - 1
