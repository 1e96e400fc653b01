"""Reading a mel contract from the files that hold one."""

import json
from pathlib import Path
from typing import Any

from glowvox.config.audio import AudioConfig
from glowvox.config.preset import Preset, read_preset
from glowvox.config.schema import from_dict
from glowvox.errors import ConfigError


def read_contract(source: str) -> AudioConfig:
    """Return the mel contract of a preset, a run's `config.toml`, a data set's or model's JSON, or a file of its own.

    Args:
        source: a preset's name, or the path of a `.toml` or `.json` file. The file holds the fields of `AudioConfig` at
            the top, or in a table `audio`, or is a preset.

    Raises:
        ConfigError: there is no such file or preset, or it holds no valid contract.
    """
    table = _read_json(Path(source)) if source.endswith(".json") else read_preset(source)
    if isinstance(table.get("model"), dict) and "type" in table["model"]:
        preset = from_dict(Preset, table)
        return preset.waveglow.audio if preset.model.type == "waveglow" else preset.glow_tts.audio
    fields = table.get("audio", table)
    if not isinstance(fields, dict):
        raise ConfigError(f"{source}: 'audio' is not a table of settings")
    audio = from_dict(AudioConfig, {name: value for name, value in fields.items() if name != "fingerprint"}, "audio")
    if fields.get("fingerprint", audio.fingerprint()) != audio.fingerprint():
        raise ConfigError(f"{source}: the fingerprint does not fit the mel contract; the file was changed by hand")
    return audio


def _read_json(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: expected a JSON object with a mel contract")
    return table
