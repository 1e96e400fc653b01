"""Recordings as a vocoder wants them: at its rate and level, analysed in pieces, whatever their length.

A vocoder hears speech of one level in its training. So a recording is measured first, analysed at that level, and what
is spoken gets the recording's own level back.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import StreamingResampler, audio_blocks
from glowvox.audio.loudness import LevelMeter
from glowvox.audio.mel import MelStream, checked_mel
from glowvox.config.audio import AudioConfig, bridge
from glowvox.errors import AudioError, MelError

TRAINING_LEVEL_DB = -23.0
"""Active speech level that recordings are prepared at for training, in dB relative to a mean square of 1."""


class Recording:
    """A sound file, read twice: once to measure it and once for its mel."""

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        config: AudioConfig,
        *,
        level_db: float | None = TRAINING_LEVEL_DB,
    ) -> None:
        """Measure a recording.

        Args:
            source: a path, or a binary file object.
            config: the mel contract; the audio is resampled to its rate.
            level_db: the active speech level to analyse it at; None: its own.

        Raises:
            AudioError: the file cannot be read as audio or holds no samples.
        """
        self.name = str(source) if isinstance(source, str | os.PathLike) else "the stream"
        self.config = config
        self._source = _read_again(source)
        meter = LevelMeter(config.sample_rate)
        for samples in self._samples():
            meter.push(samples)
        if not meter.n_samples:
            raise AudioError(f"{self.name} holds no samples")
        self.n_samples = meter.n_samples
        """Samples [S] at the contract's rate."""
        self.level_db = meter.level()
        """Active speech level; -inf for silence."""
        self.gain = 1.0 if level_db is None else meter.gain(level_db)
        """Factor that the samples are multiplied by before the analysis; divide by it what was spoken."""

    @property
    def n_frames(self) -> int:
        """Mel frames T that `mels` gives."""
        config = self.config
        padding = 2 * (config.n_fft // 2) if config.center else 0
        return max(0, 1 + (self.n_samples + padding - config.n_fft) // config.hop_length)

    def mels(self) -> Iterator[NDArray[np.float32]]:
        """Yield log-mel frames [M, t] in pieces; joined, they are the mel of the whole.

        Raises:
            AudioError: the recording is too short to be analysed, or the file changed meanwhile.
        """
        stream = MelStream(self.config)
        try:
            for samples in self._samples():
                yield stream.push(samples * np.float32(self.gain))
            yield stream.finish()
        except AudioError as problem:
            if self.name in str(problem):
                raise
            raise AudioError(f"{self.name}: {problem}") from problem

    def _samples(self) -> Iterator[NDArray[np.float32]]:
        if not isinstance(self._source, str | os.PathLike):
            self._source.seek(0)
        try:
            with audio_blocks(self._source) as (rate, blocks):
                resampler = StreamingResampler(rate, self.config.sample_rate)
                for block in blocks:
                    yield resampler.push(block)
                yield resampler.finish()
        except AudioError as problem:
            if isinstance(self._source, str | os.PathLike):
                raise
            raise AudioError(str(problem).replace("the stream", self.name)) from problem


def _read_again(source: str | os.PathLike[str] | BinaryIO) -> str | os.PathLike[str] | BinaryIO:
    """Return a source that can be read twice: a pipe is taken into memory."""
    if not isinstance(source, str | os.PathLike):
        return source if source.seekable() else io.BytesIO(source.read())
    path = Path(source)
    if path.exists() and not path.is_file() and not path.is_dir():
        return io.BytesIO(path.read_bytes())
    return source


def read_upload(content: bytes, longest: float) -> tuple[NDArray[np.float32], int]:
    """Return an upload's samples [S] as mono, and their rate in Hz.

    It is read from memory, and no longer than it may be: what a few bytes unpack to is not believed.

    Args:
        content: the file, in any format that libsndfile reads.
        longest: seconds.

    Raises:
        AudioError: it is not a sound file, empty, damaged or too long.
    """
    blocks, length = [], 0
    with audio_blocks(io.BytesIO(content)) as (rate, found):
        for block in found:
            blocks.append(block)
            length += len(block)
            if length > longest * rate:
                raise AudioError(f"the recording is longer than the {longest:g} s that it may have")
    if not length:
        raise AudioError("the recording holds no samples")
    return np.concatenate(blocks), rate


def fit_mel(mel: NDArray[np.floating], source: AudioConfig | None, target: AudioConfig) -> NDArray[np.float32]:
    """Convert a mel [M, T] to the vocoder's contract where that is exact; otherwise it is refused.

    Args:
        mel: log-mel spectrogram [M, T].
        source: its contract; None where it is not known, which is taken for `target`.
        target: the vocoder's contract.

    Raises:
        MelError: the contracts differ in more than the logarithm, the mean and the scale, or the mel does not fit its
            own.
    """
    scale, shift = (1.0, 0.0) if source is None else bridge(source, target)
    array = checked_mel(mel, target)
    if (scale, shift) == (1.0, 0.0):
        return array.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        fitted = (array * np.float64(scale) + shift).astype(np.float32)
    if not np.isfinite(fitted).all():
        raise MelError("the mel spectrogram holds values beyond the range of float32 after its conversion")
    return fitted
