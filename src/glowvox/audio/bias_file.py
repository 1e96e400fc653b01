"""A denoiser's bias in a file: the magnitude spectrum in safetensors, with the sample rate and sizes it holds for."""

import os
from pathlib import Path

import numpy as np

from glowvox.audio.atomic_file import replacing
from glowvox.audio.checks import checked_rate
from glowvox.audio.denoiser import BiasDenoiser
from glowvox.errors import AudioError


def write_bias(path: str | os.PathLike[str], denoiser: BiasDenoiser, sample_rate: int, *, strength: float) -> None:
    """Write the bias of a denoiser to a .safetensors file.

    Args:
        path: the file to write.
        denoiser: whose spectrum and sizes are kept.
        sample_rate: of the audio that the bias belongs to, in Hz.
        strength: how much of it should be subtracted where the user does not say.

    Raises:
        AudioError: the file name ends otherwise, or it cannot be written.
    """
    import safetensors.numpy

    if Path(path).suffix.lower() != ".safetensors":
        raise AudioError(f"{path}: a stored bias ends in .safetensors")
    facts = {
        "sample_rate": str(checked_rate(sample_rate)),
        "n_fft": str(denoiser.n_fft),
        "hop_length": str(denoiser.hop_length),
        "strength": repr(float(strength)),
    }
    with replacing(path) as stream:
        stream.write(safetensors.numpy.save({"bias": denoiser.spectrum}, metadata=facts))


def read_bias(path: str | os.PathLike[str]) -> tuple[BiasDenoiser, int, float]:
    """Return the denoiser stored in a file, the sample rate in Hz it is for, and its usual strength.

    Raises:
        AudioError: the file is missing, damaged, or not a stored bias.
    """
    import safetensors

    if not Path(path).is_file():
        raise AudioError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            spectrum = np.asarray(file.get_tensor("bias"))
            facts = file.metadata() or {}
        n_fft, hop_length = int(facts["n_fft"]), int(facts["hop_length"])
        sample_rate, strength = int(facts["sample_rate"]), float(facts["strength"])
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, TypeError, MemoryError) as problem:
        line = " ".join(str(problem).split())[:200]
        raise AudioError(f"{path} is damaged or not a stored bias: {line}") from problem
    if spectrum.ndim != 2:
        raise AudioError(f"{path}: a bias spectrum must have the shape [n_fft // 2 + 1, 1], got {list(spectrum.shape)}")
    try:
        return BiasDenoiser(spectrum, n_fft=n_fft, hop_length=hop_length), checked_rate(sample_rate), strength
    except AudioError as problem:
        raise AudioError(f"{path}: {problem}") from problem
