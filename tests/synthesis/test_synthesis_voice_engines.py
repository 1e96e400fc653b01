"""A voice through its graphs speaks as through PyTorch; another system's vocoder can take the place of its own."""

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tiny_voice import MODEL_FILES, card, write_tiny_voice

from glowvox.errors import VoiceError
from glowvox.export.export_model import export_model
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice import joined
from glowvox.synthesis.voice_card import VocoderCard
from glowvox.synthesis.voice_folder import GRAPHS, write_voice

TEXT = "Hello, world. How are you today?"


@pytest.fixture(scope="module", params=[("ann",), ("ann", "bob")], ids=["one speaker", "two speakers"])
def both(request, tmp_path_factory):
    """The folder of a voice with graphs and models."""
    place = tmp_path_factory.mktemp("both")
    write_tiny_voice(place / "plain", place / "models", speakers=request.param)
    for part in ("acoustic", "vocoder"):
        export_model(place / "models" / part, place / "graphs")
    files = {name: place / "models" / name for name in MODEL_FILES} | {name: place / "graphs" / name for name in GRAPHS}
    content = json.loads((place / "plain" / "voice.json").read_text(encoding="utf-8"))
    own = dataclasses.replace(
        card(name="both", speakers=request.param),
        vocoder=VocoderCard(card().mel, 256, content["vocoder"]["receptive_field"]),
    )
    write_voice(place / "both", own, files)
    return place / "both"


def test_graphs_speak_as_the_models(both):
    onnx_voice, torch_voice = (load_voice(both, engine=engine, threads=1) for engine in ("onnx", "torch"))
    for speaker in onnx_voice.speakers:
        one, two = (voice.say(TEXT, speaker=speaker) for voice in (onnx_voice, torch_voice))
        assert one.words == two.words
        np.testing.assert_allclose(one.samples, two.samples, rtol=0, atol=1e-4 * np.abs(two.samples).max())
    streamed = joined(onnx_voice.stream(TEXT))
    whole = onnx_voice.say(TEXT)
    np.testing.assert_allclose(streamed.samples, whole.samples, rtol=0, atol=1e-5 * np.abs(whole.samples).max())
    [many, _] = onnx_voice.say_many([TEXT, "Yes."])
    np.testing.assert_allclose(many.samples, whole.samples, rtol=0, atol=1e-5 * np.abs(whole.samples).max())


def test_many_texts_do_not_meet_another_voice_that_took_the_place(both, tmp_path):
    place = tmp_path / "voice"
    shutil.copytree(both, place)
    voice = load_voice(place, engine="onnx", threads=2)
    wanted = [voice.say(text).samples for text in (TEXT, "Yes.")]
    content = json.loads((place / "voice.json").read_text(encoding="utf-8"))
    (place / "voice.json").write_text(json.dumps(content | {"description": "Another one."}), encoding="utf-8")
    for one, other in zip(wanted, voice.say_many([TEXT, "Yes."], batch_size=2), strict=True):
        np.testing.assert_array_equal(one, other.samples)
    assert voice._pool._alone is voice._synthesizer
    shutil.rmtree(place)
    assert len(list(voice.say_many([TEXT, "Yes."], batch_size=2))) == 2


def _foreign(path, hop):
    """A vocoder of another system: repeats the mean of each frame for as many samples as a hop has."""
    nodes = [
        helper.make_node("ReduceMean", ["mel", "axes"], ["level"], keepdims=1),
        helper.make_node("Transpose", ["level"], ["column"], perm=[0, 2, 1]),
        helper.make_node("Tile", ["column", "times"], ["tiled"]),
        helper.make_node("Tanh", ["tiled"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "shape"], ["audio"]),
    ]
    constants = {"axes": [1], "times": [1, 1, hop], "shape": [0, 1, -1]}
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["B", 80, "T"])],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["B", 1, "S"])],
        [helper.make_tensor(name, TensorProto.INT64, [len(row)], row) for name, row in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, path)
    return path


def test_another_systems_vocoder_takes_the_place(both, tmp_path):
    files = {name: both / name for name in GRAPHS} | {"vocoder.onnx": _foreign(tmp_path / "foreign.onnx", 256)}
    original = load_voice(both, engine="onnx", threads=1)
    own = dataclasses.replace(original.card, vocoder=VocoderCard(original.card.mel, 0, 3))
    write_voice(tmp_path / "foreign", own, files)
    voice = load_voice(tmp_path / "foreign", threads=1)
    audio = voice.say(TEXT)
    assert audio.duration == pytest.approx(original.say(TEXT).duration)
    assert audio.words == original.say(TEXT).words
    np.testing.assert_allclose(joined(voice.stream(TEXT)).samples, audio.samples, atol=1e-5)
    decibels = dataclasses.replace(original.card.mel, log="db")
    write_voice(tmp_path / "db", dataclasses.replace(own, vocoder=VocoderCard(decibels, 0, 3)), files)
    assert np.abs(load_voice(tmp_path / "db", threads=1).say(TEXT).samples - audio.samples).max() > 0.001
    wrong = dataclasses.replace(original.card.mel, n_mels=64)
    with pytest.raises(VoiceError, match="n_mels 80 against 64"):
        dataclasses.replace(own, vocoder=VocoderCard(wrong, 0, 3))
