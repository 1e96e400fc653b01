"""Training segments gathered on the device: on a GPU, copying each batch from the host would hold it up.

The places are those of `SegmentSampler`, so the same segments are seen; only the dequantisation noise is drawn on the
device, from the seed and the step.
"""

import numpy as np
import torch
from torch import Tensor

from glowvox.data.batches import MemoryStore, SegmentSampler


class DeviceSegments:
    """The clips of a sampler, kept on a device.

    Args:
        sampler: chooses the segments; its clips must be in memory.
        store: the sampler's store.
        device: where to keep them.
        seed: of the dequantisation noise; None: no noise.
    """

    def __init__(self, sampler: SegmentSampler, store: MemoryStore, device: torch.device, seed: int | None) -> None:
        self._sampler = sampler
        self._hop = store.hop_length
        self._samples = torch.from_numpy(store.samples).to(device)
        self._mel = torch.from_numpy(store.mel).to(device)
        self._seed = seed
        self._device = device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return samples `[B, n * hop]` and mels `[B, M, n]` of a step."""
        frames = self._sampler.frames
        starts = torch.from_numpy(self._sampler.starts(step)).to(self._device)
        places = starts[:, None] + torch.arange(frames, device=self._device)
        mel = self._mel[:, places].transpose(0, 1).contiguous()
        offsets = torch.arange(frames * self._hop, device=self._device)
        samples = self._samples[starts[:, None] * self._hop + offsets].float()
        if self._seed is not None:
            seed = int(np.random.SeedSequence((self._seed, step)).generate_state(1, np.uint64)[0] >> 1)
            generator = torch.Generator(self._device).manual_seed(seed)
            samples += torch.rand(samples.shape, generator=generator, device=self._device) - 0.5
        return samples / 32768.0, mel
