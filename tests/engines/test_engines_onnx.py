"""The ONNX Runtime engine runs what was exported, and says clearly what it cannot open."""

import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from glowvox.config.audio import AudioConfig
from glowvox.engines.graph_engine import METADATA_KEY, GraphCard, read_metadata
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxMelVocoder, OnnxVocoder, open_session
from glowvox.errors import EngineError, MelError, TextError, VoiceError
from glowvox.synthesis.installed_voices import packaged_folder


@pytest.fixture
def window():
    generator = np.random.default_rng(0)
    latent = generator.standard_normal((2, 64, 5 * 4), np.float32)
    return latent, generator.normal(-5, 2, (2, 80, 5)).astype(np.float32)


def _rewritten(source, target, change):
    model = onnx.load(source)
    change(model)
    onnx.save(model, target)
    return target


def _with_card(source, target, **changes):
    def change(model):
        content = json.loads(model.metadata_props[0].value) | changes
        model.metadata_props[0].value = json.dumps(content)

    return _rewritten(source, target, change)


def test_threads_and_batches_change_nothing(vocoder_folder, window):
    latent, mel = window
    engine = OnnxVocoder.load(vocoder_folder, threads=1)
    samples = engine.run(latent, mel)
    assert samples.dtype == np.float32
    assert samples.shape == (2, 5 * 256)
    np.testing.assert_allclose(OnnxVocoder.load(vocoder_folder, threads=2).run(latent, mel), samples, atol=1e-6)
    np.testing.assert_allclose(engine.run(latent[1:], mel[1:])[0], samples[1], atol=1e-6)
    turned = [np.asfortranarray(array) for array in window]
    np.testing.assert_array_equal(engine.run(*turned), samples)


def test_takes_a_file_or_a_folder(vocoder_folder, window):
    by_file = OnnxVocoder.load(str(vocoder_folder / "vocoder.onnx"), threads=1)
    np.testing.assert_array_equal(by_file.run(*window), OnnxVocoder.load(vocoder_folder, threads=1).run(*window))


@pytest.mark.parametrize("threads", [0, -1, 5000])
def test_impossible_threads(vocoder_folder, acoustic_folder, threads):
    for load in (
        lambda: OnnxVocoder.load(vocoder_folder, threads=threads),
        lambda: OnnxAcoustic.load(acoustic_folder, threads=threads),
    ):
        with pytest.raises(EngineError, match=f"threads must be a whole number from 1 to 4096, got {threads}"):
            load()


def test_bad_mels(vocoder_folder, window):
    latent, mel = window
    engine = OnnxVocoder.load(vocoder_folder, threads=1)
    with pytest.raises(EngineError, match="not finite"):
        engine.run(latent, np.full_like(mel, np.nan))
    with pytest.raises(MelError, match="at least one frame"):
        engine.run(latent[:, :, :0], mel[:, :, :0])
    with pytest.raises(MelError, match=r"expected a mel \[B, 80, T\]"):
        engine.run(latent, mel[:, :79])
    with pytest.raises(EngineError, match="ONNX Runtime failed"):
        engine.run(latent.astype(np.float64), mel)


@pytest.mark.parametrize("kept", [0, 1, 10, 0.3, 0.9, 0.999, -1])
def test_truncated_files(vocoder_folder, tmp_path, kept):
    content = (vocoder_folder / "vocoder.onnx").read_bytes()
    size = kept if isinstance(kept, int) and kept >= 0 else len(content) - 1 if kept == -1 else int(kept * len(content))
    (tmp_path / "vocoder.onnx").write_bytes(content[:size])
    with pytest.raises(EngineError, match=r"vocoder\.onnx: .*(truncated|not an ONNX file|damaged).*export"):
        OnnxVocoder.load(tmp_path)


def test_any_bytes_give_an_engine_error(tmp_path):
    generator = np.random.default_rng(0)
    place = tmp_path / "vocoder.onnx"
    for size in range(1, 300, 7):
        place.write_bytes(generator.integers(0, 256, size, np.uint8).tobytes())
        with pytest.raises(EngineError, match="vocoder"):
            OnnxVocoder.load(place)


