"""The mel transform: from samples to the log-mel spectrogram that a mel contract describes, and back to a spectrum."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_samples
from glowvox.audio.stft import frame_count, stft_blocks
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError

LOG_UNITS = {"ln": 1.0, "log10": 1.0 / np.log(10.0), "db": 20.0 / np.log(10.0)}
"""What the natural logarithm is multiplied by."""
_UPDATES = 30
"""Multiplicative updates of `mel_to_linear`; more bring nothing that PESQ hears."""
_LOUDEST = 30.0
"""Natural logarithm of a filter output that no signal in -1..1 comes near."""


def mel_filterbank(config: AudioConfig) -> NDArray[np.float64]:
    """Return the triangular filters [M, n_fft // 2 + 1] of a contract.

    Their corners are equally spaced on the mel scale: Slaney's (linear to 1 kHz, then logarithmic; Auditory Toolbox
    1998) or HTK's (2595 log10(1 + f / 700)). Slaney's normalisation gives every filter unit area in Hz.
    """
    edges = mel_edges(config)
    bins = np.arange(config.n_fft // 2 + 1) * (config.sample_rate / config.n_fft)
    width = np.diff(edges)
    rising = (bins - edges[:-2, None]) / width[:-1, None]
    falling = (edges[2:, None] - bins) / width[1:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    if config.mel_norm == "slaney":
        filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters


def mel_edges(config: AudioConfig) -> NDArray[np.float64]:
    """Return the corners of the filters in Hz `[M + 2]`: filter m rises from corner m to m + 1 and ends at m + 2."""
    lowest, highest = _hz_to_mel(np.array([config.f_min, config.f_max]), config)
    return _mel_to_hz(np.linspace(lowest, highest, config.n_mels + 2), config)


_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: NDArray[np.float64], config: AudioConfig) -> NDArray[np.float64]:
    if config.mel_scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    above = _SLANEY_BREAK_MEL + np.log(np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, hz / _SLANEY_HZ_PER_MEL, above)


def _mel_to_hz(mel: NDArray[np.float64], config: AudioConfig) -> NDArray[np.float64]:
    if config.mel_scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(mel, _SLANEY_BREAK_MEL) - _SLANEY_BREAK_MEL))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


class MelTransform:
    """Samples to log-mel frames under one contract.

    The spectrum is computed in float64: near the floor of the logarithm the rounding of a float32 FFT of a loud frame
    is larger than the bins themselves. A block of frames is in memory at a time, never the whole spectrum.
    """

    def __init__(self, config: AudioConfig) -> None:
        self.config = config
        self._filters = np.ascontiguousarray(mel_filterbank(config).T)

    def frame_count(self, n_samples: int) -> int:
        """Return the frames T of a signal of `n_samples`; 1 + S // hop when centred."""
        config = self.config
        return frame_count(n_samples, config.n_fft, config.hop_length, center=config.center)

    def __call__(self, samples: Any) -> NDArray[np.float32]:
        """Return the log-mel spectrogram, float32 [M, T] or [B, M, T].

        Args:
            samples: float [S] or [B, S] at the contract's sample rate, -1 to 1.

        Raises:
            AudioError: too short, NaN or infinite, not floating-point, or of the wrong rank.
        """
        config = self.config
        signal = checked_samples(samples, max_rank=2).astype(np.float64, copy=False)
        mel = np.empty((*signal.shape[:-1], config.n_mels, self.frame_count(signal.shape[-1])), dtype=np.float32)
        blocks = stft_blocks(
            signal, config.n_fft, config.hop_length, config.win_length, center=config.center, pad_mode=config.pad_mode
        )
        scale, shift = LOG_UNITS[config.log] / config.std, config.mean / config.std
        for first, spectrum in blocks:
            magnitude = np.abs(spectrum)
            if config.power != 1.0:
                magnitude **= config.power
            energy = np.maximum(magnitude @ self._filters, config.floor)
            mel[..., first : first + energy.shape[-2]] = np.swapaxes(np.log(energy) * scale - shift, -1, -2)
        return mel


def checked_mel(mel: Any, config: AudioConfig) -> NDArray[np.floating]:
    """Return `mel` as an array [M, T] that fits the contract.

    Raises:
        MelError: not real numbers, the wrong shape, transposed, no frame, or NaN or infinite values.
    """
    array = np.asarray(mel)
    if array.dtype.kind != "f":
        raise MelError(f"a mel spectrogram must hold floating-point numbers, got {array.dtype}")
    if array.ndim != 2:
        raise MelError(f"a mel spectrogram must have the shape [{config.n_mels}, T], got {list(array.shape)}")
    if array.shape[0] != config.n_mels:
        hint = "; it is transposed, swap its axes" if array.shape[1] == config.n_mels else ""
        raise MelError(f"the mel has {array.shape[0]} bins, the contract {config.n_mels}{hint}")
    if array.shape[1] == 0:
        raise MelError("the mel spectrogram has no frames")
    if not np.isfinite(array).all():
        raise MelError("the mel spectrogram holds NaN or infinite values")
    return array


