"""Noise that depends on the seed and the absolute position only."""

import numpy as np
import torch
from torch import Tensor


def position_noise(seed: int, channels: int, frames: int) -> Tensor:
    """Return standard normal noise `[1, C, T]`, float32.

    Frame t is the t-th row of `channels` numbers that the generator gives, so a longer sentence begins with the same
    noise as a shorter one, and every item of a batch, and every engine that draws it so, has the same.
    """
    rows = np.random.Generator(np.random.Philox(seed)).standard_normal((frames, channels), np.float32)
    return torch.from_numpy(rows).t().unsqueeze(0)