def test_a_damaged_graph_with_sound_metadata(vocoder_folder, tmp_path):
    def change(model):
        model.graph.node[3].op_type = "NoSuchOperator"

    place = _rewritten(vocoder_folder / "vocoder.onnx", tmp_path / "vocoder.onnx", change)
    with pytest.raises(EngineError, match="ONNX Runtime cannot open it"):
        OnnxVocoder.load(place)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 3}, "format version '3', this program reads 1 and 2"),
        ({"format_version": None}, "format version"),
        ({"type": "glow_tts_encoder"}, "holds a graph of type 'glow_tts_encoder'; one of type 'waveglow' is needed"),
        ({"type": "toaster"}, "metadata is damaged: metadata.type"),
        ({"n_group": 7}, "does not divide the hop length"),
        ({"n_group": -64}, "does not divide the hop length"),
        ({"receptive_field": -1}, "not possible"),
        ({"n_squeeze": 0}, "must be at least 1"),
        ({"audio": []}, "metadata is damaged"),
        ({"audio": {"hop_length": 128}}, "fingerprint stored; the file was altered"),
        ({"mel_fingerprint": "0" * 16}, "the file was altered"),
        ({"surprise": 1}, "unknown setting 'surprise'"),
    ],
)
def test_wrong_cards(vocoder_folder, tmp_path, changes, message):
    place = _with_card(vocoder_folder / "vocoder.onnx", tmp_path / "vocoder.onnx", **changes)
    with pytest.raises(EngineError, match=message):
        OnnxVocoder.load(place)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"format_version": 1}', "\x00"])
def test_metadata_that_is_no_card(text):
    with pytest.raises(EngineError, match="file: "):
        GraphCard.from_json(text, "file")


def test_missing_metadata_and_files(vocoder_folder, acoustic_folder, tmp_path):
    place = _rewritten(
        vocoder_folder / "vocoder.onnx", tmp_path / "vocoder.onnx", lambda model: model.ClearField("metadata_props")
    )
    with pytest.raises(EngineError, match="holds no Glowvox metadata"):
        OnnxVocoder.load(place)
    with pytest.raises(EngineError, match="there is no such file"):
        OnnxVocoder.load(tmp_path / "none")
    with pytest.raises(EngineError, match=r"holds no vocoder\.onnx"):
        OnnxVocoder.load(acoustic_folder)
    with pytest.raises(EngineError, match=r"holds no acoustic_encoder\.onnx"):
        OnnxAcoustic.load(tmp_path)


def test_a_damaged_bias(vocoder_folder):
    card = OnnxVocoder.load(vocoder_folder, threads=1).card
    assert len(card.bias()) == 513
    assert card.with_bias([0.5, 2.0]).bias() == [0.5, 2.0]
    for bad in ("!", "AAAA", GraphCard("mel_vocoder", AudioConfig()).with_bias([-1.0]).bias_spectrum):
        with pytest.raises(EngineError, match="bias in the metadata is damaged"):
            GraphCard("mel_vocoder", AudioConfig(), bias_spectrum=bad).bias()
    assert GraphCard("mel_vocoder", AudioConfig()).bias() is None


def test_an_acoustic_model(acoustic_folder):
    engine = OnnxAcoustic.load(acoustic_folder, threads=1)
    encoded = engine.encode(np.array([[1, 2, 3]]), np.array([3]))
    assert encoded.mean.shape == (1, 80, 3)
    assert encoded.log_duration.shape == (1, 3)
    mel = engine.decode(np.zeros((1, 80, 4), np.float32), np.array([4]))
    assert mel.shape == (1, 80, 4)
    with pytest.raises(TextError, match="tokens must lie from 0 to 8"):
        engine.encode(np.array([[9]]), np.array([1]))
    with pytest.raises(VoiceError, match="one speaker"):
        engine.encode(np.array([[1]]), np.array([1]), np.array([0]))


def test_halves_of_different_models(acoustic_folder, tmp_path):
    shutil.copy(acoustic_folder / "acoustic_encoder.onnx", tmp_path)
    decoder = "acoustic_decoder.onnx"
    with pytest.raises(EngineError, match=r"holds no acoustic_decoder\.onnx"):
        OnnxAcoustic.load(tmp_path)
    _with_card(acoustic_folder / decoder, tmp_path / decoder, n_squeeze=4)
    with pytest.raises(EngineError, match=r"belong to different models \(n_squeeze differ\)"):
        OnnxAcoustic.load(tmp_path)
    shutil.copy(acoustic_folder / "acoustic_encoder.onnx", tmp_path / decoder)
    with pytest.raises(EngineError, match="one of type 'glow_tts_decoder' is needed"):
        OnnxAcoustic.load(tmp_path)


