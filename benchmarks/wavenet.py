"""WN by its definition and on rows: what the faster form of the couplings' network earns, in one run.

For the network of one coupling of the shipped vocoder, of the shipped acoustic model and of a preset: the time of a
training step (forward and backward, in bfloat16 as training runs, and in float32) and of inference in float32. The two
forms take turns, so that whatever else the machine does meets both.

    python benchmarks/wavenet.py [--voice kathleen] [--preset waveglow-256] [--rounds 15] [--threads 1]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A network with what a training batch and a sentence give it."""

    name: str
    network: Any
    items: int
    training_columns: int
    spoken_columns: int
    masked: bool
    """Whether the items of a batch differ in length."""


def cases(voice: str, preset: str) -> list[Case]:
    """Return the networks to measure."""
    from pathlib import Path

    import glowvox
    from glowvox.checkpoint.model_folder import load_model
    from glowvox.config.preset import load_preset
    from glowvox.models.waveglow import WaveGlow
    from glowvox.nn.wavenet import WN

    folder = Path(glowvox.__file__).parent / "voices" / voice
    vocoder, acoustic = load_model(folder / "vocoder"), load_model(folder / "acoustic")
    config = load_preset(preset).waveglow
    large = WaveGlow(config)
    networks = [next(one for one in model.modules() if isinstance(one, WN)) for model in (vocoder, acoustic, large)]
    columns = config.groups_per_frame
    return [
        Case(f"vocoder of {voice}", networks[0], 5, 80, 430, masked=False),
        Case(f"decoder of {voice}", networks[1], 7, 160, 215, masked=True),
        Case(preset, networks[2], 1, 62 * columns, 172 * columns, masked=False),
    ]


def measure(case: Case, rounds: int) -> list[tuple[str, float, float]]:
    """Return what was done, and the median milliseconds of the definition and on rows."""
    import torch

    network = case.network.train()
    for parameter in network.parameters():
        parameter.requires_grad_(requires_grad=True)
    forms = network.definition, network

    def inputs(items: int, columns: int) -> tuple[Any, Any, Any]:
        x = torch.randn(items, network.start.in_channels, columns)
        condition = None if network.condition is None else torch.randn(items, network.condition.in_channels, columns)
        lengths = torch.linspace(0.7, 1.0, items) * columns
        mask = (torch.arange(columns) < lengths[:, None]).unsqueeze(1).float()
        return x, mask if case.masked and items > 1 else None, condition

    def training(form: Any, precision: Any) -> Callable[[], None]:
        given = inputs(case.items, case.training_columns)

        def step() -> None:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
                y = form(*given)
            y.float().square().sum().backward()

        return step

    def speaking(form: Any) -> Callable[[], None]:
        given = inputs(1, case.spoken_columns)

        def run() -> None:
            with torch.inference_mode():
                form(*given)

        return run

    found = []
    for precision in (torch.bfloat16, torch.float32):
        name = f"training step, {str(precision).removeprefix('torch.')}"
        found.append((name, *_medians([training(form, precision) for form in forms], rounds)))
    network.eval()
    found.append(("speaking, float32", *_medians([speaking(form) for form in forms], rounds)))
    return found


def _medians(ways: list[Callable[[], None]], rounds: int) -> tuple[float, ...]:
    """Return each way's median milliseconds; they take turns."""
    times: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + 1):
        for way, taken in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            if number:  # the first round warms up
                taken.append(1000 * (time.perf_counter() - start))
    return tuple(statistics.median(taken) for taken in times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voice", default="kathleen", help="a voice inside the package (default: %(default)s)")
    parser.add_argument("--preset", default="waveglow-256", help="of a vocoder (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(f"One coupling's network; PyTorch {torch.__version__}, {options.threads} threads, {options.rounds} rounds\n")
    print("| Network | What | Definition | On rows | Definition / rows |\n|---|---|---|---|---|")
    for case in cases(options.voice, options.preset):
        for what, definition, rows in measure(case, options.rounds):
            print(
                f"| {case.name} | {what} | {definition:.1f} ms | {rows:.1f} ms | {definition / rows:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
