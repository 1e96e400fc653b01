"""The configuration of a training run, for both models."""

from dataclasses import dataclass
from typing import Literal

from glowvox.errors import ConfigError

_MOST = 10**9
"""Beyond every count that a run can reach; larger ones do not fit the counters that they go into."""


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Lengths are in steps, one step being one update of the weights."""

    steps: int = 100_000
    """Steps to train for."""
    seed: int = 0
    """Seed of everything random; the same seed gives the same run."""
    batch_size: int = 16
    """Items of a batch on each process (segments; for the acoustic model an upper bound)."""
    learning_rate: float = 5e-4
    """Peak learning rate of AdamW."""
    final_learning_rate: float = 1e-5
    """Learning rate at the end of the cosine decay."""
    warmup_steps: int = 200
    """Steps of linear warm-up."""
    beta1: float = 0.9
    """AdamW's decay of the first moment."""
    beta2: float = 0.99
    """AdamW's decay of the second moment."""
    weight_decay: float = 1e-4
    """AdamW's weight decay."""
    max_gradient_norm: float = 5.0
    """Gradients are scaled down to this norm; 0: never."""
    ema_decay: float = 0.999
    """Decay of the exponential moving average of the weights, warmed up; 0: none."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type of the networks inside the couplings and the encoder; the flow's state is float32 always. `auto`: bfloat16
    where the processor or the GPU multiplies it in hardware, float32 elsewhere, where it is emulated and slow."""
    accumulate: int = 1
    """Batches whose gradients are averaged into one step."""
    recompute: bool = False
    """Keep only each flow step's input and compute its activations again (memory for a third more work)."""
    capture: bool = True
    """On a GPU, replay a vocoder's coupling networks as CUDA graphs; not together with `recompute` or `accumulate`."""
    validate_every: int = 1000
    """Steps between two validations."""
    checkpoint_every: int = 500
    """Steps between two checkpoints."""
    keep_checkpoints: int = 2
    """Checkpoints kept besides the best one."""
    validation_clips: int = 8
    """Clips of which a validation measures the copy synthesis or the synthesis."""
    log_every: int = 50
    """Steps between two lines of metrics."""
    max_minutes: float = 0.0
    """Stop, with a checkpoint, after this many minutes; 0: no limit."""

    def __post_init__(self) -> None:
        counts = "steps batch_size accumulate validate_every checkpoint_every keep_checkpoints log_every"
        for name in counts.split():
            if getattr(self, name) < 1:
                raise ConfigError(f"training.{name} must be at least 1, got {getattr(self, name)}")
        for name in (*counts.split(), "warmup_steps", "validation_clips"):
            if getattr(self, name) > _MOST:
                raise ConfigError(f"training.{name} must be at most {_MOST}, got {getattr(self, name)}")
        for name in ("warmup_steps", "validation_clips", "weight_decay", "max_gradient_norm", "max_minutes"):
            if getattr(self, name) < 0:
                raise ConfigError(f"training.{name} must not be negative, got {getattr(self, name)}")
        for name in ("ema_decay", "beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"training.{name} must be in [0, 1), got {getattr(self, name)}")
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"training.seed must be a whole number from 0 to 2**63 - 1, got {self.seed}")
        if self.learning_rate <= 0 or self.final_learning_rate < 0:
            raise ConfigError("training: learning rates must be positive")


