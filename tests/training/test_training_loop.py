"""The training loop's parts: schedule, average, guard, optimiser, the order of batches."""

import copy
import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from glowvox.config.training import TrainingConfig
from glowvox.data.batches import LengthBuckets
from glowvox.engines.machine import Processor
from glowvox.training import loop
from glowvox.training.acoustic import BatchOrder
from glowvox.training.loop import (
    Guard,
    MemoryOrderAdamW,
    MovingAverage,
    Task,
    TaskLoss,
    Trainer,
    Verdict,
    gradient_norm,
    learning_rate,
    scale_gradients,
    uses_bfloat16,
)
from glowvox.training.run_folder import RunFolder, RunLog, TrainingState


def test_learning_rate_warms_up_and_decays() -> None:
    config = TrainingConfig(steps=1000, warmup_steps=10, learning_rate=1e-3, final_learning_rate=1e-5)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-4, rel=1e-3)
    assert max(rates) == pytest.approx(1e-3, rel=1e-3)
    assert rates[-1] == pytest.approx(1e-5)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize("features", [(), ("avx2", "fma"), ("avx512f", "avx512_bf16"), ("amx_bf16",)])
def test_bfloat16_only_where_the_processor_multiplies_it(features, monkeypatch) -> None:
    monkeypatch.setattr(loop, "processor", lambda: Processor("Test CPU", 2, features))
    assert uses_bfloat16(TrainingConfig().precision, torch.device("cpu")) == any("bf16" in one for one in features)
    assert not uses_bfloat16("auto", torch.device("mps"))
    assert uses_bfloat16("bfloat16", torch.device("cpu"))
    assert not uses_bfloat16("float32", torch.device("cpu"))


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
    assert guard.in_doubt
    assert guard.judge("a", 0.0, math.inf) is Verdict.ROLL_BACK
    assert guard.rate_factor == 0.5
    assert guard.judge("a", 0.1, 1.0) is Verdict.ACCEPT
    assert not guard.in_doubt


def test_good_steps_of_one_objective_do_not_excuse_another() -> None:
    guard = Guard(patience=10, limit=3)
    for step in range(20):
        guard.judge("often", 0.1 * (step % 2), 1.0)
        guard.judge("rare", 0.1 * (step % 2), 1.0)
    verdicts = []
    for _ in range(3):
        verdicts.append(guard.judge("rare", 1e6, 1.0))
        assert guard.judge("often", 0.1, 1.0) is Verdict.ACCEPT
    assert verdicts == [Verdict.SKIP, Verdict.SKIP, Verdict.ROLL_BACK]


class BreaksOnce(Task):
    """Learns a number; from step 45 on its rare loss is huge, until the run has gone back once."""

    def __init__(self) -> None:
        self.model = nn.Linear(1, 1)
        self.went_back = False

    def batch(self, index: int) -> torch.Tensor:
        return torch.full((1, 1), float(index))

    def loss(self, batch: torch.Tensor, step: int, generator: torch.Generator) -> TaskLoss:
        rare = step % 2 == 0
        loss = (self.model(batch.new_ones(1, 1)) - 1).square().sum()
        breaks = rare and step >= 45 and not self.went_back
        return TaskLoss(loss + (1e9 if breaks else 0.0), {}, "rare" if rare else "often")

    def initialise(self, batch: torch.Tensor) -> None:
        pass

    def validate(self, step: int, log: RunLog) -> dict[str, float]:
        return {"score": float(-step)}

    def score_name(self, step: int) -> str:
        return "score"

    def seconds_of_audio(self, batch: torch.Tensor) -> float:
        return 1.0

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self.went_back = True


class RunInMemory(RunFolder):
    """Keeps its checkpoints in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: list[tuple[int, TrainingState]] = []
        self.loaded: list[int] = []

    is_new = property(lambda self: not self.kept)  # type: ignore[assignment]

    def save(
        self, step: int, model: nn.Module, state: TrainingState, *, keep: int, provenance: Mapping[str, Any]
    ) -> None:
        self.kept.append((step, copy.deepcopy(state)))

    def load(self) -> TrainingState:
        self.loaded.append(self.kept[-1][0])
        return self.kept[-1][1]

    def point(self, name: str, step: int) -> None:
        pass


def test_a_run_goes_back_to_before_it_broke(tmp_path: Path) -> None:
    run = RunInMemory(tmp_path)
    config = TrainingConfig(
        steps=80, warmup_steps=1, log_every=10, validate_every=7, checkpoint_every=5, precision="float32"
    )
    task = BreaksOnce()
    trainer = Trainer(task, config, run, RunLog(None))
    trainer.train()
    assert task.went_back
    assert trainer.guard.rate_factor == 0.5
    # ten bad ones among the steps 46 to 64: nothing was kept of these, neither by time nor as the best
    assert run.loaded == [45]
    assert run.kept[-1][0] == 80


def test_a_run_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    run = RunInMemory(tmp_path)
    config = TrainingConfig(steps=4, warmup_steps=1, validate_every=9, checkpoint_every=2, precision="float32")
    Trainer(BreaksOnce(), config, run, RunLog(None)).train()
    run.kept[-1][1].numbers["guard"]["bad"] = 2  # steps of all objectives together
    for running in run.kept[-1][1].numbers["guard"]["losses"].values():
        del running["bad"]
    trainer = Trainer(BreaksOnce(), replace(config, steps=6), run, RunLog(None))
    trainer.resume()
    assert trainer.train() == 6
    assert set(trainer.guard.losses) == {"rare", "often"}


def test_the_optimiser_steps_as_adamw_bit_for_bit() -> None:
    shapes = [(5, 48, 24), (3, 16, 7), (2, 3, 4)]
    found = []
    for kind in (torch.optim.AdamW, MemoryOrderAdamW):
        generator = torch.Generator().manual_seed(0)
        parameters = [nn.Parameter(torch.randn(shape, generator=generator).permute(1, 2, 0)) for shape in shapes]
        parameters.append(nn.Parameter(torch.randn(7, 3, generator=generator)))
        optimiser = kind(parameters, lr=0.01, weight_decay=0.1, fused=True)
        for step in range(4):
            for parameter in parameters:
                drawn = torch.randn(parameter.shape, generator=generator)
                # gradients come in the parameter's layout, or, in the last step, in another
                parameter.grad = torch.empty_like(parameter).copy_(drawn) if step < 3 else drawn
            optimiser.step()
        moments = [optimiser.state[parameter]["exp_avg_sq"] for parameter in parameters]
        found.append([parameter.detach() for parameter in parameters] + moments)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))


def test_batch_order_does_not_depend_on_what_was_asked() -> None:
    lengths = [30, 50, 20, 90, 40, 70, 60]
    one = BatchOrder(LengthBuckets(lengths, max_frames=150, seed=0))
    other = BatchOrder(LengthBuckets(lengths, max_frames=150, seed=0))
    in_order = [one.batch(index) for index in range(20)]
    assert [other.batch(index) for index in reversed(range(20))] == in_order[::-1]
