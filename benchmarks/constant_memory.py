"""Recompute or invert: what a backward pass of constant memory costs, for both ways of forgetting activations.

Recomputing keeps each step's input (`EarlyOutputs.recompute`); inverting keeps only the last output and regains each
input by running the step backwards. Printed: time of a step, growth of memory, and how far the gradients are from those
of the plain pass.

    python benchmarks/constant_memory.py [--preset waveglow-small] [--segments 4]
"""

import argparse
import multiprocessing
import resource
import time
from typing import Any

WAYS = ("plain", "recompute", "invert")


def invert_through(steps: Any, x: Any, condition: Any) -> tuple[Any, Any]:
    """Run steps whose inputs are regained in the backward pass from their outputs, by inversion."""
    import torch

    class Inverting(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: Any, side: Any, step: Any, *parameters: Any) -> tuple[Any, Any]:
            with torch.no_grad():
                output, log_det = step(value, None, side)
            ctx.step, ctx.parameters = step, parameters
            ctx.save_for_backward(output, side)
            return output, log_det

        @staticmethod
        def backward(ctx: Any, grad_output: Any, grad_log_det: Any) -> tuple[Any, ...]:
            output, side = ctx.saved_tensors
            with torch.no_grad():
                value = ctx.step.inverse(output, None, side)[0]
            with torch.enable_grad():
                value, side = value.detach().requires_grad_(), side.detach().requires_grad_()
                again, log_det = ctx.step(value, None, side)
                grads = torch.autograd.grad(
                    (again, log_det), (value, side, *ctx.parameters), (grad_output, grad_log_det)
                )
            return grads[0], grads[1], None, *grads[2:]

    total, outputs = 0.0, []
    for index, step in enumerate(steps):
        if index in steps.exits:
            leaving, x = x.split([steps.exits[index], x.shape[1] - steps.exits[index]], 1)
            outputs.append(leaving)
        x, log_det = Inverting.apply(x, condition, step, *step.parameters())
        total = total + log_det
    return torch.cat([*outputs, x], 1), total


def measure(way: str, preset: str, segments: int, threads: int) -> tuple[float, float, Any]:
    """Return seconds of a step, peak MB, and the gradients as one vector."""
    import torch

    from glowvox.config.preset import load_preset
    from glowvox.models.waveglow import WaveGlow

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = load_preset(preset).waveglow
    model = WaveGlow(config).train()
    for step in model.steps:
        torch.nn.init.normal_(step.coupling.network.end.weight, std=0.02)
        if step.actnorm is not None:
            step.actnorm.initialised.fill_(True)
    frames = 62
    audio = 0.1 * torch.randn(segments, frames * config.audio.hop_length)
    mel = torch.randn(segments, config.audio.n_mels, frames) - 5
    model.steps.recompute = way == "recompute"

    def step_once() -> None:
        model.zero_grad(set_to_none=True)
        if way == "invert":
            condition, _ = model._condition(mel, None)
            x, _ = model.transform(audio.unsqueeze(1))
            latent, log_det = invert_through(model.steps, x, condition)
            loss = 0.5 * latent.square().sum() - log_det.sum()
        else:
            output = model(audio, mel)
            loss = 0.5 * output.latent.square().sum() - output.log_det.sum()
        (loss / audio.numel()).backward()

    step_once()
    start = time.perf_counter()
    step_once()
    seconds = time.perf_counter() - start
    gradient = torch.cat([p.grad.reshape(-1) for p in model.steps.parameters() if p.grad is not None])
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, gradient.numpy()


def _in_process(queue: Any, arguments: tuple[Any, ...]) -> None:
    queue.put(measure(*arguments))


def main() -> None:
    """Print the table."""
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="waveglow-small")
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    reference = None
    for way in WAYS:
        queue = context.Queue()
        process = context.Process(target=_in_process, args=(queue, (way, args.preset, args.segments, args.threads)))
        process.start()
        seconds, peak, gradient = queue.get()
        process.join()
        reference = gradient if reference is None else reference
        error = float(np.linalg.norm(gradient - reference) / np.linalg.norm(reference))
        print(f"{way:10} {seconds:7.2f} s a step   {peak:8.0f} MB   gradient error {error:.1e}")


if __name__ == "__main__":
    main()
