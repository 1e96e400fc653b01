"""The interfaces of engines: `VocoderEngine`, `SteppingVocoder`, `AcousticEngine`, `AnalysisEngine`; NumPy arrays.

Windows, noise, the denoiser and streams are built on top of them, once for all engines.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import LOG_UNITS, silent_mel
from glowvox.audio.pitch import PitchNetwork, SourceMixNetwork
from glowvox.config.audio import AudioConfig
from glowvox.errors import EngineError, MelError, TextError, VoiceError


@dataclass(frozen=True, eq=False)
class StreamState:
    """Where a signal in pieces stands; never changed, so that a signal can be taken up again from any state."""

    frames: int
    """Mel frames that have gone in."""
    values: Mapping[str, Any]
    """The engine's own: what later pieces need of those before."""


_FARTHEST = 40.0
"""A mel's value is within that of silence, as a natural logarithm, above and below; no signal comes near it."""


class UnsoundSamplesError(EngineError):
    """A vocoder gave samples that are not finite."""

    def __init__(self, mel: NDArray[np.float32], audio: AudioConfig) -> None:
        """Take the mel that it was given, and its contract."""
        self.values = f"mel values from {mel.min():.4g} to {mel.max():.4g}"
        unit = LOG_UNITS[audio.log] / audio.std
        self.possible = bool(np.abs(mel - silent_mel(audio)).max() <= _FARTHEST * unit)
        """Whether a signal may have such a mel."""
        super().__init__(
            f"the vocoder gave samples that are not finite for {self.values}; check that the mel is a log-mel "
            "spectrogram of the model's contract"
        )

    def of_voice(self) -> EngineError:
        """Return the error where the mel is no user's, but was made by the voice's own acoustic model."""
        if self.possible:
            return EngineError(
                f"the voice's vocoder is damaged: it gave samples that are not finite for {self.values}; get the voice "
                "again"
            )
        return EngineError(
            f"the voice's acoustic model is damaged, or the temperature far too high: it gave {self.values}, which the "
            "vocoder cannot speak; get the voice again"
        )


class VocoderEngine(ABC):
    """Runs the inverse of a WaveGlow, or any vocoder from mel to audio, which then takes an empty latent.

    It keeps nothing between calls, so many streams may share one engine.
    """

    def __init__(
        self,
        audio: AudioConfig,
        *,
        n_group: int,
        receptive_field: int,
        refine: int = 0,
        pitch: PitchNetwork | None = None,
        source_mix: SourceMixNetwork | None = None,
    ) -> None:
        """Take what the callers must know of the model.

        Args:
            audio: the mel contract of the input.
            n_group: channels G of the latent; 0: the vocoder draws on no noise.
            receptive_field: mel frames on each side of a frame that its samples depend on at most.
            refine: passes of mel refinement that its output is meant for; the engine itself does none.
            pitch: predicts the pitch of a mel, where the latent is meant to have a harmonic source; the engine itself
                takes the latent as it is.
            source_mix: gives the pulses and the noise of that source their gains; None: they are as they are.
        """
        self.audio = audio
        self.n_group = n_group
        self.receptive_field = receptive_field
        self.refine = refine
        self.pitch = pitch
        self.source_mix = source_mix

    @property
    def groups_per_frame(self) -> int:
        """Columns of the latent for each mel frame; 0 without a latent."""
        return self.audio.hop_length // self.n_group if self.n_group else 0

    @property
    def parallel(self) -> bool:
        """Whether calls from several threads at once get more done than one call with a batch."""
        return False

    def run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples of a window, whose ends are taken for those of the signal.

        Args:
            latent: float32 `[B, G, T * groups_per_frame]`, early outputs first, already multiplied by sigma.
            mel: float32 `[B, M, T]` under the contract `audio`.

        Returns:
            float32 `[B, T * hop_length]`.

        Raises:
            MelError: the shapes do not fit.
            EngineError: the engine failed, or gave samples that are not finite.
        """
        self._check(latent, mel)
        samples = self._run(latent, mel)
        self._check_samples(samples, mel)
        return samples

    def _check(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> None:
        if mel.ndim != 3 or mel.shape[1] != self.audio.n_mels or not mel.shape[0] or not mel.shape[2]:
            raise MelError(f"expected a mel [B, {self.audio.n_mels}, T] with at least one frame, got {list(mel.shape)}")
        expected = (mel.shape[0], self.n_group, mel.shape[2] * self.groups_per_frame)
        if latent.shape != expected:
            raise MelError(f"a mel {list(mel.shape)} needs a latent {list(expected)}, got {list(latent.shape)}")

    def _check_samples(self, samples: NDArray[np.float32], mel: NDArray[np.float32]) -> None:
        if not np.isfinite(samples).all():
            raise UnsoundSamplesError(mel, self.audio)

    @abstractmethod
    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute `run` for inputs whose shapes fit.

        Raises:
            EngineError: the engine failed.
        """


