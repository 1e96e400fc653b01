"""Training a vocoder: spectral losses, refinement that gradients pass through, the objective, what a GPU attaches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_data import buzz
from tiny_runs import vocoder_preset

from glowvox.audio.mel import MelTransform
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.config.audio import AudioConfig
from glowvox.data.batches import SegmentSampler
from glowvox.data.clips import write_clip
from glowvox.data.prepared import PreparedData
from glowvox.models.waveglow import WaveGlow
from glowvox.training.vocoder import (
    DifferentiableRefinement,
    MultiResolutionLoss,
    VocoderBatch,
    VocoderTask,
    _attach_gpu,
)

CONFIG = AudioConfig()


def test_spectral_loss_is_zero_for_the_same_signal_and_grows() -> None:
    loss = MultiResolutionLoss(AudioConfig())
    signal = torch.from_numpy(buzz(0.5, 0))[None]
    same = loss(signal, signal)
    assert same.stft == 0 and same.mel == 0
    noise = torch.randn(signal.shape, generator=torch.Generator().manual_seed(0))
    distances = [loss(signal + level * noise, signal) for level in (0.001, 0.01, 0.1)]
    assert distances[0].stft < distances[1].stft < distances[2].stft
    assert distances[0].mel < distances[1].mel < distances[2].mel


def test_spectral_loss_has_finite_gradients_at_silence() -> None:
    signal = torch.zeros(1, 4096, requires_grad=True)
    distance = MultiResolutionLoss(AudioConfig())(signal, torch.zeros(1, 4096))
    (distance.stft + distance.mel).backward()
    assert torch.isfinite(signal.grad).all()


def _noise(seed: int, items: int = 24) -> torch.Tensor:
    return 0.1 * torch.randn(items, 8192, generator=torch.Generator().manual_seed(seed))


def test_noise_is_better_than_tones_for_noise() -> None:
    """The spectral energy distance is a proper score: what is distributed like the target beats its middle."""
    loss = MultiResolutionLoss(AudioConfig(), (512, 1024))
    target = _noise(0)
    # tones at every bin of a frame: a spectrum without the dips of noise, nearer to every noise than other noise is
    period = torch.randn(1, 128, generator=torch.Generator().manual_seed(9))
    spectrum = torch.fft.rfft(period)
    tones = torch.fft.irfft(spectrum / spectrum.abs() * 12, 128).repeat(24, 64) * 0.09
    scored = {"noise": (_noise(1), _noise(2)), "tones": (tones, tones)}
    distance = {name: loss.energy_distance(*pair, target) for name, pair in scored.items()}
    assert distance["noise"].mel < distance["tones"].mel
    assert distance["noise"].stft < distance["tones"].stft


def test_equal_draws_give_the_plain_distance() -> None:
    loss = MultiResolutionLoss(AudioConfig(), (512,))
    signal, target = _noise(3, 2), _noise(4, 2)
    energy, plain = loss.energy_distance(signal, signal, target), loss(signal, target)
    assert torch.allclose(energy.stft, plain.stft)
    assert torch.allclose(energy.mel, plain.mel)


def test_gradients_reach_both_draws() -> None:
    loss = MultiResolutionLoss(AudioConfig(), (512,))
    first, second = _noise(5, 2).requires_grad_(), _noise(6, 2).requires_grad_()
    distance = loss.energy_distance(first, second, _noise(7, 2))
    (distance.stft + distance.mel).backward()
    for signal in (first, second):
        assert signal.grad is not None
        assert float(signal.grad.abs().max()) > 0


def test_refinement_equals_the_one_that_speaks() -> None:
    random = np.random.default_rng(1)
    samples = (0.1 * random.standard_normal((2, 40 * 256))).astype(np.float32)
    mel = MelTransform(CONFIG)((0.05 * random.standard_normal((2, 40 * 256))).astype(np.float32))[:, :, :40]
    refined = DifferentiableRefinement(CONFIG, 3)(torch.from_numpy(samples), torch.from_numpy(mel)).numpy()
    for mine, signal, target in zip(refined, samples, mel, strict=True):
        assert np.abs(mine - MelRefinement(CONFIG, 3)(signal, target)).max() < 1e-5


def test_gradients_pass_refinement_and_are_finite_even_for_silence() -> None:
    samples = torch.zeros(1, 20 * 256)
    samples[:, 2000:] = 0.1 * torch.randn(1, 20 * 256 - 2000, generator=torch.Generator().manual_seed(0))
    samples.requires_grad_()
    DifferentiableRefinement(CONFIG, 2)(samples, torch.full((1, 80, 20), -4.0)).square().sum().backward()
    assert samples.grad is not None
    assert torch.isfinite(samples.grad).all()
    assert float(samples.grad[:, 3000:].abs().mean()) > 0


def task(prepared: Path, **changes: dict[str, object]) -> VocoderTask:
    torch.manual_seed(0)
    preset = vocoder_preset(**changes)
    data = PreparedData(prepared)
    training = data.clips("train")
    model = WaveGlow(preset.waveglow)
    sampler = SegmentSampler(training, frames=16, batch_size=2, seed=0)
    made = VocoderTask(model, preset.vocoder_training, sampler, training, data.clips("validation"), 1)
    model.train()
    made.initialise(made.batch(0))
    return made


def test_second_stage_reaches_the_weights_through_the_inverse_pass(prepared: Path) -> None:
    made = task(prepared, vocoder_training={"likelihood_every": 2, "spectral_from_step": 0})
    result = made.loss(made.batch(0), 1, torch.Generator().manual_seed(0))
    assert result.metrics.keys() == {"stft", "mel"}
    result.loss.backward()
    for step in made.vocoder.steps:
        assert step.convolution.weight.grad.abs().sum() > 0
        assert step.coupling.network.end.weight.grad.abs().sum() > 0


def test_likelihood_comes_every_nth_step_with_its_weight(prepared: Path) -> None:
    every = task(prepared, vocoder_training={"likelihood_every": 3, "spectral_from_step": 0})
    always = task(prepared, vocoder_training={"likelihood_every": 1, "spectral_from_step": 0})
    batch = always.batch(0)
    results = [made.loss(batch, 3, torch.Generator().manual_seed(0)) for made in (every, always)]
    difference = results[0].loss - results[1].loss
    torch.testing.assert_close(difference, 2 * results[1].metrics["nats_per_sample"])


def test_likelihood_is_of_recordings_under_their_own_mels(prepared: Path, tmp_path: Path) -> None:
    """The made mels are wrong throughout, as one that is silent a frame too long is for a moment."""
    torch.manual_seed(0)
    preset, data = vocoder_preset(), PreparedData(prepared)
    recorded = data.clips("train")
    made = []
    for clip in recorded:
        samples, mel = clip.load()
        path = tmp_path / Path(clip.row.file).name
        write_clip(path, samples, np.full_like(mel, -11.5), "key", {})
        made.append(replace(clip, path=path))
    sampler = SegmentSampler([*recorded, *made], frames=16, batch_size=4, seed=0)
    model, validation = WaveGlow(preset.waveglow), data.clips("validation")
    task = VocoderTask(
        model, preset.vocoder_training, sampler, [*recorded, *made], validation, 1, made_from=len(recorded)
    )
    batch = task.batch(0)
    silent = (batch.mel == -11.5).all(2).all(1)
    assert 0 < int(silent.sum()) < 4
    mel = task._recorded_mel(batch)
    assert torch.equal(mel[~silent], batch.mel[~silent])
    for row, (clip, frame) in enumerate(task._places(0)):
        assert np.array_equal(mel[row], recorded[clip % len(recorded)].load()[1][:, frame : frame + 16])
    task.initialise(VocoderBatch(batch.samples, mel, 0))
    expected = -task.vocoder.log_likelihood(batch.samples, mel, task.config.sigma).sum() / batch.samples.numel()
    found = task.loss(batch, 0, torch.Generator().manual_seed(0)).metrics["nats_per_sample"]
    torch.testing.assert_close(found, expected.detach())


def test_bad_batches_are_named(prepared: Path) -> None:
    made = task(prepared)
    assert made.describe(made.batch(0)).count("clip") == 2


def test_what_is_attached_runs_once_before_the_first_likelihood(prepared: Path) -> None:
    made = task(prepared, vocoder_training={"likelihood_every": 2, "spectral_from_step": 0})
    seen: list[int] = []
    made.before_first_likelihood = lambda batch: seen.append(batch.index)
    for step in (1, 2, 3, 4):
        made.loss(made.batch(step), step, torch.Generator().manual_seed(step))
    assert seen == [2]


@pytest.mark.parametrize(
    ("training", "captured"), [({}, True), ({"accumulate": 2}, False), ({"recompute": True}, False)]
)
def test_a_gpu_has_the_same_segments_and_captures_where_no_network_runs_twice(
    prepared: Path, training: dict[str, object], captured: bool
) -> None:
    made = task(prepared, vocoder_training={"dequantise": False})
    expected = made.batch(3)
    _attach_gpu(made, vocoder_preset(training=training).training)
    assert made.segments != made._sampled
    half_a_step = 0.5 / 32768  # of dequantisation noise, which the host added
    torch.testing.assert_close(made.batch(3).samples, expected.samples, atol=1.01 * half_a_step, rtol=0)
    torch.testing.assert_close(made.batch(3).mel, expected.mel)
    assert (made.before_first_likelihood is not None) == captured
