"""Overlapping frames are added in their order, so that a stream equals the whole to the last bit."""

import numpy as np
import pytest

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.audio.mel import overlap_add


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_frames_added_in_groups_are_the_same_to_the_last_bit(step):
    frames = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    hop, overlap = 16, 48
    whole = overlap_add(frames, hop)
    tail, pieces = np.zeros(overlap, np.float32), []
    for start in range(0, len(frames), step):
        group = frames[start : start + step]
        total = overlap_add(group, hop, tail)
        pieces.append(total[: len(group) * hop])
        tail = total[len(group) * hop :]
    assert np.array_equal(np.concatenate([*pieces, tail]), whole)


@pytest.mark.parametrize("step", [100, 999, 4096])
def test_a_denoised_stream_is_the_whole_to_the_last_bit(step):
    noise = np.random.default_rng(1).normal(0, 0.1, 20_000).astype(np.float32)
    denoiser = BiasDenoiser.from_noise(noise[:8000])
    whole = denoiser.stream(0.5)
    expected = np.concatenate([whole.push(noise), whole.finish()])
    stream = denoiser.stream(0.5)
    pieces = [stream.push(noise[start : start + step]) for start in range(0, len(noise), step)]
    assert np.array_equal(np.concatenate([*pieces, stream.finish()]), expected)
