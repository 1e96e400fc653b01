"""The configuration files of the original programs: WaveGlow's and Glow-TTS's JSON, and rhasspy's."""

import json
from pathlib import Path
from typing import Any

from glowvox.config.audio import AudioConfig
from glowvox.errors import CheckpointError, ConfigError

_SECTIONS = ("data_config", "data", "audio")
_MAX_BYTES = 4 << 20
_NAMES: dict[str, tuple[str, ...]] = {
    "sample_rate": ("sampling_rate", "sample_rate"),
    "n_fft": ("filter_length",),
    "hop_length": ("hop_length",),
    "win_length": ("win_length",),
    "n_mels": ("n_mel_channels", "mel_channels"),
    "f_min": ("mel_fmin",),
    "f_max": ("mel_fmax",),
}


def read_original_config(path: str | Path) -> dict[str, Any]:
    """Return the content of an original program's JSON configuration.

    Raises:
        CheckpointError: the file is missing or not a JSON table.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CheckpointError(f"{path}: more than {_MAX_BYTES:,} bytes; not a configuration")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: not valid JSON") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a table of settings")
    return content


def audio_from_original(content: dict[str, Any], n_mels: int) -> AudioConfig | None:
    """Return the mel contract that an original configuration describes; None if it has no such section.

    Args:
        content: the configuration.
        n_mels: mel bins of the model, used where the configuration does not say.

    Raises:
        ConfigError: a setting is of the wrong type or contradicts another.
    """
    section = next((content[name] for name in _SECTIONS if isinstance(content.get(name), dict)), None)
    if section is None:
        return None
    values: dict[str, Any] = {"n_mels": n_mels}
    for ours, theirs in _NAMES.items():
        for name in theirs:
            if section.get(name) is not None:
                number = _number(section, name, 0.0)
                values[ours] = number if ours in ("f_min", "f_max") else int(number)
    if "mel_fmax" in section and section["mel_fmax"] is None:
        values["f_max"] = values.get("sample_rate", AudioConfig.sample_rate) / 2
    if any(name in section for name in ("ref_level_db", "spec_gain", "signal_norm")):
        values.update(_rhasspy_scale(section))
    return AudioConfig(**values)


def _rhasspy_scale(section: dict[str, Any]) -> dict[str, Any]:
    """Return log, mean and std of glow-tts-train's features.

    Its features are S = gain * log10(max(1e-5, mel)), and with `signal_norm` k * (S - ref - min) / (-min), with k =
    max_norm, or twice that less max_norm where symmetric. It also clips; its range is never reached at gain 1.
    """
    gain, reference, low, high = (
        _number(section, name, default)
        for name, default in (("spec_gain", 1.0), ("ref_level_db", 20.0), ("min_level_db", -100.0), ("max_norm", 1.0))
    )
    if gain <= 0 or low >= 0 or high <= 0:
        raise ConfigError("the configuration's spec_gain and max_norm must be positive, min_level_db negative")
    if not section.get("signal_norm", True):
        mean, std = 0.0, 1.0
    elif section.get("symmetric_norm", True):
        mean, std = reference + low / 2, -low / (2 * high)
    else:
        mean, std = reference + low, -low / high
    return {"log": "log10", "mean": mean / gain, "std": std / gain}


def _number(section: dict[str, Any], name: str, default: float) -> float:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"the configuration's {name} must be a number, got {value!r}")
    return float(value)
