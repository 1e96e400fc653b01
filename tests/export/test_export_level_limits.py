"""Levels measured on recordings become a vocoder's limit, and a voice's."""

import numpy as np
import pytest
import torch
from tiny_data import write_prepared
from tiny_voice import acoustic_config, acoustic_model, vocoder_model

from glowvox.checkpoint.model_folder import load_model, load_tensors, read_card, save_model
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.data.prepared import PreparedData
from glowvox.errors import MelError, VoiceError
from glowvox.export.voice_export import BANDS, QUANTILE, highest_levels, limit_levels
from glowvox.models.glow_tts import GlowTTS
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("levels")
    (place / "data").mkdir()
    write_prepared(place / "data")
    save_model(vocoder_model(), place / "vocoder", provenance={"hours": 2.0}, steps=90)
    return place


@torch.no_grad()
def test_one_frame_in_ten_of_the_recordings_is_louder(place):
    model, clips = load_model(place / "vocoder"), PreparedData(place / "data").clips("train")
    highest = highest_levels(model, clips)
    louder, frames = np.zeros(BANDS), 0
    for clip in clips:
        samples, mel = clip.load()
        audio = torch.from_numpy(samples.astype(np.float32) / 32768)
        x = model.standardised(audio[None], torch.tensor(mel)[None])[0].numpy()
        levels = np.sqrt(np.mean(x.reshape(BANDS, -1, x.shape[1]) ** 2, axis=1))
        louder += (levels > np.array(highest)[:, None]).sum(1)
        frames += x.shape[1]
    np.testing.assert_allclose(louder / frames, 1 - QUANTILE, atol=2 / frames + 0.005)


def test_only_the_configuration_changes(place, tmp_path):
    folder = limit_levels(place / "vocoder", place / "data", tmp_path / "limited")
    before, after = read_card(place / "vocoder"), read_card(folder)
    assert len(after.config.highest_levels) == BANDS and not before.config.highest_levels
    assert (after.steps, after.provenance) == (before.steps, before.provenance)
    weights = load_tensors(place / "vocoder")
    assert all(torch.equal(tensor, weights[name]) for name, tensor in load_tensors(folder).items())
    again = limit_levels(folder, place / "data", tmp_path / "again")
    assert read_card(again).config == after.config


def test_what_cannot_be_limited_is_refused(place, tmp_path):
    save_model(GlowTTS(acoustic_config()), tmp_path / "acoustic")
    with pytest.raises(VoiceError, match="leave --limit-levels out"):
        limit_levels(tmp_path / "acoustic", place / "data", tmp_path / "none")
    save_model(vocoder_model(AudioConfig(f_max=7000.0)), tmp_path / "other")
    with pytest.raises(MelError):
        limit_levels(tmp_path / "other", place / "data", tmp_path / "none")
    with pytest.raises(VoiceError, match="no recordings"):
        highest_levels(load_model(place / "vocoder"), [])
    assert not (tmp_path / "none").exists()


def test_a_voice_is_packed_with_its_limit(place, tmp_path, capsys):
    text = {
        "tokenizer": Tokenizer().to_dict(),
        "front_ends": {"en-us": load_front_end("en-us").to_dict()},
        "speakers": ["ann"],
    }
    save_model(acoustic_model(), tmp_path / "acoustic", provenance={"text": text}, steps=1)
    arguments = ["--acoustic", str(tmp_path / "acoustic"), "--vocoder", str(place / "vocoder"), "--licence", "CC0-1.0"]
    arguments = ["export", "voice", *arguments, "--limit-levels"]
    assert main([*arguments, str(place / "data"), "-o", str(tmp_path / "ann")]) == 0
    assert len(read_voice_card(tmp_path / "ann").vocoder.config["highest_levels"]) == BANDS
    assert np.isfinite(load_voice(tmp_path / "ann").say("Hello, you.").samples).all()
    capsys.readouterr()
    assert main([*arguments, str(tmp_path / "nothing"), "-o", str(tmp_path / "bob")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1 and not (tmp_path / "bob").exists()
