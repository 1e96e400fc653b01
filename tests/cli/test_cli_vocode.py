"""`glowvox vocode`: recordings and mel files become speech again, and every mistake is one line."""

import io
import json
import shutil
import sys

import numpy as np
import pytest
import soundfile
import torch

from glowvox.audio.files import read_audio, resample, write_audio
from glowvox.audio.loudness import active_speech_level, normalise_loudness
from glowvox.audio.mel import MelTransform
from glowvox.audio.mel_file import write_mel
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.installed_voices import packaged_folder
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder

CONFIG = WaveGlowConfig(
    transform="lapped",
    n_group=256,
    n_flows=2,
    n_early_every=0,
    n_channels=8,
    n_skip_channels=8,
    n_layers=2,
    conditioning="mel-rate",
    mel_mean=-5.0,
    mel_std=2.0,
    mel_scale=True,
    max_log_scale=1.0,
)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "vocoder"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = WaveGlow(CONFIG)
        with torch.no_grad():
            for step in model.steps:
                step.coupling.network.end.weight.normal_(0.0, 0.1)
    save_model(model, folder)
    return folder


@pytest.fixture
def recording(tmp_path):
    """A quiet hum with noise, 16 kHz, 1.2 s."""
    seconds = np.arange(19_200) / 16_000
    noise = np.random.default_rng(0).standard_normal(len(seconds))
    samples = (0.02 * np.sin(2 * np.pi * 150 * seconds) + 0.005 * noise).astype(np.float32)
    path = tmp_path / "in.wav"
    write_audio(path, samples, 16_000, subtype="FLOAT")
    return path, samples


def spoken(*arguments, output):
    assert main(["vocode", *map(str, arguments), "-o", str(output)]) == 0
    return soundfile.read(output, dtype="float32")


def test_a_recording_is_spoken_at_its_own_level(recording, model_folder, tmp_path, capsys):
    path, samples = recording
    found, rate = spoken(path, "--model", model_folder, "--denoise", 0, "--seed", 4, output=tmp_path / "out.flac")
    assert rate == 22_050
    assert "1.20 s at 22050 Hz in" in capsys.readouterr().out
    at_rate = resample(samples, 16_000, 22_050)
    assert len(found) == len(at_rate)
    louder, gain = normalise_loudness(at_rate, 22_050, -23.0)
    assert gain > 2
    vocoder = Vocoder(TorchVocoder.load(model_folder))
    wanted = vocoder(MelTransform(CONFIG.audio)(louder), VocoderOptions(denoise=0.0, seed=4))[: len(found)] / gain
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    levels = [active_speech_level(signal, 22_050) for signal in (found, at_rate)]
    assert abs(levels[0] - levels[1]) < 12


def test_the_level_matters_only_where_asked(recording, model_folder, tmp_path):
    path, samples = recording
    loud = tmp_path / "loud.wav"
    write_audio(loud, 8 * samples, 16_000, subtype="FLOAT")
    quiet_out, _ = spoken(path, "--model", model_folder, output=tmp_path / "a.wav")
    loud_out, _ = spoken(loud, "--model", model_folder, output=tmp_path / "b.wav")
    np.testing.assert_allclose(8 * quiet_out, loud_out, atol=3e-4)
    kept, _ = spoken(path, "--model", model_folder, "--keep-level", output=tmp_path / "c.wav")
    assert np.abs(kept - quiet_out).max() > 1e-3


def test_windows_seeds_and_sigma(recording, model_folder, tmp_path):
    path, _ = recording

    def speak(*options):
        return spoken(path, "--model", model_folder, *options, output=tmp_path / "o.wav")[0]

    first = speak()
    np.testing.assert_array_equal(first, speak("--seed", "0"))
    np.testing.assert_allclose(first, speak("--window", "0.1"), atol=1e-4)
    assert np.abs(first - speak("--seed", "1")).max() > 1e-3
    assert np.abs(first - speak("--sigma", "0.1")).max() > 1e-3
    assert np.abs(first - speak("--denoise", "0.2")).max() > 0
    assert np.abs(speak("--seed", "random") - speak("--seed", "random")).max() > 1e-3


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors", ".pt"])
def test_mel_files(recording, model_folder, tmp_path, suffix):
    mel = MelTransform(CONFIG.audio)(resample(recording[1], 16_000, 22_050))
    path = tmp_path / f"mel{suffix}"
    if suffix == ".pt":
        torch.save(torch.from_numpy(mel), path)
    else:
        write_mel(path, mel, CONFIG.audio)
    found, _ = spoken(path, "--model", model_folder, output=tmp_path / "out.wav")
    wanted = Vocoder(TorchVocoder.load(model_folder))(mel)
    assert len(found) == mel.shape[1] * 256
    np.testing.assert_allclose(found, wanted.clip(-1, 1), atol=1e-4)


