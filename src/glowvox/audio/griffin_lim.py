"""Griffin-Lim: a waveform from a mel spectrogram alone, as a baseline and as a vocoder that needs no weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import hann_window, mel_to_linear, overlap_add
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

_LONGEST = 200_000
"""Frames; beyond it the spectra would take gigabytes."""


def griffin_lim(
    mel: Any,
    config: AudioConfig,
    *,
    iterations: int = 60,
    momentum: float = 0.99,
    seed: int = 0,
    length: int | None = None,
) -> NDArray[np.float32]:
    """Return samples whose mel spectrogram is near `mel` [M, T], float32 [T * hop_length].

    The fast algorithm (Perraudin, Balazs, Sondergaard 2013): the phase is that of the consistent spectrum, carried on
    by a momentum. It runs on the padded signal, so that the first and last frame are whole frames.

    Args:
        mel: log-mel spectrogram under the contract `config`.
        config: the mel contract.
        iterations: pairs of an inverse and a forward STFT; 0 gives the random phase.
        momentum: 0 is the original algorithm of Griffin and Lim (1984).
        seed: of the phase that it starts from.
        length: samples to return; None: T * hop_length.

    Raises:
        MelError: `mel` does not fit the contract, is longer than 200,000 frames, or a parameter is out of range.
    """
    if iterations < 0 or not 0 <= momentum < 1:
        raise MelError(f"Griffin-Lim needs iterations >= 0 and 0 <= momentum < 1, got {iterations} and {momentum}")
    if np.ndim(mel) == 2 and np.shape(mel)[1] > _LONGEST:
        raise MelError(f"the mel has {np.shape(mel)[1]} frames; Griffin-Lim takes {_LONGEST} at most, cut it in pieces")
    n_fft, hop = config.n_fft, config.hop_length
    magnitude = np.ascontiguousarray(mel_to_linear(mel, config).T)
    n_frames = len(magnitude)
    window = hann_window(config.win_length, n_fft).astype(np.float32)
    weight = overlap_add(np.broadcast_to(window * window, (n_frames, n_fft)), hop)
    # The synthesis window with the frames' weights taken out once, instead of a division per iteration.
    inverse_weight = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 1e-6)

    def synthesise(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
        frames: NDArray[Any] = np.fft.irfft(spectrum, n_fft, axis=-1).astype(np.float32, copy=False)
        frames *= window
        signal: NDArray[Any] = overlap_add(frames, hop)
        signal *= inverse_weight
        return signal

    def analyse(signal: NDArray[np.float32]) -> NDArray[np.complex64]:
        frames = np.lib.stride_tricks.sliding_window_view(signal, n_fft)[: n_frames * hop : hop]
        return np.fft.rfft(frames * window, axis=-1).astype(np.complex64, copy=False)

    angle = np.random.default_rng(seed).random(magnitude.shape, dtype=np.float32) * np.float32(2 * np.pi)
    spectrum = (magnitude * np.exp(1j * angle)).astype(np.complex64)
    previous = np.zeros_like(spectrum)
    carried = np.float32(momentum / (1.0 + momentum))
    for _ in range(iterations):
        consistent = analyse(synthesise(spectrum))
        np.multiply(previous, -carried, out=spectrum)
        spectrum += consistent
        size = np.abs(spectrum)
        size += np.float32(1e-16)
        spectrum /= size
        spectrum *= magnitude
        previous = consistent
    start = n_fft // 2 if config.center else 0
    wanted = n_frames * hop if length is None else length
    samples = synthesise(spectrum)[start : start + wanted]
    return np.pad(samples, (0, wanted - len(samples)))
