"""Glowvox: text-to-speech with normalizing flows, Glow-TTS and WaveGlow.

Importing this package imports neither PyTorch nor a web framework; the names below load what they need when used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from glowvox.errors import (
    AudioError,
    CheckpointError,
    ConfigError,
    DataError,
    EngineError,
    GlowvoxError,
    MelError,
    MissingExtraError,
    SilentTextError,
    TextError,
    TrainingError,
    VoiceError,
)

if TYPE_CHECKING:
    from glowvox.audio.sound import Audio as Audio
    from glowvox.audio.sound import AudioChunk as AudioChunk
    from glowvox.checkpoint.model_folder import load_model as load_model
    from glowvox.synthesis.installed_voices import load_voice
    from glowvox.synthesis.voice import Voice as Voice

__version__ = "0.1.0"

__all__ = [
    "Audio",
    "AudioChunk",
    "AudioError",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "EngineError",
    "GlowvoxError",
    "MelError",
    "MissingExtraError",
    "SilentTextError",
    "TextError",
    "TrainingError",
    "Voice",
    "VoiceError",
    "__version__",
    "load_model",
    "load_voice",
]

_HOMES = {
    "Audio": "glowvox.audio.sound",
    "AudioChunk": "glowvox.audio.sound",
    "load_model": "glowvox.checkpoint.model_folder",
    "load_voice": "glowvox.synthesis.installed_voices",
    "Voice": "glowvox.synthesis.voice",
}
"""The module that each public name comes from."""

_NEEDS_TORCH = frozenset({"load_model"})


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562), and keep it.

    Raises:
        AttributeError: there is no such name.
        MissingExtraError: the name needs PyTorch, and it is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'glowvox' has no attribute '{name}'")
    try:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if name not in _NEEDS_TORCH or error.name != "torch":
            raise
        raise MissingExtraError("torch", "train", f"glowvox.{name}") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
