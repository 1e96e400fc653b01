"""Normalizing flows: invertible layers with exact log-determinants; nothing here knows about speech.

Each layer has `forward` (data to latent) and `inverse` (latent to data); both return the value and its log-determinant
`[B]`. Values are `[B, C]` or `[B, C, T]`. `examples/two_moons.py` fits a density with them.
"""

from glowvox.flows.affine import ActNorm, ConditionalScale
from glowvox.flows.base import Chain, Flow, Invert, diagonal_log_likelihood, gaussian_log_likelihood
from glowvox.flows.coupling import AffineCoupling, CouplingNetwork
from glowvox.flows.invertible_conv import GroupedInvertibleConv, InvertibleConv, LUInvertibleConv
from glowvox.flows.lapped import Lapped
from glowvox.flows.multiscale import EarlyOutputs
from glowvox.flows.squeeze import Squeeze

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "Chain",
    "ConditionalScale",
    "CouplingNetwork",
    "EarlyOutputs",
    "Flow",
    "GroupedInvertibleConv",
    "Invert",
    "InvertibleConv",
    "LUInvertibleConv",
    "Lapped",
    "Squeeze",
    "diagonal_log_likelihood",
    "gaussian_log_likelihood",
]
