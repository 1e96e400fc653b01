"""Published Glow-TTS checkpoints become folders; their mel contract is read from the configuration beside them."""

import json
import math
from pathlib import Path

import pytest
import torch

from glowvox.checkpoint.convert import audio_from_original, convert_checkpoint, describe
from glowvox.checkpoint.model_folder import load_model, save_tensors
from glowvox.config.audio import AudioConfig
from glowvox.errors import CheckpointError, ConfigError
from glowvox.models.glow_tts import GlowTTS


@pytest.mark.parametrize("name", ["glowtts_tiny", "glowtts_multispeaker"])
def test_original_checkpoints(shared: Path, tmp_path: Path, name: str) -> None:
    path, config = shared / "reference" / f"{name}.official.pth", shared / "reference" / f"{name}.json"
    converted = convert_checkpoint(path, config)
    save_tensors(converted.tensors, converted.card, tmp_path / "m", replace=False)
    model = load_model(tmp_path / "m")
    assert isinstance(model, GlowTTS) and converted.card.steps == 77
    found = describe(path)
    assert (found["type"], found["config"]["n_mels"]) == ("glow_tts", 80)
    assert found["config"]["n_speakers"] == model.config.n_speakers
    assert found["config"]["n_blocks"] == model.config.n_blocks


def test_the_configuration_is_asked_for(shared: Path, tmp_path: Path) -> None:
    path = shared / "reference" / "glowtts_tiny.official.pth"
    with pytest.raises(CheckpointError, match="--config"):
        convert_checkpoint(path)
    config = tmp_path / "c.json"
    for content in ({"data": {}}, {"model": 3}):
        config.write_text(json.dumps(content))
        with pytest.raises(CheckpointError, match="no section 'model'"):
            convert_checkpoint(path, config)
    section = json.loads((shared / "reference" / "glowtts_tiny.json").read_text())["model"]
    for change in ({"n_blocks_dec": 4}, {"filter_channels": 49}, {"n_blocks_dec": 10**9}, {"hidden_channels": "x"}):
        config.write_text(json.dumps({"model": section | change}))
        with pytest.raises(CheckpointError) as caught:
            convert_checkpoint(path, config)
        assert "\n" not in str(caught.value)


def test_features_of_the_original() -> None:
    data = {
        "sampling_rate": 22050,
        "filter_length": 1024,
        "hop_length": 256,
        "win_length": 1024,
        "n_mel_channels": 80,
        "mel_fmin": 0.0,
        "mel_fmax": 8000.0,
        "add_noise": True,
    }
    assert audio_from_original({"model": {}, "data": data}, 80) == AudioConfig()
    assert audio_from_original({"model": {}}, 80) is None
    whole = audio_from_original({"data": data | {"mel_fmax": None}}, 80)
    assert whole is not None and whole.f_max == 11025.0


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("gain", [1.0, 20.0])
def test_features_of_glow_tts_train(symmetric: bool, gain: float) -> None:
    section = {
        "mel_channels": 80,
        "sample_rate": 22050,
        "ref_level_db": 20.0,
        "min_level_db": -100.0,
        "spec_gain": gain,
        "signal_norm": True,
        "symmetric_norm": symmetric,
        "max_norm": 4.0,
    }
    audio = audio_from_original({"audio": section}, 80)
    assert audio is not None and audio.log == "log10"
    for magnitude in (1e-5, 0.02, 3.0):
        level = gain * math.log10(magnitude)
        share = (level - 20.0 + 100.0) / 100.0
        theirs = 8.0 * share - 4.0 if symmetric else 4.0 * share
        assert math.isclose((math.log10(magnitude) - audio.mean) / audio.std, theirs, rel_tol=1e-9)
    plain = audio_from_original({"audio": section | {"signal_norm": False, "spec_gain": 1.0}}, 80)
    assert plain is not None and (plain.log, plain.mean, plain.std) == ("log10", 0.0, 1.0)


@pytest.mark.parametrize("change", [{"spec_gain": 0}, {"min_level_db": 1}, {"max_norm": "x"}, {"sample_rate": True}])
def test_features_that_make_no_sense(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        audio_from_original({"audio": {"ref_level_db": 20.0} | change}, 80)


def test_training_state_of_the_other_program(shared: Path, tmp_path: Path) -> None:
    """glow-tts-train stores the step as `global_step`, and the optimiser and scheduler beside the model."""
    state = torch.load(shared / "reference" / "glowtts_tiny.official.pth", weights_only=True)["model"]
    path, config = tmp_path / "checkpoint.pth", tmp_path / "config.json"
    torch.save({"model": state, "global_step": 4, "epoch": 1, "version": 1, "best_loss": None, "scheduler": {}}, path)
    section = json.loads((shared / "reference" / "glowtts_tiny.json").read_text())["model"]
    section["num_symbols"] = section.pop("n_vocab")
    config.write_text(json.dumps({"model": section, "audio": {"signal_norm": False, "spec_gain": 1.0}}))
    card = convert_checkpoint(path, config).card
    assert card.steps == 4 and card.config.audio.log == "log10"
