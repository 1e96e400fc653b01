"""The interface of a vocoder engine: arrays in, samples out; what a stream must remember is an argument and a result.

An engine computes a whole window, or a signal piece by piece, where it can, without computing anything twice. Windows,
noise, the denoiser and streams are built on top of it, once for all engines.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig
from glowvox.engines.pitch_network import PitchNetwork
from glowvox.engines.stream_state import StreamState
from glowvox.errors import EngineError, MelError


class VocoderEngine(ABC):
    """Runs the inverse of a WaveGlow, or any vocoder from mel to audio, which then takes an empty latent.

    It keeps nothing between calls, so many streams may share one engine. One that can do steps overrides `delay`,
    `_begin` and `_step`.
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

    @property
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: the engine cannot do steps."""
        return None

    def begin(self) -> StreamState:
        """Return the state before the first piece of a signal.

        Raises:
            EngineError: the engine cannot do steps.
        """
        if self.delay is None:
            raise EngineError("this engine takes whole windows only")
        return StreamState(0, self._begin())

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
        samples, values = self._step(latent, mel, state, final=final)
        self._check_samples(samples, mel)
        return samples, StreamState(state.frames + mel.shape[2], values)

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

    def _begin(self) -> Mapping[str, Any]:
        """Return the engine's own state before the first piece, where `delay` is not None."""
        raise NotImplementedError

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Compute `step` for inputs that fit, where `delay` is not None.

        Raises:
            EngineError: the engine failed.
        """
        raise NotImplementedError

    @abstractmethod
    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute `run` for inputs whose shapes fit.

        Raises:
            EngineError: the engine failed.
        """
