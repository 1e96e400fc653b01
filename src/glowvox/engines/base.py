"""The interface of a vocoder engine: arrays in, samples out.

An engine computes a whole window; one of `stepping` also a signal piece by piece. Windows, noise, the denoiser and
streams are built on top of it, once for all engines.
"""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig
from glowvox.engines.pitch_network import PitchNetwork
from glowvox.errors import EngineError, MelError


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
    ) -> None:
        """Take what the callers must know of the model.

        Args:
            audio: the mel contract of the input.
            n_group: channels G of the latent; 0: the vocoder draws on no noise.
            receptive_field: mel frames on each side of a frame that its samples depend on at most.
            refine: passes of mel refinement that its output is meant for; the engine itself does none.
            pitch: predicts the pitch of a mel, where the latent is meant to have a harmonic source; the engine itself
                takes the latent as it is.
        """
        self.audio = audio
        self.n_group = n_group
        self.receptive_field = receptive_field
        self.refine = refine
        self.pitch = pitch

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

    @staticmethod
    def _check_samples(samples: NDArray[np.float32], mel: NDArray[np.float32]) -> None:
        if not np.isfinite(samples).all():
            raise EngineError(
                f"the vocoder gave samples that are not finite for mel values from {mel.min():.4g} to {mel.max():.4g}; "
                "check that the mel is a log-mel spectrogram of the model's contract"
            )

    @abstractmethod
    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute `run` for inputs whose shapes fit.

        Raises:
            EngineError: the engine failed.
        """
