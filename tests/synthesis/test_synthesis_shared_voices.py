"""Voices that share one model of several speakers: each has its own card, and speaks as if it were alone."""

import dataclasses
import shutil

import numpy as np
import pytest
from tiny_voice import acoustic_model, vocoder_model

from glowvox.bulk.packed_voice import pack_voice_for_workers
from glowvox.checkpoint.model_folder import save_model
from glowvox.errors import VoiceError
from glowvox.export.voice_export import VoiceDescription, export_voice, share_voice
from glowvox.synthesis.aligner import load_aligner
from glowvox.synthesis.installed_voices import installed_voices, load_voice, model_path
from glowvox.synthesis.voice_card import VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import pack_voice, write_voice
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

TEXT = "Hello there."


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    """A folder with `bob`, whose model has three speakers, and `carl`, who shares it; `all` offers everyone."""
    place = tmp_path_factory.mktemp("shared")
    text = {
        "tokenizer": Tokenizer().to_dict(),
        "front_ends": {tag: load_front_end(tag).to_dict() for tag in ("en-us", "de-de")},
        "speakers": ["ann", "bob", "carl"],
    }
    save_model(acoustic_model(3), place / "acoustic", provenance={"text": text}, steps=1)
    save_model(vocoder_model(), place / "vocoder", steps=1)
    models = place / "acoustic", place / "vocoder"
    base = VoiceDescription("bob", "CC0-1.0", "en-us", {"carl": "de-de"}, speakers=("bob",))
    folder = place / "voices"
    export_voice(*models, folder / "bob", base)
    share_voice(folder / "bob", folder / "carl", VoiceDescription("carl", "MIT", "de-de", speakers=("carl",)))
    export_voice(*models, place / "all", VoiceDescription("all", "CC0-1.0", "en-us", {"carl": "de-de"}))
    return folder


def test_each_speaks_as_its_own_speaker_and_offers_nobody_else(voices):
    everyone = load_voice(voices.parent / "all", engine="onnx")
    for name, language in (("bob", "en-us"), ("carl", "de-de")):
        voice = load_voice(voices / name, engine="onnx")
        assert voice.speakers == (name,)
        assert list(voice.card.front_ends) == [language]
        wanted = everyone.say(TEXT, speaker=name, language=language, seed=1).samples
        np.testing.assert_array_equal(voice.say(TEXT, seed=1).samples, wanted)
        with pytest.raises(VoiceError, match=f"has no speaker 'ann'; it has {name}"):
            voice.say(TEXT, speaker="ann")
    assert read_voice_card(voices / "carl").licence == "MIT"


def test_a_voice_that_shares_holds_its_card_alone(voices):
    assert sorted(path.name for path in (voices / "carl").iterdir()) == ["README.md", "voice.json"]
    assert model_path(str(voices / "carl"), "acoustic") == voices / "bob" / "acoustic"
    aligner = load_aligner(voices / "carl")
    assert aligner.speakers == ("ann", "bob", "carl")
    assert aligner.reader.speaker_number(None) == 2
    assert aligner.reader.language_of(None) == "de-de"


def test_names_are_found_and_packed_files_stand_alone(voices, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", str(voices))
    assert {"bob", "carl"} <= {voice.name for voice in installed_voices()}
    wanted = load_voice("carl", engine="onnx").say(TEXT, seed=1).samples
    pack_voice(voices / "carl", tmp_path / "carl.voice")
    alone = load_voice(tmp_path / "carl.voice", engine="onnx")
    assert alone.card.shares == ""
    np.testing.assert_array_equal(alone.say(TEXT, seed=1).samples, wanted)
    monkeypatch.setenv("GLOWVOX_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        model = model_path(str(tmp_path / "carl.voice"), "acoustic")
        assert model.parent == tmp_path / "cache" / "models"
        for name in ("config.json", "model.safetensors"):
            assert (model / name).read_bytes() == (voices / "bob" / "acoustic" / name).read_bytes()
    assert [entry.name for entry in model.parent.iterdir()] == [model.name]
    (tmp_path / "wrong.voice").write_bytes(b"PK")
    with pytest.raises(VoiceError, match=r"wrong\.voice: damaged"):
        model_path(str(tmp_path / "wrong.voice"), "acoustic")
    sent = pack_voice_for_workers("carl", "onnx")
    assert sent.name == "carl" and len(sent.content) > 10_000


def test_the_other_folder_must_be_there(voices, tmp_path):
    shutil.copytree(voices / "carl", tmp_path / "carl")
    with pytest.raises(VoiceError, match="the files of the voice 'bob', which is not beside it"):
        load_voice(tmp_path / "carl")
    with pytest.raises(VoiceError, match="lies in the same folder"):
        share_voice(voices / "bob", tmp_path / "new", VoiceDescription("new", "MIT", speakers=("ann",)))


@pytest.mark.parametrize("shares", ["../bob", ".bob", "a/b", "b" * 101])
def test_a_card_cannot_lead_out_of_the_folder(voices, shares):
    content = read_voice_card(voices / "carl").to_dict() | {"shares": shares}
    with pytest.raises(VoiceError, match="is no name of a voice's folder"):
        VoiceCard.from_dict(content)


def test_cards_that_contradict_themselves_are_refused(voices, tmp_path):
    card = read_voice_card(voices / "carl")
    assert VoiceCard.from_dict(card.to_dict()) == card
    with pytest.raises(VoiceError, match="does not name every speaker"):
        dataclasses.replace(card, model_speakers=("ann", "bob"))
    with pytest.raises(VoiceError, match="has none of its own"):
        write_voice(tmp_path / "carl", card, {"vocoder.onnx": voices / "bob" / "vocoder.onnx"})
