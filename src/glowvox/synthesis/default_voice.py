"""The voice inside the package."""

from importlib import resources
from pathlib import Path

from glowvox.errors import VoiceError

_FILES = ("config.json", "model.safetensors")


def default_vocoder() -> Path:
    """Return the folder of the vocoder that comes with the package, the first one by name.

    Raises:
        VoiceError: this installation has none.
    """
    voices = Path(str(resources.files("glowvox"))) / "voices"
    for folder in sorted(voices.glob("*/vocoder")):
        if all((folder / name).is_file() for name in _FILES):
            return folder
    raise VoiceError(
        "no voice comes with this installation: name a model folder with --model, or speak without one (--griffin-lim)"
    )
