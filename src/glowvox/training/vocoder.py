"""Training WaveGlow: likelihood first, then also spectral losses on samples drawn through the inverse pass.

In reading order: how far two signals are apart (`MultiResolutionLoss`), how samples are drawn (`sourced_latent`,
`DifferentiableRefinement`), the objective (`VocoderTask`), a run (`train_vocoder`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glowvox.audio.files import bits_per_dimension
from glowvox.audio.mel import MelTransform, mel_filterbank
from glowvox.audio.mel_refinement import log_mel_in_nepers, refinement_filters, refinement_log_gain
from glowvox.audio.pitch import HarmonicSource, read_pitch
from glowvox.config.audio import AudioConfig
from glowvox.config.preset import Preset
from glowvox.config.training import TrainingConfig, VocoderTrainingConfig
from glowvox.data.batches import MemoryStore, SegmentSampler
from glowvox.data.prepared import Clip, PreparedData
from glowvox.errors import DataError, TrainingError
from glowvox.models.pitch_conditioning import PitchPredictor
from glowvox.models.source_mix import SourceMix
from glowvox.models.waveglow import WaveGlow
from glowvox.training.acoustic_mels import MelSource, with_acoustic_mels
from glowvox.training.adversary import Adversary
from glowvox.training.loop import Processes, Task, TaskLoss, uses_bfloat16
from glowvox.training.pitch import Begins, fit_pitch, quietly
from glowvox.training.run_folder import RunLog
from glowvox.training.start import StartOptions, continued, new_or_resumed, say_left_out, start, taught_by


@dataclass(frozen=True)
class SpectralLoss:
    """The parts of the loss, scalars: STFT (convergence plus log magnitudes) and log-mel distance in nepers."""

    stft: Tensor
    mel: Tensor


@dataclass(frozen=True)
class _Spectra:
    """Of one signal at one resolution: magnitudes `[B, F, T]` and their mel bands `[B, M, T]`."""

    magnitude: Tensor
    mel: Tensor


def _parts(loss: SpectralLoss) -> tuple[Tensor, Tensor]:
    return loss.stft, loss.mel


class MultiResolutionLoss(nn.Module):
    """Multi-resolution STFT loss: compares signals `[B, S]` at several FFT sizes; the hop is a quarter of each.

    The STFT's part is that of Parallel WaveGAN (arXiv 1910.11480, section 2.2): spectral convergence plus the distance
    of log magnitudes; the mel's part is the mean distance of log-mel spectra at several resolutions. The window is
    Hann's.

    Args:
        config: gives the sample rate; the mel filters reach up to half of it.
        fft_sizes: FFT sizes in samples; long ones tell harmonics from tones at the frame rate.
        floor: magnitudes below this (for a full-scale signal of 1) count as this.
    """

    def __init__(
        self,
        config: AudioConfig,
        fft_sizes: tuple[int, ...] = (512, 1024, 2048),
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        self.fft_sizes = fft_sizes
        self.floor = floor
        for size in fft_sizes:
            contract = AudioConfig(
                sample_rate=config.sample_rate,
                n_fft=size,
                win_length=size,
                hop_length=size // 4,
                n_mels=size * 5 // 64,  # 80 for 1024: as fine as the FFT at low frequencies allows
                f_max=config.sample_rate / 2,
                mel_norm="none",
            )
            filters = torch.from_numpy(mel_filterbank(contract)).float()
            self.register_buffer(f"filters_{size}", filters, persistent=False)
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, signal: Tensor, target: Tensor) -> SpectralLoss:
        """Return the distances of `signal [B, S]` from `target [B, S]`, averaged over the resolutions."""
        pairs = (self._spectra(size, signal, target) for size in self.fft_sizes)
        return self._mean(self._distance(mine, theirs) for mine, theirs in pairs)

    def energy_distance(self, first: Tensor, second: Tensor, target: Tensor) -> SpectralLoss:
        """Return d(first, target) + d(second, target) - d(first, second), halved, of two draws for one target.

        The distance alone is least for what lies in the middle of all signals that have the mel: tones in place of
        noise. With the distance between independent draws taken off it is a proper score (the spectral energy distance,
        arXiv 2008.01160): least for draws that are distributed like the targets.

        Args:
            first: `[B, S]`.
            second: `[B, S]`, drawn with other noise for the same mels.
            target: `[B, S]`.
        """
        parts = []
        for size in self.fft_sizes:
            one, other, truth = self._spectra(size, first, second, target)
            scale = truth.magnitude
            near = self._distance(one, truth), self._distance(other, truth)
            apart = self._distance(one, other, scale)
            parts.append(
                SpectralLoss(
                    *((a + b - c) / 2 for a, b, c in zip(_parts(near[0]), _parts(near[1]), _parts(apart), strict=True))
                )
            )
        return self._mean(parts)

    def _spectra(self, size: int, *signals: Tensor) -> list[_Spectra]:
        filters = self.get_buffer(f"filters_{size}")
        magnitudes = (self._magnitude(signal, size) for signal in signals)
        return [_Spectra(magnitude, filters @ magnitude) for magnitude in magnitudes]

    def _distance(self, mine: _Spectra, theirs: _Spectra, scale: Tensor | None = None) -> SpectralLoss:
        """Return the distance at one resolution; `scale` is the spectrum that the convergence is relative to."""
        relative = (theirs.magnitude if scale is None else scale).norm(dim=(1, 2)).clamp_min(self.floor)
        convergence = (theirs.magnitude - mine.magnitude).norm(dim=(1, 2)) / relative
        stft = convergence.mean() + self._log_distance(mine.magnitude, theirs.magnitude)
        return SpectralLoss(stft, self._log_distance(mine.mel, theirs.mel))

    @staticmethod
    def _mean(losses: Iterable[SpectralLoss]) -> SpectralLoss:
        stft, mel = zip(*(_parts(loss) for loss in losses), strict=True)
        return SpectralLoss(torch.stack(stft).mean(), torch.stack(mel).mean())

    def _magnitude(self, signal: Tensor, size: int) -> Tensor:
        spectrum = torch.stft(
            signal, size, size // 4, window=self.get_buffer(f"window_{size}"), center=True, return_complex=True
        )
        # the square root's slope is infinite at zero
        power = torch.view_as_real(spectrum).square().sum(-1)
        result: Tensor = power.clamp_min(self.floor**2).sqrt() * (2.0 / size) ** 0.5
        return result

    def _log_distance(self, mine: Tensor, theirs: Tensor) -> Tensor:
        return (mine.clamp_min(self.floor).log() - theirs.clamp_min(self.floor).log()).abs().mean()


_SMALLEST_POWER = 1e-12
"""The square root's slope is infinite at zero."""


