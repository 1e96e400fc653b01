"""The mel transform: from samples to the log-mel spectrogram that a mel contract describes, and back to a spectrum."""

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_samples
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError

_BLOCK_BYTES = 4 << 20
"""Windowed frames held at once; a few megabytes keep the working set in the cache."""
_ALONE = 2**18
"""Multiplications up to which OpenBLAS shares a product with nobody."""


def hann_window(win_length: int, n_fft: int | None = None) -> NDArray[np.float64]:
    """Return the periodic Hann window [n_fft], zero outside its `win_length` middle samples."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(win_length) / win_length)
    if n_fft is None or n_fft == win_length:
        return window
    left = (n_fft - win_length) // 2
    return np.pad(window, (left, n_fft - win_length - left))


def frame_count(n_samples: int, n_fft: int, hop_length: int, *, center: bool = True) -> int:
    """Return how many frames a signal of `n_samples` has; centred and with an even FFT size: 1 + S // hop."""
    padded = n_samples + 2 * (n_fft // 2) if center else n_samples
    return max(0, 1 + (padded - n_fft) // hop_length)


def stft_blocks(
    samples: NDArray[np.floating],
    n_fft: int,
    hop_length: int,
    win_length: int,
    *,
    center: bool = True,
    pad_mode: Literal["reflect", "constant"] = "reflect",
) -> Iterator[tuple[int, NDArray[np.complexfloating]]]:
    """Yield `(first frame, spectrum [..., frames, F])` of consecutive blocks of frames, time before frequency.

    Raises:
        AudioError: the signal is too short to be padded by reflection, or for one frame when it is not centred.
    """
    n_samples = samples.shape[-1]
    if center:
        half = n_fft // 2
        if pad_mode == "reflect" and n_samples <= half:
            raise AudioError(
                f"the audio is too short: {n_samples} samples, but reflection at the ends needs at least {half + 1}"
            )
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(half, half)], mode=pad_mode)
    if samples.shape[-1] < n_fft:
        raise AudioError(f"the audio is too short: {n_samples} samples, but one frame has {n_fft}")
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft, axis=-1)[..., ::hop_length, :]
    window = hann_window(win_length, n_fft).astype(samples.dtype)
    complex_type = np.result_type(samples.dtype, np.complex64)
    rows = max(1, _BLOCK_BYTES // (samples[..., :n_fft].size * samples.itemsize))
    for first in range(0, frames.shape[-2], rows):
        spectrum = np.fft.rfft(frames[..., first : first + rows, :] * window, axis=-1)
        yield first, spectrum.astype(complex_type, copy=False)


def stft(
    samples: NDArray[np.floating],
    n_fft: int,
    hop_length: int,
    win_length: int,
    *,
    center: bool = True,
    pad_mode: Literal["reflect", "constant"] = "reflect",
) -> NDArray[np.complexfloating]:
    """Return the spectrum [..., F, T] of samples [..., S], F = n_fft // 2 + 1.

    Args:
        samples: float32 or float64; the spectrum is complex64 or complex128 accordingly.
        n_fft: FFT size in samples.
        hop_length: samples between two frames.
        win_length: length of the periodic Hann window, in the middle of the frame.
        center: whether frame t is centred on sample t * hop_length, the signal padded by n_fft // 2 at both ends.
        pad_mode: how it is padded.

    Raises:
        AudioError: the signal is too short.
    """
    frames = frame_count(samples.shape[-1], n_fft, hop_length, center=center)
    shape = (*samples.shape[:-1], n_fft // 2 + 1, frames)
    spectrum = np.empty(shape, dtype=np.result_type(samples.dtype, np.complex64))
    for first, block in stft_blocks(samples, n_fft, hop_length, win_length, center=center, pad_mode=pad_mode):
        spectrum[..., first : first + block.shape[-2]] = np.swapaxes(block, -1, -2)
    return spectrum


def overlap_add(frames: NDArray[Any], hop_length: int, tail: NDArray[Any] | None = None) -> NDArray[Any]:
    """Add frames [..., T, N] at distances of `hop_length` into [..., (T - 1) * hop + ceil(N / hop) * hop] samples.

    The frames of a sample are added in their order, the earliest first. So a signal that is added up in pieces, each
    piece going on from the `tail` of the one before, is the same to the last bit.

    Args:
        frames: windowed pieces of the signal.
        hop_length: samples between two frames.
        tail: [..., n] sums that earlier frames left for the first samples.
    """
    *batch, n_frames, n_fft = frames.shape
    pieces = -(-n_fft // hop_length)
    total = np.zeros((*batch, n_frames - 1 + pieces, hop_length), dtype=frames.dtype)
    if tail is not None:
        flat = total.reshape(*batch, -1)  # a view
        flat[..., : tail.shape[-1]] = tail
    for piece in reversed(range(pieces)):
        part = frames[..., piece * hop_length : (piece + 1) * hop_length]
        total[..., piece : piece + n_frames, : part.shape[-1]] += part
    return total.reshape(*batch, -1)


def istft(
    spectrum: NDArray[np.complexfloating],
    n_fft: int,
    hop_length: int,
    win_length: int,
    *,
    length: int,
    center: bool = True,
) -> NDArray[np.floating]:
    """Return the samples [..., length] whose STFT is nearest to `spectrum` [..., F, T] in the least squares sense.

    Weighted overlap-add (Griffin and Lim 1984, equation 6): sum of windowed frames over sum of squared windows.

    Args:
        spectrum: complex64 or complex128; the samples are float32 or float64 accordingly.
        n_fft: FFT size in samples.
        hop_length: samples between two frames.
        win_length: length of the periodic Hann window.
        length: samples to return; what the frames do not reach is zero.
        center: whether frame t is centred on sample t * hop_length.

    Raises:
        AudioError: the spectrum does not have n_fft // 2 + 1 bins or has no frame.
    """
    if spectrum.ndim < 2 or spectrum.shape[-2] != n_fft // 2 + 1 or spectrum.shape[-1] == 0:
        raise AudioError(f"a spectrum must have the shape [{n_fft // 2 + 1}, T], got {list(spectrum.shape)}")
    real_type = np.float32 if spectrum.dtype == np.complex64 else np.float64
    window: NDArray[Any] = hann_window(win_length, n_fft).astype(real_type)
    frames: NDArray[Any] = np.fft.irfft(np.swapaxes(spectrum, -1, -2), n_fft, axis=-1).astype(real_type, copy=False)
    frames *= window
    samples = overlap_add(frames, hop_length)
    weight = overlap_add(np.broadcast_to(window * window, (spectrum.shape[-1], n_fft)), hop_length)
    samples /= np.where(weight > 1e-8, weight, 1.0)
    start = n_fft // 2 if center else 0
    samples = samples[..., start : start + length]
    if samples.shape[-1] < length:
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, length - samples.shape[-1])])
    return samples


