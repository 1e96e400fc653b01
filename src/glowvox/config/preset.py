"""Settings given on the command line as TABLE.NAME=VALUE, the value written as in TOML."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import from_dict, merge, to_dict
from glowvox.config.training import AcousticTrainingConfig, TrainingConfig, VocoderTrainingConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import ConfigError


def apply_overrides(tables: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return `tables` with settings such as `training.steps=20000` laid over them; bare words are strings.

    Raises:
        ConfigError: a setting is not of the form TABLE.NAME=VALUE.
    """
    for override in overrides:
        name, equals, value = override.partition("=")
        keys = name.strip().split(".")
        if not equals or len(keys) < 2 or not all(key.replace("_", "").isalnum() for key in keys):
            raise ConfigError(f"'{override}' is not of the form TABLE.NAME=VALUE, such as training.steps=20000")
        change: Any = _value(value.strip())
        for key in reversed(keys):
            change = {key: change}
        tables = merge(tables, change)
    return tables


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


@dataclass(frozen=True)
class ModelKind:
    """Which model a preset describes."""

    type: str
    """`waveglow` or `glow_tts`."""


@dataclass(frozen=True)
class Preset:
    """A model's configuration and how to train it; a table left out means the defaults."""

    model: ModelKind
    waveglow: WaveGlowConfig = field(default_factory=WaveGlowConfig)
    glow_tts: GlowTTSConfig = field(default_factory=GlowTTSConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    vocoder_training: VocoderTrainingConfig = field(default_factory=VocoderTrainingConfig)
    acoustic_training: AcousticTrainingConfig = field(default_factory=AcousticTrainingConfig)

    def __post_init__(self) -> None:
        if self.model.type not in ("waveglow", "glow_tts"):
            raise ConfigError(f"model.type must be 'waveglow' or 'glow_tts', got '{self.model.type}'")


def preset_names(model_type: str | None = None) -> list[str]:
    """Return the names of the shipped presets, of one model type if given."""
    names = sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return [name for name in names if model_type in (None, read_preset(name)["model"]["type"])]


def preset_summary(name: str) -> str:
    """Return the line with which a shipped preset begins: what it is."""
    return str((_folder() / f"{name}.toml").read_text("utf-8")).partition("\n")[0].removeprefix("# ")


def read_preset(name: str) -> dict[str, Any]:
    """Return the tables of a shipped preset, or of a TOML file given by its path.

    Raises:
        ConfigError: there is no such preset or file, or it is not TOML.
    """
    entry = Path(name) if name.endswith(".toml") else _folder() / f"{name}.toml"
    if not entry.is_file():
        raise ConfigError(
            f"no preset '{name}'; there are {', '.join(preset_names())}, or give the path of a .toml file"
        )
    try:
        return tomllib.loads(entry.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} is not a TOML file: {error}") from error


def load_preset(name: str) -> Preset:
    """Return a shipped preset, or a TOML file given by its path, as typed configurations.

    Raises:
        ConfigError: there is no such preset, or it holds a mistake.
    """
    return preset_of(read_preset(name))


_RETIRED: dict[str, dict[str, float]] = {
    "acoustic_training": {"duration_weight": 1.0, "mel_noise": 0.0, "pitch_weight": 1.0},
}
"""Settings that there were, with their defaults: the `config.toml` of an older run names them."""


def preset_of(tables: dict[str, Any]) -> Preset:
    """Return the tables of a preset as typed configurations; what older runs name and nothing reads is passed over.

    Raises:
        ConfigError: a mistake in them, or a setting that is gone and had another value than its default.
    """
    kept = dict(tables)
    for name, gone in _RETIRED.items():
        table = tables.get(name)
        if not isinstance(table, dict):
            continue
        for setting, default in gone.items():
            if table.get(setting, default) != default:
                raise ConfigError(
                    f"{name}.{setting} = {table[setting]!r}: this setting is gone, and what it changed cannot be had; "
                    "leave it out, or train with the release that has it"
                )
        kept[name] = {setting: value for setting, value in table.items() if setting not in gone}
    return from_dict(Preset, kept)


def preset_tables(preset: Preset) -> dict[str, Any]:
    """Return a preset as TOML data that `load_preset` reads again, the other model's tables left out."""
    other = ("glow_tts", "acoustic_training") if preset.model.type == "waveglow" else ("waveglow", "vocoder_training")
    return {name: table for name, table in to_dict(preset).items() if name not in other}


def _folder() -> Any:
    return resources.files("glowvox.config") / "presets"