@dataclass(frozen=True, eq=False)
class EncodedText:
    """What the encoder says about the mel frames of a text; padding is zero.

    Attributes:
        mean: float32 [B, M, L], mean of the latent under each token.
        log_std: float32 [B, M, L], log standard deviation.
        log_duration: float32 [B, L], predicted log of each token's frames.
        melody: float32 [B, 2, L], predicted height of each token (see `audio.pitch.pitch_contour`) and log odds of
            voicing; None where the model has no pitch conditioning.
    """

    mean: NDArray[np.float32]
    log_std: NDArray[np.float32]
    log_duration: NDArray[np.float32]
    melody: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class DecoderInput:
    """What a decoder is given; see `AcousticEngine.decode`."""

    latent: NDArray[np.float32]
    lengths: NDArray[np.int64]
    speaker: NDArray[np.int64] | None = None
    harmonics: NDArray[np.float32] | None = None


class AcousticEngine(ABC):
    """Runs the encoder and, backwards, the decoder of a Glow-TTS (arXiv 2005.11129, figure 1b).

    Durations, noise and temperature lie between the two and are computed once for all engines (`glowvox.synthesis`), so
    that timing and determinism do not depend on the engine. It keeps nothing between calls; padding in a batch does not
    change what an item gives.
    """

    def __init__(
        self, audio: AudioConfig, *, n_symbols: int, n_speakers: int, n_squeeze: int, melody: bool = False
    ) -> None:
        """Take what the callers must know of the model.

        Args:
            audio: the mel contract of the output.
            n_symbols: size of the token vocabulary.
            n_speakers: speakers; 1: none is chosen.
            n_squeeze: the decoder takes multiples of this many frames.
            melody: whether the decoder must be told the pitch.
        """
        self.audio = audio
        self.n_symbols = n_symbols
        self.n_speakers = n_speakers
        self.n_squeeze = n_squeeze
        self.melody = melody

    @property
    def decoder_delay(self) -> int | None:
        """Mel frames that must follow a frame before `decode_piece` gives it; None: it decodes whole latents only."""
        return None

    def encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None = None
    ) -> EncodedText:
        """Return the statistics and durations of a batch of token rows.

        Args:
            tokens: int64 [B, L], padding any token.
            lengths: int64 [B], tokens of each row.
            speaker: int64 [B]; None with one speaker.

        Raises:
            TextError: the tokens do not fit the model.
            VoiceError: the speaker does not.
            EngineError: the engine failed, or gave values that are not finite.
        """
        if tokens.ndim != 2 or not tokens.size or lengths.shape != (len(tokens),):
            raise TextError(
                f"expected tokens [B, L] and lengths [B], got {list(tokens.shape)} and {list(lengths.shape)}"
            )
        if lengths.min() < 1 or lengths.max() > tokens.shape[1]:
            raise TextError(f"lengths must lie from 1 to {tokens.shape[1]}, got {lengths.tolist()}")
        if tokens.min() < 0 or tokens.max() >= self.n_symbols:
            raise TextError(
                f"tokens must lie from 0 to {self.n_symbols - 1}, got {tokens.min()} to {tokens.max()}; "
                "they were made for another model"
            )
        self._check_speaker(speaker, len(tokens))
        encoded = self._encode(tokens, lengths, speaker)
        for name in ("mean", "log_std", "log_duration", "melody"):
            if getattr(encoded, name) is not None and not np.isfinite(getattr(encoded, name)).all():
                raise EngineError(f"the acoustic model gave a {name} that is not finite; its weights are damaged")
        return encoded

    def decode(
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None = None,
        harmonics: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return the mel [B, M, T] of a batch of latents; padding is zero.

        Args:
            latent: float32 [B, M, T], T a multiple of `n_squeeze`.
            lengths: int64 [B], frames of each item, multiples of `n_squeeze`.
            speaker: int64 [B]; None with one speaker.
            harmonics: float32 [B, K, T], of the pitch (see `audio.pitch.harmonic_features`), for a model with pitch
                conditioning; None for one without.

        Raises:
            EngineError: the shapes do not fit, the engine failed, or gave values that are not finite.
            VoiceError: the speaker does not fit the model.
        """
        given = DecoderInput(latent, lengths, speaker, harmonics)
        self._check_input(given)
        return _finite_mel(self._decode(given, None, final=True)[0])

    def begin_decoding(self) -> StreamState:
        """Return the state before the first piece of a latent.

        Raises:
            EngineError: the engine decodes whole latents only.
        """
        if self.decoder_delay is None:
            raise EngineError("this engine decodes whole latents only")
        return StreamState(0, {})

    def decode_piece(
        self,
        latent: NDArray[np.float32],
        state: StreamState,
        speaker: NDArray[np.int64] | None = None,
        harmonics: NDArray[np.float32] | None = None,
        *,
        final: bool,
    ) -> tuple[NDArray[np.float32], StreamState]:
        """Take the next piece of a latent; joined, the mels of all pieces are what `decode` gives for the whole.

        Args:
            latent: float32 [1, M, t], t a multiple of `n_squeeze`. The first piece, if it is not the last too, has more
                than `decoder_delay` frames.
            state: what `begin_decoding` or the piece before returned.
            speaker: int64 [1]; None with one speaker.
            harmonics: float32 [1, K, t]; see `decode`.
            final: whether the latent ends here.

        Returns:
            The mel [1, M, T], from where the piece before ended to `decoder_delay` frames before the end of this piece,
            or, in the last piece, to the end; and the state for the next piece.

        Raises:
            EngineError: see `decode`; or the engine decodes whole latents only.
            VoiceError: the speaker does not fit the model.
        """
        if self.decoder_delay is None:
            raise EngineError("this engine decodes whole latents only")
        if len(latent) != 1:
            raise EngineError(f"one latent is decoded in pieces at a time, got {len(latent)}")
        given = DecoderInput(latent, np.array(latent.shape[-1:], np.int64), speaker, harmonics)
        self._check_input(given)
        if not final and state.frames + latent.shape[2] <= self.decoder_delay:
            raise EngineError(
                f"the first piece of a latent needs more than {self.decoder_delay} frames, got {latent.shape[2]}"
            )
        mel, values = self._decode(given, state, final=final)
        return _finite_mel(mel), StreamState(state.frames + latent.shape[2], values)

    def _check_input(self, given: DecoderInput) -> None:
        latent, lengths, harmonics = given.latent, given.lengths, given.harmonics
        step = self.n_squeeze
        if latent.ndim != 3 or latent.shape[1] != self.audio.n_mels or lengths.shape != (len(latent),):
            raise EngineError(f"expected a latent [B, {self.audio.n_mels}, T], got {list(latent.shape)}")
        if latent.shape[2] % step or (lengths % step).any() or lengths.min() < step or lengths.max() > latent.shape[2]:
            raise EngineError(f"frames must be multiples of {step}, got {latent.shape[2]} and {lengths.tolist()}")
        self._check_speaker(given.speaker, len(latent))
        if (harmonics is not None) != self.melody:
            needs = "has a melody; say the pitch of each frame" if self.melody else "has no melody; leave the pitch out"
            raise EngineError(f"this model {needs}")
        if harmonics is not None and (harmonics.ndim != 3 or harmonics[:, 0].shape != (len(latent), latent.shape[2])):
            raise EngineError(f"expected a comb [{len(latent)}, K, {latent.shape[2]}], got {list(harmonics.shape)}")

    def _check_speaker(self, speaker: NDArray[np.int64] | None, batch: int) -> None:
        if self.n_speakers == 1:
            if speaker is not None:
                raise VoiceError("this model has one speaker; leave the speaker out")
            return
        if speaker is None:
            raise VoiceError(f"this model has {self.n_speakers} speakers; choose one from 0 to {self.n_speakers - 1}")
        if speaker.shape != (batch,) or speaker.min() < 0 or speaker.max() >= self.n_speakers:
            raise VoiceError(f"need {batch} speakers from 0 to {self.n_speakers - 1}, got {speaker.tolist()}")

    @abstractmethod
    def _encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> EncodedText:
        """Compute `encode` for inputs that fit.

        Raises:
            EngineError: the engine failed.
        """

    @abstractmethod
    def _decode(
        self, given: DecoderInput, state: StreamState | None, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Compute `decode`, or `decode_piece` where there is a state, for inputs that fit.

        Args:
            given: what the public methods were given; of a piece, how many frames it has.
            state: None: the latents are whole. What the engine keeps in it is empty before the first piece.
            final: whether the latent ends here.

        Returns:
            The mel [B, M, T], and what the engine keeps for the next piece.

        Raises:
            EngineError: the engine failed.
        """


def _finite_mel(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(mel).all():
        raise EngineError("the acoustic model gave a mel that is not finite; try a lower temperature")
    return mel


@dataclass(frozen=True, eq=False)
class AnalysedMel:
    """What the flow makes of a mel; padding is zero.

    Attributes:
        latent: float32 [B, M, T], T cut to a multiple of the decoder's squeeze.
        log_det: float32 [B], log-determinant of the map from mel to latent, nats.
    """

    latent: NDArray[np.float32]
    log_det: NDArray[np.float32]
    pitch: NDArray[np.float32] | None = None


class AnalysisEngine(AcousticEngine, ABC):
    """An acoustic engine whose decoder runs both ways (Glow-TTS, figure 1a): alignment, likelihood, conversion."""

    def analyse(
        self, mel: NDArray[np.float32], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None = None
    ) -> AnalysedMel:
        """Return the latents of a batch of mels.

        Args:
            mel: float32 [B, M, T], of the engine's mel contract.
            lengths: int64 [B], frames of each item, at least `n_squeeze`.
            speaker: int64 [B]; None with one speaker.

        Raises:
            MelError: the shapes do not fit the model, or the mel is not finite.
            VoiceError: the speaker does not fit the model.
            EngineError: the engine failed, or gave values that are not finite.
        """
        if mel.ndim != 3 or mel.shape[1] != self.audio.n_mels or lengths.shape != (len(mel),):
            raise MelError(f"expected a mel [B, {self.audio.n_mels}, T], got {list(mel.shape)}")
        if lengths.min() < self.n_squeeze or lengths.max() > mel.shape[2]:
            raise MelError(f"need {self.n_squeeze} to {mel.shape[2]} mel frames, got {lengths.tolist()}")
        if not np.isfinite(mel).all():
            raise MelError("the mel spectrogram holds NaN or infinite values")
        self._check_speaker(speaker, len(mel))
        analysed = self._analyse(mel, lengths, speaker)
        if not np.isfinite(analysed.latent).all() or not np.isfinite(analysed.log_det).all():
            raise EngineError("the acoustic model gave a latent that is not finite; its weights are damaged")
        return analysed

    @abstractmethod
    def _analyse(
        self, mel: NDArray[np.float32], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> AnalysedMel:
        """Compute `analyse` for inputs that fit.

        Raises:
            EngineError: the engine failed.
        """


_COLUMNS_A_THREAD = 512
"""Columns of the flow that one thread works on: 0.5 MB for 256 channels, half of a usual second-level cache."""
_FEWEST_COLUMNS = 1024
"""Columns of a piece at least: fewer, and a thread alone waits for the weights of small models."""


def piece_frames(columns_per_frame: int, threads: int) -> int:
    """Return the mel frames of the pieces in which a long signal is computed fastest.

    A product of many rows writes its result several times over, once for each block of its inner dimension: beyond the
    caches it waits for memory. Few rows wait for the weights instead. Steps with state give the same samples whatever
    their size.

    Args:
        columns_per_frame: of the flow, in all signals of a batch together.
        threads: that share the work.
    """
    return max(1, max(_FEWEST_COLUMNS, _COLUMNS_A_THREAD * threads) // max(1, columns_per_frame))


def piece_ends(frames: int, size: int) -> list[int]:
    """Return where pieces of nearly `size` frames, all about as long, end; the last one at `frames`.

    >>> piece_ends(100, 32)
    [33, 67, 100]
    """
    count = max(1, round(frames / size))
    return [round(frames * piece / count) for piece in range(1, count + 1)]


class SteppingVocoder(VocoderEngine, ABC):
    """Also takes a signal piece by piece, computing nothing twice, where the model that was loaded can.

    What a stream must remember is an argument and a result.
    """

    @property
    @abstractmethod
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: this model cannot do steps."""

    def begin(self) -> StreamState:
        """Return the state before the first piece of a signal.

        Raises:
            EngineError: the engine cannot do steps.
        """
        if self.delay is None:
            raise EngineError("this engine takes whole windows only")
        return StreamState(0, self._begin(1))

    def step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], StreamState]:
        """Take the next piece of a signal; joined, the samples of all pieces are those of `run` for the whole.

        Args:
            latent: float32 `[1, G, t * groups_per_frame]`, the piece's part of the latent.
            mel: float32 `[1, M, t]`. The first piece, if it is not the last too, has more than `delay` frames.
            state: what `begin` or the step before returned.
            final: whether the signal ends here.

        Returns:
            Samples float32 `[1, S]`, from where the step before ended to `delay` frames before the end of this piece,
            or, in the last step, to the end; and the state for the next step.

        Raises:
            MelError: the shapes do not fit.
            EngineError: the engine failed, cannot do steps, or gave samples that are not finite.
        """
        if self.delay is None:
            raise EngineError("this engine takes whole windows only")
        self._check(latent, mel)
        if len(mel) != 1:
            raise MelError(f"a stream takes one mel at a time, got {len(mel)}")
        if not final and state.frames + mel.shape[2] <= self.delay:
            raise MelError(f"the first piece of a stream needs more than {self.delay} frames, got {mel.shape[2]}")
        samples, state = self._steps(latent, mel, state, final=final)
        self._check_samples(samples, mel)
        return samples, state

    def _piece_frames(self, batch: int) -> int | None:
        """Return the mel frames of the pieces in which this engine is fastest; None: any number at once."""
        return None

    def _steps(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], StreamState]:
        """Take a piece `[B, ...]`, in smaller ones where those are faster. See `step`.

        Raises:
            EngineError: the engine failed.
        """
        frames, columns = mel.shape[2], self.groups_per_frame
        size = self._piece_frames(len(mel)) or frames
        joined, begin = [], 0
        for end in piece_ends(frames, size):
            part = latent[:, :, begin * columns : end * columns], mel[:, :, begin:end]
            samples, values = self._step(*part, state, final=final and end == frames)
            state = StreamState(state.frames + end - begin, values)
            joined.append(samples)
            begin = end
        return (joined[0] if len(joined) == 1 else np.concatenate(joined, 1)), state

    @abstractmethod
    def _begin(self, batch: int) -> Mapping[str, Any]:
        """Return the engine's own state before the first piece of `batch` signals, where `delay` is not None."""

    @abstractmethod
    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Compute `step` for inputs `[B, ...]` that fit, where `delay` is not None. The last state is never asked for.

        Raises:
            EngineError: the engine failed.
        """
