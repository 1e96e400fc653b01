"""The PyTorch engine of the vocoder: the reference, on a CPU or a GPU."""

import functools
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from glowvox.checkpoint.model_folder import load_model
from glowvox.engines.pitch_network import PitchNetwork
from glowvox.engines.stepping import SteppingVocoder
from glowvox.engines.stream_state import StreamState
from glowvox.engines.torch_captured_calls import CapturedCalls, bucket
from glowvox.engines.torch_device import HALF_TYPES, TYPES, find_device, set_threads, told_when_out_of_memory
from glowvox.errors import CheckpointError, EngineError
from glowvox.models.waveglow import WaveGlow
from glowvox.models.waveglow_steps import StepPiece, step_delay


class TorchVocoder(SteppingVocoder):
    """A WaveGlow in PyTorch; on an NVIDIA GPU its windows are replayed as CUDA graphs."""

    def __init__(
        self,
        model: WaveGlow,
        *,
        threads: int | None = None,
        device: str = "cpu",
        dtype: Literal["float32", "bfloat16", "float16", "float64"] = "float32",
    ) -> None:
        """Take a model.

        Args:
            model: moved to the device and set to evaluation mode.
            threads: CPU threads, for all of PyTorch in this process; None: as they are.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:N" or "mps".
            dtype: of the coupling networks' products; where a half-precision result is not finite it is computed again
                in float32, with a warning. 'float64': of everything, to measure the others' rounding; results are
                rounded to float32.

        Raises:
            EngineError: an impossible number of threads, or no such device or type.
        """
        config = model.config
        super().__init__(
            config.audio,
            n_group=config.n_group,
            receptive_field=model.receptive_field,
            refine=config.refine,
            pitch=pitch_network(model),
        )
        if dtype not in TYPES:
            raise EngineError(f"the type must be one of {', '.join(TYPES)}, got '{dtype}'")
        set_threads(threads)
        self.device = find_device(device)
        self.dtype = TYPES[dtype]
        self._model = model.to(_stored_type(self.dtype)).eval().to(self.device)
        self._captured = CapturedCalls() if self.device.type == "cuda" else None

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> "TorchVocoder":
        """Return the engine of a model folder or training run (see `load_model`), with the options of the constructor.

        Raises:
            CheckpointError: no model there, damaged, or not a vocoder.
            EngineError: see the constructor.
        """
        model = load_model(path)
        if not isinstance(model, WaveGlow):
            raise CheckpointError(f"{path}: holds a {type(model).__name__}, which is no vocoder; name a WaveGlow")
        return cls(model, **options)

    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        samples = self._computed(latent, mel, self.dtype)
        if self.dtype in HALF_TYPES.values() and not np.isfinite(samples).all():
            name = str(self.dtype).removeprefix("torch.")
            warnings.warn(
                f"{name} gave samples that are not finite; this window was computed again in float32",
                RuntimeWarning,
                stacklevel=3,
            )
            samples = self._computed(latent, mel, torch.float32)
        return samples

    @property
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None but in float32."""
        return step_delay(self._model) if self.dtype == torch.float32 else None

    def _begin(self, batch: int) -> Mapping[str, Any]:
        return {}

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        piece = StepPiece(self._model, state.values, final=final)
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"a piece of {mel.shape[2]} mel frames"):
            audio = piece.inverse(self._tensor(latent), self._tensor(mel))
            return np.asarray(audio.float().cpu().numpy()), piece.after

    def _tensor(self, array: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device, _stored_type(self.dtype))

    def _computed(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], dtype: torch.dtype
    ) -> NDArray[np.float32]:
        given = self._tensor(latent), self._tensor(mel)
        window = f"a window of {mel.shape[2]} mel frames"
        with torch.inference_mode(), told_when_out_of_memory(self.device, window):
            if self._captured is None:
                samples = self._inverse(dtype, *given)
            else:
                samples = self._replayed(self._captured, dtype, *given)
            return np.asarray(samples.cpu().numpy())

    def _inverse(
        self, dtype: torch.dtype, latent: torch.Tensor, mel: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        half: AbstractContextManager[Any] = nullcontext()
        if dtype in HALF_TYPES.values():
            half = torch.autocast(self.device.type, dtype, cache_enabled=False)
        with half:
            return self._model.inverse(latent, mel, mel_lengths=lengths, limited=True).float()

    def _replayed(
        self, captured: CapturedCalls, dtype: torch.dtype, latent: torch.Tensor, mel: torch.Tensor
    ) -> torch.Tensor:
        """Return the samples, computed in a window of one of few lengths, whose padding the model masks."""
        batch, _, frames = mel.shape
        padding = bucket(frames) - frames
        lengths = torch.full((batch,), frames, device=self.device)
        padded = F.pad(latent, (0, padding * self.groups_per_frame)), F.pad(mel, (0, padding))
        samples = captured.run(dtype, functools.partial(self._inverse, dtype), *padded, lengths)
        return samples[:, : frames * self.audio.hop_length]


def _stored_type(dtype: torch.dtype) -> torch.dtype:
    """Return the type of weights and inputs: autocast makes half precision of them where it pays."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def pitch_network(model: WaveGlow) -> PitchNetwork | None:
    """Return a vocoder's pitch predictor; None where it has none."""
    if model.pitch is None:
        return None
    return PitchNetwork(model.pitch.arrays(), model.config.mel_mean, model.config.mel_std)
