"""Training a vocoder: likelihood first, then also spectral losses on samples drawn through the inverse pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from glowvox.audio.harmonic_source import HarmonicSource
from glowvox.audio.mel import MelTransform
from glowvox.config.training import VocoderTrainingConfig
from glowvox.data.batches.segments import SegmentSampler
from glowvox.data.batches.store import MemoryStore
from glowvox.data.prepared import Clip
from glowvox.errors import DataError
from glowvox.models.waveglow import WaveGlow
from glowvox.training.captured_couplings import capture_couplings
from glowvox.training.device_segments import DeviceSegments
from glowvox.training.log import RunLog
from glowvox.training.pitch import sourced_latent
from glowvox.training.refinement import DifferentiableRefinement
from glowvox.training.spectral import MultiResolutionLoss
from glowvox.training.task import Task, TaskLoss

QUANTISATION = 1 / 32768
"""The step of 16-bit audio: bits per sample are stated for signals of this resolution."""


@dataclass(frozen=True)
class VocoderBatch:
    """Segments of speech on the model's device: samples `[B, S]`, mels `[B, M, S / hop]`, the batch's number."""

    samples: Tensor
    mel: Tensor
    index: int


def bits_per_sample(log_likelihood: float, samples: int) -> float:
    """Return the bits per sample of 16-bit audio that a log-likelihood (nats, of all samples) amounts to.

    The density of a sample times the quantisation step is the probability of its 16-bit value; dividing by the number
    of samples makes the figure independent of how the signal was cut into groups, frames or segments.
    """
    return -(log_likelihood / samples + math.log(QUANTISATION)) / math.log(2)


class VocoderTask(Task):
    """WaveGlow's objective (the paper, equation 8) and the spectral second stage.

    Args:
        model: the vocoder, on its device.
        config: the objective.
        sampler: draws the training segments.
        training: the clips it draws from, in its order.
        validation: clips never trained on; at most `likelihood_clips` of them measure the likelihood.
        listening_clips: how many of them are synthesised at each validation.
        recompute: keep only each flow step's input for the backward pass.
        capture: replay the coupling networks as CUDA graphs; for models on a GPU, without `recompute`, whose gradients
            are those of one batch.
    """

    likelihood_clips = 24

    def __init__(
        self,
        model: WaveGlow,
        config: VocoderTrainingConfig,
        sampler: SegmentSampler,
        training: Sequence[Clip],
        validation: Sequence[Clip],
        listening_clips: int,
        *,
        recompute: bool = False,
        capture: bool = False,
    ) -> None:
        if not validation:
            raise DataError("the data set has no validation clips; prepare it with --validation")
        self.model: nn.Module = model
        self.vocoder = model
        self.vocoder.steps.recompute = recompute
        self._to_capture = capture
        self.config = config
        self.sampler = sampler
        self.training = list(training)
        self.validation = list(validation)
        self.listening_clips = listening_clips
        self.device = next(model.parameters()).device
        self._on_device = None
        if self.device.type != "cpu" and isinstance(sampler.store, MemoryStore):
            noise_seed = sampler.rank if config.dequantise else None
            self._on_device = DeviceSegments(sampler, sampler.store, self.device, noise_seed)
        self.spectral = MultiResolutionLoss(model.config.audio, config.fft_sizes).to(self.device)
        self.refinement = DifferentiableRefinement(model.config.audio, config.refine).to(self.device)
        self.source = HarmonicSource(model.config.audio.sample_rate, model.config.audio.hop_length)
        self.mel_transform = MelTransform(model.config.audio)

    def batch(self, index: int) -> VocoderBatch:
        """Return the segments of a batch. See `Task.batch`."""
        if self._on_device is not None:
            return VocoderBatch(*self._on_device.batch(index), index)
        segments = self.sampler.batch(index)
        samples, mel = torch.from_numpy(segments.samples), torch.from_numpy(segments.mel)
        return VocoderBatch(samples.to(self.device), mel.to(self.device), index)

    def initialise(self, batch: VocoderBatch) -> None:
        """Let every ActNorm see the first batch. See `Task.initialise`."""
        self.vocoder(batch.samples, batch.mel)

    def loss(self, batch: VocoderBatch, step: int, generator: torch.Generator) -> TaskLoss:
        """Return the negative log-likelihood per sample, in the second stage with the spectral losses added."""
        config, spectral = self.config, self._is_spectral(step)
        loss = batch.samples.new_zeros(())
        metrics: dict[str, Tensor] = {}
        every = config.likelihood_every if spectral else 1
        if step % every == 0:
            if self._to_capture:
                capture_couplings(self.vocoder, lambda: self.vocoder(batch.samples, batch.mel))
                self._to_capture = False
            total = self.vocoder.log_likelihood(batch.samples, batch.mel, config.sigma).sum()
            nats = -total / batch.samples.numel()
            loss = loss + config.likelihood_weight * every * nats
            metrics["nats_per_sample"] = nats.detach()
        if spectral:
            drawn = self._draw(batch.mel, config.temperature, generator)
            if config.two_draws:
                other = self._draw(batch.mel, config.temperature, generator)
                distance = self.spectral.energy_distance(drawn, other, batch.samples)
            else:
                distance = self.spectral(drawn, batch.samples)
            loss = loss + config.spectral_weight * distance.stft + config.mel_weight * distance.mel
            metrics |= {"stft": distance.stft.detach(), "mel": distance.mel.detach()}
        return TaskLoss(loss, metrics, "+".join(name for name in ("nats_per_sample", "stft") if name in metrics))

    def validate(self, step: int, log: RunLog) -> dict[str, float]:
        """Return nats and bits per sample and the log-mel distance of copy synthesis on validation clips."""
        nats, samples = 0.0, 0
        for clip in self.validation[: self.likelihood_clips]:
            audio, mel = self._load(clip)
            nats += float(self.vocoder.log_likelihood(audio, mel, self.config.sigma))
            samples += audio.shape[1]
        figures = {"nats_per_sample": -nats / samples, "bits_per_sample": bits_per_sample(nats, samples)}
        figures["log_mel_distance"] = self._copy_synthesis(step, log)
        return figures

    def score_name(self, step: int) -> str:
        """Return `log_mel_distance` in the second stage, the likelihood before. See `Task.score_name`."""
        return "log_mel_distance" if self._is_spectral(step) else "nats_per_sample"

    def seconds_of_audio(self, batch: VocoderBatch) -> float:
        """Return the seconds of speech in a batch. See `Task.seconds_of_audio`."""
        return batch.samples.numel() / self.vocoder.config.audio.sample_rate

    def describe(self, batch: VocoderBatch) -> str:
        """Return where the segments of a batch begin. See `Task.describe`."""
        places = []
        for start in self.sampler.starts(batch.index):
            clip = int(np.searchsorted(self.sampler.store.first_frames, start, "right")) - 1
            places.append(f"{self.training[clip].id} at frame {start - self.sampler.store.first_frames[clip]}")
        return ", ".join(places)

    def _is_spectral(self, step: int) -> bool:
        return 0 <= self.config.spectral_from_step <= step

    def _draw(self, mel: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        shape = self.vocoder.latent_shape(mel.shape[0], mel.shape[2])
        noise = torch.randn(shape, generator=generator, device=mel.device) * temperature
        if self.vocoder.pitch is not None:
            noise = sourced_latent(noise, mel, self.vocoder.pitch, self.source, generator)
        return self.refinement(self.vocoder.inverse(noise, mel), mel)

    def _copy_synthesis(self, step: int, log: RunLog) -> float:
        distances = []
        rate = self.vocoder.config.audio.sample_rate
        for index, clip in enumerate(self.validation[: self.listening_clips]):
            audio, mel = self._load(clip)
            generator = torch.Generator(self.device).manual_seed(index)
            drawn = self._draw(mel, self.config.temperature, generator)[0].cpu().numpy()
            remade = self.mel_transform(drawn)[:, : mel.shape[2]]
            distances.append(float(np.abs(remade - mel[0].cpu().numpy()).mean()))
            if index < 2:
                log.audio(step, f"copy/{clip.id}", drawn, rate)
                log.picture(step, f"copy/{clip.id}/mel", remade)
                log.audio(step, f"natural/{clip.id}", audio[0].cpu().numpy(), rate)
                log.picture(step, f"natural/{clip.id}/mel", mel[0].cpu().numpy())
        return float(np.mean(distances))

    def _load(self, clip: Clip) -> tuple[Tensor, Tensor]:
        samples, mel = clip.load()
        audio = torch.from_numpy(samples.astype(np.float32) * QUANTISATION).unsqueeze(0)
        return audio.to(self.device), torch.from_numpy(np.array(mel)).unsqueeze(0).to(self.device)