class DifferentiableRefinement(nn.Module):
    """Mel refinement that gradients pass through, so that a vocoder learns what the refinement leaves to it.

    It is `glowvox.audio.mel_refinement.MelRefinement`, whose gain it has, with PyTorch's transforms and for batches.

    Args:
        config: the mel contract.
        passes: how many times the gain is measured and applied.
    """

    def __init__(self, config: AudioConfig, passes: int) -> None:
        super().__init__()
        self.config = config
        self.passes = passes
        filters, spread = refinement_filters(config)
        self.register_buffer("analysis", torch.from_numpy(filters.T).float(), persistent=False)
        self.register_buffer("spread", torch.from_numpy(spread.T).float(), persistent=False)
        window = torch.hann_window(config.win_length)
        self.register_buffer("window", window, persistent=False)

    def forward(self, samples: Tensor, mel: Tensor) -> Tensor:
        """Return samples `[B, T * hop_length]` whose mel spectrograms are nearer to `mel [B, M, T]`."""
        config = self.config
        target = log_mel_in_nepers(mel.transpose(1, 2), config)
        shape = (config.n_fft, config.hop_length, config.win_length)
        window, analysis, spread = (self.get_buffer(name) for name in ("window", "analysis", "spread"))
        for _ in range(self.passes):
            spectrum = torch.stft(samples, *shape, window, pad_mode=config.pad_mode, return_complex=True)
            spectrum = spectrum[:, :, : mel.shape[2]]
            power = torch.view_as_real(spectrum).square().sum(-1).clamp_min(_SMALLEST_POWER)
            powered = power.pow(config.power / 2).transpose(1, 2)
            gain = refinement_log_gain(powered, target, analysis, spread, config, torch).exp().transpose(1, 2)
            samples = torch.istft(spectrum * gain, *shape, window, length=samples.shape[1])
        return samples


def sourced_latent(
    noise: Tensor,
    mel: Tensor,
    predictor: PitchPredictor,
    source: HarmonicSource,
    generator: torch.Generator,
    mix: SourceMix | None = None,
) -> Tensor:
    """Return a latent `[B, hop, T]` to speak a mel `[B, M, T]` from: `noise`, shaped, under pulses of its pitch.

    The pulses begin at a phase that the generator draws: nothing may be learned of it. Gradients flow to `mix` alone.
    """
    with torch.no_grad():
        frequency, voicing = read_pitch(predictor(mel).float().cpu().numpy())
    phases = torch.rand(len(mel), generator=generator, device=generator.device).tolist()
    made = [source(*row) for row in zip(frequency, voicing, phases, strict=True)]
    pulses, gain = (torch.from_numpy(np.stack(part)).to(noise) for part in zip(*made, strict=True))
    if mix is not None:
        loudness = mix(mel)
        pulses, gain = pulses * loudness[0], gain * loudness[1]
    return noise * gain + pulses


