"""The PyTorch engines of both models: the reference, on a CPU or a GPU."""

import functools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from glowvox.audio.pitch import PitchNetwork, SourceMixNetwork
from glowvox.checkpoint.model_folder import load_model
from glowvox.cuda.attach import attach_kernels
from glowvox.cuda.captured_calls import CapturedCalls, bucket
from glowvox.engines.base import AnalysedMel, AnalysisEngine, DecoderInput, EncodedText, SteppingVocoder, StreamState
from glowvox.engines.machine import checked_threads
from glowvox.errors import CheckpointError, EngineError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

HALF_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
TYPES = {"float32": torch.float32, "float64": torch.float64, **HALF_TYPES}
"""Types of numbers by name."""


@contextmanager
def told_when_out_of_memory(device: torch.device, what: str) -> Iterator[None]:
    """Say in one line what a device had no memory for.

    Args:
        device: that computes.
        what: it computes.

    Raises:
        EngineError: there was not enough.
    """
    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise EngineError(f"not enough memory on {device} for {what}; choose shorter pieces") from error


def set_threads(threads: int | None) -> None:
    """Set the CPU threads of PyTorch in this process; None: leave them.

    Raises:
        EngineError: an impossible number.
    """
    if threads is not None:
        torch.set_num_threads(checked_threads(threads))


def find_device(name: str) -> torch.device:
    """Return the device called "auto" (a GPU where there is one), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        EngineError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise EngineError(f"'{name}' is not a device; use auto, cpu, cuda, cuda:N or mps") from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise EngineError(f"a model cannot run on the device '{name}'; use auto, cpu, cuda, cuda:N or mps")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"there is no device '{name}': {torch.cuda.device_count()} CUDA devices found; use cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise EngineError("there is no device 'mps' on this machine; use cpu")
    return device


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
        if self.device.type == "cuda":
            attach_kernels(self._model)
        capturable = self.device.type == "cuda" and config.n_speakers == 1
        self._captured = CapturedCalls() if capturable else None

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

    @property
    def decoder_delay(self) -> int | None:
        """Mel frames that must follow a frame before `decode_piece` gives it."""
        return self._model.decoder.delay

    def _decode(
        self, given: DecoderInput, state: StreamState | None, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"{given.latent.shape[2]} mel frames"):
            latent, lengths = self._tensor(given.latent), self._tensor(given.lengths)
            speaker = self._speaker(given.speaker)
            harmonics = None if given.harmonics is None else self._tensor(given.harmonics)
            values: Mapping[str, Any] = {}
            if state is not None:
                mel, values = self._model.decode_piece(latent, state.values, speaker, harmonics, final=final)
            elif self._captured is None:
                mel = self._model.decode(latent, lengths, speaker, harmonics)
            else:
                mel = self._replayed(self._captured, latent, lengths, harmonics)
            return np.asarray(mel.float().cpu().numpy()), values

    def _replayed(
        self, captured: CapturedCalls, latent: torch.Tensor, lengths: torch.Tensor, harmonics: torch.Tensor | None
    ) -> torch.Tensor:
        """Return what `decode` gives, computed on one of few lengths."""
        frames = latent.shape[2]
        padding = bucket(frames // self.n_squeeze) * self.n_squeeze - frames
        padded = [F.pad(latent, (0, padding)), lengths]
        if harmonics is not None:
            padded.append(F.pad(harmonics, (0, padding)))
        return captured.run("decode", self._decoded, *padded)[:, :, :frames]

    def _decoded(
        self, latent: torch.Tensor, lengths: torch.Tensor, harmonics: torch.Tensor | None = None
    ) -> torch.Tensor:
        return self._model.decode(latent, lengths, None, harmonics)

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
            source_mix=source_mix_network(model),
        )
        if dtype not in TYPES:
            raise EngineError(f"the type must be one of {', '.join(TYPES)}, got '{dtype}'")
        set_threads(threads)
        self.device = find_device(device)
        self.dtype = TYPES[dtype]
        self._model = model.to(_stored_type(self.dtype)).eval().to(self.device)
        self._captured: CapturedCalls | None = None
        if self.device.type == "cuda":
            attach_kernels(self._model)
            self._captured = CapturedCalls()

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
        return self._model.delay if self.dtype == torch.float32 else None

    def _begin(self, batch: int) -> Mapping[str, Any]:
        return {}

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        given = self._tensor(latent), self._tensor(mel)
        with torch.inference_mode(), told_when_out_of_memory(self.device, f"a piece of {mel.shape[2]} mel frames"):
            audio, after = self._model.inverse_piece(*given, state.values, final=final)
            return np.asarray(audio.float().cpu().numpy()), after

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


def source_mix_network(model: WaveGlow) -> SourceMixNetwork | None:
    """Return what gives a vocoder's source its gains; None where it has none."""
    if model.source_mix is None:
        return None
    return SourceMixNetwork(model.source_mix.arrays(), model.config.mel_mean, model.config.mel_std)
