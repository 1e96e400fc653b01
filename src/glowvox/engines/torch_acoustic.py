"""The PyTorch engine of the acoustic model: the reference, on a CPU or a GPU."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from glowvox.checkpoint.model_folder import load_model
from glowvox.engines.acoustic import EncodedText
from glowvox.engines.analysis import AnalysedMel, AnalysisEngine
from glowvox.engines.torch_captured_calls import CapturedCalls, bucket
from glowvox.engines.torch_device import TYPES, find_device, set_threads, told_when_out_of_memory
from glowvox.errors import CheckpointError
from glowvox.models.glow_tts import GlowTTS


class TorchAcoustic(AnalysisEngine):
    """A Glow-TTS in PyTorch, whose flow runs both ways; on an NVIDIA GPU its decoder is replayed as CUDA graphs."""

    def __init__(
        self,
        model: GlowTTS,
        *,
        threads: int | None = None,
        device: str = "cpu",
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        """Take a model.

        Args:
            model: moved to the device and set to evaluation mode.
            threads: CPU threads, for all of PyTorch in this process; None: as they are.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:N" or "mps".
            dtype: of everything; 'float64' measures the rounding of the other, and rounds its results to float32.

        Raises:
            EngineError: an impossible number of threads, or no such device.
        """
        config = model.config
        super().__init__(
            config.audio,
            n_symbols=config.n_symbols,
            n_speakers=config.n_speakers,
            n_squeeze=config.n_squeeze,
            melody=config.melody,
        )
        set_threads(threads)
        self.device = find_device(device)
        self._dtype = TYPES[dtype]
        self._model = model.to(self._dtype).eval().to(self.device)
        # several speakers' model reads who speaks on the host, to refuse a wrong number
        capturable = self.device.type == "cuda" and config.n_speakers == 1
        self._captured = CapturedCalls() if capturable else None

    @property
    def decoder_field(self) -> int | None:
        """Mel frames on each side of a frame that its mel depends on in `decode`."""
        return self._model.decoder.receptive_field

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> "TorchAcoustic":
        """Return the engine of a model folder or training run (see `load_model`), with the options of the constructor.

        Raises:
            CheckpointError: no model there, damaged, or not an acoustic model.
            EngineError: see the constructor.
        """
        model = load_model(path)
        if not isinstance(model, GlowTTS):
            raise CheckpointError(f"{path}: holds a {type(model).__name__}, which speaks no text; name a Glow-TTS")
        return cls(model, **options)

    def _encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> EncodedText:
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"a text of {tokens.shape[1]} tokens"):
            text = self._model.encode(self._tensor(tokens), self._tensor(lengths), self._speaker(speaker))
            mean, log_std, log_duration = (
                part.float().cpu().numpy() for part in (text.mean, text.log_std, text.log_duration)
            )
            melody = None if text.melody is None else text.melody.float().cpu().numpy()
            return EncodedText(mean, log_std, log_duration, melody)

    def _decode(
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None,
        comb: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"{latent.shape[2]} mel frames"):
            given = self._tensor(latent), self._tensor(lengths)
            told = None if comb is None else self._tensor(comb)
            if self._captured is None:
                mel = self._model.decode(*given, self._speaker(speaker), told)
            else:
                mel = self._replayed(self._captured, *given, told)
            return np.asarray(mel.float().cpu().numpy())

    def _replayed(
        self, captured: CapturedCalls, latent: torch.Tensor, lengths: torch.Tensor, comb: torch.Tensor | None
    ) -> torch.Tensor:
        """Return what `decode` gives, computed on one of few lengths."""
        frames = latent.shape[2]
        padding = bucket(frames // self.n_squeeze) * self.n_squeeze - frames
        padded = [F.pad(latent, (0, padding)), lengths]
        if comb is not None:
            padded.append(F.pad(comb, (0, padding)))
        return captured.run("decode", self._decoded, *padded)[:, :, :frames]

    def _decoded(self, latent: torch.Tensor, lengths: torch.Tensor, comb: torch.Tensor | None = None) -> torch.Tensor:
        return self._model.decode(latent, lengths, None, comb)

    def _analyse(
        self, mel: NDArray[np.float32], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> AnalysedMel:
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"{mel.shape[2]} mel frames"):
            latent, log_det, pitch = self._model.analyse(
                self._tensor(mel), self._tensor(lengths), self._speaker(speaker)
            )
            contour = None if pitch is None else pitch.float().cpu().numpy()
            return AnalysedMel(latent.float().cpu().numpy(), log_det.float().cpu().numpy(), contour)

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        return tensor.to(self._dtype) if tensor.is_floating_point() else tensor

    def _speaker(self, speaker: NDArray[np.int64] | None) -> torch.Tensor | None:
        return None if speaker is None else self._tensor(speaker)
