"""Two processes with half of the batch each compute the gradients of one with all of it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

SCRIPT = """
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, {tests!r})
from tiny_runs import vocoder_preset

from glowvox.data.batches import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.models.waveglow import WaveGlow
from glowvox.training.loop import join_processes, leave_processes
from glowvox.training.run_folder import RunLog
from glowvox.training.loop import Trainer
from glowvox.training.run_folder import RunFolder
from glowvox.training.vocoder import VocoderTask

processes = join_processes(torch.device("cpu"), timeout_minutes=1)
preset = vocoder_preset(training={{"precision": "float32"}}, vocoder_training={{"spectral_from_step": -1}})
data = PreparedData(Path({data!r}))
torch.manual_seed(0)
model = WaveGlow(preset.waveglow)
training = data.clips("train")
sampler = SegmentSampler(
    training, frames=16, batch_size=4 // processes.count, seed=0, rank=processes.rank, world_size=processes.count
)
task = VocoderTask(model, preset.vocoder_training, sampler, training, data.clips("validation"), 1)
trainer = Trainer(task, preset.training, RunFolder(Path({run!r})), RunLog(None), processes)
for step in model.steps:
    step.actnorm.initialised.fill_(True)
    torch.nn.init.normal_(step.coupling.network.end.weight, std=0.1, generator=torch.Generator().manual_seed(1))
trainer.gradients(0)
if processes.is_main:
    save_file({{name: p.grad.contiguous() for name, p in model.named_parameters() if p.grad is not None}}, {out!r})
leave_processes()
"""


@pytest.mark.slow
def test_two_processes_equal_one_with_the_double_batch(prepared: Path, tmp_path: Path) -> None:
    gradients = []
    for count in (1, 2):
        out, script = tmp_path / f"gradients{count}.safetensors", tmp_path / f"script{count}.py"
        settings = {"tests": str(Path(__file__).parent), "data": str(prepared), "run": str(tmp_path / f"run{count}")}
        script.write_text(SCRIPT.format(out=str(out), **settings))
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        done = subprocess.run([*command, str(script)], timeout=240, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        gradients.append(load_file(out))
    assert gradients[0].keys() == gradients[1].keys() and gradients[0]
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-4, atol=1e-6, msg=name)
