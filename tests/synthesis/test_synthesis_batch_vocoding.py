"""Batches of windows and growing chunks give the samples of the whole, for every family of vocoders."""

import numpy as np
import pytest
from random_vocoders import CONFIGURATIONS

from glowvox.errors import MelError
from glowvox.synthesis import batch as batch_vocoding
from glowvox.synthesis.batch import vocode_batch
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder

NAMES = ("lapped-small", "lapped-two-groups", "no-dilation")


def _mels(*lengths):
    rng = np.random.default_rng(0)
    return [rng.normal(-5.0, 1.0, (80, length)).astype(np.float32) for length in lengths]


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_each_alone(name, engine_of, monkeypatch):
    monkeypatch.setattr(batch_vocoding, "_SHORTEST_WINDOW", 24)
    vocoder = Vocoder(engine_of(name))
    window = max(24, 6 * vocoder.engine.receptive_field)
    mels = _mels(1, 5, window, window + 1, 2 * window + 7, 5)
    options = [VocoderOptions(seed=seed, denoise=0.01 * (seed % 2)) for seed in range(len(mels))]
    for mel, wished, samples in zip(mels, options, vocode_batch(vocoder, mels, options), strict=True):
        alone = vocoder(mel, wished)
        assert samples.shape == alone.shape
        np.testing.assert_allclose(samples, alone, rtol=0, atol=1e-5 * max(1.0, np.abs(alone).max()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", [1, 5])
def test_growing_chunks_are_the_whole(name, first, engine_of):
    vocoder = Vocoder(engine_of(name))
    [mel] = _mels(4 * vocoder.engine.receptive_field + 120)
    options = VocoderOptions(denoise=0.0, refine=0)
    stream = vocoder.stream(options, first_chunk=first)
    pieces = [stream.push(mel[:, place : place + first]) for place in range(0, mel.shape[1], first)]
    sizes = [len(piece) // vocoder.engine.audio.hop_length for piece in pieces if len(piece)]
    assert sizes[:3] == [first, 4 * first, 16 * first]
    samples, whole = np.concatenate([*pieces, stream.finish()]), vocoder(mel, options)
    np.testing.assert_allclose(samples, whole, rtol=0, atol=1e-5 * max(1.0, np.abs(whole).max()))


def test_equal_windows_go_together(engine_of, monkeypatch):
    vocoder = Vocoder(engine_of(NAMES[0]))
    sizes = []
    run = vocoder.engine.run
    monkeypatch.setattr(vocoder.engine, "run", lambda latent, mel: sizes.append(len(mel)) or run(latent, mel))
    vocode_batch(vocoder, _mels(*[40] * 6), [VocoderOptions(denoise=0.0)] * 6)
    assert sizes == [6]


def test_mels_that_do_not_fit_are_refused(engine_of):
    assert NAMES[0] in CONFIGURATIONS
    with pytest.raises(MelError, match="7 bins"):
        vocode_batch(Vocoder(engine_of(NAMES[0])), [np.zeros((7, 3), np.float32)], [VocoderOptions()])
    assert vocode_batch(Vocoder(engine_of(NAMES[0])), [], []) == []