def test_one_frame(model_folder, tmp_path):
    np.save(tmp_path / "mel.npy", np.full((80, 1), -5, np.float32))
    assert len(spoken(tmp_path / "mel.npy", "--model", model_folder, output=tmp_path / "out.wav")[0]) == 256


def test_other_contracts_are_bridged_where_that_is_exact(recording, model_folder, tmp_path):
    samples = resample(recording[1], 16_000, 22_050)
    for name, config in [("a", CONFIG.audio), ("b", AudioConfig(log="log10", mean=-2.0, std=1.5))]:
        write_mel(tmp_path / f"{name}.npz", MelTransform(config)(samples), config)
    first, second = (
        spoken(tmp_path / f"{name}.npz", "--model", model_folder, output=tmp_path / f"{name}.wav")[0] for name in "ab"
    )
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_other_contracts_are_refused_with_the_difference(recording, model_folder, tmp_path, capsys):
    config = AudioConfig(f_max=7600.0, hop_length=200, n_fft=800, win_length=800)
    write_mel(tmp_path / "other.npz", MelTransform(config)(recording[1]), config)
    assert main(["vocode", str(tmp_path / "other.npz"), "-o", str(tmp_path / "o.wav"), "--model", str(model_folder)])
    error = capsys.readouterr().err
    assert "other.npz: the mel contracts do not fit" in error
    for difference in ("n_fft 800 against 1024", "hop_length 200 against 256", "f_max 7600.0 against 8000.0"):
        assert difference in error
    assert error.count("\n") == 1


def test_griffin_lim(recording, tmp_path):
    path, samples = recording
    found, rate = spoken(path, "--griffin-lim", output=tmp_path / "out.wav")
    at_rate = resample(samples, 16_000, 22_050)
    assert (rate, len(found)) == (22_050, len(at_rate))
    transform = MelTransform(AudioConfig())
    assert np.abs(transform(found)[:, 5:-5] - transform(at_rate)[:, 5:-5]).mean() < 0.3
    config = AudioConfig(sample_rate=16_000, hop_length=200, n_fft=800, win_length=800)
    write_mel(tmp_path / "mel.npz", MelTransform(config)(samples), config)
    found, rate = spoken(tmp_path / "mel.npz", "--griffin-lim", output=tmp_path / "out.wav")
    assert (rate, len(found)) == (16_000, 97 * 200)


