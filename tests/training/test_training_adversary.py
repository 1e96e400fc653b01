"""The adversary learns to tell draws from recordings, teaches the draws alone, and goes on exactly."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_runs import vocoder_preset

from glowvox.config.training import VocoderTrainingConfig
from glowvox.data.batches import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.errors import ConfigError
from glowvox.models.waveglow import WaveGlow
from glowvox.training.adversary import Adversary
from glowvox.training.start import StartOptions
from glowvox.training.vocoder import VocoderTask, train_vocoder

CPU = torch.device("cpu")
ADVERSARIAL = {
    "segment_frames": 16,
    "spectral_from_step": 0,
    "likelihood_every": 2,
    "adversarial_from_step": 3,
    "adversarial_fft_sizes": (64, 128),
    "adversarial_channels": 2,
}


def _task(folder: Path, **settings: object) -> VocoderTask:
    preset = vocoder_preset(vocoder_training=settings)
    data = PreparedData(folder)
    clips = data.clips("train")
    frames = preset.vocoder_training.segment_frames
    sampler = SegmentSampler(clips, frames=frames, batch_size=2, seed=0)
    torch.manual_seed(0)
    model = WaveGlow(preset.waveglow)
    return VocoderTask(model, preset.vocoder_training, sampler, clips, data.clips("validation"), 1)


def _pair(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tones and noise `[4, 2048]` of one power."""
    generator = torch.Generator().manual_seed(seed)
    phase = 6.28 * torch.rand(4, 1, generator=generator)
    tones = 0.14 * torch.sin(0.4 * torch.arange(2048) + phase)
    return tones, 0.1 * torch.randn(4, 2048, generator=generator)


def _adversary(rate: float = 3e-3) -> Adversary:
    torch.manual_seed(0)
    return Adversary((64, 256), 4, rate, CPU)


def test_it_learns_to_tell_tones_from_noise() -> None:
    adversary = _adversary()
    losses = [adversary.learn(*_pair(step)) for step in range(40)]
    assert losses[0] > 0.5
    assert losses[-1] < 0.1
    tones, noise = _pair(99)
    assert adversary.judge(tones, noise).verdict > 5 * adversary.judge(noise, tones).verdict


def test_equal_signals_are_seen_alike() -> None:
    noise = _pair(0)[1]
    assert float(_adversary().judge(noise, noise).features) == 0.0


def test_only_draws_get_gradients_finite_even_for_silence() -> None:
    adversary = _adversary()
    drawn, recorded = torch.zeros(2, 2048), _pair(1)[1][:2]
    drawn[:, 1024:] = 0.1 * torch.randn(2, 1024)
    drawn.requires_grad_()
    judged = adversary.judge(drawn, recorded)
    (judged.verdict + judged.features).backward()
    assert drawn.grad is not None
    assert torch.isfinite(drawn.grad).all()
    assert float(drawn.grad[:, 1200:].abs().max()) > 0
    assert all(parameter.grad is None for parameter in adversary.judges.parameters())


def test_state_and_restore_go_on_exactly() -> None:
    whole, half = _adversary(), _adversary()
    for step in range(3):
        whole.learn(*_pair(step))
        half.learn(*_pair(step))
    fresh = Adversary((64, 256), 4, 3e-3, CPU)
    fresh.restore(half.state())
    for step in range(3, 6):
        assert whole.learn(*_pair(step)) == fresh.learn(*_pair(step))
    assert all(torch.equal(value, fresh.state()[name]) for name, value in whole.state().items())


def test_a_state_of_other_networks_changes_nothing() -> None:
    adversary = _adversary()
    before = adversary.state()
    for other in ({}, Adversary((64,), 4, 1e-3, CPU).state(), Adversary((64, 256), 8, 1e-3, CPU).state()):
        adversary.restore(other)
    assert all(torch.equal(value, before[name]) for name, value in adversary.state().items())


