"""Numbers of configurations: what is not finite, beyond 64 bits or out of range is refused by the setting's name."""

import json

import pytest

from glowvox.config.audio import AudioConfig
from glowvox.config.preset import Preset, apply_overrides, load_preset, preset_of, preset_tables
from glowvox.config.schema import from_dict
from glowvox.errors import ConfigError


def _set(*overrides: str) -> Preset:
    return preset_of(apply_overrides(preset_tables(load_preset("lapped-small")), overrides))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "1" + 400 * "0"])
@pytest.mark.parametrize(
    "name",
    ["training.learning_rate", "training.max_minutes", "waveglow.audio.f_max", "vocoder_training.temperature"],
)
def test_a_setting_is_a_finite_number(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: expected a finite number, got -?\w"):
        _set(f"{name}={value}")


def test_whole_numbers_have_64_bits_at_most() -> None:
    with pytest.raises(ConfigError, match="sample_rate: expected a number of at most 64 bits"):
        from_dict(AudioConfig, {"sample_rate": 10**400})
    with pytest.raises(ConfigError, match=r"training\.steps: expected a number of at most 64 bits"):
        _set(f"training.steps={2**63}")


@pytest.mark.parametrize(
    "setting",
    [
        "training.log_every=0",
        "training.seed=-1",
        "training.beta1=1.0",
        "training.beta2=-0.1",
        "training.weight_decay=-1",
        "training.warmup_steps=-1",
        "training.validation_clips=-1",
        "training.max_gradient_norm=-1",
        "training.max_minutes=-1",
        "training.batch_size=10000000000",
        "vocoder_training.temperature=-1",
        "vocoder_training.mel_weight=-1",
        "acoustic_training.forward_sum_weight=-0.5",
    ],
)
def test_a_setting_out_of_range_is_named(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting.partition("=")[0]):
        _set(setting)


def test_the_message_stays_one_line() -> None:
    with pytest.raises(ConfigError) as refused:
        from_dict(AudioConfig, json.loads('{"log": "a\\nb"}'))
    assert "\n" not in str(refused.value)


def test_zeros_that_mean_never_are_taken() -> None:
    preset = _set("training.max_minutes=0", "training.weight_decay=0", "training.warmup_steps=0", "training.seed=0")
    assert (preset.training.max_minutes, preset.training.warmup_steps) == (0.0, 0)
