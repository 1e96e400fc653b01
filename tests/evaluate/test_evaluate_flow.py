"""Flows in an evaluation: sampling, likelihood, its parts over time, and the pictures."""

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

from glowvox.audio.mel import MelTransform
from glowvox.audio.sound import TimedWord
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import DataError
from glowvox.evaluate.plots import Drawing, LocalLikelihood, bits_per_second, local_likelihood, save_drawing
from glowvox.evaluate.vocoder import flow_likelihood, flow_vocoder
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.options import VocoderOptions

_SMALL = {"n_channels": 8, "n_skip_channels": 8, "n_layers": 2}
CONFIGS = {
    "squeeze": WaveGlowConfig(n_flows=5, n_early_every=2, **_SMALL),
    "lapped": WaveGlowConfig(
        transform="lapped", n_group=256, n_flows=2, n_early_every=0, conditioning="mel-rate", mel_scale=True, **_SMALL
    ),
    "glow": WaveGlowConfig(n_group=16, n_flows=2, conditioning="mel-rate", actnorm=True, max_log_scale=1.5, **_SMALL),
}


@pytest.fixture(scope="module", params=list(CONFIGS))
def model(request: pytest.FixtureRequest) -> WaveGlow:
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        flow = WaveGlow(CONFIGS[request.param]).eval()
    with torch.no_grad():
        for parameter in flow.parameters():
            # Zero-initialised ends would leave nothing to tell apart.
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
        if CONFIGS[request.param].actnorm:
            flow(torch.randn(2, 2560, generator=generator), torch.randn(2, 80, 10, generator=generator))
    return flow


@pytest.fixture(scope="module")
def recording() -> tuple[np.ndarray, np.ndarray]:
    time = np.arange(20 * 256) / 22050
    samples = (0.2 * np.sin(2 * np.pi * 200 * time) * (time > 0.1)).astype(np.float32)
    samples += 1e-3 * np.random.default_rng(0).standard_normal(samples.size).astype(np.float32)
    return samples, MelTransform(AudioConfig())(samples)[:, :20].copy()


def test_local_terms_add_up_to_the_likelihood(model: WaveGlow, recording: tuple) -> None:
    local = local_likelihood(model, *recording)
    group = model.config.n_group
    assert local.latent.shape == (group, 20 * 256 // group)
    assert local.nats.shape == (20 * 256 // group,)
    assert local.nats.sum() == pytest.approx(flow_likelihood(model)(*recording), rel=1e-5)


def test_local_terms_of_independent_positions_are_their_own_likelihoods() -> None:
    """Without any context in the networks the parts must be the likelihoods of the pieces."""
    config = WaveGlowConfig(n_flows=2, kernel_size=1, conditioning="mel-rate", **_SMALL)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        flow = WaveGlow(config).double().eval()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    noise = np.random.default_rng(3)
    samples, mel = noise.standard_normal(4 * 256), noise.standard_normal((80, 4))
    local = local_likelihood(flow, samples, mel).nats.reshape(4, -1).sum(1)
    pieces = [
        flow_likelihood(flow)(samples[256 * t : 256 * (t + 1)].copy(), mel[:, t : t + 1].copy()) for t in range(4)
    ]
    np.testing.assert_allclose(local, pieces, rtol=1e-9)


def test_no_hook_is_left_behind(model: WaveGlow, recording: tuple) -> None:
    local_likelihood(model, *recording)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_sampling_depends_on_seed_and_sigma_only(model: WaveGlow, recording: tuple) -> None:
    _, mel = recording
    one, other = VocoderOptions(0.6, 0.0, seed=1), VocoderOptions(0.6, 0.0, seed=2)
    first = flow_vocoder(model, one)(mel)
    assert first.shape == (20 * 256,) and first.dtype == np.float32
    np.testing.assert_array_equal(first, flow_vocoder(model, one)(mel))
    assert np.abs(first - flow_vocoder(model, other)(mel)).max() > 0
    np.testing.assert_array_equal(
        flow_vocoder(model, replace(one, sigma=0.0))(mel), flow_vocoder(model, replace(other, sigma=0.0))(mel)
    )


def test_bits_per_second_of_a_uniform_density() -> None:
    """log p = -log 2 for every sample is the uniform density over [-1, 1): 16 bits a sample, everywhere."""
    likelihood = LocalLikelihood(np.zeros((8, 1000), np.float32), np.full(1000, -8 * np.log(2.0)))
    times, bits = bits_per_second(likelihood, 22050)
    np.testing.assert_allclose(bits, 16 * 22050)
    assert np.all(np.diff(times) > 0) and times[-1] < 8000 / 22050


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_drawing_of_everything(recording: tuple, tmp_path: Path, suffix: str) -> None:
    samples, mel = recording
    path = tmp_path / f"picture{suffix}"
    noise = np.random.default_rng(0).standard_normal((8, 640)).astype(np.float32)
    save_drawing(Drawing("a clip", AudioConfig(), mel, samples, LocalLikelihood(noise, noise.sum(0))), path)
    assert path.stat().st_size > 5000
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_parts_that_are_missing_are_left_out(recording: tuple, tmp_path: Path) -> None:
    samples, mel = recording
    heights = []
    for drawing in (Drawing("mel", AudioConfig(), mel), Drawing("both", AudioConfig(), mel, samples)):
        save_drawing(drawing, tmp_path / "picture.png")
        heights.append(matplotlib.image.imread(tmp_path / "picture.png").shape[0])
    assert heights[0] < heights[1]


def test_words_stand_in_a_row_of_their_own(recording: tuple, tmp_path: Path) -> None:
    samples, mel = recording
    words = (TimedWord("one", 0.02, 0.1), TimedWord("<&$two$", 0.1, 0.2))
    plain, worded = (Drawing("both", AudioConfig(), mel, samples, words=given) for given in ((), words))
    save_drawing(plain, tmp_path / "plain.svg")
    save_drawing(worded, tmp_path / "worded.svg")
    assert len((tmp_path / "worded.svg").read_text()) > len((tmp_path / "plain.svg").read_text())
    for dpi in (50, 100):
        save_drawing(worded, tmp_path / f"{dpi}.png", dpi=dpi)
    small, large = (matplotlib.image.imread(tmp_path / f"{dpi}.png").shape for dpi in (50, 100))
    assert large[1] == 2 * small[1] == 1100


def test_silence_can_be_drawn(tmp_path: Path) -> None:
    silence = np.zeros(2560, np.float32)
    save_drawing(Drawing("silence", AudioConfig(), np.full((80, 10), -11.5, np.float32), silence), tmp_path / "s.png")
    assert (tmp_path / "s.png").is_file()


def test_unknown_formats_are_refused_and_write_nothing(recording: tuple, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ends in"):
        save_drawing(Drawing("a", AudioConfig(), recording[1]), tmp_path / "picture.bmp")
    assert not list(tmp_path.iterdir())
