"""The PyTorch engine gives what the model gives, and says clearly what it cannot do."""

import numpy as np
import pytest
import torch

from glowvox.checkpoint.model_folder import save_model
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import CheckpointError, EngineError, MelError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

CONFIG = WaveGlowConfig(n_group=16, n_flows=5, n_channels=8, n_skip_channels=8, n_layers=2)


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = WaveGlow(CONFIG)
        with torch.no_grad():
            for step in model.steps:
                step.coupling.network.end.weight.normal_(0.0, 0.05)
    return model


@pytest.fixture
def window():
    generator = np.random.default_rng(0)
    latent = generator.standard_normal((2, 16, 7 * 16), np.float32)
    return latent, generator.normal(-5, 2, (2, 80, 7)).astype(np.float32)


def test_gives_what_the_model_gives(model, window):
    engine = TorchVocoder(model)
    samples = engine.run(*window)
    assert samples.dtype == np.float32
    assert samples.shape == (2, 7 * 256)
    with torch.inference_mode():
        wanted = model.inverse(*map(torch.from_numpy, window)).numpy()
    np.testing.assert_array_equal(samples, wanted)
    facts = (engine.audio, engine.n_group, engine.groups_per_frame, engine.receptive_field)
    assert facts == (CONFIG.audio, 16, 16, model.receptive_field)


def test_takes_arrays_in_any_layout(model, window):
    latent, mel = (np.asfortranarray(array) for array in window)
    np.testing.assert_array_equal(TorchVocoder(model).run(latent, mel), TorchVocoder(model).run(*window))


def test_half_precision_is_near(model, window):
    wanted = TorchVocoder(model).run(*window)
    found = TorchVocoder(model, dtype="bfloat16").run(*window)
    error = np.abs(found - wanted).max()
    assert 0 < error < 0.05 * np.abs(wanted).max()


def test_half_precision_that_overflows_is_computed_again(model, window, monkeypatch):
    engine = TorchVocoder(model, dtype="float16")
    inverse = model.inverse

    def overflowing(latent, mel, **how):
        audio = inverse(latent, mel, **how)
        return audio * torch.inf if torch.is_autocast_enabled("cpu") else audio

    monkeypatch.setattr(model, "inverse", overflowing)
    with pytest.warns(RuntimeWarning, match="float16 gave samples that are not finite.*again in float32"):
        found = engine.run(*window)
    np.testing.assert_array_equal(found, TorchVocoder(model).run(*window))


def test_samples_are_never_nan(model, window):
    latent, mel = window
    with pytest.raises(EngineError, match=r"not finite for mel values from .* to 1234;"):
        TorchVocoder(model).run(np.full_like(latent, np.inf), np.full_like(mel, 1234.0))


@pytest.mark.parametrize(
    ("latent", "mel", "message"),
    [
        ((1, 16, 112), (1, 79, 7), r"expected a mel \[B, 80, T\]"),
        ((1, 16, 0), (1, 80, 0), "at least one frame"),
        ((0, 16, 112), (0, 80, 7), "expected a mel"),
        ((16, 112), (80, 7), "expected a mel"),
        ((1, 16, 111), (1, 80, 7), r"needs a latent \[1, 16, 112\], got \[1, 16, 111\]"),
        ((2, 16, 112), (1, 80, 7), "needs a latent"),
    ],
)
def test_shapes_that_do_not_fit(model, latent, mel, message):
    with pytest.raises(MelError, match=message):
        TorchVocoder(model).run(np.zeros(latent, np.float32), np.zeros(mel, np.float32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads must be a whole number from 1 to 4096, got 0"),
        ({"threads": -3}, "threads must be a whole number from 1 to 4096"),
        ({"device": "toaster"}, "'toaster' is not a device"),
        ({"device": "meta"}, "cannot run on the device 'meta'"),
        ({"device": "cuda:99"}, "no device 'cuda:99'"),
        ({"dtype": "int8"}, "must be one of float32, float64, bfloat16, float16"),
    ],
)
def test_impossible_options(model, options, message):
    with pytest.raises(EngineError, match=message):
        TorchVocoder(model, **options)


def test_threads(model):
    before = torch.get_num_threads()
    try:
        TorchVocoder(model, threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_memory_that_is_not_there(model, window, monkeypatch):
    def failing(latent, mel, **how):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 1 TB")

    monkeypatch.setattr(model, "inverse", failing)
    with pytest.raises(EngineError, match="not enough memory on cpu for a window of 7 mel frames"):
        TorchVocoder(model).run(*window)


def test_a_defect_is_not_taken_for_a_mistake_of_the_user(model, window, monkeypatch):
    def failing(latent, mel, **how):
        raise RuntimeError("sizes do not match")

    monkeypatch.setattr(model, "inverse", failing)
    with pytest.raises(RuntimeError, match="sizes do not match"):
        TorchVocoder(model).run(*window)


def test_loads_a_folder(model, window, tmp_path):
    save_model(model, tmp_path / "vocoder")
    np.testing.assert_array_equal(
        TorchVocoder.load(tmp_path / "vocoder").run(*window), TorchVocoder(model).run(*window)
    )


def test_an_acoustic_model_is_no_vocoder(tmp_path):
    save_model(GlowTTS(GlowTTSConfig(n_symbols=10, n_encoder_layers=1, n_blocks=1)), tmp_path / "acoustic")
    with pytest.raises(CheckpointError, match="holds a GlowTTS, which is no vocoder"):
        TorchVocoder.load(tmp_path / "acoustic")


def test_a_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        TorchVocoder.load(tmp_path / "none")
