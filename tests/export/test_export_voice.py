"""Voices packed from two models: they speak without PyTorch, hold their weights once, and say what they are."""

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
from tiny_voice import acoustic_config, acoustic_model, vocoder_model

from glowvox.checkpoint.model_folder import load_model, load_tensors, read_card, save_model
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.engines.choose import EngineChoice
from glowvox.engines.graph_engine import in_8_bits
from glowvox.engines.onnx_engine import OnnxVocoder
from glowvox.engines.openvino_engine import OpenVinoVocoder
from glowvox.errors import EngineError, GlowvoxError, VoiceError
from glowvox.export.calibration import observed_ranges
from glowvox.export.graph_builder import StoredWeights
from glowvox.export.voice_export import VoiceDescription, export_voice, keep_speaker, measured_quality, voice_card
from glowvox.synthesis import voice_folder
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.synthesis.voice_folder import chosen_engine, pack_voice
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

ABOUT = VoiceDescription("tiny", "CC0-1.0", weaknesses=("all",), data="nobody's")
GRAPHS = ("acoustic_encoder.onnx", "acoustic_decoder.onnx", "vocoder.onnx")


def text_of(speakers):
    return {
        "tokenizer": Tokenizer().to_dict(),
        "front_ends": {"en-us": load_front_end("en-us").to_dict()},
        "speakers": list(speakers),
    }


def save_acoustic(folder, speakers=("ann",), audio=None, **changes):
    provenance = {"hours": 1.5, "data": ["tiny"], "text": {**text_of(speakers), **changes}}
    save_model(acoustic_model(len(speakers), audio), folder, provenance=provenance, steps=70)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    save_acoustic(place / "acoustic")
    save_model(vocoder_model(), place / "vocoder", provenance={"hours": 2.0}, steps=90)
    return place


@pytest.fixture(scope="module")
def voice(models, tmp_path_factory):
    out = tmp_path_factory.mktemp("voice") / "tiny"
    return export_voice(models / "acoustic", models / "vocoder", out, ABOUT)


def external(path):
    return [one for one in onnx.load(path, load_external_data=False).graph.initializer if one.data_location == 1]


def test_a_voice_speaks_and_says_what_it_is(voice):
    card = read_voice_card(voice.path)
    assert (card.name, card.language, card.licence, card.speakers) == ("tiny", "en-us", "CC0-1.0", ("ann",))
    assert card.provenance["acoustic"]["hours"] == 1.5
    assert [card.provenance[part]["steps"] for part in ("acoustic", "vocoder")] == [70, 90]
    assert card.provenance["weaknesses"] == ["all"]
    assert card.vocoder.receptive_field == load_model(voice.path / "vocoder").receptive_field
    audio = load_voice(voice.path, engine="onnx").say("Hello there.")
    same = load_voice(voice.path, engine="torch").say("Hello there.")
    assert len(audio.samples) > 2000
    np.testing.assert_allclose(audio.samples, same.samples, atol=1e-4 * np.abs(same.samples).max())


def test_weights_are_stored_once(voice):
    for name in GRAPHS:
        references = external(voice.path / name)
        assert references, name
        stored = {entry.value for one in references for entry in one.external_data if entry.key == "location"}
        assert stored == {f"{name.split('.')[0].split('_')[0]}/model.safetensors"}
    assert all(parity.relative_error < 1e-4 for parity in (*voice.parity.values(), *voice.loss.values()))
    assert {tensor.dtype.itemsize for tensor in load_tensors(voice.path / "vocoder").values()} <= {1, 2}


def test_the_same_models_give_the_same_bytes(models, voice, tmp_path):
    contents = []
    for place in (voice.path, tmp_path / "one", tmp_path / "two"):
        out = place if place.exists() else export_voice(models / "acoustic", models / "vocoder", place, ABOUT).path
        files = sorted(file for file in out.rglob("*") if file.is_file())
        pack_voice(out, tmp_path / "packed.voice")
        contents.append({str(file.relative_to(out)): file.read_bytes() for file in files})
        contents[-1]["packed"] = (tmp_path / "packed.voice").read_bytes()
    assert contents[0] == contents[1] == contents[2]
    export_voice(models / "acoustic", models / "vocoder", tmp_path / "three.voice", ABOUT)
    assert (tmp_path / "three.voice").read_bytes() == contents[0]["packed"]


def test_8_bits_and_no_models(models, tmp_path):
    out = tmp_path / "tiny"
    export_voice(models / "acoustic", models / "vocoder", out, ABOUT, precision="int8", trainable=False)
    assert sorted(file.name for file in out.iterdir()) == sorted([*GRAPHS, "voice.json", "README.md"])
    assert not any(external(out / name) for name in GRAPHS)
    assert len(load_voice(out, engine="onnx").say("Hello.").samples) > 1000
    with pytest.raises(VoiceError, match="no model folders"):
        load_voice(out, engine="torch")


