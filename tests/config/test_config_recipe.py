"""The recipes' configurations: they load, and the default voice's vocoder is a preset's model."""

from pathlib import Path

import pytest

from glowvox.config.preset import Preset, load_preset, preset_tables
from glowvox.config.schema import from_dict

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