QUANTISATION = 1 / 32768
"""The step of 16-bit audio: bits per sample are stated for signals of this resolution."""

_ADVERSARY_LEARNS = 200
"""Steps over which the weight of an adversary grows that nobody has taught before: at first it knows nothing."""


@dataclass(frozen=True)
class VocoderBatch:
    """Segments of speech on the model's device: samples `[B, S]`, mels `[B, M, S / hop]`, the batch's number."""

    samples: Tensor
    mel: Tensor
    index: int


class VocoderTask(Task):
    """WaveGlow's objective (the paper, equation 8) and the spectral second stage.

    Args:
        model: the vocoder, on its device.
        config: the objective.
        sampler: draws the training segments.
        training: the clips it draws from, in its order.
        validation: clips never trained on; at most `likelihood_clips` of them measure the likelihood.
        listening_clips: how many of them are synthesised at each validation.
        made_from: the training clips from this one on are the first ones again, with mels that an acoustic model made.
            The likelihood is learned under the recordings' mels alone: where another is silent a frame too long,
            speech has next to no density, and one such frame outweighs all others. None: there are no such clips.
        recompute: keep only each flow step's input for the backward pass.

    Attributes:
        processes: this process's place among others.
        segments: returns the samples `[B, S]` and mels `[B, M, S / hop]` of a step on the model's device.
        before_first_likelihood: is called once, with a batch, under the precision of training.
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
        processes: Processes | None = None,
        made_from: int | None = None,
        recompute: bool = False,
    ) -> None:
        if not validation:
            raise DataError("the data set has no validation clips; prepare it with --validation")
        self.model: nn.Module = model
        self.vocoder = model
        self.vocoder.steps.recompute = recompute
        self.config = config
        self.sampler = sampler
        self.training = list(training)
        self.made_from = len(self.training) if made_from is None else made_from
        self.validation = list(validation)
        self.listening_clips = listening_clips
        self.device = next(model.parameters()).device
        self.segments: Callable[[int], tuple[Tensor, Tensor]] = self._sampled
        self.before_first_likelihood: Callable[[VocoderBatch], None] | None = None
        self.spectral = MultiResolutionLoss(model.config.audio, config.fft_sizes).to(self.device)
        self.refinement = DifferentiableRefinement(model.config.audio, config.refine).to(self.device)
        self.source = HarmonicSource(model.config.audio.sample_rate, model.config.audio.hop_length)
        self.mel_transform = MelTransform(model.config.audio)
        self.adversary: Adversary | None = None
        if config.adversarial_from_step >= 0:
            self.adversary = Adversary(
                config.adversarial_fft_sizes,
                config.adversarial_channels,
                config.adversarial_learning_rate,
                self.device,
                processes,
            )

    def batch(self, index: int) -> VocoderBatch:
        """Return the segments of a batch. See `Task.batch`."""
        return VocoderBatch(*self.segments(index), index)

    def initialise(self, batch: VocoderBatch) -> None:
        """Let every ActNorm see the first batch. See `Task.initialise`."""
        self.vocoder(batch.samples, batch.mel)

    @torch.no_grad()
    def teach_adversary(self, seed: int, *, bfloat16: bool, begins: Begins = quietly) -> None:
        """Let the adversary learn from samples of the flow as it is, for `config.adversary_steps` steps.

        Args:
            seed: of the noise that is drawn.
            bfloat16: whether networks are computed in it, as they will be in training.
            begins: told that this begins.
        """
        if self.adversary is None or not self.config.adversary_steps:
            return
        generator = torch.Generator(self.device).manual_seed(seed)
        progress = begins("teaching the adversary", "steps of teaching the adversary")
        for step in range(self.config.adversary_steps):
            progress(step, self.config.adversary_steps)
            batch = self.batch(step)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16, cache_enabled=False):
                drawn = self._draw(batch.mel, self.config.temperature, generator)
                with torch.enable_grad():
                    self.adversary.learn(drawn, batch.samples)
        progress(self.config.adversary_steps, self.config.adversary_steps)

    def loss(self, batch: VocoderBatch, step: int, generator: torch.Generator) -> TaskLoss:
        """Return the negative log-likelihood per sample, in the second stage with the spectral losses added."""
        config, spectral = self.config, self._is_spectral(step)
        loss = batch.samples.new_zeros(())
        metrics: dict[str, Tensor] = {}
        every = config.likelihood_every if spectral else 1
        if step % every == 0:
            if self.before_first_likelihood is not None:
                self.before_first_likelihood(batch)
                self.before_first_likelihood = None
            total = self.vocoder.log_likelihood(batch.samples, self._recorded_mel(batch), config.sigma).sum()
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
            if self.adversary is not None and step >= config.adversarial_from_step:
                told = self.adversary.learn(drawn, batch.samples)
                judged = self.adversary.judge(drawn, batch.samples)
                learned = config.adversary_steps + step - config.adversarial_from_step + 1
                part = min(1.0, learned / _ADVERSARY_LEARNS)
                weights = part * config.adversarial_weight, part * config.feature_weight
                loss = loss + weights[0] * judged.verdict + weights[1] * judged.features
                metrics |= {"verdict": judged.verdict.detach(), "features": judged.features.detach()}
                metrics["adversary"] = loss.new_tensor(told)
        objective = "+".join(name for name in ("nats_per_sample", "stft", "verdict") if name in metrics)
        return TaskLoss(loss, metrics, objective)

    def validate(self, step: int, log: RunLog) -> dict[str, float]:
        """Return nats and bits per sample and the log-mel distance of copy synthesis on validation clips."""
        nats, samples = 0.0, 0
        for clip in self.validation[: self.likelihood_clips]:
            audio, mel = self._load(clip)
            nats += float(self.vocoder.log_likelihood(audio, mel, self.config.sigma))
            samples += audio.shape[1]
        figures = {"nats_per_sample": -nats / samples, "bits_per_sample": bits_per_dimension(-nats / samples)}
        figures["log_mel_distance"] = self._copy_synthesis(step, log)
        return figures

    def score_name(self, step: int) -> str:
        """Return `log_mel_distance` in the second stage, the likelihood before. See `Task.score_name`."""
        return "log_mel_distance" if self._is_spectral(step) else "nats_per_sample"

    def state(self) -> dict[str, Tensor]:
        """Return the adversary's state. See `Task.state`."""
        return {} if self.adversary is None else self.adversary.state()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the adversary. See `Task.restore`."""
        if self.adversary is not None:
            self.adversary.restore(tensors)

    def seconds_of_audio(self, batch: VocoderBatch) -> float:
        """Return the seconds of speech in a batch. See `Task.seconds_of_audio`."""
        return batch.samples.numel() / self.vocoder.config.audio.sample_rate

    def describe(self, batch: VocoderBatch) -> str:
        """Return where the segments of a batch begin. See `Task.describe`."""
        return ", ".join(f"{self.training[clip].id} at frame {frame}" for clip, frame in self._places(batch.index))

    def _recorded_mel(self, batch: VocoderBatch) -> Tensor:
        """Return the batch's mels `[B, M, T]` with those of the recordings where an acoustic model made others."""
        mel, store = batch.mel, self.sampler.store
        for row, (clip, frame) in enumerate(self._places(batch.index)):
            if clip >= self.made_from:
                first = int(store.first_frames[clip - self.made_from]) + frame
                mel = mel.clone() if mel is batch.mel else mel
                mel[row] = torch.from_numpy(store.read(first, self.sampler.frames)[1])
        return mel

    def _places(self, index: int) -> list[tuple[int, int]]:
        """Return of which clip, and from which frame on, each segment of a batch is."""
        starts, ends = self.sampler.starts(index), self.sampler.store.first_frames
        clips = np.searchsorted(ends, starts, "right") - 1
        return [(int(clip), int(start - ends[clip])) for clip, start in zip(clips, starts, strict=True)]

    def _sampled(self, index: int) -> tuple[Tensor, Tensor]:
        segments = self.sampler.batch(index)
        samples, mel = torch.from_numpy(segments.samples), torch.from_numpy(segments.mel)
        return samples.to(self.device), mel.to(self.device)

    def _is_spectral(self, step: int) -> bool:
        return 0 <= self.config.spectral_from_step <= step

    def _draw(self, mel: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        shape = self.vocoder.latent_shape(mel.shape[0], mel.shape[2])
        noise = torch.randn(shape, generator=generator, device=mel.device) * temperature
        if self.vocoder.pitch is not None:
            mix = self.vocoder.source_mix
            noise = sourced_latent(noise, mel, self.vocoder.pitch, self.source, generator, mix)
        result: Tensor = self.refinement(self.vocoder.inverse(noise, mel), mel)
        return result

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


MELS_NAME = "mels"
"""Folder of a run with the mels of an acoustic model."""


def train_vocoder(
    preset: Preset, folders: Sequence[Path], options: StartOptions, mels_from: Sequence[MelSource] = ()
) -> int:
    """Train a vocoder on prepared data and return the number of steps done.

    The pitch predictor of a run that is not resumed learns these voices first, from whatever weights it starts with:
    what one voice taught it may be wrong by an octave for another.

    Args:
        preset: model and training configuration.
        folders: prepared data sets, trained on together.
        options: where, and from what.
        mels_from: the acoustic models whose mels (they are kept in the run's folder) are learned from beside the
            recordings' own, so that neither is forgotten; the pitch predictor learns from both. One for all data, or
            one for each data set; none: the recordings' mels alone.

    Raises:
        TrainingError: a run with an acoustic model's mels is to be resumed without them, or there are more than one
            of these models, but not one for each data set.
        GlowvoxError: the data does not fit the model, or the run cannot start.
    """
    goes_on = options.resume
    options = continued(options)
    data = [PreparedData(folder) for folder in folders]
    for part in data:
        part.require(preset.waveglow.audio)
    sources = list(data)
    if mels_from:
        if len(mels_from) not in (1, len(data)):
            raise TrainingError(
                f"{len(mels_from)} acoustic models to take mels from, but {len(data)} data sets: name one model for "
                "all of them, or one for each in their order"
            )
        new_or_resumed(options)
        for number, part in enumerate(data):
            source = mels_from[number % len(mels_from)]
            sources.append(with_acoustic_mels(part, source, options.run / MELS_NAME / f"{number}-{part.folder.name}"))
    elif goes_on and (options.run / MELS_NAME).is_dir():
        raise TrainingError(
            f"{options.run}: this run learns from an acoustic model's mels too; name the model again with --mels-from"
        )
    training = [clip for part in sources for clip in part.clips("train")]

    def make_task(model: nn.Module, processes: Processes) -> Task:
        assert isinstance(model, WaveGlow)
        if model.pitch is not None and not options.resume:
            fit_pitch(
                model.pitch,
                training,
                model.config.audio.sample_rate,
                seed=preset.training.seed,
                steps=preset.vocoder_training.pitch_steps,
                begins=options.begins,
            )
        sampler = SegmentSampler(
            training,
            frames=preset.vocoder_training.segment_frames,
            batch_size=preset.training.batch_size,
            seed=preset.training.seed,
            rank=processes.rank,
            world_size=processes.count,
            dequantise=preset.vocoder_training.dequantise,
        )
        say_left_out(sampler.n_too_short, f"shorter than a segment of {sampler.frames} mel frames", processes)
        task = VocoderTask(
            model,
            preset.vocoder_training,
            sampler,
            training,
            [clip for part in data for clip in part.clips("validation")],
            preset.training.validation_clips,
            processes=processes,
            made_from=sum(len(part.clips("train")) for part in data),
            recompute=preset.training.recompute,
        )
        if task.device.type == "cuda":
            _attach_gpu(task, preset.training)
        if not options.resume:
            bfloat16 = uses_bfloat16(preset.training.precision, task.device)
            task.teach_adversary(preset.training.seed, bfloat16=bfloat16, begins=options.begins)
        return task

    provenance: dict[str, Any] = {
        **taught_by(data),
        "data": [str(folder.name) for folder in folders],
        "hours": sum(part.hours("train") for part in data),
    }
    if mels_from:
        provenance["mels_from"] = [
            {"acoustic": source.acoustic.name, "temperature": source.temperature} for source in mels_from
        ]
    return start(preset, options, make_task, provenance)


def _attach_gpu(task: VocoderTask, config: TrainingConfig) -> None:
    """Keep the clips on the GPU where they fit, and let the coupling networks be replayed as CUDA graphs.

    Recomputing, and adding up batches, would call a replayed network twice before its backward pass.
    """
    from glowvox.cuda.captured_couplings import capture_couplings
    from glowvox.cuda.device_segments import DeviceSegments

    store = task.sampler.store
    if isinstance(store, MemoryStore):
        noise_seed = task.sampler.rank if task.config.dequantise else None
        task.segments = DeviceSegments(task.sampler, store, task.device, noise_seed).batch
    if config.capture and not config.recompute and config.accumulate == 1:
        task.before_first_likelihood = lambda batch: capture_couplings(
            task.vocoder, lambda: task.vocoder(batch.samples, batch.mel)
        )