def _foreign_vocoder(place, *, hop=256, mels=80, channel=True, metadata=None):
    """A vocoder that repeats the mean of each frame."""
    nodes = [helper.make_node("ReduceMean", ["mel"], ["mean"], axes=[1], keepdims=1)]
    nodes.append(helper.make_node("Resize", ["mean", "", "scales"], ["audio"], mode="nearest"))
    if not channel:
        nodes[1].output[0] = "three"
        nodes.append(helper.make_node("Squeeze", ["three", "axis"], ["audio"]))
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["B", mels, "T"])],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, None)],
        [
            helper.make_tensor("scales", TensorProto.FLOAT, [3], [1.0, 1.0, float(hop)]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, place)
    return place


@pytest.mark.parametrize("channel", [True, False])
def test_a_foreign_vocoder(tmp_path, channel):
    place = _foreign_vocoder(tmp_path / "foreign.onnx", channel=channel)
    engine = OnnxMelVocoder.load(place, AudioConfig(), receptive_field=0, threads=1)
    mel = np.random.default_rng(0).standard_normal((2, 80, 3)).astype(np.float32)
    samples = engine.run(np.empty((2, 0, 0), np.float32), mel)
    np.testing.assert_allclose(samples, np.repeat(mel.mean(1), 256, 1), atol=1e-6)


def test_a_foreign_vocoder_s_stated_contract(tmp_path):
    place = _foreign_vocoder(tmp_path / "foreign.onnx")
    with pytest.raises(EngineError, match="state the mel contract"):
        OnnxMelVocoder.load(place)
    with pytest.raises(EngineError, match=r"expected an input \[B, 64, T\]"):
        OnnxMelVocoder.load(place, AudioConfig(n_mels=64), receptive_field=3)
    with pytest.raises(EngineError, match="cannot be -1"):
        OnnxMelVocoder.load(place, AudioConfig(), receptive_field=-1)
    slow = OnnxMelVocoder.load(place, AudioConfig(hop_length=512), receptive_field=0)
    with pytest.raises(EngineError, match="Is the mel contract stated the model's"):
        slow.run(np.empty((1, 0, 0), np.float32), np.zeros((1, 80, 4), np.float32))
    card = GraphCard("mel_vocoder", AudioConfig(), receptive_field=11)
    own = _foreign_vocoder(tmp_path / "own.onnx", metadata={METADATA_KEY: card.to_json()})
    assert OnnxMelVocoder.load(own, threads=1).receptive_field == 11


def test_a_waveglow_is_no_plain_vocoder(vocoder_folder):
    with pytest.raises(EngineError, match="this graph has the inputs latent, mel"):
        OnnxMelVocoder.load(vocoder_folder / "vocoder.onnx", AudioConfig(), receptive_field=0)


def test_metadata_is_read_without_the_weights(vocoder_folder, tmp_path):
    place = vocoder_folder / "vocoder.onnx"
    stored = {entry.key: entry.value for entry in onnx.load(place, load_external_data=False).metadata_props}
    assert read_metadata(place) == stored
    with pytest.raises(EngineError, match="cannot be read"):
        read_metadata(tmp_path)


def test_runs_without_pytorch_and_onnx(vocoder_folder):
    program = (
        "import sys; sys.modules.update(torch=None, onnx=None)\n"
        "import numpy as np\nfrom glowvox.engines.choose import load_vocoder\n"
        f"engine = load_vocoder({str(vocoder_folder)!r}, engine='onnx', threads=1)\n"
        "print(engine.run(np.zeros((1, 64, 4), np.float32), np.zeros((1, 80, 1), np.float32)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(1, 256)\n", "")


@pytest.mark.parametrize(("kept", "told"), [(None, "is missing"), (0, "is truncated"), (0.5, "is truncated")])
def test_weights_beside_a_graph_that_are_not_all_there(tmp_path, kept, told, capfd):
    nora = packaged_folder() / "nora"
    weights = tmp_path / "acoustic" / "model.safetensors"
    weights.parent.mkdir()
    shutil.copyfile(nora / "acoustic_encoder.onnx", tmp_path / "acoustic_encoder.onnx")
    content = (nora / "acoustic" / "model.safetensors").read_bytes()
    if kept is not None:
        weights.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(EngineError, match=rf"the file .*acoustic/model\.safetensors with its weights {told}; get the"):
        open_session(tmp_path / "acoustic_encoder.onnx", 1)
    weights.write_bytes(content)
    assert open_session(tmp_path / "acoustic_encoder.onnx", 1).get_inputs()
    capfd.readouterr()  # what ONNX Runtime says of it
