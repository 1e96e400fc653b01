"""Whole exports: files, cards, precisions, and what happens when something is wrong."""

import json
import sys

import numpy as np
import onnx
import pytest
import torch

from glowvox.checkpoint.model_folder import load_model
from glowvox.cli.main import main
from glowvox.engines.graph_engine import METADATA_KEY, GraphCard, read_metadata
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import CheckpointError, EngineError, MissingExtraError
from glowvox.export import export_model as model_graphs
from glowvox.export.export_model import export_model
from glowvox.synthesis.vocoder import Vocoder


@pytest.fixture(scope="module")
def exported(vocoder_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder, export_model(vocoder_run, folder)


def test_a_vocoder_s_card(vocoder_run, exported):
    folder, report = exported
    assert report.files == (folder / "vocoder.onnx",)
    assert report.loss is None
    assert report.parity.relative_error < 1e-4
    assert [entry.name for entry in folder.iterdir()] == ["vocoder.onnx"]
    engine, model = OnnxVocoder.load(folder), load_model(vocoder_run)
    assert engine.card.provenance == {"licence": "CC0", "steps": 7}
    assert engine.card.precision == "float32"
    assert engine.audio == model.config.audio
    bias = Vocoder(TorchVocoder(model)).denoiser.spectrum[:, 0]
    np.testing.assert_allclose(engine.card.bias(), bias)
    assert bias.max() > 0


def test_an_acoustic_model_s_cards(acoustic_run, tmp_path):
    report = export_model(acoustic_run, tmp_path / "new" / "folder")
    assert [file.name for file in report.files] == ["acoustic_encoder.onnx", "acoustic_decoder.onnx"]
    card = OnnxAcoustic.load(tmp_path / "new" / "folder").card
    assert card.text["tokenizer"] == {"symbols": ["a", "b"]}
    assert card.n_speakers == 3
    decoder = GraphCard.from_json(read_metadata(report.files[1])[METADATA_KEY], "decoder")
    assert decoder.receptive_field == load_model(acoustic_run).decoder.receptive_field


@pytest.mark.parametrize(("precision", "snr"), [("float16", 55.0), ("int8", 20.0)])
def test_smaller_variants_and_their_loss(precision, snr, vocoder_run, acoustic_run, exported, tmp_path):
    whole = exported[1].files[0].stat().st_size
    report = export_model(vocoder_run, tmp_path, precision=precision)
    assert report.parity.relative_error < 1e-4
    assert report.files[0].stat().st_size < 0.9 * whole  # the 1x1 convolutions, most of a narrow model, stay exact
    assert snr < report.loss.snr_db < report.parity.snr_db
    assert OnnxVocoder.load(tmp_path).card.precision == precision
    stored = {tensor.data_type for tensor in onnx.load(report.files[0]).graph.initializer}
    assert (onnx.TensorProto.FLOAT16 if precision == "float16" else onnx.TensorProto.INT8) in stored
    acoustic = export_model(acoustic_run, tmp_path, precision=precision)
    assert acoustic.loss.snr_db > 20
    assert len(list(tmp_path.iterdir())) == 3


def test_an_export_that_differs_is_refused_and_nothing_is_lost(vocoder_run, exported, tmp_path, monkeypatch):
    (tmp_path / "vocoder.onnx").write_bytes(b"old")
    write = model_graphs.write_waveglow

    def wrong(graph, model):
        with torch.no_grad():
            model.steps.get_submodule("2").convolution.weight[0, 0] += 0.01
        card = write(graph, model)
        with torch.no_grad():
            model.steps.get_submodule("2").convolution.weight[0, 0] -= 0.01
        return card

    monkeypatch.setattr(model_graphs, "write_waveglow", wrong)
    with pytest.raises(EngineError, match="differs from the PyTorch model by"):
        export_model(vocoder_run, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["vocoder.onnx"]
    assert (tmp_path / "vocoder.onnx").read_bytes() == b"old"


def test_bad_input(vocoder_run, tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        export_model(tmp_path / "none", tmp_path / "out")
    (tmp_path / "file").write_text("x")
    with pytest.raises(EngineError, match="is a file; name a folder"):
        export_model(vocoder_run, tmp_path / "file")
    with pytest.raises(EngineError, match="cannot be written"):
        export_model(vocoder_run, tmp_path / "file" / "below")
    with pytest.raises(EngineError, match="int8 graphs are written with --to onnx"):
        export_model(vocoder_run, tmp_path / "out", target="openvino", precision="int8")
    assert not (tmp_path / "out").exists()


def test_targets_that_are_not_installed(vocoder_run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises((MissingExtraError, ModuleNotFoundError), match="openvino"):
        export_model(vocoder_run, tmp_path / "out", target="openvino")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match="needs NVIDIA's package 'tensorrt', which is not installed"):
        export_model(vocoder_run, tmp_path / "out", target="tensorrt")
    assert not list(tmp_path.rglob("*.onnx"))


def test_tensorrt_without_a_gpu(vocoder_run, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="this machine has none that is usable"):
        export_model(vocoder_run, tmp_path / "out", target="tensorrt")


def test_the_command(vocoder_run, tmp_path, capsys):
    assert main(["export", "model", str(vocoder_run), "-o", str(tmp_path), "--precision", "float16", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"][0]["bytes"] == (tmp_path / "vocoder.onnx").stat().st_size
    assert told["parity"]["relative_error"] < 1e-4 < told["loss"]["relative_error"] * 10
    assert main(["export", "model", str(vocoder_run), "--to", "onnx", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "parity       largest difference" in printed
    assert "loss" not in printed
    assert main(["export", "model", str(tmp_path / "none"), "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_without_the_package_onnx(vocoder_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", "model", str(vocoder_run), "-o", str(tmp_path)]) == 2
    assert "pip install 'glowvox[export]'" in capsys.readouterr().err


def test_the_command_s_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["export", "model", "--help"])
    assert "glowvox export model runs/vocoder" in capsys.readouterr().out
