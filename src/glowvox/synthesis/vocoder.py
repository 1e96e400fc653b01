"""The vocoder: mel spectrograms to samples over any engine, in pieces, so that memory does not grow with length.

Mel frames are pushed, samples come out, and joined they are those of the whole. Three conditions make this exact. The
noise of a position depends on the seed and the position only; everything that is spoken has seen its whole receptive
field, on both sides (see `vocoder_pieces`); and zero padding happens at the true ends only. There is no cross-fading: a
seam has nothing to hide.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.denoiser import BiasDenoiser, DenoiserStream
from glowvox.audio.mel import checked_mel, silent_mel
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.audio.pitch import HarmonicSource, SourceMixNetwork, read_pitch
from glowvox.engines.base import SteppingVocoder, StreamState, VocoderEngine
from glowvox.errors import MelError
from glowvox.synthesis.options import VocoderOptions, noise

Frames = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Latent `[G, t * groups_per_frame]` and mel `[M, t]` of the same frames."""


class LatentStream:
    """Gives mel frames their latent: noise of the absolute position, for some models shaped by a harmonic source.

    It is a stream, because the source carries its phase on from frame to frame: frames go in, and frames whose latent
    is known come out, a few later. Whatever the pieces, the latent is the same.

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

    def finish(self, mel: NDArray[np.float32] | None = None) -> Frames:
        """Take the last frames `[M, t]`, if any, and end the signal; return the frames that were still on their way."""
        if mel is not None:
            self._mel = np.concatenate([self._mel, mel], 1)
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
        if options.sigma and self._engine.n_group and count:
            latent = noise(options.seed, self._engine.n_group, self._given * columns, count * columns)
            latent *= np.float32(options.sigma)
        else:
            latent = np.zeros((self._engine.n_group, count * columns), np.float32)
        if source is not None:
            pulses, gain = source
            if self._engine.source_mix is not None and count:
                loudness = self._gains(self._engine.source_mix, end)
                pulses, gain = pulses * loudness[0], gain * loudness[1]
            latent *= gain
            latent += pulses
        mel = self._mel[:, self._given - self._first : end - self._first].copy()
        self._given = end
        keep = end if self._source is None else max(0, min(end - self._mixed, self._pitched - self._context))
        self._mel = self._mel[:, keep - self._first :].copy()
        self._first = keep
        return latent, mel

    @property
    def _mixed(self) -> int:
        return 0 if self._engine.source_mix is None else self._engine.source_mix.receptive_field

    def _gains(self, mix: SourceMixNetwork, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the gains of pulses and noise, each `[G, t]`, of the frames from those given up to `end`."""
        first = max(0, self._given - mix.receptive_field)
        window = self._mel[:, first - self._first : end + mix.receptive_field - self._first]
        inside = slice(self._given - first, end - first)
        pulses, noise = mix(window)
        return pulses[:, inside], noise[:, inside]