def test_8_bits_stream_as_the_whole_and_keep_the_models(models, tmp_path):
    out = tmp_path / "tiny"
    done = export_voice(models / "acoustic", models / "vocoder", out, ABOUT, precision="int8")
    assert all(external(out / name) for name in GRAPHS)
    assert all(parity.relative_error < 1e-4 for parity in done.parity.values())
    assert in_8_bits(out / "vocoder.onnx")
    voice = load_voice(out, engine="onnx", threads=1)
    whole = voice.say("Hello there, and a few more words.").samples
    pieces = [chunk.samples for chunk in voice.stream("Hello there, and a few more words.")]
    assert len(pieces) > 1
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6 * np.abs(whole).max())
    exact = load_voice(out, engine="torch").say("Hello there, and a few more words.", seed=0)
    assert not np.array_equal(exact.samples, whole[: len(exact.samples)])


def test_8_bits_run_in_onnx_runtime_alone(models, tmp_path, monkeypatch):
    out = tmp_path / "tiny"
    export_voice(models / "acoustic", models / "vocoder", out, ABOUT, precision="int8", trainable=False)
    monkeypatch.setattr(voice_folder, "choose_engine", lambda *_, **__: EngineChoice("openvino", "it is faster"))
    assert chosen_engine(out) == "onnx"
    pytest.importorskip("openvino")
    with pytest.raises(EngineError, match="choose the engine onnx"):
        OpenVinoVocoder.load(out)


def test_scales_of_8_bits_are_what_sentences_meet(models, tmp_path):
    card = voice_card(read_card(models / "acoustic"), read_card(models / "vocoder"), ABOUT)
    folders = {"acoustic": models / "acoustic", "vocoder": models / "vocoder"}
    few, more = (observed_ranges(folders, card, said) for said in (["Hello."], ["Hello.", "Good night, everyone."]))
    assert few.keys() == more.keys() == set(GRAPHS)
    for name in GRAPHS:
        assert few[name].keys() == more[name].keys() and len(few[name]) > 3
        assert all(0 < few[name][product] <= more[name][product] for product in few[name])
    assert any(few[name] != more[name] for name in GRAPHS)
    with pytest.raises(VoiceError, match=r"no sentences in 'fr-fr'.*--calibration"):
        observed_ranges(folders, dataclasses.replace(card, language="fr-fr", front_ends={"fr-fr": {}}))


def test_models_that_do_not_belong_together_are_refused(models, tmp_path):
    other = save_acoustic(tmp_path / "other", audio=AudioConfig(f_max=7600.0))
    with pytest.raises(VoiceError, match="f_max"):
        export_voice(other, models / "vocoder", tmp_path / "out.voice", ABOUT)
    with pytest.raises(VoiceError, match="got a waveglow and a glow_tts"):
        export_voice(models / "vocoder", models / "acoustic", tmp_path / "out.voice", ABOUT)
    save_model(acoustic_model(), tmp_path / "mute")
    with pytest.raises(VoiceError, match="text front end"):
        export_voice(tmp_path / "mute", models / "vocoder", tmp_path / "out.voice", ABOUT)
    provenance = {"text": text_of(("ann", "bob"))}
    save_model(acoustic_model(), tmp_path / "crowd", provenance=provenance)
    with pytest.raises(VoiceError, match="speakers"):
        export_voice(tmp_path / "crowd", models / "vocoder", tmp_path / "out.voice", ABOUT)
    assert not (tmp_path / "out.voice").exists()


def test_what_is_there_is_kept(models, voice, tmp_path):
    out = tmp_path / "tiny.voice"
    out.write_bytes(b"mine")
    with pytest.raises(VoiceError, match="--force"):
        export_voice(models / "acoustic", models / "vocoder", out, ABOUT)
    assert out.read_bytes() == b"mine"
    (tmp_path / "letters").mkdir()
    with pytest.raises(VoiceError, match="letters: is there already and is no voice; choose another name"):
        export_voice(models / "acoustic", models / "vocoder", tmp_path / "letters", ABOUT, replace=True)
    export_voice(models / "acoustic", models / "vocoder", out, ABOUT, replace=True)
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
    ours, theirs = load_voice(out, engine="onnx"), load_voice(voice.path, engine="onnx")
    np.testing.assert_array_equal(ours.say("One, two.").samples, theirs.say("One, two.").samples)


