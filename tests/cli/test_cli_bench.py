"""`glowvox bench` measures every engine in a process of its own, and says why one is left out."""

import json

import pytest

from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import WaveGlow


@pytest.fixture(scope="module")
def vocoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "vocoder"
    config = WaveGlowConfig(
        n_group=64, n_flows=2, n_channels=8, n_skip_channels=8, n_layers=2, conditioning="mel-rate", n_early_every=0
    )
    save_model(WaveGlow(config).eval(), folder)
    return folder


def _bench(capsys, *words):
    status = main(["bench", *map(str, words)])
    return status, capsys.readouterr()


def test_a_vocoder(vocoder, capsys):
    words = ("--vocoder", vocoder, "--engine", "torch", "--threads", 1, "--seconds", 1, "--repeats", 2)
    status, said = _bench(capsys, *words, "--json", "--alone")
    row = json.loads(said.out)
    assert status == 0
    assert 0 < row["network"]["median"] <= row["network"]["percentile_90"] <= row["network"]["worst"]
    assert row["vocoder"]["median"] > 0
    assert row["voice"] is None and row["acoustic"] is None
    assert [chunk["chunk_seconds"] for chunk in row["chunks"]] == [0.1, 0.25, 0.5]
    assert all(chunk["first_audio"]["median"] > 0 for chunk in row["chunks"])
    assert row["peak_bytes"] > 1e7


def test_the_table_says_what_was_measured_and_what_not(vocoder, capsys):
    words = ("--vocoder", vocoder, "--engine", "torch", "onnx", "--threads", 1, "--seconds", 0.6, "--repeats", 1)
    status, said = _bench(capsys, *words)
    assert status == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("processor    ")
    assert [line.split()[0] for line in lines if line.startswith("torch ")] == ["torch", "torch"]
    assert any(line.startswith("not measured onnx: ") and "model folder" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--engine", "steam"), "there is no engine 'steam'; choose onnx, openvino, torch"),
        (("--threads", "0"), "threads must be a whole number from 1 to 4096, got 0"),
        (("--seconds", "0"), "--seconds must lie from 0.1 to 3600, got 0"),
        (("--repeats", "0"), "--repeats must lie from 1 to 1000, got 0"),
        (("--vocoder", "/nowhere", "--engine", "onnx", "--alone"), "/nowhere"),
    ],
)
def test_bad_input(words, message, capsys):
    status, said = _bench(capsys, *words)
    assert status == 2
    assert said.out == ""
    assert said.err.count("\n") == 1 and message in said.err
