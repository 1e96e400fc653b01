"""The interface of an engine that also runs an acoustic model's flow forwards: from a mel to its latent.

Alignment, likelihood and voice conversion need it; speaking does not, so not every engine has it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.acoustic import AcousticEngine
from glowvox.errors import EngineError, MelError


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
    """An acoustic engine whose decoder runs both ways (Glow-TTS, figure 1a)."""

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
