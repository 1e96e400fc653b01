"""The aligner of whatever a user names: a voice, a model folder, or a training run."""

from pathlib import Path
from typing import Any

from glowvox.errors import CheckpointError
from glowvox.synthesis.aligner import Aligner, load_aligner
from glowvox.synthesis.text_reading import TextSide


def open_aligner(name_or_path: str | Path | None, *, threads: int | None = None, device: str = "cpu") -> Aligner:
    """Return the aligner of a voice (name, folder, `.voice` file), a Glow-TTS model folder or a training run.

    Raises:
        VoiceError, CheckpointError: there is nothing of that name, or it cannot be used.
        MissingExtraError: PyTorch is not installed.
    """
    from glowvox.checkpoint.folder import read_card
    from glowvox.checkpoint.location import find_model_folder, is_model_folder, is_run_folder

    path = None if name_or_path is None else Path(name_or_path)
    if path is None or not (is_model_folder(path) or is_run_folder(path) or path.name in ("best", "last")):
        return load_aligner(path, threads=threads, device=device)
    folder = find_model_folder(path)
    text = _text_side(read_card(folder).provenance.get("text"), folder)
    from glowvox.engines.torch_acoustic import TorchAcoustic

    return Aligner(TorchAcoustic.load(folder, threads=threads, device=device), text)


def _text_side(stored: Any, folder: Path) -> TextSide:
    """Return what training wrote down about the texts.

    Raises:
        CheckpointError: nothing, or something damaged.
    """
    if not isinstance(stored, dict):
        raise CheckpointError(
            f"{folder}: does not say how its texts are read (no 'text' in the provenance); name a Glow-TTS that was "
            "trained here, or a voice"
        )
    tokenizer, front_ends, speakers = (stored.get(key) for key in ("tokenizer", "front_ends", "speakers"))
    if (
        not isinstance(tokenizer, dict)
        or not isinstance(front_ends, dict)
        or not front_ends
        or not all(isinstance(one, dict) for one in front_ends.values())
        or not isinstance(speakers, list)
        or not speakers
        or not all(isinstance(name, str) for name in speakers)
    ):
        raise CheckpointError(f"{folder}: the 'text' in its provenance is damaged")
    return TextSide(tokenizer, front_ends, tuple(speakers))
