"""A stored bias comes back as it was, or the reader says why not."""

import numpy as np
import pytest
import safetensors.numpy

from glowvox.audio.denoiser import BiasDenoiser, read_bias, write_bias
from glowvox.errors import AudioError


def test_round_trip(tmp_path):
    denoiser = BiasDenoiser(np.random.default_rng(0).standard_normal(600), n_fft=512, hop_length=64)
    write_bias(tmp_path / "a.safetensors", denoiser, 24000, strength=0.3)
    back, rate, strength = read_bias(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(back.spectrum, denoiser.spectrum)
    assert (back.n_fft, back.hop_length, rate, strength) == (512, 64, 24000, 0.3)


def test_refusals(tmp_path):
    denoiser = BiasDenoiser(np.zeros(600), n_fft=512, hop_length=64)
    with pytest.raises(AudioError, match="ends in"):
        write_bias(tmp_path / "a.npy", denoiser, 24000, strength=1.0)
    path = tmp_path / "a.safetensors"
    with pytest.raises(AudioError, match="no file"):
        read_bias(path)
    good = {"sample_rate": "24000", "n_fft": "512", "hop_length": "64", "strength": "1.0"}
    for tensors, facts, message in [
        ({"bias": denoiser.spectrum}, {}, "not a stored bias"),
        ({"other": denoiser.spectrum}, good, "not a stored bias"),
        ({"bias": denoiser.spectrum[:-1]}, good, r"\[257, 1\]"),
        ({"bias": denoiser.spectrum[:, 0]}, good, r"\[257\]"),
        ({"bias": denoiser.spectrum - 1}, good, "negative"),
        ({"bias": denoiser.spectrum * np.nan}, good, "NaN"),
        ({"bias": denoiser.spectrum}, {**good, "hop_length": "x"}, "not a stored bias"),
        ({"bias": denoiser.spectrum}, {**good, "sample_rate": "1"}, "sample rate"),
    ]:
        path.write_bytes(safetensors.numpy.save(tensors, metadata=facts))
        with pytest.raises(AudioError, match=message):
            read_bias(path)
    path.write_bytes(b"nothing at all")
    with pytest.raises(AudioError, match="damaged"):
        read_bias(path)
