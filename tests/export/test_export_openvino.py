"""Exports to OpenVINO's own format, and its engine; only where OpenVINO is installed."""

import pytest
from export_models import random_model, vocoder_configs

pytest.importorskip("openvino")

from glowvox.checkpoint.model_folder import load_model, save_model
from glowvox.engines.openvino_engine import OpenVinoAcoustic, OpenVinoVocoder
from glowvox.errors import EngineError
from glowvox.export.export_model import export_model
from glowvox.export.parity import acoustic_parity, vocoder_parity


def test_a_vocoder(vocoder_run, tmp_path):
    report = export_model(vocoder_run, tmp_path, target="openvino")
    assert [file.name for file in report.files] == ["vocoder.xml", "vocoder.bin"]
    assert report.loss.relative_error < 1e-4
    engine = OpenVinoVocoder.load(tmp_path, threads=1, precision="bfloat16")
    assert engine.card.provenance["licence"] == "CC0"
    assert vocoder_parity(load_model(vocoder_run), engine).snr_db > 20


def test_an_acoustic_model(acoustic_run, tmp_path):
    report = export_model(acoustic_run, tmp_path, target="openvino", precision="float16")
    assert len(report.files) == 4
    assert report.loss.snr_db > 50
    engine = OpenVinoAcoustic.load(tmp_path, threads=1, precision="float32")
    assert acoustic_parity(load_model(acoustic_run), engine).snr_db > 50


@pytest.mark.parametrize("name", ["waveglow-256", "squeezewave-a128-c128", "two groups in a frame"])
def test_runs_onnx_files(name, tmp_path):
    model = random_model(vocoder_configs()[name])
    save_model(model, tmp_path / "model")
    export_model(tmp_path / "model", tmp_path)
    engine = OpenVinoVocoder.load(tmp_path / "vocoder.onnx", threads=2, precision="float32")
    assert vocoder_parity(model, engine).relative_error < 1e-4


def test_bad_input(vocoder_run, tmp_path):
    with pytest.raises(EngineError, match="threads must be a whole number from 1 to 4096"):
        export_model(vocoder_run, tmp_path, target="openvino")
        OpenVinoVocoder.load(tmp_path, threads=0)
    with pytest.raises(EngineError, match="precision must be auto"):
        OpenVinoVocoder.load(tmp_path, precision="float8")
    with pytest.raises(EngineError, match="type 'waveglow'"):
        (tmp_path / "acoustic_encoder.xml").write_bytes((tmp_path / "vocoder.xml").read_bytes())
        (tmp_path / "acoustic_encoder.bin").write_bytes((tmp_path / "vocoder.bin").read_bytes())
        (tmp_path / "acoustic_decoder.xml").write_bytes(b"")
        OpenVinoAcoustic.load(tmp_path)
    place = tmp_path / "vocoder.xml"
    place.write_bytes(place.read_bytes()[:500])
    with pytest.raises(EngineError, match="OpenVINO cannot open it"):
        OpenVinoVocoder.load(tmp_path)
