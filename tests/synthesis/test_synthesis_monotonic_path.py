"""The search in little memory finds the path of the plain one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.align import monotonic_alignment_search
from glowvox.errors import AudioError
from glowvox.synthesis.aligner import most_likely_frames, path_nats


def made_up(n_tokens, n_frames, seed, *, even):
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal((3, n_tokens)).astype(np.float32)
    log_std = np.zeros((3, n_tokens), np.float32) if even else rng.normal(0, 0.3, (3, n_tokens)).astype(np.float32)
    return rng.standard_normal((3, n_frames)).astype(np.float32), mean, log_std


@given(st.integers(1, 20), st.integers(0, 300), st.integers(0, 1000), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_path_is_the_most_likely_one(n_tokens, more, seed, even):
    latent, mean, log_std = made_up(n_tokens, n_tokens + more, seed, even=even)
    frames = most_likely_frames(latent, mean, log_std)
    assert frames.sum() == latent.shape[1] and frames.min() >= 1
    distance = (latent[:, None] - mean[:, :, None]).astype(np.float64) * np.exp(-log_std.astype(np.float64))[:, :, None]
    scores = -(0.5 * distance**2 + log_std[:, :, None]).sum(0)
    found = monotonic_alignment_search(
        torch.from_numpy(scores)[None], torch.tensor([n_tokens]), torch.tensor([latent.shape[1]])
    )[0]
    # Rounding may choose another path where two are as likely.
    best = float((found.numpy() * scores).sum())
    own = float(scores[np.repeat(np.arange(n_tokens), frames), np.arange(latent.shape[1])].sum())
    assert own == pytest.approx(best, abs=1e-4 * latent.shape[1])
    nats = path_nats(latent, mean, log_std, frames)
    assert nats.sum() == pytest.approx(own - 0.5 * 3 * latent.shape[1] * np.log(2 * np.pi))


def test_what_cannot_be_laid_is_refused():
    latent, mean, log_std = made_up(5, 4, 0, even=True)
    with pytest.raises(AudioError, match="4 mel frames cannot cover 5 tokens"):
        most_likely_frames(latent, mean, log_std)
    wide = np.zeros((1, 200_000), np.float32)
    with pytest.raises(AudioError, match="too many to be aligned at once"):
        most_likely_frames(wide, wide[:, :100_000], wide[:, :100_000])
