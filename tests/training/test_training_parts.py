"""The loop's parts: schedule, average, guard, spectral losses, batches' order, the tasks' objectives."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_data import buzz
from tiny_runs import vocoder_preset
from torch import nn

from glowvox.config.audio import AudioConfig
from glowvox.config.training import TrainingConfig
from glowvox.data.batches import LengthBuckets, SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.models.waveglow import WaveGlow
from glowvox.training.acoustic import BatchOrder
from glowvox.training.loop import Guard, MovingAverage, Verdict, gradient_norm, learning_rate, scale_gradients
from glowvox.training.vocoder import MultiResolutionLoss, VocoderTask, _attach_gpu, bits_per_sample


def test_learning_rate_warms_up_and_decays() -> None:
    config = TrainingConfig(steps=1000, warmup_steps=10, learning_rate=1e-3, final_learning_rate=1e-5)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-4, rel=1e-3)
    assert max(rates) == pytest.approx(1e-3, rel=1e-3)
    assert rates[-1] == pytest.approx(1e-5)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[10:]))


def test_average_follows_the_weights_and_swaps_back() -> None:
    model = nn.Linear(2, 2)
    average = MovingAverage(model, 0.5)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    average.update(model, 100)
    torch.testing.assert_close(average.shadow["weight"], start + 0.5)
    average.swap(model)
    torch.testing.assert_close(model.weight.detach(), start + 0.5)
    average.swap(model)
    torch.testing.assert_close(model.weight.detach(), start + 1.0)


def test_gradients_are_clipped_to_a_norm() -> None:
    model = nn.Linear(3, 1, bias=False)
    model(torch.tensor([[3.0, 4.0, 0.0]])).sum().backward()
    assert float(gradient_norm(model)) == pytest.approx(5.0)
    scale_gradients(model, 0.2)
    assert float(gradient_norm(model)) == pytest.approx(1.0)


def test_guard_skips_spikes_and_gives_up_after_many() -> None:
    guard = Guard(patience=10, limit=3)
    generator = np.random.default_rng(0)
    for _ in range(50):
        assert guard.judge("a", float(generator.normal(0, 0.1)), 1.0) is Verdict.ACCEPT
    assert guard.judge("b", 100.0, 1.0) is Verdict.ACCEPT  # another objective has its own scale
    assert guard.judge("a", 5.0, 1.0) is Verdict.SKIP
    assert guard.judge("a", math.nan, 1.0) is Verdict.SKIP
    assert guard.judge("a", 0.0, math.inf) is Verdict.ROLL_BACK
    assert guard.rate_factor == 0.5
    assert guard.judge("a", 0.1, 1.0) is Verdict.ACCEPT


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


def test_bits_per_sample_of_sixteen_bit_noise() -> None:
    count = 1000
    uniform = count * math.log(0.5)  # uniform over [-1, 1): every 16-bit value is equally likely
    assert bits_per_sample(uniform, count) == pytest.approx(16.0)


def test_batch_order_does_not_depend_on_what_was_asked() -> None:
    lengths = [30, 50, 20, 90, 40, 70, 60]
    one = BatchOrder(LengthBuckets(lengths, max_frames=150, seed=0))
    other = BatchOrder(LengthBuckets(lengths, max_frames=150, seed=0))
    in_order = [one.batch(index) for index in range(20)]
    assert [other.batch(index) for index in reversed(range(20))] == in_order[::-1]


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
