"""Segments gathered on a device are those that the sampler reads from memory."""

from pathlib import Path

import torch

from glowvox.cuda.device_segments import DeviceSegments
from glowvox.data.batches import MemoryStore, SegmentSampler
from glowvox.data.prepared import PreparedData


def test_same_segments_as_the_sampler(prepared: Path) -> None:
    clips = PreparedData(prepared).clips("train")
    sampler = SegmentSampler(clips, frames=12, batch_size=4, seed=3, dequantise=False)
    assert isinstance(sampler.store, MemoryStore)
    device = torch.device("cpu")
    segments = DeviceSegments(sampler, sampler.store, device, None)
    noisy = DeviceSegments(sampler, sampler.store, device, 0)
    for step in (0, 5, 2):
        expected = sampler.batch(step)
        samples, mel = segments.batch(step)
        torch.testing.assert_close(samples, torch.from_numpy(expected.samples))
        torch.testing.assert_close(mel, torch.from_numpy(expected.mel))
        dithered = noisy.batch(step)[0]
        assert 0 < (dithered - samples).abs().max() <= 0.5 / 32768 + 1e-9
        torch.testing.assert_close(dithered, noisy.batch(step)[0], rtol=0, atol=0)
