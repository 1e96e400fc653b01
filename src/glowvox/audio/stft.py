"""STFT and inverse STFT, with the periodic Hann window of the mel contract, and matrix products over their frames.

Frames are transformed in blocks, so besides the result itself the memory does not grow with the signal.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError

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
            result[:, columns] = product(rows[:, within], band)
        return result

    __array_ufunc__ = None
    """NumPy leaves `array @ self` to this class."""
