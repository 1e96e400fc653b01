"""How a listener would judge a signal beside the original: wide-band PESQ and STOI.

Both compare with a clean, time-aligned original, so they measure copy synthesis, not text-to-speech.
"""

import importlib
import warnings
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.resample import resample
from glowvox.errors import AudioError, MissingExtraError

_PESQ_RATE = 16000
_STOI_RATE = 10000
_STOI_LEAST = 256 + 29 * 128
"""Samples of the 30 frames over which STOI correlates."""


def wideband_pesq(reference: ArrayLike, estimate: ArrayLike, sample_rate: int) -> float:
    """Return wide-band PESQ (ITU-T P.862.2, both signals at 16 kHz) as a MOS-LQO from about 1.0 to 4.64.

    Args:
        reference: the original `[S]`, full scale 1.
        estimate: the signal to judge `[S]`, aligned in time.
        sample_rate: of both, in Hz.

    Raises:
        AudioError: the measure is not defined for these signals (silent, too short, not finite, other lengths).
        MissingExtraError: the package `pesq` is not installed.
    """
    pesq = _load("pesq", "measuring PESQ")
    first, second = _pair(reference, estimate, sample_rate, _PESQ_RATE)
    if not (first.any() and second.any()):
        raise AudioError("PESQ is not defined for a silent signal")
    try:
        return float(pesq.pesq(_PESQ_RATE, first, second, "wb"))
    except (pesq.PesqError, ValueError) as error:
        raise AudioError(f"PESQ cannot judge these signals: {_one_line(error)}") from error


def short_time_intelligibility(
    reference: ArrayLike, estimate: ArrayLike, sample_rate: int, *, extended: bool = False
) -> float:
    """Return STOI (Taal et al., 2011), or extended STOI (Jensen and Taal, 2016): about 0 to 1, 1 being the original.

    Args:
        reference: the original `[S]`.
        estimate: the signal to judge `[S]`, aligned in time.
        sample_rate: of both, in Hz.
        extended: whether to use the variant for modulated noise.

    Raises:
        AudioError: fewer than 30 frames (0.4 s) of speech, not finite, or other lengths.
        MissingExtraError: the package `pystoi` is not installed.
    """
    pystoi = _load("pystoi", "measuring STOI")
    first, second = _pair(reference, estimate, sample_rate, _STOI_RATE)
    if not first.any():
        raise AudioError("STOI is not defined for a silent original")
    if first.size < _STOI_LEAST:
        raise AudioError(f"STOI needs at least 0.4 seconds, got {first.size / _STOI_RATE:.2f}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = float(pystoi.stoi(first, second, _STOI_RATE, extended=extended))
    # pystoi reports too little speech by a warning and a made-up value of 1e-5.
    if any("Not enough STFT frames" in str(warning.message) for warning in caught):
        raise AudioError("STOI needs at least 0.4 seconds of speech that is not silent")
    return value


def _pair(
    reference: ArrayLike, estimate: ArrayLike, sample_rate: int, target_rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first, second = np.asarray(reference, dtype=np.float32), np.asarray(estimate, dtype=np.float32)
    if first.shape != second.shape:
        raise AudioError(f"the signals have {first.size} and {second.size} samples: cut them to the same length")
    return resample(first, sample_rate, target_rate), resample(second, sample_rate, target_rate)


def _load(package: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package, "train", purpose) from error


def _one_line(error: Exception) -> str:
    text = error.args[0] if error.args else type(error).__name__
    return " ".join((text.decode(errors="replace") if isinstance(text, bytes) else str(text)).split())