def test_json(recording, model_folder, tmp_path, capsys):
    output = tmp_path / "o.wav"
    assert main(["vocode", str(recording[0]), "-o", str(output), "--model", str(model_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["output"] == str(output)
    assert told["seconds"] == pytest.approx(1.2, abs=1e-3)
    assert told["real_time_factor"] == pytest.approx(told["took_seconds"] / told["seconds"])
    assert (told["sample_rate"], told["seed"], told["clipped"]) == (22_050, 0, 0)


class Pipe(io.TextIOWrapper):
    """A standard output that is caught, bytes and all."""

    terminal = False

    def isatty(self):
        return self.terminal


def test_standard_output(recording, model_folder, tmp_path, monkeypatch, capsys):
    wanted, _ = spoken(recording[0], "--model", model_folder, output=tmp_path / "o.wav")
    capsys.readouterr()
    arguments = ["vocode", str(recording[0]), "-o", "-", "--model", str(model_folder)]
    pipe = Pipe(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", pipe)
    assert main(arguments) == 0
    pipe.buffer.seek(0)
    found, rate = soundfile.read(pipe.buffer, dtype="float32")
    assert rate == 22_050
    np.testing.assert_array_equal(found, wanted)
    assert capsys.readouterr().err.startswith("standard output: 1.20 s at 22050 Hz in")
    assert main([*arguments, "--json"]) == 2
    assert "cannot both go to standard output" in capsys.readouterr().err
    pipe.terminal = True
    assert main(arguments) == 2
    assert "is a terminal" in capsys.readouterr().err


def test_many_containers(recording, model_folder, tmp_path):
    samples = resample(recording[1], 16_000, 48_000)
    wanted, _ = spoken(recording[0], "--model", model_folder, output=tmp_path / "a.wav")
    for suffix in (".flac", ".ogg", ".mp3"):
        path = tmp_path / f"in{suffix}"
        write_audio(path, samples, 48_000)
        found, _ = spoken(path, "--model", model_folder, output=tmp_path / "b.wav")
        assert abs(len(found) - len(wanted)) < 3000
    soundfile.write(tmp_path / "stereo.wav", np.stack([samples, samples], 1), 48_000)
    found, _ = spoken(tmp_path / "stereo.wav", "--model", model_folder, output=tmp_path / "c.wav")
    assert len(found) == len(wanted)


def bad_inputs(folder):
    """Every file that cannot be spoken, with what is said about it."""
    generator = np.random.default_rng(0)
    mel = generator.normal(-5, 2, (80, 9)).astype(np.float32)
    broken = mel.copy()
    broken[3, 4] = np.nan
    np.save(folder / "nan.npy", broken)
    np.save(folder / "frames.npy", mel[:, :0])
    np.save(folder / "bins.npy", mel[:64])
    np.save(folder / "turned.npy", generator.normal(-5, 2, (9, 80)).astype(np.float32))
    np.save(folder / "ints.npy", np.zeros((80, 9), np.int16))
    np.save(folder / "loud.npy", np.full((80, 9), 200.0, np.float32))
    np.save(folder / "vast.npy", np.full((80, 9), 1e300))
    torch.save(torch.from_numpy(broken), folder / "nan.pt")
    torch.save({"a": [1, 2]}, folder / "no_mel.pt")
    (folder / "text.wav").write_text("RIFF is what this is not\n")
    (folder / "text.npz").write_text("not a mel\n")
    (folder / "nothing.wav").touch()
    soundfile.write(folder / "empty.wav", np.zeros(0, np.float32), 22_050)
    soundfile.write(folder / "short.wav", np.full(300, 0.1, np.float32), 22_050)
    soundfile.write(folder / "nan.wav", np.full(3000, np.nan, np.float32), 22_050, subtype="FLOAT")
    (folder / "folder.npy").mkdir()
    return {
        "nan.npy": "NaN or infinite",
        "frames.npy": "is empty",
        "bins.npy": "the mel has 64 bins, the contract 80",
        "turned.npy": "is transposed",
        "ints.npy": "floating-point",
        "loud.npy": "loud.npy: the vocoder gave samples that are not finite for mel values from 200 to 200",
        "vast.npy": "beyond the range of float32",
        "nan.pt": "not finite",
        "no_mel.pt": "expected a mel tensor",
        "none.pt": "none.pt",
        "text.wav": "cannot read",
        "text.npz": "is damaged",
        "nothing.wav": "is empty",
        "empty.wav": "holds no samples",
        "short.wav": "short.wav: the audio is too short: 300 samples",
        "nan.wav": "NaN",
        "folder.npy": "is a folder",
        ".": "is a folder",
        "none.wav": "there is no file",
        "none.npy": "there is no file",
    }


def test_bad_inputs(model_folder, tmp_path, capsys):
    output = tmp_path / "out.wav"
    output.write_bytes(b"what was there before")
    for name, message in bad_inputs(tmp_path).items():
        status = main(["vocode", str(tmp_path / name), "-o", str(output), "--model", str(model_folder)])
        error = capsys.readouterr().err
        assert status == 2, name
        assert message in error, name
        assert error.startswith("glowvox vocode: ") and error.count("\n") == 1, error
        assert output.read_bytes() == b"what was there before"
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "{tmp}/none"], "no such file or folder"),
        (["--model", "{tmp}/in.wav"], "not a model folder"),
        (["--model", "{tmp}"], "it has no config.json"),
        (["--threads", "0"], "threads must be a whole number from 1 to 4096"),
        (["--device", "cuda:77"], "no device 'cuda:77'"),
        (["--engine", "warp"], "there is no engine 'warp'"),
        (["--engine", "onnx"], "export the model first"),
        (["--engine", "onnx", "--precision", "float16"], "use the engine torch for float16"),
        (["--sigma", "-1"], "sigma must be a number of at least 0"),
        (["--denoise", "-0.1"], "denoise must be"),
        (["--seed", "-1"], "--seed must be a whole number"),
        (["--seed", "1.5"], "--seed must be a whole number"),
        (["--seed", "9" * 5000], "--seed must be a whole number"),
        (["--window", "0"], "--window must be a positive number"),
        (["--window", "-1"], "--window must be a positive number"),
        (["-o", "{tmp}/o.txt"], "names no format"),
        (["-o", "{tmp}/no/o.wav"], "does not exist"),
        (["-o", "{tmp}"], "use one of wav"),
    ],
)
def test_bad_options(recording, model_folder, tmp_path, capsys, options, message):
    words = [word.format(tmp=tmp_path) for word in options]
    arguments = ["vocode", str(recording[0]), "-o", str(tmp_path / "o.wav"), "--model", str(model_folder), *words]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "o.wav").exists()


