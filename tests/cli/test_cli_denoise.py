"""`glowvox denoise` takes a noise out of a recording, with the bias from wherever the user has it."""

import json

import numpy as np
import pytest

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.audio.files import read_audio, write_audio
from glowvox.cli.main import main

RATE = 16000


@pytest.fixture
def noisy(tmp_path):
    """Half a second of noise, then a tone in it."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(2 * RATE)
    tone = np.where(np.arange(2 * RATE) > RATE // 2, 0.2 * np.sin(np.arange(2 * RATE) * 0.3), 0)
    write_audio(tmp_path / "in.wav", noise + tone, RATE, subtype="FLOAT")
    write_audio(tmp_path / "noise.wav", noise[: RATE // 2], RATE, subtype="FLOAT")
    return tmp_path, (noise + tone).astype(np.float32), noise[: RATE // 2].astype(np.float32)


def run(folder, *options):
    return main(["denoise", str(folder / "in.wav"), "-o", str(folder / "out.wav"), *map(str, options)])


@pytest.mark.parametrize("source", ["0-0.5", "noise.wav"])
def test_noise_from(noisy, capsys, source):
    folder, samples, noise = noisy
    assert run(folder, "--noise-from", source if "-" in source else folder / source, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["strength"] == 1.0
    assert told["level_change_db"] < 0
    clean, rate = read_audio(folder / "out.wav")
    assert rate == RATE
    np.testing.assert_allclose(clean, BiasDenoiser.from_noise(noise)(samples, 1.0), atol=2 / 32768)
    assert np.std(clean[: RATE // 2]) < 0.5 * np.std(noise)


def test_a_stored_bias_gives_the_same(noisy, capsys):
    folder, _, _ = noisy
    bias = folder / "bias.safetensors"
    assert run(folder, "--noise-from", "0-0.5", "--save-bias", bias, "--strength", "1.5") == 0
    first = (folder / "out.wav").read_bytes()
    assert run(folder, "--bias", bias) == 0
    assert (folder / "out.wav").read_bytes() == first
    assert "strength 1.5" in capsys.readouterr().out


def test_bias_audio_of_a_vocoder(noisy):
    folder, samples, noise = noisy
    assert run(folder, "--bias", folder / "noise.wav", "--strength", "0.7") == 0
    clean, _ = read_audio(folder / "out.wav")
    np.testing.assert_allclose(clean, BiasDenoiser(noise)(samples, 0.7), atol=2 / 32768)


def test_a_recording_may_be_denoised_in_place(noisy):
    folder, _, _ = noisy
    path = str(folder / "in.wav")
    assert main(["denoise", path, "-o", path, "--noise-from", "0-0.5"]) == 0
    assert len(read_audio(path)[0]) == 2 * RATE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--noise-from", "1-5"], "does not lie within the 2.00 s"),
        (["--noise-from", "1-1"], "does not lie within"),
        (["--noise-from", "0-0.01"], "1024 are needed"),
        (["--noise-from", "nowhere.wav"], "no file nowhere.wav"),
        (["--bias", "nowhere.safetensors"], "no file nowhere.safetensors"),
        (["--noise-from", "0-1", "--strength", "-1"], "strength"),
        (["--noise-from", "0-1", "--save-bias", "a.npy"], "ends in .safetensors"),
    ],
)
def test_mistakes(noisy, capsys, options, message):
    assert run(noisy[0], *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (noisy[0] / "out.wav").exists()


def test_a_bias_of_another_rate(noisy, capsys):
    folder, samples, _ = noisy
    assert run(folder, "--noise-from", "0-0.5", "--save-bias", folder / "b.safetensors") == 0
    write_audio(folder / "in.wav", samples, 22050)
    assert run(folder, "--bias", folder / "b.safetensors") == 2
    assert "16000 Hz" in capsys.readouterr().err


def test_the_noise_must_be_named(noisy, capsys):
    with pytest.raises(SystemExit):
        run(noisy[0])
    assert "--noise-from" in capsys.readouterr().err
