"""The latent that a mel is spoken from: noise of the absolute position, for some models shaped by a harmonic source.

It comes as a stream, because the source carries its phase on from frame to frame: frames go in, and frames whose latent
is known come out, a few later. Whatever the pieces, the latent is the same.
"""

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.harmonic_source import HarmonicSource
from glowvox.audio.pitch_bins import read_pitch
from glowvox.engines.base import VocoderEngine
from glowvox.synthesis.noise import noise
from glowvox.synthesis.options import VocoderOptions

Frames = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Latent `[G, t * groups_per_frame]` and mel `[M, t]` of the same frames."""


class LatentStream:
    """Gives mel frames their latent.

    Args:
        engine: whose latent it is.
        options: sigma and seed of the noise.
    """

    def __init__(self, engine: VocoderEngine, options: VocoderOptions) -> None:
        self._engine = engine
        self._options = options
        self._mel = np.empty((engine.audio.n_mels, 0), np.float32)
        """Frames from `_first` on: context of the next pitch, and frames without a latent."""
        self._first = 0
        self._pitched = 0
        """Frames whose pitch is known."""
        self._given = 0
        self._source = None
        if engine.pitch is not None:
            self._source = HarmonicSource(engine.audio.sample_rate, engine.audio.hop_length).stream()

    @property
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it has its latent."""
        pitch = self._engine.pitch
        return 0 if pitch is None or self._source is None else pitch.receptive_field + self._source.look_ahead

    def push(self, mel: NDArray[np.float32]) -> Frames:
        """Take frames `[M, t]`; return those whose latent is known, in order, each once."""
        self._mel = np.concatenate([self._mel, mel], 1)
        return self._ready(ended=False)

    def finish(self) -> Frames:
        """End the signal; return the frames that were still on their way."""
        return self._ready(ended=True)

    def _ready(self, *, ended: bool) -> Frames:
        end = self._first + self._mel.shape[1]
        if self._source is None:
            return self._give(end, None)
        made = [self._pitch_up_to(end if ended else end - self._context)]
        if ended:
            made.append(self._source.finish())
        pulses, gain = (np.concatenate(part, 1) for part in zip(*made, strict=True))
        return self._give(self._given + pulses.shape[1], (pulses, gain))

    @property
    def _context(self) -> int:
        return 0 if self._engine.pitch is None else self._engine.pitch.receptive_field

    def _pitch_up_to(self, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert self._source is not None and self._engine.pitch is not None
        if end <= self._pitched:
            return self._source.push(np.empty(0), np.empty(0))
        first = max(0, self._pitched - self._context)
        window = self._mel[:, first - self._first : end + self._context - self._first]
        logits = self._engine.pitch(window)[:, self._pitched - first : end - first]
        frequency, voicing = read_pitch(logits)
        self._pitched = end
        return self._source.push(frequency, voicing)

    def _give(self, end: int, source: tuple[NDArray[np.float32], NDArray[np.float32]] | None) -> Frames:
        count, options, columns = end - self._given, self._options, self._engine.groups_per_frame
        latent = np.zeros((self._engine.n_group, count * columns), np.float32)
        if options.sigma and self._engine.n_group and count:
            latent = noise(options.seed, self._engine.n_group, self._given * columns, count * columns)
            latent *= np.float32(options.sigma)
        if source is not None:
            pulses, gain = source
            latent = latent * gain + pulses
        mel = self._mel[:, self._given - self._first : end - self._first].copy()
        self._given = end
        keep = end if self._source is None else max(0, min(end, self._pitched - self._context))
        self._mel = self._mel[:, keep - self._first :].copy()
        self._first = keep
        return latent, mel


def whole_latent(engine: VocoderEngine, options: VocoderOptions, mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the latent `[G, T * groups_per_frame]` of a mel `[M, T]`."""
    stream = LatentStream(engine, options)
    pieces = stream.push(mel), stream.finish()
    return np.concatenate([latent for latent, _ in pieces], 1)