def product(rows: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Return `rows [T, K] @ matrix [K, M]`, computed by the calling thread alone.

    NumPy's BLAS shares larger products among threads of its own, which then wait actively for the next one, and take
    their processors from the threads of the networks: on two cores a sentence took a third longer by that. So it is
    computed block by block, each so small that no other thread is woken for it.
    """
    count = max(1, _ALONE // max(1, matrix.size))
    if count >= len(rows):
        result: NDArray[Any] = rows @ matrix
        return result
    result = np.empty((len(rows), matrix.shape[1]), np.result_type(rows, matrix))
    for start in range(0, len(rows), count):
        np.matmul(rows[start : start + count], matrix, out=result[start : start + count])
    return result


class BandedMatrix:
    """A matrix `[K, M]` with its values near a diagonal, such as that of mel filters, cut into bands of columns.

    Only the rows in which a band has values are multiplied: of 80 mel filters over 513 bins a tenth.
    """

    def __init__(self, matrix: NDArray[np.floating], bands: int = 8) -> None:
        self.shape = matrix.shape
        self._bands: list[tuple[slice, slice, NDArray[np.floating]]] = []
        edges = np.linspace(0, matrix.shape[1], min(bands, matrix.shape[1]) + 1).round().astype(int)
        for first, last in pairwise(edges):
            rows = np.flatnonzero(matrix[:, first:last].any(1))
            if rows.size:
                within = slice(int(rows[0]), int(rows[-1]) + 1)
                columns = slice(int(first), int(last))
                self._bands.append((within, columns, np.ascontiguousarray(matrix[within, columns])))

    def __rmatmul__(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return `rows [T, K] @ self`, of the rows' type."""
        result = np.zeros((len(rows), self.shape[1]), rows.dtype)
        for within, columns, band in self._bands:
            if len(rows) * band.size <= _ALONE:
                np.matmul(rows[:, within], band, out=result[:, columns])
            else:
                result[:, columns] = product(rows[:, within], band)
        return result

    __array_ufunc__ = None
    """NumPy leaves `array @ self` to this class."""


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

    def whole_frames(self, samples: Any) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
        """Return a signal cut to whole frames, [T * hop], and its mel [M, T]: the pair that `WaveGlow` takes.

        A centred transform has one frame more than the signal has hops, whose samples would lie beyond its end.

        Args:
            samples: float [S] or [B, S] at the contract's sample rate, -1 to 1.

        Raises:
            AudioError: see `__call__`.
        """
        signal = checked_samples(samples, max_rank=2)
        hop = self.config.hop_length
        signal = signal[..., : signal.shape[-1] // hop * hop]
        mel = self(signal)[..., : signal.shape[-1] // hop]
        return signal[..., : mel.shape[-1] * hop], np.ascontiguousarray(mel)

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
