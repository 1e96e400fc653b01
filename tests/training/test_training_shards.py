"""Training from shards: several processes, gradient accumulation, and going on after some of them were lost."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli_w
import torch
from safetensors.torch import load_file
from tiny_runs import vocoder_preset

from glowvox.config.preset import preset_tables
from glowvox.data.batches import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.data.shards_pack import pack_shards
from glowvox.models.waveglow import WaveGlow
from glowvox.training.loop import Trainer
from glowvox.training.run_folder import RunFolder, RunLog
from glowvox.training.vocoder import VocoderTask

SETTINGS = {"precision": "float32", "steps": 40, "checkpoint_every": 10, "validate_every": 40, "log_every": 10}


@pytest.fixture(scope="module")
def shards(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shards") / "packed"
    pack_shards(PreparedData(prepared), place, megabytes=0.05)
    return place


def gradients(data: Path, run: Path, batch_size: int, accumulate: int) -> dict[str, torch.Tensor]:
    preset = vocoder_preset(
        training={"precision": "float32", "batch_size": batch_size, "accumulate": accumulate},
        vocoder_training={"spectral_from_step": -1},
    )
    opened = PreparedData(data)
    training = opened.clips("train")
    torch.manual_seed(0)
    model = WaveGlow(preset.waveglow)
    for step in model.steps:
        step.actnorm.initialised.fill_(True)
        torch.nn.init.normal_(step.coupling.network.end.weight, std=0.1, generator=torch.Generator().manual_seed(1))
    sampler = SegmentSampler(training, frames=16, batch_size=batch_size, seed=0)
    task = VocoderTask(model, preset.vocoder_training, sampler, training, opened.clips("validation"), 1)
    Trainer(task, preset.training, RunFolder(run), RunLog(None)).gradients(3)
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def test_accumulated_gradients_are_those_of_a_larger_batch(shards: Path, tmp_path: Path) -> None:
    whole = gradients(shards, tmp_path / "whole", 4, 1)
    for batch_size, accumulate in ((2, 2), (1, 4)):
        parts = gradients(shards, tmp_path / f"parts{accumulate}", batch_size, accumulate)
        assert parts.keys() == whole.keys() and whole
        for name, expected in whole.items():
            torch.testing.assert_close(parts[name], expected, rtol=1e-4, atol=1e-6, msg=name)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def started(line: list[str], **variables: str) -> "subprocess.Popen[str]":
    settings = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen(
        [sys.executable, "-m", *line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=settings
    )


def training(run: Path, data: str, *more: str) -> list[str]:
    return ["train", "vocoder", "--run", str(run), "--data", data, "--threads", "1", "--no-tensorboard", *more]


def finished(nodes: "list[subprocess.Popen[str]]") -> None:
    for node in nodes:
        said, _ = node.communicate(timeout=240)
        assert node.returncode == 0, said[-3000:]


def by_torchrun(node: int, port: int, arguments: list[str]) -> "subprocess.Popen[str]":
    """Start `torchrun` for one of two machines, with one process."""
    place = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    line = ["torch.distributed.run", "--nnodes", "2", "--node-rank", str(node), "--nproc-per-node", "1", *place]
    return started([*line, "-m", "--", "glowvox", *arguments])


def by_variables(rank: int, port: int, arguments: list[str]) -> "subprocess.Popen[str]":
    """Start one of two processes as `torchrun` or a scheduler starts it, without an agent between."""
    place = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return started(["glowvox", *arguments], **place)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_training_that_lost_a_node_goes_on_as_if_nothing_had_been(shards: Path, tmp_path: Path) -> None:
    preset = tmp_path / "tiny.toml"
    preset.write_text(tomli_w.dumps(preset_tables(vocoder_preset(training=SETTINGS))), encoding="utf-8")
    lost, whole = tmp_path / "lost", tmp_path / "whole"
    port = free_port()
    nodes = [by_variables(rank, port, training(lost, f"file://{shards}", "--preset", str(preset))) for rank in (0, 1)]
    until = time.monotonic() + 240
    while not (lost / "last").exists() and nodes[0].poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    nodes[1].kill()
    said, _ = nodes[0].communicate(timeout=240)
    nodes[1].communicate()
    assert nodes[0].returncode and (lost / "last").exists(), said[-3000:]
    assert not (lost / "checkpoints" / "000040").exists()
    port = free_port()
    finished([by_torchrun(node, port, training(lost, f"file://{shards}", "--resume")) for node in (0, 1)])
    port = free_port()
    finished([by_variables(rank, port, training(whole, str(shards), "--preset", str(preset))) for rank in (0, 1)])
    ours, theirs = (load_file(run / "checkpoints" / "000040" / "training.safetensors") for run in (lost, whole))
    assert ours.keys() == theirs.keys() and ours
    for name, expected in theirs.items():
        assert torch.equal(ours[name], expected), name