def test_no_voice_comes_with_the_package(recording, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert main(["vocode", str(recording[0]), "-o", str(tmp_path / "o.wav")]) == 2
    error = capsys.readouterr().err
    assert "--model" in error and "--griffin-lim" in error


def test_the_voice_of_the_package_is_the_default(recording, model_folder, tmp_path, monkeypatch):
    wanted, _ = spoken(recording[0], "--model", model_folder, output=tmp_path / "a.wav")
    (tmp_path / "voices" / "anna").mkdir(parents=True)
    (tmp_path / "voices" / "anna" / "vocoder").symlink_to(model_folder)
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    np.testing.assert_array_equal(spoken(recording[0], output=tmp_path / "b.wav")[0], wanted)


def test_a_voices_vocoder_speaks_as_the_voice_does(recording, tmp_path):
    nora = packaged_folder() / "nora"
    defaults = json.loads((nora / "voice.json").read_text())["defaults"]
    own = [part for name in ("sigma", "denoise", "refine", "postfilter") for part in (f"--{name}", str(defaults[name]))]
    alone = ["--sigma", "0.6", "--denoise", "0.01", "--refine", "1", "--postfilter", "0"]

    def speak(*options):
        return spoken(recording[0], *options, output=tmp_path / "o.wav")[0]

    wanted = speak(*own)
    np.testing.assert_array_equal(speak(), wanted)
    np.testing.assert_array_equal(speak("--model", nora, "--engine", "onnx"), wanted)
    in_torch = speak("--model", nora / "vocoder")
    np.testing.assert_array_equal(in_torch, speak("--model", nora / "vocoder", *own))
    np.testing.assert_array_equal(speak("--engine", "torch"), in_torch)
    for other in (alone[0:2], alone[2:4], ["--refine", "2"], alone[6:8]):
        assert np.abs(speak(*other) - wanted).max() > 0
    shutil.copytree(nora / "vocoder", tmp_path / "alone")
    np.testing.assert_array_equal(speak("--model", tmp_path / "alone"), speak("--model", nora / "vocoder", *alone))


def test_half_precision_weights(recording, model_folder, tmp_path):
    import safetensors.numpy

    half = tmp_path / "half"
    half.mkdir()
    (half / "config.json").write_bytes((model_folder / "config.json").read_bytes())
    tensors = safetensors.numpy.load_file(model_folder / "model.safetensors")
    smaller = {
        name: array.astype(np.float16) if array.dtype == np.float32 else array for name, array in tensors.items()
    }
    safetensors.numpy.save_file(smaller, half / "model.safetensors")
    assert (half / "model.safetensors").stat().st_size < 0.6 * (model_folder / "model.safetensors").stat().st_size
    wanted, _ = spoken(recording[0], "--model", model_folder, output=tmp_path / "a.wav")
    found, _ = spoken(recording[0], "--model", half, output=tmp_path / "b.wav")
    assert 0 < np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


def test_progress_and_the_missing_extra(recording, model_folder, tmp_path, capsys, monkeypatch):
    ticks = iter(np.arange(0.0, 1e6, 3.0))
    monkeypatch.setattr("glowvox.cli.vocode.time.monotonic", lambda: float(next(ticks)))
    spoken(recording[0], "--model", model_folder, "--window", "0.2", output=tmp_path / "o.wav")
    error = capsys.readouterr().err
    assert "speaking 46%, 10 s left\n" in error
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("glowvox.engines.torch_")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["vocode", str(recording[0]), "-o", str(tmp_path / "o.wav"), "--model", str(model_folder)]) == 2
    assert "pip install 'glowvox[train]'" in capsys.readouterr().err


def test_a_real_recording(shared, model_folder, tmp_path):
    path = sorted((shared / "speech" / "kathleen" / "wavs").iterdir())[0]
    found, _ = spoken(path, "--model", model_folder, output=tmp_path / "o.wav")
    samples, rate = read_audio(path, 22_050)
    assert len(found) == len(samples)
    assert abs(active_speech_level(found, rate) - active_speech_level(samples, rate)) < 12