@dataclass(frozen=True)
class VocoderTrainingConfig:
    """What is particular to training a vocoder."""

    segment_frames: int = 64
    """Mel frames of a training segment."""
    sigma: float = 1.0
    """Standard deviation of the base density in the loss (the paper: sqrt(0.5))."""
    dequantise: bool = True
    """Add uniform noise of one 16-bit step, so that the density is that of a continuous signal."""
    likelihood_weight: float = 1.0
    """Weight of the negative log-likelihood, in nats per sample."""
    spectral_from_step: int = -1
    """First step of the second stage, which adds losses on samples drawn through the inverse pass; -1: never."""
    likelihood_every: int = 1
    """In the second stage, the likelihood is part of every n-th step only, with n times the weight: it keeps the flow a
    density at less cost."""
    spectral_weight: float = 1.0
    """Weight of the multi-resolution STFT loss."""
    mel_weight: float = 1.0
    """Weight of the log-mel loss."""
    fft_sizes: tuple[int, ...] = (512, 1024, 2048)
    """FFT sizes of the spectral losses, in samples."""
    temperature: float = 0.6
    """Standard deviation of the noise from which samples are drawn."""
    pitch_steps: int = 1500
    """Steps in which the pitch predictor of a harmonic source learns, by itself, before the first step of the flow; 0:
    it stays as it is in the weights that the run starts from, which have often heard more than the data at hand."""
    two_draws: bool = False
    """Draw two samples for every segment and take off half the distance between them, which makes the spectral losses
    a proper score: noise stays noise."""
    refine: int = 0
    """Passes of mel refinement that the samples drawn go through before they are compared."""
    adversarial_from_step: int = -1
    """First step of the second stage in which an adversary judges the samples drawn, too; -1: never."""
    adversarial_weight: float = 0.1
    """Weight of its verdict; it grows to this over the first 200 steps, in which the adversary learns."""
    feature_weight: float = 0.5
    """Weight of the distance of what the adversary's layers see, which grows alike."""
    adversarial_fft_sizes: tuple[int, ...] = (256, 768, 2048)
    """FFT sizes at which the adversary looks, in samples."""
    adversarial_channels: int = 16
    """Channels of the adversary's first layers."""
    adversarial_learning_rate: float = 2e-4
    """Learning rate of the adversary."""
    adversary_steps: int = 0
    """Steps in which the adversary learns by itself, from samples of the flow as it is, before the first step of the
    flow. A flow that an adversary has taught before unlearns that while a new one knows nothing yet."""

    def __post_init__(self) -> None:
        if self.segment_frames < 8:
            raise ConfigError(f"vocoder_training.segment_frames must be at least 8, got {self.segment_frames}")
        if not self.fft_sizes or min(self.fft_sizes) < 64:
            raise ConfigError(f"vocoder_training.fft_sizes must be at least 64, got {list(self.fft_sizes)}")
        weights = "likelihood_weight spectral_weight mel_weight adversarial_weight feature_weight"
        for name in ("pitch_steps", "temperature", *weights.split()):
            if getattr(self, name) < 0:
                raise ConfigError(f"vocoder_training.{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.refine <= 100:
            raise ConfigError(f"vocoder_training.refine must lie between 0 and 100, got {self.refine}")
        if self.likelihood_every < 1:
            raise ConfigError(f"vocoder_training.likelihood_every must be at least 1, got {self.likelihood_every}")
        if not self.adversarial_fft_sizes or min(self.adversarial_fft_sizes) < 64:
            sizes = list(self.adversarial_fft_sizes)
            raise ConfigError(f"vocoder_training.adversarial_fft_sizes must be at least 64, got {sizes}")
        if self.adversarial_channels < 1 or self.adversarial_learning_rate <= 0:
            raise ConfigError("vocoder_training: adversarial_channels and adversarial_learning_rate must be positive")
        if self.adversary_steps < 0:
            raise ConfigError(f"vocoder_training.adversary_steps must not be negative, got {self.adversary_steps}")
        if self.adversary_steps and not (self.adversarial_from_step == self.spectral_from_step == 0):
            raise ConfigError(
                "vocoder_training.adversary_steps teaches an adversary that acts from the first step on: set "
                "spectral_from_step and adversarial_from_step to 0, or leave it out"
            )
        if self.sigma <= 0:
            raise ConfigError(f"vocoder_training.sigma must be positive, got {self.sigma}")


@dataclass(frozen=True)
class AcousticTrainingConfig:
    """What is particular to training an acoustic model."""

    frames_per_batch: int = 8000
    """Upper bound of the mel frames in a batch, padding included."""
    forward_sum_weight: float = 0.0
    """Weight of the forward-sum (soft) alignment objective; 0: the hard search alone."""
    pitch_steps: int = 1500
    """Steps in which the predictor of the pitch conditioning learns, by itself, before the first step of the flow; 0:
    it stays as it is in the weights that the run starts from."""
    predictor_gradient: float = 0.0
    """Share of the gradient of the losses of durations and pitch that trains the encoder too (the paper: none)."""

    def __post_init__(self) -> None:
        if self.frames_per_batch < 1:
            raise ConfigError(f"acoustic_training.frames_per_batch must be positive, got {self.frames_per_batch}")
        for name in ("pitch_steps", "forward_sum_weight"):
            if getattr(self, name) < 0:
                raise ConfigError(f"acoustic_training.{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.predictor_gradient <= 1:
            raise ConfigError(f"acoustic_training.predictor_gradient must be in [0, 1], got {self.predictor_gradient}")