def whole_latent(engine: VocoderEngine, options: VocoderOptions, mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the latent `[G, T * groups_per_frame]` of a mel `[M, T]`."""
    return LatentStream(engine, options).finish(mel)[0]


SamplesAndMel = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Samples `[t * hop_length]` and the mel frames `[M, t]` that they say."""


class VocoderPieces(ABC):
    """The frames of one signal on their way through an engine, in one of two ways that give the samples of the whole.

    An engine that does steps keeps its own state, and nothing is computed twice. For any other, every window has the
    whole receptive field of what it speaks on both sides, and the rest of the window is thrown away.
    """

    def __init__(self, engine: VocoderEngine) -> None:
        self._engine = engine
        self._latent = np.empty((engine.n_group, 0), np.float32)
        self._mel = np.empty((engine.audio.n_mels, 0), np.float32)
        """Both from the frame `_first` on."""
        self._first = 0
        self.spoken = 0
        """Frames whose samples were given out."""

    @property
    @abstractmethod
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken."""

    @abstractmethod
    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        """Return the samples of the frames from the last one spoken to `end`."""

    @abstractmethod
    def _oldest(self) -> int:
        """Return the first frame that is still needed."""

    @property
    def received(self) -> int:
        """Frames that were taken."""
        return self._first + self._mel.shape[1]

    def take(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> None:
        """Take frames, `latent [G, t * groups_per_frame]` and `mel [M, t]`."""
        self._latent = np.concatenate([self._latent, latent], 1)
        self._mel = np.concatenate([self._mel, mel], 1)

    def speak(self, count: int) -> SamplesAndMel:
        """Return the next `count` frames, spoken; `look_ahead` frames more are there.

        Raises:
            EngineError: the engine failed.
        """
        return self._speak(self.spoken + count, final=False)

    def finish(self) -> SamplesAndMel:
        """Return all that is left, one frame at least, spoken; the signal ends there.

        Raises:
            EngineError: the engine failed.
        """
        return self._speak(self.received, final=True)

    def _speak(self, end: int, *, final: bool) -> SamplesAndMel:
        samples = self._samples(end, final=final)
        mel = self._mel[:, self.spoken - self._first : end - self._first].copy()
        self.spoken = end
        first = self._oldest()
        self._latent = self._latent[:, (first - self._first) * self._engine.groups_per_frame :].copy()
        self._mel = self._mel[:, first - self._first :].copy()
        self._first = first
        return samples, mel

    def _part(self, first: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return latent and mel of some frames, as engines take them."""
        begin, stop, columns = first - self._first, end - self._first, self._engine.groups_per_frame
        return self._latent[None, :, begin * columns : stop * columns], self._mel[None, :, begin:stop]


class SteppedPieces(VocoderPieces):
    """Over an engine that does steps."""

    def __init__(self, engine: SteppingVocoder, delay: int) -> None:
        """Begin a signal.

        Args:
            engine: does steps.
            delay: of the engine.
        """
        super().__init__(engine)
        self._stepping = engine
        self._delay = delay
        self._state: StreamState = engine.begin()

    @property
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken: one waits, to be the last, if none follows."""
        return self._delay + 1

    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        if final and not self._state.frames:
            whole: NDArray[np.float32] = self._engine.run(*self._part(0, end))[0]
            return whole
        known = end if final else end + self._delay
        samples, state = self._stepping.step(*self._part(self._state.frames, known), self._state, final=final)
        self._state = state
        result: NDArray[np.float32] = samples[0]
        return result

    def _oldest(self) -> int:
        return min(self.spoken, self._state.frames)


class WindowedPieces(VocoderPieces):
    """Over an engine that takes whole windows."""

    @property
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken: the receptive field."""
        return self._engine.receptive_field

    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        hop = self._engine.audio.hop_length
        last = end if final else end + self.look_ahead
        samples = self._engine.run(*self._part(self._first, last))[0]
        result: NDArray[np.float32] = samples[(self.spoken - self._first) * hop : (end - self._first) * hop]
        return result

    def _oldest(self) -> int:
        return max(0, self.spoken - self.look_ahead)


def vocoder_pieces(engine: VocoderEngine) -> VocoderPieces:
    """Return the way that costs least with an engine."""
    if isinstance(engine, SteppingVocoder) and engine.delay is not None:
        return SteppedPieces(engine, engine.delay)
    return WindowedPieces(engine)


GROWTH = 4
"""A chunk has that many times the frames of the one before, up to the longest."""


class StreamingVocoder:
    """One stream over an engine, which other streams may share. Made by `Vocoder.stream`.

    Its state is what the engine needs of the frames before, the tails of refinement and denoiser, and where it is.
    A frame is spoken when `look_ahead` frames after it are known.
    """

    def __init__(
        self,
        engine: VocoderEngine,
        options: VocoderOptions,
        *,
        chunk_frames: int,
        refinement: MelRefinement,
        denoiser: BiasDenoiser | None,
        first_chunk: int | None = None,
    ) -> None:
        """Start a stream.

        Args:
            engine: what computes the windows.
            options: sigma, denoiser strength and seed.
            chunk_frames: mel frames spoken at once.
            refinement: gives the samples the mel they were made from.
            denoiser: takes the model's bias out; None: nothing is taken out.
            first_chunk: mel frames spoken at first, four times as many in each chunk after: the first samples are ready
                early, and the later ones cost little more than in one piece. None: `chunk_frames`.
        """
        self._engine = engine
        self._options = options
        self._longest_chunk = chunk_frames
        self._first_chunk = chunk_frames if first_chunk is None else min(first_chunk, chunk_frames)
        self._refinement = refinement
        self._denoiser = denoiser
        self.reset()

    @property
    def look_ahead(self) -> int:
        """Mel frames that must be known after a frame before it is spoken."""
        return self._latents.look_ahead + self._pieces.look_ahead + self._refinement.context

    @property
    def frames_spoken(self) -> int:
        """Mel frames whose samples were computed."""
        return self._pieces.spoken

    def reset(self) -> None:
        """Forget everything; the next frame is the first of a new signal."""
        self._latents = LatentStream(self._engine, self._options)
        self._pieces = vocoder_pieces(self._engine)
        self._chunk = self._first_chunk
        self._finished = False
        self._refined = self._refinement.stream() if self._refinement.passes else None
        self._clean: DenoiserStream | None = None
        if self._denoiser is not None and self._options.denoise:
            self._clean = self._denoiser.stream(self._options.denoise)

    def push(self, mel: Any) -> NDArray[np.float32]:
        """Take mel frames [M, t], any number of them, and return the samples [S] that are ready.

        Raises:
            MelError: the frames do not fit the contract or are not finite, or the stream has ended. The stream is left
                as it was.
            EngineError: the engine failed.
        """
        self._check_open()
        frames = self._checked(mel)
        if frames is not None:
            self._pieces.take(*self._latents.push(frames))
        return self._joined(self._chunks())

    def _checked(self, mel: Any) -> NDArray[np.float32] | None:
        """Return mel frames [M, t] that fit, None for none."""
        array = np.asarray(mel)
        if array.shape == (self._engine.audio.n_mels, 0):
            return None
        return checked_mel(array, self._engine.audio).astype(np.float32, copy=False)

    def _chunks(self) -> list[NDArray[np.float32]]:
        """Return the samples of the chunks that are known with all that they depend on."""
        pieces = []
        while self._pieces.received - self._pieces.spoken >= self._chunk + self._pieces.look_ahead:
            pieces.append(self._refine(*self._pieces.speak(self._chunk)))
            self._chunk = min(GROWTH * self._chunk, self._longest_chunk)
        return pieces

    def speak(self, mels: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of a mel that is known, or in long pieces [M, t], chunk by chunk, and end the stream.

        It takes at each step what the next chunk needs: no more, so that the first one is early, and no less, because
        every piece has its price in each part of the vocoder.

        Raises:
            MelError: see `push`.
            EngineError: the engine failed.
        """
        known, coming = 0, iter(mels)
        mel = next(coming, None)
        while mel is not None:
            first, whole, following = known, known + mel.shape[1], None
            while known < whole:
                needed = max(known + 1, self.next_frames)
                end = min(whole, needed)
                if end < needed and (following := next(coming, None)) is None:
                    # What is left makes no chunk of its own: it ends the signal, and each part is called once for it.
                    yield self.finish(mel[:, known - first :])
                    return
                yield self.push(mel[:, known - first : end - first])
                known = end
            mel = next(coming, None) if following is None else following
        yield self.finish()

    @property
    def next_frames(self) -> int:
        """Mel frames that must be known before the next chunk is spoken."""
        return self.frames_spoken + self._chunk + self._latents.look_ahead + self._pieces.look_ahead

    def finish(self, mel: Any | None = None) -> NDArray[np.float32]:
        """Take the last mel frames [M, t], if any, end the stream and return the samples that were on their way.

        Where no frame was ever given, there are none.

        Raises:
            MelError: the stream has ended before, or the frames are wrong: see `push`.
            EngineError: the engine failed.
        """
        self._check_open()
        self._pieces.take(*self._latents.finish(None if mel is None else self._checked(mel)))
        pieces = self._chunks()
        self._finished = True
        # Fewer frames than a chunk and its look-ahead are left: one piece, no larger than the others, reaches the end.
        left = self._pieces.finish() if self._pieces.received > self._pieces.spoken else None
        if self._refined is not None:
            pieces.append(self._refined.finish(*(left or ())))
        elif left is not None:
            pieces.append(left[0])
        samples = self._joined(pieces)
        return samples if self._clean is None else np.concatenate([samples, self._clean.finish()])

    def _check_open(self) -> None:
        if self._finished:
            raise MelError("this stream has ended; reset it or start another one")

    def _refine(self, samples: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        return samples if self._refined is None else self._refined.push(samples, mel)

    def _joined(self, pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        samples = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        return samples if self._clean is None else self._clean.push(samples)


_BIAS_FRAMES = 88
"""Frames of the silent mel that the bias is measured on, as the published denoiser has it."""
_CHUNK_SECONDS = 30.0
_CHUNK_CONTEXTS = 4
"""A chunk of this many receptive fields, if that is longer: what is computed twice is then at most a half."""
_CHUNK_COLUMNS = 12_288
"""Latent columns in a chunk at most: a network's activations take memory in proportion to them."""
_DEFAULTS = VocoderOptions()


class Vocoder:
    """Mel-to-audio synthesis over any vocoder engine, with mel refinement and denoiser."""

    def __init__(self, engine: VocoderEngine) -> None:
        self.engine = engine
        wanted = max(int(_CHUNK_SECONDS * engine.audio.frame_rate), _CHUNK_CONTEXTS * engine.receptive_field)
        self.chunk_frames = max(1, min(wanted, _CHUNK_COLUMNS // max(1, engine.groups_per_frame)))
        """Mel frames of a chunk where the caller does not say: long beside the receptive field, small in memory."""

    @functools.cached_property
    def denoiser(self) -> BiasDenoiser:
        """Takes the model's own tone out: its output for a quiet mel and no noise. Measured once.

        The published program's quiet mel is one of zeros. To a model that speaks whole frames at once, at the level
        that the mel says, zeros are a shout: it is told of silence.
        """
        engine = self.engine
        quiet = silent_mel(engine.audio) if engine.groups_per_frame == 1 else 0.0
        mel = np.full((1, engine.audio.n_mels, _BIAS_FRAMES), quiet, np.float32)
        latent = np.zeros((1, engine.n_group, _BIAS_FRAMES * engine.groups_per_frame), np.float32)
        quarter = max(1, engine.audio.n_fft // 4)
        return BiasDenoiser(engine.run(latent, mel)[0], n_fft=4 * quarter, hop_length=quarter)

    def denoiser_for(self, options: VocoderOptions) -> BiasDenoiser | None:
        """Return what takes the model's own tone out; None where that is not wished, or the model draws on no noise."""
        return self.denoiser if options.denoise and self.engine.n_group else None

    def refinement_for(self, options: VocoderOptions) -> MelRefinement:
        """Return what gives the samples their mel; by default as many passes as the model is meant for."""
        passes = self.engine.refine if options.refine is None else options.refine
        return MelRefinement(self.engine.audio, passes, options.postfilter)

    def stream(self, options: VocoderOptions = _DEFAULTS, *, first_chunk: int | None = None) -> StreamingVocoder:
        """Return a stream: mel frames in, samples out. Many streams may run at the same time.

        Args:
            options: what is wished of the vocoder.
            first_chunk: mel frames spoken at first; see `StreamingVocoder`.
        """
        return StreamingVocoder(
            self.engine,
            options,
            chunk_frames=options.chunk_frames or self.chunk_frames,
            refinement=self.refinement_for(options),
            denoiser=self.denoiser_for(options),
            first_chunk=first_chunk,
        )

    def blocks(
        self, mels: Iterable[NDArray[np.floating]], options: VocoderOptions = _DEFAULTS
    ) -> Iterator[NDArray[np.float32]]:
        """Yield samples [S] while mel frames [M, t] arrive in pieces of any size; no piece is held for long.

        Raises:
            MelError: a piece does not fit the contract or is not finite, or there were no frames at all.
            EngineError: the engine failed.
        """
        stream = self.stream(options)
        chunk = options.chunk_frames or self.chunk_frames
        frames = 0
        for mel in mels:
            for start in range(0, mel.shape[-1], chunk):
                samples = stream.push(mel[..., start : start + chunk])
                if samples.size:
                    yield samples
            frames += mel.shape[-1]
        if not frames:
            raise MelError("the mel spectrogram has no frames")
        yield stream.finish()

    def __call__(self, mel: Any, options: VocoderOptions = _DEFAULTS) -> NDArray[np.float32]:
        """Return the samples [T * hop_length] of a mel spectrogram [M, T].

        Raises:
            MelError: the mel does not fit the contract or is not finite.
            EngineError: the engine failed.
        """
        return np.concatenate(list(self.blocks([checked_mel(mel, self.engine.audio)], options)))
