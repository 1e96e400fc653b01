"""The bias denoiser against its formula, in pieces, and on signals whose answer is known."""

import tracemalloc

import numpy as np
import pytest

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.audio.mel import istft, stft
from glowvox.errors import AudioError


@pytest.fixture
def bias():
    rng = np.random.default_rng(5)
    time = np.arange(4096)
    return (0.01 * np.sin(2 * np.pi * time / 8) + 0.002 * rng.standard_normal(4096)).astype(np.float32)


def formula(samples, bias, strength, n_fft=1024, hop=256):
    """The published operation, on the whole signal in float64."""
    level = np.abs(stft(bias.astype(float), n_fft, hop, n_fft))[:, :1]
    spectrum = stft(samples.astype(float), n_fft, hop, n_fft)
    clean = np.maximum(np.abs(spectrum) - strength * level, 0) * np.exp(1j * np.angle(spectrum))
    return istft(clean, n_fft, hop, n_fft, length=len(samples))


@pytest.mark.parametrize("length", [513, 514, 768, 1024, 5000, 200_001])
@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_equals_the_formula(bias, synthetic_voice, length, strength):
    samples = synthetic_voice(10.0)[:length]
    clean = BiasDenoiser(bias)(samples, strength)
    assert clean.dtype == np.float32
    np.testing.assert_allclose(clean, formula(samples, bias, strength), atol=1e-5)


def test_the_reference_models_bias(shared):
    import safetensors.numpy

    for name in ("waveglow_tiny", "waveglow_12flows"):
        vectors = safetensors.numpy.load_file(shared / f"reference/{name}.vectors.safetensors")
        audio = vectors["infer.audio"].reshape(len(vectors["infer.audio"]), -1)[0]
        bias = vectors["denoiser.bias_audio"].reshape(-1)
        clean = BiasDenoiser(bias)(audio, 1.0)
        np.testing.assert_allclose(clean, formula(audio, bias, 1.0), atol=1e-5 * max(1.0, np.abs(audio).max()))


@pytest.mark.parametrize("sizes", [(1024, 256), (512, 64), (768, 256)])
@pytest.mark.parametrize("seed", range(8))
def test_chunks_equal_the_whole(bias, synthetic_voice, sizes, seed):
    rng = np.random.default_rng(seed)
    n_fft, hop = sizes
    denoiser = BiasDenoiser(bias, n_fft=n_fft, hop_length=hop)
    length = int(rng.choice([1, 100, n_fft // 2, n_fft // 2 + 1, 1500, 30_000]))
    samples = synthetic_voice(2.0)[:length]
    whole = denoiser(samples, 0.5)
    stream = denoiser.stream(0.5)
    pieces, place = [], 0
    while place < length:
        size = int(rng.integers(0, rng.choice([2, 300, 5000])))
        pieces.append(stream.push(samples[place : place + size]))
        place += size
    joined = np.concatenate([*pieces, stream.finish()])
    assert joined.shape == whole.shape == samples.shape
    np.testing.assert_allclose(joined, whole, atol=1e-5)


def test_the_stream_is_one_window_behind_at_most(bias):
    stream = BiasDenoiser(bias).stream()
    given = 0
    for received in range(100, 20_000, 100):
        given += len(stream.push(np.zeros(100, np.float32)))
        assert received - given <= 1024
    assert stream.finish().size <= 1024


def test_memory_is_that_of_the_audio(bias):
    samples = np.random.default_rng(0).standard_normal(22050 * 120).astype(np.float32)
    denoiser = BiasDenoiser(bias)
    tracemalloc.start()
    denoiser(samples, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * samples.nbytes + 20e6


def test_no_strength_changes_nothing(bias, synthetic_voice):
    for length in (1, 10, 512, 9000):
        samples = synthetic_voice(1.0)[:length]
        np.testing.assert_allclose(BiasDenoiser(bias)(samples, 0.0), samples, atol=1e-6)


def test_the_bias_itself_vanishes():
    # A cosine continues through its reflection, so that the first frame is like all others.
    tone = (0.01 * np.cos(2 * np.pi * np.arange(16_000) / 8)).astype(np.float32)
    clean = BiasDenoiser(tone)(tone, 1.05)
    assert np.abs(clean[:15_000]).max() < 1e-6


def test_noise_is_reduced_and_speech_kept(synthetic_voice):
    rng = np.random.default_rng(1)
    noise = 0.01 * rng.standard_normal(44100).astype(np.float32)
    speech = synthetic_voice(2.0)
    clean = BiasDenoiser.from_noise(noise[:22050])(speech + noise, 1.0)
    assert np.std(clean - speech) < 0.8 * np.std(noise)
    alone = BiasDenoiser.from_noise(noise[:22050])(noise, 1.0)
    assert np.std(alone) < 0.5 * np.std(noise)


def test_a_spectrum_is_taken_as_it_is(bias):
    first = BiasDenoiser(bias)
    again = BiasDenoiser(first.spectrum)
    np.testing.assert_array_equal(first.spectrum, again.spectrum)
    assert first.spectrum.shape == (513, 1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(512), "too short"),
        (np.zeros((512, 1)), r"\[513, 1\]"),
        (-np.ones((513, 1)), "negative"),
        (np.full((513, 1), np.nan), "NaN"),
    ],
)
def test_bad_biases(bad, message):
    with pytest.raises(AudioError, match=message):
        BiasDenoiser(bad)


@pytest.mark.parametrize("sizes", [(1024, 512), (1024, 300), (1023, 341), (1024, 0), (0, 0)])
def test_bad_sizes(sizes):
    with pytest.raises(AudioError, match="hop"):
        BiasDenoiser(np.zeros(4096), n_fft=sizes[0], hop_length=sizes[1])


def test_bad_use(bias):
    denoiser = BiasDenoiser(bias)
    for strength in (-1.0, np.nan, np.inf):
        with pytest.raises(AudioError, match="strength"):
            denoiser(np.zeros(2000), strength)
    with pytest.raises(AudioError, match="no samples"):
        denoiser(np.zeros(0))
    with pytest.raises(AudioError, match="NaN"):
        denoiser(np.full(2000, np.nan))
    with pytest.raises(AudioError, match="1024 are needed"):
        BiasDenoiser.from_noise(np.zeros(1000))
    stream = denoiser.stream()
    assert stream.finish().size == 0
    with pytest.raises(AudioError, match="ended"):
        stream.push(np.zeros(10))
    with pytest.raises(AudioError, match="ended"):
        stream.finish()