def test_a_run_resumes_bit_for_bit_and_keeps_the_adversary(prepared: Path, tmp_path: Path) -> None:
    preset = vocoder_preset(
        training={"steps": 8, "checkpoint_every": 4, "validate_every": 8}, vocoder_training=ADVERSARIAL
    )
    for run in ("whole", "halves"):
        options = StartOptions(tmp_path / run, device="cpu", tensorboard=False)
        assert train_vocoder(preset, [prepared], options) == 8
    (tmp_path / "halves" / "last").write_text("checkpoints/000004\n")  # as if the machine had failed after step 4
    resumed = StartOptions(tmp_path / "halves", device="cpu", tensorboard=False, resume=True)
    train_vocoder(preset, [prepared], resumed)
    first, second = (
        load_file(tmp_path / run / "checkpoints" / "000008" / "training.safetensors") for run in ("whole", "halves")
    )
    assert first.keys() == second.keys()
    assert any(name.startswith("task.judges.") for name in first)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_it_is_taught_before_the_flow_moves(prepared: Path, tmp_path: Path) -> None:
    def held(run: str, **changes: object) -> dict[str, torch.Tensor]:
        preset = vocoder_preset(
            training={"steps": 8, "checkpoint_every": 4, "validate_every": 8, "max_minutes": 1e-9},
            vocoder_training={**ADVERSARIAL, "adversarial_from_step": 0, **changes},
        )
        options = StartOptions(tmp_path / run, device="cpu", tensorboard=False, init_from=tmp_path / "parent")
        train_vocoder(preset, [prepared], options)
        return load_file(tmp_path / run / "checkpoints" / "000000" / "training.safetensors")

    train_vocoder(vocoder_preset(), [prepared], StartOptions(tmp_path / "parent", device="cpu", tensorboard=False))
    untaught, taught, again = held("untaught"), held("taught", adversary_steps=30), held("again", adversary_steps=30)
    for name, value in untaught.items():
        same = torch.equal(value, taught[name])
        assert same or name.startswith("task.judges."), name  # the flow has not moved
        assert torch.equal(taught[name], again[name]), name
    assert {int(value) for name, value in taught.items() if name.startswith("task.optimiser.step.")} == {30}


def test_what_was_taught_counts_from_the_first_step_on(prepared: Path) -> None:
    def weight(**settings: int) -> float:
        task = _task(prepared, **{**ADVERSARIAL, "adversarial_from_step": 0, **settings})
        task.teach_adversary(0, bfloat16=False)
        metrics = task.loss(task.batch(1), 1, torch.Generator().manual_seed(0))
        spectral = metrics.metrics["stft"] + metrics.metrics["mel"]
        judged = 0.1 * metrics.metrics["verdict"] + 0.5 * metrics.metrics["features"]
        return float((metrics.loss.detach() - spectral) / judged)

    assert weight() == pytest.approx(2 / 200, abs=1e-4)
    assert weight(adversary_steps=20) == pytest.approx(22 / 200, abs=1e-4)
    assert weight(adversary_steps=198) == pytest.approx(1.0, abs=1e-4)


def test_a_new_flow_can_be_judged_before_its_first_step(prepared: Path, tmp_path: Path) -> None:
    said: list[str] = []

    def begins(what: str, counted: str) -> Callable[[int, int], None]:
        said.append(what)
        return lambda done, total: None

    preset = vocoder_preset(
        training={"steps": 2, "validate_every": 2},
        vocoder_training={**ADVERSARIAL, "adversarial_from_step": 0, "adversary_steps": 2},
    )
    options = StartOptions(tmp_path / "run", device="cpu", tensorboard=False, begins=begins)
    assert train_vocoder(preset, [prepared], options) == 2
    assert said == ["teaching the adversary"]


def test_it_is_off_by_default(prepared: Path, tmp_path: Path) -> None:
    options = StartOptions(tmp_path / "run", device="cpu", tensorboard=False)
    train_vocoder(vocoder_preset(training={"steps": 2, "validate_every": 2}), [prepared], options)
    held = load_file(tmp_path / "run" / "checkpoints" / "000002" / "training.safetensors")
    assert not any(name.startswith("task.") for name in held)


@pytest.mark.parametrize(
    "wrong",
    [
        {"adversarial_fft_sizes": ()},
        {"adversarial_channels": 0},
        {"adversarial_learning_rate": 0.0},
        {"adversary_steps": -1},
        {"adversary_steps": 10},
        {"adversary_steps": 10, "spectral_from_step": 0, "adversarial_from_step": 5},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="adversar"):
        VocoderTrainingConfig(**wrong)
