"""Which engine is chosen, and what `glowvox doctor` says about it."""

import json
import re
from pathlib import Path

import pytest

import glowvox
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.engines import choose, machine
from glowvox.engines.choose import choose_engine, engine_for, load_acoustic, load_vocoder
from glowvox.engines.machine import Processor, checked_threads, processor, usable_cores
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import EngineError, MissingExtraError
from glowvox.models.waveglow import WaveGlow


def _machine(monkeypatch, installed, features=()):
    monkeypatch.setattr(choose, "_installed", lambda: list(installed))
    monkeypatch.setattr(choose, "processor", lambda: Processor("test", 2, tuple(features)))


@pytest.mark.parametrize(
    ("installed", "features", "name", "reason"),
    [
        (["onnx", "torch"], [], "onnx", "OpenVINO is not installed"),
        (["onnx"], ["amx_bf16"], "onnx", r"processor's AMX, is not installed: pip install 'glowvox\[openvino\]'"),
        (["onnx", "openvino"], [], "onnx", "no AMX"),
        (["onnx", "openvino"], ["avx512_bf16"], "onnx", "no AMX"),
        (["onnx", "openvino"], ["amx_int8"], "onnx", "no AMX, without"),
        (["onnx", "openvino"], ["avx512_bf16", "amx_bf16"], "openvino", "multiplies tiles of bfloat16"),
        (["openvino"], [], "openvino", "ONNX Runtime is not installed"),
    ],
)
def test_auto(monkeypatch, installed, features, name, reason):
    _machine(monkeypatch, installed, features)
    chosen = choose_engine()
    assert chosen.name == name
    assert re.search(reason, chosen.reason)


def test_a_model_folder_needs_pytorch(monkeypatch):
    _machine(monkeypatch, ["onnx", "torch"])
    assert choose_engine(exported=False).name == "torch"
    _machine(monkeypatch, ["onnx"])
    with pytest.raises(MissingExtraError, match=r"a model folder that is not exported needs .*glowvox\[train\]"):
        choose_engine(exported=False)


def test_what_cannot_be_chosen(monkeypatch):
    _machine(monkeypatch, ["onnx", "torch"])
    with pytest.raises(EngineError, match="there is no engine 'toaster'; choose auto, onnx, openvino, torch"):
        choose_engine("toaster")
    with pytest.raises(MissingExtraError, match=r"'openvino': pip install 'glowvox\[openvino\]'"):
        choose_engine("openvino")
    with pytest.raises(EngineError, match="cannot run a model folder; export the model first"):
        choose_engine("onnx", exported=False)
    with pytest.raises(EngineError, match="cannot run a graph; name the model folder"):
        choose_engine("torch")
    _machine(monkeypatch, ["torch"])
    with pytest.raises(EngineError, match="no engine for exported graphs"):
        choose_engine()


def test_loads_what_a_path_holds(vocoder_folder, acoustic_folder, vocoder_config, tmp_path, monkeypatch):
    _machine(monkeypatch, ["onnx", "torch"])
    for path in (vocoder_folder, vocoder_folder / "vocoder.onnx"):
        assert isinstance(load_vocoder(path, threads=1), OnnxVocoder)
    assert isinstance(load_acoustic(acoustic_folder, threads=1), OnnxAcoustic)
    save_model(WaveGlow(vocoder_config), tmp_path / "model")
    assert isinstance(load_vocoder(tmp_path / "model"), TorchVocoder)
    with pytest.raises(EngineError, match="export the model first"):
        load_vocoder(tmp_path / "model", engine="onnx")
    with pytest.raises(EngineError, match="no such file or folder"):
        load_vocoder(tmp_path / "none")


def test_graphs_in_8_bits_are_for_onnx_runtime(monkeypatch):
    _machine(monkeypatch, ["onnx", "openvino"], ["amx_bf16"])
    nora = Path(glowvox.__file__).parent / "voices" / "nora"
    for path in (nora, nora / "vocoder.onnx"):
        assert isinstance(load_vocoder(path, threads=1), OnnxVocoder)
    assert isinstance(load_acoustic(nora, threads=1), OnnxAcoustic)


def test_a_gpu_and_half_precision_are_for_pytorch():
    assert engine_for("auto", "cpu") == "auto"
    assert engine_for("onnx", "cpu") == "onnx"
    assert engine_for("auto", "cuda") == engine_for("torch", "cuda:1") == "torch"
    assert engine_for("auto", "cpu", "bfloat16") == "torch"
    with pytest.raises(EngineError, match="'onnx' runs graphs as they are, on the CPU; use the engine torch"):
        engine_for("onnx", "cuda")
    with pytest.raises(EngineError, match="use the engine torch for float16"):
        engine_for("openvino", "cpu", "float16")


def test_the_processor(monkeypatch, tmp_path):
    found = processor()
    assert found.cores == usable_cores() >= 1
    table = tmp_path / "cpuinfo"
    table.write_text("model name\t: Test CPU\nflags\t\t: sse2 avx2 amx_bf16 what\n\nmodel name\t: Other\n")
    monkeypatch.setattr(machine, "Path", lambda name: table)
    machine.processor.cache_clear()
    try:
        found = processor()
        assert (found.name, found.features, found.has_bf16) == ("Test CPU", ("avx2", "amx_bf16"), True)
        assert found.has_bf16_tiles
        table.write_text("Features\t: asimd bf16 sve\n\n")
        machine.processor.cache_clear()
        assert processor().features == ("asimd", "bf16", "sve")
    finally:
        machine.processor.cache_clear()


def test_threads():
    assert checked_threads(None) == usable_cores()
    assert checked_threads(3) == 3
    with pytest.raises(EngineError, match="from 1 to 4096, got 0"):
        checked_threads(0)


def test_doctor(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["engines"]["onnx"] == found["packages"]["onnxruntime"]
    assert found["engine"]["name"] in ("onnx", "openvino")
    assert found["processor"]["cores"] >= 1
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert f"chosen       {found['engine']['name']}: {found['engine']['reason']}" in printed


def test_doctor_names_the_gpu(capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["doctor"]) == 0
    assert "GPU          none that PyTorch can use\n" in capsys.readouterr().out
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda place: f"Card {place}")
    assert main(["doctor"]) == 0
    assert "GPU          Card 0, Card 1; " in capsys.readouterr().out


def test_doctor_without_any_engine(capsys, monkeypatch):
    _machine(monkeypatch, [])
    assert main(["doctor"]) == 0
    assert "chosen       none: no engine for exported graphs is installed" in capsys.readouterr().out
