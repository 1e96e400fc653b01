"""A published checkpoint, converted, speaks through the engine as the original program did."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.checkpoint.convert import convert_checkpoint
from glowvox.checkpoint.model_folder import save_tensors
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.synthesis.vocoder import Vocoder

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("name", ["waveglow_tiny", "waveglow_12flows"])
def test_original_outputs(name, tmp_path):
    converted = convert_checkpoint(GOLDEN / f"{name}.official.pt")
    save_tensors(converted.tensors, converted.card, tmp_path / "model", replace=False)
    engine = TorchVocoder.load(tmp_path / "model")
    vectors = load_file(GOLDEN / f"{name}.vectors.safetensors")
    noises = [vectors[key] for key in sorted(vectors) if key.startswith("infer.noise.")]
    found = engine.run(np.float32(0.6) * np.concatenate(noises[::-1], 1), vectors["mel"])
    wanted = vectors["infer.audio"]
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()

    bias = BiasDenoiser(vectors["denoiser.bias_audio"].reshape(-1)).spectrum
    spectrum = Vocoder(engine).denoiser.spectrum
    assert np.abs(spectrum - bias).max() < 1e-4 * bias.max()