def silent_mel(config: AudioConfig) -> float:
    """Return the value that every bin has in silence."""
    return float((np.log(config.floor) * LOG_UNITS[config.log] - config.mean) / config.std)


def mel_to_linear(mel: Any, config: AudioConfig) -> NDArray[np.float32]:
    """Return a non-negative magnitude spectrum [F, T] whose mel spectrogram is near `mel` [M, T].

    The filterbank's pseudo-inverse, clipped at zero, then multiplicative updates towards the non-negative least squares
    answer (Lee and Seung 2000): what was clipped is energy that would be missing or misplaced otherwise.

    Raises:
        MelError: `mel` does not fit the contract, or is louder than any signal.
    """
    array = checked_mel(mel, config).astype(np.float64)
    log_energy = (array * config.std + config.mean) / LOG_UNITS[config.log]
    if log_energy.max() > _LOUDEST:
        raise MelError(
            f"the mel has values up to {array.max():.4g}, too large for a log-mel spectrogram of its contract"
        )
    energy = np.exp(log_energy)
    filters = mel_filterbank(config)
    spectrum = np.maximum(np.linalg.pinv(filters) @ energy, 1e-3 * config.floor).astype(np.float32)
    wanted = (filters.T @ energy).astype(np.float32)
    analysis = filters.astype(np.float32)
    synthesis = np.ascontiguousarray(analysis.T)
    smallest = np.float32(np.finfo(np.float32).tiny)
    for _ in range(_UPDATES):
        spectrum *= wanted / np.maximum(synthesis @ (analysis @ spectrum), smallest)
    result: NDArray[np.float32] = spectrum ** np.float32(1.0 / config.power)
    return result


class MelStream:
    """Streaming mel transform: samples in, log-mel frames out, about one FFT behind; joined, those of the whole."""

    def __init__(self, config: AudioConfig) -> None:
        """Take the mel contract."""
        self.config = config
        # The padding is done here, once at each true end.
        self._transform = MelTransform(dataclasses.replace(config, center=False))
        self._half = config.n_fft // 2 if config.center else 0
        self._waiting = np.empty(0, np.float64)
        """Padded input from the next frame on; before the padding is known, the input so far."""
        self._last = np.empty(0, np.float64)
        """The end of the input, which is reflected when no more comes."""
        self._received = 0
        self._padded = not self._half
        self._finished = False

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Take samples [S] (none is allowed) and return the mel frames [M, T] that are ready.

        Raises:
            AudioError: the samples are not finite mono samples, or the stream has ended.
        """
        if self._finished:
            raise AudioError("this stream of audio has ended; make a new one")
        if np.size(samples):
            signal = checked_samples(samples)
            self._waiting = np.concatenate([self._waiting, signal])
            self._received += len(signal)
            self._last = np.concatenate([self._last, signal])[-self._half - 1 :]
        if not self._padded and self._received > self._half:
            self._waiting = np.concatenate([self._padding(self._waiting[1 : self._half + 1]), self._waiting])
            self._padded = True
        # A frame is taken only with the whole hop after its start, so that what follows it begins in the input.
        return self._frames(max(self.config.n_fft, self.config.hop_length)) if self._padded else self._none()

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the frames that were still on their way.

        Raises:
            AudioError: there was too little audio for one frame, or for the reflection at its ends.
        """
        if self._finished:
            raise AudioError("this stream of audio has ended; make a new one")
        self._finished = True
        if not self._received:
            raise AudioError("the audio has no samples")
        if not self._padded:
            if self.config.pad_mode == "reflect":
                raise AudioError(
                    f"the audio is too short: {self._received} samples, but reflection at the ends needs at least "
                    f"{self._half + 1}"
                )
            self._waiting = np.pad(self._waiting, (self._half, 0))
        if self._half:
            self._waiting = np.concatenate([self._waiting, self._padding(self._last[:-1])])
        if self._received + 2 * self._half < self.config.n_fft:
            raise AudioError(f"the audio is too short: {self._received} samples, but one frame has {self.config.n_fft}")
        return self._frames(self.config.n_fft)

    def _padding(self, mirrored: NDArray[np.float64]) -> NDArray[np.float64]:
        return mirrored[::-1] if self.config.pad_mode == "reflect" else np.zeros(self._half)

    def _frames(self, needed: int) -> NDArray[np.float32]:
        hop = self.config.hop_length
        count = 1 + (len(self._waiting) - needed) // hop
        if count < 1:
            return self._none()
        mel = self._transform(self._waiting[: (count - 1) * hop + self.config.n_fft])
        self._waiting = self._waiting[count * hop :].copy()
        return mel

    def _none(self) -> NDArray[np.float32]:
        return np.empty((self.config.n_mels, 0), np.float32)
