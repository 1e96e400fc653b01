"""The interface of an acoustic engine: the two halves of Glow-TTS as two graphs, arrays in, arrays out.

Between the halves lie durations, noise and temperature. They are computed once, in NumPy, for all engines
(`glowvox.synthesis`), so that timing and determinism do not depend on the engine. An engine keeps nothing between
calls; padding in a batch does not change what an item gives.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig
from glowvox.errors import EngineError, TextError, VoiceError


@dataclass(frozen=True, eq=False)
class EncodedText:
    """What the encoder says about the mel frames of a text; padding is zero.

    Attributes:
        mean: float32 [B, M, L], mean of the latent under each token.
        log_std: float32 [B, M, L], log standard deviation.
        log_duration: float32 [B, L], predicted log of each token's frames.
        melody: float32 [B, 2, L], predicted height (see `audio.pitch_contour`) of each token and log odds of voicing;
            None where the model has no melody.
    """

    mean: NDArray[np.float32]
    log_std: NDArray[np.float32]
    log_duration: NDArray[np.float32]
    melody: NDArray[np.float32] | None = None


class AcousticEngine(ABC):
    """Runs the encoder and, backwards, the decoder of a Glow-TTS (arXiv 2005.11129, figure 1b)."""

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
    def decoder_field(self) -> int | None:
        """Mel frames on each side of a frame that its mel depends on in `decode`; None: not known."""
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
        comb: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return the mel [B, M, T] of a batch of latents; padding is zero.

        Args:
            latent: float32 [B, M, T], T a multiple of `n_squeeze`.
            lengths: int64 [B], frames of each item, multiples of `n_squeeze`.
            speaker: int64 [B]; None with one speaker.
            comb: float32 [B, K, T], of the pitch (see `audio.harmonic_comb`), for a model with a melody; None for one
                without.

        Raises:
            EngineError: the shapes do not fit, the engine failed, or gave values that are not finite.
            VoiceError: the speaker does not fit the model.
        """
        step = self.n_squeeze
        if latent.ndim != 3 or latent.shape[1] != self.audio.n_mels or lengths.shape != (len(latent),):
            raise EngineError(f"expected a latent [B, {self.audio.n_mels}, T], got {list(latent.shape)}")
        if latent.shape[2] % step or (lengths % step).any() or lengths.min() < step or lengths.max() > latent.shape[2]:
            raise EngineError(f"frames must be multiples of {step}, got {latent.shape[2]} and {lengths.tolist()}")
        self._check_speaker(speaker, len(latent))
        if (comb is not None) != self.melody:
            needs = "has a melody; say the pitch of each frame" if self.melody else "has no melody; leave the pitch out"
            raise EngineError(f"this model {needs}")
        if comb is not None and (comb.ndim != 3 or comb[:, 0].shape != (len(latent), latent.shape[2])):
            raise EngineError(f"expected a comb [{len(latent)}, K, {latent.shape[2]}], got {list(comb.shape)}")
        mel = self._decode(latent, lengths, speaker, comb)
        if not np.isfinite(mel).all():
            raise EngineError("the acoustic model gave a mel that is not finite; try a lower temperature")
        return mel

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
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None,
        comb: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """Compute `decode` for inputs that fit.

        Raises:
            EngineError: the engine failed.
        """
