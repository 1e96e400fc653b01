"""The recipes' configurations: they load, and the default voice's vocoder is a preset's model."""

from pathlib import Path

import pytest

from glowvox.config.audio import AudioConfig
from glowvox.config.preset import Preset, load_preset, preset_tables
from glowvox.config.schema import from_dict
from glowvox.config.training import AcousticTrainingConfig
from glowvox.data.preparation import read_contract
from glowvox.errors import ConfigError
from glowvox.training.start import read_run_preset

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
RECIPE = RECIPES / "default-voice"


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.toml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_configurations_load(path: Path) -> None:
    preset = load_preset(str(path))
    assert from_dict(Preset, preset_tables(preset)) == preset


def test_the_vocoder_is_the_presets_model_trained_with_two_draws() -> None:
    recipe, preset = load_preset(str(RECIPE / "vocoder.toml")), load_preset("lapped-small")
    assert recipe.waveglow == preset.waveglow
    assert recipe.vocoder_training.two_draws and recipe.vocoder_training.temperature == 1.0
    assert not preset.vocoder_training.two_draws


def test_a_run_of_an_older_release_opens_where_its_retired_settings_said_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    older = '[model]\ntype = "glow_tts"\n[acoustic_training]\nframes_per_batch = 99\n'
    path.write_text(f"{older}duration_weight = 1.0\nmel_noise = 0\npitch_weight = 1.0\n")
    assert load_preset(str(path)).acoustic_training == AcousticTrainingConfig(frames_per_batch=99)
    assert read_contract(str(path)) == AudioConfig()
    path.write_text(f"{older}mel_noise = 0.1\n")
    with pytest.raises(ConfigError, match=r"^acoustic_training.mel_noise = 0.1: this setting is gone") as refused:
        load_preset(str(path))
    assert "\n" not in str(refused.value)
    path.write_text(f"{older}mel_noises = 0.0\n")
    with pytest.raises(ConfigError, match="unknown setting 'mel_noises'"):
        load_preset(str(path))


def test_a_retired_setting_may_be_named_when_a_run_begins(tmp_path: Path) -> None:
    given = "acoustic_training.pitch_weight=1", "acoustic_training.pitch_steps=7"
    preset = read_run_preset("glow_tts", "glow-tts-tiny", tmp_path, given, resume=False)
    assert preset.acoustic_training.pitch_steps == 7


def test_a_whole_number_that_no_float_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"f_max: expected a finite number, got 1000"):
        from_dict(AudioConfig, {"f_max": 10**400}, "audio")