def test_the_command(models, tmp_path, capsys):
    report = {"subject": "vocoder", "systems": {"v1": {"pesq": {"value": 2.123456, "clips": 3}}}, "settings": {}}
    (tmp_path / "report.json").write_text(json.dumps(report))
    arguments = ["export", "voice", "--acoustic", str(models / "acoustic"), "--vocoder", str(models / "vocoder")]
    arguments += [
        "--precision",
        "float32",
        "--licence",
        "CC0-1.0",
        "-o",
        str(tmp_path / "ann.voice"),
        "--json",
        "--default",
        "temperature=0.5",
    ]
    assert main([*arguments, "--quality", str(tmp_path / "report.json")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == sum(told["files"].values())
    assert told["name"] == "ann"
    voice = load_voice(tmp_path / "ann.voice")
    assert voice.card.quality["vocoder"]["systems"]["v1"]["pesq"] == 2.1235
    assert voice.card.defaults.temperature == 0.5
    for wrong in (["--default", "loud=1"], ["--default", "sigma=x"], ["--default", "sigma"], ["--language", "de-de"]):
        assert main([*arguments, "--force", *wrong]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    before = (tmp_path / "ann.voice").read_bytes()
    for name in ("licence", "name", "acoustic", "vocoder", "language", "only-speaker", "weakness"):
        for blank in ("", " "):
            assert main([*arguments, "--force", f"--{name}={blank}"]) == 2
            assert capsys.readouterr().err == f"glowvox export: --{name} must not be blank: say what is meant\n"
    assert (tmp_path / "ann.voice").read_bytes() == before
    with pytest.raises(VoiceError, match="needs a licence"):
        export_voice(models / "acoustic", models / "vocoder", tmp_path / "none", VoiceDescription("ann", " "))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"subject": "vocoder", "systems": {"a": {"pesq": {"value": null}}}}', '{"systems": 3}'],
)
def test_other_files_are_no_reports(tmp_path, content):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(VoiceError, match="report"):
        measured_quality([tmp_path / "report.json"])
    with pytest.raises(VoiceError, match="cannot be read"):
        measured_quality([tmp_path / "absent.json"])


def test_one_speaker_of_several_becomes_a_voice(models, tmp_path, capsys):
    front_ends = {tag: load_front_end(tag).to_dict() for tag in ("de-de", "en-us")}
    save_acoustic(tmp_path / "both", ("ann", "bob"), front_ends=front_ends)
    parts = ["--acoustic", str(tmp_path / "both"), "--vocoder", str(models / "vocoder"), "--licence", "CC0-1.0"]
    chosen = ["--only-speaker", "bob", "--language", "en-us", "-o", str(tmp_path / "bob")]
    assert main(["export", "voice", *parts, *chosen]) == 0
    card = read_voice_card(tmp_path / "bob")
    assert card.speakers == ("bob",) and list(card.front_ends) == ["en-us"] and card.language == "en-us"
    model = load_model(tmp_path / "bob" / "acoustic")
    assert model.speakers is None and read_card(tmp_path / "bob" / "acoustic").steps == 70
    assert np.isfinite(load_voice(tmp_path / "bob").say("Hello, you.").samples).all()
    capsys.readouterr()
    for wrong in (["--only-speaker", "eve"], ["--only-speaker", "bob", "--language", "fr-fr"]):
        assert main(["export", "voice", *parts, *wrong, "-o", str(tmp_path / "none")]) == 2
        assert "ann, bob and reads de-de, en-us; there is no" in capsys.readouterr().err
    assert keep_speaker(models / "acoustic", "ann", tmp_path / "ann", language="en-us") == tmp_path / "ann"
    with pytest.raises(VoiceError, match="has speakers to keep"):
        keep_speaker(models / "vocoder", "ann", tmp_path / "none")


def test_stored_matrices_are_found(models):
    weights = StoredWeights(models / "acoustic" / "model.safetensors", "acoustic/model.safetensors")
    tensors = load_tensors(models / "acoustic")
    table = tensors["encoder.embedding.weight"].double().numpy()
    [block] = weights.find(4.0 * table)
    assert block.perm is None
    np.testing.assert_allclose(block.gain, 4.0)
    name = "encoder.transformer.layers.0.attention.query_key_value.weight"
    turned = tensors[name].double().numpy().T
    gain = np.random.default_rng(0).uniform(-2, 2, turned.shape[1])
    first, second = weights.find(np.concatenate([turned * gain, turned]))
    np.testing.assert_allclose(first.gain, gain)
    assert second.gain is None
    assert weights.find(turned + 1e-6) is None
    assert weights.find(np.zeros((64, 64))) is None
    assert weights.find(turned[:1]) is None


def test_a_graph_may_not_refer_to_files_elsewhere(voice, tmp_path):
    place = tmp_path / "voice"
    shutil.copytree(voice.path, place)
    elsewhere = ("../secret/model.safetensors", str(voice.path / "vocoder" / "model.safetensors"))
    for location, said in (
        *((one, "cannot open") for one in elsewhere),
        ("absent", "absent with its weights is missing"),
    ):
        graph = onnx.load(voice.path / "vocoder.onnx", load_external_data=False)
        for one in graph.graph.initializer:
            for entry in one.external_data:
                if entry.key == "location":
                    entry.value = location
        shutil.copytree(voice.path / "vocoder", tmp_path / "secret", dirs_exist_ok=True)
        (place / "vocoder.onnx").write_bytes(graph.SerializeToString())
        with pytest.raises(EngineError, match=said):
            OnnxVocoder.load(place)


def test_a_truncated_weights_file_is_refused(voice, tmp_path):
    place = tmp_path / "voice"
    shutil.copytree(voice.path, place)
    file = place / "vocoder" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(GlowvoxError):
        load_voice(place, engine="onnx")


def test_the_card_of_the_models_stays_with_them(voice):
    card = read_card(voice.path / "acoustic")
    assert card.steps == 70
    assert card.provenance["text"]["speakers"] == ["ann"]
    assert card.config == acoustic_config()
