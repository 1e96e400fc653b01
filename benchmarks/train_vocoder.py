"""Training speed and memory: this project's WaveGlow against a plain float32 module of the same model, in one run.

The plain module is what the published program does: `conv1d` on [channels, time] with weight norm, all activations
kept, a log-determinant for every 1x1 convolution. Both take the same segments, the same loss and AdamW.

    python benchmarks/train_vocoder.py [--segments 4] [--presets waveglow-256 ...] [--json]
"""

import argparse
import json
import multiprocessing
import resource
import time
from typing import Any

SAMPLES = 15872  # 62 frames of 256 samples: the published 16,000-sample segments, in whole frames


def plain_waveglow(config: Any) -> Any:
    """Build the straightforward float32 module of a `WaveGlowConfig` with the paper's squeeze."""
    import torch
    from torch import nn
    from torch.nn.utils.parametrizations import weight_norm

    class PlainNetwork(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            width, layers = config.n_channels, config.n_layers
            condition = (
                config.audio.n_mels * config.n_group
                if config.conditioning == "upsampled"
                else config.encoder_channels or config.audio.n_mels
            )
            self.start = weight_norm(nn.Conv1d(channels // 2, width, 1))
            self.condition = weight_norm(nn.Conv1d(condition, 2 * width * layers, 1))
            self.dilated = nn.ModuleList(
                weight_norm(nn.Conv1d(width, 2 * width, 3, dilation=2**i, padding=2**i)) for i in range(layers)
            )
            self.mix = nn.ModuleList(
                weight_norm(nn.Conv1d(width, 2 * width if i < layers - 1 else width, 1)) for i in range(layers)
            )
            self.end = nn.Conv1d(width, channels, 1)
            self.width = width

        def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
            hidden, skip = self.start(x), None
            conditions = self.condition(condition).chunk(len(self.dilated), 1)
            for dilated, mix, side in zip(self.dilated, self.mix, conditions, strict=True):
                filtered, gate = (dilated(hidden) + side).chunk(2, 1)
                mixed = mix(torch.tanh(filtered) * torch.sigmoid(gate))
                if mixed.shape[1] > self.width:
                    hidden = hidden + mixed[:, : self.width]
                skip = mixed[:, -self.width :] if skip is None else skip + mixed[:, -self.width :]
            return self.end(skip)

    class PlainWaveGlow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            mels = config.audio.n_mels
            self.upsample = nn.ConvTranspose1d(mels, mels, 1024, 256) if config.conditioning == "upsampled" else None
            self.encoder = (
                nn.Sequential(nn.Conv1d(mels, config.encoder_channels, 5, padding=2), nn.GELU())
                if config.encoder_channels
                else nn.Identity()
            )
            self.mixers, self.networks = nn.ParameterList(), nn.ModuleList()
            channels = config.n_group
            for index in range(config.n_flows):
                channels -= config.n_early_size * (index in config.early_exits)
                self.mixers.append(nn.Parameter(torch.linalg.qr(torch.randn(channels, channels))[0].contiguous()))
                self.networks.append(PlainNetwork(channels))

        def forward(self, audio: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
            group = config.n_group
            if self.upsample is not None:
                side = self.upsample(mel)[:, :, : audio.shape[1]].unfold(2, group, group)
                side = side.permute(0, 2, 1, 3).reshape(len(mel), side.shape[2], -1).transpose(1, 2)
            else:
                side = self.encoder(mel).repeat_interleave(config.groups_per_frame, 2)
            x = audio.unfold(1, group, group).permute(0, 2, 1)
            energy, log_det = x.new_zeros(()), x.new_zeros(())
            for index, (mixer, network) in enumerate(zip(self.mixers, self.networks, strict=True)):
                if index in config.early_exits:
                    energy = energy + x[:, : config.n_early_size].square().sum()
                    x = x[:, config.n_early_size :]
                x = torch.nn.functional.conv1d(x, mixer.unsqueeze(2))
                log_det = log_det + x.shape[0] * x.shape[2] * torch.linalg.slogdet(mixer).logabsdet
                kept, moved = x.chunk(2, 1)
                shift, log_scale = network(kept, side).chunk(2, 1)
                x = torch.cat([kept, moved * log_scale.exp() + shift], 1)
                log_det = log_det + log_scale.sum()
            return (0.5 * (energy + x.square().sum()) - log_det) / audio.numel()

    return PlainWaveGlow()


def measure(kind: str, preset: str, segments: int, steps: int, threads: int) -> dict[str, float]:
    """Time training steps in this process; returns samples per second and the growth of memory in MB."""
    import torch

    from glowvox.config.preset import load_preset
    from glowvox.models.waveglow import WaveGlow
    from glowvox.training.loop import build_optimiser

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    loaded = load_preset(preset)
    config = loaded.waveglow
    audio = 0.1 * torch.randn(segments, SAMPLES)
    mel = torch.randn(segments, config.audio.n_mels, SAMPLES // config.audio.hop_length) - 5
    model = plain_waveglow(config) if kind == "plain" else WaveGlow(config)
    optimiser = build_optimiser(model, loaded.training)
    if kind == "plain":
        model = model.train()
    else:
        model.steps.recompute = loaded.training.recompute

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        if kind == "plain":
            model(audio, mel).backward()
        else:
            with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
                (-model.log_likelihood(audio, mel).sum() / audio.numel()).backward()
        optimiser.step()

    step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"samples_per_second": segments * SAMPLES / sorted(times)[len(times) // 2], "peak_mb": peak}


def _in_process(queue: Any, arguments: tuple[Any, ...]) -> None:
    queue.put(measure(*arguments))


def run_apart(*arguments: Any) -> dict[str, float]:
    """Measure in a process of its own, so that peak memory is that of one kind alone."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_in_process, args=(queue, arguments))
    process.start()
    result = queue.get()
    process.join()
    return dict(result)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=["waveglow-256", "waveglow-small", "lapped-base"])
    parser.add_argument("--segments", type=int, default=4, help="segments in a batch (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=3, help="timed steps (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = []
    for preset in args.presets:
        kinds = ("glowvox",) if preset.startswith("lapped") else ("plain", "glowvox")
        results = {kind: run_apart(kind, preset, args.segments, args.steps, args.threads) for kind in kinds}
        rows.append({"preset": preset, **{f"{kind}_{name}": v for kind in kinds for name, v in results[kind].items()}})
        row = rows[-1]
        if "plain" in results:
            row["speed_ratio"] = row["glowvox_samples_per_second"] / row["plain_samples_per_second"]
            row["memory_ratio"] = row["glowvox_peak_mb"] / row["plain_peak_mb"]
        if not args.json:
            print(
                "  ".join(f"{name} {value:,.2f}" if name != "preset" else f"{value:16}" for name, value in row.items())
            )
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
