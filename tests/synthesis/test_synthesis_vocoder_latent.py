"""The latent of a mel: the same in pieces and in one, with and without a harmonic source, on every way of speaking."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from glowvox.config.waveglow import WaveGlowConfig  # noqa: E402
from glowvox.engines.torch_engine import TorchVocoder  # noqa: E402
from glowvox.models.waveglow import WaveGlow  # noqa: E402
from glowvox.synthesis.batch import vocode_batch  # noqa: E402
from glowvox.synthesis.options import VocoderOptions  # noqa: E402
from glowvox.synthesis.vocoder import (  # noqa: E402
    LatentStream,
    Vocoder,
    whole_latent,
)

CONFIG = WaveGlowConfig(
    transform="lapped",
    n_group=256,
    n_flows=2,
    n_early_every=0,
    n_channels=16,
    n_skip_channels=16,
    n_layers=2,
    conditioning="mel-rate",
    encoder_channels=16,
    mel_mean=-5.0,
    mel_std=2.0,
    mel_scale=True,
    harmonic=True,
    refine=2,
)


@pytest.fixture(scope="module")
def vocoder() -> Vocoder:
    torch.manual_seed(0)
    model = WaveGlow(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return Vocoder(TorchVocoder(model))


def _mel(frames: int) -> np.ndarray:
    random = np.random.default_rng(frames)
    return (-5 + 2 * random.standard_normal((80, frames))).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 5, 9, 120])
def test_the_latent_is_the_same_in_pieces(vocoder: Vocoder, frames: int) -> None:
    mel, random, options = _mel(frames), np.random.default_rng(1), VocoderOptions(seed=3)
    stream, pieces, place = LatentStream(vocoder.engine, options), [], 0
    while place < frames:
        end = min(frames, place + int(random.integers(1, 30)))
        pieces.append(stream.push(mel[:, place:end]))
        place = end
    pieces.append(stream.finish())
    latents, mels = zip(*pieces, strict=True)
    assert np.array_equal(np.concatenate(mels, 1), mel)
    assert np.abs(np.concatenate(latents, 1) - whole_latent(vocoder.engine, options, mel)).max() < 1e-6


@pytest.mark.parametrize("sigma", [0.0, 0.6])
def test_streams_and_batches_are_the_whole(vocoder: Vocoder, sigma: float) -> None:
    mel, options = _mel(90), VocoderOptions(sigma=sigma, seed=5)
    whole = vocoder(mel, options)
    for chunk in (1, 7, 30):
        pieced = vocoder(mel, dataclasses.replace(options, chunk_frames=chunk))
        assert np.abs(pieced - whole).max() < 1e-5
    assert np.abs(vocode_batch(vocoder, [mel, mel[:, :40]], [options, options])[0] - whole).max() < 1e-5


def test_the_source_is_heard_without_noise(vocoder: Vocoder) -> None:
    latent = whole_latent(vocoder.engine, VocoderOptions(sigma=0.0), _mel(40))
    assert np.abs(latent).mean() > 0.01


def test_a_fresh_flow_hands_the_source_on() -> None:
    torch.manual_seed(0)
    model = WaveGlow(CONFIG).double()  # its rotations cancel as far as float32 goes
    mel = torch.from_numpy(_mel(20)[None]).double()
    source = torch.randn(1, 256, 20, dtype=torch.float64)
    spoken = model.inverse(source, mel)
    expected, _ = model.scale.inverse(source, None, (mel - CONFIG.mel_mean) / CONFIG.mel_std)
    torch.testing.assert_close(spoken, model.transform.inverse(expected)[0][:, 0], rtol=1e-4, atol=1e-5)
