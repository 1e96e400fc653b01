"""The graphs say what the models say, for every shipped family, batch and length."""

import copy
from collections import defaultdict

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from export_models import ACOUSTIC_CONFIGS, random_model, vocoder_configs

from glowvox.audio.pitch import harmonic_features
from glowvox.checkpoint.model_folder import ModelCard
from glowvox.engines.graph_engine import STREAM_KEY, StreamCard, read_metadata
from glowvox.engines.machine import processor
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder, multiplies_exactly, open_session
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import EngineError
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.parity import TOLERANCE, Parity, acoustic_parity, compared, random_mel, vocoder_parity

ALLOWED = """
Add Cast Concat Div Erf Exp Expand Gather GatherElements Gemm Identity LayerNormalization Less Log MatMul Max Min Mul
Neg Pad Range ReduceMean Relu Reshape Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze
"""
"""What the graphs may consist of: all of it is known to the usual engines, and none of it branches or loops."""


@pytest.mark.parametrize("name", vocoder_configs())
def test_a_vocoder(name, tmp_path):
    config = vocoder_configs()[name]
    model = random_model(config)
    cards = graph_cards(model, ModelCard(config))
    write_graphs(model, cards, tmp_path, "float32")
    engine = OnnxVocoder.load(tmp_path, threads=1)
    facts = (engine.audio, engine.n_group, engine.receptive_field)
    assert facts == (config.audio, config.n_group, model.receptive_field)
    parity = vocoder_parity(model, engine)
    assert 0 < parity.relative_error < TOLERANCE / 3
    assert parity.snr_db > 90
    graph = onnx.load(tmp_path / "vocoder.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert {node.op_type for node in graph.graph.node} <= set(ALLOWED.split())
    assert [entry.version for entry in graph.opset_import] == [17]
    free = {entry.name: [size.dim_param for size in entry.type.tensor_type.shape.dim] for entry in graph.graph.input}
    assert free.pop("latent") == ["B", "", "N"]
    assert free.pop("mel") == ["B", "", "T"]
    assert free.pop("position") == free.pop("final") == [""]
    assert {name: sizes for name, sizes in free.items() if sizes != ["B", f"{name}.rows", ""]} == {}


@pytest.mark.parametrize("name", ACOUSTIC_CONFIGS)
def test_an_acoustic_model(name, tmp_path):
    config = ACOUSTIC_CONFIGS[name]
    model = random_model(config)
    write_graphs(model, graph_cards(model, ModelCard(config)), tmp_path, "float32")
    engine = OnnxAcoustic.load(tmp_path, threads=1)
    assert (engine.n_symbols, engine.n_speakers, engine.n_squeeze) == (20, config.n_speakers, config.n_squeeze)
    parity = acoustic_parity(model, engine)
    assert 0 < parity.relative_error < TOLERANCE / 3
    for file in tmp_path.iterdir():
        graph = onnx.load(file)
        onnx.checker.check_model(graph, full_check=True)
        assert {node.op_type for node in graph.graph.node} <= set(ALLOWED.split())


@pytest.mark.parametrize(("name", "told"), [("melody and speakers", 2), ("melody and many speakers", 4)])
def test_speakers_beside_a_pitch_take_few_channels_of_every_row(name, told, tmp_path):
    config = ACOUSTIC_CONFIGS[name]
    model = random_model(config)
    write_graphs(model, graph_cards(model, ModelCard(config)), tmp_path, "float32")
    place = tmp_path / "acoustic_decoder.onnx"
    card = StreamCard.from_json(read_metadata(place)[STREAM_KEY], str(place))
    [channels] = [channels for name, (rows, channels) in card.states.items() if "condition" in name]
    assert channels == config.melody_channels + told
    engine, pitch = OnnxAcoustic.load(tmp_path, threads=1), np.array([[210.0] * 8, [140.0] * 8])
    latent = np.random.default_rng(0).standard_normal((2, 80, 8)).astype(np.float32)
    comb, lengths, speaker = harmonic_features(pitch, config.audio), np.array([8, 6]), np.array([1, 0])
    expected = TorchAcoustic(model).decode(latent, lengths, speaker, comb)
    np.testing.assert_allclose(engine.decode(latent, lengths, speaker, comb), expected, atol=1e-4)
    swapped = engine.decode(latent, lengths, speaker[::-1].copy(), comb)
    assert np.abs(swapped - expected).max() > 1e-2


def test_padding_changes_nothing(tmp_path):
    config = ACOUSTIC_CONFIGS["speakers"]
    model = random_model(config)
    write_graphs(model, graph_cards(model, ModelCard(config)), tmp_path, "float32")
    engine = OnnxAcoustic.load(tmp_path, threads=1)
    tokens, speaker = np.arange(18).reshape(2, 9), np.array([2, 0])
    both = engine.encode(tokens, np.array([9, 4]), speaker)
    alone = engine.encode(tokens[1:, :4], np.array([4]), speaker[1:])
    np.testing.assert_allclose(both.mean[1:, :, :4], alone.mean, atol=1e-5)
    np.testing.assert_allclose(both.log_duration[1:, :4], alone.log_duration, atol=1e-5)
    assert not both.mean[1, :, 4:].any()
    assert not both.log_duration[1, 4:].any()
    latent = np.random.default_rng(0).standard_normal((2, 80, 12)).astype(np.float32)
    mel = engine.decode(latent, np.array([12, 6]), speaker)
    short = engine.decode(latent[1:, :, :6], np.array([6]), speaker[1:])
    np.testing.assert_allclose(mel[1:, :, :6], short, atol=1e-5)
    assert not mel[1, :, 6:].any()


@pytest.mark.parametrize("part", ["step_0/layer_1", "step_4", "scale", "condition"])
def test_a_wrong_weight_anywhere_is_noticed(part, tmp_path):
    config = vocoder_configs()["lapped-small"]
    model = random_model(config)
    other = random_model(config)
    named = {
        "step_0/layer_1": other.steps.get_submodule("0").coupling.network.layers[1].dilated.weight,
        "step_4": other.steps.get_submodule("4").convolution.weight,
        "scale": other.scale.network.correction.bias,
        "condition": other.encoder.second.weight,
    }
    with torch.no_grad():
        named[part][0] += 0.02
    write_graphs(other, graph_cards(other, ModelCard(config)), tmp_path, "float32")
    parity = vocoder_parity(model, OnnxVocoder.load(tmp_path, threads=1))
    assert parity.relative_error > TOLERANCE
    with pytest.raises(EngineError, match=r"the export: .* nothing was written"):
        parity.require("the export")


def _ill_conditioned(config, factor):
    """A model whose couplings magnify what float32 rounds off."""
    model = random_model(config)
    with torch.no_grad():
        for step in model.steps:
            network = step.coupling.network
            network.start.weight *= factor
            network.end.weight *= factor
    return model


def test_exact_products_are_asked_of_releases_that_have_them():
    versions = ("1.20.0", "1.29.0", "1.30.0", "1.31.1", "2.0.0", "1.30.0.dev20261101", "1.30", "unknown")
    assert [multiplies_exactly(version) for version in versions] == [False, False, True, True, True, True, True, False]


@pytest.mark.parametrize("kept", [False, True], ids=["opened", "from the cache"])
def test_products_in_8_bits_do_not_overflow(kept, tmp_path, monkeypatch):
    """Pairs of products in 16 bits do, on processors without VNNI, where both factors are near their largest."""
    if not multiplies_exactly(onnxruntime.__version__) and not {"avx_vnni", "avx512_vnni"} & set(processor().features):
        pytest.skip("this ONNX Runtime has no exact products on this processor")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows, matrix = np.ones((3, 256), np.float32), np.ones((256, 8))
    rows[1], matrix[:, 1] = -1.0, -1.0
    graph = GraphBuilder("int8", ranges={"product_1": 1.0})
    given = graph.input("rows", ["R", 256], np.float32)
    graph.output(graph.linear(given, matrix, np.zeros(8)), "product", ["R", 8])
    path = tmp_path / "product.onnx"
    path.write_bytes(graph.model("product", {}).SerializeToString())
    session = open_session(path, threads=1)
    if kept:
        session = open_session(path, threads=1)
    [product] = session.run(None, {"rows": rows})
    np.testing.assert_allclose(product, rows @ matrix, rtol=0.01)


def test_weights_that_float32_cannot_tell_apart_are_compared_with_float64(tmp_path):
    config = vocoder_configs()["lapped-small"]
    model = _ill_conditioned(config, 20.0)
    write_graphs(model, graph_cards(model, ModelCard(config)), tmp_path, "float32")
    engine = OnnxVocoder.load(tmp_path, threads=1)
    simple, proof = vocoder_parity(model, engine), vocoder_parity(model, engine, proof=True)
    assert simple.relative_error > TOLERANCE
    assert simple.rounding == 0.0
    assert TOLERANCE < proof.rounding < 0.1
    assert proof.relative_error < proof.allowed == 2 * proof.rounding
    proof.require("the export")
    with pytest.raises(EngineError, match=r"the export: .* at most 0\.0001 is allowed"):
        simple.require("the export")
    with torch.no_grad():
        model.steps.get_submodule("2").convolution.weight[0, 0] += 0.01
    wrong = vocoder_parity(model, engine, proof=True)
    with pytest.raises(EngineError, match=r"differs from the PyTorch model \(in float32 that is .* from float64"):
        wrong.require("the export")


def test_float64_tells_more_than_float32():
    config = ACOUSTIC_CONFIGS["speakers"]
    model = random_model(config)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    exact, single = TorchAcoustic(copy.deepcopy(model), dtype="float64"), TorchAcoustic(model)
    assert all(value.dtype in (torch.float32, torch.bool) for value in model.state_dict().values())
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    latent = np.random.default_rng(0).standard_normal((1, 80, 40)).astype(np.float32)
    arguments = (latent, np.array([40]), np.array([1]))
    difference = np.abs(exact.decode(*arguments) - single.decode(*arguments)).max()
    assert 0 < difference < 1e-4


def test_comparison():
    wanted = np.array([1.0, -2.0, 0.0], np.float32)
    assert compared([((wanted,), (wanted,))]) == Parity(0.0, np.inf)
    found = compared([((wanted,), (wanted,)), ((wanted + np.float32(0.02),), (wanted,))])
    assert found.relative_error == pytest.approx(0.01, rel=1e-5)
    assert found.snr_db == pytest.approx(10 * np.log10(5 / (3 * 0.02**2)), abs=1e-3)
    for bad in (np.nan, np.inf):
        broken = compared([((np.array([bad, 0.0, 0.0], np.float32),), (wanted,)), ((wanted,), (wanted,))])
        assert broken.relative_error == np.inf
        with pytest.raises(EngineError, match="differs"):
            broken.require("it")


def test_random_mels_speak_the_contract_s_units():
    audio = vocoder_configs()["another contract"].audio
    natural = random_mel(vocoder_configs()["waveglow-256"].audio, (80, 50), np.random.default_rng(0))
    decibels = random_mel(audio, (80, 50), np.random.default_rng(0))
    np.testing.assert_allclose(decibels * 20 - 40, natural * 20 / np.log(10), rtol=1e-4, atol=1e-4)


def test_taps_are_rounded_once_and_not_otherwise_than_side_by_side(tmp_path, monkeypatch):
    config = ACOUSTIC_CONFIGS["melody"]
    model = random_model(config)
    ranges = defaultdict(lambda: defaultdict(lambda: 5.0))
    latent = np.random.default_rng(0).standard_normal((1, 80, 12)).astype(np.float32)
    comb = harmonic_features(np.full((1, 12), 190.0), config.audio)
    mels, rounded = [], []
    for folder in (tmp_path / "once", tmp_path / "each"):
        folder.mkdir()
        write_graphs(model, graph_cards(model, ModelCard(config)), folder, "int8", ranges=ranges)
        decoder = onnx.load(folder / "acoustic_decoder.onnx").graph
        used = {name for node in decoder.node for name in node.input} | {output.name for output in decoder.output}
        assert all(used & set(node.output) for node in decoder.node)  # nothing is computed for nobody
        made = {output: node for node in decoder.node for output in node.output}
        narrow = [node for node in decoder.node if node.op_type == "QuantizeLinear"]
        rounded.append(sum(made[node.input[0]].op_type == "Reshape" for node in narrow if node.input[0] in made))
        mels.append(OnnxAcoustic.load(folder, threads=1).decode(latent, np.array([12]), None, comb))
        monkeypatch.setattr(
            GraphBuilder, "_narrowed", lambda self, rows, *scale: self.op("QuantizeLinear", rows, *scale)
        )
    np.testing.assert_array_equal(*mels)
    assert rounded[0] < rounded[1]
