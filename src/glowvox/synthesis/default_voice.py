"""The models of the voice inside the package, and of other installed voices, by name."""

from pathlib import Path

from glowvox.errors import VoiceError
from glowvox.synthesis.installed_voices import DEFAULT, installed_voices, packaged_folder
from glowvox.synthesis.voice_card import CARD_NAME

_FILES = ("config.json", "model.safetensors")


def default_model(part: str) -> Path:
    """Return the folder of a model that comes with the package, of the first voice by name that has it.

    Args:
        part: 'acoustic' or 'vocoder'.

    Raises:
        VoiceError: this installation has none.
    """
    for folder in sorted(packaged_folder().glob(f"*/{part}")):
        if all((folder / name).is_file() for name in _FILES):
            return folder
    raise VoiceError(f"no {part} model comes with this installation: name a model folder or a training run")


def default_vocoder() -> Path:
    """Return the folder of the vocoder that comes with the package, the first one by name.

    Raises:
        VoiceError: this installation has none.
    """
    try:
        return default_model("vocoder")
    except VoiceError as error:
        raise VoiceError(
            "no voice comes with this installation: name a model folder with --model, or speak without one "
            "(--griffin-lim)"
        ) from error


def model_path(name_or_path: str, part: str) -> Path:
    """Return where a model lies.

    Args:
        name_or_path: 'default', the name or folder of a voice that holds its models, a model folder or a training run.
        part: 'acoustic' or 'vocoder', of a voice.

    Raises:
        VoiceError: the voice does not hold its models.
    """
    if name_or_path == DEFAULT:
        return default_model(part)
    place = Path(name_or_path)
    if not place.exists():
        place = next((voice.path for voice in installed_voices() if voice.name == name_or_path), place)
    if place.is_file() and place.suffix == ".voice":
        raise VoiceError(f"{place}: unpack the voice first (it is a zip file), then name its folder")
    if not (place / CARD_NAME).is_file():
        return place
    if not all((place / part / name).is_file() for name in _FILES):
        raise VoiceError(f"{place}: the voice does not hold its {part} model, only what speaks")
    return place / part
